//! `/v1/images`: uploaded logos and backgrounds. Overlays name them; no URL is ever fetched.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{told, written};
use crate::http::path::{Named, NamedParam};
use crate::http::{AppState, Problem, body, etag};
use crate::rooms::ImageReport;

/// The largest file.
const MAX_BYTES: usize = 8 * 1024 * 1024;
const MEDIA_TYPES: [&str; 2] = ["image/png", "image/jpeg"];

/// The images, by name.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImageList {
    images: Vec<ImageReport>,
}

/// List the uploaded images
#[utoipa::path(
    get,
    path = "/v1/images",
    operation_id = "list_images",
    tag = "Images",
    responses((status = 200, description = "The images, by name", body = ImageList))
)]
pub(crate) async fn list(State(state): State<AppState>) -> Response {
    told(&ImageList { images: state.rooms.images() })
}

/// An image, as it was uploaded
#[utoipa::path(
    get,
    path = "/v1/images/{name}",
    operation_id = "get_image",
    tag = "Images",
    params(NamedParam),
    responses(
        (status = 200, description = "The file", content((String = "image/png"), (String = "image/jpeg"))),
        (status = 304, description = "It is what If-None-Match says"),
        (status = 404, description = "No such image"),
    )
)]
pub(crate) async fn get(State(state): State<AppState>, Named(name): Named, headers: HeaderMap) -> Result<Response, Problem> {
    let (file, report, tag) = state.rooms.image(&name)?;
    let kept = [etag::header_of(&tag), (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))];
    if etag::is_known(&headers, &kept[0].1) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    let content_type = HeaderValue::from_static(report.content_type);
    Ok((kept, [(header::CONTENT_TYPE, content_type)], file).into_response())
}

/// Upload an image, or replace it: rooms that show it show the new one
///
/// PNG or JPEG, at most 8 MiB, 4096 × 4096 and 16 megapixels.
#[utoipa::path(
    put,
    path = "/v1/images/{name}",
    operation_id = "put_image",
    tag = "Images",
    params(NamedParam),
    request_body(content((String = "image/png"), (String = "image/jpeg"))),
    responses(
        (status = 200, description = "Replaced", body = ImageReport),
        (status = 201, description = "Stored", body = ImageReport),
        (status = 409, description = "There are as many as there may be"),
    )
)]
pub(crate) async fn put(State(state): State<AppState>, Named(name): Named, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    body::require_media_type(&head.headers, &MEDIA_TYPES)?;
    let file = body::bytes(body, MAX_BYTES, "scale the image down to what the canvas shows", state.limits.body).await?;
    let (outcome, report, tag) = state.rooms.put_image(&name, file).await?;
    Ok(written(outcome, &format!("/v1/images/{name}"), &tag, &report))
}

/// Forget an image
#[utoipa::path(
    delete,
    path = "/v1/images/{name}",
    operation_id = "delete_image",
    tag = "Images",
    params(NamedParam),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No such image"),
        (status = 409, description = "A room uses it"),
    )
)]
pub(crate) async fn delete(State(state): State<AppState>, Named(name): Named) -> Result<StatusCode, Problem> {
    state.rooms.delete_image(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}
