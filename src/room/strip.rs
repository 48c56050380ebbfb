//! What is done to one voice before it is mixed: noise suppression, automatic gain, the admin's gain.
//!
//! In: a block as it was pulled. Out: the same, treated in place. Never: a step that could be heard as a click.

use super::AudioSettings;
use super::agc::Agc;
use super::denoise::Denoise;
use super::voice::level_db;
use crate::media::{BLOCK_SAMPLES, Block};

/// 36 dB above full scale: no decoder gives more of its own accord.
const LOUDEST: f32 = 64.0;

/// One participant's channel strip.
pub(super) struct Strip {
    denoise: Denoise,
    agc: Agc,
    /// Linear: what the last block ended with.
    gain: f32,
}

impl Default for Strip {
    fn default() -> Self {
        Self { denoise: Denoise::default(), agc: Agc::default(), gain: 1.0 }
    }
}

impl Strip {
    /// Treats the next block; a change of gain takes the whole of it.
    pub(super) fn treat(&mut self, block: &mut Block, audio: AudioSettings, gain_db: f32) {
        self.denoise.treat(block, audio.noise_suppression);
        if !is_sound(block) {
            self.denoise.forget();
            *block = Block::SILENCE;
        }
        if !audio.agc {
            self.agc = Agc::default();
        }
        let agc_db = if audio.agc { self.agc.gain_for(level_db(block)) } else { 0.0 };
        self.amplify(block, 10f32.powf((gain_db + agc_db) / 20.0));
    }

    fn amplify(&mut self, block: &mut Block, gain: f32) {
        let from = std::mem::replace(&mut self.gain, gain);
        if from == 1.0 && gain == 1.0 {
            return;
        }
        let step = (gain - from) / BLOCK_SAMPLES as f32;
        block.0.iter_mut().enumerate().for_each(|(n, sample)| *sample *= from + step * (n + 1) as f32);
    }
}

/// Whether all samples are numbers of some reason. Without an early exit, so that it is done in lanes.
pub(super) fn is_sound(block: &Block) -> bool {
    block.0.iter().fold(true, |sound, sample| sound & (sample.abs() <= LOUDEST))
}

#[cfg(test)]
mod tests {
    use super::super::tone::{Tone, amplitude_of};
    use super::*;

    const PLAIN: AudioSettings = AudioSettings { max_talkers: 16, agc: false, noise_suppression: false };

    fn treated(strip: &mut Strip, from: u64, blocks: u64, level: f64, audio: AudioSettings, gain_db: f32) -> Vec<f32> {
        let one = |n| {
            let mut block = Tone::db(250.0, level).block(n);
            strip.treat(&mut block, audio, gain_db);
            block.0
        };
        (from..from + blocks).flat_map(one).collect()
    }

    #[test]
    fn the_gain_is_what_was_asked_for() {
        for gain_db in [-60.0, -20.0, -6.0, 0.0, 6.0, 20.0] {
            let sound = treated(&mut Strip::default(), 0, 10, -40.0, PLAIN, gain_db);
            let level = 20.0 * (amplitude_of(250.0, &sound[BLOCK_SAMPLES..]) / 2f64.sqrt()).log10();
            assert!((level - (-40.0 + f64::from(gain_db))).abs() < 0.01, "{gain_db} dB gives {level} dBFS");
        }
    }

    #[test]
    fn a_gain_of_nothing_leaves_every_sample_as_it_was() {
        let sound = treated(&mut Strip::default(), 0, 5, -20.0, PLAIN, 0.0);
        assert!(sound == (0..5).flat_map(|n| Tone::db(250.0, -20.0).block(n).0).collect::<Vec<_>>());
    }

    #[test]
    fn a_change_of_gain_makes_no_click() {
        let mut strip = Strip::default();
        let sound: Vec<f32> =
            [0.0, 20.0, -60.0, 0.0].iter().zip(0..).flat_map(|(gain, n)| treated(&mut strip, 5 * n, 5, -30.0, PLAIN, *gain)).collect();
        let click = sound.windows(4).map(|w| (w[3] - 3.0 * w[2] + 3.0 * w[1] - w[0]).abs()).fold(0.0, f32::max);
        // A cut of 20 dB at once would be one of 0.4.
        assert!(click < 0.002, "{click}");
    }

    #[test]
    fn automatic_gain_brings_soft_and_loud_voices_to_one_level() {
        let audio = AudioSettings { agc: true, ..PLAIN };
        for (level, expected) in [(-34.0, -23.0), (-28.0, -23.0), (-23.0, -23.0), (-14.0, -23.0), (-8.0, -20.0), (-60.0, -60.0)] {
            let sound = treated(&mut Strip::default(), 0, 500, level, audio, 0.0);
            let end = &sound[sound.len() - 10 * BLOCK_SAMPLES..];
            let came_to = 20.0 * (amplitude_of(250.0, end) / 2f64.sqrt()).log10();
            assert!((came_to - expected).abs() < 0.2, "{level} dBFS comes to {came_to}");
        }
    }
}
