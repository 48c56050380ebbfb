//! What a bot says: a tone of its own, with a short pause once a second whose place in the second tells the time.
//!
//! In: a bot's number, the wall-clock time of a block's first sample. Out: 20 ms blocks at −20 dBFS. Never: harmonics, or
//! edges so steep that one bot's pauses reach into another's tone.
//!
//! There are twenty-four tones, at least 95 Hz apart. Codecs distort: they add sums and differences of what they hear. The first
//! nine tones are chosen so that no such product lies on one of them, or a tone that is missing would seem to be there. A bot
//! above 24 sounds like the one 24 before it.

use std::f64::consts::{PI, TAU};

use crate::media::{BLOCK_SAMPLES, Block, SAMPLE_RATE};

use super::wall::Wall;

/// How many tones there are.
pub const TONES: u16 = 24;
/// How long a pause lasts, between the points of half amplitude.
pub const PAUSE_MS: f64 = 100.0;
/// How long an edge of a pause lasts: a raised cosine, whose spectrum has died away at the next tone.
const EDGE_MS: f64 = 20.0;
/// Each tone's frequency; the first twelve are farther apart than the rest leaves them.
const HERTZ: [f64; TONES as usize] = [
    486.0, 709.0, 901.0, 1231.0, 1504.0, 1741.0, 1904.0, 2195.0, 2452.0, 2683.0, 2911.0, 3142.0, // one for each of a dozen
    379.0, 597.0, 805.0, 1066.0, 1367.0, 1622.0, 2049.0, 2323.0, 2568.0, 2797.0, 3027.0, 3259.0, // between and beyond them
];
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
        HERTZ[usize::from(self.0 - 1)]
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
    fn tones_are_in_the_voice_band_and_apart() {
        for tone in Tone::all() {
            assert!((300.0..3400.0).contains(&tone.hertz()));
            assert!(Tone::all().all(|other| other == tone || (other.hertz() - tone.hertz()).abs() >= 95.0), "{tone:?}");
        }
    }

    #[test]
    fn no_distortion_product_of_the_first_nine_lies_on_another_of_them() {
        let nine: Vec<f64> = Tone::all().take(9).map(Tone::hertz).collect();
        let mut products = Vec::new();
        for &a in &nine {
            products.extend((2..8).map(|multiple| (f64::from(multiple) * a, [a; 3])));
            for &b in &nine {
                products.extend(nine.iter().filter(|&&c| c != a && c != b).map(|&c| (a + b - c, [a, b, c])));
            }
        }
        for (product, of) in products {
            let hit = nine.iter().find(|&&tone| !of.contains(&tone) && (tone - product).abs() < 9.5);
            assert_eq!(hit, None, "{of:?}");
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
