//! `/v1/files`: uploaded announcements, music and films, which players play into rooms.
//!
//! In: files from admins, as they come. Out: reports. A file goes to the disk piece by piece and is looked into before it is told of.
//! Never: all of it in memory, or a refused one that is kept.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt;
use serde::Serialize;
use utoipa::ToSchema;

use super::admin::{placed, told};
use super::path::{Named, NamedParam};
use super::{AppState, Problem, body};
use crate::container::ContainerError;
use crate::media::{MediaTime, ShortName};
use crate::players::{FileError, FileReport, UnfitError, Upload};
use crate::rooms::Outcome;

/// What may be sent. What a file is, its bytes say.
const MEDIA_TYPES: [&str; 10] = [
    "video/mp4",
    "audio/mp4",
    "audio/wav",
    "audio/x-wav",
    "audio/vnd.wave",
    "audio/ogg",
    "application/ogg",
    "audio/opus",
    "video/h264",
    "application/octet-stream",
];
/// An upload comes at least so fast, beside the patience that every body has.
const SLOWEST_BYTES_A_SECOND: u64 = 16 << 10;

/// Of a refused upload, so many bytes are still taken.
const MOST_GIVEN_UP: usize = 8 << 20;

/// The files, by name.
#[derive(Serialize, ToSchema)]
pub(super) struct FileList {
    files: Vec<FileReport>,
}

/// List the uploaded files
#[utoipa::path(
    get,
    path = "/v1/files",
    operation_id = "list_files",
    tag = "Files",
    responses((status = 200, description = "The files, by name", body = FileList))
)]
pub(super) async fn list(State(state): State<AppState>) -> Response {
    told(&FileList { files: state.players.files().list() })
}

/// What an uploaded file holds
#[utoipa::path(
    get,
    path = "/v1/files/{name}",
    operation_id = "get_file",
    tag = "Files",
    params(NamedParam),
    responses((status = 200, description = "The file", body = FileReport), (status = 404, description = "No such file"))
)]
pub(super) async fn get(State(state): State<AppState>, Named(name): Named) -> Result<Response, Problem> {
    Ok(told(&state.players.files().get(&name)?))
}

/// Upload a file, or replace it
///
/// WAV (PCM), Ogg (Opus), or MP4 (H.264 without B-pictures; Opus or AAC-LC); at most 256 MiB where the server is not set up otherwise, 24
/// hours, and pictures of 4 MiB. It is read to its end and decoded at its beginning before it is kept.
#[utoipa::path(
    put,
    path = "/v1/files/{name}",
    operation_id = "put_file",
    tag = "Files",
    params(NamedParam),
    request_body(content((String = "video/mp4"), (String = "audio/wav"), (String = "audio/ogg"), (String = "application/octet-stream"))),
    responses(
        (status = 200, description = "Replaced", body = FileReport),
        (status = 201, description = "Stored", body = FileReport),
        (status = 409, description = "A player plays it"),
        (status = 507, description = "There is no room for it"),
    )
)]
pub(super) async fn put(State(state): State<AppState>, Named(name): Named, request: Request) -> Result<Response, Problem> {
    let (head, mut body) = request.into_parts();
    let upload = match receive(&state, &name, &head.headers, &mut body).await {
        Ok(upload) => upload,
        Err(refusal) => {
            if !head.headers.contains_key(header::EXPECT) {
                take_rest(body, state.limits.body).await;
            }
            return Err(refusal);
        }
    };
    let (was_there, report) = upload.finish().await?;
    let outcome = if was_there { Outcome::Replaced } else { Outcome::Created };
    Ok(placed(outcome, &format!("/v1/files/{name}"), told(&report)))
}

/// Forget a file
#[utoipa::path(
    delete,
    path = "/v1/files/{name}",
    operation_id = "delete_file",
    tag = "Files",
    params(NamedParam),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No such file"),
        (status = 409, description = "A player plays it"),
    )
)]
pub(super) async fn delete(State(state): State<AppState>, Named(name): Named) -> Result<StatusCode, Problem> {
    let players = state.players.clone();
    let forgotten = tokio::task::spawn_blocking(move || players.files().forget(&name)).await;
    forgotten.map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the file could not be forgotten; try again"))??;
    Ok(StatusCode::NO_CONTENT)
}

/// Writes the body as it comes, within its time.
async fn receive(state: &AppState, name: &ShortName, headers: &HeaderMap, body: &mut Body) -> Result<Upload, Problem> {
    // curl -T says nothing of what it sends
    if headers.contains_key(header::CONTENT_TYPE) {
        body::require_media_type(headers, &MEDIA_TYPES)?;
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let mut upload = state.players.files().receive(name, length).await?;
    let (began, patience) = (state.clock.now(), state.limits.body);
    while let Some(piece) = next_piece(body, patience).await? {
        upload.write(piece).await?;
        check_pace(state.clock.now(), began, upload.bytes(), patience)?;
    }
    Ok(upload)
}

/// A client that is refused while it sends may see the answer only where the rest is taken: some of it is, and given up.
async fn take_rest(mut body: Body, patience: Duration) {
    let mut taken = 0;
    let rest = async {
        while let Some(Ok(frame)) = body.frame().await {
            taken += frame.data_ref().map_or(0, Bytes::len);
            if taken > MOST_GIVEN_UP {
                break;
            }
        }
    };
    // Too slow or whole: the answer is sent
    let _ = tokio::time::timeout(patience, rest).await;
}

async fn next_piece(body: &mut Body, patience: Duration) -> Result<Option<Bytes>, Problem> {
    loop {
        let frame = match tokio::time::timeout(patience, body.frame()).await {
            Err(_) => return Err(too_slow(&format!("nothing more of the file came within {} ms", patience.as_millis()))),
            Ok(None) => return Ok(None),
            Ok(Some(frame)) => frame.map_err(|error| Problem::unprocessable(format!("the file broke off: {error}")))?,
        };
        // Trailers say nothing of the file
        if let Ok(piece) = frame.into_data() {
            return Ok(Some(piece));
        }
    }
}

fn check_pace(now: MediaTime, began: MediaTime, bytes: u64, patience: Duration) -> Result<(), Problem> {
    let allowed = patience + Duration::from_secs(bytes / SLOWEST_BYTES_A_SECOND);
    if now.since(began) <= allowed {
        return Ok(());
    }
    Err(too_slow(&format!("the file comes at less than {SLOWEST_BYTES_A_SECOND} bytes a second")))
}

fn too_slow(what: &str) -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, format!("{what}; send it at once"))
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        let detail = error.to_string();
        match error {
            FileError::NotFound(_) => Self::not_found(detail),
            // RFC 9110 §15.5.16: what the bytes themselves are counts, too
            FileError::Unfit(UnfitError::File(ContainerError::Unknown | ContainerError::Codec(_))) => {
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
            }
            FileError::Unfit(_) => Self::unprocessable(detail),
            FileError::TooLong(_) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail),
            FileError::NoRoom(_) => Self::new(StatusCode::INSUFFICIENT_STORAGE, detail),
            FileError::Playing(_) => Self::new(StatusCode::CONFLICT, detail),
            FileError::Changing(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(Duration::from_secs(1)),
            FileError::Busy | FileError::Disk(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(Duration::from_secs(10)),
        }
    }
}
