//! What a film is as a file.

use super::*;

fn film(ending: &str, call: Call) -> (tempfile::TempDir, std::path::PathBuf, Made) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join(format!("film.{ending}"));
    let made = render(call, &plan("grid"), &out, &mut go_on).unwrap();
    (folder, out, made)
}

fn two() -> Call {
    call([(1, bot(1, 3)), (2, bot(2, 2))])
}

#[test]
fn the_same_call_is_the_same_film_to_the_byte() {
    for ending in ["mp4", "h264"] {
        let films = [film(ending, two()), film(ending, two())];
        let bytes = films.each_ref().map(|(_, out, _)| std::fs::read(out).unwrap());
        assert!(bytes[0].len() > 10_000 && bytes[0] == bytes[1], "{ending}");
    }
}

#[test]
fn a_byte_stream_has_its_sound_beside_it() {
    let (_folder, out, made) = film("h264", two());
    let stream = std::fs::read(&out).unwrap();
    let slices = h264::nal_units(&stream).filter(|nal_unit| nal_unit.get(1).is_some_and(|byte| byte & 0x80 != 0));
    let firsts = slices.filter(|nal_unit| [h264::nal::SLICE, h264::nal::IDR].contains(&h264::nal::kind(nal_unit)));
    assert_eq!((firsts.count(), made.pictures), (45, 45));
    let sound = Media::open(&out.with_extension("opus")).unwrap();
    let seconds = heard(sound.sound.unwrap()).len() as f64 / 48_000.0;
    assert!((seconds - 3.0).abs() < 0.03, "{seconds}");
}

#[test]
fn a_film_that_is_ended_can_be_played_up_to_there() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("film.mp4");
    let mut told = Vec::new();
    let mut watch = |progress: Progress| {
        told.push(progress);
        if progress.at >= Duration::from_millis(1500) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let made = render(two(), &plan("grid"), &out, &mut watch).unwrap();
    assert!(made.stopped && told.iter().all(|progress| progress.of == Duration::from_secs(3)));
    let seen = Seen::read(&out, made);
    assert_eq!((seen.pictures.len(), seen.made.pictures), (23, 23));
    assert_eq!(seen.numbers(1467), [1, 2]);
}

#[test]
fn a_film_that_is_ended_before_its_first_picture_can_be_played_too() {
    for ending in ["mp4", "h264"] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("film").with_extension(ending);
        let made = render(two(), &plan("grid"), &out, &mut |_| ControlFlow::Break(())).unwrap();
        assert_eq!((made.stopped, made.pictures), (true, 0), "{ending}");
        let media = Media::open(&sound_beside(&out).unwrap_or(out)).unwrap();
        assert!(media.pictures.is_none() && media.sound.is_some(), "{ending}");
    }
}

#[test]
fn what_is_written_so_far_can_be_played_while_it_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("film.mp4");
    let mut early = None;
    let mut watch = |progress: Progress| {
        // The studio is at most some shots behind
        if progress.at >= Duration::from_millis(2900) && early.is_none() {
            early = Some(std::fs::read(&out).unwrap());
        }
        ControlFlow::Continue(())
    };
    render(two(), &plan("grid"), &out, &mut watch).unwrap();
    let cut = folder.path().join("cut.mp4");
    std::fs::write(&cut, early.unwrap()).unwrap();
    let made = Made { length: Duration::ZERO, pictures: 0, stopped: true, damage: vec![] };
    assert!(Seen::read(&cut, made).pictures.len() >= 15);
}

#[test]
fn keyframes_are_at_most_four_seconds_apart() {
    let (_folder, out, _) = film("mp4", call([(1, bot(1, 9))]));
    let mut stream = Media::open(&out).unwrap().pictures.unwrap();
    let mut keyframes = Vec::new();
    while let Some(picture) = stream.next().unwrap() {
        keyframes.extend(picture.keyframe.then_some(picture.at.as_secs()));
    }
    assert_eq!(keyframes, [0, 4, 8]);
}

#[test]
fn what_can_be_no_film_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |name: &str, call: Call| render(call, &plan("grid"), &folder.path().join(name), &mut go_on).unwrap_err().to_string();
    assert!(refusal("film.mkv", two()).contains("neither .mp4 nor .h264"));
    assert!(refusal("none/film.mp4", two()).contains("cannot write"));
    assert!(refusal("film.mp4", Call::default()).contains("nobody sends"));
    assert!(!folder.path().join("film.mkv").exists());
}
