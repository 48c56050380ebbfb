//! The segments that there are, and what each file's name stands for.
//!
//! In: parts as they are made. Out: what a playlist tells, and a file's bytes. Never: another content under a name that was given, or
//! more segments than [`LISTED_FOR`] needs.
//!
//! Parts are numbered through all segments, so that the name of the next part is known before it is known whose segment it is in.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::segmenter::Piece;
use super::{MS, TARGET_SECONDS};
use crate::media::MediaTime;

/// Whole segments that a playlist names at least.
const LISTED: usize = 6;
/// They last this long at least: three target durations (RFC 8216 §6.2.2).
const LISTED_FOR: u64 = 3 * TARGET_SECONDS * 1000 * MS;
/// Segments that no playlist names any more and that can be had still, for as long as the playlists that named them last (§6.2.2).
const LEFT_OVER: u64 = LISTED as u64 + 1;

/// A segment, whole or open.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// The Media Sequence Number.
    pub(super) number: u64,
    /// The time of its first picture.
    pub(super) at: MediaTime,
    /// The number of its initialization section.
    pub(super) header: u64,
    /// It does not go on where the one before ended.
    pub(super) discontinuity: bool,
    /// Its parts so far.
    pub(super) parts: Vec<Part>,
    /// All of its parts in one, once it is whole.
    whole: Option<Bytes>,
}

/// A part of a segment.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Counts all parts of the stream.
    pub(super) number: u64,
    /// In ticks of pictures.
    pub(super) duration: u64,
    /// A decoder can start in it.
    pub(super) independent: bool,
    bytes: Bytes,
}

impl Segment {
    /// In ticks of pictures.
    pub(super) fn duration(&self) -> u64 {
        self.parts.iter().map(|part| part.duration).sum()
    }

    pub(super) fn is_whole(&self) -> bool {
        self.whole.is_some()
    }

    /// Puts the parts together; each is a view of the whole from then on.
    fn close(&mut self) {
        let mut whole = BytesMut::with_capacity(self.parts.iter().map(|part| part.bytes.len()).sum());
        self.parts.iter().for_each(|part| whole.extend_from_slice(&part.bytes));
        let whole = whole.freeze();
        let mut at = 0;
        for part in &mut self.parts {
            let end = at + part.bytes.len();
            part.bytes = whole.slice(at..end);
            at = end;
        }
        self.whole = Some(whole);
    }
}

/// A file's name within its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// An initialization section.
    Header(u64),
    /// A segment, by its Media Sequence Number.
    Segment(u64),
    /// A part, counted through all segments.
    Part(u64),
}

impl Name {
    /// The one that is written so, and in no other way.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, number) = text.strip_suffix(".mp4")?.split_at_checked(1)?;
        let number = number.parse().ok()?;
        let name = match kind {
            "i" => Self::Header(number),
            "s" => Self::Segment(number),
            "p" => Self::Part(number),
            _ => return None,
        };
        (name.to_string() == text).then_some(name)
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Header(number) => write!(f, "i{number}.mp4"),
            Self::Segment(number) => write!(f, "s{number}.mp4"),
            Self::Part(number) => write!(f, "p{number}.mp4"),
        }
    }
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// These bytes, for ever.
    File(Bytes),
    /// The part that is made next.
    Coming,
    /// Nothing, or nothing any more.
    Nothing,
}

/// The segments of a stream.
#[derive(Debug, Default)]
pub(super) struct Window {
    segments: VecDeque<Segment>,
    headers: VecDeque<(u64, Bytes)>,
    /// The number of the next part.
    next_part: u64,
    /// The first segment that a playlist names.
    first: u64,
    /// Discontinuities before the first segment there is.
    discontinuities: u64,
    ended: bool,
}

impl Window {
    pub(super) fn take(&mut self, piece: Piece) {
        if let Some(opening) = piece.opens {
            let number = self.segments.back().map_or(0, |last| last.number + 1);
            if let Some(header) = opening.header {
                self.headers.push_back((self.headers.back().map_or(0, |(last, _)| last + 1), header));
            }
            let header = self.headers.back().expect("the first segment brings an initialization section").0;
            let (parts, whole) = Default::default();
            self.segments.push_back(Segment { number, at: opening.at, header, discontinuity: opening.discontinuity, parts, whole });
        }
        let segment = self.segments.back_mut().expect("the first part opens a segment");
        let Piece { duration, independent, bytes, .. } = piece;
        segment.parts.push(Part { number: self.next_part, duration, independent, bytes });
        self.next_part += 1;
        if piece.closes {
            segment.close();
            self.forget();
        }
    }

