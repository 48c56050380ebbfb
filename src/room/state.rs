//! The room itself.

use std::sync::Arc;

use super::participant::Participant;
use super::people::People;
use super::sound::Sound;
use super::view::Present;
use super::views::Views;
use super::{AudioSettings, Change, Command, Joining, Overlays, RoomSettings, RoomStatus, Routes, SceneKey};
use crate::layout::Layout;
use crate::media::{MediaTime, MixSet, ParticipantId, Scene, ViewName};

/// People, what they sound like, and how they are arranged. Never a clock, a thread, a socket or a codec.
pub struct Room {
    people: People,
    sound: Sound,
    views: Views,
    overlays: Overlays,
    audio: AudioSettings,
    max_self_views: usize,
    /// The latest time that it was told.
    now: MediaTime,
    handled: u64,
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
    pub fn new(settings: RoomSettings, start: MediaTime) -> Self {
        let mut views = RoomSettings::default().views;
        views.extend(settings.views);
        Self {
            people: People::default(),
            sound: Sound::new(start),
            views: Views::new(views, start),
            overlays: settings.overlays,
            audio: settings.audio,
            max_self_views: settings.max_self_views,
            now: start,
            handled: 0,
            events: Vec::new(),
        }
    }

    /// Takes a command. One about somebody who is not there, or a join of somebody who is, changes nothing.
    pub fn handle(&mut self, command: Command) {
        self.handled += 1;
        match command {
            Command::Join(joining) => self.join(joining),
            Command::Leave(id) => self.leave(id),
            Command::Change(id, change) => self.change(id, change),
            Command::Configure(settings) => self.configure(settings),
            Command::Arrange { view, layout, at } => {
                self.views.arrange(&view, layout, at.unwrap_or_default(), self.now, &mut self.events);
            }
            Command::Watch(id, view) => self.views.watch(id, view),
            Command::Unwatch(id) => self.views.unwatch(id),
        }
    }

    /// When [`Self::advance`] has something to do next.
    pub fn next_deadline(&self) -> MediaTime {
        self.sound.due().min(self.views.due(self.now))
    }

    /// What is due by `now`, one thing at a time until there is nothing more; sound first.
    ///
    /// Where the room is late, all blocks that are due come one after the other (up to a second of them), and of each view's
    /// pictures only the newest. What happened, such as new routes, is to be taken before what this gives is delivered.
    pub fn advance(&mut self, now: MediaTime) -> Option<Due> {
        self.now = self.now.max(now);
        let Self { people, sound, views, overlays, events, .. } = self;
        views.reroute(Present { people, speaker: sound.speaker(), overlays }, self.max_self_views, events);
        if sound.due() <= now {
            let mixes = sound.tick(now, people, self.audio, events);
            look_for_pictures(mixes.at, people, events);
            return Some(Due::Mixes(mixes));
        }
        let present = Present { people, speaker: sound.speaker(), overlays };
        views.next(now, present, self.max_self_views, events).map(|(key, scene)| Due::Scene(key, scene))
    }

    /// What happened since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The room as it is at `now`.
    pub fn status(&self, now: MediaTime) -> RoomStatus {
        let speaker = self.sound.speaker();
        RoomStatus {
            at: now,
            handled: self.handled,
            people: self.people.iter().map(|(id, person)| (id, person.status())).collect(),
            speaker,
            views: self.views.status(Present { people: &self.people, speaker, overlays: &self.overlays }),
            routes: self.views.routes().clone(),
        }
    }

    fn join(&mut self, joining: Joining) {
        let (id, name) = (joining.id, joining.name.clone());
        if self.people.get(id).is_some() {
            return;
        }
        self.sound.join(id);
        self.people.join(id, Participant::new(joining, self.now));
        self.events.push(Event::Joined(id, name));
    }

    fn leave(&mut self, id: ParticipantId) {
        let Some(person) = self.people.leave(id) else { return };
        self.events.push(Event::Left(id));
        self.sound.leave(id, person, &mut self.events);
    }

    fn change(&mut self, id: ParticipantId, change: Change) {
        let Some(changed) = self.people.get_mut(id).and_then(|person| person.change(change)) else { return };
        let muted = changed.muted == Some(true);
        self.events.push(Event::Changed(id, changed));
        if muted {
            self.sound.silence(id, &mut self.events);
        }
    }

    fn configure(&mut self, settings: RoomSettings) {
        let start = self.views.due(self.now);
        self.views.configure(settings.views, start, &mut self.events);
        self.overlays = settings.overlays;
        self.audio = settings.audio;
        self.max_self_views = settings.max_self_views;
    }
}

fn look_for_pictures(at: MediaTime, people: &mut People, events: &mut Vec<Event>) {
    for (id, person) in people.iter_mut() {
        if let Some(stalled) = person.sight.look(at) {
            events.push(Event::Stalled(id, stalled));
        }
    }
}
