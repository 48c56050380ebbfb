//! Somebody who overhears a room: what everybody sends, as it comes, and what happens.
//!
//! In: a room. Out: its settings, who is there, each one's access units and sound packets, events. Never: a wait of the room or of a
//! sender for whoever overhears, or a decode that would not be otherwise.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::{broadcast, watch};

use super::spec::RoomSpec;
use super::{JoinError, RoomEvent, Rooms, Seat, Wish};
use crate::ingest::{self, Ear, Earpiece, Wire};
use crate::layout::Template;
use crate::media::{ParticipantId, RoomName, ShortName};
use crate::room::{RoomStatus, Source};

/// What comes of everybody, for those who overhear it.
#[derive(Debug, Default)]
pub(super) struct Wires(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    people: BTreeMap<ParticipantId, Overt>,
    ears: Vec<(Ear, Weak<Met>)>,
}

/// All whom one who overhears has met and not forgotten, also where they have left.
type Met = Mutex<BTreeMap<ParticipantId, Overt>>;

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
    fn meet(&self, id: ParticipantId, ear: &Ear, met: &Met) {
        self.video.iter().chain(&self.audio).for_each(|wire| wire.plug(id, ear));
        met.lock().insert(id, self.clone());
    }
}

impl Wires {
    /// Somebody comes in; who overhears the room overhears them from here on.
    pub(super) fn enter(&self, id: ParticipantId, overt: Overt) {
        let mut state = self.0.lock();
        state.ears.retain(|(ear, met)| met.upgrade().map(|met| overt.meet(id, ear, &met)).is_some());
        state.people.insert(id, overt);
    }

    pub(super) fn leave(&self, id: ParticipantId) {
        self.0.lock().people.remove(&id);
    }

    fn plug(&self, ear: Ear, met: &Arc<Met>) {
        let mut state = self.0.lock();
        state.ears.retain(|(_, met)| met.strong_count() > 0);
        state.people.iter().for_each(|(id, overt)| overt.meet(*id, &ear, met));
        state.ears.push((ear, Arc::downgrade(met)));
    }
}

/// Overhears a room. Dropping it ends that.
#[derive(Debug)]
pub struct Overhearing {
    /// The room's settings as `PUT` takes them, when it began.
    pub settings: Arc<RoomSpec>,
    /// The room when it began; events from then on are in `events`, and perhaps some that this has already.
    pub status: Arc<RoomStatus>,
    /// What comes of everybody.
    pub heard: Earpiece,
    /// What happens.
    pub events: broadcast::Receiver<Arc<RoomEvent>>,
    seat: Seat,
    rooms: Arc<Rooms>,
    met: Arc<Met>,
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
        let ((ear, heard), met) = (ingest::ear(), Arc::<Met>::default());
        live.wires.plug(ear, &met);
        // After the events are listened to, so that nothing happens between the two
        let status = live.settled().await.ok_or_else(gone)?;
        Ok(Overhearing { settings, status, heard, events, seat, rooms: self.clone(), met })
    }

    fn told_of(&self, name: &RoomName) -> Option<(broadcast::Receiver<Arc<RoomEvent>>, Arc<RoomSpec>)> {
        let directory = self.directory.lock();
        directory.entries.get(name).map(|entry| (entry.events.subscribe(), entry.prepared.spec.clone()))
    }
}

impl Overhearing {
    /// Somebody whom it has met: who was there when it began or came later, until it forgets them.
    pub fn person(&self, id: ParticipantId) -> Option<Overt> {
        self.met.lock().get(&id).cloned()
    }

    /// Nothing more is wanted of somebody who has left.
    pub fn forget(&self, id: ParticipantId) {
        self.met.lock().remove(&id);
    }

    /// The room's settings as they are now.
    pub fn settings_now(&self) -> Arc<RoomSpec> {
        self.rooms.told_of(&self.seat.room).map_or_else(|| self.settings.clone(), |(_, settings)| settings)
    }

    /// A template as it is now, by its name.
    pub fn template(&self, name: &ShortName) -> Option<Arc<Template>> {
        self.rooms.directory.lock().library.template(name)
    }

    /// Becomes true when the room is ended, or the server shuts down.
    pub fn dismissed(&self) -> watch::Receiver<bool> {
        self.seat.dismissed.clone()
    }
}
