//! Who receives which picture: the encoders of each scene, and the switches that lead receivers to them.
//!
//! In: receivers, routes, scenes' sizes, canvases. Out: canvases to encoders, receivers on feeds. Never: an encoder for a scene that
//! nobody is routed to, a rendition above what a receiver can take, or a wait.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::egress::{Load, Rendition, SceneEgress, Turnout, fitting};
use crate::media::{Canvas, Clock, Composite, Frame, ParticipantId, ViewName};
use crate::metrics::Metrics;
use crate::room::{Routes, SceneKey};

/// What a receiver can take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) max_height: Option<u32>,
    pub(super) max_fps: Option<u32>,
}

/// All scenes of a room that are drawn, and all who receive them.
#[derive(Debug)]
pub(super) struct Screens {
    clock: Clock,
    metrics: Metrics,
    state: Mutex<State>,
    /// Changes with each canvas.
    drawn: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    renditions: Vec<Rendition>,
    receivers: BTreeMap<ParticipantId, Receiver>,
    routes: Arc<Routes>,
    showing: BTreeMap<SceneKey, Showing>,
}

#[derive(Debug)]
struct Receiver {
    turnout: Turnout,
    bounds: Bounds,
    /// Which rendition of which scene.
    on: Option<(SceneKey, usize)>,
}

/// One scene that is drawn.
#[derive(Debug)]
struct Showing {
    canvas: Canvas,
    /// What `egress` was made with.
    renditions: Vec<Rendition>,
    egress: SceneEgress,
    newest: Option<Composite>,
}

impl Screens {
    pub(super) fn new(renditions: Vec<Rendition>, clock: Clock, metrics: Metrics) -> Self {
        let state = State { renditions, receivers: BTreeMap::new(), routes: Arc::default(), showing: BTreeMap::new() };
        Self { clock, metrics, state: Mutex::new(state), drawn: watch::channel(()).0 }
    }

    /// One more receiver; a route leads it to its scene.
    pub(super) fn enter(&self, id: ParticipantId, turnout: Turnout, bounds: Bounds) {
        self.state.lock().receivers.insert(id, Receiver { turnout, bounds, on: None });
    }

    pub(super) fn leave(&self, id: ParticipantId) {
        self.state.lock().receivers.remove(&id);
    }

    /// Takes other renditions: each scene has them from its next tick on.
    pub(super) fn set_renditions(&self, renditions: Vec<Rendition>) {
        self.state.lock().renditions = renditions;
    }

    /// Leads receivers to other scenes; the encoders of scenes that nobody is led to end.
    pub(super) fn route(&self, routes: Arc<Routes>) {
        let mut state = self.state.lock();
        let state = &mut *state;
        for (id, receiver) in &mut state.receivers {
            let showing = routes.get(id).and_then(|key| Some((key, state.showing.get(key)?)));
            if let Some((key, showing)) = showing {
                receiver.turn_to(key, showing);
            }
        }
        state.showing.retain(|key, _| routes.values().any(|routed| routed == key));
        state.routes = routes;
    }

    /// Before a scene is drawn: makes its encoders where there are none for a canvas of this size and rate.
    pub(super) fn prepare(&self, key: &SceneKey, canvas: Canvas) {
        let mut state = self.state.lock();
        let state = &mut *state;
        let alike = |showing: &&Showing| showing.is_for(canvas) && showing.renditions == state.renditions;
        if state.showing.get(key).filter(alike).is_some() || !state.routes.values().any(|routed| routed == key) {
            return;
        }
        let (clock, metrics) = (self.clock, self.metrics.clone());
        let egress = SceneEgress::new(canvas, state.renditions.clone(), clock, metrics);
        let showing = Showing { canvas, renditions: state.renditions.clone(), egress, newest: None };
        for (id, receiver) in &mut state.receivers {
            if state.routes.get(id) == Some(key) {
                receiver.turn_to(key, &showing);
            }
        }
        state.showing.insert(key.clone(), showing);
    }

