//! Whole numbers that cannot be out of range: checked once, when they are read.
//!
//! In: numbers from JSON or from code. Out: a type that carries its range into errors and into the API's schema.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Within<const MIN: u32, const MAX: u32>(u32);

/// A number outside its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{number} is out of range: send a whole number from {min} to {max}")]
pub struct OutOfRange {
    /// What was given.
    pub number: u64,
    /// The least allowed.
    pub min: u32,
    /// The most allowed.
    pub max: u32,
}

impl<const MIN: u32, const MAX: u32> Within<MIN, MAX> {
    /// The number itself.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// A number known when this is written.
    ///
    /// # Panics
    /// Where it is out of range; in a constant, the build fails.
    pub const fn of(number: u32) -> Self {
        assert!(MIN <= number && number <= MAX, "out of range");
        Self(number)
    }
}

impl<const MIN: u32, const MAX: u32> TryFrom<u64> for Within<MIN, MAX> {
    type Error = OutOfRange;

    fn try_from(number: u64) -> Result<Self, OutOfRange> {
        let fits = u32::try_from(number).ok().filter(|n| (MIN..=MAX).contains(n));
        fits.map(Self).ok_or(OutOfRange { number, min: MIN, max: MAX })
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Within<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_u64(WholeNumber)
    }
}

struct WholeNumber<const MIN: u32, const MAX: u32>;

impl<const MIN: u32, const MAX: u32> Visitor<'_> for WholeNumber<MIN, MAX> {
    type Value = Within<MIN, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {MIN} to {MAX}")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        number.try_into().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        self.visit_f64(number as f64)
    }

    /// 60.0 is a whole number, in JSON Schema as in JavaScript.
    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        if number.fract() == 0.0 && (f64::from(MIN)..=f64::from(MAX)).contains(&number) {
            return Ok(Within(number as u32));
        }
        Err(E::custom(format_args!("{number} is out of range: send a whole number from {MIN} to {MAX}")))
    }
}

impl<const MIN: u32, const MAX: u32> PartialSchema for Within<MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(MIN)).maximum(Some(MAX)).into()
    }
}

impl<const MIN: u32, const MAX: u32> ToSchema for Within<MIN, MAX> {
    /// Each range is a schema of its own.
    fn name() -> std::borrow::Cow<'static, str> {
        format!("From{MIN}To{MAX}").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_out_of_range_is_refused_with_the_range() {
        let read = |text: &str| serde_json::from_str::<Within<5, 60>>(text);
        for right in ["30", "30.0", "3e1"] {
            assert_eq!(read(right).unwrap().get(), 30, "{right}");
        }
        for wrong in ["4", "61", "99999999999999", "-1", "5.5", "\"30\"", "null"] {
            assert!(read(wrong).unwrap_err().to_string().contains("5 to 60"), "{wrong}");
        }
    }
}