    /// Nothing comes any more.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The segments that a playlist names; the last may be open.
    pub(super) fn listed(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(|segment| segment.number >= self.first)
    }

    /// Discontinuities before the first segment that a playlist names.
    pub(super) fn discontinuity_sequence(&self) -> u64 {
        let unlisted = self.segments.iter().filter(|segment| segment.number < self.first);
        self.discontinuities + unlisted.filter(|segment| segment.discontinuity).count() as u64
    }

    /// The number of the part that is made next.
    pub(super) fn next_part(&self) -> u64 {
        self.next_part
    }

    pub(super) fn find(&self, name: Name) -> Found {
        let parts = || self.segments.iter().flat_map(|segment| &segment.parts);
        let found = match name {
            Name::Part(number) if number == self.next_part && !self.ended => return Found::Coming,
            Name::Header(wanted) => self.headers.iter().find(|(number, _)| *number == wanted).map(|(_, bytes)| bytes.clone()),
            Name::Segment(wanted) => {
                self.segments.iter().find(|segment| segment.number == wanted).and_then(|segment| segment.whole.clone())
            }
            Name::Part(wanted) => parts().find(|part| part.number == wanted).map(|part| part.bytes.clone()),
        };
        found.map_or(Found::Nothing, Found::File)
    }

    /// Names no more segments than must be, and forgets those that nobody asks for any more; called when all are whole.
    fn forget(&mut self) {
        let mut left: u64 = self.listed().map(Segment::duration).sum();
        let durations: Vec<_> = self.listed().map(Segment::duration).collect();
        for (n, duration) in durations.iter().enumerate() {
            left -= duration;
            if durations.len() - n <= LISTED || left < LISTED_FOR {
                break;
            }
            self.first += 1;
        }
        let gone = self.segments.iter().take_while(|segment| segment.number + LEFT_OVER < self.first).count();
        self.discontinuities += self.segments.drain(..gone).filter(|segment| segment.discontinuity).count() as u64;
        let in_use = self.segments.front().map_or(0, |first| first.header);
        self.headers.retain(|(number, _)| *number >= in_use);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::hls::segmenter::Opening;

    fn piece(text: &'static str, opens: bool, closes: bool) -> Piece {
        let opening = Opening { at: MediaTime::ZERO, header: Some(Bytes::from_static(b"header")), discontinuity: false };
        Piece {
            opens: opens.then_some(opening),
            closes,
            duration: 2000 * MS,
            independent: opens,
            bytes: Bytes::from_static(text.as_bytes()),
        }
    }

    #[test]
    fn a_segment_is_its_parts_one_after_another_and_has_a_name_once_it_is_whole() {
        let mut window = Window::default();
        window.take(piece("one", true, false));
        assert_eq!(window.find(Name::Segment(0)), Found::Nothing);
        assert_eq!((window.find(Name::Part(1)), window.find(Name::Part(2))), (Found::Coming, Found::Nothing));
        window.take(piece("two", false, true));
        assert_eq!(window.find(Name::Segment(0)), Found::File(Bytes::from_static(b"onetwo")));
        assert_eq!(window.find(Name::Part(1)), Found::File(Bytes::from_static(b"two")));
        window.end();
        assert_eq!(window.find(Name::Part(2)), Found::Nothing);
    }

    #[test]
    fn what_no_playlist_names_any_more_can_be_had_for_a_while_and_then_not() {
        let mut window = Window::default();
        for _ in 0..14 {
            window.take(piece("x", true, true));
        }
        assert_eq!(window.listed().map(|segment| segment.number).collect::<Vec<_>>(), (8..14).collect::<Vec<_>>());
        assert!(matches!(window.find(Name::Segment(1)), Found::File(_)));
        for gone in [Name::Segment(0), Name::Part(0), Name::Header(0)] {
            assert_eq!(window.find(gone), Found::Nothing, "{gone}");
        }
    }

    #[test]
    fn a_name_is_written_in_one_way() {
        assert_eq!(Name::parse("p17.mp4"), Some(Name::Part(17)));
        for wrong in
            ["p017.mp4", "p+1.mp4", "p-1.mp4", "p.mp4", "p1.mp", "x1.mp4", "p1.mp4.mp4", "ä1.mp4", "p99999999999999999999.mp4", "", ".mp4"]
        {
            assert_eq!(Name::parse(wrong), None, "{wrong}");
        }
    }
}
