//! Who receives which picture: the encoders of each scene, and the switches that lead receivers to them.
//!
//! In: receivers, routes, scenes' sizes, canvases, what is known of the receivers' lines. Out: canvases to encoders, receivers on feeds,
//! what encoders are to give. Never: an encoder for a scene that nobody is routed to, a rendition above what a receiver can take, or
//! a wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::quality::Quality;
use crate::egress::{Climber, Follow, Load, Lookout, Member, Move, Rendition, SceneEgress, Turnout, settle, within};
use crate::media::{Canvas, Clock, Composite, Frame, MediaTime, ParticipantId, SentTraffic, ShortName, ViewName};
use crate::metrics::{ByDirection, Direction, Metrics};
use crate::room::{Routes, SceneKey};

#[cfg(test)]
mod tests;

/// From one look at the lines to the next.
const LOOK: Duration = Duration::from_millis(100);
/// A receiver whose line takes less than this part of what its rendition gives leaves it at once, and not at the next one's keyframe.
const STEEP: f64 = 0.5;

/// What a receiver can take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) max_height: Option<u32>,
    pub(super) max_fps: Option<u32>,
    /// The one rendition that it takes, where there is one of that name.
    pub(super) rendition: Option<ShortName>,
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
    names: Vec<ShortName>,
    renditions: Vec<Rendition>,
    receivers: BTreeMap<ParticipantId, Receiver>,
    routes: Arc<Routes>,
    showing: BTreeMap<SceneKey, Showing>,
}

#[derive(Debug)]
struct Receiver {
    turnout: Turnout,
    bounds: Bounds,
    traffic: Arc<SentTraffic>,
    lookout: Lookout,
    climber: Climber,
    /// Which rendition of which scene it is turned to; none of it, where its pictures are paused.
    on: Option<(SceneKey, Option<usize>)>,
}

/// One scene that is drawn.
#[derive(Debug)]
struct Showing {
    canvas: Canvas,
    /// What `egress` was made with.
    renditions: Vec<Rendition>,
    egress: SceneEgress,
    /// The bitrate of each rendition.
    follows: Vec<Follow>,
    newest: Option<Composite>,
    /// When the lines are looked at next.
    look: MediaTime,
}

impl Screens {
    pub(super) fn new(ladder: Vec<(ShortName, Rendition)>, clock: Clock, metrics: Metrics) -> Self {
        let (names, renditions) = ladder.into_iter().unzip();
        let state = State { names, renditions, receivers: BTreeMap::new(), routes: Arc::default(), showing: BTreeMap::new() };
        Self { clock, metrics, state: Mutex::new(state), drawn: watch::channel(()).0 }
    }

    /// One more receiver; a route leads it to its scene.
    pub(super) fn enter(&self, id: ParticipantId, turnout: Turnout, bounds: Bounds, traffic: Arc<SentTraffic>) {
        let receiver = Receiver { turnout, bounds, traffic, lookout: Lookout::default(), climber: Climber::default(), on: None };
        self.state.lock().receivers.insert(id, receiver);
    }

    pub(super) fn leave(&self, id: ParticipantId) {
        self.state.lock().receivers.remove(&id);
    }

    /// Takes other renditions: each scene has them from its next tick on.
    pub(super) fn set_renditions(&self, ladder: Vec<(ShortName, Rendition)>) {
        let mut state = self.state.lock();
        (state.names, state.renditions) = ladder.into_iter().unzip();
    }

    /// Leads receivers to other scenes; the encoders of scenes that nobody is led to end.
    pub(super) fn route(&self, routes: Arc<Routes>) {
        let mut state = self.state.lock();
        state.routes = routes;
        for key in state.moved() {
            state.settle(&key, self.clock.now(), &self.metrics);
        }
        let State { routes, showing, .. } = &mut *state;
        showing.retain(|key, _| routes.values().any(|routed| routed == key));
    }

