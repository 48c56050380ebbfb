//! Windowed one-frequency filters: the amplitude of each tone over 20 or 200 ms.
//!
//! In: samples at 48 kHz. Out: an amplitude, 1 for a full-scale sine. Never: state; tables are made once in a process.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::sync::{LazyLock, OnceLock};

use crate::media::SAMPLE_RATE;

use super::super::sound::Tone;

/// How far beside a tone the noise is measured: not halfway to the next, where two tones' edges would meet.
const BESIDE_HZ: f64 = 45.0;

/// A sine and a cosine of one frequency under a Hann window.
#[derive(Debug)]
pub(super) struct Filter {
    cosine: Vec<f32>,
    sine: Vec<f32>,
}

impl Filter {
    /// Samples of a filter that follows pauses: 20 ms, 100 Hz to its first zero.
    pub(super) const SHORT: usize = 960;
    /// Samples of a filter for levels: 200 ms, 10 Hz to its first zero.
    pub(super) const LONG: usize = 9600;

    fn new(hertz: f64, length: usize) -> Self {
        // A Hann window's samples sum to half its length; a sine gives half its amplitude: together a quarter.
        let scale = 4.0 / length as f64;
        let part = |wave: fn(f64) -> f64| {
            let at = |n: usize| {
                let window = 0.5 - 0.5 * (TAU * (n as f64 + 0.5) / length as f64).cos();
                (scale * window * wave(TAU * hertz * n as f64 / f64::from(SAMPLE_RATE))) as f32
            };
            (0..length).map(at).collect()
        };
        Self { cosine: part(f64::cos), sine: part(f64::sin) }
    }

    /// The amplitude of this frequency in a window of the filter's length.
    pub(super) fn amplitude(&self, window: &[f32]) -> f32 {
        self.amplitude_and_phase(window).0
    }

    /// The same, and the phase at the window's first sample, in radians.
    pub(super) fn amplitude_and_phase(&self, window: &[f32]) -> (f32, f32) {
        let (cosine, sine) = (dot(window, &self.cosine), dot(window, &self.sine));
        (cosine.hypot(sine), (-sine).atan2(cosine))
    }
}

/// Eight sums side by side, which the compiler keeps in one vector register.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// For each tone, over 20 ms.
pub(super) fn short_filters() -> &'static BTreeMap<Tone, Filter> {
    static SHORT: LazyLock<BTreeMap<Tone, Filter>> =
        LazyLock::new(|| Tone::all().map(|tone| (tone, Filter::new(tone.hertz(), Filter::SHORT))).collect());
    &SHORT
}

/// For each tone, over 200 ms: at its frequency, and below and above it where no tone is.
pub(super) fn long_filters() -> &'static BTreeMap<Tone, [Filter; 3]> {
    let beside = |tone: Tone| [0.0, -BESIDE_HZ, BESIDE_HZ].map(|off| Filter::new(tone.hertz() + off, Filter::LONG));
    static LONG: OnceLock<BTreeMap<Tone, [Filter; 3]>> = OnceLock::new();
    LONG.get_or_init(|| Tone::all().map(|tone| (tone, beside(tone))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_gives_its_amplitude_and_its_neighbour_next_to_nothing() {
        let tone = Tone::of(4);
        let wave: Vec<f32> = (0..Filter::LONG).map(|n| 0.25 * (TAU * tone.hertz() * n as f64 / 48_000.0 + 0.7).sin() as f32).collect();
        assert!((long_filters()[&tone][0].amplitude(&wave) - 0.25).abs() < 1e-3);
        assert!((short_filters()[&tone].amplitude(&wave[..Filter::SHORT]) - 0.25).abs() < 5e-3);
        assert!(long_filters()[&Tone::of(5)][0].amplitude(&wave) < 1e-4);
        assert!(short_filters()[&Tone::of(5)].amplitude(&wave[..Filter::SHORT]) < 6e-3);
    }
}
