//! What a room and its clients say to each other beside the media: over the data channel `medley`, as JSON.
//!
//! In: the room's scenes, routes and status; what clients say. Out: messages for each client that has the channel open. Never: a
//! wait for a client that does not read (of what changes it gets the newest, the rest is given up and counted), or a message for
//! nobody: while nobody listens nothing is made.
//!
//! | File | What it does |
//! | --- | --- |
//! | `message` | the messages, as they are documented |
//! | `tiles`, `roster` | who is where in a picture; who is there, and who speaks |
//! | `quality` | what a client gets, rounded to what is news |
//! | `letters` | what waits for one client |
//! | `ear` | what one client says: how much of it is heard, and what is wrong with the rest |
//! | `line` | one client's end of it all |

mod ear;
mod letters;
mod line;
mod message;
mod quality;
mod roster;
#[cfg(test)]
mod tests;
mod tiles;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::broadcast;

pub use ear::Heard;
use letters::Letters;
pub use line::{TalkLine, Verdict};
pub use message::{FromClient, Person, Tile, ToClient};

use super::{Quality, RoomEvent};
use crate::media::{MediaTime, ParticipantId, RoomName, Scene};
use crate::metrics::Metrics;
use crate::room::{RoomStatus, Routes, SceneKey};

/// Between two maps of one picture at least: a transition moves tiles with every frame.
const BETWEEN_MAPS: Duration = Duration::from_millis(100);
/// Between two words on what somebody gets at least.
const BETWEEN_QUALITIES: Duration = Duration::from_secs(1);
/// What was said last is told to whoever comes later.
const REMEMBERED: usize = 50;

/// One room's talk.
#[derive(Debug)]
pub(super) struct Talk {
    room: RoomName,
    events: broadcast::Sender<Arc<RoomEvent>>,
    metrics: Metrics,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    listeners: BTreeMap<ParticipantId, Listener>,
    routes: Arc<Routes>,
    status: Arc<RoomStatus>,
    said: VecDeque<Arc<str>>,
    /// The id of the last of it.
    last: u64,
    roster: Sheet,
    speaker: Sheet,
    maps: BTreeMap<SceneKey, Map>,
    /// When it was last told what each gets.
    qualities_at: MediaTime,
}

/// Somebody who has the channel open.
#[derive(Debug)]
struct Listener {
    letters: Arc<Letters>,
    /// As it was told.
    quality: Option<Quality>,
}

/// Something that is told anew when it changes.
#[derive(Debug, Default)]
struct Sheet {
    told: Option<(ToClient, Arc<str>)>,
}

/// A picture's map as it was told.
#[derive(Debug)]
struct Map {
    sheet: Sheet,
    at: MediaTime,
}

impl Talk {
    pub(super) fn new(room: RoomName, events: broadcast::Sender<Arc<RoomEvent>>, metrics: Metrics) -> Self {
        Self { room, events, metrics, state: Mutex::default() }
    }

    pub(super) fn routes(&self, routes: Arc<Routes>) {
        let mut state = self.state.lock();
        let before = std::mem::replace(&mut state.routes, routes);
        for (id, Listener { letters, .. }) in &state.listeners {
            let (key, former) = (state.routes.get(id), before.get(id));
            if let Some(map) = key.filter(|key| Some(*key) != former).and_then(|key| state.maps.get(key)) {
                map.sheet.give(letters);
            }
        }
        state.forget_maps();
    }

    /// A picture that is about to be drawn.
    pub(super) fn scene(&self, key: &SceneKey, scene: &Scene) {
        let mut state = self.state.lock();
        let State { listeners, routes, status, maps, .. } = &mut *state;
        let mut watchers = listeners.iter().filter(|(id, _)| routes.get(id) == Some(key)).map(|(_, listener)| &listener.letters).peekable();
        if watchers.peek().is_none() || maps.get(key).is_some_and(|map| scene.at.since(map.at) < BETWEEN_MAPS) {
            return;
        }
        let map = maps.entry(key.clone()).or_insert_with(|| Map { sheet: Sheet::default(), at: MediaTime::ZERO });
        if map.sheet.write(tiles::of(key, scene, status)) {
            map.at = scene.at;
            watchers.for_each(|letters| map.sheet.give(letters));
        }
    }

