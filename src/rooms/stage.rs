//! What happens to a room's scenes and mixes: scenes go to the compositor's thread through a newest-wins slot,
//! canvases from there to the rendition, mixes to the sound encoders.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;

use super::RoomsSettings;
use crate::compositor::{self, Compositor, Pictures};
use crate::egress::{AudioEgress, VideoEgress};
use crate::flow::{Latest, Slot, Taken};
use crate::media::{Clock, Composite, Frame, MediaTime, MixSet, ParticipantId, Picture, RoomName, Scene};
use crate::metrics::Metrics;
use crate::room::{Event, Routes, SceneKey, Stage};

/// The newest picture of everyone who sends one.
#[derive(Debug, Default)]
pub(super) struct PictureBook(Mutex<BTreeMap<ParticipantId, Arc<Latest<Picture>>>>);

impl PictureBook {
    pub(super) fn enter(&self, id: ParticipantId, newest: Arc<Latest<Picture>>) {
        self.0.lock().insert(id, newest);
    }

    pub(super) fn leave(&self, id: ParticipantId) {
        self.0.lock().remove(&id);
    }
}

impl Pictures for PictureBook {
    fn picture(&self, id: ParticipantId) -> Option<Arc<Frame>> {
        let newest = self.0.lock().get(&id).cloned()?;
        newest.get().map(|picture| picture.frame)
    }
}

/// Takes what the driver gives, without ever waiting.
pub(super) struct RoomStage {
    scenes: Slot<Scene>,
    audio: Arc<AudioEgress>,
    metrics: Metrics,
}

impl RoomStage {
    pub(super) fn new(scenes: Slot<Scene>, audio: Arc<AudioEgress>, metrics: Metrics) -> Self {
        Self { scenes, audio, metrics }
    }
}

impl Stage for RoomStage {
    fn routes(&mut self, _routes: Arc<Routes>) {
        unimplemented!()
    }

    fn event(&mut self, _at: MediaTime, _event: &Event) {
        unimplemented!()
    }

    fn scene(&mut self, _key: &SceneKey, scene: Scene) {
        if self.scenes.put(scene).is_some() {
            self.metrics.count_dropped("compositor_behind");
        }
    }

    fn mixes(&mut self, mixes: MixSet) {
        self.audio.deliver(mixes);
    }
}

/// The compositor's thread and its newest canvas. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Canvases {
    scenes: Slot<Scene>,
    newest: Arc<Latest<Composite>>,
    thread: Option<JoinHandle<()>>,
}

impl Canvases {
    pub(super) fn start(
        name: &RoomName,
        settings: &RoomsSettings,
        pictures: Arc<PictureBook>,
        video: Arc<VideoEgress>,
        clock: Clock,
        metrics: Metrics,
    ) -> Self {
        let (scenes, newest) = (Slot::default(), Arc::new(Latest::default()));
        let easel = Easel { scenes: scenes.clone(), newest: newest.clone(), pictures, video, clock, metrics };
        let (choice, fonts, room) = (settings.compositor, settings.fonts.clone(), name.clone());
        let thread = std::thread::Builder::new()
            .name("compositor".into())
            .spawn(move || match compositor::open(choice, fonts) {
                Ok(compositor) => easel.paint(compositor),
                Err(error) => tracing::error!(%room, %error, "the room has no compositor"),
            })
            .expect("the system has a thread for a room's compositor");
        Self { scenes, newest, thread: Some(thread) }
    }

    pub(super) fn scenes(&self) -> Slot<Scene> {
        self.scenes.clone()
    }

    pub(super) fn newest(&self) -> Option<Composite> {
        self.newest.get()
    }
}

impl Drop for Canvases {
    fn drop(&mut self) {
        self.scenes.close();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a compositor's thread ended in a panic");
        }
    }
}

/// What the compositor's thread works with.
struct Easel {
    scenes: Slot<Scene>,
    newest: Arc<Latest<Composite>>,
    pictures: Arc<PictureBook>,
    video: Arc<VideoEgress>,
    clock: Clock,
    metrics: Metrics,
}

impl Easel {
    fn paint(self, mut compositor: Box<dyn Compositor>) {
        loop {
            let scene = match self.scenes.take(Duration::from_secs(1)) {
                Taken::Value(scene) => scene,
                Taken::TimedOut => continue,
                Taken::Closed => return,
            };
            // A canvas that takes longer than most of a frame is collected with the next one: two are in flight then.
            let patience = Duration::from_secs(1) * 3 / 4 / scene.canvas.fps;
            if let Err(error) = self.draw(compositor.as_mut(), &scene, patience) {
                tracing::error!(%error, "a scene was not drawn");
            }
        }
    }

    fn draw(&self, compositor: &mut dyn Compositor, scene: &Scene, patience: Duration) -> Result<(), compositor::CompositorError> {
        let begun = self.clock.now();
        compositor.submit(scene, self.pictures.as_ref())?;
        while let Some(composite) = compositor.take(patience.saturating_sub(self.clock.now().since(begun)))? {
            self.metrics.composite_seconds.observe(self.clock.now().since(begun).as_secs_f64());
            let is_this = composite.at == scene.at;
            self.newest.put(composite.clone());
            self.video.offer(composite);
            if is_this {
                break;
            }
        }
        Ok(())
    }
}
