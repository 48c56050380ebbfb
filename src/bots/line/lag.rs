//! How long each datagram is on its way.
//!
//! In: the figures, when it sets out, random numbers. Out: its delay.

use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;

use super::settings::{Jitter, Shape, Way};
use crate::media::MediaTime;

/// The state of one way's delays: the two drawn values between which it goes in a straight line, as shares of the spread's width.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lag {
    from: Option<(MediaTime, f64)>,
    to: f64,
}

impl Lag {
    /// The delay of a datagram that sets out at `at`, which never goes back.
    pub(super) fn next(&mut self, way: &Way, at: MediaTime, random: &mut StdRng) -> Duration {
        let Jitter { spread, shape, period, .. } = way.jitter;
        let least = way.delay.saturating_sub(spread);
        if spread.is_zero() {
            return least;
        }
        let share = if period.is_zero() { draw(shape, random) } else { self.between(shape, period, at, random) };
        least + (spread * 2).mul_f64(share)
    }

    fn between(&mut self, shape: Shape, period: Duration, at: MediaTime, random: &mut StdRng) -> f64 {
        let (mut since, mut from) = self.from.unwrap_or_else(|| {
            self.to = draw(shape, random);
            (at, draw(shape, random))
        });
        let passed = at.since(since).as_nanos() / period.as_nanos();
        if passed > 0 {
            // What was drawn while nobody looked does not matter, but for the last two.
            from = if passed == 1 { self.to } else { draw(shape, random) };
            self.to = draw(shape, random);
            since += Duration::from_nanos((passed * period.as_nanos()) as u64);
        }
        self.from = Some((since, from));
        from + (self.to - from) * at.since(since).div_duration_f64(period)
    }
}

/// A place within the spread, from 0 to 1.
fn draw(shape: Shape, random: &mut StdRng) -> f64 {
    let uniform: f64 = random.random();
    match shape {
        Shape::Uniform => uniform,
        Shape::Normal => {
            // Box and Muller; 1 - uniform is never 0.
            let angle = std::f64::consts::TAU * random.random::<f64>();
            let deviations = (-2.0 * (1.0 - uniform).ln()).sqrt() * angle.cos();
            (0.5 + deviations / 6.0).clamp(0.0, 1.0)
        }
        Shape::Tail => (-(1.0 - uniform).ln() / 8.0).min(1.0),
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn delays(shape: Shape, period_ms: u64) -> Vec<f64> {
        let jitter = Jitter { spread: Duration::from_millis(40), shape, period: Duration::from_millis(period_ms), ..Jitter::default() };
        let way = Way { delay: Duration::from_millis(100), jitter, ..Way::default() };
        let (mut lag, mut random) = (Lag::default(), StdRng::seed_from_u64(9));
        let delay = |n| lag.next(&way, MediaTime::from_millis(n), &mut random).as_secs_f64() * 1000.0;
        (0..50_000).map(delay).collect()
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn delays_lie_within_the_spread_and_where_their_shape_has_them() {
        for (shape, middle) in [(Shape::Uniform, 100.0), (Shape::Normal, 100.0), (Shape::Tail, 70.0)] {
            let delays = delays(shape, 0);
            assert!(delays.iter().all(|delay| (59.99..140.01).contains(delay)), "{shape:?}");
            assert!((mean(&delays) - middle).abs() < 1.0, "{shape:?}: {}", mean(&delays));
        }
    }

    #[test]
    fn with_a_period_delays_wander() {
        let delays = delays(Shape::Uniform, 100);
        assert!(delays.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.81), "80 ms in 100 ms at most");
        let (least, most) = delays.iter().fold((f64::MAX, f64::MIN), |(least, most), &delay| (least.min(delay), most.max(delay)));
        assert!(least < 63.0 && most > 137.0 && (mean(&delays) - 100.0).abs() < 4.0, "{least} to {most}, {}", mean(&delays));
    }

    #[test]
    fn a_delay_shorter_than_the_spread_is_raised_to_it() {
        let way = Way { jitter: Jitter { spread: Duration::from_millis(200), ..Jitter::default() }, ..Way::default() };
        let (mut lag, mut random) = (Lag::default(), StdRng::seed_from_u64(9));
        let delays: Vec<_> = (0..1000).map(|_| lag.next(&way, MediaTime::ZERO, &mut random).as_millis()).collect();
        assert!(delays.iter().any(|delay| *delay < 10) && delays.iter().any(|delay| *delay > 390));
    }
}
