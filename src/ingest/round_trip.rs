//! How long it takes from a request to its answer.
//!
//! In: round trips, measured here and told by others. Out: the time within which an answer comes. Never: a clock.

use std::time::Duration;

/// Taken while nothing is known.
const UNKNOWN: Duration = Duration::from_millis(100);
/// Half a round trip while none is known, so that the first answer is taken for one.
const QUICK: Duration = Duration::from_millis(5);
/// More than a round trip that an answer may take, at least.
const MARGIN: Duration = Duration::from_millis(10);
/// A round trip is taken for this at most.
const LONGEST: Duration = Duration::from_secs(2);

/// A smoothed round trip and its variation (RFC 6298 §2).
#[derive(Debug, Default)]
pub(super) struct RoundTrip {
    measured: Option<(Duration, Duration)>,
    told: Option<Duration>,
}

impl RoundTrip {
    /// Takes one that others measured; it counts until the first of our own.
    pub(super) fn told(&mut self, round_trip: Duration) {
        self.told = Some(round_trip.min(LONGEST));
    }

    /// Takes one from a request to its answer.
    pub(super) fn note(&mut self, round_trip: Duration) {
        let round_trip = round_trip.min(LONGEST);
        let (mean, variation) = self.measured.unwrap_or((round_trip, round_trip / 4));
        let off = mean.abs_diff(round_trip);
        self.measured = Some(((7 * mean + round_trip) / 8, (3 * variation + off) / 4));
    }

    /// Takes one that may be shorter than it was, but not longer.
    pub(super) fn note_longer(&mut self, round_trip: Duration) {
        if self.measured.is_none_or(|(mean, _)| round_trip > mean) {
            self.note(round_trip);
        }
    }

    /// What comes sooner after a request is no answer to it.
    pub(super) fn quickest(&self) -> Duration {
        self.measured.map(|(mean, _)| mean).or(self.told).map_or(QUICK, |trip| trip / 2)
    }

    /// What has not been answered by then is asked again.
    pub(super) fn answered_within(&self) -> Duration {
        match (self.measured, self.told) {
            (Some((mean, variation)), _) => mean + (3 * variation).max(MARGIN),
            (None, Some(told)) => told + (told / 4).max(MARGIN),
            (None, None) => UNKNOWN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn what_is_measured_counts_before_what_is_told_and_that_before_nothing() {
        let mut trip = RoundTrip::default();
        assert_eq!(trip.answered_within(), MS(100));
        trip.told(MS(20));
        assert_eq!((trip.quickest(), trip.answered_within()), (MS(10), MS(30)));
        (0..40).for_each(|_| trip.note(MS(50)));
        assert_eq!((trip.quickest(), trip.answered_within()), (MS(25), MS(60)));
    }

    #[test]
    fn a_line_that_varies_gets_a_wider_margin() {
        let mut trip = RoundTrip::default();
        (0..100).for_each(|n| trip.note(MS(50 + 40 * (n % 2))));
        assert!(trip.answered_within() >= MS(100), "{:?}", trip.answered_within());
    }
}
