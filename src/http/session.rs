//! A session's URL: trickle ICE and ICE restart, state, end.
//!
//! In: the unguessable id, which is by itself the right to change or end the session. Never: a token asked for here.

use axum::Json;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{AppState, Problem, body};
use crate::peer::PeerError;

/// RFC 8840 §9.
pub(super) const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// The id in the path.
pub(super) struct SessionId(String);

impl<S: Send + Sync> FromRequestParts<S> for SessionId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = Path::<String>::from_request_parts(parts, state).await;
        id.map(|Path(id)| Self(id)).map_err(|_| PeerError::Unknown.into())
    }
}

/// Trickle ICE, or restart it
///
/// Candidates (204), or an ICE restart (200 with the new credentials and a new entity tag; RFC 9725 §4.3).
#[utoipa::path(
    patch,
    path = "/v1/sessions/{session}",
    operation_id = "patch_session",
    tag = "Joining",
    params(("session" = String, Path, description = "The unguessable id, from Location")),
    request_body(content = String, content_type = "application/trickle-ice-sdpfrag"),
    responses(
        (status = 200, description = "ICE is restarted: the new credentials", content_type = "application/trickle-ice-sdpfrag", body = String),
        (status = 204, description = "The candidates are taken"),
        (status = 404, description = "No such session"),
        (status = 410, description = "An admin removed the client, or ended the room, within the last minute"),
        (status = 412, description = "The fragment is of an older ICE session"),
    )
)]
pub(super) async fn patch(State(state): State<AppState>, SessionId(id): SessionId, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let fragment = body::text(&head.headers, body, FRAGMENT, state.limits.body).await?;
    let tag = entity_tag(&head.headers);
    let Some(restarted) = state.peers.patch(&id, &fragment, tag.as_deref()).await? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(FRAGMENT)),
        (header::ETAG, HeaderValue::from_str(&restarted.etag).expect("entity tags are quoted ASCII")),
    ];
    Ok((headers, restarted.sdp).into_response())
}

/// Leave
#[utoipa::path(
    delete,
    path = "/v1/sessions/{session}",
    operation_id = "delete_session",
    tag = "Joining",
    params(("session" = String, Path, description = "The unguessable id, from Location")),
    responses((status = 200, description = "The session is over"), (status = 404, description = "No such session"))
)]
pub(super) async fn end(State(state): State<AppState>, SessionId(id): SessionId) -> Result<StatusCode, Problem> {
    if state.peers.close(&id).await { Ok(StatusCode::OK) } else { Err(PeerError::Unknown.into()) }
}

/// A session's state
#[utoipa::path(
    get,
    path = "/v1/sessions/{session}",
    operation_id = "get_session",
    tag = "Joining",
    params(("session" = String, Path, description = "The unguessable id, from Location")),
    responses(
        (status = 200, description = "The session", body = Object),
        (status = 404, description = "No such session"),
        (status = 410, description = "An admin removed the client, or ended the room, within the last minute: do not join again by yourself")
    )
)]
pub(super) async fn state(State(state): State<AppState>, SessionId(id): SessionId) -> Result<Response, Problem> {
    let session = state.peers.state(&id)?;
    let etag = HeaderValue::from_str(&session.etag).expect("entity tags are quoted ASCII");
    Ok(([(header::ETAG, etag), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(session)).into_response())
}

/// The ICE session a fragment is for: `If-Match`, or `ETag` as some clients send it; none, or `*`, is whichever is current.
fn entity_tag(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::IF_MATCH).or_else(|| headers.get(header::ETAG))?;
    let tag = String::from_utf8_lossy(value.as_bytes()).trim().to_owned();
    match tag.as_str() {
        // RFC 9725 §4.3.3 quotes it
        "*" | "\"*\"" | "" => None,
        quoted if quoted.ends_with('"') => Some(tag),
        bare => Some(format!("\"{bare}\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(name: header::HeaderName, value: &'static str) -> Option<String> {
        entity_tag(&HeaderMap::from_iter([(name, HeaderValue::from_static(value))]))
    }

    #[test]
    fn an_entity_tag_is_found_however_the_client_sends_it() {
        assert_eq!(tag(header::IF_MATCH, "\"abc\""), Some("\"abc\"".into()));
        assert_eq!(tag(header::ETAG, "\"abc\""), Some("\"abc\"".into()));
        assert_eq!(tag(header::IF_MATCH, "abc"), Some("\"abc\"".into()));
        assert_eq!(tag(header::IF_MATCH, "W/\"abc\""), Some("W/\"abc\"".into()));
        assert_eq!((tag(header::IF_MATCH, "*"), tag(header::IF_MATCH, "\"*\"")), (None, None));
        assert_eq!(entity_tag(&HeaderMap::new()), None);
    }
}
