//! Somebody who overhears a room: what everybody sends, as it comes, and what happens.
//!
//! In: a room. Out: its settings, who is there, each one's access units and sound packets, events. Never: a wait of the room or of a
//! sender for whoever overhears, or a decode that would not be otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{broadcast, watch};

use super::live::Live;
use super::spec::RoomSpec;
use super::{JoinError, RoomEvent, Rooms, Seat, Wish};
use crate::ingest::{self, Ear, Earpiece, Wire};
use crate::media::{MediaTime, ParticipantId, RoomName};
use crate::room::{RoomStatus, Source};

/// What comes of everybody, for those who overhear it.
#[derive(Debug, Default)]
pub(super) struct Wires(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    people: BTreeMap<ParticipantId, Overt>,
    ears: Vec<(Ear, watch::Receiver<()>)>,
}

/// Somebody who can be overheard.
#[derive(Clone, Debug)]
pub struct Overt {
    /// What their pictures show.
    pub source: Source,
    /// What comes of their pictures, where they may send any.
    pub video: Option<Arc<Wire>>,
    /// What comes of their sound, where they may send any.
    pub audio: Option<Arc<Wire>>,
}

impl Overt {
    fn plug(&self, id: ParticipantId, ear: &Ear) {
        self.video.iter().chain(&self.audio).for_each(|wire| wire.plug(id, ear));
    }
}

impl Wires {
    /// Somebody comes in; who overhears the room overhears them from here on.
    pub(super) fn enter(&self, id: ParticipantId, overt: Overt) {
        let mut state = self.0.lock();
        // Whoever has gone dropped the other end
        state.ears.retain(|(_, there)| there.has_changed().is_ok());
        state.ears.iter().for_each(|(ear, _)| overt.plug(id, ear));
        state.people.insert(id, overt);
    }

    pub(super) fn leave(&self, id: ParticipantId) {
        self.0.lock().people.remove(&id);
    }

    fn plug(&self, ear: Ear, there: watch::Receiver<()>) {
        let mut state = self.0.lock();
        state.people.iter().for_each(|(id, overt)| overt.plug(*id, &ear));
        state.ears.push((ear, there));
    }
}

/// Overhears a room. Dropping it ends that.
#[derive(Debug)]
pub struct Overhearing {
    /// The room's settings as `PUT` takes them, when it began.
    pub settings: Arc<RoomSpec>,
    /// The room when it began; events from then on are in `events`, and perhaps some that this has already.
    pub status: Arc<RoomStatus>,
    /// When it began, by the wall clock.
    pub began: jiff::Timestamp,
    /// What comes of everybody.
    pub heard: Earpiece,
    /// What happens.
    pub events: broadcast::Receiver<Arc<RoomEvent>>,
    seat: Seat,
    live: Arc<Live>,
    rooms: Arc<Rooms>,
    _there: watch::Sender<()>,
}

impl Rooms {
    /// Overhears a room from here on; each sender is asked for a keyframe.
    ///
    /// # Errors
    /// Where there is no such room, or the server shuts down.
    pub async fn overhear(self: &Arc<Self>, name: &RoomName) -> Result<Overhearing, JoinError> {
        let wish = Wish { is_output: true, ..Wish::default() };
        let (live, admitted) = self.admit(name, &wish)?;
        let seat = live.seat(self, wish, admitted);
        let gone = || JoinError::NoSuchRoom(name.clone());
        let (events, settings) = self.told_of(name).ok_or_else(gone)?;
        let ((ear, heard), (there, is_there)) = (ingest::ear(), watch::channel(()));
        live.wires.plug(ear, is_there);
        // After the events are listened to, so that nothing happens between the two
        let status = live.settled().await.ok_or_else(gone)?;
        let began = self.timestamp(status.at);
        Ok(Overhearing { settings, status, began, heard, events, seat, live, rooms: self.clone(), _there: there })
    }

    fn told_of(&self, name: &RoomName) -> Option<(broadcast::Receiver<Arc<RoomEvent>>, Arc<RoomSpec>)> {
        let directory = self.directory.lock();
        directory.entries.get(name).map(|entry| (entry.events.subscribe(), entry.prepared.spec.clone()))
    }
}

impl Overhearing {
    /// Whose room it is.
    pub fn room(&self) -> &RoomName {
        &self.seat.room
    }

    /// The present point on the room's line.
    pub fn now(&self) -> MediaTime {
        self.rooms.clock.now()
    }

    /// Somebody, while they are there.
    pub fn person(&self, id: ParticipantId) -> Option<Overt> {
        self.live.wires.0.lock().people.get(&id).cloned()
    }

    /// The room's settings as they are now.
    pub fn settings_now(&self) -> Arc<RoomSpec> {
        self.rooms.told_of(&self.seat.room).map_or_else(|| self.settings.clone(), |(_, settings)| settings)
    }

    /// Becomes true when the room is ended, or the server shuts down.
    pub fn dismissed(&self) -> watch::Receiver<bool> {
        self.seat.dismissed.clone()
    }
}
