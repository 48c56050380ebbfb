//! Who is where in one picture.
//!
//! In: the scene as it is drawn, in the middle of a transition too. Out: its map. Never: the slate, or a cell that is not seen yet.

use super::message::{Tile, ToClient};
use crate::media::{Cell, MediaTime, ParticipantId, Scene, Source};
use crate::room::{RoomStatus, SceneKey, ViewStatus};

/// Pictures' RTP clock (RFC 6184 §8.1).
const CLOCK: u32 = 90_000;

/// The map of a scene; names and regions are the room's as it was last told.
pub(super) fn of(key: &SceneKey, scene: &Scene, status: &RoomStatus) -> ToClient {
    let view = status.views.get(&key.view);
    let cells = scene.cells.iter().filter(|cell| cell.opacity > 0.0).filter_map(|cell| tile(cell, status, view)).collect();
    let more = scene.cells.iter().map(|cell| if let Source::More(more) = cell.source { more } else { 0 }).sum();
    let (width, height) = (scene.canvas.width, scene.canvas.height);
    ToClient::Tiles { timestamp: timestamp(scene.at), view: key.view.to_string(), width, height, cells, more }
}

fn timestamp(at: MediaTime) -> u32 {
    at.rtp(CLOCK)
}

fn tile(cell: &Cell, status: &RoomStatus, view: Option<&ViewStatus>) -> Option<Tile> {
    let (Source::Participant { id, name } | Source::Placeholder { id, name }) = &cell.source else { return None };
    let name = status.people.get(id).map_or(name, |person| &person.name).to_string();
    let crate::media::Rect { x, y, width, height } = cell.rect;
    Some(Tile { participant: id.to_string(), name, region: region(*id, view), x, y, width, height, z: cell.z })
}

fn region(id: ParticipantId, view: Option<&ViewStatus>) -> Option<String> {
    let place = view?.cells.iter().find(|place| place.participant == Some(id))?;
    place.region.as_ref().map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Canvas, Fit, Rect, ViewName};

    fn cell(source: Source, x: u32, opacity: f32) -> Cell {
        let rect = Rect { x, y: 0, width: 320, height: 180 };
        Cell { source, rect, fit: Fit::Cover, z: 3, opacity, corner_radius: 0, border: None, label: None, stalled: false }
    }

    #[test]
    fn a_map_has_people_who_are_seen_and_counts_those_who_have_no_place() {
        let person = |id| Source::Participant { id: ParticipantId(id), name: "Ann".into() };
        let mut scene = Scene::empty(Canvas { width: 640, height: 360, ..Canvas::default() }, MediaTime::from_millis(100));
        scene.cells = vec![
            cell(Source::Slate, 0, 1.0),
            cell(person(1), 0, 1.0),
            cell(Source::Placeholder { id: ParticipantId(2), name: "Ben".into() }, 320, 1.0),
            cell(person(3), 0, 0.0),
            cell(Source::More(4), 0, 1.0),
        ];
        let key = SceneKey { view: ViewName::main(), without: None };
        let ToClient::Tiles { timestamp, width, height, cells, more, .. } = of(&key, &scene, &RoomStatus::default()) else {
            panic!("a map");
        };
        assert_eq!((timestamp, width, height, more), (9000, 640, 360, 4));
        let places: Vec<_> = cells.iter().map(|tile| (tile.participant.as_str(), tile.name.as_str(), tile.x, tile.z)).collect();
        assert_eq!(places, [("p1", "Ann", 0, 3), ("p2", "Ben", 320, 3)]);
    }
}
