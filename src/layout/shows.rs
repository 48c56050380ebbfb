//! Who may fill a region, best first: `screen|pinned|speaker`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
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
pub struct ShowsList(Arc<[Shows]>);

/// A text that names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} shows nobody: use 1 to 8 of screen, pinned, speaker, participant:ID, role:NAME and any, with | between them")]
pub struct ShowsError(String);

/// Kinds in a list at most.
const MOST: usize = 8;

impl ShowsList {
    /// The kinds, best first.
    pub fn kinds(&self) -> &[Shows] {
        &self.0
    }

    /// The same list, shared.
    pub(super) fn shared(&self) -> Arc<[Shows]> {
        self.0.clone()
    }
}

impl Default for ShowsList {
    fn default() -> Self {
        Self([Shows::Any].into())
    }
}

impl Shows {
    fn read(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None => [Self::Screen, Self::Pinned, Self::Speaker, Self::Any].into_iter().find(|kind| kind.to_string() == text),
            Some(("role", name)) => name.parse().ok().map(Self::Role),
            Some(("participant", id)) => participant(id).map(Self::Participant),
            Some(_) => None,
        }
    }
}

/// An id as it is shown: `p3`, not `p03`.
fn participant(text: &str) -> Option<ParticipantId> {
    let id = ParticipantId(text.strip_prefix('p')?.parse().ok()?);
    (id.to_string() == text).then_some(id)
}

impl fmt::Display for Shows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Screen => f.write_str("screen"),
            Self::Pinned => f.write_str("pinned"),
            Self::Speaker => f.write_str("speaker"),
            Self::Participant(id) => write!(f, "participant:{id}"),
            Self::Role(name) => write!(f, "role:{name}"),
            Self::Any => f.write_str("any"),
        }
    }
}

impl FromStr for ShowsList {
    type Err = ShowsError;

    fn from_str(text: &str) -> Result<Self, ShowsError> {
        let kinds: Option<Vec<Shows>> = text.split('|').take(MOST + 1).map(Shows::read).collect();
        let kinds = kinds.filter(|kinds| kinds.len() <= MOST).ok_or_else(|| ShowsError(text.chars().take(80).collect()))?;
        Ok(Self(kinds.into()))
    }
}

impl fmt::Display for ShowsList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<_> = self.0.iter().map(Shows::to_string).collect();
        f.write_str(&kinds.join("|"))
    }
}

impl Serialize for ShowsList {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ShowsList {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for ShowsList {
    fn schema() -> RefOr<Schema> {
        let kind = "(screen|pinned|speaker|any|participant:p(0|[1-9][0-9]{0,8})|role:[A-Za-z0-9_-]{1,32})";
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Who fills it, best first, with | between them"))
            .pattern(Some(format!("^{kind}(\\|{kind}){{0,7}}$")))
            .examples(["screen|pinned|speaker", "role:host|any"])
            .into()
    }
}

impl ToSchema for ShowsList {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_given_back() {
        for text in ["any", "screen|pinned|speaker", "participant:p3|role:co-host|any"] {
            assert_eq!(text.parse::<ShowsList>().unwrap().to_string(), text);
        }
        assert_eq!(ShowsList::default().kinds(), [Shows::Any]);
    }

    #[test]
    fn what_names_nobody_is_refused() {
        let nine = ["any"; 9].join("|");
        for wrong in [
            "",
            "|",
            "any|",
            "Any",
            " any",
            "role:",
            "role:ä",
            "participant:3",
            "participant:p03",
            "participant:p99999999999",
            "x:y",
            &nine,
        ] {
            assert!(wrong.parse::<ShowsList>().is_err(), "{wrong:?}");
        }
    }
}
