//! Measures: spreads of a figure, and the pace of a stream with its freezes.
//!
//! In: figures and moments. Out: percentiles, rates, freezes. Never: more memory for a longer run.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;

use crate::media::MediaTime;

/// How a figure is spread; percentiles are exact to half a bin.
#[derive(Clone, Debug)]
pub struct Histogram {
    lowest: f64,
    step: f64,
    bins: Vec<u32>,
    count: u64,
    max: f64,
}

/// A histogram's percentiles.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The value that half of the samples do not exceed.
    pub p50: f64,
    /// The value that 95 % of the samples do not exceed.
    pub p95: f64,
    /// The largest.
    pub max: f64,
    /// How many samples there were.
    pub samples: u64,
}

impl Histogram {
    /// Values from `lowest` on in bins of `step`; what lies outside counts in the first or last of `bins`.
    pub fn new(lowest: f64, step: f64, bins: usize) -> Self {
        Self { lowest, step, bins: vec![0; bins], count: 0, max: f64::MIN }
    }

    /// For delays in milliseconds: −100 to 4900 in steps of a half.
    pub fn of_delays() -> Self {
        Self::new(-100.0, 0.5, 10_000)
    }

    /// For levels in decibels: −140 to 10 in steps of a tenth.
    pub fn of_levels() -> Self {
        Self::new(-140.0, 0.1, 1500)
    }

    /// Notes one value; what is no number is left out.
    pub fn note(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        let bin = ((value - self.lowest) / self.step).clamp(0.0, (self.bins.len() - 1) as f64);
        self.bins[bin as usize] += 1;
        self.count += 1;
        self.max = self.max.max(value);
    }

    /// The nearest-rank percentile, `part` from 0 to 1; `None` without samples.
    pub fn percentile(&self, part: f64) -> Option<f64> {
        let rank = ((part * self.count as f64).ceil() as u64).max(1);
        let mut passed = 0;
        let bin = self.bins.iter().position(|&n| {
            passed += u64::from(n);
            passed >= rank
        })?;
        Some((self.lowest + (bin as f64 + 0.5) * self.step).min(self.max))
    }

    /// Median, 95th percentile and maximum; `None` without samples.
    pub fn spread(&self) -> Option<Spread> {
        let (p50, p95) = (self.percentile(0.5)?, self.percentile(0.95)?);
        Some(Spread { p50, p95, max: self.max, samples: self.count })
    }
}

/// The pace at which pictures come, and where they stood still.
///
/// A freeze is what WebRTC's statistics call one (`freezeCount`): a gap of at least three times the mean of the last
/// thirty gaps, and at least 150 ms more than it.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    first: Option<MediaTime>,
    last: Option<MediaTime>,
    recent: VecDeque<Duration>,
    pictures: u64,
    freezes: u64,
    frozen: Duration,
    longest: Duration,
}

const RECENT_GAPS: usize = 30;

impl Pace {
    /// Notes a picture.
    pub fn note(&mut self, at: MediaTime) {
        self.pictures += 1;
        let Some(last) = self.last.replace(at) else {
            self.first = Some(at);
            return;
        };
        let gap = at.since(last);
        self.longest = self.longest.max(gap);
        if self.is_freeze(gap) {
            self.freezes += 1;
            self.frozen += gap;
        }
        if self.recent.len() == RECENT_GAPS {
            self.recent.pop_front();
        }
        self.recent.push_back(gap);
    }

    fn is_freeze(&self, gap: Duration) -> bool {
        let Some(mean) = self.recent.iter().sum::<Duration>().checked_div(self.recent.len() as u32) else {
            return false;
        };
        gap >= (3 * mean).max(mean + Duration::from_millis(150))
    }

    /// Forgets what was counted, keeps what is usual: the next gap is judged by the gaps before.
    pub fn begin(&mut self, at: MediaTime) {
        let recent = std::mem::take(&mut self.recent);
        // The last picture may be shown only then.
        let last = self.last.map(|last| last.max(at));
        *self = Self { recent, first: last.map(|_| at), last, ..Self::default() };
    }

    /// Pictures noted.
    pub fn pictures(&self) -> u64 {
        self.pictures
    }

    /// Pictures a second up to `now`, once there are two.
    pub fn rate(&self, now: MediaTime) -> Option<f64> {
        let span = now.since(self.first?).as_secs_f64();
        (self.pictures > 1 && span > 0.0).then(|| self.pictures as f64 / span)
    }