    /// A canvas that is drawn. One of a scene's former size comes too late.
    pub(super) fn offer(&self, key: &SceneKey, composite: &Composite) {
        let mut state = self.state.lock();
        let Some(showing) = state.showing.get_mut(key) else { return };
        if (composite.frame.width(), composite.frame.height()) != (showing.canvas.width, showing.canvas.height) {
            return;
        }
        showing.newest = Some(composite.clone());
        showing.egress.offer(composite.clone());
        drop(state);
        self.drawn.send_replace(());
    }

    /// The newest canvas of a view's shared scene, while it is drawn.
    pub(super) fn shared(&self, view: &ViewName) -> Option<Arc<Frame>> {
        self.state.lock().newest(&SceneKey { view: view.clone(), without: None })
    }

    /// The newest canvas of what somebody is led to.
    pub(super) fn shown_to(&self, id: ParticipantId) -> Option<Arc<Frame>> {
        let state = self.state.lock();
        state.newest(state.routes.get(&id)?)
    }

    /// Changes with each canvas from here on.
    pub(super) fn drawn(&self) -> watch::Receiver<()> {
        self.drawn.subscribe()
    }

    /// Which rendition somebody is led to, by its place in the list.
    pub(super) fn rendition_of(&self, id: ParticipantId) -> Option<usize> {
        self.state.lock().receivers.get(&id)?.on.as_ref().map(|(_, rendition)| *rendition)
    }

    /// What part of each scene's size is sent to whoever receives the most of it; all of it to those who look without a session. Scenes
    /// that nobody is sent are left out.
    pub(super) fn shares(&self) -> BTreeMap<SceneKey, f64> {
        let state = self.state.lock();
        let mut shares = BTreeMap::new();
        for (id, key) in state.routes.iter() {
            let share = state.receivers.get(id).map_or(Some(1.0), |receiver| receiver.share(state.showing.get(key)?));
            let most = share.map(|share| shares.get(key).map_or(share, |most: &f64| most.max(share)));
            shares.extend(most.map(|most| (key.clone(), most)));
        }
        shares
    }

    /// What each scene's renditions cost.
    pub(super) fn loads(&self) -> Vec<(SceneKey, Vec<Load>)> {
        self.state.lock().showing.iter().map(|(key, showing)| (key.clone(), showing.egress.loads())).collect()
    }
}

impl State {
    fn newest(&self, key: &SceneKey) -> Option<Arc<Frame>> {
        self.showing.get(key)?.newest.as_ref().map(|composite| composite.frame.clone())
    }
}

impl Showing {
    /// The background makes no difference to an encoder.
    fn is_for(&self, canvas: Canvas) -> bool {
        let of = |canvas: Canvas| (canvas.width, canvas.height, canvas.fps);
        of(self.canvas) == of(canvas)
    }
}

impl Receiver {
    /// What part of the canvas's size it is sent; `None` where it is sent nothing.
    fn share(&self, showing: &Showing) -> Option<f64> {
        let (_, rendition) = self.on.as_ref()?;
        let shorter = showing.canvas.width.min(showing.canvas.height);
        Some(f64::from(showing.renditions.get(*rendition)?.height.min(shorter)) / f64::from(shorter))
    }

