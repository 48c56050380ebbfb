//! What happens to what a room gives: scenes go to the compositor's thread, mixes to the sound encoders, routes to the screens,
//! events to admins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::RoomEvent;
use super::demands::Demands;
use super::easel::Rack;
use super::occupants::Occupants;
use super::screens::Screens;
use super::talk::Talk;
use crate::compositor::Pictures;
use crate::egress::AudioEgress;
use crate::media::{Frame, MediaTime, MixSet, ParticipantId, Reel, Scene};
use crate::metrics::Metrics;
use crate::room::{Event, RoomStatus, Routes, SceneKey, Stage};

/// Blocks between two readings of what went over the lines: half a second.
const BLOCKS_A_READING: u32 = 25;

/// Blocks between two looks at what is wanted of everybody: a tenth of a second.
const BLOCKS_A_LOOK: u32 = 5;

/// The pictures of everyone who sends any.
#[derive(Debug, Default)]
pub(super) struct PictureBook(Mutex<BTreeMap<ParticipantId, Arc<Reel>>>);

impl PictureBook {
    pub(super) fn enter(&self, id: ParticipantId, newest: Arc<Reel>) {
        self.0.lock().insert(id, newest);
    }

    pub(super) fn leave(&self, id: ParticipantId) {
        self.0.lock().remove(&id);
    }
}

/// What shows at one moment.
pub(super) struct ShownAt<'a>(pub(super) &'a PictureBook, pub(super) MediaTime);

impl Pictures for ShownAt<'_> {
    fn picture(&self, id: ParticipantId) -> Option<Arc<Frame>> {
        let reel = self.0.0.lock().get(&id).cloned()?;
        reel.at(self.1).map(|picture| picture.frame)
    }
}

/// Takes what the driver gives, without ever waiting.
pub(super) struct RoomStage {
    pub(super) rack: Arc<Rack>,
    pub(super) screens: Arc<Screens>,
    pub(super) audio: Arc<AudioEgress>,
    pub(super) occupants: Arc<Occupants>,
    pub(super) demands: Arc<Demands>,
    pub(super) events: broadcast::Sender<Arc<RoomEvent>>,
    pub(super) talk: Arc<Talk>,
    pub(super) metrics: Metrics,
    /// Since the last reading.
    pub(super) blocks: u32,
}

impl Stage for RoomStage {
    fn routes(&mut self, routes: Arc<Routes>) {
        self.rack.keep(routes.values().cloned().collect::<BTreeSet<_>>());
        self.talk.routes(routes.clone());
        self.screens.route(routes);
    }

    fn scene(&mut self, key: &SceneKey, scene: Scene) {
        self.screens.prepare(key, scene.canvas);
        self.talk.scene(key, &scene);
        self.demands.scene(key, &scene);
        if self.rack.put(key, scene) {
            self.metrics.count_dropped("compositor_behind");
        }
    }

    fn mixes(&mut self, mixes: MixSet) {
        self.blocks += 1;
        if self.blocks.is_multiple_of(BLOCKS_A_LOOK) {
            self.demands.settle(mixes.at, &self.screens.shares());
        }
        if self.blocks == BLOCKS_A_READING {
            self.occupants.sample(mixes.at, &self.metrics);
            self.talk.tell_qualities(mixes.at, |id| self.screens.quality(id));
            self.blocks = 0;
        }
        self.audio.deliver(mixes);
    }

    fn event(&mut self, at: MediaTime, event: &Event) {
        for told in RoomEvent::of(at, event) {
            // Nobody listens, most of the time.
            let _ = self.events.send(Arc::new(told));
        }
    }

    fn status(&mut self, status: &Arc<RoomStatus>) {
        self.talk.status(status);
    }
}
