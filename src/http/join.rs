//! Joining: `POST /v1/rooms/{room}/join`, `/whip/{room}` and `/whep/{room}`.
//!
//! In: an offer and what the client says about itself. Out: `201` with the answer. Never: a seat taken before the offer
//! was found fit, or a session that nobody is told of.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::wish::{InRoom, JoinQuery};
use super::{AppState, Problem, body};
use crate::media::RoomName;
use crate::peer::{self, Answer, Offer, Purpose};
use crate::rooms::Wish;

const SDP: &str = "application/sdp";

/// Take part: send and receive
#[utoipa::path(
    post,
    path = "/v1/rooms/{room}/join",
    operation_id = "join",
    tag = "Joining",
    params(super::path::RoomParam, super::path::JoinParams),
    request_body(content = String, content_type = "application/sdp", description = "The offer"),
    responses(
        (status = 201, description = "The answer; Location is the session", content_type = "application/sdp", body = String),
        (status = 404, description = "No such room, and rooms are not made on demand"),
        (status = 409, description = "Somebody has this name, and names are unique here"),
        (status = 423, description = "The room is locked"),
        (status = 503, description = "The server or the room is full, or shutting down; Retry-After says when to try again"),
    )
)]
pub(super) async fn join(State(state): State<AppState>, InRoom(room): InRoom, request: Request) -> Result<Response, Problem> {
    admit(state, room, request, Purpose::Join).await
}

/// WHIP (RFC 9725): contribute to the mix
#[utoipa::path(
    post,
    path = "/whip/{room}",
    operation_id = "whip",
    tag = "Joining",
    params(super::path::RoomParam, super::path::JoinParams),
    request_body(content = String, content_type = "application/sdp", description = "The offer"),
    responses(
        (status = 201, description = "The answer; Location is the session", content_type = "application/sdp", body = String),
        (status = 404, description = "No such room, and rooms are not made on demand"),
        (status = 409, description = "Somebody has this name, and names are unique here"),
        (status = 423, description = "The room is locked"),
        (status = 503, description = "The server or the room is full, or shutting down; Retry-After says when to try again"),
    )
)]
pub(super) async fn whip(State(state): State<AppState>, InRoom(room): InRoom, request: Request) -> Result<Response, Problem> {
    admit(state, room, request, Purpose::Whip).await
}

/// WHEP: watch the mix
#[utoipa::path(
    post,
    path = "/whep/{room}",
    operation_id = "whep",
    tag = "Joining",
    params(super::path::RoomParam, super::path::JoinParams),
    request_body(content = String, content_type = "application/sdp", description = "The offer"),
    responses(
        (status = 201, description = "The answer; Location is the session", content_type = "application/sdp", body = String),
        (status = 404, description = "No such room, and rooms are not made on demand"),
        (status = 409, description = "Somebody has this name, and names are unique here"),
        (status = 423, description = "The room is locked"),
        (status = 503, description = "The server or the room is full, or shutting down; Retry-After says when to try again"),
    )
)]
pub(super) async fn whep(State(state): State<AppState>, InRoom(room): InRoom, request: Request) -> Result<Response, Problem> {
    admit(state, room, request, Purpose::Whep).await
}

async fn admit(state: AppState, room: RoomName, request: Request<Body>, purpose: Purpose) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let query = JoinQuery::read(&head.uri, purpose)?;
    let sdp = body::text(&head.headers, body, SDP, state.limits.body).await?;
    let mut offer = peer::check(&sdp, purpose).map_err(|error| Problem::unprocessable(error.to_string()))?;
    let bounds = Wish { view: query.view.clone(), max_height: query.max_height, max_fps: query.max_fps, ..Wish::default() };
    if let Some((height, fps)) = state.rooms.beyond(&room, &bounds)? {
        let reason = format!("no video is sent: the lowest rendition is {height}p{fps}, more than max_height or max_fps allow");
        offer.withhold_video(&reason).map_err(|error| Problem::unprocessable(error.to_string()))?;
    }
    let notice = offer.notice.clone();
    let seat = state.rooms.join(&room, wish(query, &offer))?;
    let peers = state.peers.clone();
    // A task of its own: a client that hangs up now must not leave a session half made.
    let answer = tokio::spawn(async move { peers.answer(offer, seat).await }).await;
    let answer = answer.map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the session could not be set up; try again"))??;
    Ok(created(&state, answer, notice))
}

fn wish(query: JoinQuery, offer: &Offer) -> Wish {
    let (sends_audio, receives_audio) = offer.audio.unwrap_or_default();
    let (sends_video, receives_video) = offer.video.unwrap_or_default();
    let JoinQuery { name, view, source, max_height, max_fps } = query;
    let outward = Wish { view, max_height, max_fps, receives_video, receives_audio, ..Wish::default() };
    Wish { name, source, sends_video, sends_audio, ..outward }
}

fn created(state: &AppState, answer: Answer, notice: Option<String>) -> Response {
    let location = format!("/v1/sessions/{}", answer.session);
    let mut headers = HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static(SDP)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::LOCATION, HeaderValue::from_str(&location).expect("session ids are URL-safe")),
        (header::ETAG, HeaderValue::from_str(&answer.etag).expect("entity tags are quoted ASCII")),
    ]);
    headers.insert("accept-patch", HeaderValue::from_static(super::session::FRAGMENT));
    if let Some(notice) = notice {
        headers.insert("medley-notice", header_text(&notice));
    }
    state.ice_servers.add_links(&mut headers);
    (StatusCode::CREATED, headers, answer.sdp).into_response()
}

/// A sentence as a header value: what is not printable ASCII becomes `?` (RFC 9110 §5.5).
fn header_text(text: &str) -> HeaderValue {
    let ascii: String = text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect();
    HeaderValue::from_str(&ascii).expect("printable ASCII is a header value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_with_a_strangers_bytes_stays_one_header() {
        assert_eq!(header_text("no H264\r\nSet-Cookie: ü"), "no H264??Set-Cookie: ?");
    }
}
