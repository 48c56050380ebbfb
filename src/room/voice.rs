//! One participant's voice, block by block: how loud, whether they talk, whether they send nothing.
//!
//! In: pulled blocks. Out: talking with hysteresis, levels, the mute mark. Never: another participant.

use crate::media::{BLOCK_SAMPLES, Block, Heard, MediaTime};

/// A talker begins at this level, in dBFS; the room noise that a headset lets through lies ten decibels lower.
const ON_DB: f32 = -50.0;
/// A talker goes on above this level.
const OFF_DB: f32 = -55.0;
/// Blocks for which a talker goes on below [`OFF_DB`]: one second, the pause between two sentences.
const HOLD_BLOCKS: u32 = 50;
/// The part of a block, 5 ms, whose level makes a talker: an onset late in a block counts in that very block.
const BURST_SAMPLES: usize = BLOCK_SAMPLES / 4;
/// Below this, in dBFS, there is no sound at all: digital silence after a codec.
const SILENCE_DB: f32 = -90.0;
/// Blocks without any sound after which the mute mark is shown: two seconds.
const MUTED_BLOCKS: u32 = 100;
/// How fast the loudness follows a falling level, in decibels a block: 20 a second.
const LOUDNESS_FALL_DB: f32 = 0.4;
/// Voiced blocks among the last 100 that make speech: 360 ms. A cough is shorter.
const SPEECH_BLOCKS: u32 = 18;
/// The last 100 blocks, two seconds, of [`Voice::voiced`].
const RECENT: u128 = (1 << 100) - 1;
/// Per block; the activity's memory is about 600 ms.
const ACTIVITY_RATE: f32 = 0.033;

/// What is known of one participant's sound.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    hold: u32,
    /// One bit a block, the newest lowest: whether it was above [`ON_DB`].
    voiced: u128,
    loudness_db: f32,
    /// The last block's.
    burst_db: f32,
    activity: f32,
    soundless: u32,
    spoke_at: Option<MediaTime>,
}

impl Default for Voice {
    fn default() -> Self {
        Self { hold: 0, voiced: 0, loudness_db: FLOOR_DB, burst_db: FLOOR_DB, activity: 0.0, soundless: 0, spoke_at: None }
    }
}

impl Voice {
    /// Notes whether anything is being sent, from the block as it came.
    pub(super) fn sense(&mut self, block: &Block, heard: Heard) {
        let silent = heard == Heard::Idle || level_db(block) < SILENCE_DB;
        self.soundless = if silent { self.soundless.saturating_add(1) } else { 0 };
    }

    /// Takes the block of the audio tick at `at`, as it may be mixed.
    pub(super) fn hear(&mut self, at: MediaTime, block: &Block) {
        let (burst_db, level_db) = levels_db(block);
        self.hold = match burst_db {
            db if db >= ON_DB || (self.talking() && db >= OFF_DB) => HOLD_BLOCKS + 1,
            _ => self.hold.saturating_sub(1),
        };
        self.voiced = (self.voiced << 1 | u128::from(burst_db >= ON_DB)) & RECENT;
        self.loudness_db = burst_db.max(self.loudness_db - LOUDNESS_FALL_DB);
        self.burst_db = burst_db;
        self.activity += (loud_share(level_db) - self.activity) * ACTIVITY_RATE;
        if self.voiced & 1 == 1 && self.speaks() {
            self.spoke_at = Some(at);
        }
    }

    /// Forgets what was heard but for when they spoke: they were muted.
    pub(super) fn hush(&mut self) {
        *self = Self { soundless: self.soundless, spoke_at: self.spoke_at, ..Self::default() };
    }

    /// Whether they are to be mixed in: from the first loud block until a second after the last.
    pub(super) fn talking(&self) -> bool {
        self.hold > 0
    }

    /// Whether the last two seconds hold more than a cough.
    pub(super) fn speaks(&self) -> bool {
        self.voiced.count_ones() >= SPEECH_BLOCKS
    }

    /// Whether the last second holds no voiced block.
    pub(super) fn silent(&self) -> bool {
        self.voiced & ((1 << 50) - 1) == 0
    }

    /// Peak level in dBFS, falling 20 dB a second.
    pub(super) fn loudness_db(&self) -> f32 {
        self.loudness_db
    }

    /// The last block's peak level in dBFS, of somebody who talks.
    pub(super) fn talking_db(&self) -> Option<f32> {
        (self.talking() && self.burst_db >= OFF_DB).then_some(self.burst_db)
    }

    /// How much and how loud they spoke of late, 0 to 1.
    pub(super) fn activity(&self) -> f32 {
        self.activity
    }

    /// Whether nothing has come for two seconds: a muted sender, or one whose microphone is off.
    pub(super) fn soundless(&self) -> bool {
        self.soundless >= MUTED_BLOCKS
    }

    /// When they last spoke for more than a cough.
    pub(super) fn spoke_at(&self) -> Option<MediaTime> {
        self.spoke_at
    }
}

