//! What a judge found over time: gaps in what is seen and heard, and the delays of sound one by one.
//!
//! In: moments at which something was seen or heard. Out: the gaps between them. Never: more memory for a longer run.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use super::super::wall::Wall;

/// Gaps that are remembered of one tile or tone, and delays of one tone: an hour's.
const GAPS: usize = 500;
const DELAYS: usize = 3600;

/// From the last moment at which something was there to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When it was there last.
    pub from: Wall,
    /// When it was there again.
    pub to: Wall,
}

/// A tone's pause, as it was heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DelayAt {
    /// When.
    pub at: Wall,
    /// How late, in milliseconds.
    pub ms: f64,
}

/// What one bot found over time. A gap that has not ended ends at the moment of asking.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// For each number that was seen: where nothing newer was.
    pub tiles: BTreeMap<u16, Vec<Gap>>,
    /// For each tone that was heard: where it was not, but for its own pauses.
    pub tones: BTreeMap<u16, Vec<Gap>>,
    /// For each tone that was heard: its pauses' delays.
    pub delays: BTreeMap<u16, Vec<DelayAt>>,
}

impl Gap {
    /// Its length in milliseconds.
    pub fn ms(&self) -> f64 {
        self.to.ms_since(self.from)
    }
}

/// How long after `end` something was back: 0 where it was never gone. A gap that begins within `grace_ms` of it counts too, for
/// something that flickers is not back.
pub fn back_after_ms(gaps: &[Gap], end: Wall, grace_ms: f64) -> f64 {
    let of_it = gaps.iter().filter(|gap| gap.to > end && gap.from.ms_since(end) < grace_ms);
    of_it.map(|gap| gap.to.ms_since(end)).fold(0.0, f64::max)
}

/// Follows when something is there.
#[derive(Clone, Debug, Default)]
pub(super) struct Presence {
    first: Option<Wall>,
    last: Option<Wall>,
    gaps: VecDeque<Gap>,
}

impl Presence {
    /// It is there; it was not if the last time was longer ago than this.
    pub(super) fn note(&mut self, at: Wall, usual_ms: f64) {
        let Some(last) = self.last else {
            (self.first, self.last) = (Some(at), Some(at));
            return;
        };
        if at.ms_since(last) > usual_ms {
            push_bounded(&mut self.gaps, Gap { from: last, to: at }, GAPS);
        }
        self.last = Some(last.max(at));
    }

    /// Forgets gaps, but for one that has not ended.
    pub(super) fn begin(&mut self) {
        self.gaps.clear();
    }

    /// When it was there; gaps of no more than `away_ms`, and those too long ago to be remembered, do not count.
    pub(super) fn stays(&self, away_ms: f64) -> Vec<Range<Wall>> {
        let (Some(first), Some(last)) = (self.first, self.last) else { return Vec::new() };
        let away = || self.gaps.iter().filter(|gap| gap.ms() > away_ms);
        let begins = std::iter::once(first).chain(away().map(|gap| gap.to));
        let ends = away().map(|gap| gap.from).chain([last]);
        begins.zip(ends).map(|(from, to)| from..to).collect()
    }

    /// Its gaps up to `now`.
    pub(super) fn gaps(&self, now: Wall, usual_ms: f64) -> Vec<Gap> {
        let open = self.last.map(|from| Gap { from, to: now }).filter(|gap| gap.ms() > usual_ms);
        self.gaps.iter().copied().chain(open).collect()
    }
}

/// The delays of one tone.
#[derive(Clone, Debug, Default)]
pub(super) struct Delays(VecDeque<DelayAt>);

impl Delays {
    pub(super) fn note(&mut self, at: Wall, ms: f64) {
        push_bounded(&mut self.0, DelayAt { at, ms }, DELAYS);
    }

    pub(super) fn all(&self) -> Vec<DelayAt> {
        self.0.iter().copied().collect()
    }
}

/// The oldest goes where there is no room.
fn push_bounded<T>(queue: &mut VecDeque<T>, item: T, most: usize) {
    if queue.len() == most {
        queue.pop_front();
    }
    queue.push_back(item);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Wall {
        Wall::from_micros(1_700_000_000_000_000 + millis * 1000)
    }

    #[test]
    fn what_is_gone_for_longer_than_usual_leaves_a_gap_and_so_does_what_never_came_back() {
        let mut presence = Presence::default();
        for at in [0, 30, 60, 900, 930] {
            presence.note(ms(at), 150.0);
        }
        let ended = Gap { from: ms(60), to: ms(900) };
        assert_eq!(presence.gaps(ms(1000), 150.0), [ended]);
        assert_eq!(presence.gaps(ms(2000), 150.0), [ended, Gap { from: ms(930), to: ms(2000) }]);
        assert_eq!(presence.stays(500.0), [ms(0)..ms(60), ms(900)..ms(930)]);
        assert_eq!(presence.stays(1000.0), [ms(0)..ms(930)]);
    }

    #[test]
    fn something_is_back_when_its_last_gap_after_the_moment_has_ended() {
        let gaps = [Gap { from: ms(0), to: ms(500) }, Gap { from: ms(900), to: ms(3300) }, Gap { from: ms(3350), to: ms(3700) }];
        assert_eq!(back_after_ms(&gaps, ms(3000), 500.0), 700.0);
        assert_eq!(back_after_ms(&gaps, ms(4000), 500.0), 0.0);
        assert_eq!(back_after_ms(&gaps[..2], ms(600), 200.0), 0.0);
    }

    #[test]
    fn a_longer_run_takes_no_more_memory() {
        let mut presence = Presence::default();
        (0..5000).for_each(|n| presence.note(ms(n * 1000), 150.0));
        assert_eq!(presence.gaps(ms(4_999_000), 150.0).len(), GAPS);
    }
}
