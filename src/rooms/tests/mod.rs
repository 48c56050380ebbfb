//! Rooms with real threads and no network: what joins, leaves and admins bring about.

mod arranging;
mod keeping;
mod overhearing;
mod people;
mod resolving;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::spec::RoomSpec;
use super::*;
use crate::compositor::Choice;
use crate::layout::{Layout, LayoutSpec, Template};
use crate::media::{Frame, ParticipantId, ShortName};

/// A server's rooms, kept in `data_dir`.
async fn kept_in(data_dir: Option<PathBuf>) -> Arc<Rooms> {
    open(RoomsSettings { data_dir, ..settings() }).await.unwrap()
}

async fn rooms() -> Arc<Rooms> {
    kept_in(None).await
}

async fn open(settings: RoomsSettings) -> Result<Arc<Rooms>, OpenError> {
    tokio::task::spawn_blocking(|| Rooms::new(settings, Clock::new(), Metrics::default())).await.unwrap()
}

/// Small and slow: these tests are about who gets what, not about how fast.
fn settings() -> RoomsSettings {
    let room = room_spec(json!({ "canvas": { "width": 320, "height": 180, "fps": 10 } }));
    let (compositor, fonts) = (Choice::Cpu, Fonts::embedded());
    RoomsSettings { room, data_dir: None, on_demand: true, max_sessions: 20, decode_threads: 1, compositor, fonts }
}

fn room_spec(json: Value) -> RoomSpec {
    serde_json::from_value(json).unwrap()
}

fn layout(json: Value) -> LayoutSpec {
    serde_json::from_value(json).unwrap()
}

fn template(json: Value) -> Template {
    serde_json::from_value(json).unwrap()
}

fn room(name: &str) -> RoomName {
    name.parse().unwrap()
}

fn short(name: &str) -> ShortName {
    name.parse().unwrap()
}

/// Somebody who sends and receives everything.
fn person(name: &str) -> Wish {
    Wish { name: name.into(), sends_video: true, sends_audio: true, receives_video: true, receives_audio: true, ..Wish::default() }
}

fn viewer() -> Wish {
    Wish { receives_video: true, receives_audio: true, ..Wish::default() }
}

fn png(width: u32, height: u32) -> Bytes {
    compositor::stills::encode_png(&Frame::black(width, height)).into()
}

async fn put(rooms: &Rooms, name: &str, spec: Value) -> (RoomReport, ETag) {
    let (_, report, tag) = rooms.put_room(&room(name), room_spec(spec), Precondition::None).await.unwrap();
    (report, tag)
}

/// Who stands on a view, in paint order; `None` is the slate.
fn shown(view: &ViewReport) -> Vec<Option<&str>> {
    view.cells.iter().map(|cell| cell.participant.as_deref()).collect()
}

/// What is told until an event of this kind comes.
async fn until(events: &mut tokio::sync::broadcast::Receiver<Arc<RoomEvent>>, kind: &str) -> Arc<RoomEvent> {
    loop {
        let event = events.recv().await.unwrap();
        if event.event == kind {
            return event;
        }
    }
}

fn id(seat: &Seat) -> ParticipantId {
    seat.participant
}
