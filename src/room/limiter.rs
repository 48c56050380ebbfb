//! A look-ahead limiter: nothing above −1 dBFS, no audible pumping, and bit-exact where nothing is too loud.
//!
//! In: blocks that may exceed full scale. Out: the same 5 ms later, turned down where needed. Never: an overshoot.
//!
//! Each sample asks for a gain reduction. The greatest asked for within the look-ahead is held, falls off slowly, and is
//! averaged over the look-ahead, so that the gain has arrived, without a step, when the sample does. Reductions are
//! fixed-point, so that a sum that went up comes down to exactly nothing.

use std::collections::VecDeque;

use crate::media::{BLOCK_SAMPLES, Block};

/// −1 dBFS.
pub(super) const CEILING: f32 = 0.891_250_9;
/// Samples of delay: 5 ms.
pub(super) const LOOK_AHEAD: usize = 240;

/// A reduction of 1, which is silence.
const ONE: u32 = 1 << 30;
/// The release loses 1/4096 of the reduction a sample: a time constant of 85 ms.
const RELEASE_SHIFT: u32 = 12;
/// Gains that differ by less (−80 dB) can be swapped unheard.
const ALIKE: u64 = (ONE / 10_000) as u64 * LOOK_AHEAD as u64;

/// One output's limiter. A clone goes on as the original would.
#[derive(Clone, Debug)]
pub(super) struct Limiter {
    /// The samples on their way, oldest first.
    delay: [f32; LOOK_AHEAD],
    /// The falling maxima of the reductions asked for within the look-ahead, with the sample that asked.
    peaks: VecDeque<(u64, u32)>,
    envelope: u32,
    /// The last [`LOOK_AHEAD`] envelopes, a ring, and their sum.
    smoothing: [u32; LOOK_AHEAD],
    sum: u64,
    sample: u64,
}

impl Default for Limiter {
    fn default() -> Self {
        let peaks = VecDeque::with_capacity(LOOK_AHEAD + 2);
        Self { delay: [0.0; LOOK_AHEAD], peaks, envelope: 0, smoothing: [0; LOOK_AHEAD], sum: 0, sample: 0 }
    }
}

impl Limiter {
    /// Takes a block in and gives the one that is due out, in its place.
    pub(super) fn process(&mut self, block: &mut Block) {
        if self.idle() && below_ceiling(block) {
            return self.delay(block);
        }
        let mut gains = [1.0; BLOCK_SAMPLES];
        for (gain, sample) in gains.iter_mut().zip(&block.0) {
            *gain = self.gain_after(*sample);
        }
        self.delay(block);
        for (sample, gain) in block.0.iter_mut().zip(gains) {
            // The clamp catches the last bit that rounding may add, no more.
            *sample = (*sample * gain).clamp(-CEILING, CEILING);
        }
    }

    /// Whether a listener could be moved between the two without hearing it.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        let envelopes = u64::from(self.envelope.abs_diff(other.envelope)) * LOOK_AHEAD as u64;
        self.delay == other.delay && self.sum.abs_diff(other.sum) <= ALIKE && envelopes <= ALIKE
    }

    fn idle(&self) -> bool {
        self.sum == 0 && self.envelope == 0 && self.peaks.is_empty()
    }

    fn delay(&mut self, block: &mut Block) {
        block.0.rotate_right(LOOK_AHEAD);
        self.delay.swap_with_slice(&mut block.0[..LOOK_AHEAD]);
    }

    /// The gain for the sample that leaves as this one enters.
    fn gain_after(&mut self, entering: f32) -> f32 {
        let released = self.envelope - (self.envelope >> RELEASE_SHIFT).max(1).min(self.envelope);
        self.envelope = released.max(self.greatest_asked(reduction(entering)));
        let slot = (self.sample % LOOK_AHEAD as u64) as usize;
        self.sum += u64::from(self.envelope);
        self.sum -= u64::from(std::mem::replace(&mut self.smoothing[slot], self.envelope));
        self.sample += 1;
        (1.0 - self.sum as f64 / (f64::from(ONE) * LOOK_AHEAD as f64)) as f32
    }

    /// The greatest reduction asked for by this sample and the [`LOOK_AHEAD`] before it.
    fn greatest_asked(&mut self, asked: u32) -> u32 {
        while self.peaks.back().is_some_and(|(_, peak)| *peak <= asked) {
            self.peaks.pop_back();
        }
        if asked > 0 {
            self.peaks.push_back((self.sample, asked));
        }
        if self.peaks.front().is_some_and(|(at, _)| at + (LOOK_AHEAD as u64) < self.sample) {
            self.peaks.pop_front();
        }
        self.peaks.front().map_or(0, |(_, peak)| *peak)
    }
}

