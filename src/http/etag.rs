//! Entity tags and preconditions (RFC 9110 §8.8.3, §13.1).
//!
//! In: `If-Match` and `If-None-Match`. Out: what must be so for a write to go through, or whether a reader has it already.

use aws_lc_rs::digest;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::Problem;
use crate::rooms::{ETag, Precondition};

/// What a write is made dependent on.
pub(super) fn precondition(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let wanted = (list(headers, header::IF_MATCH)?, list(headers, header::IF_NONE_MATCH)?);
    match (wanted.0.as_deref(), wanted.1.as_deref()) {
        (None, None) => Ok(Precondition::None),
        (Some([one]), None) if one == "*" => Ok(Precondition::Exists),
        // §13.1.1: compared strongly, so a weak tag matches nothing.
        (Some(tags), None) => Ok(Precondition::Match(tags.iter().filter(|tag| !tag.starts_with("W/")).cloned().collect())),
        (None, Some([one])) if one == "*" => Ok(Precondition::Absent),
        (None, Some(_)) => Err(Problem::unprocessable("If-None-Match: a write takes only *; send If-Match with the ETag to replace it")),
        (Some(_), Some(_)) => Err(Problem::unprocessable("If-Match and If-None-Match: send one of them")),
    }
}

/// Whether what is there, with this tag, is what a write asks for.
pub(super) fn holds(wanted: &Precondition, tag: &ETag) -> bool {
    match wanted {
        Precondition::None | Precondition::Exists => true,
        Precondition::Match(tags) => tags.contains(&tag.0),
        Precondition::Absent => false,
    }
}

/// Whether a reader's `If-None-Match` names the tag (§13.1.2: compared weakly).
pub(super) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let sent = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    sent.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/").as_bytes() == tag.as_bytes())
}

/// The tag of some content.
pub(super) fn of(content: &[u8]) -> HeaderValue {
    let tag = format!("\"{}\"", hex(&digest::digest(&digest::SHA256, content).as_ref()[..8]));
    HeaderValue::from_str(&tag).expect("hexadecimal digits are a header value")
}

/// A tag as a header.
pub(super) fn header_of(tag: &ETag) -> (HeaderName, HeaderValue) {
    (header::ETAG, HeaderValue::from_str(&tag.0).expect("entity tags are quoted ASCII"))
}

/// Hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The tags of a header; its lines are one list (§5.3).
fn list(headers: &HeaderMap, name: HeaderName) -> Result<Option<Vec<String>>, Problem> {
    if !headers.contains_key(&name) {
        return Ok(None);
    }
    let mut tags = Vec::new();
    for line in headers.get_all(&name) {
        let text = line.to_str().map_err(|_| no_tags(&name))?;
        tags.extend(text.split(',').map(|tag| tag.trim().to_owned()));
    }
    let quoted = |tag: &String| tag == "*" || tag.trim_start_matches("W/").len() >= 2 && tag.ends_with('"') && tag.contains('"');
    if tags.iter().all(quoted) { Ok(Some(tags)) } else { Err(no_tags(&name)) }
}

fn no_tags(name: &HeaderName) -> Problem {
    let name = if name == header::IF_MATCH { "If-Match" } else { "If-None-Match" };
    Problem::unprocessable(format!("{name}: is no entity tag; send the quoted text of the ETag header as it was, or *"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: HeaderName, value: &'static str) -> Result<Precondition, Problem> {
        precondition(&HeaderMap::from_iter([(name, HeaderValue::from_static(value))]))
    }

    #[test]
    fn each_header_is_the_condition_that_it_says() {
        let matching = |tags: &[&str]| Precondition::Match(tags.iter().map(|&tag| tag.to_owned()).collect());
        assert_eq!(precondition(&HeaderMap::new()).unwrap(), Precondition::None);
        assert_eq!(read(header::IF_MATCH, "*").unwrap(), Precondition::Exists);
        assert_eq!(read(header::IF_MATCH, "\"a\", \"b\"").unwrap(), matching(&["\"a\"", "\"b\""]));
        assert_eq!(read(header::IF_MATCH, "W/\"a\"").unwrap(), matching(&[]));
        assert_eq!(read(header::IF_NONE_MATCH, "*").unwrap(), Precondition::Absent);
    }

    #[test]
    fn what_is_no_condition_of_a_write_is_refused_by_its_header() {
        for (name, value) in [(header::IF_MATCH, "abc"), (header::IF_MATCH, ""), (header::IF_MATCH, "\""), (header::IF_NONE_MATCH, "\"a\"")]
        {
            let named = name.clone();
            let detail = read(name, value).unwrap_err().detail().to_ascii_lowercase();
            assert!(detail.starts_with(named.as_str()), "{value:?}: {detail}");
        }
        let both = HeaderMap::from_iter([header::IF_MATCH, header::IF_NONE_MATCH].map(|name| (name, HeaderValue::from_static("*"))));
        assert!(precondition(&both).is_err());
    }

    #[test]
    fn a_condition_holds_for_the_tag_that_it_names_alone() {
        let tag = ETag("\"a\"".into());
        let named = |text: &str| holds(&Precondition::Match(vec![text.into()]), &tag);
        assert!(named("\"a\"") && !named("\"b\"") && holds(&Precondition::Exists, &tag) && !holds(&Precondition::Absent, &tag));
    }

    #[test]
    fn a_known_tag_is_found_among_several_and_weak_ones() {
        let sent = |text: &'static str| HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(text))]);
        let tag = HeaderValue::from_static("\"ab\"");
        assert!(is_known(&sent("\"x\", W/\"ab\""), &tag) && is_known(&sent("*"), &tag));
        assert!(!is_known(&sent("\"abc\""), &tag) && !is_known(&HeaderMap::new(), &tag));
    }
}
