//! What the admin's paths and queries name: rooms, people, templates, images.
//!
//! In: text from anybody. Out: names that cannot be wrong, or a 422 (404 for an id that cannot be anybody's).

use axum::extract::{FromRequestParts, Query, RawPathParams};
use axum::http::Uri;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::Problem;
use super::problem::shown;
use crate::media::{ParticipantId, RoomName, RoomNameError, ShortName};
use crate::players::PlayerId;
use crate::record::{RecordingId, RecordingIdError};

/// `{room}`.
pub(super) struct Room(pub(super) RoomName);
/// `{id}` of somebody.
pub(super) struct Person(pub(super) ParticipantId);
/// `{name}` of a template or an image.
pub(super) struct Named(pub(super) ShortName);
/// `{id}` of a recording.
pub(super) struct Recorded(pub(super) RecordingId);
/// `{id}` of a recording and `{file}`; the file's name may be any text.
pub(super) struct RecordingFile(pub(super) RecordingId, pub(super) String);

/// `{id}` of a player.
pub(super) struct Player(pub(super) PlayerId);

/// How the document describes `{room}`.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "a description; the extractor is Room")]
pub(super) struct RoomParam {
    /// The room's name.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "standup")]
    room: String,
}

/// How the document describes `{id}`.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "a description; the extractor is Person")]
pub(super) struct PersonParam {
    /// A participant's short public id.
    #[param(pattern = "^p[0-9]{1,10}$", example = "p3")]
    id: String,
}

/// How the document describes a player's `{id}`.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "a description; the extractor is Player")]
pub(super) struct PlayerParam {
    /// A player's id.
    #[param(pattern = "^player[0-9]{1,10}$", example = "player1")]
    id: String,
}

/// How the document describes `{name}`.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "a description; the extractor is Named")]
pub(super) struct NamedParam {
    /// The name: 1 to 32 letters, digits, `_` and `-`.
    #[param(pattern = "^[A-Za-z0-9_-]{1,32}$", example = "stage-left")]
    name: String,
}

/// How the document describes `{id}` of a recording.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "a description; the extractor is Recorded")]
pub(super) struct RecordingParam {
    /// A recording's id.
    #[param(pattern = "^[0-9]{8}T[0-9]{9}-[0-9a-f]{6}$", example = "20261123T025240123-0a1b2c")]
    id: String,
}

/// How the document describes `{id}` and `{file}`.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "a description; the extractor is RecordingFile")]
pub(super) struct RecordingFileParam {
    /// A recording's id.
    #[param(pattern = "^[0-9]{8}T[0-9]{9}-[0-9a-f]{6}$", example = "20261123T025240123-0a1b2c")]
    id: String,
    /// One of its `files`.
    #[param(pattern = "^(mixed\\.mp4|p[0-9]{1,10}\\.mp4|events\\.jsonl)$", example = "mixed.mp4")]
    file: String,
}

/// How the document describes `?token=`, which media take for players that send no headers; `auth` reads it and takes it away.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "a description; auth::require reads it")]
pub(super) struct TokenParam {
    /// The API key, for players that cannot send an Authorization header.
    token: Option<String>,
}

/// How the document describes a join's query.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "a description; JoinQuery reads it")]
pub(super) struct JoinParams {
    /// Display name, where the token carries none.
    #[param(max_length = 64, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    name: Option<String>,
    /// The tallest picture that can be taken.
    #[param(minimum = 128, maximum = 2160)]
    max_height: Option<u32>,
    /// The most frames a second that can be taken.
    #[param(minimum = 5, maximum = 60)]
    max_fps: Option<u32>,
    /// The view that is wanted; default `main`.
    #[param(pattern = "^[A-Za-z0-9_-]{1,32}$")]
    view: Option<String>,
    /// What the pictures show: `camera`, or `screen`, which goes before cameras.
    #[param(pattern = "^(camera|screen)$", example = "camera")]
    source: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Room {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = parameter(parts, state, "room").await;
        text.parse().map(Self).map_err(|error: RoomNameError| Problem::unprocessable(error.to_string()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Person {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = parameter(parts, state, "id").await;
        id(&text).map(Self).ok_or_else(|| Problem::not_found(format!("there is no participant {:?}: ids are like p3", shown(&text))))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Player {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = parameter(parts, state, "id").await;
        text.parse().map(Self).map_err(|()| Problem::not_found(format!("there is no player {:?}: ids are like player3", shown(&text))))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = parameter(parts, state, "name").await;
        text.parse().map(Self).map_err(|error: crate::media::NameError| Problem::unprocessable(error.to_string()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Recorded {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = parameter(parts, state, "id").await;
        let unknown = |error: RecordingIdError| Problem::not_found(format!("there is no recording {:?}: {error}", shown(&text)));
        text.parse().map(Self).map_err(unknown)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RecordingFile {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Recorded(id) = Recorded::from_request_parts(parts, state).await?;
        Ok(Self(id, parameter(parts, state, "file").await))
    }
}

/// A parameter as text; the path itself, which is nothing's name, where it is not UTF-8 after percent-decoding.
async fn parameter<S: Send + Sync>(parts: &mut Parts, state: &S, wanted: &str) -> String {
    let Ok(parameters) = RawPathParams::from_request_parts(parts, state).await else { return parts.uri.path().to_owned() };
    let found = parameters.iter().find(|(name, _)| *name == wanted);
    found.map(|(_, text)| text.to_owned()).unwrap_or_default()
}

/// The id that is written so, and in no other way.
fn id(text: &str) -> Option<ParticipantId> {
    let id = ParticipantId(text.strip_prefix('p')?.parse().ok()?);
    (id.to_string() == text).then_some(id)
}

/// A query as a `T`; one that names what there is not is refused, for a spelling mistake must not do something else.
pub(super) fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    Query::try_from_uri(uri).map(|Query(read)| read).map_err(|error| {
        let said = error.body_text();
        let rule = said.split_once(": ").map_or(said.as_str(), |(_, rule)| rule);
        Problem::unprocessable(format!("the query: {}", rule.chars().take(400).collect::<String>()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Within;
    use serde::Deserialize;

    #[test]
    fn an_id_is_written_in_one_way() {
        assert_eq!(id("p3"), Some(ParticipantId(3)));
        for wrong in ["3", "p", "p03", "p+3", "p-1", "P3", "p3 ", "p4294967296", "p٣", ""] {
            assert_eq!(id(wrong), None, "{wrong:?}");
        }
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default, deny_unknown_fields)]
    struct Sizes {
        width: Option<Within<2, 10>>,
        dry: bool,
    }

    #[test]
    fn a_query_is_read_strictly() {
        let read = |text: &str| query::<Sizes>(&format!("/x?{text}").parse().unwrap());
        assert_eq!(read("width=4&dry=true").unwrap(), Sizes { width: Some(Within::of(4)), dry: true });
        for (wrong, said) in [("width=11", "2 to 10"), ("widht=4", "widht"), ("dry=yes", "dry"), ("dry=true&dry=true", "duplicate")] {
            let problem = read(wrong).unwrap_err();
            assert!(problem.status() == 422 && problem.detail().contains(said), "{wrong}: {}", problem.detail());
        }
    }
}