    /// What stood still up to `now`: a standstill that has not ended counts too.
    pub fn standstills(&self, now: MediaTime) -> Standstills {
        let open = self.last.map(|last| now.since(last)).unwrap_or_default();
        let frozen_now = self.is_freeze(open);
        Standstills {
            freezes: self.freezes + u64::from(frozen_now),
            frozen_ms: (self.frozen + if frozen_now { open } else { Duration::ZERO }).as_secs_f64() * 1000.0,
            longest_gap_ms: self.longest.max(open).as_secs_f64() * 1000.0,
        }
    }
}

/// Freezes of a stream or a tile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Standstills {
    /// How many.
    pub freezes: u64,
    /// How long they lasted together, in milliseconds.
    pub frozen_ms: f64,
    /// The longest gap between two pictures, frozen or not, in milliseconds.
    pub longest_gap_ms: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paced(gaps_ms: &[u64]) -> (Pace, MediaTime) {
        let mut pace = Pace::default();
        let mut at = MediaTime::from_millis(1000);
        pace.note(at);
        for &gap in gaps_ms {
            at += Duration::from_millis(gap);
            pace.note(at);
        }
        (pace, at)
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let mut delays = Histogram::of_delays();
        (1..=100).for_each(|ms| delays.note(f64::from(ms)));
        let spread = delays.spread().unwrap();
        assert_eq!((spread.max, spread.samples), (100.0, 100));
        assert!((spread.p50 - 50.0).abs() <= 0.5 && (spread.p95 - 95.0).abs() <= 0.5, "{spread:?}");
        assert_eq!(Histogram::of_delays().spread(), None);
    }

    #[test]
    fn values_out_of_range_are_counted_at_the_ends() {
        let mut delays = Histogram::of_delays();
        [-1e9, f64::NAN, 1e9].into_iter().for_each(|value| delays.note(value));
        let spread = delays.spread().unwrap();
        assert_eq!((spread.samples, spread.max), (2, 1e9));
    }

    #[test]
    fn a_gap_is_a_freeze_from_the_mean_and_150_ms_on() {
        let steady = [33; 40];
        let (below, at) = paced(&[&steady[..], &[182]].concat());
        assert_eq!(below.standstills(at).freezes, 0);
        let (above, at) = paced(&[&steady[..], &[184]].concat());
        assert_eq!(above.standstills(at), Standstills { freezes: 1, frozen_ms: 184.0, longest_gap_ms: 184.0 });
    }

    #[test]
    fn a_slow_stream_freezes_only_at_three_times_its_mean() {
        let (slow, at) = paced(&[&[200; 40][..], &[590]].concat());
        assert_eq!(slow.standstills(at).freezes, 0);
        let (slower, at) = paced(&[&[200; 40][..], &[600]].concat());
        assert_eq!(slower.standstills(at).freezes, 1);
    }

    #[test]
    fn a_stream_that_stopped_is_frozen_though_no_picture_follows() {
        let (pace, at) = paced(&[33; 40]);
        assert_eq!(pace.standstills(at + Duration::from_millis(100)).freezes, 0);
        assert_eq!(pace.standstills(at + Duration::from_secs(2)).freezes, 1);
    }

    #[test]
    fn a_picture_that_is_shown_after_the_measurement_began_is_no_gap_in_it() {
        let (mut pace, at) = paced(&[33; 40]);
        pace.begin(at - Duration::from_millis(250));
        pace.note(at + Duration::from_millis(33));
        let last = at + Duration::from_millis(33);
        assert_eq!(pace.standstills(last), Standstills { freezes: 0, frozen_ms: 0.0, longest_gap_ms: 33.0 });
    }

    #[test]
    fn what_was_before_the_measurement_is_not_counted() {
        let (mut pace, at) = paced(&[33, 33, 900, 33]);
        pace.begin(at);
        assert_eq!((pace.pictures(), pace.standstills(at)), (0, Standstills::default()));
        for n in 1..=30 {
            pace.note(at + Duration::from_millis(n * 100 / 3));
        }
        let rate = pace.rate(at + Duration::from_secs(1)).unwrap();
        assert!((rate - 30.0).abs() < 0.01, "{rate}");
    }
}
