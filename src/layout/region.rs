//! A region of a template: where, how it looks, and who may fill it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Fraction, ShowsList};
use crate::media::{Rgb, ShortName, Within};

/// A part of the canvas that one person fills, or several in a grid of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Its name, unique in its arrangement.
    pub id: ShortName,
    /// Left edge, as a part of the canvas's width.
    pub left: Fraction,
    /// Top edge, as a part of the canvas's height.
    pub top: Fraction,
    /// Width, as a part of the canvas's; above 0; left + width at most 1.
    pub width: Fraction,
    /// Height, as a part of the canvas's; above 0; top + height at most 1.
    pub height: Fraction,
    /// Paint order: higher covers lower; −100 to 100, default 0.
    #[serde(default)]
    #[schema(minimum = -100, maximum = 100)]
    pub z: i32,
    /// How pictures fill it; default the layout's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<RegionFit>,
    /// Who may fill it, best first; default `any`.
    #[serde(default)]
    pub shows: ShowsList,
    /// People it holds at most, in a grid of their own; default 1.
    #[serde(default = "one")]
    pub tiles: Within<1, 100>,
    /// A line along its tiles' inner edge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub border: Option<Edge>,
    /// Of its tiles' corners, in pixels; default as the server likes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corner_radius: Option<Within<0, 1080>>,
    /// 0 (unseen) to 1; default 1.
    #[serde(default = "opaque")]
    #[schema(minimum = 0, maximum = 1)]
    pub opacity: f32,
}

/// How a picture of another aspect fills its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegionFit {
    /// Fills it; what stands over is cropped, centred.
    #[default]
    Cover,
    /// Shown whole, with bars.
    Contain,
}

/// A line along an inner edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// In pixels.
    pub width: Within<0, 64>,
    /// Its colour.
    pub color: HexColor,
}

/// A colour, written `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HexColor(pub Rgb);
// Owner: Serialize, Deserialize, schema with the pattern ^#[0-9a-fA-F]{6}$.

fn one() -> Within<1, 100> {
    Within::of(1)
}

fn opaque() -> f32 {
    1.0
}

impl Serialize for HexColor {
    fn serialize<S: serde::Serializer>(&self, _to: S) -> Result<S::Ok, S::Error> {
        unimplemented!()
    }
}

impl<'de> Deserialize<'de> for HexColor {
    fn deserialize<D: serde::Deserializer<'de>>(_from: D) -> Result<Self, D::Error> {
        unimplemented!()
    }
}

impl utoipa::PartialSchema for HexColor {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        String::schema()
    }
}

impl ToSchema for HexColor {}
