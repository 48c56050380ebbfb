//! Several views, who receives which, and pictures without their own receiver.

use super::*;

fn without(id: u32) -> SceneKey {
    SceneKey { view: name("main"), without: Some(ParticipantId(id)) }
}

fn routes(sim: &Sim) -> Vec<(u32, SceneKey)> {
    sim.status().routes.iter().map(|(id, key)| (id.0, key.clone())).collect()
}

const HIDDEN: &str = r#"{"self_view": "hidden", "transition_ms": 0}"#;

/// People who take part in and watch a room in which nobody sees themself.
fn unseen_by_themselves(people: u32, most: usize) -> Sim {
    let mut sim = Sim::new(RoomSettings { max_self_views: most, ..settings(layout(HIDDEN)) });
    for id in 1..=people {
        sim.join(id, Tone::db(300.0, -20.0), never);
        sim.watch(id, "main");
    }
    sim.seconds(1);
    sim
}

#[test]
fn nothing_is_drawn_of_what_nobody_receives() {
    let mut sim = Sim::new(with_views(&[("main", template("grid")), ("side", template("speaker"))]));
    sim.seconds(1);
    assert_eq!(sim.drawn(), [view("main")]);
    sim.watch(7, "side").millis(200);
    assert_eq!(sim.drawn(), [view("main"), view("side")]);
    sim.room.handle(Command::Unwatch(VIEWER));
    sim.room.handle(Command::Unwatch(ParticipantId(7)));
    sim.scenes.clear();
    sim.seconds(1);
    assert!(sim.scenes.is_empty());
    assert_eq!(sim.status().views.len(), 2, "they are told of all the same");
}

#[test]
fn a_view_has_its_own_canvas_layout_and_rate() {
    let canvas = Canvas { width: 360, height: 640, fps: 15, ..Canvas::default() };
    let mut with = settings(template("grid"));
    with.views.insert(name("phone"), View { canvas, layout: template("spotlight") });
    let mut sim = Sim::new(with);
    (1..=3).for_each(|id| sim.join(id, Tone::db(300.0, -20.0), never));
    sim.watch(7, "phone").seconds(2);
    assert_eq!((sim.seen(&view("main")).len(), sim.seen(&view("phone")).len()), (60, 30));
    assert_eq!(shown(sim.last_cells_of(&view("phone"))), [1, 9002]);
    assert!(sim.seen(&view("phone")).iter().all(|scene| scene.canvas == canvas));
}

#[test]
fn views_that_are_set_up_alike_share_a_key_until_they_differ() {
    let grid = || template("grid");
    let mut sim = Sim::new(with_views(&[("main", template("speaker")), ("b", grid()), ("a", grid())]));
    (1..=3).for_each(|id| sim.join(id, Tone::db(300.0, -20.0), never));
    sim.watch(1, "a").watch(2, "b").watch(3, "nowhere").seconds(1);
    assert_eq!(routes(&sim), [(1, view("a")), (2, view("a")), (3, view("main")), (1000, view("main"))]);
    sim.arrange("main", grid(), None).millis(200);
    assert_eq!(sim.drawn(), [view("main")]);
    sim.arrange("b", template("strip"), None).millis(200);
    assert_eq!(routes(&sim), [(1, view("main")), (2, view("b")), (3, view("main")), (1000, view("main"))]);
    assert_eq!(sim.status().views[&name("a")], sim.status().views[&name("main")]);
    assert!(!sim.events.iter().any(|event| matches!(event, Event::PicturesSkipped(_))));
}

