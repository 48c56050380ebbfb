//! How fast a sender's clock runs away from ours, seen in the transits of its fastest packets.
//!
//! In: each packet's transit. Out: how much the transits will have grown a while from here, as far as the last minute tells.
//! Never: a trend that the jitter of the line explains as well, or one taken from a change of route.

use std::collections::VecDeque;
use std::time::Duration;

use super::delay::MILLISECOND;
use crate::media::MediaTime;

/// Of so much time the fastest packet counts.
const WINDOW: Duration = Duration::from_secs(2);
/// Windows remembered: a minute.
const MOST_WINDOWS: usize = 30;
/// Fewer tell nothing.
const LEAST_WINDOWS: usize = 6;
/// Fastest packets that differ by more from a window to the next came another way, in samples.
const REROUTED: i64 = 8 * MILLISECOND;
/// How many times its own uncertainty a trend must be.
const CERTAINTY: f64 = 4.0;
/// No clock runs away faster, in samples a second: 500 ppm.
const FASTEST: f64 = 24.0;

/// The trend of one sender's transits.
#[derive(Debug, Default)]
pub(super) struct Drift {
    window: Option<(MediaTime, i64)>,
    /// When each window began, and its least transit.
    least: VecDeque<(MediaTime, i64)>,
    /// In samples a second; more where the sender's clock is the slower one.
    slope: f64,
}

impl Drift {
    /// Takes a packet's transit, in samples.
    pub(super) fn note(&mut self, transit: i64, arrival: MediaTime) {
        let (began, least) = *self.window.get_or_insert((arrival, transit));
        if arrival.since(began) < WINDOW {
            self.window = Some((began, least.min(transit)));
            return;
        }
        self.window = Some((arrival, transit));
        if self.least.back().is_some_and(|(_, before)| before.abs_diff(least) > REROUTED as u64) {
            self.least.clear();
        }
        self.least.push_back((began, least));
        if self.least.len() > MOST_WINDOWS {
            self.least.pop_front();
        }
        if self.least.len() >= LEAST_WINDOWS {
            self.measure();
        }
    }

    /// By how much the transits will have changed `after` this, in samples.
    pub(super) fn ahead(&self, after: Duration) -> i64 {
        (self.slope * after.as_secs_f64()) as i64
    }

    /// A line through the windows by least squares; of its slope's standard error the least is what whole samples leave.
    fn measure(&mut self) {
        let (count, (since, level)) = (self.least.len() as f64, self.least[0]);
        let points = || self.least.iter().map(|(at, least)| (at.since(since).as_secs_f64(), least.saturating_sub(level) as f64));
        let (time, height) = points().fold((0.0, 0.0), |sum, point| (sum.0 + point.0 / count, sum.1 + point.1 / count));
        let spread: f64 = points().map(|point| (point.0 - time).powi(2)).sum();
        let slope = points().map(|point| (point.0 - time) * (point.1 - height)).sum::<f64>() / spread;
        let errors: f64 = points().map(|point| (point.1 - height - slope * (point.0 - time)).powi(2)).sum();
        let uncertainty = ((errors / (count - 2.0)).max(1.0) / spread).sqrt();
        let certain = slope.is_finite() && slope.abs() > CERTAINTY * uncertainty;
        self.slope = if certain { slope.clamp(-FASTEST, FASTEST) } else { 0.0 };
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;

    /// A minute of packets, each 20 ms, whose transits drift and jitter.
    fn minute(ppm: f64, jitter_ms: f64) -> Drift {
        let (mut drift, mut random) = (Drift::default(), StdRng::seed_from_u64(7));
        for n in 0..3000 {
            let transit = 960.0 * f64::from(n) * ppm / 1e6 + random.random_range(0.0..=48.0 * jitter_ms);
            drift.note(transit as i64, MediaTime::from_millis(20 * n as u64));
        }
        drift
    }

    fn ppm(drift: &Drift) -> f64 {
        drift.ahead(Duration::from_secs(1000)) as f64 / 48.0
    }

    #[test]
    fn a_clocks_drift_is_measured_through_jitter() {
        for drift in [-200.0, -60.0, 60.0, 200.0] {
            for jitter_ms in [0.0, 1.0, 10.0] {
                let measured = ppm(&minute(drift, jitter_ms));
                assert!((measured - drift).abs() < 10.0, "{drift} ppm, ±{jitter_ms} ms: {measured}");
            }
        }
    }

    #[test]
    fn clocks_in_step_have_no_trend_however_the_line_jitters() {
        for jitter_ms in [0.0, 5.0, 50.0, 400.0] {
            assert!(ppm(&minute(0.0, jitter_ms)).abs() < 100.0, "±{jitter_ms} ms: {}", ppm(&minute(0.0, jitter_ms)));
        }
    }

    #[test]
    fn another_route_is_no_drift() {
        let mut drift = Drift::default();
        for n in 0..3000 {
            drift.note(if n < 1500 { 0 } else { 3000 }, MediaTime::from_millis(20 * n));
        }
        assert_eq!(drift.ahead(Duration::from_secs(100)), 0);
    }

    #[test]
    fn transits_of_any_size_do_not_overflow() {
        let mut drift = Drift::default();
        for (n, transit) in [i64::MAX, i64::MIN, 0, -1].into_iter().cycle().take(5000).enumerate() {
            drift.note(transit, MediaTime::from_millis(700 * n as u64));
        }
        assert!(drift.ahead(Duration::from_secs(10)).abs() <= 240);
    }
}
