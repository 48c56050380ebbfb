//! Plays sound a little faster or slower than it was sent: some hundred millionths, which nobody hears.
//!
//! In: decoded samples, and by how much more of them than usual a block is made. Out: blocks. Never: more than [`MOST_PPM`], a seam
//! when it begins or ends, or work while nothing is to be changed: then samples are copied.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Adjustable, Async, FixedAsync, Resampler, Resizable};
use rubato::{SincInterpolationParameters, SincInterpolationType, WindowFunction};

use crate::media::BLOCK_SAMPLES;

/// The most that the speed is changed: 1.4 cents of pitch.
pub(super) const MOST_PPM: i32 = 800;
/// Taps of the filter.
const TAPS: usize = 32;
/// How much later than it could be sound is played, in samples (a third of a millisecond): the filter looks so far ahead. It is so
/// without the filter too, so that it can begin at any time.
const DELAY: usize = TAPS / 2;
/// Samples played that are remembered: what the filter begins with.
const REMEMBERED: usize = 4 * TAPS;
/// Over so many samples the filter's sound fades into what is copied.
const FADE: usize = 240;

/// One sender's speed.
pub(super) struct Glide {
    filter: Async<f32>,
    at_work: bool,
    /// The last samples taken in, [`REMEMBERED`] of them.
    recent: Vec<f32>,
}

impl Glide {
    pub(super) fn new() -> Self {
        let parameters = SincInterpolationParameters::new(TAPS, WindowFunction::BlackmanHarris2)
            .oversampling_factor(256)
            .interpolation(SincInterpolationType::Linear);
        let filter = Async::new_sinc(1.0, 1.01, &parameters, BLOCK_SAMPLES, 1, FixedAsync::Output);
        let filter = filter.expect("the parameters are constant and valid");
        Self { filter, at_work: false, recent: vec![0.0; REMEMBERED] }
    }

    /// So many more millionths of samples than usual from the next block on; tells how many samples it takes.
    pub(super) fn set(&mut self, ppm: i32) -> usize {
        if ppm == 0 && (!self.at_work || self.filter.resample_ratio() == 1.0) {
            return BLOCK_SAMPLES;
        }
        if !self.at_work {
            self.begin();
        }
        let ppm = ppm.clamp(-MOST_PPM, MOST_PPM);
        self.filter.set_resample_ratio(1.0 / (1.0 + f64::from(ppm) / 1e6), true).expect("the ratio is within the filter's bounds");
        self.filter.input_frames_next()
    }

    /// Makes a block of as many samples as [`Glide::set`] told, from the front of `ready`.
    pub(super) fn play(&mut self, ready: &mut Vec<f32>, block: &mut [f32; BLOCK_SAMPLES], ppm: i32) {
        let taken = if !self.at_work {
            self.copy(ready, block);
            BLOCK_SAMPLES
        } else if ppm == 0 && self.filter.resample_ratio() == 1.0 {
            self.end(ready, block);
            BLOCK_SAMPLES
        } else {
            self.run(ready, block)
        };
        self.recent.extend_from_slice(&ready[..taken]);
        self.recent.drain(..taken);
        ready.drain(..taken);
    }

    fn copy(&self, ready: &[f32], block: &mut [f32; BLOCK_SAMPLES]) {
        let (before, after) = block.split_at_mut(DELAY);
        before.copy_from_slice(&self.recent[REMEMBERED - DELAY..]);
        after.copy_from_slice(&ready[..BLOCK_SAMPLES - DELAY]);
    }

    /// The filter takes in what was played, and goes on from there.
    fn begin(&mut self) {
        self.filter.reset();
        self.resize(REMEMBERED - 2);
        let needed = self.filter.input_frames_next();
        let recent = std::mem::take(&mut self.recent);
        self.run(&recent[REMEMBERED - needed..], &mut [0.0; REMEMBERED]);
        self.recent = recent;
        self.resize(BLOCK_SAMPLES);
        self.at_work = true;
    }

