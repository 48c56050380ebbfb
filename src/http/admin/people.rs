//! `/v1/rooms/{room}/participants`: who is there, change something about somebody, send somebody out.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::told;
use crate::http::path::{Person, PersonParam, Room, RoomParam};
use crate::http::{AppState, Problem, json, wish};
use crate::media::ShortName;
use crate::room::Change;
use crate::rooms::PersonReport;

/// Everybody who is seen or heard, in the order in which they came.
#[derive(Serialize, ToSchema)]
pub(crate) struct PersonList {
    participants: Vec<PersonReport>,
}

/// What changes about somebody. What is left out stays; `null` is the default again.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PersonPatch {
    /// Display name: 1 to 64 characters.
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, nullable = false)]
    name: Option<Option<String>>,
    /// Role; null for none.
    #[serde(deserialize_with = "said")]
    role: Option<Option<ShortName>>,
    /// Whether their sound is left out; default false.
    #[serde(deserialize_with = "said")]
    muted: Option<Option<bool>>,
    /// Whether their picture is left out; default false.
    #[serde(deserialize_with = "said")]
    hidden: Option<Option<bool>>,
    /// How much louder their sound is made, −60 to +20 dB; default 0.
    #[serde(deserialize_with = "said")]
    #[schema(minimum = -60, maximum = 20)]
    gain_db: Option<Option<f32>>,
    /// Whether they stand in regions for `pinned`, and before others elsewhere; default false.
    #[serde(deserialize_with = "said")]
    pinned: Option<Option<bool>>,
}

/// Tells `null` from what was left out.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl PersonPatch {
    fn checked(self) -> Result<Change, Problem> {
        // A name has no default: null is as little of one as nothing between quotes.
        let name = self.name.map(|name| wish::name(name.as_deref().unwrap_or_default())).transpose()?;
        if name.as_deref() == Some("") {
            return Err(Problem::unprocessable("name: is empty; send 1 to 64 characters"));
        }
        let gain_db = self.gain_db.map(Option::unwrap_or_default);
        if let Some(gain) = gain_db.filter(|gain| !(-60.0..=20.0).contains(gain)) {
            return Err(Problem::unprocessable(format!("gain_db: {gain} is out of range: send a number from -60 to 20")));
        }
        let [muted, hidden, pinned] = [self.muted, self.hidden, self.pinned].map(|flag| flag.map(Option::unwrap_or_default));
        Ok(Change { name: name.map(Into::into), role: self.role, muted, hidden, gain_db, pinned })
    }
}

/// List the people of a room
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/participants",
    operation_id = "list_participants",
    tag = "People",
    params(RoomParam),
    responses((status = 200, description = "The people", body = PersonList), (status = 404, description = "No such room"))
)]
pub(crate) async fn list(State(state): State<AppState>, Room(room): Room) -> Result<Response, Problem> {
    let (report, _) = state.rooms.room(&room).await?;
    Ok(told(&PersonList { participants: report.participants }))
}

/// One person: what is received from and sent to them, too
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/participants/{id}",
    operation_id = "get_participant",
    tag = "People",
    params(RoomParam, PersonParam),
    responses((status = 200, description = "The person", body = PersonReport), (status = 404, description = "No such room or person"))
)]
pub(crate) async fn get(State(state): State<AppState>, Room(room): Room, Person(id): Person) -> Result<Response, Problem> {
    Ok(told(&state.rooms.person(&room, id).await?))
}

/// Rename, mute, hide, pin somebody; their gain, their role
#[utoipa::path(
    patch,
    path = "/v1/rooms/{room}/participants/{id}",
    operation_id = "patch_participant",
    tag = "People",
    params(RoomParam, PersonParam),
    request_body(
        content((PersonPatch = "application/merge-patch+json"), (PersonPatch = "application/json")),
        example = json!({ "role": "host", "gain_db": -6.0, "pinned": true })
    ),
    responses((status = 200, description = "The person as they are after", body = PersonReport), (status = 404, description = "No such room or person"))
)]
pub(crate) async fn patch(
    State(state): State<AppState>,
    Room(room): Room,
    Person(id): Person,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let fields = json::object(&head.headers, body, &[json::MERGE_PATCH, json::JSON], state.limits.body).await?;
    let change = json::typed::<PersonPatch>(Value::Object(fields))?.checked()?;
    Ok(told(&state.rooms.change(&room, id, change).await?))
}

/// Send somebody out of the room: their session is closed
#[utoipa::path(
    delete,
    path = "/v1/rooms/{room}/participants/{id}",
    operation_id = "delete_participant",
    tag = "People",
    params(RoomParam, PersonParam),
    responses((status = 204, description = "They are out"), (status = 404, description = "No such room or person"))
)]
pub(crate) async fn delete(State(state): State<AppState>, Room(room): Room, Person(id): Person) -> Result<StatusCode, Problem> {
    state.rooms.remove(&room, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: Value) -> Result<Change, String> {
        let patch = json::typed::<PersonPatch>(body).and_then(PersonPatch::checked);
        patch.map_err(|problem| problem.detail().to_owned())
    }

    #[test]
    fn what_is_left_out_stays_and_null_is_the_default() {
        assert_eq!(read(json!({})).unwrap(), Change::default());
        let all = json!({ "role": null, "muted": null, "hidden": null, "gain_db": null, "pinned": null });
        let no = Some(false);
        let expected = Change { name: None, role: Some(None), muted: no, hidden: no, gain_db: Some(0.0), pinned: no };
        assert_eq!(read(all).unwrap(), expected);
    }

    #[test]
    fn what_nobody_can_be_is_refused_by_its_field() {
        for (wrong, field) in [
            (json!({ "gain_db": 20.5 }), "gain_db: "),
            (json!({ "gain_db": -61 }), "gain_db: "),
            (json!({ "gain_db": "loud" }), "gain_db: "),
            (json!({ "name": "  " }), "name: "),
            (json!({ "name": null }), "name: "),
            (json!({ "name": "a\nb" }), "name: "),
            (json!({ "name": "x".repeat(65) }), "name: "),
            (json!({ "role": "the host" }), "role: "),
            (json!({ "muted": 1 }), "muted: "),
            (json!({ "mute": true }), "mute: "),
        ] {
            let detail = read(wrong.clone()).unwrap_err();
            assert!(detail.starts_with(field), "{wrong}: {detail}");
        }
    }
}