/// Without an early exit, so that it is done in lanes.
fn below_ceiling(block: &Block) -> bool {
    block.0.iter().fold(true, |below, sample| below & (sample.abs() <= CEILING))
}

/// By how much a sample must be turned down, rounded up.
fn reduction(sample: f32) -> u32 {
    let peak = f64::from(sample.abs());
    if peak <= f64::from(CEILING) {
        return 0;
    }
    ((1.0 - f64::from(CEILING) / peak) * f64::from(ONE)).ceil() as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tone::{Tone, amplitude_of};
    use super::*;

    fn limited(limiter: &mut Limiter, blocks: impl Iterator<Item = Block>) -> Vec<f32> {
        let through = |mut block: Block| {
            limiter.process(&mut block);
            block.0
        };
        blocks.flat_map(through).collect()
    }

    fn samples(blocks: impl Iterator<Item = Block>) -> Vec<f32> {
        blocks.flat_map(|block| block.0).collect()
    }

    #[test]
    fn what_is_not_too_loud_passes_bit_exact_5_ms_later() {
        let tone = Tone::peak(440.0, 0.89);
        let out = limited(&mut Limiter::default(), (0..20).map(|n| tone.block(n)));
        let input = samples((0..20).map(|n| tone.block(n)));
        assert_eq!(out[LOOK_AHEAD..], input[..input.len() - LOOK_AHEAD]);
    }

    #[test]
    fn after_a_shout_it_is_bit_exact_again_within_two_seconds() {
        let mut limiter = Limiter::default();
        limited(&mut limiter, (0..10).map(|n| Tone::peak(440.0, 4.0).block(n)));
        let quiet = |n| Tone::peak(440.0, 0.5).block(n);
        let out = limited(&mut limiter, (10..130).map(quiet));
        let input = samples((10..130).map(quiet));
        let settled = 100 * BLOCK_SAMPLES;
        assert_eq!(out[settled + LOOK_AHEAD..], input[settled..input.len() - LOOK_AHEAD]);
        assert!(limiter.agrees_with(&limiter.clone()));
    }

    #[test]
    fn a_loud_tone_is_turned_down_without_distortion() {
        let out = limited(&mut Limiter::default(), (0..50).map(|n| Tone::peak(500.0, 2.0).block(n)));
        let settled = &out[40 * BLOCK_SAMPLES..];
        let fundamental = amplitude_of(500.0, settled);
        assert!((0.85..=f64::from(CEILING)).contains(&fundamental), "{fundamental}");
        assert!(amplitude_of(1500.0, settled) < fundamental / 300.0);
    }

    #[test]
    fn the_gain_moves_without_a_step() {
        let shout = |n: u64| if (5..8).contains(&n) { Tone::peak(100.0, 3.0).block(n) } else { Tone::peak(100.0, 0.3).block(n) };
        let out = limited(&mut Limiter::default(), (0..40).map(shout));
        let steepest = out.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        // The input's own steps are at most 3 × 2π × 100 / 48000 = 0.039 within the tone.
        assert!(steepest < 0.04, "{steepest}");
    }

    #[test]
    fn a_clone_goes_on_as_the_original_would() {
        let mut limiter = Limiter::default();
        limited(&mut limiter, (0..7).map(|n| Tone::peak(333.0, 1.7).block(n)));
        let mut clone = limiter.clone();
        let rest = |n| Tone::peak(333.0, 0.9).block(n);
        assert_eq!(limited(&mut limiter, (7..20).map(rest)), limited(&mut clone, (7..20).map(rest)));
    }

    proptest! {
        #[test]
        fn nothing_ever_exceeds_the_ceiling(peaks in prop::collection::vec((0usize..BLOCK_SAMPLES, -50.0f32..50.0), 0..200)) {
            let mut limiter = Limiter::default();
            for chunk in peaks.chunks(8) {
                let mut block = Tone::peak(440.0, 0.8).block(0);
                for (at, peak) in chunk {
                    block.0[*at] = *peak;
                }
                limiter.process(&mut block);
                prop_assert!(block.0.iter().all(|sample| sample.abs() <= CEILING));
            }
        }

        #[test]
        fn the_clamp_never_has_more_to_do_than_rounding(peaks in prop::collection::vec(-50.0f32..50.0, 1..2000)) {
            let mut limiter = Limiter::default();
            let gains: Vec<f32> = peaks.iter().chain([&0.0; LOOK_AHEAD]).map(|sample| limiter.gain_after(*sample)).collect();
            for (sample, gain) in peaks.iter().zip(&gains[LOOK_AHEAD..]) {
                prop_assert!((sample * gain).abs() <= CEILING * 1.000_001);
            }
        }
    }
}
