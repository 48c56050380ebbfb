//! What a blocking request waits for: delivery directives (rfc8216bis §6.2.5.2).
//!
//! In: `_HLS_msn` and `_HLS_part`; how far the playlist is. Out: whether it has it, or it is too far ahead to wait for.

use super::window::Window;
use super::{PART, TO_BEGIN};
use crate::container::mp4::PICTURE_CLOCK;

/// Segments after the last whole one that can be waited for.
const SEGMENTS_AHEAD: u64 = 2;
/// The Advance Part Limit: three seconds of parts.
const PARTS_AHEAD: u64 = (3 * PICTURE_CLOCK as u64).div_ceil(PART);

/// A playlist that a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// `_HLS_msn`: it has this segment.
    pub segment: u64,
    /// `_HLS_part`: it has this part of the segment, counted from 0; `None` for all of it.
    pub part: Option<u64>,
}

/// How far a playlist is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reached {
    /// The Media Sequence Number of the segment that is open, or is opened next.
    open: u64,
    /// Its parts.
    parts: u64,
    /// The parts of the segment before.
    parts_before: u64,
}

impl Reached {
    pub(super) fn by(window: &Window) -> Self {
        let [before, last] = window.listed().fold([None, None], |[_, last], segment| [last, Some(segment)]);
        let Some(last) = last else { return Self::default() };
        let parts = last.parts.len() as u64;
        if last.is_whole() {
            return Self { open: last.number + 1, parts: 0, parts_before: parts };
        }
        Self { open: last.number, parts, parts_before: before.map_or(0, |before| before.parts.len() as u64) }
    }

    /// Whether there is enough for any player to begin with.
    pub(super) fn is_enough_to_begin(self) -> bool {
        self.open >= TO_BEGIN
    }

    /// Whether the playlist has what is asked for.
    pub(super) fn has(self, Wanted { segment, part }: Wanted) -> bool {
        let Some(part) = part else { return segment < self.open };
        if segment.checked_add(1) == Some(self.open) && part >= self.parts_before {
            // A part that the segment does not have is the next one's first
            return self.parts > 0;
        }
        segment < self.open || (segment == self.open && part < self.parts)
    }

    /// Whether it is so far ahead that it is not waited for.
    pub(super) fn is_too_far(self, Wanted { segment, part }: Wanted) -> bool {
        let parts = if segment == self.open { self.parts } else { 0 };
        segment >= self.open + SEGMENTS_AHEAD || (segment >= self.open && part.is_some_and(|part| part >= parts + PARTS_AHEAD))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REACHED: Reached = Reached { open: 7, parts: 2, parts_before: 6 };

    fn wanted(segment: u64, part: Option<u64>) -> Wanted {
        Wanted { segment, part }
    }

    #[test]
    fn a_playlist_has_what_is_whole_and_the_parts_of_what_is_not() {
        for (there, segment, part) in [
            (true, 6, None),
            (false, 7, None),
            (true, 0, Some(90)),
            (true, 6, Some(5)),
            (true, 6, Some(6)),
            (true, 7, Some(1)),
            (false, 7, Some(2)),
            (false, 8, Some(0)),
        ] {
            assert_eq!(REACHED.has(wanted(segment, part)), there, "{segment} {part:?}");
        }
        assert!(!Reached { parts: 0, ..REACHED }.has(wanted(6, Some(6))), "a part beyond a segment's last is the next one's first");
    }

    #[test]
    fn who_asks_for_what_is_far_ahead_is_told_at_once() {
        for (too_far, segment, part) in [
            (false, 8, None),
            (true, 9, None),
            (false, 7, Some(10)),
            (true, 7, Some(11)),
            (false, 8, Some(8)),
            (true, 8, Some(9)),
            (true, u64::MAX, Some(u64::MAX)),
            (false, 3, Some(u64::MAX)),
        ] {
            assert_eq!(REACHED.is_too_far(wanted(segment, part)), too_far, "{segment} {part:?}");
        }
    }
}
