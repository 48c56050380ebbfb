//! For operators: `/healthz`, `/readyz`, `/version`, `/metrics`, and the list of rooms.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

use super::{AppState, Problem};
use crate::rooms::RoomSummary;

const NO_STORE: [(HeaderName, HeaderValue); 1] = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];

/// The process lives.
pub(super) async fn health() -> Response {
    (NO_STORE, Json(json!({ "alive": true }))).into_response()
}

/// Whether clients can be sent here; else which check fails.
pub(super) async fn ready(State(state): State<AppState>) -> Result<Response, Problem> {
    let failing = state.readiness.failing();
    if failing.is_empty() { Ok((NO_STORE, Json(json!({ "ready": true }))).into_response()) } else { Err(Problem::failing(failing)) }
}

/// What runs here; `git` is null where the build was not told.
pub(super) async fn version() -> Json<Value> {
    Json(json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION"), "git": option_env!("MEDLEY_GIT_HASH") }))
}

/// OpenMetrics text, which Prometheus reads.
pub(super) async fn metrics(State(state): State<AppState>) -> Response {
    let content_type = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([(header::CONTENT_TYPE, content_type)], state.metrics.text()).into_response()
}

/// The body of `GET /v1/rooms`.
#[derive(Serialize)]
struct RoomList {
    rooms: Vec<RoomSummary>,
}

/// The live rooms.
pub(super) async fn rooms(State(state): State<AppState>) -> Response {
    (NO_STORE, Json(RoomList { rooms: state.rooms.list() })).into_response()
}
