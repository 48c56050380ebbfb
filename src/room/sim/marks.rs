//! What cells say of the people in them, and what is painted beside and over everybody.

use super::*;
use crate::media::{LowerThird, Overlay, Rgb};

fn muted(sim: &Sim) -> Vec<bool> {
    sim.last_cells().iter().map(|cell| cell.label.clone().unwrap().muted).collect()
}

/// How strongly each cell's edge is seen.
fn edges(sim: &Sim) -> Vec<f32> {
    sim.last_cells().iter().map(|cell| cell.border.map_or(0.0, |border| border.opacity)).collect()
}

fn set_up(sim: &mut Sim, overlays: Overlays) {
    sim.room.handle(Command::Configure(RoomSettings { overlays, ..settings(template("grid")) }));
    sim.millis(100);
}

#[test]
fn who_sends_no_sound_or_was_muted_has_the_mute_mark() {
    let mut sim = Sim::new(settings(template("grid")));
    sim.room.handle(Command::Join(joining(1)));
    sim.join(2, Tone::db(300.0, -20.0), never);
    sim.join(3, Tone::db(300.0, -70.0), always);
    sim.seconds(1);
    assert_eq!(muted(&sim), [true, false, false]);
    sim.seconds(2);
    assert_eq!(muted(&sim), [true, true, false]);
    sim.mute(3, true).millis(100);
    assert_eq!(muted(&sim), [true, true, true]);
    set_up(&mut sim, Overlays { mute_marks: false, ..Overlays::default() });
    assert_eq!(muted(&sim), [false, false, false]);
}

#[test]
fn a_picture_that_stands_still_is_marked_until_it_moves_again() {
    let mut sim = Sim::of(1, template("grid"));
    let screen = sim.share_screen(7);
    screen.note_stalled(true);
    sim.millis(100);
    let stalled = |sim: &Sim| sim.last_cells().iter().filter(|cell| cell.stalled).count();
    assert_eq!((stalled(&sim), sim.events.contains(&Event::Stalled(ParticipantId(7), true))), (1, true));
    screen.note_stalled(false);
    sim.millis(100);
    assert_eq!((stalled(&sim), sim.events.contains(&Event::Stalled(ParticipantId(7), false))), (0, true));
}

#[test]
fn an_edge_follows_each_voice_and_the_active_speakers_is_full() {
    let mut sim = Sim::new(settings(template("grid")));
    sim.join(1, Tone::db(300.0, -20.0), |n| n < 200);
    sim.join(2, Tone::db(400.0, -35.0), |n| n < 200);
    sim.join(3, Tone::db(400.0, -35.0), never);
    sim.seconds(3);
    let [first, second, third] = edges(&sim)[..] else { panic!("three people") };
    assert_eq!((first, third), (1.0, 0.0));
    assert!((0.3..0.8).contains(&second), "{second}");
    sim.millis(1400);
    assert_eq!(edges(&sim)[1], 0.0, "300 ms after the voice");
    sim.seconds(2);
    assert_eq!(edges(&sim), [0.0, 0.0, 0.0]);
}

#[test]
fn without_speaking_marks_nobody_has_an_edge_but_a_regions_own_stays() {
    let mut sim = Sim::new(settings(template("grid")));
    sim.join(1, Tone::db(300.0, -20.0), always);
    sim.seconds(2);
    set_up(&mut sim, Overlays { speaking_marks: false, ..Overlays::default() });
    assert_eq!(edges(&sim), [0.0]);
    let own = layout(
        r##"{"regions": [{"id": "a", "left": 0, "top": 0, "width": 1, "height": 1, "border": {"width": 6, "color": "#ff0000"}}],
            "transition_ms": 0}"##,
    );
    sim.arrange("main", own, None).millis(100);
    let border = sim.last_cells()[0].border.unwrap();
    assert_eq!((border.width, border.color, border.opacity), (6, Rgb(255, 0, 0), 1.0));
}

#[test]
fn names_are_left_off_where_the_layout_says_so() {
    let mut sim = Sim::of(2, layout(r#"{"names": false}"#));
    assert!(sim.last_cells().iter().all(|cell| cell.label.is_none()));
    sim.mute(1, true).millis(100);
    let label = sim.last_cells()[0].label.clone().unwrap();
    assert_eq!((&*label.text, label.muted), ("", true));
}

#[test]
fn a_new_name_is_on_the_next_picture() {
    let mut sim = Sim::of(1, template("grid"));
    sim.change(1, Change { name: Some("Ada".into()), ..Change::default() }).millis(40);
    assert_eq!(&*sim.last_cells()[0].label.clone().unwrap().text, "Ada");
    assert!(matches!(&sim.events[..], [.., Event::Changed(ParticipantId(1), change)] if change.name.as_deref() == Some("Ada")));
}

#[test]
fn a_logo_keeps_its_aspect_inside_the_canvas_wherever_it_stands() {
    let image = Arc::new(Image { frame: Arc::new(Frame::black(200, 100)), alpha: None });
    let mut sim = Sim::of(1, template("grid"));
    for (column, row, width) in (0..3).flat_map(|n| (0..3).map(move |m| (n, m, 0.125))).chain([(2, 2, 1.0), (0, 0, 0.001)]) {
        let logo = Logo { image: image.clone(), column, row, width, opacity: 0.5 };
        set_up(&mut sim, Overlays { logo: Some(logo), ..Overlays::default() });
        let scene = sim.seen(&view("main")).last().copied().cloned().unwrap();
        let [Overlay::Image { rect, opacity, .. }] = scene.overlays[..] else { panic!("one logo") };
        assert!([rect.x, rect.y, rect.width, rect.height].iter().all(|side| side % 2 == 0), "{rect:?}");
        assert!(rect.x >= 14 && rect.x + rect.width <= 1266 && rect.y >= 14 && rect.y + rect.height <= 706, "{rect:?}");
        assert!(rect.width.abs_diff(2 * rect.height) <= 4 && opacity == 0.5, "{rect:?}");
        if width == 0.125 {
            let at = |third: u8, length: u32, side: u32| [14, (length - side) / 2, length - 14 - side][usize::from(third)];
            assert_eq!((rect.width, rect.x, rect.y), (160, at(column, 1280, 160), at(row, 720, 80)));
        }
    }
}

#[test]
fn the_backdrop_and_the_lower_third_are_in_every_scene() {
    let backdrop = Some(Arc::new(Image { frame: Arc::new(Frame::black(64, 64)), alpha: None }));
    let lower_third = LowerThird { title: "News".into(), subtitle: "".into(), color: Rgb(1, 2, 3), opacity: 1.0 };
    let mut sim = Sim::of(1, template("grid"));
    set_up(&mut sim, Overlays { backdrop: backdrop.clone(), lower_third: Some(lower_third.clone()), ..Overlays::default() });
    let scene = sim.seen(&view("main")).last().copied().cloned().unwrap();
    assert_eq!((scene.backdrop, scene.overlays), (backdrop, vec![Overlay::LowerThird(lower_third)]));
}
