//! The compositor's thread of a room: all scenes of a tick, the main view first, each distinct one once.
//!
//! In: scenes, of each key the newest. Out: canvases to the encoders. Never: a queue of scenes; where drawing is slow, whole ticks
//! are left out and counted.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::RoomsSettings;
use super::screens::Screens;
use super::stage::{PictureBook, ShownAt};
use crate::compositor::{self, Choice, Compositor, CompositorError, Fonts};
use crate::media::{Clock, Composite, MediaTime, RoomName, Scene, ViewName};
use crate::metrics::Metrics;
use crate::room::SceneKey;

/// Scenes that wait to be drawn: of each key the newest.
#[derive(Debug, Default)]
pub(super) struct Rack {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    scenes: BTreeMap<SceneKey, Scene>,
    /// The keys that are drawn at present.
    keys: BTreeSet<SceneKey>,
    closed: bool,
}

/// What is drawn in one go.
struct Batch {
    /// The main view's first.
    scenes: Vec<(SceneKey, Scene)>,
    keys: BTreeSet<SceneKey>,
}

impl Rack {
    /// Leaves a scene; whether one of its key was waiting still, which is given up.
    pub(super) fn put(&self, key: &SceneKey, scene: Scene) -> bool {
        let replaced = self.state.lock().scenes.insert(key.clone(), scene).is_some();
        self.changed.notify_one();
        replaced
    }

    /// Forgets what is drawn for other keys than these.
    pub(super) fn keep(&self, keys: BTreeSet<SceneKey>) {
        let mut state = self.state.lock();
        state.scenes.retain(|key, _| keys.contains(key));
        state.keys = keys;
    }

    fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }

    /// All that waits, as soon as anything does; `None` at the end.
    fn take(&self) -> Option<Batch> {
        let mut state = self.state.lock();
        self.changed.wait_while(&mut state, |waiting| waiting.scenes.is_empty() && !waiting.closed);
        if state.closed {
            return None;
        }
        let mut scenes: Vec<_> = std::mem::take(&mut state.scenes).into_iter().collect();
        let main = ViewName::main();
        // Stable: the others stay in the order of their keys
        scenes.sort_by_key(|(key, _)| key.view != main);
        Some(Batch { scenes, keys: state.keys.clone() })
    }
}

/// The thread. Dropping it ends it, and waits until it has ended.
#[derive(Debug)]
pub(super) struct Easel {
    rack: Arc<Rack>,
    thread: Option<JoinHandle<()>>,
}

impl Easel {
    pub(super) fn start(
        room: &RoomName,
        settings: &RoomsSettings,
        pictures: Arc<PictureBook>,
        screens: Arc<Screens>,
        clock: Clock,
        metrics: Metrics,
    ) -> Self {
        let rack = Arc::<Rack>::default();
        let (choice, fonts, room) = (settings.compositor, settings.fonts.clone(), room.clone());
        let mut studio = Studio { choice, fonts, pictures, screens, clock, metrics, canvases: BTreeMap::new() };
        let taken = rack.clone();
        let work = move || {
            while let Some(batch) = taken.take() {
                if let Err(error) = studio.paint(batch) {
                    tracing::error!(%room, %error, "a scene was not drawn");
                }
            }
        };
        let thread = std::thread::Builder::new().name("compositor".into()).spawn(work);
        Self { rack, thread: Some(thread.expect("the system has a thread for a room's compositor")) }
    }

    pub(super) fn rack(&self) -> Arc<Rack> {
        self.rack.clone()
    }
}

impl Drop for Easel {
    fn drop(&mut self) {
        self.rack.close();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a compositor's thread ended in a panic");
        }
    }
}

/// What the thread works with.
struct Studio {
    choice: Choice,
    fonts: Arc<Fonts>,
    pictures: Arc<PictureBook>,
    screens: Arc<Screens>,
    clock: Clock,
    metrics: Metrics,
    canvases: BTreeMap<SceneKey, Canvas>,
}

/// One scene's compositor: what did not change since its last canvas costs nothing.
struct Canvas {
    compositor: Box<dyn Compositor>,
    /// For whom the canvases in flight are, by their tick.
    in_flight: VecDeque<(MediaTime, Vec<SceneKey>)>,
}

