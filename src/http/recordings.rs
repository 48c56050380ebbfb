//! `/v1/recordings`: start, list, stop, remove, download.
//!
//! In: names and wishes from anybody with a key. Out: manifests, and files as a manifest names them. Never: a path made of what a request
//! says.

use std::fs::File;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::admin::{placed, told};
use super::path::{Recorded, RecordingFile, RecordingFileParam, RecordingParam, Room, RoomParam, query};
use super::ranges::{self, Wanted};
use super::{AppState, Problem, etag, json};
use crate::media::{RoomName, RoomNameError};
use crate::record::{Manifest, Page, RecordError, RecordingId, RecordingSpec, StoredFile};
use crate::rooms::Outcome;

/// The routes, each with its description.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(start))
        .routes(routes!(list))
        .routes(routes!(get, delete))
        .routes(routes!(stop))
        .routes(routes!(download))
}

/// Recordings, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct RecordingList {
    /// At most 50.
    recordings: Vec<Manifest>,
    /// What to send as `cursor` for those after them; null at the end.
    cursor: Option<RecordingId>,
}

/// Which recordings.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Of this room alone.
    #[param(required = false, pattern = "^[A-Za-z0-9_-]{1,64}$")]
    room: Option<String>,
    /// Those after this one: `cursor` of the answer before.
    #[param(inline, required = false)]
    cursor: Option<RecordingId>,
}

/// Record a room
///
/// All fields may be left out, and so may the body: the mix of the main view, as long and as large as the server allows. A recording ends
/// when it is stopped, when the room has been without people for 60 s after somebody was there, and at its bounds.
#[utoipa::path(
    post,
    path = "/v1/rooms/{room}/recordings",
    operation_id = "start_recording",
    tag = "Recordings",
    params(RoomParam),
    request_body(content = Option<RecordingSpec>, example = json!({ "tracks": "both", "max_seconds": 3600 })),
    responses(
        (status = 201, description = "It is being recorded", body = Manifest),
        (status = 404, description = "No such room"),
        (status = 503, description = "There are as many as there may be, or the server is full or shutting down"),
        (status = 507, description = "The disk is full"),
    )
)]
pub(super) async fn start(State(state): State<AppState>, Room(room): Room, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let spec: RecordingSpec = json::read_or_empty(&head.headers, body, state.limits.body).await?;
    // A task of its own: a client that hangs up now must not leave a recording half begun.
    let started = tokio::spawn(async move { state.recordings.start(&room, spec).await }).await;
    let manifest =
        started.map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the recording could not be started; try again"))??;
    Ok(placed(Outcome::Created, &format!("/v1/recordings/{}", manifest.id), told(&manifest)))
}

/// List the recordings, newest first
#[utoipa::path(
    get,
    path = "/v1/recordings",
    operation_id = "list_recordings",
    tag = "Recordings",
    params(ListQuery),
    responses((status = 200, description = "At most 50 of them", body = RecordingList))
)]
pub(super) async fn list(State(state): State<AppState>, uri: Uri) -> Result<Response, Problem> {
    let ListQuery { room, cursor } = query(&uri)?;
    let room = room.map(|room| room.parse::<RoomName>()).transpose();
    let room = room.map_err(|error: RoomNameError| Problem::unprocessable(format!("room: {error}")))?;
    let Page { recordings, next } = state.recordings.list(room.as_ref(), cursor.as_ref());
    Ok(told(&RecordingList { recordings, cursor: next }))
}

/// One recording
#[utoipa::path(
    get,
    path = "/v1/recordings/{id}",
    operation_id = "get_recording",
    tag = "Recordings",
    params(RecordingParam),
    responses((status = 200, description = "As it is now", body = Manifest), (status = 404, description = "No such recording"))
)]
pub(super) async fn get(State(state): State<AppState>, Recorded(id): Recorded) -> Result<Response, Problem> {
    Ok(told(&state.recordings.get(&id)?))
}

/// Stop a recording
///
/// All of it is on the disk when this answers. One that has ended, or that somebody else has stopped, is refused.
#[utoipa::path(
    post,
    path = "/v1/recordings/{id}/stop",
    operation_id = "stop_recording",
    tag = "Recordings",
    params(RecordingParam),
    responses(
        (status = 200, description = "It has ended", body = Manifest),
        (status = 404, description = "No such recording"),
        (status = 409, description = "It has ended already"),
    )
)]
pub(super) async fn stop(State(state): State<AppState>, Recorded(id): Recorded) -> Result<Response, Problem> {
    Ok(told(&state.recordings.stop(&id).await?))
}

