//! A room without clock, thread, socket or codec: commands in; scenes, mixes and events out.
//!
//! [`Room`] is pure: it is told what time it is. [`Driver`] is the one thread that gives it real time.
//!
//! | File | What it does |
//! | --- | --- |
//! | `state` | the room itself: commands, what is due, events |
//! | `clock` | when ticks are due |
//! | `cast`, `layout`, `grid`, `speaker` | who is shown, and where |
//! | `participant`, `voice`, `talkers`, `active` | who talks, who is mixed, who is the active speaker |
//! | `mixer`, `limiter` | the sums, and keeping them below full scale |
//! | `inbox`, `driver` | commands on their way, real time |

use std::sync::Arc;

use crate::media::{Canvas, MixSet, ParticipantId, Scene, SoundSource};

mod active;
mod cast;
mod clock;
mod driver;
pub mod grid;
mod inbox;
mod layout;
mod limiter;
mod mixer;
mod participant;
#[cfg(test)]
mod sim;
mod speaker;
mod state;
mod talkers;
#[cfg(test)]
mod tone;
mod voice;

pub use driver::Driver;
pub use state::{Due, Event, Room};

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

impl Default for RoomSettings {
    fn default() -> Self {
        Self { canvas: Canvas::default(), layout: Layout::default(), max_talkers: 16 }
    }
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