const FLOOR_DB: f32 = -100.0;

fn decibels(rms: f32) -> f32 {
    if rms > 1e-5 { 20.0 * rms.log10() } else { FLOOR_DB }
}

/// A block's level in dBFS.
pub(super) fn level_db(block: &Block) -> f32 {
    levels_db(block).1
}

/// The level of a block's loudest 5 ms, and of the whole block.
fn levels_db(block: &Block) -> (f32, f32) {
    let (mut loudest, mut whole) = (0.0f32, 0.0);
    for part in block.0.chunks_exact(BURST_SAMPLES) {
        let energy = energy(part);
        loudest = loudest.max(energy);
        whole += energy;
    }
    (decibels((loudest / BURST_SAMPLES as f32).sqrt()), decibels((whole / BLOCK_SAMPLES as f32).sqrt()))
}

/// The sum of squares, in eight lanes: one running sum would take eight times as long.
fn energy(part: &[f32]) -> f32 {
    let mut lanes = [0.0; 8];
    for samples in part.chunks_exact(lanes.len()) {
        lanes.iter_mut().zip(samples).for_each(|(lane, sample)| *lane += sample * sample);
    }
    lanes.iter().sum()
}

const _: () = assert!(BURST_SAMPLES.is_multiple_of(8) && BLOCK_SAMPLES.is_multiple_of(BURST_SAMPLES), "no sample is left over");

/// 0 at the threshold, 1 at full scale, even in decibels.
fn loud_share(level_db: f32) -> f32 {
    ((level_db - ON_DB) / -ON_DB).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::super::tone::{Tone, noise};
    use super::*;

    fn hear_for(voice: &mut Voice, blocks: u64, mut block: impl FnMut(u64) -> Block) -> u64 {
        let hear = |n| {
            let block = block(n);
            voice.sense(&block, Heard::Decoded);
            voice.hear(MediaTime::from_millis(20 * n), &block);
            voice.talking()
        };
        (0..blocks).map(hear).filter(|talking| *talking).count() as u64
    }

    #[test]
    fn a_tone_at_minus_20_dbfs_talks_from_its_first_block_on() {
        assert_eq!(hear_for(&mut Voice::default(), 500, |n| Tone::db(440.0, -20.0).block(n)), 500);
    }

    #[test]
    fn a_tone_gated_four_times_a_second_never_stops_talking() {
        let gated = |n: u64| if n % 12 < 6 { Tone::db(440.0, -20.0).block(n) } else { Block::SILENCE };
        assert_eq!(hear_for(&mut Voice::default(), 500, gated), 500);
    }

    #[test]
    fn noise_at_minus_60_dbfs_and_silence_do_not_talk() {
        assert_eq!(hear_for(&mut Voice::default(), 500, |n| noise(n, -60.0)), 0);
        assert_eq!(hear_for(&mut Voice::default(), 500, |_| Block::SILENCE), 0);
    }

    #[test]
    fn an_onset_in_the_last_5_ms_counts_in_that_very_block() {
        let mut block = Tone::db(440.0, -40.0).block(0);
        block.0[..BLOCK_SAMPLES - BURST_SAMPLES].fill(0.0);
        assert_eq!(hear_for(&mut Voice::default(), 1, |_| block.clone()), 1);
    }

    #[test]
    fn a_talker_stops_a_second_after_the_last_sound() {
        let mut voice = Voice::default();
        hear_for(&mut voice, 10, |n| Tone::db(440.0, -20.0).block(n));
        assert_eq!(hear_for(&mut voice, 500, |_| Block::SILENCE), u64::from(HOLD_BLOCKS));
    }

    #[test]
    fn between_the_thresholds_only_a_talker_goes_on() {
        assert_eq!(hear_for(&mut Voice::default(), 100, |n| Tone::db(440.0, -52.0).block(n)), 0);
        let mut voice = Voice::default();
        hear_for(&mut voice, 1, |n| Tone::db(440.0, -20.0).block(n));
        assert_eq!(hear_for(&mut voice, 100, |n| Tone::db(440.0, -52.0).block(n)), 100);
    }

    #[test]
    fn two_seconds_without_sound_show_the_mute_mark_and_one_sound_takes_it_away() {
        let mut voice = Voice::default();
        hear_for(&mut voice, 99, |_| Block::SILENCE);
        assert!(!voice.soundless());
        voice.sense(&noise(0, -60.0), Heard::Idle);
        assert!(voice.soundless());
        voice.sense(&noise(0, -60.0), Heard::Decoded);
        assert!(!voice.soundless());
    }

    #[test]
    fn a_cough_of_300_ms_is_no_speech() {
        let mut voice = Voice::default();
        hear_for(&mut voice, 15, |n| Tone::db(440.0, -6.0).block(n));
        assert!(!voice.speaks() && voice.spoke_at().is_none());
        hear_for(&mut voice, 3, |n| Tone::db(440.0, -6.0).block(n));
        assert!(voice.speaks() && voice.spoke_at().is_some());
    }
}
