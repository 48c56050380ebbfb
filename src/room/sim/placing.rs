//! Who is shown, and where: kinds of people, places kept, more people than places.

use super::*;

fn seats(pairs: &[(&str, u32)]) -> Vec<(String, u32)> {
    pairs.iter().map(|(region, id)| ((*region).to_owned(), *id)).collect()
}

#[test]
fn the_stage_is_the_active_speakers_who_is_forgotten_when_they_leave() {
    let mut sim = Sim::new(settings(template("speaker")));
    sim.join(1, Tone::db(300.0, -20.0), |n| n < 200);
    sim.join(2, Tone::db(400.0, -20.0), |n| n >= 200);
    sim.join(3, Tone::db(500.0, -3.0), |n| (100..114).contains(&n));
    sim.seconds(3);
    assert_eq!(sim.standing(), seats(&[("stage", 1), ("strip", 2), ("strip", 3)]));
    assert_eq!(sim.speakers(), [Some(1)], "a cough moves nobody");
    sim.seconds(4);
    assert_eq!(sim.speakers(), [Some(1), Some(2)]);
    assert_eq!(sim.shown(), [2, 1, 3], "who spoke takes the place of who speaks, the third stays");
    sim.leave(2).seconds(1);
    assert_eq!(sim.speakers(), [Some(1), Some(2), None]);
    assert_eq!(sim.shown(), [1, 3]);
}

#[test]
fn changes_on_the_stage_are_two_seconds_apart_however_people_talk() {
    let mut sim = Sim::new(settings(template("spotlight")));
    sim.join(1, Tone::db(300.0, -20.0), |n| n % 70 < 35);
    sim.join(2, Tone::db(400.0, -6.0), |n| n % 70 >= 35);
    sim.seconds(30);
    let stage: Vec<u32> = sim.seen(&view("main")).iter().map(|scene| shown(&scene.cells)[0]).collect();
    let changes: Vec<usize> = (1..stage.len()).filter(|n| stage[*n] != stage[*n - 1]).collect();
    assert!(changes.windows(2).all(|pair| pair[1] - pair[0] >= 59), "{changes:?}");
}

#[test]
fn whoever_stood_in_a_place_keeps_it_when_people_join_and_leave() {
    let mut sim = Sim::of(5, template("grid"));
    assert_eq!(sim.shown(), [1, 2, 3, 4, 5]);
    sim.leave(2).millis(100);
    assert_eq!(sim.shown(), [1, 5, 3, 4], "only the last moves into the gap");
    sim.join(6, Tone::db(300.0, -20.0), never);
    sim.millis(100);
    assert_eq!(sim.shown(), [1, 5, 3, 4, 6]);
}

#[test]
fn of_forty_people_24_are_shown_and_counted_and_one_who_speaks_comes_in_for_the_one_silent_longest() {
    let mut sim = Sim::new(settings(template("grid")));
    for id in 1..=40 {
        sim.join(id, Tone::db(200.0 + 10.0 * f64::from(id), -20.0), move |n| (id == 33 && n > 100) || (id == 24 && n < 50));
    }
    sim.seconds(2);
    assert_eq!(sim.shown(), (1..=24).chain([9016]).collect::<Vec<_>>());
    assert_eq!(sim.status().views[&name("main")].more, 16);
    sim.seconds(2);
    assert_eq!(sim.shown(), (1..=22).chain([33, 24, 9016]).collect::<Vec<_>>(), "nobody else moves");
}

#[test]
fn with_fewer_than_three_places_a_badge_counts_the_rest() {
    let mut sim = Sim::of(5, template("spotlight"));
    assert_eq!(sim.shown(), [1, 9004]);
    let badge = sim.last_cells()[1].clone();
    assert_eq!((badge.rect.height, badge.rect.y + badge.rect.height), (72, 720 - 14));
    assert!(badge.rect.x + badge.rect.width < 1280 && badge.z > 100);
    let status = sim.status().views[&name("main")].clone();
    assert_eq!((status.more, status.cells.last().unwrap().region.clone()), (4, None));
    sim.leave(2).leave(3).leave(4).leave(5).seconds(1);
    assert_eq!(sim.shown(), [1]);
}

#[test]
fn a_pin_takes_the_stage_from_the_speaker_and_gives_it_back() {
    let mut sim = Sim::new(settings(template("speaker")));
    sim.join(1, Tone::db(300.0, -20.0), always);
    (2..=4).for_each(|id| sim.join(id, Tone::db(300.0, -20.0), never));
    sim.seconds(2).pin(3, true).millis(100);
    assert_eq!(sim.shown(), [3, 2, 1, 4]);
    sim.pin(3, false).millis(100);
    assert_eq!(sim.shown(), [1, 2, 3, 4]);
}

#[test]
fn a_pin_in_a_grid_comes_first_and_swaps_with_one_only() {
    let mut sim = Sim::of(6, template("grid"));
    sim.pin(5, true).millis(100);
    assert_eq!(sim.shown(), [5, 2, 3, 4, 1, 6]);
}

