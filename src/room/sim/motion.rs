//! Gliding: from any arrangement to any other, at every tick, the same each time.

use super::*;
use crate::media::Rect;

/// Where somebody stands in each of the last scenes.
fn way(sim: &Sim, id: u32, last: usize) -> Vec<Rect> {
    let scenes = sim.seen(&view("main"));
    let cells = scenes[scenes.len() - last..].iter().flat_map(|scene| &scene.cells);
    cells.filter(|cell| shown(&[(*cell).clone()]) == [id]).map(|cell| cell.rect).collect()
}

#[test]
fn a_change_of_layout_takes_300_ms_at_the_full_rate() {
    let mut sim = Sim::of(9, layout("{}"));
    sim.arrange("main", layout(r#"{"template": "speaker"}"#), None).millis(500);
    let way = way(&sim, 1, 15);
    assert_eq!(way.len(), 15, "a scene at every tick");
    let moves = way.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!((7..=10).contains(&moves), "{moves} steps in 300 ms");
    assert!(way.windows(2).all(|pair| pair[1].width >= pair[0].width), "{way:?}");
    assert_eq!(way[14], sim.status().views[&name("main")].cells.iter().find(|c| c.participant == Some(ParticipantId(1))).unwrap().rect);
}

#[test]
fn joining_and_leaving_glide_too_and_whoever_left_is_gone_at_once() {
    let mut sim = Sim::of(2, layout("{}"));
    sim.join(3, Tone::db(300.0, -20.0), never);
    sim.millis(100);
    let newcomer = sim.last_cells().iter().find(|cell| shown(&[(*cell).clone()]) == [3]).unwrap().opacity;
    assert!((0.01..0.99).contains(&newcomer), "{newcomer}");
    let (from, to) = (way(&sim, 1, 3)[0], way(&sim, 1, 3)[2]);
    assert_ne!(from, to);
    sim.seconds(1).leave(3).millis(40);
    assert_eq!(sim.shown(), [1, 2]);
}

#[test]
fn with_no_time_to_glide_the_very_next_scene_is_in_place() {
    let mut sim = Sim::of(4, template("grid"));
    sim.arrange("main", template("speaker"), None).millis(34);
    let cells = &sim.status().views[&name("main")].cells;
    assert_eq!(sim.last_cells().iter().map(|cell| cell.rect).collect::<Vec<_>>(), cells.iter().map(|cell| cell.rect).collect::<Vec<_>>());
}

#[test]
fn whoever_is_hidden_does_not_fade_but_is_gone_at_once() {
    let mut sim = Sim::of(3, layout("{}"));
    sim.hide(2).millis(34);
    assert_eq!(sim.shown(), [1, 3]);
}

#[test]
fn the_same_motion_twice_is_the_same_to_the_pixel() {
    let day = || {
        let mut sim = Sim::of(9, layout("{}"));
        sim.arrange("main", layout(r#"{"template": "one-plus-seven"}"#), None).millis(130);
        sim.pin(4, true).arrange("main", layout(r#"{"template": "pip", "transition_ms": 1000}"#), None).millis(470);
        sim.leave(4).seconds(1);
        sim.scenes
    };
    assert_eq!(day(), day());
}
