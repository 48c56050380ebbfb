//! For operators: `/healthz`, `/readyz`, `/version`, `/metrics`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{AppState, Problem};

const NO_STORE: [(HeaderName, HeaderValue); 1] = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];

/// The process lives
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "health",
    tag = "Operations",
    responses((status = 200, description = "It lives", body = Object, example = json!({ "alive": true })))
)]
pub(super) async fn health() -> Response {
    (NO_STORE, Json(json!({ "alive": true }))).into_response()
}

/// Whether clients can be sent here; else which check fails
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "ready",
    tag = "Operations",
    responses(
        (status = 200, description = "They can", body = Object, example = json!({ "ready": true })),
        (status = 503, description = "They cannot: failing says why"),
    )
)]
pub(super) async fn ready(State(state): State<AppState>) -> Result<Response, Problem> {
    let failing = state.readiness.failing();
    if failing.is_empty() { Ok((NO_STORE, Json(json!({ "ready": true }))).into_response()) } else { Err(Problem::failing(failing)) }
}

/// What runs here; `git` is null where the build was not told
#[utoipa::path(
    get,
    path = "/version",
    operation_id = "version",
    tag = "Operations",
    responses((status = 200, description = "Name and version", body = Object, example = json!({ "name": "medley", "version": "0.1.0", "git": null })))
)]
pub(super) async fn version() -> Json<Value> {
    Json(json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION"), "git": option_env!("MEDLEY_GIT_HASH") }))
}

/// Figures as OpenMetrics text, which Prometheus reads
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "Operations",
    responses((status = 200, description = "The figures", content_type = "application/openmetrics-text", body = String))
)]
pub(super) async fn metrics(State(state): State<AppState>) -> Response {
    let content_type = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([(header::CONTENT_TYPE, content_type)], state.metrics.text()).into_response()
}
