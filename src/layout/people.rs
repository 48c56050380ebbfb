//! Numbers of people that an arrangement is for: `3`, `"2-6"`, `"7+"`.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A range of numbers of people, 1 to 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct People {
    /// The least.
    pub from: u32,
    /// The most; `None` for any number.
    pub to: Option<u32>,
}

/// What is no range of numbers of people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no number of people: send 3, \"2-6\" or \"7+\", from 1 to 1000, the lower one first")]
pub struct PeopleError(String);

impl People {
    /// Whether it is a range from 1 to 1000.
    pub fn is_range(self) -> bool {
        let to = self.to.unwrap_or(1000);
        1 <= self.from && self.from <= to && to <= 1000
    }

    /// Whether some number is in both.
    pub fn overlaps(self, other: Self) -> bool {
        let reaches = |a: Self, b: Self| a.to.is_none_or(|to| b.from <= to);
        reaches(self, other) && reaches(other, self)
    }

    /// How well it suits so many people, higher is better: it holds the number; it ends below it, the nearer the better;
    /// it begins above it, the nearer the better.
    pub(super) fn suits(self, people: u32) -> i64 {
        match self.to {
            _ if people < self.from => -i64::from(self.from),
            Some(to) if to < people => i64::from(to),
            _ => i64::MAX,
        }
    }
}

impl Default for People {
    fn default() -> Self {
        Self { from: 1, to: None }
    }
}

impl FromStr for People {
    type Err = PeopleError;

    fn from_str(text: &str) -> Result<Self, PeopleError> {
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| number.to_string() == text);
        let people = match (text.strip_suffix('+'), text.split_once('-')) {
            (Some(from), _) => number(from).map(|from| Self { from, to: None }),
            (None, Some((from, to))) => number(from).zip(number(to)).map(|(from, to)| Self { from, to: Some(to) }),
            (None, None) => number(text).map(|number| Self { from: number, to: Some(number) }),
        };
        people.filter(|people| people.is_range()).ok_or_else(|| PeopleError(text.chars().take(40).collect()))
    }
}

impl fmt::Display for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to {
            None => write!(f, "{}+", self.from),
            Some(to) if to == self.from => write!(f, "{to}"),
            Some(to) => write!(f, "{}-{to}", self.from),
        }
    }
}

impl Serialize for People {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.to {
            Some(one) if one == self.from => to.serialize_u32(one),
            _ => to.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for People {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TextOrNumber)
    }
}

struct TextOrNumber;

impl Visitor<'_> for TextOrNumber {
    type Value = People;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of people such as 3, \"2-6\" or \"7+\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<People, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<People, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<People, E> {
        self.visit_str(&number.to_string())
    }

    /// A whole one is written without a point: 3.0 is 3.
    fn visit_f64<E: Error>(self, number: f64) -> Result<People, E> {
        self.visit_str(&number.to_string())
    }
}

impl PartialSchema for People {
    fn schema() -> RefOr<Schema> {
        let text = "^([1-9][0-9]{0,2}|1000)(-([1-9][0-9]{0,2}|1000)|\\+)?$";
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(text));
        let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(1000));
        OneOfBuilder::new().description(Some("A number or a range of people: 3, \"2-6\", \"7+\"")).item(number).item(text).into()
    }
}

impl ToSchema for People {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<People, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn numbers_and_ranges_are_read_and_given_back() {
        for (json, shown) in [("3", "3"), ("\"3\"", "3"), ("\"2-6\"", "\"2-6\""), ("\"7+\"", "\"7+\""), ("\"4-4\"", "4"), ("1000", "1000")]
        {
            assert_eq!(serde_json::to_string(&read(json).unwrap()).unwrap(), shown, "{json}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused_with_what_to_send() {
        for json in [
            "0",
            "-1",
            "1001",
            "2.5",
            "\"\"",
            "\"+\"",
            "\"0+\"",
            "\"6-2\"",
            "\"1-\"",
            "\"-3\"",
            "\"1-1001\"",
            "\"++3\"",
            "\"+3\"",
            "\"03\"",
            "null",
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains("2-6"), "{json}: {error}");
        }
    }

    #[test]
    fn ranges_overlap_where_a_number_is_in_both() {
        let overlap = |a: &str, b: &str| a.parse::<People>().unwrap().overlaps(b.parse().unwrap());
        assert!(overlap("2-6", "6+") && overlap("1+", "1000") && overlap("3", "3") && overlap("1-9", "4"));
        assert!(!overlap("2-6", "7+") && !overlap("3", "4") && !overlap("7+", "1-6"));
    }
}