/// Remove a recording and its files
#[utoipa::path(
    delete,
    path = "/v1/recordings/{id}",
    operation_id = "delete_recording",
    tag = "Recordings",
    params(RecordingParam),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No such recording"),
        (status = 409, description = "It is active: stop it first"),
    )
)]
pub(super) async fn delete(State(state): State<AppState>, Recorded(id): Recorded) -> Result<StatusCode, Problem> {
    state.recordings.remove(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Download a file of a recording
///
/// One that is still written is given as far as it is on the disk: it can be played to there. Of several ranges, the whole is given.
#[utoipa::path(
    get,
    path = "/v1/recordings/{id}/{file}",
    operation_id = "download_recording",
    tag = "Recordings",
    params(
        RecordingFileParam,
        ("Range" = Option<String>, Header, description = "Some of its bytes, such as `bytes=0-999` (RFC 9110 §14.2)"),
        ("If-Range" = Option<String>, Header, description = "Only where the file still has this ETag; else all of it"),
    ),
    responses(
        (status = 200, description = "The file", content((String = "video/mp4"), (String = "application/x-ndjson"))),
        (status = 206, description = "Some of its bytes", content((String = "video/mp4"), (String = "application/x-ndjson"))),
        (status = 304, description = "It is what If-None-Match says"),
        (status = 404, description = "No such recording, or no such file of it"),
        (status = 416, description = "It has no such bytes"),
    )
)]
pub(super) async fn download(
    State(state): State<AppState>,
    RecordingFile(id, name): RecordingFile,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let stored = state.recordings.file(&id, &name)?;
    let length = stored.bytes;
    let tag = HeaderValue::from_str(&format!("\"{length:x}\"")).expect("hexadecimal digits are a header value");
    let shown = format!("attachment; filename=\"{}\"", stored.called);
    let kept = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&shown).expect("names of rooms and files are printable ASCII")),
    ];
    if etag::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    // RFC 9110 §14.2: a range is of a GET alone
    let wanted = if method == Method::GET { ranges::wanted(&headers, length, &tag) } else { Wanted::Whole };
    let (status, range) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0..length),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Beyond => return Ok(beyond(length)),
    };
    let mut response = (status, kept, ranges::body(open(stored).await?, range.clone())).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(&name)));
    headers.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
    if status == StatusCode::PARTIAL_CONTENT {
        headers.insert(header::CONTENT_RANGE, content_range(&format!("{}-{}", range.start, range.end - 1), length));
    }
    Ok(response)
}

async fn open(stored: StoredFile) -> Result<File, Problem> {
    let opened = tokio::task::spawn_blocking(move || {
        File::open(&stored.path).inspect_err(|error| {
            tracing::error!(path = %stored.path.display(), %error, "a recording's file cannot be read");
        })
    });
    let gone = || Problem::not_found("the file is not on the server's disk any more");
    opened.await.ok().and_then(Result::ok).ok_or_else(gone)
}

fn beyond(length: u64) -> Response {
    let detail = format!("the file has {length} bytes; ask for some of those");
    let mut response = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, detail).into_response();
    response.headers_mut().insert(header::CONTENT_RANGE, content_range("*", length));
    response
}

fn content_range(range: &str, length: u64) -> HeaderValue {
    HeaderValue::from_str(&format!("bytes {range}/{length}")).expect("numbers are a header value")
}

fn media_type(name: &str) -> &'static str {
    if name.ends_with(".mp4") { "video/mp4" } else { "application/x-ndjson" }
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        let detail = error.to_string();
        let busy = |detail| Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(Duration::from_secs(10));
        match error {
            RecordError::Room(error) => error.into(),
            RecordError::Join(error) => error.into(),
            RecordError::NoSuchRendition(..) | RecordError::Beyond { .. } => Self::unprocessable(detail),
            RecordError::TooMany(_) | RecordError::Storage(_) => busy(detail),
            RecordError::DiskFull(_) => Self::new(StatusCode::INSUFFICIENT_STORAGE, detail),
            RecordError::NotFound(_) => Self::not_found(detail),
            RecordError::Active(_) | RecordError::Over(..) => Self::new(StatusCode::CONFLICT, detail),
        }
    }
}
