//! Who is seen and heard in a film, and when.

use super::*;

#[test]
fn everybody_is_seen_and_heard_and_the_film_ends_with_the_call() {
    let seen = Seen::of(call([(1, bot(1, 2)), (2, bot(2, 2)), (3, bot(3, 2))]), &plan("grid"));
    assert_eq!((seen.made.pictures, seen.pictures.len(), seen.made.stopped), (30, 30, false));
    assert_eq!((seen.made.length, seen.samples.len()), (Duration::from_secs(2), 96_000));
    for ms in [0, 500, 1000, 1933] {
        assert_eq!(seen.numbers(ms), [1, 2, 3], "{ms} ms");
    }
    for number in [1, 2, 3] {
        assert!((seen.tone_db(number, 1200) + 20.0).abs() < 3.0, "{number}: {} dB", seen.tone_db(number, 1200));
    }
    assert!(seen.tone_db(4, 1200) < -50.0);
}

#[test]
fn a_late_joiners_tile_comes_and_a_leavers_goes_at_its_time() {
    let mut call = call([(1, bot(1, 4)), (2, bot(2, 2)), (3, bot(3, 4))]);
    add_events(
        &mut call,
        r#"{"at_ms": 1000, "event": "joined", "participant": "p2", "name": "Late"}
{"at_ms": 3000, "event": "left", "participant": "p3"}
"#,
    );
    let seen = Seen::of(call, &plan("grid"));
    assert_eq!([900, 1067, 2867, 3067, 3900].map(|ms| seen.numbers(ms)), [vec![1, 3], vec![1, 2, 3], vec![1, 2, 3], vec![1], vec![1]]);
    assert!(seen.tone_db(2, 700) < -50.0 && seen.tone_db(2, 1200) > -25.0, "what they send begins as they come");
    assert!(seen.tone_db(2, 3200) < -50.0, "they leave when their film is over");
    assert!(seen.tone_db(3, 2700) > -25.0 && seen.tone_db(3, 3200) < -50.0);
}

#[test]
fn another_layout_comes_at_its_time() {
    let mut call = call([(1, bot(1, 2)), (2, bot(2, 2))]);
    add_events(&mut call, "{\"at_ms\": 1000, \"event\": \"layout\", \"detail\": {\"template\": \"spotlight\", \"transition_ms\": 0}}\n");
    let seen = Seen::of(call, &plan("grid"));
    let cells = |ms: u64| seen.marks(ms).into_values().map(|(_, _, cell)| cell.round() as u32).collect::<Vec<_>>();
    assert_eq!((cells(933), cells(1000)), (vec![4, 4], vec![8]), "side by side, then one alone");
}

#[test]
fn an_own_template_is_used_as_it_is_at_the_time() {
    let own = |at_ms: u64, side: &str| {
        let region = format!(r#"{{"id": "all", "left": 0, "top": 0, "width": "{side}", "height": "{side}"}}"#);
        let template = format!(r#"{{"name": "mine", "template": {{"arrangements": [{{"regions": [{region}]}}]}}}}"#);
        let layout = r#"{"template": "mine", "transition_ms": 0, "gap": 0}"#;
        format!(
            "{{\"at_ms\": {at_ms}, \"event\": \"template\", \"detail\": {template}}}
{{\"at_ms\": {at_ms}, \"event\": \"layout\", \"detail\": {layout}}}\n"
        )
    };
    let mut call = call([(1, bot(1, 2))]);
    add_events(&mut call, &[own(500, "1/2"), own(1000, "3/4"), own(1500, "1/2")].concat());
    let seen = Seen::of(call, &plan("grid"));
    let cell = |ms: u64| seen.marks(ms).into_values().map(|(_, _, cell)| cell.round() as u32).collect::<Vec<_>>();
    assert_eq!([400, 600, 1100, 1600].map(cell), [[8], [4], [6], [4]]);
}

#[test]
fn a_template_that_nobody_told_of_is_refused_with_what_to_do() {
    let mut call = call([(1, bot(1, 1))]);
    add_events(&mut call, "{\"at_ms\": 500, \"event\": \"layout\", \"detail\": {\"template\": \"mine\"}}\n");
    let folder = tempfile::tempdir().unwrap();
    let refusal = render(call, &plan("grid"), &folder.path().join("film.mp4"), &mut go_on).unwrap_err().to_string();
    assert!(
        refusal.starts_with("the layout at 0.5 s: template: there is no template \"mine\"") && refusal.contains("--layout"),
        "{refusal}"
    );
}

#[test]
fn somebody_who_is_muted_is_not_heard_until_they_are_heard_again() {
    let mut call = call([(1, bot(1, 4)), (2, bot(2, 4))]);
    add_events(
        &mut call,
        r#"{"at_ms": 1000, "event": "muted", "participant": "p1", "detail": {"muted": true}}
{"at_ms": 2000, "event": "muted", "participant": "p1", "muted": false}
{"at_ms": 3000, "event": "changed", "participant": "p2", "detail": {"gain_db": -20.0}}
"#,
    );
    let seen = Seen::of(call, &plan("grid"));
    let levels = [700, 1200, 2200].map(|ms| seen.tone_db(1, ms));
    assert!(levels[0] > -25.0 && levels[1] < -50.0 && levels[2] > -25.0, "{levels:?}");
    assert!((seen.tone_db(2, 3500) + 40.0).abs() < 4.0, "{} dB", seen.tone_db(2, 3500));
}

#[test]
fn the_active_speaker_is_found_from_the_sound() {
    let talks = |number: u16, speaks: fn(u64) -> bool| media(pictures(number, 8), sounds(number, 8, speaks));
    let call = call([(1, talks(1, |ms| ms < 4000)), (2, talks(2, |ms| ms >= 4000)), (3, talks(3, |_| false))]);
    let seen = Seen::of(call, &plan("spotlight"));
    assert_eq!([3000, 7500].map(|ms| seen.numbers(ms)), [vec![1], vec![2]]);
}

#[test]
fn a_flash_and_a_beep_of_one_moment_come_together() {
    let flash = filmed(2, |at| if at.as_millis() >= 1000 { Frame::filled(160, 90, [230, 128, 128]) } else { Frame::black(160, 90) });
    let seen = Seen::of(call([(1, media(flash, sounds(2, 2, |ms| ms >= 1000)))]), &plan("spotlight"));
    let bright = |frame: &Frame| frame.planes()[0][320 * 90 + 160] > 120;
    let flashed = seen.pictures.iter().find(|(_, frame)| bright(frame)).unwrap().0.as_secs_f64();
    let beeped = seen.samples.iter().position(|sample| sample.abs() > 0.03).unwrap() as f64 / 48_000.0;
    assert!((0.99..1.05).contains(&flashed), "{flashed}");
    assert!((-0.060..0.040).contains(&(flashed - beeped)), "flash {flashed}, beep {beeped}");
}
