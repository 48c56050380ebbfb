//! A broadcast of rooms with real threads and nobody in them: the slate and silence are sent like anything else.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Broadcast;
use crate::compositor::{Choice, Fonts};
use crate::media::{Clock, RoomName};
use crate::metrics::{ByReason, Metrics};
use crate::rooms::spec::RoomSpec;
use crate::rooms::{Precondition, Rooms, RoomsSettings};

/// Rooms, and what is sent of them.
pub(super) struct Studio {
    pub(super) rooms: Arc<Rooms>,
    pub(super) broadcast: Broadcast,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
}

pub(super) fn room(name: &str) -> RoomName {
    name.parse().unwrap()
}

fn spec(json: Value) -> RoomSpec {
    serde_json::from_value(json).unwrap()
}

impl Studio {
    /// With a small kept room of each name.
    pub(super) async fn with(names: &[&str]) -> Self {
        let (clock, metrics) = (Clock::new(), Metrics::default());
        let settings = RoomsSettings {
            room: spec(json!({ "canvas": { "width": 320, "height": 180, "fps": 10 } })),
            data_dir: None,
            on_demand: true,
            max_sessions: 50,
            decode_threads: 1,
            compositor: Choice::Cpu,
            fonts: Fonts::embedded(),
        };
        let counted = metrics.clone();
        let rooms = tokio::task::spawn_blocking(move || Rooms::new(settings, clock, counted)).await.unwrap().unwrap();
        let studio = Self { broadcast: Broadcast::new(rooms.clone(), clock, metrics.clone()), rooms, clock, metrics };
        for name in names {
            let spec = spec(json!({ "canvas": { "width": 320, "height": 180, "fps": 30 }, "views": { "tall": {} } }));
            studio.rooms.put_room(&room(name), spec, Precondition::None).await.unwrap();
        }
        studio
    }

    pub(super) async fn delete(&self, name: &str) {
        self.rooms.delete_room(&room(name), Precondition::None).await.unwrap();
    }

    pub(super) fn dropped(&self, reason: &'static str) -> u64 {
        self.metrics.dropped.get_or_create(&ByReason { reason }).get()
    }
}
