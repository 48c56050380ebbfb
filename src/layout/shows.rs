//! Who may fill a region, best first: `screen|pinned|speaker`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::media::{ParticipantId, ShortName};

/// One kind of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shows {
    /// A shared screen.
    Screen,
    /// Somebody an admin has pinned.
    Pinned,
    /// The active speaker.
    Speaker,
    /// One person: `participant:p3`.
    Participant(ParticipantId),
    /// Whoever has a role: `role:host`.
    Role(ShortName),
    /// Anybody.
    Any,
}

/// Kinds, best first; written with `|` between them. At least one, at most 8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShowsList(Vec<Shows>);

/// A text that names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} shows nobody: use screen, pinned, speaker, participant:ID, role:NAME or any, with | between them")]
pub struct ShowsError(String);

impl ShowsList {
    /// The kinds, best first.
    pub fn kinds(&self) -> &[Shows] {
        &self.0
    }
}

impl Default for ShowsList {
    fn default() -> Self {
        Self(vec![Shows::Any])
    }
}

impl Serialize for ShowsList {
    fn serialize<S: Serializer>(&self, _to: S) -> Result<S::Ok, S::Error> {
        unimplemented!()
    }
}

impl<'de> Deserialize<'de> for ShowsList {
    fn deserialize<D: Deserializer<'de>>(_from: D) -> Result<Self, D::Error> {
        unimplemented!()
    }
}

impl PartialSchema for ShowsList {
    fn schema() -> RefOr<Schema> {
        String::schema()
    }
}

impl ToSchema for ShowsList {}