    pub(super) fn status(&self, status: &Arc<RoomStatus>) {
        let mut state = self.state.lock();
        state.status = status.clone();
        if !state.listeners.is_empty() {
            let State { listeners, roster, speaker, .. } = &mut *state;
            roster.tell(roster::people(status), listeners);
            speaker.tell(roster::speaker(status), listeners);
        }
    }

    /// Tells each who listens what it gets, where that is news.
    pub(super) fn tell_qualities(&self, at: MediaTime, of: impl Fn(ParticipantId) -> Option<Quality>) {
        let mut state = self.state.lock();
        if at.since(state.qualities_at) < BETWEEN_QUALITIES {
            return;
        }
        state.qualities_at = at;
        for (id, listener) in &mut state.listeners {
            let Some(quality) = of(*id).map(quality::rounded) else { continue };
            if listener.quality.as_ref() != Some(&quality) {
                listener.letters.put(&ToClient::Quality(quality.clone()));
                listener.quality = Some(quality);
            }
        }
    }

    fn listens(&self, id: ParticipantId) -> bool {
        self.state.lock().listeners.contains_key(&id)
    }

    fn said(&self) -> u64 {
        self.state.lock().last
    }

    /// One more who listens: who they are, what the room is like, and what was said.
    fn enter(&self, id: ParticipantId, hello: &ToClient, letters: &Arc<Letters>) {
        let mut state = self.state.lock();
        letters.clear();
        letters.put(hello);
        state.listeners.insert(id, Listener { letters: letters.clone(), quality: None });
        let status = state.status.clone();
        state.roster.write(roster::people(&status));
        state.speaker.write(roster::speaker(&status));
        let map = state.routes.get(&id).and_then(|key| state.maps.get(key));
        [Some(&state.roster), Some(&state.speaker), map.map(|map| &map.sheet)].into_iter().flatten().for_each(|sheet| sheet.give(letters));
        state.said.iter().for_each(|said| letters.put_chat(said.clone()));
    }

    fn leave(&self, id: ParticipantId) {
        let mut state = self.state.lock();
        state.listeners.remove(&id);
        state.forget_maps();
    }

    /// Tells everybody what somebody says, and the admins.
    fn say(&self, from: ParticipantId, called: &str, text: String, at: MediaTime) {
        let mut state = self.state.lock();
        // A room that is opened again goes on above what its clients have seen
        state.last = (state.last + 1).max(at.as_millis());
        let known = state.status.people.get(&from);
        let (name, viewer) = (known.map_or(called, |person| &person.name).to_owned(), known.is_none());
        let detail = json!({ "name": name, "text": text });
        let message = ToClient::Chat { id: state.last, from: from.to_string(), name, viewer, text, at_ms: at.as_millis() };
        let said = message.text();
        if state.said.len() == REMEMBERED {
            state.said.pop_front();
        }
        state.said.push_back(said.clone());
        state.listeners.values().for_each(|listener| listener.letters.put_chat(said.clone()));
        drop(state);
        let serde_json::Value::Object(detail) = detail else { return };
        // Nobody listens, most of the time
        let _ = self.events.send(Arc::new(RoomEvent { participant: Some(from.to_string()), detail, ..RoomEvent::plain(at, "chat") }));
    }
}

impl State {
    /// Maps that nobody who listens is shown: they would grow old.
    fn forget_maps(&mut self) {
        let Self { listeners, routes, maps, .. } = self;
        maps.retain(|key, _| listeners.keys().any(|id| routes.get(id) == Some(key)));
    }
}

impl Sheet {
    /// Takes the newest; whether it is another.
    fn write(&mut self, message: ToClient) -> bool {
        if self.told.as_ref().is_some_and(|(told, _)| told.says_the_same(&message)) {
            return false;
        }
        let text = message.text();
        self.told = Some((message, text));
        true
    }

    fn give(&self, letters: &Letters) {
        if let Some((message, text)) = &self.told {
            letters.put_text(message, text.clone());
        }
    }

    fn tell(&mut self, message: ToClient, listeners: &BTreeMap<ParticipantId, Listener>) {
        if self.write(message) {
            listeners.values().for_each(|listener| self.give(&listener.letters));
        }
    }
}
