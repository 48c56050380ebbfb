//! A template: arrangements of regions, each for a number or a range of people.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Region;

/// A named way to arrange any number of people; the body of `PUT /v1/layouts/{name}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// For people who choose: at most 64 characters.
    #[serde(default)]
    pub title: String,
    /// What it is good for: at most 512 characters.
    #[serde(default)]
    pub description: String,
    /// 1 to 64; no two for the same people and orientation.
    pub arrangements: Vec<Arrangement>,
}

/// The regions for some numbers of people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Arrangement {
    /// `3`, `"2-6"`, `"7+"`; default `"1+"`.
    #[serde(default)]
    pub people: People,
    /// Which canvases it is for; default both. One for the canvas's own orientation goes before one for both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orientation: Option<Orientation>,
    /// 1 to 64, filled in this order.
    pub regions: Vec<Region>,
}

/// A range of numbers of people, 1 to 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct People {
    /// The least.
    pub from: u32,
    /// The most; `None` for any number.
    pub to: Option<u32>,
}
// Owner: Serialize/Deserialize as 3, "3", "2-6", "7+"; schema.

/// Which way a canvas lies; a square one lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Orientation {
    /// At least as wide as high.
    Landscape,
    /// Higher than wide.
    Portrait,
}

impl Default for People {
    fn default() -> Self {
        Self { from: 1, to: None }
    }
}

impl Serialize for People {
    fn serialize<S: serde::Serializer>(&self, _to: S) -> Result<S::Ok, S::Error> {
        unimplemented!()
    }
}

impl<'de> Deserialize<'de> for People {
    fn deserialize<D: serde::Deserializer<'de>>(_from: D) -> Result<Self, D::Error> {
        unimplemented!()
    }
}

impl utoipa::PartialSchema for People {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        String::schema()
    }
}

impl ToSchema for People {}
