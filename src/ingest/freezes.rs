//! When somebody's picture stood still while it should have moved, as WebRTC's statistics count it (`freezeCount`).
//!
//! In: the moments from which pictures are shown. Out: how long each freeze was. Never: a pause that the sender made itself.

use std::collections::VecDeque;
use std::time::Duration;

use crate::media::MediaTime;

/// Pictures whose mean distance is the measure.
const PICTURES: usize = 30;
/// Longer than the mean by less is no freeze.
const MARGIN: Duration = Duration::from_millis(150);

/// One picture after the other.
#[derive(Debug, Default)]
pub(super) struct Freezes {
    last: Option<MediaTime>,
    apart: VecDeque<Duration>,
}

impl Freezes {
    /// Takes the moment of the next picture; `paused` where the sender sent none for as long itself. Gives how long the one before it
    /// froze.
    pub(super) fn note(&mut self, shown: MediaTime, paused: bool) -> Option<Duration> {
        let apart = shown.since(self.last.replace(shown)?);
        let mean = self.apart.iter().sum::<Duration>() / self.apart.len().max(1) as u32;
        let frozen = !self.apart.is_empty() && !paused && apart >= (3 * mean).max(mean + MARGIN);
        if paused {
            return None;
        }
        if self.apart.len() == PICTURES {
            self.apart.pop_front();
        }
        self.apart.push_back(apart);
        frozen.then_some(apart)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freeze_is_what_exceeds_the_rhythm_by_far_and_a_pause_is_none() {
        let (mut freezes, mut now) = (Freezes::default(), MediaTime::ZERO);
        let mut after = |ms: u64, paused| {
            now += Duration::from_millis(ms);
            freezes.note(now, paused)
        };
        (0..60).for_each(|_| assert_eq!(after(33, false), None));
        assert_eq!((after(180, false), after(10_000, true), after(33, false)), (None, None, None));
        assert_eq!(after(400, false), Some(Duration::from_millis(400)));
        for _ in 0..60 {
            after(1000, false);
        }
        assert_eq!((after(2000, false), after(3100, false)), (None, Some(Duration::from_millis(3100))), "rare pictures freeze late");
    }
}
