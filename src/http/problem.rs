//! Errors as RFC 9457 `application/problem+json`.
//!
//! In: a status and a sentence on what was wrong with this request and what to send instead. Out: the response.
//! Never: internals, or a status without a sentence.

use std::time::Duration;

use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::peer::PeerError;
use crate::rooms::{AdminError, ETag, JoinError};

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    failing: Vec<&'static str>,
    retry_after: Option<Duration>,
}

/// A refused request, as RFC 9457 writes it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Document<'a> {
    /// `about:blank`: the status says what kind it is.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What was wrong with this request and what to send instead.
    #[schema(example = "layout.regions[2].width: \"4/3\" is no fraction from 0 to 1: send \"1/3\" or 0.25")]
    detail: &'a str,
    /// The checks that fail, where the server is not ready.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    failing: &'a [&'static str],
}

impl Problem {
    /// A problem whose `detail` says what was wrong and what to send instead.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), failing: Vec::new(), retry_after: None }
    }

    /// 422: understood, but wrong in itself.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 404: no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 503: a picture could not be encoded.
    pub(super) fn unmade_picture() -> Self {
        let detail = "the picture could not be encoded; try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(Duration::from_secs(1))
    }

    /// 503 that names the checks that fail.
    pub fn failing(checks: Vec<&'static str>) -> Self {
        let detail = format!("the server is not ready: {}", checks.join(", "));
        Self { failing: checks, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    /// 412: what is there has `tag`, or there is nothing.
    pub(super) fn stale(tag: Option<&ETag>) -> Self {
        let detail = match tag {
            Some(ETag(tag)) => format!("it was changed meanwhile: its ETag is {tag}; read it again and send that as If-Match"),
            None => "it is not there; leave If-Match out to make it".to_owned(),
        };
        Self::new(StatusCode::PRECONDITION_FAILED, detail)
    }

    /// Says when to try again, in whole seconds (RFC 9110 §10.2.3).
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// The sentence.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = Document {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            failing: &self.failing,
        };
        let body = serde_json::to_vec(&document).expect("a document of strings and numbers is JSON");
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, wait.as_secs().into());
        }
        response
    }
}

impl From<JoinError> for Problem {
    fn from(error: JoinError) -> Self {
        let detail = error.to_string();
        let busy =
            |wait| Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("{detail}; try again later")).retry_after(Duration::from_secs(wait));
        match error {
            JoinError::Full(_) | JoinError::RoomFull(..) => busy(10),
            JoinError::Draining => busy(5),
            JoinError::NoSuchRoom(_) => {
                Self::not_found(format!("{detail}, and rooms are not made on demand here; GET /v1/rooms lists them"))
            }
            JoinError::Locked(_) => Self::new(StatusCode::LOCKED, format!("{detail}; ask an admin to let you in")),
            JoinError::NameTaken(_) => Self::new(StatusCode::CONFLICT, format!("{detail}; send another name")),
            JoinError::NoSuchView(..) => Self::unprocessable(format!("view: {detail}")),
        }
    }
}

impl From<PeerError> for Problem {
    fn from(error: PeerError) -> Self {
        let detail = error.to_string();
        match error {
            PeerError::Unknown => Self::not_found(format!("{detail}; join again for a new one")),
            PeerError::Removed => Self::new(StatusCode::GONE, format!("{detail}; do not connect again by yourself")),
            PeerError::Refused(_) => Self::unprocessable(detail),
            PeerError::Stale(_) => {
                Self::new(StatusCode::PRECONDITION_FAILED, format!("{detail}; send the ETag of the newest 201 or 200, or no If-Match"))
            }
        }
    }
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        let detail = error.to_string();
        match error {
            AdminError::NotFound(_) => Self::not_found(detail),
            AdminError::Invalid { .. } => Self::unprocessable(detail),
            AdminError::Conflict(_) | AdminError::Full(_) => Self::new(StatusCode::CONFLICT, detail),
            AdminError::Precondition(tag) => Self::stale(tag.as_ref()),
            AdminError::Storage(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(Duration::from_secs(10)),
        }
    }
}

/// 404 for a path that nothing answers.
pub(super) async fn no_such_resource(uri: Uri) -> Problem {
    Problem::not_found(format!("nothing is at {}; GET / shows what there is", shown(uri.path())))
}

/// 405, or the answer to `OPTIONS`; the router adds `Allow` to both.
pub(super) async fn no_such_method(method: Method, uri: Uri) -> Response {
    if method == Method::OPTIONS {
        return super::cors::preflight_any();
    }
    let detail = format!("{} does not take {method}; see the Allow header", shown(uri.path()));
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
}

/// As much of a stranger's text as an answer repeats.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_server_says_when_to_try_again() {
        let response = Problem::from(JoinError::Full(64)).into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[header::RETRY_AFTER], "10");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    }

    #[test]
    fn each_fault_of_an_admins_request_has_its_own_status() {
        let status = |error: AdminError| Problem::from(error).status().as_u16();
        assert_eq!(status(AdminError::NotFound("room a".into())), 404);
        assert_eq!(status(AdminError::Invalid { field: "canvas.width".into(), rule: "is odd".into() }), 422);
        assert_eq!(status(AdminError::Conflict("grid comes with the server".into())), 409);
        assert_eq!(status(AdminError::Precondition(None)), 412);
        let full = Problem::from(AdminError::Storage("no space left".into()));
        assert_eq!((full.status().as_u16(), full.retry_after), (503, Some(Duration::from_secs(10))));
    }

    #[test]
    fn each_fault_of_a_session_has_its_own_status() {
        let status = |error: PeerError| Problem::from(error).status().as_u16();
        assert_eq!(status(PeerError::Unknown), 404);
        assert_eq!(status(PeerError::Removed), 410);
        assert_eq!(status(PeerError::Refused("no".into())), 422);
        assert_eq!(status(PeerError::Stale("\"a\"".into())), 412);
    }
}