    /// Turned at the next keyframe; one that can take none of the renditions stays without.
    fn turn_to(&mut self, key: &SceneKey, showing: &Showing) {
        let best = fitting(showing.canvas, &showing.renditions, self.bounds.max_height, self.bounds.max_fps);
        if let Some(rendition) = best {
            self.turnout.turn_to(showing.egress.feed(rendition));
        }
        self.on = best.map(|rendition| (key.clone(), rendition));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::{VideoSubscription, subscription};
    use crate::media::MediaTime;

    const HIGH: Rendition = Rendition { height: 96, fps: 30, max_bps: 200_000, min_bps: 50_000 };
    const LOW: Rendition = Rendition { height: 48, fps: 30, max_bps: 100_000, min_bps: 50_000 };

    fn canvas() -> Canvas {
        Canvas { width: 160, height: 96, ..Canvas::default() }
    }

    fn screens() -> Screens {
        Screens::new(vec![HIGH, LOW], Clock::new(), Metrics::default())
    }

    fn key(view: &str) -> SceneKey {
        SceneKey { view: view.parse().unwrap(), without: None }
    }

    fn routes(all: &[(u32, &str)]) -> Arc<Routes> {
        Arc::new(all.iter().map(|(id, view)| (ParticipantId(*id), key(view))).collect())
    }

    fn enter(screens: &Screens, id: u32, max_height: Option<u32>) -> VideoSubscription {
        let (receiver, turnout) = subscription();
        screens.enter(ParticipantId(id), turnout, Bounds { max_height, max_fps: None });
        receiver
    }

    fn viewers(screens: &Screens) -> Vec<(String, Vec<usize>)> {
        let loads = screens.loads().into_iter();
        loads.map(|(key, loads)| (key.view.to_string(), loads.iter().map(|load| load.viewers).collect())).collect()
    }

    fn frame(width: u32, height: u32) -> Composite {
        Composite { frame: Arc::new(Frame::black(width, height)), at: MediaTime::ZERO }
    }

    #[test]
    fn a_scene_has_encoders_from_its_first_tick_until_nobody_is_led_to_it() {
        let screens = screens();
        let _receivers = [enter(&screens, 1, None), enter(&screens, 2, Some(48)), enter(&screens, 3, None)];
        screens.route(routes(&[(1, "main"), (2, "main"), (3, "tall")]));
        assert_eq!(viewers(&screens), []);
        screens.prepare(&key("main"), canvas());
        screens.prepare(&key("tall"), canvas());
        screens.prepare(&key("nobodys"), canvas());
        assert_eq!(viewers(&screens), [("main".into(), vec![1, 1]), ("tall".into(), vec![1, 0])]);
        screens.route(routes(&[(1, "main"), (2, "main"), (3, "main")]));
        assert_eq!(viewers(&screens), [("main".into(), vec![2, 1])]);
    }

    #[test]
    fn a_scene_is_wanted_at_the_size_of_whoever_is_sent_the_most_of_it() {
        let screens = screens();
        let _receivers = [enter(&screens, 1, Some(48)), enter(&screens, 2, Some(40)), enter(&screens, 3, Some(40))];
        screens.route(routes(&[(1, "main"), (2, "main"), (3, "tall"), (9, "glance")]));
        ["main", "tall", "glance"].iter().for_each(|view| screens.prepare(&key(view), canvas()));
        assert_eq!(screens.shares(), BTreeMap::from([(key("main"), 0.5), (key("glance"), 1.0)]));
        let _best = enter(&screens, 4, None);
        screens.route(routes(&[(1, "main"), (4, "main")]));
        assert_eq!(screens.shares(), BTreeMap::from([(key("main"), 1.0)]));
    }

    #[test]
    fn who_can_take_none_of_the_renditions_is_sent_none() {
        let screens = screens();
        let _receiver = enter(&screens, 1, Some(40));
        screens.route(routes(&[(1, "main")]));
        screens.prepare(&key("main"), canvas());
        assert_eq!(screens.rendition_of(ParticipantId(1)), None);
        assert_eq!(viewers(&screens), [("main".into(), vec![0, 0])]);
    }

    #[test]
    fn another_canvas_or_other_renditions_turn_all_receivers_to_new_encoders() {
        let screens = screens();
        let _receiver = enter(&screens, 1, None);
        screens.route(routes(&[(1, "main")]));
        screens.prepare(&key("main"), canvas());
        screens.offer(&key("main"), &frame(160, 96));
        assert!(screens.shared(&ViewName::main()).is_some());
        screens.prepare(&key("main"), Canvas { width: 96, height: 160, ..canvas() });
        screens.offer(&key("main"), &frame(160, 96));
        assert!(screens.shared(&ViewName::main()).is_none(), "a canvas of the former size came too late");
        screens.offer(&key("main"), &frame(96, 160));
        assert!(screens.shown_to(ParticipantId(1)).is_some());
        screens.set_renditions(vec![LOW]);
        screens.prepare(&key("main"), Canvas { width: 96, height: 160, ..canvas() });
        assert_eq!(viewers(&screens), [("main".into(), vec![1])]);
    }
}
