//! The room itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::active::ActiveSpeaker;
use super::cast::Cast;
use super::clock::Ticks;
use super::mixer::Mixer;
use super::participant::Participant;
use super::{Change, Command, RoomSettings, RoomStatus, Routes, SceneKey};
use crate::layout::Layout;
use crate::media::{MediaTime, MixSet, ParticipantId, Scene, ViewName};

#[expect(dead_code, reason = "skeleton")]
/// People, what they sound like, and how they are arranged. Never a clock, a thread, a socket or a codec.
pub struct Room {
    settings: RoomSettings,
    audio: Ticks,
    video: Ticks,
    /// Ordered by id: sums of the same sounds are the same to the bit.
    people: BTreeMap<ParticipantId, Participant>,
    /// Those who left while they were mixed: heard for one more block, in which they fade.
    leaving: BTreeMap<ParticipantId, Participant>,
    cast: Cast,
    active: ActiveSpeaker,
    mixer: Mixer,
    events: Vec<Event>,
}

/// What a tick gives.
#[derive(Clone, Debug)]
pub enum Due {
    /// An audio tick's mixes.
    Mixes(MixSet),
    /// A view's video tick: the scene of one key. Those of one view and tick come one after the other.
    Scene(SceneKey, Scene),
}

/// What happened: for logs and for admins.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Somebody came.
    Joined(ParticipantId, Arc<str>),
    /// Somebody went.
    Left(ParticipantId),
    /// An admin changed something about somebody.
    Changed(ParticipantId, Change),
    /// Another is the active speaker; nobody, where they left.
    SpeakerChanged(Option<ParticipantId>),
    /// A view is arranged otherwise.
    LayoutChanged(ViewName, Arc<Layout>),
    /// Somebody's pictures stopped coming (`true`), or come again.
    Stalled(ParticipantId, bool),
    /// The routes are other ones.
    Routed(Arc<Routes>),
    /// So many pictures were not made, because the room was late.
    PicturesSkipped(u64),
    /// So many 20 ms blocks were not mixed, because the room stood still for more than a second.
    BlocksSkipped(u64),
}

impl Room {
    /// An empty room whose first ticks are due at `start`.
    pub fn new(_settings: RoomSettings, _start: MediaTime) -> Self {
        unimplemented!()
    }

    /// Takes a command. One about somebody who is not there, or a join of somebody who is, changes nothing.
    pub fn handle(&mut self, _command: Command) {
        unimplemented!()
    }

    /// When [`Self::advance`] has something to do next.
    pub fn next_deadline(&self) -> MediaTime {
        unimplemented!()
    }

    /// What is due by `now`, one thing at a time until there is nothing more; sound first.
    ///
    /// Where the room is late, all blocks that are due come one after the other (up to a second of them), and of the
    /// pictures only the newest.
    pub fn advance(&mut self, _now: MediaTime) -> Option<Due> {
        unimplemented!()
    }

    /// What happened since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The room as it is at `now`.
    pub fn status(&self, _now: MediaTime) -> RoomStatus {
        unimplemented!()
    }
}
