//! `/hls/{room}/index.m3u8` and the files that it names.
//!
//! In: requests of players, which know no headers of ours. Out: a playlist that says when it has what was asked for; files. Never: bytes
//! made for one client, a playlist that a cache keeps, or a key asked of whoever has a file's name: only the playlist tells it.

use std::time::Duration;

use axum::extract::{RawPathParams, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::path::{Room, RoomParam, TokenParam, query};
use super::streams::no_output;
use super::{AppState, Problem, etag};
use crate::broadcast::hls::{HlsError, Key, Shown, Wanted};
use crate::media::{RoomName, ViewName, Within};

/// What a client asks of a playlist. Names that are not ours are others': players and caches add their own.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct PlaylistQuery {
    /// The view; default `main`.
    #[param(inline, required = false)]
    view: Option<ViewName>,
    /// The tallest picture that can be taken.
    #[param(inline, required = false)]
    max_height: Option<Within<128, 2160>>,
    /// The most pictures a second that can be taken.
    #[param(inline, required = false)]
    max_fps: Option<Within<5, 60>>,
    /// Wait until the playlist has this segment.
    #[serde(rename = "_HLS_msn")]
    #[param(required = false)]
    segment: Option<u64>,
    /// Wait until the playlist has this part of it, counted from 0.
    #[serde(rename = "_HLS_part")]
    #[param(required = false)]
    part: Option<u64>,
}

impl PlaylistQuery {
    /// # Errors
    /// Where a part is asked for without its segment (rfc8216bis §6.2.5.2).
    fn wanted(&self) -> Result<Option<Wanted>, Problem> {
        let wanted = self.segment.map(|segment| Wanted { segment, part: self.part });
        if wanted.is_none() && self.part.is_some() {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "_HLS_part: is of no segment; send _HLS_msn as well"));
        }
        Ok(wanted)
    }

    fn key(self, room: RoomName) -> Key {
        let (view, max_height, max_fps) = (self.view.unwrap_or_else(ViewName::main), self.max_height, self.max_fps);
        Key { room, view, max_height: max_height.map(Within::get), max_fps: max_fps.map(Within::get) }
    }
}

/// The mix as low-latency HLS: H.264 and Opus in fragmented MP4
///
/// The stream begins with the first request, which waits for three short segments, and ends 30 s after the last. It ends with the room,
/// too, and 30 s after everybody else has left one that no admin keeps. Clients with the same view and bounds share it.
#[utoipa::path(
    get,
    path = "/hls/{room}/index.m3u8",
    operation_id = "hls_playlist",
    tag = "Broadcast",
    params(RoomParam, PlaylistQuery, TokenParam),
    responses(
        (status = 200, description = "The media playlist", content_type = "application/vnd.apple.mpegurl", body = String),
        (status = 304, description = "It is what If-None-Match says"),
        (status = 400, description = "_HLS_msn or _HLS_part is too far ahead, or one is missing"),
        (status = 404, description = "No such room"),
        (status = 503, description = "Nothing to play yet, or there are as many streams as there may be; try again"),
    )
)]
pub(super) async fn playlist(State(state): State<AppState>, Room(room): Room, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let asked: PlaylistQuery = query(&uri)?;
    let wanted = asked.wanted()?;
    let shown = state.hls.playlist(asked.key(room), wanted).await?;
    Ok(told(&shown, &headers))
}

fn told(shown: &Shown, headers: &HeaderMap) -> Response {
    let tag = HeaderValue::from_str(&shown.tag).expect("a quoted name and a number are a header value");
    let is_known = etag::is_known(headers, &tag);
    let kept = [(header::ETAG, tag), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    if is_known {
        return (StatusCode::NOT_MODIFIED, kept).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static("application/vnd.apple.mpegurl"))];
    (kept, content_type, shown.text.clone()).into_response()
}

/// A file that the playlist names: an initialization section, a segment, or a part
///
/// Needs no key: its name does not come again and cannot be guessed. The part that the playlist hints at is waited for.
#[utoipa::path(
    get,
    path = "/hls/{room}/{stream}/{file}",
    operation_id = "hls_file",
    tag = "Broadcast",
    params(
        RoomParam,
        ("stream" = String, Path, description = "As the playlist names it"),
        ("file" = String, Path, description = "As the playlist names it"),
    ),
    responses(
        (status = 200, description = "The file", content_type = "video/mp4", body = [u8]),
        (status = 404, description = "No such file, or not any more"),
        (status = 503, description = "The part does not come in time; try again"),
    )
)]
pub(super) async fn file(State(state): State<AppState>, Room(room): Room, path: RawPathParams) -> Result<Response, Problem> {
    let named = |wanted: &str| path.iter().find(|(name, _)| *name == wanted).map_or("", |(_, text)| text);
    let bytes = state.hls.file(&room, named("stream"), named("file")).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("video/mp4")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600, immutable")),
    ];
    Ok((headers, bytes).into_response())
}

impl From<HlsError> for Problem {
    fn from(error: HlsError) -> Self {
        let detail = error.to_string();
        match error {
            HlsError::Room(error) => no_output(error),
            HlsError::Beyond(..) => Self::unprocessable(format!("{detail}; send at least that, or leave them out")),
            HlsError::NotYet => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("{detail}; try again")).retry_after(Duration::from_secs(1))
            }
            HlsError::TooMany => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("{detail}; try again later")).retry_after(Duration::from_secs(10))
            }
            HlsError::TooFar => {
                let detail = format!("{detail}: ask at most for the segment after the one that is open, or nine parts ahead");
                Self::new(StatusCode::BAD_REQUEST, detail)
            }
            HlsError::NoSuchFile => Self::not_found(format!("{detail}; load the playlist again")),
        }
    }
}
