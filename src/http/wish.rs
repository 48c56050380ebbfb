//! The query of a join: `name`, `view`, `source`, `max_height`, `max_fps`; and the room in the path.
//!
//! In: text from anybody. Out: types that cannot be wrong, or a 422 that names the field. Never 400 (WHEP).

use std::ops::RangeInclusive;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::Uri;
use axum::http::request::Parts;

use super::Problem;
use super::problem::shown;
use crate::media::{NameError, RoomName, RoomNameError, ViewName, unfit_to_show};
use crate::peer::Purpose;
use crate::room::Source;

/// The longest display name, in characters.
const MAX_NAME: usize = 64;
const HEIGHTS: RangeInclusive<u32> = 128..=2160;
const RATES: RangeInclusive<u32> = 5..=60;

/// What a client says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct JoinQuery {
    /// Display name, trimmed; empty where the room makes one up.
    pub(super) name: String,
    /// The view it wants; `main` where it says nothing.
    pub(super) view: Option<ViewName>,
    /// What its pictures show.
    pub(super) source: Source,
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
                "view" => read.view = Some(value.parse().map_err(|error: NameError| Problem::unprocessable(format!("view: {error}")))?),
                "source" => read.source = source(value)?,
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
}

/// A display name, trimmed.
pub(super) fn name(text: &str) -> Result<String, Problem> {
    let name = text.trim();
    let length = name.chars().count();
    if length > MAX_NAME {
        return Err(Problem::unprocessable(format!("name: has {length} characters; send at most {MAX_NAME}")));
    }
    if name.chars().any(unfit_to_show) {
        return Err(Problem::unprocessable("name: holds control characters; send letters, digits, spaces and signs"));
    }
    Ok(name.to_owned())
}

fn source(text: &str) -> Result<Source, Problem> {
    match text {
        "camera" => Ok(Source::Camera),
        "screen" => Ok(Source::Screen),
        _ => Err(Problem::unprocessable(format!("source: {:?} is none; send camera or screen", shown(text)))),
    }
}

fn number(key: &str, text: &str, range: RangeInclusive<u32>) -> Result<u32, Problem> {
    let number = text.parse().ok().filter(|n| range.contains(n));
    number.ok_or_else(|| {
        let (least, most) = range.into_inner();
        Problem::unprocessable(format!("{key}: {:?} is no whole number from {least} to {most}", shown(text)))
    })
}

fn unknown(key: &str) -> Problem {
    Problem::unprocessable(format!("{:?} is no query parameter here; there are name, view, source, max_height and max_fps", shown(key)))
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
        let read = parse("name=%20Zo%C3%AB+M.&max_height=180&max_fps=5&view=tall&source=screen").unwrap();
        let (name, view, source) = ("Zoë M.".into(), Some("tall".parse().unwrap()), Source::Screen);
        assert_eq!(read, JoinQuery { name, view, source, max_height: Some(180), max_fps: Some(5) });
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
            ("view=", "view"),
            ("view=a%20b", "view"),
            ("source=window", "source"),
            ("source=", "source"),
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
}
