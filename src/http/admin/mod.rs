//! What admins do, over HTTP: a file a noun.
//!
//! In: paths, queries, preconditions and JSON, all checked before anything is done. Out: the thing as it is after, with its entity
//! tag. Never: a refused request that changed something.

mod events;
mod images;
mod layout;
mod people;
mod preview;
mod rooms;
mod templates;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{AppState, etag};
use crate::rooms::{ETag, Outcome};
pub use events::Streams;
pub use preview::Previews;

/// The admin's routes, each with its description.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(rooms::list))
        .routes(routes!(rooms::get, rooms::put, rooms::patch, rooms::delete))
        .routes(routes!(events::events))
        .routes(routes!(layout::get, layout::put))
        .routes(routes!(people::list))
        .routes(routes!(people::get, people::patch, people::delete))
        .routes(routes!(templates::list))
        .routes(routes!(templates::get, templates::put, templates::delete))
        .routes(routes!(preview::stored))
        .routes(routes!(preview::unsaved))
        .routes(routes!(images::list))
        .routes(routes!(images::get, images::put, images::delete))
}

/// JSON that is as it is now and not for a cache.
pub(super) fn told<T: Serialize>(value: &T) -> Response {
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(value)).into_response()
}

/// The same, with its entity tag.
fn tagged<T: Serialize>(tag: &ETag, value: &T) -> Response {
    ([etag::header_of(tag)], told(value)).into_response()
}

/// What a `PUT` made or replaced, which is at `location`, with its entity tag.
fn written<T: Serialize>(outcome: Outcome, location: &str, tag: &ETag, value: &T) -> Response {
    placed(outcome, location, tagged(tag, value))
}

/// Tells of what was made or replaced, which is at `location`.
pub(super) fn placed(outcome: Outcome, location: &str, told: Response) -> Response {
    let status = match outcome {
        Outcome::Created => StatusCode::CREATED,
        Outcome::Replaced => StatusCode::OK,
    };
    let location = HeaderValue::from_str(location).expect("names and ids are URL-safe");
    (status, [(header::LOCATION, location)], told).into_response()
}
