//! Tick arithmetic: when the n-th tick of a rate is due, computed from n so that nothing drifts.
//!
//! Never: a clock. Whoever asks says what time it is.

use std::time::Duration;

use crate::media::MediaTime;

const NANOS: u64 = 1_000_000_000;

/// The ticks of one medium; tick n is due at start + n / rate.
#[derive(Clone, Debug)]
pub(super) struct Ticks {
    start: MediaTime,
    rate: u64,
    next: u64,
}

impl Ticks {
    /// Ticks at `rate` a second (at least 1), the first one due at `start`.
    pub(super) fn new(start: MediaTime, rate: u32) -> Self {
        Self { start, rate: u64::from(rate.max(1)), next: 0 }
    }

    /// When the next tick is due.
    pub(super) fn due(&self) -> MediaTime {
        self.nth(self.next)
    }

    /// Takes the next tick, giving when it was due.
    pub(super) fn take(&mut self) -> MediaTime {
        let due = self.due();
        self.next += 1;
        due
    }

    /// Lets go of all due ticks but the newest, giving how many.
    pub(super) fn skip_to_newest(&mut self, now: MediaTime) -> u64 {
        let skipped = self.newest(now).saturating_sub(self.next);
        self.next += skipped;
        skipped
    }

    /// Whole seconds and the rest apart: n × 10⁹ would overflow after a few years, and a sum of periods would drift.
    fn nth(&self, n: u64) -> MediaTime {
        self.start + Duration::from_nanos(n / self.rate * NANOS + n % self.rate * NANOS / self.rate)
    }

    /// The greatest n with ⌊n × 10⁹ / rate⌋ ≤ elapsed.
    fn newest(&self, now: MediaTime) -> u64 {
        let elapsed = now.since(self.start).as_nanos();
        let ticks = ((elapsed + 1) * u128::from(self.rate) - 1) / u128::from(NANOS);
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_hour_of_pictures_at_30_fps_does_not_drift() {
        let start = MediaTime::from_nanos(7);
        let mut ticks = Ticks::new(start, 30);
        for _ in 0..30 * 3600 {
            ticks.take();
        }
        assert_eq!(ticks.due(), start + Duration::from_secs(3600));
    }

    proptest! {
        #[test]
        fn skipping_leaves_exactly_the_newest_due_tick(rate in 1u32..=60, elapsed in 0u64..100_000_000_000) {
            let now = MediaTime::from_nanos(5 + elapsed);
            let mut ticks = Ticks::new(MediaTime::from_nanos(5), rate);
            ticks.skip_to_newest(now);
            prop_assert!(ticks.take() <= now);
            prop_assert!(ticks.due() > now);
        }

        #[test]
        fn a_tick_is_the_newest_at_the_very_nanosecond_it_is_due(rate in 1u32..=60, n in 0u64..1_000_000) {
            let ticks = Ticks::new(MediaTime::ZERO, rate);
            prop_assert_eq!(ticks.newest(ticks.nth(n)), n);
        }
    }
}
