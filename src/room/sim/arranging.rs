//! When an arrangement takes effect: at one tick, within two, or at its time.

use super::*;

fn changes(sim: &Sim) -> Vec<String> {
    let changed = |event: &Event| match event {
        Event::LayoutChanged(_, layout) => Some(layout.spec().template.clone().map_or_else(String::new, |name| name.to_string())),
        _ => None,
    };
    sim.events.iter().filter_map(changed).collect()
}

/// The first scene's time at which the main view shows a stage as large as this.
fn first_at(sim: &Sim, width: u32) -> Option<MediaTime> {
    sim.seen(&view("main")).iter().find(|scene| scene.cells[0].rect.width == width).map(|scene| scene.at)
}

#[test]
fn an_arrangement_takes_effect_within_two_ticks_all_at_once() {
    let mut sim = Sim::of(4, template("grid"));
    let before = sim.last_cells().to_vec();
    let asked = sim.now;
    sim.arrange("main", template("speaker"), None).seconds(1);
    let scenes = sim.seen(&view("main"));
    let changed = scenes.iter().find(|scene| scene.cells != before && scene.at >= asked).unwrap();
    assert!(changed.at.since(asked) <= Duration::from_millis(67));
    let after = sim.last_cells();
    assert!(scenes.iter().all(|scene| scene.at < asked || scene.cells == before || scene.cells == after), "a mixture of the two is shown");
    assert_eq!(changes(&sim), ["speaker"]);
}

#[test]
fn an_arrangement_waits_for_its_time_and_comes_at_the_first_tick_from_then_on() {
    let mut sim = Sim::of(3, template("grid"));
    sim.arrange("main", template("spotlight"), Some(1500)).seconds(1);
    let at = first_at(&sim, 1280).unwrap();
    assert!((1500..1534).contains(&at.as_millis()), "{at:?}");
    assert_eq!(sim.status().views[&name("main")].layout, template("spotlight"));
}

#[test]
fn what_is_asked_for_later_replaces_what_waits_for_its_time_or_a_later_one() {
    let mut sim = Sim::of(3, template("grid"));
    sim.arrange("main", template("speaker"), Some(2000)).arrange("main", template("pip"), Some(3000));
    sim.arrange("main", template("strip"), Some(2500)).seconds(4);
    assert_eq!(changes(&sim), ["speaker", "strip"]);
    sim.arrange("main", template("grid"), Some(9000)).arrange("main", template("stacked"), None).seconds(9);
    assert_eq!(changes(&sim), ["speaker", "strip", "stacked"]);
}

#[test]
fn more_arrangements_wait_than_are_kept_and_the_last_one_still_comes() {
    let mut sim = Sim::of(2, template("grid"));
    for n in 0..100 {
        sim.arrange("main", layout(&format!(r#"{{"max_tiles": {}}}"#, n + 1)), Some(2000 + n));
    }
    sim.seconds(3);
    assert_eq!(sim.status().views[&name("main")].layout.spec().max_tiles.get(), 100);
}

#[test]
fn settings_that_name_the_layout_that_is_waited_for_let_it_wait() {
    let mut sim = Sim::of(2, template("grid"));
    sim.arrange("main", template("speaker"), Some(3000));
    sim.room.handle(Command::Configure(RoomSettings { max_self_views: 1, ..settings(template("speaker")) }));
    sim.seconds(1);
    assert_eq!(changes(&sim), [""; 0]);
    sim.seconds(2);
    assert_eq!(changes(&sim), ["speaker"]);
    sim.arrange("main", template("pip"), Some(9000));
    sim.room.handle(Command::Configure(settings(template("grid"))));
    sim.seconds(9);
    assert_eq!(changes(&sim), ["speaker", "grid"]);
}

#[test]
fn a_canvas_of_another_size_and_rate_is_drawn_from_the_next_tick_on() {
    let mut sim = Sim::of(3, layout("{}"));
    let canvas = Canvas { width: 720, height: 1280, fps: 10, ..Canvas::default() };
    let main = View { canvas, layout: layout("{}") };
    sim.scenes.clear();
    sim.room.handle(Command::Configure(RoomSettings { views: [(name("main"), main)].into(), ..RoomSettings::default() }));
    sim.seconds(2);
    assert!((20..=21).contains(&sim.scenes.len()), "{}", sim.scenes.len());
    assert!(sim.scenes.iter().all(|(_, scene)| scene.canvas == canvas));
    let inside = |scene: &Scene| scene.cells.iter().all(|cell| cell.rect.x + cell.rect.width <= 720);
    assert!(sim.scenes.iter().all(|(_, scene)| inside(scene)));
    assert!(!sim.events.iter().any(|event| matches!(event, Event::PicturesSkipped(_))));
}
