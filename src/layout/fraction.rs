//! Exact parts of a canvas: "1/3" stays a third.
//!
//! In: texts and JSON numbers. Out: reduced fractions, and the even pixel at which they lie. Never: a rounded sum.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
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
#[error("{0:?} is no fraction from 0 to 1: send \"1/3\" (terms up to 1000000) or 0.25")]
pub struct FractionError(String);

/// The largest term, and so six digits behind the point are kept as they are.
const LARGEST: u32 = 1_000_000;

impl Fraction {
    /// None of it.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };
    /// All of it.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// Whether there is anything of it.
    pub fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// What is left of the whole.
    pub fn rest(self) -> Self {
        Self { numerator: self.denominator - self.numerator, denominator: self.denominator }
    }

    /// Whether both together are at most the whole, exactly.
    pub fn fits_beside(self, other: Self) -> bool {
        let (numerator, denominator) = self.plus(other);
        numerator <= denominator
    }

    /// This part of `length`.
    pub fn of(self, length: u32) -> f64 {
        f64::from(length) * f64::from(self.numerator) / f64::from(self.denominator)
    }

    /// This part and `other` of `length` together: where a region that begins here and is as long as `other` ends. Equal sums
    /// give equal ends, whatever they are sums of.
    pub fn end_of(self, other: Self, length: u32) -> f64 {
        let (numerator, denominator) = self.plus(other);
        let divisor = gcd(numerator, denominator);
        f64::from(length) * (numerator / divisor) as f64 / (denominator / divisor) as f64
    }

    fn plus(self, other: Self) -> (u64, u64) {
        let [a, b, c, d] = [self.numerator, self.denominator, other.numerator, other.denominator].map(u64::from);
        (a * d + c * b, b * d)
    }

    fn reduced(numerator: u32, denominator: u32) -> Option<Self> {
        if numerator > denominator || denominator == 0 || denominator > LARGEST {
            return None;
        }
        let divisor = gcd(numerator.into(), denominator.into()) as u32;
        Some(Self { numerator: numerator / divisor, denominator: denominator / divisor })
    }

    fn ratio(numerator: &str, denominator: &str) -> Option<Self> {
        Self::reduced(digits(numerator)?, digits(denominator)?)
    }

    fn decimal(whole: &str, decimals: &str) -> Option<Self> {
        if (7..=20).contains(&decimals.len()) && decimals.bytes().all(|b| b.is_ascii_digit()) {
            return Self::nearest(format!("{whole}.{decimals}").parse().ok()?);
        }
        let denominator = 10_u32.checked_pow(u32::try_from(decimals.len()).ok()?).filter(|power| *power <= LARGEST)?;
        let numerator = digits(whole)?.checked_mul(denominator)?.checked_add(digits(decimals)?)?;
        Self::reduced(numerator, denominator)
    }

    /// The fraction next to a number that has more digits than its own terms may: a program's 0.3333333333333333 is a third. The
    /// convergents of its continued fraction; those of a number and of what is left of the whole have the same denominators.
    fn nearest(number: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&number) {
            return None;
        }
        let (mut before, mut found, mut rest) = ((1, 0), (number.floor(), 1.0), number);
        while (found.0 / found.1 - number).abs() > 1e-13 {
            rest = (rest - rest.floor()).recip();
            let whole = rest.floor();
            let next = (whole * found.0 + f64::from(before.0), whole * found.1 + f64::from(before.1));
            if next.1 > f64::from(LARGEST) {
                break;
            }
            before = (found.0 as u32, found.1 as u32);
            found = next;
        }
        Self::reduced(found.0 as u32, found.1 as u32)
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A whole number in digits alone, at most seven and six leading zeros.
fn digits(text: &str) -> Option<u32> {
    let all = (1..=13).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

impl FromStr for Fraction {
    type Err = FractionError;

    fn from_str(text: &str) -> Result<Self, FractionError> {
        let fraction = match (text.split_once('/'), text.split_once('.')) {
            (Some((numerator, denominator)), _) => Self::ratio(numerator, denominator),
            (None, Some((whole @ ("0" | "1"), decimals))) => Self::decimal(whole, decimals),
            (None, None) if matches!(text, "0" | "1") => Self::ratio(text, "1"),
            _ => None,
        };
        fraction.ok_or_else(|| FractionError(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.denominator {
            1 => write!(f, "{}", self.numerator),
            _ => write!(f, "{}/{}", self.numerator, self.denominator),
        }
    }
}

impl Serialize for Fraction {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fraction {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TextOrNumber)
    }
}

struct TextOrNumber;

impl Visitor<'_> for TextOrNumber {
    type Value = Fraction;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fraction from 0 to 1 such as \"1/3\" or 0.25")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Fraction, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Fraction, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Fraction, E> {
        self.visit_str(&number.to_string())
    }

    /// A number's shortest decimal form is what was written: 0.1 is a tenth.
    fn visit_f64<E: Error>(self, number: f64) -> Result<Fraction, E> {
        let number = if number == 0.0 { 0.0 } else { number };
        let text = number.to_string();
        let found = text.parse().ok().or_else(|| Fraction::nearest(number));
        found.ok_or_else(|| E::custom(FractionError(text.chars().take(40).collect())))
    }
}

impl PartialSchema for Fraction {
    fn schema() -> RefOr<Schema> {
        let text = "^(0(\\.[0-9]{1,20})?|1(\\.0{1,20})?|0{0,6}([0-9]{1,6}|1000000)/0{0,6}([1-9][0-9]{0,5}|1000000))$";
        text_or_number("A fraction from 0 to 1: \"1/3\", \"0.25\", 0.25", text, 0.0)
    }
}

/// How the document describes a fraction that is below 1.
pub(crate) fn below_one() -> RefOr<Schema> {
    let text = "^(0(\\.[0-9]{1,20})?|0{0,6}([0-9]{1,6}|1000000)/0{0,6}([1-9][0-9]{0,5}|1000000))$";
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(text));
    let number = ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0.0)).exclusive_maximum(Some(1.0));
    OneOfBuilder::new().description(Some("A fraction from 0 to below 1: \"1/3\", \"0.25\", 0.25")).item(text).item(number).into()
}

