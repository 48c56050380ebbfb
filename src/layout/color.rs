//! Colours as admins write them: `#14171c`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::media::Rgb;

/// A colour, written `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HexColor(pub Rgb);

/// A text that is no colour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no colour: send # and six hexadecimal digits, such as \"#14171c\"")]
pub struct HexColorError(String);

impl FromStr for HexColor {
    type Err = HexColorError;

    fn from_str(text: &str) -> Result<Self, HexColorError> {
        let digits = text.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let number = digits.and_then(|hex| u32::from_str_radix(hex, 16).ok());
        let [_, red, green, blue] = number.ok_or_else(|| HexColorError(text.chars().take(40).collect()))?.to_be_bytes();
        Ok(Self(Rgb(red, green, blue)))
    }
}

impl fmt::Display for HexColor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rgb(red, green, blue) = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Serialize for HexColor {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HexColor {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for HexColor {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).pattern(Some("^#[0-9a-fA-F]{6}$")).into()
    }
}

impl ToSchema for HexColor {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_given_back_in_small_letters() {
        assert_eq!("#14A7fC".parse::<HexColor>().unwrap().to_string(), "#14a7fc");
        assert_eq!("#14a7fc".parse(), Ok(HexColor(Rgb(0x14, 0xa7, 0xfc))));
    }

    #[test]
    fn what_is_no_colour_is_refused() {
        for wrong in ["", "#", "14171c", "#14171", "#14171c0", "#+4171c", "#1417gc", "#ééé", "red"] {
            assert!(wrong.parse::<HexColor>().is_err(), "{wrong}");
        }
    }
}
