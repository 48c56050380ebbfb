//! What a room's canvas shows, as PNG or JPEG.
//!
//! In: the newest canvas of a view. Out: an image, encoded beside the async threads, one at a time, and kept for a frame
//! period, so that any number of requests cost one encode a frame.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::IntoParams;

use super::encode::{Format, encode};
use super::path::{Room, RoomParam, query};
use super::{AppState, Problem};
use crate::media::{MediaTime, RoomName, ViewName};
use crate::rooms::AdminError;

/// Images of rooms that nobody asked about for this long are forgotten.
const KEPT: Duration = Duration::from_secs(5);
/// An image is given again for this long: a frame period at 30 frames a second.
const FRESH: Duration = Duration::from_millis(33);

type Key = (RoomName, ViewName, Format);

/// The images made last. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Snapshots(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    made: Mutex<BTreeMap<Key, Image>>,
    /// One encode at a time: snapshots never take more than one core from the rooms.
    turn: Semaphore,
}

#[derive(Clone, Debug)]
struct Image {
    at: MediaTime,
    bytes: Bytes,
}

impl Default for Snapshots {
    fn default() -> Self {
        Self(Arc::new(Shared { made: Mutex::default(), turn: Semaphore::new(1) }))
    }
}

impl Snapshots {
    fn fresh(&self, key: &Key, now: MediaTime) -> Option<Bytes> {
        let made = self.0.made.lock();
        made.get(key).filter(|image| now.since(image.at) < FRESH).map(|image| image.bytes.clone())
    }

    fn keep(&self, key: Key, image: Image) {
        let mut made = self.0.made.lock();
        made.retain(|_, old| image.at.since(old.at) < KEPT);
        made.insert(key, image);
    }
}

/// Which picture of the room.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SnapshotQuery {
    /// The view; default `main`.
    #[param(inline, required = false)]
    view: Option<ViewName>,
}

/// What the canvas shows, as PNG
///
/// Where nobody watches the view, it is drawn for this; where nobody is there, the slate.
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/snapshot.png",
    operation_id = "snapshot_png",
    tag = "Rooms",
    params(RoomParam, SnapshotQuery),
    responses(
        (status = 200, description = "The picture", content_type = "image/png", body = [u8]),
        (status = 404, description = "No such room or view"),
        (status = 503, description = "No picture yet; try again"),
    )
)]
pub(super) async fn png(State(state): State<AppState>, room: Room, uri: Uri) -> Result<Response, Problem> {
    snapshot(&state, room, &uri, Format::Png).await
}

/// What the canvas shows, as JPEG
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/snapshot.jpg",
    operation_id = "snapshot_jpeg",
    tag = "Rooms",
    params(RoomParam, SnapshotQuery),
    responses(
        (status = 200, description = "The picture", content_type = "image/jpeg", body = [u8]),
        (status = 404, description = "No such room or view"),
        (status = 503, description = "No picture yet; try again"),
    )
)]
pub(super) async fn jpeg(State(state): State<AppState>, room: Room, uri: Uri) -> Result<Response, Problem> {
    snapshot(&state, room, &uri, Format::Jpeg).await
}

async fn snapshot(state: &AppState, Room(room): Room, uri: &Uri, format: Format) -> Result<Response, Problem> {
    let SnapshotQuery { view } = query(uri)?;
    let key = (room, view.unwrap_or_else(ViewName::main), format);
    if let Some(bytes) = state.snapshots.fresh(&key, state.clock.now()) {
        return Ok(image(format, bytes));
    }
    let frame = state.rooms.canvas(&key.0, &key.1).await.map_err(no_picture)?;
    let _turn = state.snapshots.0.turn.acquire().await.expect("the semaphore is never closed");
    if let Some(bytes) = state.snapshots.fresh(&key, state.clock.now()) {
        return Ok(image(format, bytes));
    }
    let at = state.clock.now();
    let encoded = tokio::task::spawn_blocking(move || encode(&frame, format)).await;
    let Ok(Ok(bytes)) = encoded else { return Err(Problem::unmade_picture()) };
    state.snapshots.keep(key, Image { at, bytes: bytes.clone() });
    Ok(image(format, bytes))
}

/// A room that has only just begun to draw passes: that is no conflict but a matter of time.
fn no_picture(error: AdminError) -> Problem {
    match error {
        AdminError::Conflict(detail) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(Duration::from_secs(1)),
        other => other.into(),
    }
}

fn image(format: Format, bytes: Bytes) -> Response {
    let content_type = HeaderValue::from_static(format.media_type());
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_given_again_within_a_frame_period_and_no_longer() {
        let snapshots = Snapshots::default();
        let key = ("a".parse::<RoomName>().unwrap(), ViewName::main(), Format::Png);
        snapshots.keep(key.clone(), Image { at: MediaTime::ZERO, bytes: Bytes::from_static(b"x") });
        assert!(snapshots.fresh(&key, MediaTime::from_millis(32)).is_some());
        assert!(snapshots.fresh(&key, MediaTime::from_millis(33)).is_none());
    }

    #[test]
    fn images_of_rooms_that_ended_are_forgotten() {
        let snapshots = Snapshots::default();
        for n in 0..100u64 {
            let room = format!("room{n}").parse().unwrap();
            snapshots.keep((room, ViewName::main(), Format::Jpeg), Image { at: MediaTime::from_millis(n * 1000), bytes: Bytes::new() });
        }
        assert_eq!(snapshots.0.made.lock().len(), 5);
    }
}
