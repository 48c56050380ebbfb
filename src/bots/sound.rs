//! What a bot says: a tone of its own, with a short pause once a second whose place in the second tells the time.
//!
//! In: a bot's number, the wall-clock time of a block's first sample. Out: 20 ms blocks at −20 dBFS. Never: harmonics, or
//! edges so steep that one bot's pauses reach into another's tone.
//!
//! Twenty-four tones lie 127 Hz apart from 429 Hz; the first twelve bots get every other one, and no tone is at a multiple of
//! another. A bot above 24 sounds like the one 24 before it.

use std::f64::consts::{PI, TAU};

use crate::media::{BLOCK_SAMPLES, Block, SAMPLE_RATE};

use super::wall::Wall;

/// How many tones there are.
pub const TONES: u16 = 24;
/// How long a pause lasts, between the points of half amplitude.
pub const PAUSE_MS: f64 = 100.0;
/// How long an edge of a pause lasts: a raised cosine, whose spectrum has died away at the next tone.
const EDGE_MS: f64 = 20.0;
/// −20 dBFS: nine bots together stay below full scale.
const AMPLITUDE: f64 = 0.1;

/// One of the tones: 1 to [`TONES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tone(u16);

impl Tone {
    /// Bot `number`'s tone.
    pub const fn of(number: u16) -> Self {
        Self(number.saturating_sub(1) % TONES + 1)
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=TONES).map(Self)
    }

    /// The lowest number of a bot that has it.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Its frequency.
    pub fn hertz(self) -> f64 {
        let index = self.0 - 1;
        let half = TONES / 2;
        let slot = if index < half { 2 * index } else { 2 * (index - half) + 1 };
        429.0 + 127.0 * f64::from(slot)
    }

    /// Where in each second of the wall clock its pause begins; neighbours' pauses do not meet.
    pub fn pause_begins_ms(self) -> f64 {
        f64::from((self.0 - 1) * 7 % TONES) * 1000.0 / f64::from(TONES)
    }

    /// The tone's gain `ms` milliseconds into a second.
    fn gain(self, ms: f64) -> f64 {
        let half_edge = EDGE_MS / 2.0;
        // From the beginning of the fall to the end of the rise; beyond it the tone is full.
        let since_fall = (ms - self.pause_begins_ms() + half_edge).rem_euclid(1000.0);
        let until_end = PAUSE_MS + EDGE_MS - since_fall;
        let from_silence = (EDGE_MS - since_fall).max(EDGE_MS - until_end).clamp(0.0, EDGE_MS);
        0.5 - 0.5 * (PI * from_silence / EDGE_MS).cos()
    }
}

/// Makes one bot's sound.
#[derive(Debug)]
pub struct Voice {
    tone: Tone,
    phase: f64,
}

impl Voice {
    /// Bot `number`'s.
    pub fn new(number: u16) -> Self {
        Self { tone: Tone::of(number), phase: 0.0 }
    }

    /// The next block, whose first sample is at `wall`.
    pub fn speak(&mut self, wall: Wall) -> Block {
        let mut block = Block::SILENCE;
        let begins_ms = (wall.as_micros() % 1_000_000) as f64 / 1000.0;
        let step = TAU * self.tone.hertz() / f64::from(SAMPLE_RATE);
        for (index, sample) in block.0.iter_mut().enumerate() {
            let ms = begins_ms + index as f64 * 1000.0 / f64::from(SAMPLE_RATE);
            *sample = (AMPLITUDE * self.tone.gain(ms) * (self.phase + step * index as f64).sin()) as f32;
        }
        self.phase = (self.phase + step * BLOCK_SAMPLES as f64) % TAU;
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_are_in_the_voice_band_and_none_is_near_a_multiple_of_another() {
        for low in Tone::all() {
            assert!((300.0..3400.0).contains(&low.hertz()));
            for high in Tone::all().filter(|&high| high != low) {
                let ratio = high.hertz() / low.hertz();
                let off = (ratio - ratio.round()).abs() * low.hertz();
                assert!(ratio < 1.5 || off > 13.0, "{} and {} Hz", low.hertz(), high.hertz());
            }
        }
    }

    #[test]
    fn a_pause_is_silent_in_its_middle_half_at_its_edges_and_full_elsewhere() {
        for tone in Tone::all() {
            let begins = tone.pause_begins_ms();
            for (after, gain) in [(-11.0, 1.0), (0.0, 0.5), (11.0, 0.0), (50.0, 0.0), (89.0, 0.0), (100.0, 0.5), (111.0, 1.0), (500.0, 1.0)]
            {
                assert!((tone.gain((begins + after) % 1000.0) - gain).abs() < 1e-9, "{after} ms");
            }
        }
    }

    #[test]
    fn blocks_join_without_a_step() {
        let mut voice = Voice::new(3);
        let blocks: Vec<f32> = (0..10).flat_map(|n| voice.speak(Wall::from_micros(500_000 + n * 20_000)).0).collect();
        let steepest = blocks.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        let steepest_of_tone = 0.1 * TAU as f32 * Tone::of(3).hertz() as f32 / 48_000.0;
        assert!(steepest <= steepest_of_tone * 1.01, "{steepest} > {steepest_of_tone}");
    }
}
