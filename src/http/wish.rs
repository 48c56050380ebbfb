//! The query of a join: `name`, `max_height`, `max_fps`; and the room in the path.
//!
//! In: text from anybody. Out: types that cannot be wrong, or a 422 that names the field. Never 400 (WHEP).

use std::ops::RangeInclusive;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::Uri;
use axum::http::request::Parts;

use super::Problem;
use super::problem::shown;
use crate::media::{Canvas, RoomName, RoomNameError};
use crate::peer::Purpose;

/// The longest display name, in characters.
const MAX_NAME: usize = 64;
const HEIGHTS: RangeInclusive<u32> = 128..=2160;
const RATES: RangeInclusive<u32> = 5..=60;

/// What a client says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct JoinQuery {
    /// Display name, trimmed; empty where the room makes one up.
    pub(super) name: String,
    /// The tallest picture it can take.
    pub(super) max_height: Option<u32>,
    /// The most frames a second it can take.
    pub(super) max_fps: Option<u32>,
}

impl JoinQuery {
    /// Reads the pairs of a query. A join refuses names it does not know; foreign WHIP and WHEP clients add their own.
    pub(super) fn read(uri: &Uri, purpose: Purpose) -> Result<Self, Problem> {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
        let Query(pairs) = pairs.map_err(|_| Problem::unprocessable("the query is not a query; send name=Ann&max_height=720"))?;
        let mut read = Self::default();
        let mut seen = Vec::new();
        for (key, value) in &pairs {
            match key.as_str() {
                "name" => read.name = name(value)?,
                "max_height" => read.max_height = Some(number(key, value, HEIGHTS)?),
                "max_fps" => read.max_fps = Some(number(key, value, RATES)?),
                _ if purpose == Purpose::Join => return Err(unknown(key)),
                _ => continue,
            }
            if seen.contains(&key) {
                return Err(Problem::unprocessable(format!("{key}: given twice; send it once")));
            }
            seen.push(key);
        }
        Ok(read)
    }

    /// Whether the client can take pictures of this size and rate.
    pub(super) fn takes(&self, canvas: Canvas) -> bool {
        self.max_height.is_none_or(|most| most >= canvas.height) && self.max_fps.is_none_or(|most| most >= canvas.fps)
    }
}

/// A display name, trimmed.
pub(super) fn name(text: &str) -> Result<String, Problem> {
    let name = text.trim();
    let length = name.chars().count();
    if length > MAX_NAME {
        return Err(Problem::unprocessable(format!("name: has {length} characters; send at most {MAX_NAME}")));
    }
    if name.chars().any(unfit_for_a_label) {
        return Err(Problem::unprocessable("name: holds control characters; send letters, digits, spaces and signs"));
    }
    Ok(name.to_owned())
}

/// Controls, line ends, and the marks that turn round the writing direction of what follows (UAX #9 §2).
fn unfit_for_a_label(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn number(key: &str, text: &str, range: RangeInclusive<u32>) -> Result<u32, Problem> {
    let number = text.parse().ok().filter(|n| range.contains(n));
    number.ok_or_else(|| {
        let (least, most) = range.into_inner();
        Problem::unprocessable(format!("{key}: {:?} is no whole number from {least} to {most}", shown(text)))
    })
}

fn unknown(key: &str) -> Problem {
    Problem::unprocessable(format!("{:?} is no query parameter here; there are name, max_height and max_fps", shown(key)))
}

/// The room in the path.
pub(super) struct InRoom(pub(super) RoomName);

impl<S: Send + Sync> FromRequestParts<S> for InRoom {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // A path that is not UTF-8 after percent-decoding would be axum's 400.
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.unwrap_or_else(|_| Path(parts.uri.path().to_owned()));
        text.parse().map(Self).map_err(|error: RoomNameError| Problem::unprocessable(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<JoinQuery, String> {
        read(query, Purpose::Join).map_err(|problem| problem.detail().to_owned())
    }

    fn read(query: &str, purpose: Purpose) -> Result<JoinQuery, Problem> {
        JoinQuery::read(&format!("/?{query}").parse().unwrap(), purpose)
    }

    #[test]
    fn a_query_in_range_is_taken_as_it_is() {
        let read = parse("name=%20Zo%C3%AB+M.&max_height=180&max_fps=5").unwrap();
        assert_eq!(read, JoinQuery { name: "Zoë M.".into(), max_height: Some(180), max_fps: Some(5) });
        assert_eq!(parse("").unwrap(), JoinQuery::default());
    }

    #[test]
    fn what_is_out_of_range_is_refused_by_its_name() {
        for (query, field) in [
            ("max_height=127", "max_height"),
            ("max_height=2161", "max_height"),
            ("max_height=-1", "max_height"),
            ("max_height=99999999999", "max_height"),
            ("max_fps=4", "max_fps"),
            ("max_fps=NaN", "max_fps"),
            ("max_fps=", "max_fps"),
            ("name=a%0Ab", "name"),
            ("name=a%E2%80%AEb", "name"),
            ("name=a&name=b", "name"),
        ] {
            let detail = parse(query).unwrap_err();
            assert!(detail.starts_with(field), "{query}: {detail}");
        }
        assert!(parse(&format!("name={}", "x".repeat(65))).is_err());
        assert!(parse("nmae=x").unwrap_err().contains("nmae"));
    }

    #[test]
    fn foreign_players_may_add_parameters_of_their_own() {
        assert_eq!(read("cache=12&name=OBS", Purpose::Whip).unwrap().name, "OBS");
        assert!(read("cache=12", Purpose::Whep).is_ok());
    }

    #[test]
    fn a_client_takes_only_what_is_within_both_its_bounds() {
        let takes = |query| parse(query).unwrap().takes(Canvas::default());
        assert!(takes("") && takes("max_height=720&max_fps=30") && takes("max_height=1080"));
        assert!(!takes("max_height=719") && !takes("max_fps=29") && !takes("max_height=1080&max_fps=15"));
    }
}
