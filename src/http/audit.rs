//! What admins do, in the log: who, what, to what, and what came of it.
//!
//! In: requests that change something, and their answers. Out: one line each. Never: a key, a body, or a line for what only looks.

use axum::extract::{Request, State};
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::Response;

use super::AppState;

/// Writes down who changed what.
pub(super) async fn write_down(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if !changes_something(request.method(), request.uri()) {
        return next.run(request).await;
    }
    let who = state.access.who(request.headers());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let response = next.run(request).await;
    let (status, room) = (response.status().as_u16(), room(uri.path()));
    tracing::info!(who, %method, path = uri.path(), query = uri.query(), room, status, "admin");
    response
}

/// Whether it does; joins have lines of their own, and a dry run or a preview leaves everything as it is.
fn changes_something(method: &Method, uri: &Uri) -> bool {
    let writes = [Method::PUT, Method::PATCH, Method::DELETE].contains(method);
    writes && !uri.query().unwrap_or_default().split('&').any(|part| part == "dry_run=true")
}

/// The room that a path is about.
fn room(path: &str) -> Option<&str> {
    path.strip_prefix("/v1/rooms/")?.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_looks_leaves_no_line() {
        let changes = |method: Method, uri: &str| changes_something(&method, &uri.parse().unwrap());
        assert!(changes(Method::PUT, "/v1/rooms/a/layout?view=tall") && changes(Method::DELETE, "/v1/images/logo"));
        assert!(!changes(Method::GET, "/v1/rooms") && !changes(Method::POST, "/v1/layouts/preview.png"));
        assert!(!changes(Method::PUT, "/v1/rooms/a/layout?view=tall&dry_run=true"));
    }

    #[test]
    fn a_line_names_the_room_that_it_is_about() {
        assert_eq!((room("/v1/rooms/a/participants/p1"), room("/v1/rooms/a"), room("/v1/images/a")), (Some("a"), Some("a"), None));
    }
}
