//! What each person's pictures are wanted for: the largest tile of them that anybody is sent.
//!
//! In: each scene as it is drawn; what part of each canvas's size is sent; time. Out: everybody's [`Demand`]. Never: somebody called
//! unseen who was seen a moment ago, or one who is seen again told so later than with the first scene.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::media::{Cell, Demand, MediaTime, Need, ParticipantId, Scene, Source};
use crate::room::SceneKey;

/// Who is gone from all scenes for less is still wanted: speakers change, and change back.
const UNSEEN_AFTER: Duration = Duration::from_secs(1);

/// What is wanted of everybody in a room.
#[derive(Debug, Default)]
pub(super) struct Demands(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    people: BTreeMap<ParticipantId, Person>,
    /// The tiles of each scene that is drawn, and what part of their size is sent.
    scenes: BTreeMap<SceneKey, (Vec<Tile>, f64)>,
}

#[derive(Debug)]
struct Person {
    demand: Arc<Demand>,
    /// When a scene last had them; `None` before the first look.
    seen: Option<MediaTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tile {
    of: ParticipantId,
    width: u32,
    height: u32,
}

impl Demands {
    /// Somebody sends pictures.
    pub(super) fn enter(&self, id: ParticipantId, demand: Arc<Demand>) {
        self.0.lock().people.insert(id, Person { demand, seen: None });
    }

    pub(super) fn leave(&self, id: ParticipantId) {
        self.0.lock().people.remove(&id);
    }

    /// A scene that is about to be drawn: whoever comes back in it is wanted from here on.
    pub(super) fn scene(&self, key: &SceneKey, scene: &Scene) {
        let tiles: Vec<Tile> = scene.cells.iter().filter_map(Tile::of).collect();
        let mut state = self.0.lock();
        let State { people, scenes } = &mut *state;
        let (before, share) = scenes.entry(key.clone()).or_insert_with(|| (Vec::new(), 1.0));
        if *before == tiles {
            return;
        }
        for tile in &tiles {
            let unseen = people.get(&tile.of).filter(|person| person.demand.get() == Need::Unseen);
            unseen.iter().for_each(|person| person.demand.set(tile.need(*share)));
        }
        *before = tiles;
    }

    /// Goes through all: `shares` has the scenes that somebody is sent, and what part of their size.
    pub(super) fn settle(&self, now: MediaTime, shares: &BTreeMap<SceneKey, f64>) {
        let mut state = self.0.lock();
        let State { people, scenes } = &mut *state;
        scenes.retain(|key, (_, share)| shares.get(key).map(|sent| *share = *sent).is_some());
        for (id, person) in people {
            let tiles = scenes.values().flat_map(|(tiles, share)| tiles.iter().filter(|tile| tile.of == *id).map(|tile| tile.need(*share)));
            match tiles.reduce(larger) {
                Some(need) => {
                    person.seen = Some(now);
                    person.demand.set(need);
                }
                None if now.since(*person.seen.get_or_insert(now)) >= UNSEEN_AFTER => person.demand.set(Need::Unseen),
                None => {}
            }
        }
    }
}

impl Tile {
    fn of(cell: &Cell) -> Option<Self> {
        let Source::Participant { id, .. } = &cell.source else { return None };
        Some(Self { of: *id, width: cell.rect.width, height: cell.rect.height })
    }

