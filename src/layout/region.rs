//! A region of a template: where, how it looks, and who may fill it.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{Fraction, HexColor, LayoutError, ShowsList};
use crate::media::{ShortName, Within};

/// A part of the canvas that one person fills, or several in a grid of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Its name, unique in its arrangement.
    pub id: ShortName,
    /// Left edge, as a part of the canvas's width.
    #[schema(schema_with = super::fraction::below_one)]
    pub left: Fraction,
    /// Top edge, as a part of the canvas's height.
    #[schema(schema_with = super::fraction::below_one)]
    pub top: Fraction,
    /// Width, as a part of the canvas's; above 0; left + width at most 1.
    #[schema(schema_with = super::fraction::above_zero)]
    pub width: Fraction,
    /// Height, as a part of the canvas's; above 0; top + height at most 1.
    #[schema(schema_with = super::fraction::above_zero)]
    pub height: Fraction,
    /// Paint order: higher covers lower; −100 to 100, default 0.
    #[serde(default, deserialize_with = "whole")]
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

impl Region {
    /// Whether it is the whole canvas.
    pub(super) fn is_whole(&self) -> bool {
        (self.left, self.top, self.width, self.height) == (Fraction::ZERO, Fraction::ZERO, Fraction::ONE, Fraction::ONE)
    }

    /// Checks what its fields' types cannot; `path` is its own path in the body.
    pub(super) fn check(&self, path: &str) -> Result<(), LayoutError> {
        extent(self.left, self.width, ("left", "width"), path)?;
        extent(self.top, self.height, ("top", "height"), path)?;
        if !(-100..=100).contains(&self.z) {
            return Err(LayoutError::new(format!("{path}.z"), format!("{} is out of range: send a whole number from -100 to 100", self.z)));
        }
        if !(0.0..=1.0).contains(&self.opacity) {
            return Err(LayoutError::new(
                format!("{path}.opacity"),
                format!("{} is out of range: send a number from 0 to 1", self.opacity),
            ));
        }
        Ok(())
    }
}

/// A region has a size and stays on the canvas, by exact arithmetic.
fn extent(from: Fraction, length: Fraction, (start, side): (&str, &str), path: &str) -> Result<(), LayoutError> {
    let wrong = |rule: String| Err(LayoutError::new(format!("{path}.{side}"), rule));
    if length.is_zero() {
        return wrong("must be above 0".to_owned());
    }
    if from.rest().is_zero() {
        return Err(LayoutError::new(format!("{path}.{start}"), format!("must be below 1: at 1 no {side} is left on the canvas")));
    }
    if !from.fits_beside(length) {
        return wrong(format!("{start} + {side} must be at most 1: with {start} {from} send at most \"{}\"", from.rest()));
    }
    Ok(())
}

/// -54.0 is a whole number, in JSON Schema as in JavaScript. What is far out of range is so after this, too.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<i32, D::Error> {
    let number = f64::deserialize(from)?;
    let wrong = || D::Error::custom(format_args!("{number} is no whole number: send one from -100 to 100"));
    if number.fract() == 0.0 { Ok(number as i32) } else { Err(wrong()) }
}

fn one() -> Within<1, 100> {
    Within::of(1)
}

fn opaque() -> f32 {
    1.0
}