#[test]
fn a_view_that_parts_from_another_glides_on_from_what_was_seen_of_it() {
    let mut sim = Sim::new(with_views(&[("main", layout("{}")), ("side", layout("{}"))]));
    (1..=4).for_each(|id| sim.join(id, Tone::db(300.0, -20.0), never));
    sim.watch(7, "side").seconds(1);
    let before = sim.last_cells().to_vec();
    sim.arrange("side", layout(r#"{"template": "stacked"}"#), None).millis(1);
    let first = sim.last_cells_of(&view("side"));
    assert_eq!(first.len(), 4);
    assert!(first.iter().all(|cell| cell.opacity == 1.0), "nobody fades in");
    assert_eq!(first.iter().map(|cell| cell.rect).collect::<Vec<_>>(), before.iter().map(|cell| cell.rect).collect::<Vec<_>>());
}

#[test]
fn a_view_that_is_gone_is_drawn_no_more_and_its_receivers_get_main() {
    let mut sim = Sim::new(with_views(&[("main", template("grid")), ("side", template("speaker"))]));
    sim.watch(7, "side").seconds(1);
    sim.room.handle(Command::Configure(settings(template("grid"))));
    sim.millis(200);
    assert_eq!((routes(&sim)[0].clone(), sim.drawn()), ((7, view("main")), vec![view("main")]));
}

#[test]
fn nobody_who_is_seen_sees_themself_and_viewers_share() {
    let sim = unseen_by_themselves(3, 4);
    assert_eq!(routes(&sim), [(1, without(1)), (2, without(2)), (3, without(3)), (1000, view("main"))]);
    assert_eq!(shown(sim.last_cells_of(&without(2))), [1, 3]);
    assert_eq!(sim.shown(), [1, 2, 3]);
}

#[test]
fn as_many_pictures_without_somebody_as_may_be_go_to_the_lowest_ids_and_the_rest_share() {
    let mut sim = unseen_by_themselves(6, 4);
    assert_eq!(sim.drawn(), [view("main"), without(1), without(2), without(3), without(4)]);
    assert_eq!(routes(&sim)[4..6], [(5, view("main")), (6, view("main"))]);
    sim.hide(2).millis(200);
    assert_eq!(routes(&sim)[1], (2, view("main")), "who is not to be seen needs no picture of their own");
    assert_eq!(routes(&sim)[4], (5, without(5)));
    sim.arrange("main", template("grid"), None).millis(200);
    assert_eq!(sim.drawn(), [view("main")]);
}

#[test]
fn the_speaker_sees_on_the_stage_who_spoke_before_them() {
    let json = r#"{"template": "speaker", "self_view": "hidden", "transition_ms": 0}"#;
    let mut sim = Sim::new(settings(layout(json)));
    sim.join(1, Tone::db(300.0, -20.0), |n| n < 50);
    sim.join(2, Tone::db(300.0, -20.0), |n| (200..250).contains(&n));
    sim.join(3, Tone::db(300.0, -20.0), |n| n > 400);
    for id in 1..=3 {
        sim.watch(id, "main");
    }
    sim.seconds(12);
    assert_eq!(sim.speakers(), [Some(1), Some(2), Some(3)]);
    assert_eq!(shown(sim.last_cells_of(&without(3))), [2, 1]);
    assert_eq!(sim.shown(), [3, 1, 2]);
}

#[test]
fn routes_are_told_before_the_first_scene_of_a_key_and_only_when_they_change() {
    let mut sim = Sim::new(settings(layout(HIDDEN)));
    sim.join(1, Tone::db(300.0, -20.0), never);
    sim.watch(1, "main");
    let first = sim.room.advance(sim.now);
    let told = sim.room.take_events();
    let routed: Vec<_> =
        told.iter().filter_map(|event| if let Event::Routed(routes) = event { Some(routes.clone()) } else { None }).collect();
    assert!(first.is_some());
    assert_eq!(routed.len(), 1);
    assert_eq!(routed[0][&ParticipantId(1)], without(1));
    sim.seconds(5);
    assert!(!sim.events.iter().any(|event| matches!(event, Event::Routed(_))));
}

#[test]
fn scenes_of_one_tick_come_one_after_the_other() {
    let sim = unseen_by_themselves(3, 4);
    let ticks: Vec<MediaTime> = sim.scenes.iter().map(|(_, scene)| scene.at).collect();
    assert!(ticks.windows(2).all(|pair| pair[0] <= pair[1]));
    assert_eq!(sim.scenes.len(), 4 * 30);
}
