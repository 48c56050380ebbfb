//! When a recording ends by itself. Pure.
//!
//! In: looks at the room and at the disk, a few times a second. Out: the end, and why. Never: an end because nobody has come yet.

use std::time::Duration;

use super::{Ended, disk};
use crate::media::MediaTime;

/// How long nobody who takes part may be there, once somebody was.
pub(super) const DESERTED: Duration = Duration::from_secs(60);
/// How much later than the recording its first picture comes at most: a track that sees its own end has ended by then.
const LATE: Duration = Duration::from_secs(10);

/// What bounds one recording.
#[derive(Clone, Debug)]
pub(super) struct Term {
    until: MediaTime,
    max_seconds: u32,
    min_free_bytes: u64,
    last_seen: Option<MediaTime>,
}

/// What there is at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) now: MediaTime,
    pub(super) has_people: bool,
    /// What the disk has left; `None` where it does not tell.
    pub(super) free: Option<u64>,
}

impl Term {
    pub(super) fn new(until: MediaTime, max_seconds: u32, min_free_bytes: u64) -> Self {
        Self { until, max_seconds, min_free_bytes, last_seen: None }
    }

    /// Whether it ends here.
    pub(super) fn look(&mut self, look: Look) -> Option<Ended> {
        if look.has_people {
            self.last_seen = Some(look.now);
        }
        if let Some(shortage) = look.free.and_then(|free| disk::shortage(free, self.min_free_bytes)) {
            return Some(Ended::Failed(shortage));
        }
        if look.now >= self.until + LATE {
            return Some(too_long(self.max_seconds));
        }
        self.last_seen.filter(|last| look.now.since(*last) >= DESERTED).map(|_| Ended::Complete)
    }
}

/// What is said of a recording that has become as long as it may.
pub(super) fn too_long(max_seconds: u32) -> Ended {
    Ended::LimitReached(format!("it is as long as it may be: {max_seconds} seconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term() -> Term {
        Term::new(MediaTime::from_millis(600_000), 600, 1000)
    }

    fn look(millis: u64, has_people: bool) -> Look {
        Look { now: MediaTime::from_millis(millis), has_people, free: Some(5000) }
    }

    #[test]
    fn an_hour_of_nobody_is_recorded_and_a_minute_of_nobody_any_more_is_the_end() {
        let mut term = Term::new(MediaTime::from_millis(10_000_000), 10_000, 1000);
        assert!((0..3600).all(|second| term.look(look(1000 * second, false)).is_none()));
        assert_eq!(term.look(look(3_600_000, true)), None);
        assert_eq!((term.look(look(3_659_999, false)), term.look(look(3_660_000, false))), (None, Some(Ended::Complete)));
    }

    #[test]
    fn somebody_who_comes_back_within_the_minute_keeps_it_going() {
        let mut term = term();
        let there = |second: u64| second.is_multiple_of(59);
        assert!((0..500).all(|second| term.look(look(1000 * second, there(second))).is_none()));
    }

    #[test]
    fn it_ends_at_its_length_though_tracks_go_on() {
        let mut term = term();
        assert_eq!(term.look(look(609_999, true)), None);
        assert_eq!(term.look(look(610_000, true)), Some(too_long(600)));
    }

    #[test]
    fn a_disk_with_too_little_left_ends_it_before_it_is_full() {
        let mut term = term();
        assert_eq!(term.look(Look { free: Some(1000), ..look(1, true) }), None);
        assert_eq!(term.look(Look { free: None, ..look(2, true) }), None);
        let Some(Ended::Failed(reason)) = term.look(Look { free: Some(999), ..look(3, true) }) else { panic!("it goes on") };
        assert!(reason.contains("999") && reason.contains("min_free_bytes"), "{reason}");
    }
}
