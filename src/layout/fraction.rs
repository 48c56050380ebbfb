//! Exact parts of a canvas: "1/3" stays a third.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A fraction from 0 to 1, written `"1/3"`, `"0.25"`, `"1"` or as a number. Terms up to 1 000 000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fraction {
    numerator: u32,
    denominator: u32,
}

/// A text or number that is no fraction from 0 to 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no fraction from 0 to 1: send \"1/3\" or 0.25")]
pub struct FractionError(String);

impl Fraction {
    /// None of it.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };
    /// All of it.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };
}
// Owner: parse (text and JSON number), reduce, display, exact sum for "left + width ≤ 1", `of(pixels) -> exact/rounded`.

impl FromStr for Fraction {
    type Err = FractionError;

    fn from_str(_text: &str) -> Result<Self, FractionError> {
        unimplemented!()
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

impl Serialize for Fraction {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fraction {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for Fraction {
    fn schema() -> RefOr<Schema> {
        String::schema()
    }
}

impl ToSchema for Fraction {}