    /// Before a scene is drawn: makes its encoders where there are none for a canvas of this size and rate.
    pub(super) fn prepare(&self, key: &SceneKey, canvas: Canvas) {
        let mut state = self.state.lock();
        let state = &mut *state;
        let alike = |showing: &&Showing| showing.is_for(canvas) && showing.renditions == state.renditions;
        if state.showing.get(key).filter(alike).is_some() || !state.routes.values().any(|routed| routed == key) {
            return;
        }
        let egress = SceneEgress::new(canvas, state.renditions.clone(), self.clock, self.metrics.clone());
        let follows = state.renditions.iter().map(|_| Follow::default()).collect();
        let (renditions, look) = (state.renditions.clone(), MediaTime::ZERO);
        state.showing.insert(key.clone(), Showing { canvas, renditions, egress, follows, newest: None, look });
        state.receivers.values_mut().filter(|receiver| receiver.is_on(key)).for_each(|receiver| receiver.on = None);
        state.settle(key, self.clock.now(), &self.metrics);
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
        if composite.at >= showing.look {
            state.settle(key, composite.at, &self.metrics);
        }
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

    /// The same, with its tick.
    pub(super) fn canvas_of(&self, id: ParticipantId) -> Option<Composite> {
        let state = self.state.lock();
        state.showing.get(state.routes.get(&id)?)?.newest.clone()
    }

    /// Changes with each canvas from here on.
    pub(super) fn drawn(&self) -> watch::Receiver<()> {
        self.drawn.subscribe()
    }

    /// What somebody gets and why; `None` where they receive no pictures.
    pub(super) fn quality(&self, id: ParticipantId) -> Option<Quality> {
        let state = self.state.lock();
        let receiver = state.receivers.get(&id)?;
        Some(state.quality(receiver))
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

    /// The scenes that are drawn and that somebody is led to who is not there yet.
    fn moved(&self) -> BTreeSet<SceneKey> {
        let routed = self.receivers.iter().filter_map(|(id, receiver)| Some((self.routes.get(id)?, receiver)));
        let moved = routed.filter(|(key, receiver)| self.showing.contains_key(key) && !receiver.is_on(key));
        moved.map(|(key, _)| key.clone()).collect()
    }

    /// Decides who gets which rendition of a scene, and what each of its encoders is to give.
    fn settle(&mut self, key: &SceneKey, now: MediaTime, metrics: &Metrics) {
        let Some(showing) = self.showing.get_mut(key) else { return };
        showing.look = now + LOOK;
        let (routes, names) = (&self.routes, &self.names);
        let mut there: Vec<_> = self.receivers.iter_mut().filter(|(id, _)| routes.get(id) == Some(key)).map(|(_, there)| there).collect();
        let mut members: Vec<_> = there.iter_mut().map(|receiver| receiver.member(now, showing, names)).collect();
        let (moves, slowest) = settle(now, &showing.renditions, &mut members);
        let rooms: Vec<_> = members.into_iter().map(|member| member.line.room_bps()).collect();
        moves.into_iter().flatten().for_each(|to| count(metrics, to));
        let too_much: Vec<_> = there.iter().zip(rooms).map(|(receiver, room)| receiver.gets_too_much(key, room, showing)).collect();
        showing.follow(now, &slowest);
        for (receiver, too_much) in there.into_iter().zip(too_much) {
            receiver.turn(key, showing, too_much);
        }
    }

    fn quality(&self, receiver: &Receiver) -> Quality {
        let of_line = Quality::of_line(&receiver.traffic, receiver.climber.why());
        let Some((key, Some(rendition))) = &receiver.on else { return of_line };
        let Some(showing) = self.showing.get(key) else { return of_line };
        let (width, height, fps) = showing.egress.shape(*rendition);
        Quality { rendition: self.names.get(*rendition).cloned(), width, height, fps, ..of_line }
    }
}

fn count(metrics: &Metrics, to: Move) {
    let direction = match to {
        Move::Up => Direction::Up,
        Move::Down => Direction::Down,
    };
    metrics.rendition_moves.get_or_create(&ByDirection { direction }).inc();
}

impl Showing {
    /// The background makes no difference to an encoder.
    fn is_for(&self, canvas: Canvas) -> bool {
        let of = |canvas: Canvas| (canvas.width, canvas.height, canvas.fps);
        of(self.canvas) == of(canvas)
    }

    fn follow(&mut self, now: MediaTime, slowest: &[Option<f64>]) {
        for (n, (follow, slowest)) in self.follows.iter_mut().zip(slowest).enumerate() {
            self.egress.set_bitrate(n, follow.bitrate_bps(now, *slowest, self.renditions[n]));
        }
    }
}

impl Receiver {
    /// What part of the canvas's size it is sent; `None` where it is sent nothing.
    fn share(&self, showing: &Showing) -> Option<f64> {
        let rendition = self.on.as_ref()?.1?;
        let shorter = showing.canvas.width.min(showing.canvas.height);
        Some(f64::from(showing.renditions.get(rendition)?.height.min(shorter)) / f64::from(shorter))
    }

    fn is_on(&self, key: &SceneKey) -> bool {
        self.on.as_ref().is_some_and(|(on, _)| on == key)
    }

    fn member(&mut self, now: MediaTime, showing: &Showing, names: &[ShortName]) -> Member<'_> {
        let of = |max_height, max_fps| within(showing.canvas, &showing.renditions, max_height, max_fps);
        let Bounds { max_height, max_fps, rendition } = &self.bounds;
        let named = names.iter().position(|name| Some(name) == rendition.as_ref()).filter(|place| *place < showing.renditions.len());
        let within = named.map_or_else(|| of(*max_height, *max_fps), |place| vec![place]);
        let is_bounded = within.first() != of(None, None).first();
        Member { line: self.lookout.look(now, &self.traffic), climber: &mut self.climber, within, is_bounded }
    }

    /// Whether what it is sent is far more than there is room for.
    fn gets_too_much(&self, key: &SceneKey, room_bps: f64, showing: &Showing) -> bool {
        let Some((on, Some(rendition))) = &self.on else { return false };
        on == key && room_bps < STEEP * f64::from(showing.egress.target_bps(*rendition))
    }

    /// Turned to what was decided; one that can take none of the renditions stays without.
    fn turn(&mut self, key: &SceneKey, showing: &Showing, too_much: bool) {
        self.traffic.wanted_bps.set(self.climber.wanted_bps().unwrap_or(f64::NAN));
        let rendition = self.climber.rendition();
        if self.on.as_ref().is_some_and(|(on, of)| on == key && *of == rendition) {
            return;
        }
        match rendition {
            Some(rendition) if too_much => self.turnout.drop_to(showing.egress.feed(rendition)),
            Some(rendition) => self.turnout.turn_to(showing.egress.feed(rendition)),
            None => self.turnout.pause(),
        }
        self.on = Some((key.clone(), rendition));
    }
}
