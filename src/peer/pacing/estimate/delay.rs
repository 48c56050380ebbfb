//! How long packets wait in the line's queue, from the times at which they left and came.
//!
//! In: both times of each packet, on two clocks that have nothing to do with each other but run about equally fast. Out: the wait of
//! each tenth of a second, and whether it is more than the line's own jitter. Never: a word from fewer than [`MIN_PACKETS`] packets.

use std::time::Duration;

use crate::media::MediaTime;

/// Packets that left in this time make one reading.
const WINDOW: Duration = Duration::from_millis(100);
/// Fewer tell nothing.
const MIN_PACKETS: usize = 4;
/// The shortest way of the last one or two of these counts as the way without a queue: long enough to see an empty queue, short enough
/// for clocks that drift apart by 200 ppm.
const BASE: Duration = Duration::from_secs(10);
/// A queue of less is no sign of congestion: a keyframe makes it.
const NOTICED_US: i64 = 50_000;
/// Where packets of one moment vary by more, only a queue of a multiple of that is noticed.
const SPREADS: f64 = 3.0;
const MAX_SPREAD_US: f64 = 80_000.0;

/// One window's wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// What all but the quickest quarter waited, in microseconds.
    pub(super) wait_us: i64,
    /// It is more than jitter, and has been for two windows, without a sign that it ends.
    pub(super) is_congested: bool,
    /// There is next to none.
    pub(super) is_idle: bool,
}

/// The queue of one line.
#[derive(Debug, Default)]
pub(super) struct QueueDelay {
    /// Of this window: how long each was under way, but for an unknown constant.
    ways: Vec<i64>,
    began: Option<MediaTime>,
    /// The shortest ways of the last two periods, and since when the second lasts.
    shortest: [Option<i64>; 2],
    period_began: MediaTime,
    /// How packets of one window differ, in microseconds.
    spread_us: f64,
    last_wait_us: i64,
    /// Readings above the threshold, in a row.
    above: u32,
}

impl QueueDelay {
    /// Takes a packet; a reading, where it ends a window.
    pub(super) fn note(&mut self, left: MediaTime, came_us: i64) -> Option<Reading> {
        let began = *self.began.get_or_insert(left);
        let reading = if left.since(began) >= WINDOW && self.ways.len() >= MIN_PACKETS {
            self.began = Some(left);
            Some(self.close(left))
        } else {
            None
        };
        self.ways.push(came_us.saturating_sub((left.as_nanos() / 1000) as i64));
        reading
    }

    /// What stands in the queue is not ours: it is taken for the line's own delay from here on.
    pub(super) fn accept(&mut self) {
        let base = self.base().map(|base| base.saturating_add(self.last_wait_us));
        self.shortest = [base, base];
        self.above = 0;
    }

    fn base(&self) -> Option<i64> {
        self.shortest.iter().flatten().min().copied()
    }

    fn close(&mut self, now: MediaTime) -> Reading {
        self.ways.sort_unstable();
        let [shortest, quarter, middle] = [0, self.ways.len() / 4, self.ways.len() / 2].map(|n| self.ways[n]);
        self.ways.clear();
        if now.since(self.period_began) > BASE {
            self.period_began = now;
            self.shortest = [self.shortest[1], None];
        }
        self.shortest[1] = Some(self.shortest[1].map_or(shortest, |before| before.min(shortest)));
        let wait_us = quarter.saturating_sub(self.base().unwrap_or(shortest));
        // A queue that grows spreads the packets of a window, too; it does so for a few windows only
        let spread = (middle.saturating_sub(quarter) as f64).min(MAX_SPREAD_US);
        self.spread_us += 0.05 * (spread - self.spread_us);
        self.judge(wait_us)
    }

    fn judge(&mut self, wait_us: i64) -> Reading {
        let noticed = NOTICED_US.max((SPREADS * self.spread_us) as i64);
        self.above = if wait_us > noticed { self.above + 1 } else { 0 };
        let is_ending = wait_us < self.last_wait_us.saturating_sub(5000);
        self.last_wait_us = wait_us;
        Reading { wait_us, is_congested: self.above >= 2 && !is_ending, is_idle: wait_us < noticed / 2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Readings of a packet each 10 ms that is under way for `way_us` of its number.
    fn readings(packets: u64, way_us: impl Fn(u64) -> i64) -> Vec<Reading> {
        let mut delay = QueueDelay::default();
        let came = |n: u64| 10_000 * n as i64 + way_us(n) - 7_000_000;
        (0..packets).filter_map(|n| delay.note(MediaTime::from_millis(10 * n), came(n))).collect()
    }

    #[test]
    fn a_queue_that_grows_is_noticed_and_one_that_ends_is_not() {
        let growing = readings(200, |n| 30_000 + 1000 * n.saturating_sub(100) as i64);
        let noticed = growing.iter().position(|reading| reading.is_congested).unwrap();
        assert!((15..19).contains(&noticed), "{noticed}");
        let burst = readings(200, |n| 30_000 + (90_000 - 8000 * (n as i64 - 100).abs()).max(0));
        assert!(burst.iter().all(|reading| !reading.is_congested));
    }

    #[test]
    fn jitter_and_clocks_that_drift_apart_are_no_queue() {
        let jitter = readings(3000, |n| (n * 7919 % 401) as i64 * 1000);
        assert!(jitter[20..].iter().all(|reading| !reading.is_congested));
        let drift = readings(30_000, |n| 2 * n as i64);
        assert!(drift.iter().all(|reading| reading.is_idle));
    }

    #[test]
    fn a_longer_way_counts_as_its_own_after_a_while() {
        let readings = readings(4000, |n| if n < 1000 { 10_000 } else { 90_000 });
        assert!(readings[105].is_congested);
        assert!(readings.last().unwrap().is_idle);
    }
}
