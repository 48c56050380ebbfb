//! A bot's own clock, which may run fast or slow.
//!
//! In: points of the process's line ("real"). Out: the same points as the bot's clock has them ("own"), and back. All that a bot
//! sends is timed by its own clock: when pictures and sound are captured and sent, RTP timestamps, sender reports, its WebRTC
//! stack's timers. What it judges is timed by the real one, and so are the stamps in its pictures and its sound.

use std::time::Instant;

use super::wall::{Epoch, Wall};
use crate::media::MediaTime;

/// A bot's clock. Both lines have the same origin.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnClock {
    epoch: Epoch,
    /// Own seconds in a real one.
    pace: f64,
}

impl OwnClock {
    /// A clock that gains `drift_ppm` millionths.
    pub(super) fn new(epoch: Epoch, drift_ppm: f64) -> Self {
        Self { epoch, pace: 1.0 + drift_ppm / 1e6 }
    }

    /// The present point of the bot's line.
    pub(super) fn now(&self) -> MediaTime {
        self.of(self.epoch.now())
    }

    /// The present as the bot's WebRTC stack is told it.
    pub(super) fn instant(&self, own: MediaTime) -> Instant {
        self.epoch.clock().instant(own)
    }

    /// The real point at which the stack wants to be woken.
    pub(super) fn real_at(&self, due: Instant) -> MediaTime {
        self.real(self.epoch.clock().at(due))
    }

    /// Where a point of the bot's line lies on the wall clock.
    pub(super) fn wall(&self, own: MediaTime) -> Wall {
        self.epoch.wall(self.real(own))
    }

    fn of(&self, real: MediaTime) -> MediaTime {
        MediaTime::from_nanos((real.as_nanos() as f64 * self.pace) as u64)
    }

    /// Never earlier than the point itself, so that who sleeps until then does not wake in vain.
    fn real(&self, own: MediaTime) -> MediaTime {
        MediaTime::from_nanos((own.as_nanos() as f64 / self.pace).ceil() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_fast_clock_gains_its_millionths_and_comes_back_to_the_same_point() {
        let own = OwnClock::new(Epoch::new(), 200.0);
        let real = MediaTime::ZERO + Duration::from_secs(1200);
        assert_eq!(own.of(real).since(real), Duration::from_millis(240));
        assert!(own.real(own.of(real)).since(real) <= Duration::from_nanos(1));
        let slow = OwnClock::new(Epoch::new(), -200.0);
        assert_eq!(real.since(slow.of(real)), Duration::from_millis(240));
    }
}
