//! The HTTP that a bot speaks: join with an offer, leave.
//!
//! In: the server's URL, an SDP offer. Out: the answer and the session's URL. Never: TLS, redirects, a response larger than
//! an answer can be.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{CONTENT_TYPE, HOST, LOCATION};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

const MAX_RESPONSE_BYTES: usize = 256 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a request gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The URL cannot be used.
    #[error("{0:?} is no server's URL: write it as http://127.0.0.1:8080")]
    Url(String),
    /// Nobody answered.
    #[error("no connection to {url}: {reason}; is `medley serve` running there?")]
    Connect {
        /// The server's URL.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// The server said no.
    #[error("{method} {path} was answered {status}: {detail}")]
    Refused {
        /// The request's method.
        method: Method,
        /// The request's path and query.
        path: String,
        /// The answer's status.
        status: StatusCode,
        /// What the server says about it.
        detail: String,
    },
    /// The server's answer is no answer to a join.
    #[error("the answer to POST {path} lacks {what}")]
    Incomplete {
        /// The request's path and query.
        path: String,
        /// What is missing.
        what: &'static str,
    },
}

/// A server, by its URL.
#[derive(Clone, Debug)]
pub(super) struct Server {
    base: String,
    authority: String,
}

/// What the server granted.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    /// The SDP answer.
    pub(super) answer: String,
    /// Path of the session, to be deleted on leaving.
    pub(super) session: String,
}

impl Server {
    /// A server at an `http` URL; a path is put before the API's own.
    ///
    /// # Errors
    /// Where the URL is none, or is not plain `http`.
    pub(super) fn new(url: &str) -> Result<Self, HttpError> {
        let wrong = || HttpError::Url(url.chars().take(200).collect());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong());
        };
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self { base: uri.path().trim_end_matches('/').into(), authority: format!("{}:{port}", authority.host()) })
    }

    /// Host and port.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// Joins a room: offer and query in, seat out.
    ///
    /// # Errors
    /// Where the server cannot be reached, refuses, or answers without SDP or `Location`.
    pub(super) async fn join(&self, room: &str, query: &[(&str, String)], offer: String) -> Result<Seat, HttpError> {
        let query: Vec<_> = query.iter().map(|(key, value)| format!("{key}={}", escaped(value))).collect();
        let path = format!("{}/v1/rooms/{}/join?{}", self.base, escaped(room), query.join("&"));
        let (location, answer) = self.send(Method::POST, &path, offer, StatusCode::CREATED).await?;
        let incomplete = |what| HttpError::Incomplete { path: path.clone(), what };
        if answer.is_empty() {
            return Err(incomplete("an SDP answer"));
        }
        Ok(Seat { answer, session: location.ok_or_else(|| incomplete("a Location header"))? })
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Where the server cannot be reached or no longer knows the session.
    pub(super) async fn leave(&self, session: &str) -> Result<(), HttpError> {
        self.send(Method::DELETE, &path_of(session), String::new(), StatusCode::OK).await.map(|_| ())
    }

    /// Tells the server of new ICE credentials (RFC 8840); gives the fragment that it answers.
    ///
    /// # Errors
    /// Where the server cannot be reached, or refuses.
    pub(super) async fn restart(&self, session: &str, fragment: String) -> Result<String, HttpError> {
        self.send(Method::PATCH, &path_of(session), fragment, StatusCode::OK).await.map(|(_, fragment)| fragment)
    }

    /// The body of what is at a path.
    ///
    /// # Errors
    /// Where the server cannot be reached, has no such thing, or more of it than an answer can be.
    pub(super) async fn get(&self, path: &str) -> Result<String, HttpError> {
        let path = format!("{}{path}", self.base);
        Ok(self.send(Method::GET, &path, String::new(), StatusCode::OK).await?.1)
    }

    /// Sends a request; gives the `Location` and the body of an answer of the wanted status.
    async fn send(&self, method: Method, path: &str, body: String, wanted: StatusCode) -> Result<(Option<String>, String), HttpError> {
        let lost = |reason: String| HttpError::Connect { url: format!("http://{}", self.authority), reason };
        let exchange = tokio::time::timeout(PATIENCE, self.exchange(method.clone(), path, body)).await;
        let (status, location, body) = exchange.map_err(|_| lost("no answer within 10 s".into()))?.map_err(lost)?;
        // RFC 9110 §15.3: DELETE may be answered 200 or 204 alike.
        if status == wanted || (method == Method::DELETE && status.is_success()) {
            return Ok((location, body));
        }
        Err(HttpError::Refused { method, path: path.into(), status, detail: detail(&body) })
    }

    async fn exchange(&self, method: Method, path: &str, body: String) -> Result<(StatusCode, Option<String>, String), String> {
        let stream = TcpStream::connect(&self.authority).await.map_err(|error| error.to_string())?;
        let (mut requests, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        let driver = tokio::spawn(connection);
        let content = if method == Method::PATCH { "application/trickle-ice-sdpfrag" } else { "application/sdp" };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, content)
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        let response = requests.send_request(request).await.map_err(|error| error.to_string())?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_RESPONSE_BYTES).collect().await.map_err(|error| error.to_string())?.to_bytes();
        driver.abort();
        let location = head.headers.get(LOCATION).and_then(|value| value.to_str().ok()).map(Into::into);
        Ok((head.status, location, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// The path of a `Location`, which may be a whole URL.
fn path_of(session: &str) -> String {
    let path = session.parse::<Uri>().ok().and_then(|uri| uri.path_and_query().map(ToString::to_string));
    path.unwrap_or_else(|| session.into())
}

/// The `detail` of a problem document (RFC 9457), or the body's beginning.
fn detail(body: &str) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let detail = problem.as_ref().and_then(|problem| problem.get("detail").or(problem.get("title"))).and_then(|text| text.as_str());
    detail.unwrap_or(if body.is_empty() { "no reason given" } else { body }).chars().take(500).collect()
}

/// Percent-encoded, but for the unreserved (RFC 3986 §2.3).
fn escaped(text: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_urls_are_taken() {
        for wrong in ["127.0.0.1:8080", "https://example.org", "ftp://example.org", "http://", "/v1"] {
            assert!(Server::new(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Server::new("http://localhost").unwrap().authority(), "localhost:80");
        assert_eq!(Server::new("http://[::1]:8080/medley/").unwrap().authority(), "[::1]:8080");
    }

    #[test]
    fn the_reason_of_a_refusal_is_the_problems_detail() {
        assert_eq!(detail(r#"{"title":"Locked","detail":"the room is locked"}"#), "the room is locked");
        assert_eq!(detail("plain"), "plain");
        assert_eq!(detail(""), "no reason given");
    }

    #[test]
    fn names_are_escaped_in_the_query() {
        assert_eq!(escaped("Bot 1/ä"), "Bot%201%2F%C3%A4");
    }
}
