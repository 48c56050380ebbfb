//! Files from the disk, whole or in part (RFC 9110 §14).
//!
//! In: `Range` and `If-Range`, a file and how much of it there is. Out: which bytes are given, and those bytes as they are read. Never: a
//! whole file in memory, or more than one part: of several, the whole is given, as §14.2 allows.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use futures_util::stream;

/// Read at a time.
const CHUNK: u64 = 256 * 1024;

/// What of a file is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes that there are not.
    Beyond,
}

/// What a request wants of a file of this length and tag. What is no range, or several, is as if it were not there.
pub(super) fn wanted(headers: &HeaderMap, length: u64, tag: &HeaderValue) -> Wanted {
    let mut ranges = headers.get_all(header::RANGE).iter();
    let (Some(range), None) = (ranges.next(), ranges.next()) else { return Wanted::Whole };
    // §13.1.5: compared strongly; a date is none of ours
    if headers.get(header::IF_RANGE).is_some_and(|known| known != tag) {
        return Wanted::Whole;
    }
    range.to_str().ok().and_then(spec).map_or(Wanted::Whole, |spec| spec.of(length))
}

/// One range, as it is written.
enum Spec {
    /// From here, to there and with it.
    From(u64, Option<u64>),
    /// So many at the end.
    Last(u64),
}

fn spec(text: &str) -> Option<Spec> {
    let (unit, range) = text.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    match (first.trim(), last.trim()) {
        ("", last) => Some(Spec::Last(number(last)?)),
        (first, "") => Some(Spec::From(number(first)?, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Spec::From(first, Some(last)))
        }
    }
}

/// Digits alone; one beyond 64 bits is beyond any file.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

impl Spec {
    fn of(self, length: u64) -> Wanted {
        match self {
            Self::From(first, _) if first >= length => Wanted::Beyond,
            Self::From(first, last) => Wanted::Part(first..last.map_or(length, |last| last.saturating_add(1).min(length))),
            Self::Last(0) => Wanted::Beyond,
            Self::Last(_) if length == 0 => Wanted::Beyond,
            Self::Last(count) => Wanted::Part(length.saturating_sub(count)..length),
        }
    }
}

/// Bytes of a file, read as they are sent.
pub(super) fn body(file: File, range: Range<u64>) -> Body {
    let chunks = stream::try_unfold((file, range), |(file, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let read = tokio::task::spawn_blocking(move || chunk(file, range)).await;
        read.unwrap_or_else(|_| Err(io::Error::other("the read broke off"))).map(Some)
    });
    Body::from_stream(chunks)
}

/// The next bytes, and what is left.
fn chunk(mut file: File, range: Range<u64>) -> io::Result<(Bytes, (File, Range<u64>))> {
    let length = CHUNK.min(range.end - range.start);
    let mut bytes = vec![0; length as usize];
    file.seek(SeekFrom::Start(range.start))?;
    file.read_exact(&mut bytes)?;
    Ok((bytes.into(), (file, range.start + length..range.end)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use http_body_util::BodyExt;
    use proptest::prelude::*;

    use super::*;

    const TAG: HeaderValue = HeaderValue::from_static("\"a\"");

    fn of(range: &str, length: u64) -> Wanted {
        wanted(&HeaderMap::from_iter([(header::RANGE, HeaderValue::from_str(range).unwrap())]), length, &TAG)
    }

    #[test]
    fn a_range_is_what_rfc_9110_says() {
        for (range, bytes) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-", 0..100),
            ("bytes=10-19", 10..20),
            ("bytes=90-1000", 90..100),
            ("bytes=-1", 99..100),
            ("bytes=-1000", 0..100),
            ("Bytes = 5-6", 5..7),
            ("bytes=99-18446744073709551616", 99..100),
        ] {
            assert_eq!(of(range, 100), Wanted::Part(bytes), "{range}");
        }
        for range in ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=18446744073709551616-"] {
            assert_eq!(of(range, 100), Wanted::Beyond, "{range}");
        }
        assert_eq!((of("bytes=0-", 0), of("bytes=-1", 0)), (Wanted::Beyond, Wanted::Beyond));
    }

    #[test]
    fn what_is_no_single_range_of_bytes_is_ignored() {
        for range in ["", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=0-1,3-4", "bytes=+1-2", "bytes=a-b", "items=0-1", "bytes=--1"] {
            assert_eq!(of(range, 100), Wanted::Whole, "{range:?}");
        }
        assert_eq!(wanted(&HeaderMap::new(), 100, &TAG), Wanted::Whole);
        let mut twice = HeaderMap::new();
        twice.append(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        twice.append(header::RANGE, HeaderValue::from_static("bytes=3-4"));
        assert_eq!(wanted(&twice, 100, &TAG), Wanted::Whole);
    }

    #[test]
    fn if_the_file_is_another_one_by_now_all_of_it_is_given() {
        let with = |known: &'static str| {
            let headers =
                [(header::RANGE, "bytes=0-9"), (header::IF_RANGE, known)].map(|(name, text)| (name, HeaderValue::from_static(text)));
            wanted(&HeaderMap::from_iter(headers), 100, &TAG)
        };
        assert_eq!(with("\"a\""), Wanted::Part(0..10));
        for other in ["\"b\"", "W/\"a\"", "Mon, 23 Nov 2026 03:00:00 GMT"] {
            assert_eq!(with(other), Wanted::Whole, "{other}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_nothing_beyond_the_file_is_given(range in "(bytes=)?[-0-9,= ]{0,24}", length in 0u64..1000) {
            if let Wanted::Part(part) = of(&range, length) {
                prop_assert!(part.start < part.end && part.end <= length);
            }
        }
    }

    #[tokio::test]
    async fn a_part_of_a_file_is_read_in_pieces_and_one_that_was_cut_breaks_off() {
        let content: Vec<u8> = (0..CHUNK * 2 + 77).map(|n| (n % 251) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        let length = content.len() as u64;
        let read = body(file.try_clone().unwrap(), 3..length).collect().await.unwrap().to_bytes();
        assert_eq!(&read[..], &content[3..]);
        assert!(body(file, 0..length + 1).collect().await.is_err());
    }
}
