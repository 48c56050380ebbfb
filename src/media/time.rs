//! Media time: nanoseconds on one monotonic line that the whole process shares.
//!
//! Pure code takes `now: MediaTime`; only drivers hold a [`Clock`].

use std::ops::{Add, AddAssign, Sub};
use std::time::{Duration, Instant};

/// A point on the process's monotonic line, in nanoseconds since the [`Clock`] was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaTime(u64);

impl MediaTime {
    /// The line's origin.
    pub const ZERO: Self = Self(0);

    /// The point `nanos` nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The point `millis` milliseconds after the origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000_000)
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the origin.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Time since `earlier`, zero where `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// This point in units of an RTP clock of `rate` hertz, modulo 2³² (RFC 3550 §5.1).
    pub const fn rtp(self, rate: u32) -> u32 {
        (self.0 as u128 * rate as u128 / 1_000_000_000) as u32
    }
}

impl Add<Duration> for MediaTime {
    type Output = Self;
    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(d.as_nanos() as u64))
    }
}

impl AddAssign<Duration> for MediaTime {
    fn add_assign(&mut self, d: Duration) {
        *self = *self + d;
    }
}

impl Sub<Duration> for MediaTime {
    type Output = Self;
    fn sub(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(d.as_nanos() as u64))
    }
}

/// The one source of real time; made once, copied to the drivers.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// A clock whose line begins here.
    #[expect(clippy::new_without_default, clippy::disallowed_methods, reason = "this is where drivers get real time from")]
    pub fn new() -> Self {
        Self(Instant::now())
    }

    /// The present point.
    #[expect(clippy::disallowed_methods, reason = "this is where drivers get real time from")]
    pub fn now(&self) -> MediaTime {
        MediaTime(Instant::now().duration_since(self.0).as_nanos() as u64)
    }

    /// The operating system's instant for a point, for time-outs in `std` and `tokio` calls.
    pub fn instant(&self, at: MediaTime) -> Instant {
        self.0 + Duration::from_nanos(at.0)
    }

    /// The point for an operating system's instant; the origin where it lies before it.
    pub fn at(&self, instant: Instant) -> MediaTime {
        MediaTime(instant.saturating_duration_since(self.0).as_nanos() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rtp_time_wraps_at_32_bits_without_a_jump() {
        let hours = MediaTime::from_millis(20 * 3600 * 1000);
        let later = hours + Duration::from_millis(20);
        assert_eq!(later.rtp(48_000).wrapping_sub(hours.rtp(48_000)), 960);
    }

    #[test]
    fn time_since_a_later_point_is_zero() {
        assert_eq!(MediaTime::ZERO.since(MediaTime::from_millis(5)), Duration::ZERO);
    }
}
