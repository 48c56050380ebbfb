//! What a room's canvas shows, as PNG or JPEG.
//!
//! In: the newest canvas (I420, BT.601 limited). Out: an image, encoded beside the async threads, one at a time, and
//! kept for a frame period, so that any number of requests cost one encode a frame.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use image::codecs::{jpeg::JpegEncoder, png};
use image::{ExtendedColorType, ImageEncoder, ImageResult};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::wish::InRoom;
use super::{AppState, Problem};
use crate::media::{Frame, MediaTime, RoomName};

/// Images of rooms that nobody asked about for this long are forgotten.
const KEPT: Duration = Duration::from_secs(5);
const JPEG_QUALITY: u8 = 85;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Format {
    Png,
    Jpeg,
}

/// The images made last. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Snapshots(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    made: Mutex<BTreeMap<(RoomName, Format), Image>>,
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
    fn fresh(&self, key: &(RoomName, Format), now: MediaTime, period: Duration) -> Option<Bytes> {
        let made = self.0.made.lock();
        made.get(key).filter(|image| now.since(image.at) < period).map(|image| image.bytes.clone())
    }

    fn keep(&self, key: (RoomName, Format), image: Image) {
        let mut made = self.0.made.lock();
        made.retain(|_, old| image.at.since(old.at) < KEPT);
        made.insert(key, image);
    }
}

/// `GET …/snapshot.png`.
pub(super) async fn png(state: State<AppState>, room: InRoom) -> Result<Response, Problem> {
    snapshot(state, room, Format::Png).await
}

/// `GET …/snapshot.jpg`.
pub(super) async fn jpeg(state: State<AppState>, room: InRoom) -> Result<Response, Problem> {
    snapshot(state, room, Format::Jpeg).await
}

async fn snapshot(State(state): State<AppState>, InRoom(room): InRoom, format: Format) -> Result<Response, Problem> {
    let period = Duration::from_secs(1) / state.canvas.fps;
    let key = (room, format);
    let _turn = state.snapshots.0.turn.acquire().await.expect("the semaphore is never closed");
    if let Some(bytes) = state.snapshots.fresh(&key, state.clock.now(), period) {
        return Ok(image(format, bytes));
    }
    let Ok(frame) = state.rooms.canvas(&key.0, &crate::media::ViewName::main()).await else { return Err(no_picture(&state, &key.0)) };
    let at = state.clock.now();
    let encoded = tokio::task::spawn_blocking(move || encode(&frame, format)).await;
    let Ok(Ok(bytes)) = encoded else {
        return Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the picture could not be encoded; try again"));
    };
    state.snapshots.keep(key, Image { at, bytes: bytes.clone() });
    Ok(image(format, bytes))
}

/// A room draws its first picture within a tick of being opened; where nobody is, there is none.
fn no_picture(state: &AppState, room: &RoomName) -> Problem {
    if !state.rooms.exists(room) {
        return Problem::not_found(format!("nobody is in room {room}; join it first, or see GET /v1/rooms"));
    }
    let detail = format!("room {room} is drawing its first picture; try again");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(Duration::from_secs(1))
}

fn image(format: Format, bytes: Bytes) -> Response {
    let content_type = match format {
        Format::Png => "image/png",
        Format::Jpeg => "image/jpeg",
    };
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static(content_type)), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (headers, bytes).into_response()
}

fn encode(frame: &Frame, format: Format) -> ImageResult<Bytes> {
    let rgb = rgb_of(frame);
    let mut bytes = Vec::with_capacity(rgb.len() / 8);
    let (width, height) = (frame.width(), frame.height());
    match format {
        Format::Png => png::PngEncoder::new_with_quality(&mut bytes, png::CompressionType::Fast, png::FilterType::Adaptive).write_image(
            &rgb,
            width,
            height,
            ExtendedColorType::Rgb8,
        )?,
        Format::Jpeg => {
            JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).write_image(&rgb, width, height, ExtendedColorType::Rgb8)?;
        }
    }
    Ok(bytes.into())
}

/// Packed RGB from I420: ITU-R BT.601 limited range, coefficients in 1/256.
fn rgb_of(frame: &Frame) -> Vec<u8> {
    let width = frame.width() as usize;
    let chroma_width = frame.chroma_size().0 as usize;
    let [luma, u, v] = frame.planes();
    let mut rgb = Vec::with_capacity(luma.len() * 3);
    for (y, row) in luma.chunks_exact(width).enumerate() {
        let chroma = y / 2 * chroma_width;
        for (x, &luma) in row.iter().enumerate() {
            rgb.extend(rgb_of_pixel(luma, u[chroma + x / 2], v[chroma + x / 2]));
        }
    }
    rgb
}

fn rgb_of_pixel(y: u8, u: u8, v: u8) -> [u8; 3] {
    let [y, u, v] = [298 * (i32::from(y) - 16) + 128, i32::from(u) - 128, i32::from(v) - 128];
    [y + 409 * v, y - 100 * u - 208 * v, y + 516 * u].map(|c| (c >> 8).clamp(0, 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limited_range_black_white_and_red_come_out_whole() {
        assert_eq!(rgb_of_pixel(16, 128, 128), [0, 0, 0]);
        assert_eq!(rgb_of_pixel(235, 128, 128), [255, 255, 255]);
        let [r, g, b] = rgb_of_pixel(81, 90, 240);
        assert!(r >= 252 && g <= 3 && b <= 3, "{r} {g} {b}");
    }

    #[test]
    fn both_formats_decode_to_the_canvas_even_at_odd_sizes() {
        let frame = Frame::filled(131, 75, [81, 90, 240]);
        for format in [Format::Png, Format::Jpeg] {
            let image = image::load_from_memory(&encode(&frame, format).unwrap()).unwrap().to_rgb8();
            assert_eq!(image.dimensions(), (131, 75));
            let [r, g, b] = image.get_pixel(130, 74).0;
            assert!(r > 245 && g < 10 && b < 10, "{format:?}: {r} {g} {b}");
        }
    }

    #[test]
    fn an_image_is_given_again_within_a_frame_period_and_no_longer() {
        let snapshots = Snapshots::default();
        let key = ("a".parse::<RoomName>().unwrap(), Format::Png);
        let period = Duration::from_millis(33);
        snapshots.keep(key.clone(), Image { at: MediaTime::ZERO, bytes: Bytes::from_static(b"x") });
        assert!(snapshots.fresh(&key, MediaTime::from_millis(32), period).is_some());
        assert!(snapshots.fresh(&key, MediaTime::from_millis(33), period).is_none());
    }

    #[test]
    fn images_of_rooms_that_ended_are_forgotten() {
        let snapshots = Snapshots::default();
        for n in 0..100u64 {
            let room = format!("room{n}").parse().unwrap();
            snapshots.keep((room, Format::Jpeg), Image { at: MediaTime::from_millis(n * 1000), bytes: Bytes::new() });
        }
        assert_eq!(snapshots.0.made.lock().len(), 5);
    }
}
