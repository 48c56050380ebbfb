//! Cross-origin requests (Fetch §3.2): pages anywhere may join, as WHIP and WHEP players do.
//!
//! Never: cookies; the right to a room is a token that the page holds, the right to a session is its URL.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::AppState;

/// What a page of any origin may send.
const ALLOWED: &str = "Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID, ETag";

/// Adds to every response what lets a page of any origin read it.
pub(super) async fn open_to_all(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Location, ETag, Link, Medley-Notice, Accept-Patch, Accept-Post, Retry-After"),
    );
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// `OPTIONS` where offers are posted: what may be sent, and the ICE servers to gather with.
pub(super) async fn preflight_sdp(State(state): State<AppState>) -> Response {
    let mut response = preflight("POST, OPTIONS");
    response.headers_mut().insert("accept-post", HeaderValue::from_static("application/sdp"));
    state.ice_servers.add_links(response.headers_mut());
    response
}

/// `OPTIONS` on a session.
pub(super) async fn preflight_session() -> Response {
    let mut response = preflight("GET, HEAD, PATCH, DELETE, OPTIONS");
    response.headers_mut().insert("accept-patch", HeaderValue::from_static(super::session::FRAGMENT));
    response
}

/// `OPTIONS` anywhere else: the router's `Allow` says which of the methods there are.
pub(super) fn preflight_any() -> Response {
    let mut response = preflight("GET, HEAD, PUT, POST, PATCH, DELETE, OPTIONS");
    response.headers_mut().remove(header::ALLOW);
    response
}

fn preflight(methods: &'static str) -> Response {
    let headers = HeaderMap::from_iter([
        (header::ALLOW, HeaderValue::from_static(methods)),
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods)),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED)),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400")),
    ]);
    (StatusCode::NO_CONTENT, headers).into_response()
}
