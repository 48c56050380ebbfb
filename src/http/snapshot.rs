//! What a room's canvas shows, as PNG or JPEG.
//!
//! In: the newest canvas of a view. Out: an image, encoded beside the async threads, one at a time, kept for a frame period and given to
//! all who asked before it was made, so that any number of requests cost one encode a frame at most.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, Uri, header};
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
    /// What a request of `asked` is given, where it was made shortly before or at any time since.
    fn fresh(&self, key: &Key, asked: MediaTime) -> Option<Bytes> {
        let made = self.0.made.lock();
        made.get(key).filter(|image| asked.since(image.at) < FRESH).map(|image| image.bytes.clone())
    }

    /// The same in its turn, made where nobody has while it waited.
    async fn in_turn(&self, key: Key, asked: MediaTime, made: impl Future<Output = Option<Image>>) -> Option<Bytes> {
        let _turn = self.0.turn.acquire().await.expect("the semaphore is never closed");
        if let Some(bytes) = self.fresh(&key, asked) {
            return Some(bytes);
        }
        let image = made.await?;
        let bytes = image.bytes.clone();
        self.keep(key, image);
        Some(bytes)
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
    let asked = state.clock.now();
    if let Some(bytes) = state.snapshots.fresh(&key, asked) {
        return Ok(image(format, bytes));
    }
    let frame = state.rooms.canvas(&key.0, &key.1).await?;
    let made = async {
        let at = state.clock.now();
        let encoded = tokio::task::spawn_blocking(move || encode(&frame, format)).await;
        Some(Image { at, bytes: encoded.ok()?.ok()? })
    };
    let bytes = state.snapshots.in_turn(key, asked, made).await.ok_or_else(Problem::unmade_picture)?;
    Ok(image(format, bytes))
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

    #[tokio::test]
    async fn requests_that_wait_for_their_turn_together_get_one_image() {
        let snapshots = Snapshots::default();
        let key = ("a".parse::<RoomName>().unwrap(), ViewName::main(), Format::Png);
        let made = |text: &'static str| async move { Some(Image { at: MediaTime::from_millis(100), bytes: text.into() }) };
        let in_turn = |asked, text| snapshots.in_turn(key.clone(), MediaTime::from_millis(asked), made(text));
        let (first, second, later) = tokio::join!(in_turn(0, "x"), in_turn(10, "y"), in_turn(133, "z"));
        assert_eq!([first, second, later].map(Option::unwrap), ["x", "x", "z"]);
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
