//! How fast packets may leave: a rate, and how much of it has been spent.
//!
//! In: a rate, what leaves. Out: whether the next may, and when. Never: more in any time than the rate allows for it, but for
//! [`BURST`] and one packet.

use std::time::Duration;

use crate::media::MediaTime;

/// What may leave at once after a pause: what a timer would hold apart for no use.
pub(super) const BURST: Duration = Duration::from_millis(5);
/// Who waits is woken when this much may leave, rather than for each packet.
const BATCH: Duration = Duration::from_millis(4);
/// What does not wait puts off the rest by no more than this.
const MAX_DEBT: Duration = Duration::from_millis(200);

/// The allowance of one session.
#[derive(Debug)]
pub(super) struct Pace {
    bits_per_second: f64,
    /// What has left is paid for by then.
    paid_at: MediaTime,
}

impl Pace {
    /// At this rate.
    pub(super) fn new(bits_per_second: f64) -> Self {
        Self { bits_per_second, paid_at: MediaTime::ZERO }
    }

    /// Changes the rate, in bits a second.
    pub(super) fn set(&mut self, bits_per_second: f64) {
        self.bits_per_second = bits_per_second;
    }

    /// The bytes of a time at this rate.
    pub(super) fn bytes_in(&self, time: Duration) -> usize {
        (self.bits_per_second * time.as_secs_f64() / 8.0) as usize
    }

    /// Whether a packet may leave.
    pub(super) fn is_free(&self, now: MediaTime) -> bool {
        self.paid_at <= now
    }

    /// When to look again where something waits.
    pub(super) fn next(&self) -> MediaTime {
        self.paid_at + BATCH
    }

    /// A packet leaves.
    pub(super) fn spend(&mut self, now: MediaTime, bytes: usize) {
        let cost = Duration::from_secs_f64(bytes as f64 * 8.0 / self.bits_per_second);
        self.paid_at = (self.paid_at.max(now - BURST) + cost).min(now + MAX_DEBT);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_rate_allows(
            kilobits in 100u32..10_000, sizes in proptest::collection::vec(50usize..1300, 1..400), pauses in proptest::collection::vec(0u64..30, 1..400),
        ) {
            let rate = f64::from(kilobits) * 1000.0;
            let (mut pace, mut now, mut left) = (Pace::new(rate), MediaTime::from_millis(1000), Vec::new());
            for (size, pause) in sizes.iter().zip(pauses.iter().cycle()) {
                now += Duration::from_millis(*pause);
                now = now.max(if pace.is_free(now) { now } else { pace.next() });
                pace.spend(now, *size);
                left.push((now, *size));
            }
            for (n, (begin, _)) in left.iter().enumerate() {
                let window = left[n..].iter().take_while(|(at, _)| at.since(*begin) < Duration::from_millis(100));
                let bytes: usize = window.map(|(_, size)| size).sum();
                prop_assert!(bytes as f64 * 8.0 <= rate * 0.105 + 1300.0 * 8.0 + 1.0);
            }
        }
    }
}