#[test]
fn two_pins_keep_their_places_whichever_came_first() {
    let mut sim = Sim::of(4, regions(&["pinned", "pinned", "any", "any"]));
    assert_eq!(sim.standing(), seats(&[("r2", 1), ("r3", 2)]), "regions for pins stay empty without one");
    sim.pin(4, true).millis(100).pin(2, true).millis(100);
    assert_eq!(sim.standing(), seats(&[("r0", 4), ("r1", 2), ("r2", 1), ("r3", 3)]));
}

#[test]
fn a_region_for_a_role_or_a_person_waits_for_them() {
    let mut sim = Sim::of(3, regions(&["role:host", "participant:p3", "any", "any"]));
    assert_eq!(sim.standing(), seats(&[("r1", 3), ("r2", 1), ("r3", 2)]));
    sim.give_role(2, "host").millis(100);
    assert_eq!(sim.standing(), seats(&[("r0", 2), ("r1", 3), ("r2", 1)]));
    sim.leave(3).give_role(2, "guest").millis(100);
    assert_eq!(sim.standing(), seats(&[("r2", 1), ("r3", 2)]));
}

#[test]
fn reserved_regions_take_no_tiles_from_those_who_are_there() {
    let layout = layout(
        r#"{"transition_ms": 0, "regions": [
            {"id": "host", "left": 0, "top": 0, "width": "1/2", "height": 1, "shows": "role:host"},
            {"id": "rest", "left": "1/2", "top": 0, "width": "1/2", "height": 1, "tiles": 9}]}"#,
    );
    let sim = Sim::of(4, layout);
    assert_eq!(sim.standing(), seats(&[("rest", 1), ("rest", 2), ("rest", 3), ("rest", 4)]));
    assert_eq!(sim.status().views[&name("main")].more, 0);
}

#[test]
fn a_screen_goes_before_cameras_and_pins_and_vanishes_with_its_picture() {
    let mut sim = Sim::of(2, template("presentation"));
    sim.pin(2, true).seconds(1);
    assert_eq!(sim.shown(), [2, 1]);
    let screen = sim.share_screen(7);
    sim.millis(100);
    assert_eq!(sim.standing(), seats(&[("people", 1), ("people", 2), ("screen", 7)]));
    assert!(sim.last_cells().iter().all(|cell| cell.source != Shown::Slate));
    let label = sim.last_cells().iter().find(|cell| shown(&[(*cell).clone()]) == [7]).unwrap().label.clone().unwrap();
    assert!(!label.muted, "a screen without sound is not muted");
    screen.clear();
    sim.seconds(2);
    assert_eq!(sim.shown(), [2, 1]);
    assert!(sim.events.contains(&Event::Stalled(ParticipantId(7), true)));
}

#[test]
fn the_sound_of_a_screen_is_mixed_and_is_nobody_who_speaks() {
    let mut sim = Sim::of(1, template("speaker"));
    let sound: Option<Box<dyn SoundSource>> = Some(Box::new(Mouth { tone: Tone::db(400.0, -10.0), speaks: always }));
    sim.room.handle(Command::Join(Joining { source: Source::Screen, sound, picture: Some(picture()), ..joining(7) }));
    sim.seconds(3);
    assert_eq!((sim.speakers(), sim.mixes.last().unwrap().talkers.len()), (vec![], 1));
}

#[test]
fn hidden_people_are_left_out_or_keep_a_tile_as_the_layout_says() {
    let mut sim = Sim::of(3, template("grid"));
    sim.hide(2).millis(100);
    assert_eq!(sim.shown(), [1, 3]);
    sim.arrange("main", layout(r#"{"hidden": "placeholder", "transition_ms": 0}"#), None).millis(100);
    assert_eq!(sim.shown().len(), 3);
}

#[test]
fn people_without_a_picture_keep_a_tile_or_are_left_out_as_the_layout_says() {
    let mut sim = Sim::of(2, template("grid"));
    sim.room.handle(Command::Join(joining(3)));
    sim.seconds(1);
    assert_eq!(sim.shown(), [1, 2, 3]);
    sim.arrange("main", layout(r#"{"no_video": "left_out", "transition_ms": 0}"#), None).millis(100);
    assert_eq!(sim.shown(), [1, 2]);
    sim.leave(1).leave(2).millis(100);
    assert_eq!(sim.shown(), [0], "nobody to be seen is the slate");
}

#[test]
fn a_trial_tells_what_a_layout_would_show_and_changes_nothing() {
    let sim = Sim::of(5, template("grid"));
    let before = sim.status();
    let trial = before.rehearse(&View { canvas: Canvas::default(), layout: template("spotlight") });
    assert_eq!((trial.more, trial.cells[0].participant), (4, Some(ParticipantId(1))));
    assert_eq!(sim.status(), before);
    assert_eq!(before.rehearse(&View { canvas: Canvas::default(), layout: template("grid") }), before.views[&name("main")]);
}
