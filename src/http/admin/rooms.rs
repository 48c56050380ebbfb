//! `/v1/rooms` and `/v1/rooms/{room}`: list, make, replace, change, end.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::{tagged, told, written};
use crate::http::path::{Room, RoomParam};
use crate::http::{AppState, Problem, etag, json};
use crate::media::RoomName;
use crate::rooms::spec::RoomSpec;
use crate::rooms::{AdminError, ETag, Outcome, Precondition, RoomReport, RoomSummary};

/// How often a change is made anew on top of others' that came in between.
const ATTEMPTS: usize = 16;

/// The rooms, by name.
#[derive(Serialize, ToSchema)]
pub(crate) struct RoomList {
    rooms: Vec<RoomSummary>,
}

/// Settings to change: those of a RoomSpec, none of which must be there; null is the default again.
#[derive(ToSchema)]
pub(crate) struct RoomPatch {}

/// List the rooms: the live ones, and those an admin made
#[utoipa::path(
    get,
    path = "/v1/rooms",
    operation_id = "list_rooms",
    tag = "Rooms",
    responses((status = 200, description = "The rooms, by name", body = RoomList))
)]
pub(crate) async fn list(State(state): State<AppState>) -> Response {
    told(&RoomList { rooms: state.rooms.list() })
}

/// One room: its settings as stored, and everything as applied
///
/// The ETag is that of the settings alone.
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}",
    operation_id = "get_room",
    tag = "Rooms",
    params(RoomParam),
    responses((status = 200, description = "The room", body = RoomReport), (status = 404, description = "No such room"))
)]
pub(crate) async fn get(State(state): State<AppState>, Room(room): Room) -> Result<Response, Problem> {
    let (report, tag) = state.rooms.room(&room).await?;
    Ok(tagged(&tag, &report))
}

/// Make a room, or replace its settings
///
/// What is left out is as it is by default; an empty body leaves everything out. A live room goes over to the settings within two
/// ticks. `If-Match` replaces only what was read; `If-None-Match: *` only makes.
#[utoipa::path(
    put,
    path = "/v1/rooms/{room}",
    operation_id = "put_room",
    tag = "Rooms",
    params(RoomParam, ("If-Match" = Option<String>, Header, description = "The ETag that is replaced"), ("If-None-Match" = Option<String>, Header, description = "`*`: only make")),
    request_body(content = Option<RoomSpec>, example = json!({ "layout": { "template": "speaker" }, "canvas": { "width": 1280, "height": 720 } })),
    responses(
        (status = 200, description = "Replaced", body = RoomReport),
        (status = 201, description = "Made", body = RoomReport),
        (status = 409, description = "There are as many rooms as there may be"),
        (status = 412, description = "The precondition does not hold"),
    )
)]
pub(crate) async fn put(State(state): State<AppState>, Room(room): Room, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let precondition = etag::precondition(&head.headers)?;
    let spec: RoomSpec = json::read_or_empty(&head.headers, body, state.limits.body).await?;
    let (outcome, report, tag) = state.rooms.put_room(&room, spec, precondition).await?;
    Ok(written(outcome, &location(&room), &tag, &report))
}

/// Change some settings of a room (RFC 7396)
///
/// `null` sets a setting back to its default. Changes that are made at the same time all take effect, unless `If-Match` says
/// otherwise. A room made by a join is kept from here on.
#[utoipa::path(
    patch,
    path = "/v1/rooms/{room}",
    operation_id = "patch_room",
    tag = "Rooms",
    params(RoomParam, ("If-Match" = Option<String>, Header, description = "The ETag that is changed")),
    request_body(content((RoomPatch = "application/merge-patch+json"), (RoomPatch = "application/json")), example = json!({ "locked": true, "canvas": { "fps": null } })),
    responses(
        (status = 200, description = "The room as it is after", body = RoomReport),
        (status = 404, description = "No such room"),
        (status = 409, description = "Too many others change it at the same time, or there are as many rooms as there may be"),
        (status = 412, description = "The precondition does not hold"),
    )
)]
pub(crate) async fn patch(State(state): State<AppState>, Room(room): Room, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let wanted = etag::precondition(&head.headers)?;
    let patch = json::object(&head.headers, body, &[json::MERGE_PATCH, json::JSON], state.limits.body).await?;
    let patch = patch.into();
    for _ in 0..ATTEMPTS {
        let (report, tag) = state.rooms.room(&room).await?;
        if !etag::holds(&wanted, &tag) {
            return Err(Problem::stale(Some(&tag)));
        }
        let mut merged = serde_json::to_value(&report.settings).expect("settings of strings and numbers are JSON");
        json_patch::merge(&mut merged, &patch);
        let spec = json::typed(merged)?;
        let unchanged = Precondition::Match(vec![tag.0]);
        match state.rooms.put_room(&room, spec, unchanged).await {
            // Somebody else was faster: their change is the one to change.
            Err(AdminError::Precondition(_)) => continue,
            written => return Ok(changed(written?)),
        }
    }
    Err(Problem::new(StatusCode::CONFLICT, "others change this room's settings all the time; try again"))
}

fn changed((_, report, tag): (Outcome, RoomReport, ETag)) -> Response {
    tagged(&tag, &report)
}

/// End a room: every session is closed, its settings are forgotten
#[utoipa::path(
    delete,
    path = "/v1/rooms/{room}",
    operation_id = "delete_room",
    tag = "Rooms",
    params(RoomParam, ("If-Match" = Option<String>, Header, description = "The ETag that is removed")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No such room"),
        (status = 412, description = "The precondition does not hold"),
    )
)]
pub(crate) async fn delete(State(state): State<AppState>, Room(room): Room, request: Request) -> Result<StatusCode, Problem> {
    let precondition = etag::precondition(request.headers())?;
    state.rooms.delete_room(&room, precondition).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn location(room: &RoomName) -> String {
    format!("/v1/rooms/{room}")
}
