//! One view: its ticks, and the scenes that are drawn of it.
//!
//! In: the people in the room, at the view's own rate. Out: scenes, whose cells glide from where they were. Never: who receives them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::cast::{Cast, Standing};
use super::clock::Ticks;
use super::floorplan::Floorplan;
use super::participant::Participant;
use super::people::People;
use super::plan::Plan;
use super::{Overlays, View, ViewStatus, cells};
use crate::layout::{Layout, Transition};
use crate::media::{MediaTime, ParticipantId, Scene, Source, ViewName};

/// A view as it is set up, and what is drawn of it.
pub(super) struct LiveView {
    pub(super) view: View,
    pub(super) plan: Plan,
    /// The view that is set up alike, and drawn for both.
    pub(super) alike: Option<ViewName>,
    pub(super) drawing: Drawing,
}

/// What is drawn of a view. A clone goes on as the original would.
#[derive(Clone)]
pub(super) struct Drawing {
    pub(super) ticks: Ticks,
    floorplan: Floorplan,
    /// The shared scene, and those without somebody.
    pub(super) scenes: BTreeMap<Option<ParticipantId>, Gliding>,
}

/// A scene as it goes on from tick to tick.
#[derive(Clone, Default)]
pub(super) struct Gliding {
    cast: Cast,
    transition: Transition,
}

/// What a scene is drawn from.
#[derive(Clone, Copy)]
pub(super) struct Present<'a> {
    pub(super) people: &'a People,
    pub(super) speaker: Option<ParticipantId>,
    pub(super) overlays: &'a Overlays,
}

impl LiveView {
    pub(super) fn new(view: View, start: MediaTime) -> Self {
        let ticks = Ticks::new(start, view.canvas.fps);
        let scenes = BTreeMap::from([(None, Gliding::default())]);
        let drawing = Drawing { ticks, floorplan: Floorplan::default(), scenes };
        Self { view, plan: Plan::default(), alike: None, drawing }
    }

    /// Sets it up otherwise; gives whether the layout is another. A layout that is waited for anyway goes on waiting.
    pub(super) fn configure(&mut self, view: View) -> bool {
        let View { canvas, layout } = view;
        if self.view.canvas.fps != canvas.fps {
            self.drawing.ticks = Ticks::new(self.drawing.ticks.due(), canvas.fps);
        }
        if (self.view.canvas.width, self.view.canvas.height) != (canvas.width, canvas.height) {
            self.drawing.floorplan = Floorplan::default();
            self.drawing.scenes.values_mut().for_each(|scene| scene.transition = Transition::default());
        }
        self.view.canvas = canvas;
        if self.plan.last().is_some_and(|last| **last == *layout) {
            return false;
        }
        self.plan.clear();
        self.arrange(layout)
    }

    /// Arranges it otherwise; gives whether that is other than it was.
    pub(super) fn arrange(&mut self, layout: Arc<Layout>) -> bool {
        if Arc::ptr_eq(&self.view.layout, &layout) || *self.view.layout == *layout {
            return false;
        }
        self.view.layout = layout;
        self.drawing.floorplan = Floorplan::default();
        true
    }

    /// The scene at `at`, as everybody gets it or without somebody.
    pub(super) fn draw(&mut self, at: MediaTime, without: Option<ParticipantId>, present: Present<'_>) -> Scene {
        let Self { view, drawing: Drawing { floorplan, scenes, .. }, .. } = self;
        let scene = scenes.entry(without).or_default();
        let standing = scene.stand(view, floorplan, without, present);
        let spec = view.layout.spec();
        let target = cells::cells(view.canvas, &standing, spec.names, present.people, present.overlays);
        let lasting = Duration::from_millis(u64::from(spec.transition_ms.get()));
        scene.transition.aim(at, target, lasting, |source| present.stays(source));
        Scene {
            canvas: view.canvas,
            at,
            backdrop: present.overlays.backdrop.clone(),
            cells: scene.transition.cells(at),
            overlays: cells::overlays(view.canvas, present.overlays),
        }
    }

    /// Lets people take their places in the shared scene, before it is drawn.
    pub(super) fn settle(&mut self, present: Present<'_>) {
        let Drawing { floorplan, scenes, .. } = &mut self.drawing;
        scenes.entry(None).or_default().stand(&self.view, floorplan, None, present);
    }

    /// Whether somebody stands in the shared scene.
    pub(super) fn shows(&self, id: ParticipantId) -> bool {
        self.drawing.scenes.get(&None).is_some_and(|scene| scene.cast.shows(id))
    }

    /// The shared scene, once everybody is where they go.
    pub(super) fn status(&self, present: Present<'_>) -> ViewStatus {
        let mut cast = self.drawing.scenes.get(&None).map(|scene| scene.cast.clone()).unwrap_or_default();
        let standing = cast.place(&self.view, &mut self.drawing.floorplan.clone(), present.people.in_turn(), present.speaker);
        let View { canvas, layout } = &self.view;
        ViewStatus { canvas: *canvas, layout: layout.clone(), cells: cells::told(*canvas, &standing), more: standing.more() }
    }
}

impl Gliding {
    fn stand(&mut self, view: &View, floorplan: &mut Floorplan, without: Option<ParticipantId>, present: Present<'_>) -> Standing {
        let people = present.people.in_turn().filter(|person| Some(person.id) != without);
        self.cast.place(view, floorplan, people, present.speaker)
    }
}

impl Present<'_> {
    /// Whether what a cell shows is still there, so that it fades where it has no place any more.
    fn stays(&self, source: &Source) -> bool {
        match source {
            Source::Participant { id, .. } | Source::Placeholder { id, .. } => self.people.get(*id).is_some_and(Participant::may_fade),
            Source::Slate | Source::More(_) => true,
        }
    }
}
