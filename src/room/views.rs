//! All views of a room: which are drawn, when, and for whom.
//!
//! In: how they are set up, who watches which. Out: routes, and the scenes that somebody is routed to. Views that are set up alike
//! are drawn once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::routes::route;
use super::view::{LiveView, Present};
use super::{Event, Routes, SceneKey, View, ViewStatus};
use crate::layout::{Layout, SelfView};
use crate::media::{MediaTime, ParticipantId, Scene, ViewName};

/// The views, and who receives them.
pub(super) struct Views {
    views: BTreeMap<ViewName, LiveView>,
    watchers: BTreeMap<ParticipantId, ViewName>,
    routes: Arc<Routes>,
    /// Whether the routes are to be looked through anew.
    stale: bool,
    /// Scenes of the last tick that were not taken yet.
    drawn: VecDeque<(SceneKey, Scene)>,
}

impl Views {
    /// Views whose first ticks are due at `start`.
    pub(super) fn new(views: BTreeMap<ViewName, View>, start: MediaTime) -> Self {
        let mut all =
            Self { views: BTreeMap::new(), watchers: BTreeMap::new(), routes: Arc::default(), stale: false, drawn: VecDeque::new() };
        all.configure(views, start, &mut Vec::new());
        all
    }

    /// Sets them up otherwise; those that come in begin at `start`.
    pub(super) fn configure(&mut self, wished: BTreeMap<ViewName, View>, start: MediaTime, events: &mut Vec<Event>) {
        self.change(|views| {
            views.retain(|name, _| wished.contains_key(name) || *name == ViewName::main());
            for (name, view) in wished {
                let Some(live) = views.get_mut(&name) else {
                    views.insert(name, LiveView::new(view, start));
                    continue;
                };
                if live.configure(view) {
                    events.push(Event::LayoutChanged(name, live.view.layout.clone()));
                }
            }
        });
    }

    /// Arranges one otherwise, at once or when its time has come.
    pub(super) fn arrange(&mut self, name: &ViewName, layout: Arc<Layout>, at: MediaTime, now: MediaTime, events: &mut Vec<Event>) {
        let Some(live) = self.views.get_mut(name) else { return };
        live.plan.put(at, layout);
        if at <= now {
            self.arrange_due(std::slice::from_ref(name), now, events);
        }
    }

    pub(super) fn watch(&mut self, id: ParticipantId, view: ViewName) {
        self.watchers.insert(id, view);
        self.stale = true;
    }

    pub(super) fn unwatch(&mut self, id: ParticipantId) {
        self.watchers.remove(&id);
        self.stale = true;
    }

    pub(super) fn routes(&self) -> &Arc<Routes> {
        &self.routes
    }

    /// When the next picture is due; at once where one was drawn already.
    pub(super) fn due(&self, now: MediaTime) -> MediaTime {
        let due = self.views.values().filter(|live| live.alike.is_none()).map(|live| live.drawing.ticks.due()).min();
        if self.drawn.is_empty() { due.expect("there is a view") } else { now }
    }

    /// The next scene that somebody is routed to, drawn by now.
    pub(super) fn next(&mut self, now: MediaTime, present: Present<'_>, most: usize, events: &mut Vec<Event>) -> Option<(SceneKey, Scene)> {
        loop {
            let routes = &self.routes;
            while let Some((key, scene)) = self.drawn.pop_front() {
                if routes.values().any(|routed| *routed == key) {
                    return Some((key, scene));
                }
            }
            let name = self.first_due(now)?;
            self.tick(&name, now, present, most, events);
        }
    }

