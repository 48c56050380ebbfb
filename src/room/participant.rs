//! One person in the room: their name, their sound and what is known of their voice.

use std::sync::Arc;

use super::mixer::{fade_in, fade_out};
use super::talkers::Talker;
use super::voice::Voice;
use crate::media::{Block, Heard, MediaTime, ParticipantId, SoundSource};

/// 36 dB above full scale: no decoder gives more of its own accord.
const LOUDEST: f32 = 64.0;

/// Somebody who is seen, heard, or both.
pub(super) struct Participant {
    pub(super) name: Arc<str>,
    pub(super) voice: Voice,
    sound: Option<Box<dyn SoundSource>>,
    /// What the last audio tick heard of them, as it was mixed.
    block: Box<Block>,
    mixed: bool,
}

impl Participant {
    pub(super) fn new(name: Arc<str>, sound: Option<Box<dyn SoundSource>>) -> Self {
        Self { name, voice: Voice::default(), sound, block: Box::new(Block::SILENCE), mixed: false }
    }

    /// Takes their next 20 ms.
    pub(super) fn pull(&mut self, at: MediaTime) {
        let Some(sound) = &mut self.sound else { return };
        let mut heard = sound.pull(at, &mut self.block);
        // One sample that is no number, or makes a sum that is none, would spoil everybody's mix.
        if !is_sound(&self.block) {
            *self.block = Block::SILENCE;
            heard = Heard::Idle;
        }
        self.voice.hear(at, &self.block, heard);
    }

    /// Moves into the mix, or out of it; gives the block where any of it is to be mixed.
    pub(super) fn enter_mix(&mut self, mixed: bool) -> Option<&Block> {
        let was = std::mem::replace(&mut self.mixed, mixed);
        match (was, mixed) {
            (false, false) => return None,
            (false, true) => fade_in(&mut self.block),
            (true, false) => fade_out(&mut self.block),
            (true, true) => {}
        }
        Some(&self.block)
    }

    /// Whether the last block ended in the mix.
    pub(super) fn mixed(&self) -> bool {
        self.mixed
    }

    /// They as a candidate for the mix, while they talk.
    pub(super) fn as_talker(&self, id: ParticipantId) -> Option<Talker> {
        self.voice.talking().then(|| Talker { id, loudness_db: self.voice.loudness_db(), mixed: self.mixed })
    }

    /// Whether the mute mark stands by their name: they send no sound at all, or none for two seconds.
    pub(super) fn muted(&self) -> bool {
        self.sound.is_none() || self.voice.muted()
    }
}

/// Whether all samples are numbers of some reason. Without an early exit, so that it is done in lanes.
fn is_sound(block: &Block) -> bool {
    block.0.iter().fold(true, |sound, sample| sound & (sample.abs() <= LOUDEST))
}