    /// The filter's sound fades into the copy, which is no more than a sample apart from it.
    fn end(&mut self, ready: &[f32], block: &mut [f32; BLOCK_SAMPLES]) {
        let mut last = [0.0; FADE];
        self.resize(FADE);
        self.run(ready, &mut last);
        self.resize(BLOCK_SAMPLES);
        self.at_work = false;
        self.copy(ready, block);
        for (n, (copied, filtered)) in block.iter_mut().zip(last).enumerate() {
            *copied = filtered + (*copied - filtered) * (n as f32 / FADE as f32);
        }
    }

    fn resize(&mut self, samples: usize) {
        self.filter.set_chunk_size(samples).expect("no chunk is longer than a block");
    }

    /// Tells how many samples it took.
    fn run(&mut self, from: &[f32], into: &mut [f32]) -> usize {
        let (taken, made) = (self.filter.input_frames_next(), into.len());
        let from = SequentialSlice::new(from, 1, from.len()).expect("one channel is as long as its samples");
        let mut into = SequentialSlice::new_mut(into, 1, made).expect("one channel is as long as its samples");
        self.filter.process_into_buffer(&from, &mut into, None).expect("as many samples are given as are needed");
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn tone(hertz: f32) -> Vec<f32> {
        (0..500 * BLOCK_SAMPLES).map(|n| 0.5 * (TAU * hertz * (n % 48_000) as f32 / 48_000.0).sin()).collect()
    }

    /// Plays blocks with the speed of each; what is left.
    fn played(glide: &mut Glide, mut from: Vec<f32>, speeds: impl Iterator<Item = i32>) -> (Vec<f32>, Vec<f32>) {
        let (mut all, mut block) = (Vec::new(), [0.0; BLOCK_SAMPLES]);
        for ppm in speeds {
            assert!(glide.set(ppm) <= from.len());
            glide.play(&mut from, &mut block, ppm);
            all.extend_from_slice(&block);
        }
        (all, from)
    }

    fn bends(samples: &[f32]) -> f32 {
        samples.windows(3).map(|three| (three[2] - 2.0 * three[1] + three[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn without_a_change_of_speed_samples_are_copied() {
        let from = tone(440.0);
        let (all, left) = played(&mut Glide::new(), from.clone(), std::iter::repeat_n(0, 50));
        assert_eq!(all[DELAY..], from[..all.len() - DELAY]);
        assert_eq!(left.len(), from.len() - all.len());
    }

    #[test]
    fn it_takes_as_many_more_samples_as_it_is_told() {
        for ppm in [-800, -200, 30, 200, 800] {
            let (all, left) = played(&mut Glide::new(), tone(440.0), std::iter::repeat_n(ppm, 400));
            let more = (500 * BLOCK_SAMPLES - left.len()) as f64 - all.len() as f64;
            assert!((more - 0.384 * f64::from(ppm)).abs() < 3.0, "{ppm}: {more}");
        }
    }

    #[test]
    fn no_seam_is_heard_where_it_begins_and_ends() {
        for hertz in [300.0, 1000.0, 3000.0] {
            let speeds = (0..400).map(|n| if n / 50 % 2 == 0 { 0 } else { [800, -700, 90, -30][n / 100] });
            let (all, _) = played(&mut Glide::new(), tone(hertz), speeds);
            let (own, after) = (bends(&all[BLOCK_SAMPLES..40 * BLOCK_SAMPLES]), bends(&all[BLOCK_SAMPLES..]));
            assert!(after < 1.05 * own + 1e-3, "{hertz} Hz: {after} against {own}");
            let level = |samples: &[f32]| samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32;
            assert!((level(&all[60 * BLOCK_SAMPLES..90 * BLOCK_SAMPLES]) / 0.125 - 1.0).abs() < 0.02, "{hertz} Hz");
        }
    }
}
