//! A room without clock, thread, socket or codec: commands in; scenes, mixes and events out.

use std::sync::Arc;

use crate::media::{Canvas, Clock, MixSet, ParticipantId, Scene, SoundSource};
use crate::metrics::Metrics;

/// How a room is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomSettings {
    /// The picture.
    pub canvas: Canvas,
    /// The template.
    pub layout: Layout,
    /// Talkers mixed at most, loudest first; 1 to 32.
    pub max_talkers: usize,
}

/// The templates of this version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Everyone alike, aspect-aware.
    #[default]
    Grid,
    /// The active speaker large, the rest in a strip.
    Speaker,
}

/// What a room is told.
pub enum Command {
    /// Somebody who sends picture or sound comes in.
    Join {
        /// Their id, fresh in this room.
        id: ParticipantId,
        /// Their display name.
        name: Arc<str>,
        /// Their sound, where they send any.
        sound: Option<Box<dyn SoundSource>>,
    },
    /// They go.
    Leave(ParticipantId),
    /// They are called otherwise.
    Rename(ParticipantId, Arc<str>),
    /// The picture is arranged otherwise.
    SetLayout(Layout),
}

/// Who takes what a room gives. Called on the driver's thread: must never block.
pub trait Stage: Send {
    /// The scene of a video tick.
    fn scene(&mut self, scene: Scene);
    /// The mixes of an audio tick.
    fn mixes(&mut self, mixes: MixSet);
}

/// The only loop that gives a room real time: its own thread.
#[derive(Debug)]
pub struct Driver {}

impl Driver {
    /// Starts the thread; it ends when this is dropped.
    pub fn start(_settings: RoomSettings, _clock: Clock, _metrics: Metrics, _stage: Box<dyn Stage>) -> Self {
        unimplemented!()
    }

    /// Tells the room something; it takes effect at its next tick.
    pub fn send(&self, _command: Command) {
        unimplemented!()
    }
}
