//! What recordings are called.
//!
//! In: the time. Out: names that sort as the recordings began, and that are names of folders as they stand. Never: a stranger's text.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// How long the part of a name is that tells the time, to the millisecond.
const TIME: usize = "20261123T025240123".len();
/// Random digits after it.
const RANDOM: usize = 6;

/// A recording's name: when it began in UTC, and a random part, such as `20261123T025240123-0a1b2c`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordingId(String);

/// A text that is no recording's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no recording's id: they are like 20261123T025240123-0a1b2c")]
pub struct RecordingIdError;

impl RecordingId {
    /// A new one for a recording that begins at this time.
    pub(super) fn new(at: Timestamp) -> Self {
        Self(format!("{}-{:06x}", at.strftime("%Y%m%dT%H%M%S%3f"), rand::random::<u32>() & 0xff_ffff))
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RecordingId {
    type Err = RecordingIdError;

    fn from_str(text: &str) -> Result<Self, RecordingIdError> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let fits = |(n, b): (usize, u8)| match n {
            8 => b == b'T',
            TIME => b == b'-',
            _ if n < TIME => b.is_ascii_digit(),
            _ => hex(b),
        };
        let is_one = text.len() == TIME + 1 + RANDOM && text.bytes().enumerate().all(fits);
        if is_one { Ok(Self(text.to_owned())) } else { Err(RecordingIdError) }
    }
}

impl fmt::Display for RecordingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RecordingId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RecordingId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for RecordingId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-9]{8}T[0-9]{9}-[0-9a-f]{6}$")).into()
    }
}

impl ToSchema for RecordingId {}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn names_sort_as_the_recordings_began() {
        let [first, second] = ["2026-11-23T02:52:40.009Z", "2026-11-23T02:52:40.123Z"].map(|text| RecordingId::new(at(text)));
        assert!(first < second && second.as_str().starts_with("20261123T025240123-"), "{second}");
        assert_eq!(second.as_str().parse(), Ok(second.clone()));
        assert_ne!(RecordingId::new(at("2026-11-23T02:52:40Z")), RecordingId::new(at("2026-11-23T02:52:40Z")));
    }

    #[test]
    fn nothing_else_is_a_name() {
        let right = "20261123T025240123-0a1b2c";
        let wrong = ["", "..", "../../etc/passwd", "20261123T025240123-0A1b2c", "20261123T025240123/0a1b2c", "20261123t025240123-0a1b2c"];
        for wrong in wrong.map(str::to_owned).into_iter().chain([format!("{right}0"), format!("{right}\0"), right[1..].to_owned()]) {
            assert_eq!(wrong.parse::<RecordingId>(), Err(RecordingIdError), "{wrong:?}");
        }
    }
}
