//! `/v1/rooms/{room}/players`: files that play into a room, each as one more participant.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::admin::{placed, told};
use super::path::{Player, PlayerParam, Room, RoomParam};
use super::{AppState, Problem, json};
use crate::players::{FileError, PlayError, PlayWish, PlayerReport};
use crate::rooms::Outcome;

/// The players of a room.
#[derive(Serialize, ToSchema)]
pub(super) struct PlayerList {
    players: Vec<PlayerReport>,
}

/// Play an uploaded file into a room
///
/// It comes into the room as a participant that is called as the file is, also where the room is locked, and leaves at the file's end, or,
/// with `loop`, when it is stopped or sent out. At most 8 in a room.
#[utoipa::path(
    post,
    path = "/v1/rooms/{room}/players",
    operation_id = "play",
    tag = "Files",
    params(RoomParam),
    request_body(content = PlayWish, example = json!({ "file": "music", "loop": true, "gain_db": -12.0 })),
    responses(
        (status = 201, description = "It plays", body = PlayerReport),
        (status = 404, description = "No such room"),
        (status = 409, description = "As many play as may, or somebody has this name and names are unique here"),
        (status = 503, description = "The server or the room is full, or shutting down; Retry-After says when to try again"),
    )
)]
pub(super) async fn play(State(state): State<AppState>, Room(room): Room, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let wish = json::value(&head.headers, body, &[json::JSON], state.limits.body).await?;
    let wish: PlayWish = json::typed(wish)?;
    let players = state.players.clone();
    let folder = format!("/v1/rooms/{room}/players");
    // A task of its own: a client that hangs up now must not leave it half begun
    let played = tokio::spawn(async move { players.play(&room, wish).await }).await;
    let report = played.map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the file could not be played; try again"))??;
    Ok(placed(Outcome::Created, &format!("{folder}/{}", report.id), told(&report)))
}

/// List the files that play into a room
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/players",
    operation_id = "list_players",
    tag = "Files",
    params(RoomParam),
    responses((status = 200, description = "The players, in the order in which they began", body = PlayerList), (status = 404, description = "No such room"))
)]
pub(super) async fn list(State(state): State<AppState>, Room(room): Room) -> Result<Response, Problem> {
    Ok(told(&PlayerList { players: state.players.list(&room)? }))
}

/// One player: where in the file it is; how it ended, where it did so by itself of late
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/players/{id}",
    operation_id = "get_player",
    tag = "Files",
    params(RoomParam, PlayerParam),
    responses((status = 200, description = "The player", body = PlayerReport), (status = 404, description = "No such player"))
)]
pub(super) async fn get(State(state): State<AppState>, Room(room): Room, Player(id): Player) -> Result<Response, Problem> {
    Ok(told(&state.players.get(&room, id)?))
}

/// Stop a player: it leaves the room
#[utoipa::path(
    delete,
    path = "/v1/rooms/{room}/players/{id}",
    operation_id = "stop_player",
    tag = "Files",
    params(RoomParam, PlayerParam),
    responses((status = 204, description = "It has left"), (status = 404, description = "No such player plays"))
)]
pub(super) async fn stop(State(state): State<AppState>, Room(room): Room, Player(id): Player) -> Result<StatusCode, Problem> {
    state.players.stop(&room, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<PlayError> for Problem {
    fn from(error: PlayError) -> Self {
        let detail = error.to_string();
        match error {
            PlayError::NoSuchRoom(_) | PlayError::NoSuchPlayer(..) => Self::not_found(detail),
            PlayError::File(FileError::NotFound(_)) | PlayError::Gain(_) => Self::unprocessable(detail),
            PlayError::File(error) => error.into(),
            PlayError::TooMany(_) => Self::new(StatusCode::CONFLICT, detail),
            PlayError::Join(error) => error.into(),
            PlayError::Room(error) => error.into(),
            PlayError::Thread(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(Duration::from_secs(10)),
        }
    }
}