/// How the document describes a fraction that is above 0.
pub(crate) fn above_zero() -> RefOr<Schema> {
    let text = "^(0\\.0{0,5}[1-9][0-9]{0,14}|1(\\.0{1,20})?|0{0,6}([1-9][0-9]{0,5}|1000000)/0{0,6}([1-9][0-9]{0,5}|1000000))$";
    text_or_number("A fraction above 0, at most 1: \"1/3\", \"0.25\", 0.25", text, 1.0 / f64::from(LARGEST))
}

fn text_or_number(description: &str, pattern: &str, least: f64) -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
    let number = ObjectBuilder::new().schema_type(Type::Number).minimum(Some(least)).maximum(Some(1.0));
    OneOfBuilder::new().description(Some(description)).item(text).item(number).into()
}

impl ToSchema for Fraction {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Fraction, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn texts_and_numbers_are_read_exactly_and_given_back_reduced() {
        let written = [("\"2/6\"", "1/3"), ("0.25", "1/4"), ("\"0.125\"", "1/8"), ("1", "1"), ("0", "0"), ("1.0", "1"), ("\"3/3\"", "1")];
        for (json, shown) in written.into_iter().chain([("0.1", "1/10"), ("0.333333", "333333/1000000"), ("-0.0", "0"), ("\"0/5\"", "0")]) {
            assert_eq!(read(json).unwrap().to_string(), shown, "{json}");
        }
    }

    #[test]
    fn what_is_no_fraction_from_0_to_1_is_refused_with_what_to_send() {
        let texts =
            ["\"\"", "\"4/3\"", "\"1/0\"", "\"+1/3\"", "\"1/ 3\"", "\"1/3/3\"", "\"-1\"", "\"1.\"", "\"1/1000001\"", "\"0.123456x\""];
        for json in texts.into_iter().chain([
            "1.5",
            "-0.25",
            "2",
            "-1",
            "-1e-9",
            "1.0000001",
            "1e99",
            "true",
            "null",
            "[]",
            "\"99999999999/99999999999\"",
        ]) {
            let error = read(json).unwrap_err();
            assert!(error.contains("1/3"), "{json}: {error}");
        }
    }

    #[test]
    fn a_programs_quotient_is_the_fraction_that_was_meant() {
        for (json, shown) in [("0.3333333333333333", "1/3"), ("0.6666666666666666", "2/3"), ("0.33333333333333337", "1/3"), ("1e-9", "0")] {
            assert_eq!(read(json).unwrap().to_string(), shown, "{json}");
        }
        assert_eq!(read("\"0.142857142857142857\"").unwrap().to_string(), "1/7");
        for (numerator, denominator) in (1..=64).flat_map(|denominator| (0..=denominator).map(move |numerator| (numerator, denominator))) {
            let quotient = f64::from(numerator) / f64::from(denominator);
            assert_eq!(read(&serde_json::to_string(&quotient).unwrap()).ok(), Fraction::reduced(numerator, denominator));
        }
        let [part, rest] = ["0.9344998664853668", "0.0655001335146332"].map(|json| read(json).unwrap());
        assert_eq!(part.rest(), rest);
    }

    #[test]
    fn sums_are_exact() {
        let part = |text: &str| text.parse::<Fraction>().unwrap();
        assert!(part("1/3").fits_beside(part("2/3")));
        assert!(!part("1/3").fits_beside(part("666667/1000000")));
        assert!(part("999999/1000000").fits_beside(part("1/1000000")));
        assert_eq!(part("1/3").end_of(part("1/3"), 1280), part("2/3").of(1280));
        assert_eq!(part("3/4").rest(), part("1/4"));
    }
}
