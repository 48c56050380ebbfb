//! One person in the room: what an admin says of them, their sound, their picture, and what is known of their voice.

use std::sync::Arc;

use super::glow::Glow;
use super::mixer::{fade_in, fade_out};
use super::sight::Sight;
use super::strip::{Strip, is_sound};
use super::talkers::Talker;
use super::voice::Voice;
use super::{AudioSettings, Change, Joining, PersonStatus, Source};
use crate::media::{Block, Heard, MediaTime, ParticipantId, ShortName, SoundSource};

/// The gain that an admin may give, in decibels.
const GAIN_DB: (f32, f32) = (-60.0, 20.0);

/// Somebody who is seen, heard, or both.
pub(super) struct Participant {
    pub(super) name: Arc<str>,
    pub(super) source: Source,
    pub(super) role: Option<ShortName>,
    pub(super) muted: bool,
    pub(super) hidden: bool,
    pub(super) pinned: bool,
    gain_db: f32,
    joined_at: MediaTime,
    pub(super) voice: Voice,
    pub(super) sight: Sight,
    pub(super) glow: Glow,
    sound: Option<Box<dyn SoundSource>>,
    strip: Strip,
    /// What the last audio tick heard of them, as it was mixed.
    block: Box<Block>,
    mixed: bool,
}

impl Participant {
    pub(super) fn new(joining: Joining, joined_at: MediaTime) -> Self {
        Self {
            name: joining.name,
            source: joining.source,
            role: None,
            muted: false,
            hidden: false,
            pinned: false,
            gain_db: 0.0,
            joined_at,
            voice: Voice::default(),
            sight: Sight::new(joining.picture),
            glow: Glow::default(),
            sound: joining.sound,
            strip: Strip::default(),
            block: Box::new(Block::SILENCE),
            mixed: false,
        }
    }

    /// Takes over what is other than it was, and gives that; `None` where nothing is.
    pub(super) fn change(&mut self, change: Change) -> Option<Change> {
        let gain_db = change.gain_db.filter(|gain_db| gain_db.is_finite()).map(|gain_db| gain_db.clamp(GAIN_DB.0, GAIN_DB.1));
        let changed = Change {
            name: replace(&mut self.name, change.name),
            role: replace(&mut self.role, change.role),
            muted: replace(&mut self.muted, change.muted),
            hidden: replace(&mut self.hidden, change.hidden),
            gain_db: replace(&mut self.gain_db, gain_db),
            pinned: replace(&mut self.pinned, change.pinned),
        };
        if changed.muted == Some(true) {
            self.voice.hush();
        }
        (changed != Change::default()).then_some(changed)
    }

    /// Takes their next 20 ms.
    pub(super) fn pull(&mut self, at: MediaTime, audio: AudioSettings) {
        let Some(sound) = &mut self.sound else { return };
        let mut heard = sound.pull(at, &mut self.block);
        // One sample that is no number, or makes a sum that is none, would spoil everybody's mix.
        if !is_sound(&self.block) {
            *self.block = Block::SILENCE;
            heard = Heard::Idle;
        }
        self.voice.sense(&self.block, heard);
        self.strip.treat(&mut self.block, audio, self.gain_db);
        if !self.muted {
            self.voice.hear(at, &self.block);
        }
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

    /// Whether they may be the active speaker: what a shared screen sounds like is nobody who speaks.
    pub(super) fn may_speak(&self) -> bool {
        self.source == Source::Camera && !self.muted
    }

    /// Whether the mute mark stands by their name. A screen that never had a sound needs none.
    pub(super) fn mute_mark(&self) -> bool {
        match self.source {
            Source::Screen if self.sound.is_none() => false,
            _ => self.muted || self.silent(),
        }
    }

    /// Whether their picture may fade where it has no place any more: who is hidden goes at once, and a screen with its picture.
    pub(super) fn may_fade(&self) -> bool {
        !self.hidden && (self.source == Source::Camera || self.sight.shown())
    }

    /// Whether they send no sound at all, or none for two seconds.
    fn silent(&self) -> bool {
        self.sound.is_none() || self.voice.soundless()
    }

    pub(super) fn status(&self) -> PersonStatus {
        PersonStatus {
            name: self.name.clone(),
            joined_at: self.joined_at,
            source: self.source,
            role: self.role.clone(),
            muted: self.muted,
            silent: self.silent(),
            hidden: self.hidden,
            pinned: self.pinned,
            gain_db: self.gain_db,
            speaking: self.voice.talking(),
            level_db: self.voice.loudness_db(),
            has_audio: self.sound.is_some(),
            has_video: self.sight.sends(),
            picture: self.sight.present(),
        }
    }
}

/// Puts a wish in place; gives it where it is other than what was there.
fn replace<T: Clone + PartialEq>(held: &mut T, wish: Option<T>) -> Option<T> {
    let wish = wish.filter(|wish| wish != held)?;
    *held = wish.clone();
    Some(wish)
}
