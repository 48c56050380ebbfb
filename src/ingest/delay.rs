//! How late a sender's sound packets come, seen over the last seconds.
//!
//! In: each packet's transit, that is its arrival less its timestamp, in samples at 48 kHz. Only differences of transits
//! mean anything, since the two clocks have nothing in common. Out: the transit that hardly any packet exceeds.
//! Never: more than [`MAX_KEPT`] of them, or a single stall taken for another clock.

use std::collections::VecDeque;
use std::time::Duration;

use super::drift::Drift;
use crate::media::MediaTime;

/// A millisecond of sound, in samples.
pub(super) const MILLISECOND: i64 = 48;
/// How long a packet counts.
const MEMORY: Duration = Duration::from_secs(5);
/// Packets that count at most: five seconds of 20 ms ones.
const MAX_KEPT: usize = 256;
/// Of a hundred packets, those that may come too late.
const TOLERATED_PERCENT: usize = 2;
/// What is needed exceeds what most packets take by no more, in samples.
const MAX_SPREAD: i64 = 180 * MILLISECOND;
/// Most packets take no more than this beyond the fastest.
const MAX_TYPICAL: i64 = 200 * MILLISECOND;
/// Beyond this a packet says nothing about jitter: a stall, or a sender that stopped its clock.
const OUTLYING: i64 = 300 * MILLISECOND;
/// After so much time of nothing but outliers the sender's clock was set anew.
const NEW_CLOCK_AFTER: Duration = Duration::from_millis(500);

/// The transits of the last seconds.
#[derive(Debug, Default)]
pub(super) struct Delays {
    kept: VecDeque<(MediaTime, i64)>,
    sorted: Vec<i64>,
    least: i64,
    typical: i64,
    needed: i64,
    outlying_since: Option<MediaTime>,
    drift: Drift,
}

impl Delays {
    /// Takes a packet's transit.
    pub(super) fn note(&mut self, transit: i64, arrival: MediaTime) {
        if !self.fits(transit) && !self.is_new_clock(arrival) {
            return;
        }
        self.outlying_since = None;
        self.drift.note(transit, arrival);
        self.kept.push_back((arrival, transit));
        let old = |at: &(MediaTime, i64)| arrival.since(at.0) > MEMORY;
        while self.kept.len() > MAX_KEPT || self.kept.front().is_some_and(old) {
            self.kept.pop_front();
        }
        self.measure();
    }

    /// Whether this transit is like the others.
    pub(super) fn fits(&self, transit: i64) -> bool {
        self.kept.is_empty() || (-OUTLYING..=MAX_TYPICAL + MAX_SPREAD + OUTLYING).contains(&transit.saturating_sub(self.least))
    }

    /// Whether the packets at present fit, so that the delay may be changed by what they say.
    pub(super) fn settled(&self) -> bool {
        self.outlying_since.is_none()
    }

    /// By how much transits will have grown `after` this, because the clocks drift apart.
    pub(super) fn growth(&self, after: Duration) -> i64 {
        self.drift.ahead(after)
    }

    /// The transit of the fastest packets.
    pub(super) fn least(&self) -> i64 {
        self.least
    }

    /// The transit that half of the packets do not exceed, at most 200 ms above the least.
    pub(super) fn typical(&self) -> i64 {
        self.typical
    }

    /// The transit that hardly any packet exceeds, at most 180 ms above the typical one.
    pub(super) fn needed(&self) -> i64 {
        self.needed
    }

    fn is_new_clock(&mut self, arrival: MediaTime) -> bool {
        let since = *self.outlying_since.get_or_insert(arrival);
        let anew = arrival.since(since) >= NEW_CLOCK_AFTER;
        if anew {
            self.kept.clear();
        }
        anew
    }

    fn measure(&mut self) {
        self.sorted.clear();
        self.sorted.extend(self.kept.iter().map(|(_, transit)| *transit));
        let last = self.sorted.len() - 1;
        let rank = last - self.sorted.len() * TOLERATED_PERCENT / 100;
        let (below, quantile, _) = self.sorted.select_nth_unstable(rank);
        let (quantile, least) = (*quantile, below.iter().copied().min().unwrap_or(*quantile));
        let typical = *self.sorted.select_nth_unstable(last / 2).1;
        self.least = least;
        self.typical = typical.min(least.saturating_add(MAX_TYPICAL));
        self.needed = quantile.min(self.typical.saturating_add(MAX_SPREAD));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_late_packet_in_a_hundred_does_not_count_and_five_do() {
        for (every, needed) in [(100, 10), (20, 50)] {
            let mut delays = Delays::default();
            (0..250).for_each(|n| delays.note(if n % every == 7 { 50 } else { 10 }, at(20 * n)));
            assert_eq!((delays.least(), delays.needed()), (10, needed));
        }
    }

    #[test]
    fn what_is_older_than_five_seconds_is_forgotten() {
        let mut delays = Delays::default();
        (0..20).for_each(|n| delays.note(5000, at(20 * n)));
        (20..400).for_each(|n| delays.note(0, at(20 * n)));
        assert_eq!(delays.needed(), 0);
    }

    #[test]
    fn a_stall_is_no_jitter_but_a_clock_set_anew_is_followed() {
        let mut delays = Delays::default();
        delays.note(0, at(0));
        (0..25).for_each(|n| delays.note(90_000, at(20 * n)));
        assert!(delays.needed() == 0 && !delays.settled());
        delays.note(90_000, at(500));
        assert!(delays.least() == 90_000 && delays.settled());
    }

    #[test]
    fn a_stall_that_ends_leaves_no_trace() {
        let mut delays = Delays::default();
        for n in 0..400 {
            let stalled = (100..103).contains(&(n % 200));
            delays.note(if stalled { 48_000 } else { 3 }, at(20 * n));
        }
        assert_eq!((delays.needed(), delays.settled()), (3, true));
    }

    #[test]
    fn the_jitter_followed_is_bounded() {
        let mut delays = Delays::default();
        (0..200).for_each(|n| delays.note((n % 2) as i64 * 20_000, at(20 * n)));
        assert_eq!(delays.needed() - delays.least(), MAX_SPREAD);
    }

    #[test]
    fn extreme_transits_do_not_overflow() {
        let mut delays = Delays::default();
        for (n, transit) in [i64::MAX, i64::MIN, 0, i64::MAX].into_iter().cycle().take(500).enumerate() {
            delays.note(transit, at(20 * n as u64));
        }
        assert!(delays.needed() >= delays.least());
    }

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }
}
