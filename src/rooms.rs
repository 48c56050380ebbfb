//! The directory of rooms: starts a room's threads, hands out seats, ends rooms that nobody is in.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::egress::{AudioSubscription, VideoSubscription};
use crate::ingest::{AudioIntake, Feedback, VideoIntake};
use crate::media::{Clock, Frame, ParticipantId, RoomName};
use crate::metrics::Metrics;
use crate::room::RoomSettings;

/// What somebody wants of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Display name; empty for a made-up one.
    pub name: String,
    /// They send pictures.
    pub sends_video: bool,
    /// They send sound.
    pub sends_audio: bool,
    /// They receive pictures.
    pub receives_video: bool,
    /// They receive sound.
    pub receives_audio: bool,
}

/// A place in a room: both ends of somebody's media. Dropping it leaves the room.
#[derive(Debug)]
pub struct Seat {
    /// Whose.
    pub participant: ParticipantId,
    /// Where.
    pub room: RoomName,
    /// Where their video packets go.
    pub video_in: Option<VideoIntake>,
    /// Where their sound packets go.
    pub audio_in: Option<AudioIntake>,
    /// What the room asks of them (never ends while the seat lives).
    pub feedback: Option<mpsc::Receiver<Feedback>>,
    /// The pictures for them.
    pub video_out: Option<VideoSubscription>,
    /// The sound for them.
    pub audio_out: Option<AudioSubscription>,
}

/// All rooms of this server.
#[derive(Debug)]
pub struct Rooms {}

/// A room in the list.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RoomSummary {
    /// Its name.
    pub name: String,
    /// Those who are seen or heard.
    pub participants: usize,
    /// All sessions, viewers too.
    pub sessions: usize,
}

impl Rooms {
    /// No room yet; rooms are made on demand with `settings`.
    pub fn new(_settings: RoomSettings, _clock: Clock, _metrics: Metrics) -> Arc<Self> {
        unimplemented!()
    }

    /// Takes a seat; makes the room where there is none.
    ///
    /// # Errors
    /// Where the server is full or draining.
    pub fn join(self: &Arc<Self>, _room: &RoomName, _wish: Wish) -> Result<Seat, JoinError> {
        unimplemented!()
    }

    /// What the room's canvas shows; `None` where there is no such room or no picture yet.
    pub fn snapshot(&self, _room: &RoomName) -> Option<Arc<Frame>> {
        unimplemented!()
    }

    /// The live rooms, by name.
    pub fn list(&self) -> Vec<RoomSummary> {
        unimplemented!()
    }
}

/// Why there is no seat.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// The most sessions there may be are there.
    #[error("the server holds {0} sessions and takes no more")]
    Full(usize),
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Draining,
}