    fn need(&self, share: f64) -> Need {
        let side = |length: u32| (f64::from(length) * share).ceil() as u32;
        Need::Seen { width: side(self.width), height: side(self.height) }
    }
}

/// What serves both.
fn larger(one: Need, other: Need) -> Need {
    match (one, other) {
        (Need::Seen { width, height }, Need::Seen { width: w, height: h }) => Need::Seen { width: width.max(w), height: height.max(h) },
        (Need::Seen { .. }, _) => one,
        _ => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Canvas, Fit, Rect};

    const ANN: ParticipantId = ParticipantId(1);
    const BEN: ParticipantId = ParticipantId(2);

    fn at(ms: u64) -> MediaTime {
        MediaTime::from_millis(ms)
    }

    fn key(view: &str) -> SceneKey {
        SceneKey { view: view.parse().unwrap(), without: None }
    }

    fn seen(width: u32, height: u32) -> Need {
        Need::Seen { width, height }
    }

    fn scene(tiles: &[(ParticipantId, u32, u32)]) -> Scene {
        let cell = |(id, width, height): &(ParticipantId, u32, u32)| Cell {
            source: Source::Participant { id: *id, name: "".into() },
            rect: Rect { x: 0, y: 0, width: *width, height: *height },
            fit: Fit::Cover,
            z: 0,
            opacity: 1.0,
            corner_radius: 0,
            border: None,
            label: None,
            stalled: false,
        };
        Scene { cells: tiles.iter().map(cell).collect(), ..Scene::empty(Canvas::default(), at(0)) }
    }

    /// Two people, and what is wanted of them.
    fn room() -> (Demands, Arc<Demand>, Arc<Demand>) {
        let (demands, ann, ben) = <(Demands, Arc<Demand>, Arc<Demand>)>::default();
        demands.enter(ANN, ann.clone());
        demands.enter(BEN, ben.clone());
        (demands, ann, ben)
    }

    #[test]
    fn the_largest_tile_as_sent_counts_over_all_scenes() {
        let (demands, ann, ben) = room();
        demands.scene(&key("main"), &scene(&[(ANN, 1280, 720), (BEN, 320, 180)]));
        demands.scene(&key("side"), &scene(&[(BEN, 640, 360), (ANN, 320, 180)]));
        demands.settle(at(100), &BTreeMap::from([(key("main"), 0.5), (key("side"), 1.0)]));
        assert_eq!((ann.get(), ben.get()), (seen(640, 360), seen(640, 360)));
        demands.settle(at(200), &BTreeMap::from([(key("main"), 0.5)]));
        assert_eq!((ann.get(), ben.get()), (seen(640, 360), seen(160, 90)));
    }

    #[test]
    fn who_is_gone_for_a_second_is_unseen_and_wanted_again_with_the_first_scene() {
        let (demands, ann, ben) = room();
        let shares = BTreeMap::from([(key("main"), 0.5)]);
        demands.scene(&key("main"), &scene(&[(ANN, 640, 360)]));
        for ms in (100..1100).step_by(100) {
            demands.settle(at(ms), &shares);
            assert_eq!((ann.get(), ben.get()), (seen(320, 180), Need::Unknown), "at {ms} ms");
        }
        demands.settle(at(1100), &shares);
        assert_eq!(ben.get(), Need::Unseen);
        demands.scene(&key("main"), &scene(&[(BEN, 640, 360)]));
        assert_eq!((ann.get(), ben.get()), (seen(320, 180), seen(320, 180)));
        demands.settle(at(2000), &shares);
        assert_eq!(ann.get(), seen(320, 180), "a speaker who may be back");
        demands.settle(at(2200), &shares);
        assert_eq!((ann.get(), ben.get()), (Need::Unseen, seen(320, 180)));
    }

    #[test]
    fn where_nobody_is_sent_anything_everybody_is_unseen() {
        let (demands, ann, _) = room();
        demands.scene(&key("main"), &scene(&[(ANN, 640, 360)]));
        demands.settle(at(0), &BTreeMap::new());
        demands.settle(at(1000), &BTreeMap::new());
        assert_eq!(ann.get(), Need::Unseen);
    }

    #[test]
    fn the_hidden_are_not_wanted() {
        let (demands, ann, _) = room();
        let mut hidden = scene(&[(ANN, 640, 360)]);
        hidden.cells[0].source = Source::Placeholder { id: ANN, name: "".into() };
        demands.scene(&key("main"), &hidden);
        demands.settle(at(0), &BTreeMap::from([(key("main"), 1.0)]));
        demands.settle(at(1000), &BTreeMap::from([(key("main"), 1.0)]));
        assert_eq!(ann.get(), Need::Unseen);
    }
}
