//! Sessions that an admin ended, remembered for a while: their pages ask what became of them, and should not come back.
//!
//! In: ids of ended sessions, time. Out: whether one was ended so. Never: more than [`MOST`] of them, or longer than [`MEMORY`].

use std::collections::VecDeque;
use std::time::Duration;

use crate::media::MediaTime;

/// By then a page has asked: its connection is closed within a second.
const MEMORY: Duration = Duration::from_secs(60);
/// The oldest is forgotten for one more.
const MOST: usize = 1024;

/// Who was sent out lately.
#[derive(Debug, Default)]
pub(super) struct Farewells(VecDeque<(MediaTime, String)>);

impl Farewells {
    /// Remembers a session from `now` on.
    pub(super) fn note(&mut self, session: String, now: MediaTime) {
        self.forget(now);
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((now, session));
    }

    /// Whether it was sent out.
    pub(super) fn knows(&mut self, session: &str, now: MediaTime) -> bool {
        self.forget(now);
        self.0.iter().any(|(_, known)| known == session)
    }

    fn forget(&mut self, now: MediaTime) {
        while self.0.front().is_some_and(|(since, _)| now.since(*since) >= MEMORY) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_sent_out_is_known_for_a_minute() {
        let mut farewells = Farewells::default();
        farewells.note("a".into(), MediaTime::from_millis(1000));
        farewells.note("b".into(), MediaTime::from_millis(31_000));
        assert!(farewells.knows("a", MediaTime::from_millis(60_999)) && !farewells.knows("c", MediaTime::from_millis(60_999)));
        assert!(!farewells.knows("a", MediaTime::from_millis(61_000)) && farewells.knows("b", MediaTime::from_millis(61_000)));
    }

    #[test]
    fn however_many_are_sent_out_a_bounded_number_is_known() {
        let mut farewells = Farewells::default();
        (0..3 * MOST).for_each(|n| farewells.note(n.to_string(), MediaTime::ZERO));
        assert_eq!(farewells.0.len(), MOST);
        assert!(farewells.knows(&(3 * MOST - 1).to_string(), MediaTime::ZERO));
    }
}
