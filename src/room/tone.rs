//! Sounds for tests: tones and noise of a known level, and how much of a tone a sound holds.

use std::f64::consts::TAU;

use crate::media::{BLOCK_SAMPLES, Block, SAMPLE_RATE};

/// A sine that goes on from block to block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tone {
    hertz: f64,
    amplitude: f64,
}

impl Tone {
    /// A tone whose root mean square lies at `level_db` dBFS.
    pub(super) fn db(hertz: f64, level_db: f64) -> Self {
        Self { hertz, amplitude: 10f64.powf(level_db / 20.0) * 2f64.sqrt() }
    }

    /// A tone of the given peak.
    pub(super) fn peak(hertz: f64, amplitude: f64) -> Self {
        Self { hertz, amplitude }
    }

    /// Its n-th block.
    pub(super) fn block(&self, n: u64) -> Block {
        let first = n * BLOCK_SAMPLES as u64;
        Block(std::array::from_fn(|i| self.sample(first + i as u64) as f32))
    }

    fn sample(&self, at: u64) -> f64 {
        self.amplitude * (TAU * self.hertz * at as f64 / f64::from(SAMPLE_RATE)).sin()
    }
}

/// White noise at `level_db` dBFS, the same for the same `n`.
pub(super) fn noise(n: u64, level_db: f32) -> Block {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let amplitude = 10f32.powf(level_db / 20.0) * 3f32.sqrt();
    Block(std::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        amplitude * ((state >> 40) as f32 / 8_388_608.0 - 1.0)
    }))
}

/// The amplitude of `hertz` in a sound; exact where the sound holds whole periods of all its tones.
pub(super) fn amplitude_of(hertz: f64, sound: &[f32]) -> f64 {
    let phase = |n: usize| TAU * hertz * n as f64 / f64::from(SAMPLE_RATE);
    let part = |wave: fn(f64) -> f64| sound.iter().enumerate().map(|(n, s)| f64::from(*s) * wave(phase(n))).sum::<f64>();
    2.0 * part(f64::sin).hypot(part(f64::cos)) / sound.len() as f64
}
