//! A seat: both ends of one session's media, and the promise that leaving is noticed.

use std::sync::{Arc, Weak};

use tokio::sync::mpsc;

use super::Rooms;
use super::live::Live;
use super::talk::TalkLine;
use crate::egress::{AudioSubscription, VideoSubscription};
use crate::ingest::{AudioIntake, Feedback, VideoIntake};
use crate::media::{ParticipantId, RoomName, SentTraffic, ShortName, ViewName};
use crate::room::Source;

/// What somebody wants of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Display name; empty for a made-up one.
    pub name: String,
    /// What their pictures show.
    pub source: Source,
    /// The view they want; `None` for `main`.
    pub view: Option<ViewName>,
    /// The tallest picture they can take, in pixels.
    pub max_height: Option<u32>,
    /// The most frames a second they can take.
    pub max_fps: Option<u32>,
    /// They send pictures.
    pub sends_video: bool,
    /// They send sound.
    pub sends_audio: bool,
    /// They receive pictures.
    pub receives_video: bool,
    /// They receive sound.
    pub receives_audio: bool,
    /// The one rendition that they receive, whatever their line takes; `None` for what fits. One that there is not is as `None`.
    pub rendition: Option<ShortName>,
    /// It is an output of the server's own (a recording, a broadcast): it comes in where the room is locked, too, makes no room, and is
    /// told as nobody.
    pub is_output: bool,
    /// An admin sends them in: they come in where the room is locked, too, and make no room.
    pub is_sent: bool,
}

impl Wish {
    /// Whether the room sees or hears them.
    pub fn takes_part(&self) -> bool {
        self.sends_video || self.sends_audio
    }
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
    /// What the room asks of them, where they send pictures.
    pub feedback: Option<mpsc::Receiver<Feedback>>,
    /// The pictures for them.
    pub video_out: Option<VideoSubscription>,
    /// The sound for them.
    pub audio_out: Option<AudioSubscription>,
    /// Becomes true when an admin sends them out or ends the room: the session is to be closed then.
    pub dismissed: tokio::sync::watch::Receiver<bool>,
    /// What goes to them, counted by the session.
    pub traffic: Arc<SentTraffic>,
    /// Messages for them, and where theirs go.
    pub talk: Arc<TalkLine>,
    /// Leaves the room when it goes.
    pub(super) _leaver: Leaver,
}

/// Leaves the room when dropped.
#[derive(Debug)]
pub(super) struct Leaver {
    pub(super) rooms: Weak<Rooms>,
    /// There until the drop takes it.
    pub(super) live: Option<Arc<Live>>,
    pub(super) participant: ParticipantId,
    /// It was an output's seat.
    pub(super) is_output: bool,
}

impl Drop for Leaver {
    fn drop(&mut self) {
        let Some(live) = self.live.take() else { return };
        live.depart(self.participant);
        if let Some(rooms) = self.rooms.upgrade() {
            rooms.leave(&live, self.is_output);
        }
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
    /// Rooms are not made on demand, and this one was not made.
    #[error("there is no room {0}")]
    NoSuchRoom(RoomName),
    /// An admin has locked the room.
    #[error("room {0} is locked")]
    Locked(RoomName),
    /// The most people there may be in the room are there.
    #[error("room {0} holds {1} people and takes no more")]
    RoomFull(RoomName, usize),
    /// Names are unique in this room.
    #[error("somebody in this room is called {0:?} already")]
    NameTaken(String),
    /// The view that was asked for is not one of the room's; these are.
    #[error("the room has no view {0}; it has {1}")]
    NoSuchView(ViewName, String),
}
