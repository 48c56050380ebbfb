//! What happened in a room, as admins are told.
//!
//! In: a room's events, and what admins did. Out: server-sent events' values. Never: what is for the log alone.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{RoomEvent, Rooms};
use crate::media::{MediaTime, ParticipantId, RoomName};
use crate::room::{Change, Event};

impl Rooms {
    /// Tells a room's admins of something that is none of the room's own doings, such as a recording of it. Nobody, where it has ended.
    pub fn announce(&self, room: &RoomName, event: &'static str, detail: Value) {
        let directory = self.directory.lock();
        let Some(entry) = directory.entries.get(room) else { return };
        let event = RoomEvent { detail: object(&detail), ..RoomEvent::plain(self.clock.now(), event) };
        // Nobody listens, most of the time.
        let _ = entry.events.send(Arc::new(event));
    }
}

impl RoomEvent {
    /// What admins are told of an event; nothing of those that are the room's own matter.
    pub(super) fn of(at: MediaTime, event: &Event) -> Vec<Self> {
        match event {
            Event::Joined(id, name) => vec![Self::about(at, "joined", *id, json!({ "name": &**name }))],
            Event::Left(id) => vec![Self::about(at, "left", *id, json!({}))],
            Event::Changed(id, change) => Self::of_change(at, *id, change),
            Event::SpeakerChanged(id) => {
                let participant = id.map(|id| id.to_string());
                vec![Self { participant, ..Self::plain(at, "speaker") }]
            }
            Event::LayoutChanged(view, layout) => {
                vec![Self { view: Some(view.clone()), detail: object(layout.spec()), ..Self::plain(at, "layout") }]
            }
            Event::Stalled(id, stalled) => vec![Self::about(at, "stalled", *id, json!({ "stalled": stalled }))],
            Event::Routed(_) | Event::PicturesSkipped(_) | Event::BlocksSkipped(_) => Vec::new(),
        }
    }

    /// Something about the room as a whole.
    pub(super) fn plain(at: MediaTime, event: &'static str) -> Self {
        Self { event, time_ms: at.as_millis(), participant: None, view: None, detail: Map::new() }
    }

    fn about(at: MediaTime, event: &'static str, id: ParticipantId, detail: Value) -> Self {
        Self { participant: Some(id.to_string()), detail: object(&detail), ..Self::plain(at, event) }
    }

    fn of_change(at: MediaTime, id: ParticipantId, change: &Change) -> Vec<Self> {
        let muted = change.muted.map(|muted| Self::about(at, "muted", id, json!({ "muted": muted })));
        let Change { name, role, hidden, gain_db, pinned, muted: _ } = change;
        let mut detail = Map::new();
        let mut note = |key: &str, value: Option<Value>| drop(value.map(|value| detail.insert(key.into(), value)));
        note("name", name.as_deref().map(|name| json!(name)));
        note("role", role.as_ref().map(|role| json!(role)));
        note("hidden", hidden.map(|hidden| json!(hidden)));
        note("gain_db", gain_db.map(|gain| json!(gain)));
        note("pinned", pinned.map(|pinned| json!(pinned)));
        let changed = (!detail.is_empty()).then(|| Self { detail, ..Self::about(at, "changed", id, json!({})) });
        muted.into_iter().chain(changed).collect()
    }
}

fn object(value: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(event: &Event) -> Vec<Value> {
        RoomEvent::of(MediaTime::from_millis(40), event).iter().map(|event| serde_json::to_value(event).unwrap()).collect()
    }

    #[test]
    fn a_change_is_told_as_muted_and_as_what_else_changed() {
        let change = Change { muted: Some(true), role: Some(None), gain_db: Some(-6.0), ..Change::default() };
        let wanted = [
            json!({ "event": "muted", "time_ms": 40, "participant": "p3", "detail": { "muted": true } }),
            json!({ "event": "changed", "time_ms": 40, "participant": "p3", "detail": { "role": null, "gain_db": -6.0 } }),
        ];
        assert_eq!(told(&Event::Changed(ParticipantId(3), change)), wanted);
        assert!(told(&Event::Changed(ParticipantId(3), Change::default())).is_empty());
    }

    #[test]
    fn nobody_speaking_is_told_too_and_lateness_is_not() {
        assert_eq!(told(&Event::SpeakerChanged(None)), [json!({ "event": "speaker", "time_ms": 40 })]);
        assert!(told(&Event::PicturesSkipped(3)).is_empty());
    }
}
