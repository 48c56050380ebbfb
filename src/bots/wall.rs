//! The time that bots stamp on what they send and compare on what they receive.
//!
//! In: points of the process's monotonic line. Out: the same points on the wall clock, read once when the
//! [`Epoch`] is made, so that bots of several processes on one machine agree. Never: a clock that jumps.

use crate::media::{Clock, MediaTime};

/// A point on the wall clock, in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wall(u64);

/// How many milliseconds a stamp's clock counts before it wraps: 2²⁶, 18.6 hours.
const STAMP_SPAN: u32 = 1 << 26;

impl Wall {
    /// The point `micros` microseconds after 1970 began.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970 began.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Milliseconds from an earlier point to here; below zero where it lies ahead.
    pub fn ms_since(self, earlier: Self) -> f64 {
        (self.0 as i64).wrapping_sub(earlier.0 as i64) as f64 / 1000.0
    }

    /// The point as a stamp carries it: milliseconds modulo 2²⁶.
    pub const fn stamp_millis(self) -> u32 {
        (self.0 / 1000 % STAMP_SPAN as u64) as u32
    }

    /// Milliseconds from the newest point that has this stamp to here; below zero where the stamp lies ahead.
    pub fn since_stamp_ms(self, stamp_millis: u32) -> f64 {
        let whole = self.stamp_millis().wrapping_sub(stamp_millis) % STAMP_SPAN;
        let signed = if whole > STAMP_SPAN / 2 { f64::from(whole) - f64::from(STAMP_SPAN) } else { f64::from(whole) };
        signed + (self.0 % 1000) as f64 / 1000.0
    }
}

/// Where the process's monotonic line lies on the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Epoch {
    clock: Clock,
    origin_micros: u64,
}

impl Epoch {
    /// Reads the wall clock once.
    #[expect(
        clippy::disallowed_methods,
        clippy::new_without_default,
        reason = "bots of several processes share the wall clock, read here only"
    )]
    pub fn new() -> Self {
        let clock = Clock::new();
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self { clock, origin_micros: since_1970.as_micros() as u64 }
    }

    /// An epoch whose line begins at a known point of the wall clock.
    #[cfg(test)]
    pub(super) fn beginning_at(wall: Wall) -> Self {
        Self { clock: Clock::new(), origin_micros: wall.0 }
    }

    /// The process's monotonic clock.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The present point of the monotonic line.
    pub fn now(&self) -> MediaTime {
        self.clock.now()
    }

    /// Where `at` lies on the wall clock.
    pub fn wall(&self, at: MediaTime) -> Wall {
        Wall(self.origin_micros + at.as_nanos() / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_told_apart_from_the_present_across_its_wrap() {
        let span_us = u64::from(STAMP_SPAN) * 1000;
        let sent = Wall::from_micros(7 * span_us - 20_000);
        let seen = Wall::from_micros(7 * span_us + 25_500);
        assert_eq!(seen.since_stamp_ms(sent.stamp_millis()), 45.5);
        assert_eq!(sent.since_stamp_ms(seen.stamp_millis()), -45.0);
    }
}
