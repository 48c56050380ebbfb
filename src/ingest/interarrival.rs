//! How unevenly a stream's packets come (RFC 3550 §6.4.1, Appendix A.8).
//!
//! In: RTP times and arrivals. Out: the interarrival jitter. Never: a retransmission, which says nothing about it.

use std::time::Duration;

use crate::media::MediaTime;

/// A packet that is off by more says nothing about jitter: a pause, or another clock.
const OUTLYING: Duration = Duration::from_secs(1);

/// One stream's jitter.
#[derive(Debug, Default)]
pub(super) struct Interarrival {
    last: Option<(u32, MediaTime)>,
    seconds: f64,
}

impl Interarrival {
    /// Takes a packet of a 90 kHz stream; gives the jitter in milliseconds.
    pub(super) fn note(&mut self, timestamp: u32, arrival: MediaTime) -> f64 {
        let (before, arrived) = self.last.replace((timestamp, arrival)).unwrap_or((timestamp, arrival));
        let apart = arrival.since(arrived).as_secs_f64() - arrived.since(arrival).as_secs_f64();
        let off = (apart - f64::from(timestamp.wrapping_sub(before) as i32) / 90_000.0).abs();
        if off <= OUTLYING.as_secs_f64() {
            self.seconds += (off - self.seconds) / 16.0;
        }
        self.seconds * 1e3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_that_keep_time_have_none_and_a_pause_is_none_either() {
        let mut jitter = Interarrival::default();
        let packet = |n: u32, late_ms: u64| {
            ((n * 3000).wrapping_sub(30_000), MediaTime::from_nanos(u64::from(n) * 33_333_333 + late_ms * 1_000_000))
        };
        let mut note = |(timestamp, arrival)| jitter.note(timestamp, arrival);
        assert!((0..100).all(|n| note(packet(n, 0)) < 0.01));
        let uneven = (100..400).map(|n| note(packet(n, 10 * u64::from(n % 2)))).last().unwrap();
        assert!((uneven - 10.0).abs() < 0.1, "{uneven}");
        assert!((note(packet(400, 5000)) - uneven).abs() < 0.1);
    }
}
