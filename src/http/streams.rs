//! The room for anything that speaks HTTP: `mix.mjpeg` and `mix.ogg`.
//!
//! In: a room, a height and a rate. Out: bodies that end with the room, the server or the client's patience. Never: more of them than
//! [`broadcast`](crate::broadcast) has places for, or a picture given while another is on its way.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream::{empty, once};
use serde::Deserialize;
use utoipa::IntoParams;

use super::outflow::{Outflow, Pieces};
use super::path::{Room, RoomParam, TokenParam, query};
use super::{AppState, Problem};
use crate::broadcast::StreamError;
use crate::broadcast::mjpeg::{Key, OPENING, PictureStream};
use crate::broadcast::ogg::SoundStream;
use crate::media::{MediaTime, RoomName, ViewName, Within};
use crate::rooms::{JoinError, Wish};

const PICTURES: &str = "multipart/x-mixed-replace; boundary=medley-picture";
/// RFC 5334 §4: Opus alone in Ogg.
const SOUND: &str = "audio/ogg; codecs=opus";

/// Which pictures of the room.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PicturesQuery {
    /// The tallest picture in pixels, default 720; a smaller canvas is sent as it is.
    #[param(inline, required = false)]
    height: Within<128, 2160>,
    /// Pictures a second at most, default 15.
    #[param(inline, required = false)]
    fps: Within<1, 30>,
    /// The view; default `main`.
    #[param(inline, required = false)]
    view: Option<ViewName>,
}

impl Default for PicturesQuery {
    fn default() -> Self {
        Self { height: Within::of(720), fps: Within::of(15), view: None }
    }
}

/// The canvas as JPEG pictures one after another, for `<img src>`
///
/// Each part has Content-Type, Content-Length and X-Timestamp (seconds since 1970). A client that reads too slowly gets fewer pictures,
/// and each the newest there is. Clients with the same height, rate and view share one encoder; a room has 8 of them at most. The
/// stream ends with the room, and 30 s after everybody else has left one that no admin keeps.
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/mix.mjpeg",
    operation_id = "mix_mjpeg",
    tag = "Broadcast",
    params(RoomParam, PicturesQuery, TokenParam),
    responses(
        (status = 200, description = "Pictures without end", content_type = "multipart/x-mixed-replace", body = [u8]),
        (status = 404, description = "No such room"),
        (status = 503, description = "There are as many clients, or heights and rates, as there may be"),
    )
)]
pub(super) async fn pictures(
    State(state): State<AppState>,
    Room(room): Room,
    Extension(outflow): Extension<Outflow>,
    method: Method,
    uri: Uri,
) -> Result<Response, Problem> {
    let PicturesQuery { height, fps, view } = query(&uri)?;
    if method == Method::HEAD {
        return head(&state, &room, view, PICTURES);
    }
    let key = Key { room, view: view.unwrap_or_else(ViewName::main), height: height.get(), fps: fps.get() };
    let stream = state.broadcast.pictures.open(key)?;
    let parts = outflow.paced(Watching { stream, state, given: MediaTime::ZERO });
    Ok(streaming(PICTURES, Body::from_stream(once(async { Ok(OPENING) }).chain(parts))))
}

/// What everybody who only listens hears, as Ogg/Opus, for `<audio src>`
///
/// Each client's stream begins with headers of its own and at time 0, whenever it comes in. One that reads too slowly misses sound, and
/// goes on with the newest. The stream ends with the room, and 30 s after everybody else has left one that no admin keeps.
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/mix.ogg",
    operation_id = "mix_ogg",
    tag = "Broadcast",
    params(RoomParam, TokenParam),
    responses(
        (status = 200, description = "Sound without end", content_type = "audio/ogg", body = [u8]),
        (status = 404, description = "No such room"),
        (status = 503, description = "There are as many clients as there may be"),
    )
)]
pub(super) async fn sound(
    State(state): State<AppState>,
    Room(room): Room,
    Extension(outflow): Extension<Outflow>,
    method: Method,
    uri: Uri,
) -> Result<Response, Problem> {
    let NoQuery {} = query(&uri)?;
    if method == Method::HEAD {
        return head(&state, &room, None, SOUND);
    }
    let stream = state.broadcast.sounds.open(&room)?;
    Ok(streaming(SOUND, Body::from_stream(outflow.paced(stream))))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoQuery {}

/// What a GET would be answered, without making anything; its body is of no length that could be told.
fn head(state: &AppState, room: &RoomName, view: Option<ViewName>, content_type: &'static str) -> Result<Response, Problem> {
    state.rooms.beyond(room, &Wish { view, is_output: true, ..Wish::default() }).map_err(no_output)?;
    Ok(streaming(content_type, Body::from_stream(empty::<Result<Bytes, Infallible>>())))
}

fn streaming(content_type: &'static str, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // nginx would otherwise hold pictures back until its buffer is full
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, body).into_response()
}

/// One client of `mix.mjpeg`.
struct Watching {
    stream: PictureStream,
    state: AppState,
    /// The tick of the picture that was given last.
    given: MediaTime,
}

impl Pieces for Watching {
    async fn next(&mut self) -> Option<Bytes> {
        let part = self.stream.next().await?;
        self.given = part.at;
        Some(part.bytes)
    }

    fn is_out(&mut self) {
        let delay = self.state.clock.now().since(self.given);
        self.state.metrics.picture_stream_delay_seconds.observe(delay.as_secs_f64());
    }
}

/// The headers, then the sound that has come while the last was on its way.
impl Pieces for SoundStream {
    async fn next(&mut self) -> Option<Bytes> {
        Self::next(self).await
    }
}

impl From<StreamError> for Problem {
    fn from(error: StreamError) -> Self {
        let detail = error.to_string();
        match error {
            StreamError::Room(error) => no_output(error),
            StreamError::Full | StreamError::TooMany(_) | StreamError::Exhausted => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("{detail}; or try again later")).retry_after(Duration::from_secs(10))
            }
        }
    }
}

/// Why an output did not come in: unlike people, it makes no room.
pub(super) fn no_output(error: JoinError) -> Problem {
    match error {
        JoinError::NoSuchRoom(_) => {
            Problem::not_found(format!("{error}: nobody is in it, and no admin made it; GET /v1/rooms lists those there are"))
        }
        error => error.into(),
    }
}