impl Studio {
    fn paint(&mut self, batch: Batch) -> Result<(), CompositorError> {
        self.canvases.retain(|key, _| batch.keys.contains(key));
        for (scene, keys) in distinct(batch.scenes) {
            self.draw(&scene, keys)?;
        }
        Ok(())
    }

    fn draw(&mut self, scene: &Scene, keys: Vec<SceneKey>) -> Result<(), CompositorError> {
        let begun = self.clock.now();
        let canvas = match self.canvases.entry(keys[0].clone()) {
            std::collections::btree_map::Entry::Occupied(there) => there.into_mut(),
            std::collections::btree_map::Entry::Vacant(none) => none.insert(Canvas::open(self.choice, self.fonts.clone())?),
        };
        canvas.in_flight.push_back((scene.at, keys));
        canvas.compositor.submit(scene, &ShownAt(&self.pictures, scene.at))?;
        // A canvas that takes longer than most of a frame is collected with the next one: two are in flight then.
        let patience = Duration::from_secs(1) * 3 / 4 / scene.canvas.fps;
        while let Some(composite) = canvas.compositor.take(patience.saturating_sub(self.clock.now().since(begun)))? {
            self.metrics.composite_seconds.observe(self.clock.now().since(begun).as_secs_f64());
            canvas.receivers_of(&composite).iter().for_each(|key| self.screens.offer(key, &composite));
            if composite.at == scene.at {
                break;
            }
        }
        Ok(())
    }
}

impl Canvas {
    fn open(choice: Choice, fonts: Arc<Fonts>) -> Result<Self, CompositorError> {
        Ok(Self { compositor: compositor::open(choice, fonts)?, in_flight: VecDeque::new() })
    }

    /// Canvases come in order: those before it are not coming any more.
    fn receivers_of(&mut self, composite: &Composite) -> Vec<SceneKey> {
        while let Some((at, keys)) = self.in_flight.pop_front() {
            if at == composite.at {
                return keys;
            }
        }
        Vec::new()
    }
}

/// Scenes that look alike are drawn once, for all their keys.
fn distinct(scenes: Vec<(SceneKey, Scene)>) -> Vec<(Scene, Vec<SceneKey>)> {
    let mut distinct: Vec<(Scene, Vec<SceneKey>)> = Vec::new();
    for (key, scene) in scenes {
        match distinct.iter_mut().find(|(drawn, _)| *drawn == scene) {
            Some((_, keys)) => keys.push(key),
            None => distinct.push((scene, vec![key])),
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media;

    fn key(view: &str) -> SceneKey {
        SceneKey { view: view.parse().unwrap(), without: None }
    }

    fn scene(tick: u64) -> Scene {
        Scene::empty(media::Canvas::default(), MediaTime::from_millis(tick))
    }

    #[test]
    fn of_each_key_the_newest_scene_is_drawn_and_the_main_view_first() {
        let rack = Rack::default();
        assert!(!rack.put(&key("a"), scene(1)) && !rack.put(&key("main"), scene(1)));
        assert!(rack.put(&key("a"), scene(2)) && rack.put(&key("main"), scene(2)));
        let drawn: Vec<_> =
            rack.take().unwrap().scenes.into_iter().map(|(key, scene)| (key.view.to_string(), scene.at.as_millis())).collect();
        assert_eq!(drawn, [("main".to_owned(), 2), ("a".to_owned(), 2)]);
    }

    #[test]
    fn what_nobody_is_led_to_any_more_is_not_drawn() {
        let rack = Rack::default();
        rack.put(&key("a"), scene(1));
        rack.put(&key("main"), scene(1));
        rack.keep(BTreeSet::from([key("main")]));
        assert_eq!(rack.take().unwrap().scenes.len(), 1);
        rack.close();
        assert!(rack.take().is_none());
    }

    #[test]
    fn scenes_that_look_alike_are_drawn_once_for_all_their_keys() {
        let other = Scene { canvas: media::Canvas { fps: 5, ..media::Canvas::default() }, ..scene(1) };
        let drawn = distinct(vec![(key("main"), scene(1)), (key("a"), other), (key("b"), scene(1))]);
        let keys: Vec<_> = drawn.into_iter().map(|(_, keys)| keys).collect();
        assert_eq!(keys, [vec![key("main"), key("b")], vec![key("a")]]);
    }
}