    /// Looks through who receives what, where that may be other than it was.
    pub(super) fn reroute(&mut self, present: Present<'_>, most: usize, events: &mut Vec<Event>) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        for live in self.views.values_mut().filter(|live| live.hides_selves()) {
            live.settle(present);
        }
        let routes = route(&self.watchers, &self.views, most);
        if routes != *self.routes {
            self.routes = Arc::new(routes);
            self.keep_routed();
            events.push(Event::Routed(self.routes.clone()));
        }
    }

    /// What each shows, or goes over to.
    pub(super) fn status(&self, present: Present<'_>) -> BTreeMap<ViewName, ViewStatus> {
        let drawn = |live: &LiveView| live.alike.as_ref().map_or_else(|| live.status(present), |alike| self.views[alike].status(present));
        self.views.iter().map(|(name, live)| (name.clone(), drawn(live))).collect()
    }

    fn first_due(&self, now: MediaTime) -> Option<ViewName> {
        let due = self.views.iter().filter(|(_, live)| live.alike.is_none()).map(|(name, live)| (live.drawing.ticks.due(), name));
        due.filter(|(due, _)| *due <= now).min().map(|(_, name)| name.clone())
    }

    fn tick(&mut self, name: &ViewName, now: MediaTime, present: Present<'_>, most: usize, events: &mut Vec<Event>) {
        let ticks = &mut self.live(name).drawing.ticks;
        let skipped = ticks.skip_to_newest(now);
        let at = ticks.due();
        if skipped > 0 {
            events.push(Event::PicturesSkipped(skipped));
        }
        let drawn_here = |(other, live): (&ViewName, &LiveView)| (live.alike.as_ref().unwrap_or(other) == name).then(|| other.clone());
        let here: Vec<ViewName> = self.views.iter().filter_map(drawn_here).collect();
        self.arrange_due(&here, at, events);
        if self.live(name).alike.is_some() {
            // The arrangement has made it alike to another, which is drawn for both.
            return;
        }
        self.live(name).drawing.ticks.take();
        self.stale |= self.live(name).hides_selves();
        self.reroute(present, most, events);
        self.draw(name, at, present);
    }

    fn draw(&mut self, name: &ViewName, at: MediaTime, present: Present<'_>) {
        let routed: Vec<_> = {
            let mut routed: Vec<_> = self.routes.values().filter(|key| key.view == *name).map(|key| key.without).collect();
            routed.sort();
            routed.dedup();
            routed
        };
        let live = self.live(name);
        if !routed.contains(&None) {
            live.settle(present);
        }
        let scenes: Vec<_> = routed.into_iter().map(|without| (without, live.draw(at, without, present))).collect();
        self.drawn.extend(scenes.into_iter().map(|(without, scene)| (SceneKey { view: name.clone(), without }, scene)));
    }

    /// Puts into place what waits for a time that has come, in some views at once.
    fn arrange_due(&mut self, names: &[ViewName], now: MediaTime, events: &mut Vec<Event>) {
        let due = |name: &ViewName| Some((name.clone(), self.views.get_mut(name)?.plan.take_due(now)?));
        let due: Vec<_> = names.iter().filter_map(due).collect();
        if due.is_empty() {
            return;
        }
        self.change(|views| {
            for (name, layout) in due {
                if views.get_mut(&name).is_some_and(|live| live.arrange(layout.clone())) {
                    events.push(Event::LayoutChanged(name, layout));
                }
            }
        });
    }

    fn live(&mut self, name: &ViewName) -> &mut LiveView {
        self.views.get_mut(name).expect("a view that is due is there")
    }

    /// Changes views; which of them are drawn for which is found anew. Each goes on from what was seen of it.
    fn change(&mut self, change: impl FnOnce(&mut BTreeMap<ViewName, LiveView>)) {
        let shared: Vec<_> = self.views.iter().filter_map(|(name, live)| Some((name.clone(), live.alike.clone()?))).collect();
        for (name, alike) in shared {
            let drawing = self.live(&alike).drawing.clone();
            let live = self.live(&name);
            (live.drawing, live.alike) = (drawing, None);
        }
        change(&mut self.views);
        self.regroup();
        self.keep_routed();
        self.stale = true;
    }

    /// Finds views that are set up alike: the first by name is drawn for all, `main` before any.
    fn regroup(&mut self) {
        let main = ViewName::main();
        let mut names: Vec<ViewName> = self.views.keys().cloned().collect();
        names.sort_by_key(|name| *name != main);
        let mut drawn: Vec<ViewName> = Vec::new();
        for name in names {
            let alike = drawn.iter().find(|first| self.views[first].view == self.views[&name].view).cloned();
            if alike.is_none() {
                drawn.push(name.clone());
            }
            self.live(&name).alike = alike;
        }
    }

    /// Gives up scenes to which nobody is routed; those that are new go on from the shared one.
    fn keep_routed(&mut self) {
        let routes = self.routes.clone();
        for (name, live) in &mut self.views {
            let routed = |without: ParticipantId| routes.get(&without).is_some_and(|key| key.view == *name && key.without == Some(without));
            let scenes = &mut live.drawing.scenes;
            scenes.retain(|without, _| without.is_none_or(routed));
            let shared = scenes.entry(None).or_default().clone();
            for id in routes.keys().filter(|id| routed(**id)) {
                scenes.entry(Some(*id)).or_insert_with(|| shared.clone());
            }
        }
    }
}

impl LiveView {
    /// Whether people who watch it are left out of their own pictures.
    pub(super) fn hides_selves(&self) -> bool {
        self.alike.is_none() && self.view.layout.spec().self_view == SelfView::Hidden
    }
}
