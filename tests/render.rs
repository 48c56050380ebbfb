//! `medley render` as it is run: recordings and files in, films out; what cannot be is refused; Ctrl-C leaves what can be played.

#![expect(clippy::unwrap_used, reason = "a test says by panicking what is not as it should be")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use medley::bots::mark::{self, Luma};
use medley::bots::picture::Painter;
use medley::bots::wall::Wall;
use medley::codec::h264::{Decoder, Encoder, nal};
use medley::codec::{Keyframe, VideoDecoder, VideoEncoder, VideoSettings};
use medley::compositor::stills;
use medley::container::Media;
use medley::container::mp4::{self, Part, PictureTrack, Sample, SoundTrack, Tracks};
use medley::media::{Frame, MediaTime};

const FPS: u64 = 15;
const SMALL: [&str; 4] = ["--canvas", "320x180", "--fps", "15"];

fn medley(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_medley"));
    command.current_dir(folder).arg("render").args(args).stdin(Stdio::null());
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    medley(folder, args).output().unwrap()
}

/// Renders; what is said must be nothing.
fn film(folder: &Path, args: &[&str]) -> Vec<u8> {
    let (film, said) = film_and_what_is_said(folder, args);
    assert!(said.is_empty(), "{said}");
    film
}

fn film_and_what_is_said(folder: &Path, args: &[&str]) -> (Vec<u8>, String) {
    let output = run(folder, &[args, &["--out", "film.mp4"]].concat());
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    (std::fs::read(folder.join("film.mp4")).unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn write_tone(path: &Path, hertz: f32, seconds: u32) {
    let spec = hound::WavSpec { channels: 1, sample_rate: 48_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    let sample = |n: u32| (3276.0 * (std::f32::consts::TAU * hertz * (n % 48_000) as f32 / 48_000.0).sin()) as i16;
    (0..48_000 * seconds).for_each(|n| writer.write_sample(sample(n)).unwrap());
    writer.finalize().unwrap();
}

/// Somebody's file as a recording has it: their pictures from `from` to `to`, in seconds of the recording.
fn write_person(path: &Path, number: u16, from: u64, to: u64) {
    let mut painter = Painter::new(number, 160, 90);
    let mut encoder = Encoder::new(VideoSettings { width: 160, height: 90, fps: FPS as u32, bitrate_bps: 300_000 }).unwrap();
    let mut parameters = BTreeMap::new();
    let picture = |n: u64| {
        let at = MediaTime::from_nanos(n * 1_000_000_000 / FPS);
        let frame = painter.draw(at, Wall::from_micros(at.as_nanos() / 1000));
        let unit = encoder.encode(frame, at, Keyframe::Auto).unwrap().unwrap();
        parameters.extend(unit.nal_units.iter().map(|nal_unit| (nal::kind(nal_unit), nal_unit.clone())));
        Sample { payload: mp4::length_prefixed(&unit.nal_units), duration: 90_000 / FPS as u32, keyframe: unit.keyframe }
    };
    let pictures = (from * FPS..to * FPS).map(picture).collect();
    let [sps, pps] = [nal::SPS, nal::PPS].map(|kind| parameters[&kind].clone());
    let tracks = Tracks { pictures: Some(PictureTrack { width: 160, height: 90, sps, pps, in_band: true }), sound: None };
    let part = Part { sequence: 1, pictures_at: 90_000 * from, pictures, ..Part::default() };
    std::fs::write(path, [mp4::header(&tracks).unwrap(), mp4::part(&part).unwrap()].concat()).unwrap();
}

/// A recording of three seconds: the second comes after one and goes after two.
fn write_recording(folder: &Path) {
    write_person(&folder.join("p1.mp4"), 1, 0, 3);
    write_person(&folder.join("p2.mp4"), 2, 1, 2);
    let events = r#"{"medley": 1, "room": "a", "started": "2026-11-23T10:00:00Z", "settings": {"canvas": {"width": 320, "height": 180, "fps": 15}}}
{"at_ms": 0, "event": "layout", "view": "main", "detail": {"template": "grid", "names": false, "transition_ms": 0}}
{"at_ms": 0, "event": "joined", "participant": "p1", "detail": {"name": "Ada", "source": "camera", "role": null}, "file": "p1.mp4"}
{"at_ms": 1000, "event": "joined", "participant": "p2", "detail": {"name": "Bob", "source": "camera"}, "file": "p2.mp4"}
{"at_ms": 2000, "event": "left", "participant": "p2"}
"#;
    std::fs::write(folder.join("events.jsonl"), events).unwrap();
}

/// A recording of one person for three seconds, and what else its events say; `layout` and `overlays` are the room's.
fn write_call(folder: &Path, layout: &str, overlays: &str, events: &str) {
    write_person(&folder.join("p1.mp4"), 1, 0, 3);
    let canvas = r#"{"width": 320, "height": 180, "fps": 15}"#;
    let settings = format!(r#"{{"canvas": {canvas}, "layout": {layout}, "overlays": {overlays}}}"#);
    let first = format!(r#"{{"medley": 1, "room": "a", "started": "2026-11-23T10:00:00Z", "settings": {settings}}}"#);
    let joined = r#"{"at_ms": 0, "event": "joined", "participant": "p1", "detail": {"name": "Ada"}, "file": "p1.mp4"}"#;
    std::fs::write(folder.join("events.jsonl"), format!("{first}\n{joined}\n{events}")).unwrap();
}

/// The line of a template `mine` with one region, whose sides are so much of the canvas's.
fn mine(at_ms: u64, side: &str) -> String {
    let region = format!(r#"{{"id": "all", "left": 0, "top": 0, "width": "{side}", "height": "{side}"}}"#);
    let template = format!(r#"{{"name": "mine", "template": {{"arrangements": [{{"regions": [{region}]}}]}}}}"#);
    format!(r#"{{"at_ms": {at_ms}, "event": "template", "detail": {template}}}"#) + "\n"
}

/// Who is seen in each picture, with the side of a mark's cell.
fn seen(film: &[u8]) -> Vec<BTreeMap<u16, u32>> {
    let marks = |frame: Arc<Frame>| {
        let luma = Luma { width: frame.width() as usize, height: frame.height() as usize, plane: frame.planes()[0] };
        mark::find(luma).into_iter().map(|(spot, stamp)| (stamp.number, spot.cell.round() as u32)).collect()
    };
    frames(film).into_iter().map(marks).collect()
}

fn frames(film: &[u8]) -> Vec<Arc<Frame>> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), film).unwrap();
    let (mut stream, mut decoder) = (Media::open(file.path()).unwrap().pictures.unwrap(), Decoder::new());
    let mut all = Vec::new();
    while let Some(picture) = stream.next().unwrap() {
        assert_eq!(picture.at.as_millis(), Duration::from_nanos(all.len() as u64 * 1_000_000_000 / FPS).as_millis());
        let annex_b: Vec<u8> = picture.nal_units.iter().flat_map(|nal_unit| [&[0, 0, 0, 1], &nal_unit[..]].concat()).collect();
        all.push(decoder.decode(&annex_b).unwrap().unwrap());
    }
    all
}

#[test]
fn a_recording_is_rendered_as_it_was_and_otherwise_and_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let call = folder.path().join("call");
    std::fs::create_dir(&call).unwrap();
    write_recording(&call);
    let grid = film(folder.path(), &["call"]);
    assert_eq!(film(folder.path(), &["call"]), grid, "the same call, the same bytes");
    let pictures = seen(&grid);
    let people = |n: usize| pictures[n].keys().copied().collect::<Vec<_>>();
    assert_eq!((pictures.len(), people(14), people(16), people(29), people(31)), (45, vec![1], vec![1, 2], vec![1, 2], vec![1]));
    let spotlight = seen(&film(folder.path(), &["call", "--layout", "spotlight", "--canvas", "640x360"]));
    assert!(spotlight.iter().skip(1).all(|marks| *marks == BTreeMap::from([(1, 16)])), "one alone, twice as large: {spotlight:?}");
}

#[test]
fn a_call_in_an_own_template_is_made_again_in_it_as_it_was_at_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let layout = r#"{"template": "mine", "gap": 0, "transition_ms": 0}"#;
    let arranged = |at_ms: u64| format!(r#"{{"at_ms": {at_ms}, "event": "layout", "view": "main", "detail": {layout}}}"#) + "\n";
    let set_up = format!(r#"{{"at_ms": 2000, "event": "settings", "detail": {{"layout": {layout}}}}}"#) + "\n";
    let events = [mine(0, "1/2"), arranged(0), mine(1000, "1"), arranged(1000), mine(2000, "3/4"), set_up].concat();
    write_call(folder.path(), layout, "{}", &events);
    let cells = |film: &[u8]| [5, 20, 35].map(|n| seen(film)[n].get(&1).copied());
    assert_eq!(cells(&film(folder.path(), &["."])), [Some(4), Some(8), Some(6)]);
    assert_eq!(cells(&film(folder.path(), &[".", "--layout", "spotlight"])), [Some(8), Some(8), Some(8)]);
    assert_eq!(cells(&film(folder.path(), &[".", "--layout", "mine"]))[0], Some(4));
    write_call(folder.path(), layout, "{}", &arranged(0));
    let refusal = String::from_utf8(run(folder.path(), &[".", "--out", "film.mp4"]).stderr).unwrap();
    assert!(refusal.contains("there is no template \"mine\"") && refusal.contains("choose a layout with --layout"), "{refusal}");
}

#[test]
fn images_are_shown_where_they_are_given_and_told_of_once_where_they_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let overlays = r#"{"background_image": "wall", "logo": {"image": "acme"}}"#;
    let layout = r#"{"regions": [{"id": "left", "left": 0, "top": 0, "width": "1/2", "height": 1}]}"#;
    let settings = format!(r#"{{"layout": {layout}, "overlays": {overlays}}}"#);
    let again = |at_ms: u64| format!(r#"{{"at_ms": {at_ms}, "event": "settings", "detail": {settings}}}"#) + "\n";
    write_call(folder.path(), layout, overlays, &[again(1000), again(2000)].concat());
    for (file, luma) in [("w.png", 200), ("a.png", 60)] {
        std::fs::write(folder.path().join(file), stills::encode_png(&Frame::filled(320, 180, [luma, 128, 128]))).unwrap();
    }
    let right = |film: &[u8]| frames(film)[40].planes()[0][320 * 150 + 300];
    let (bare, said) = film_and_what_is_said(folder.path(), &["."]);
    let left_out = ["wall", "acme"]
        .map(|name| format!("medley: the image {name} is not in the recording and is left out; give it with --image {name}=FILE\n"));
    assert_eq!((said, right(&bare) < 60), (left_out.concat(), true));
    let (walled, said) = film_and_what_is_said(folder.path(), &[".", "--image", "wall=w.png", "--image", "mall=w.png"]);
    assert!(right(&walled).abs_diff(200) < 8, "{}", right(&walled));
    assert_eq!(said, left_out[1].clone() + "medley: --image mall: the call shows no image of that name\n");
    assert!(film(folder.path(), &[".", "--image", "wall=w.png", "--image", "acme=a.png"]) != walled);
}

#[test]
fn whoever_sent_nothing_is_there_and_is_no_fault_of_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    let call = folder.path().join("call");
    std::fs::create_dir(&call).unwrap();
    write_recording(&call);
    let tracks = Tracks { pictures: None, sound: Some(SoundTrack { channels: 1, pre_skip: 312 }) };
    std::fs::write(call.join("p3.mp4"), mp4::header(&tracks).unwrap()).unwrap();
    let mut events = File::options().append(true).open(call.join("events.jsonl")).unwrap();
    let joined = r#"{"at_ms": 0, "event": "joined", "participant": "p3", "detail": {"name": "Eve"}, "file": "p3.mp4"}"#;
    writeln!(events, "{joined}").unwrap();
    assert_eq!(seen(&film(folder.path(), &["call"])).len(), 45);
}

#[test]
fn a_byte_stream_and_its_sound_become_a_film_of_the_same_name() {
    let folder = tempfile::tempdir().unwrap();
    write_tone(&folder.path().join("a.wav"), 440.0, 1);
    let args = [&["a.wav", "--out", "film.h264"][..], &SMALL].concat();
    assert!(run(folder.path(), &args).status.success());
    let pictures = seen(&film(folder.path(), &[&["film.h264", "film.opus"][..], &SMALL].concat()));
    assert_eq!(pictures.len(), 15);
}

#[test]
fn files_become_people_and_events_happen_to_them() {
    let folder = tempfile::tempdir().unwrap();
    write_tone(&folder.path().join("a.wav"), 440.0, 2);
    write_person(&folder.path().join("b.mp4"), 2, 0, 2);
    std::fs::write(folder.path().join("events"), "{\"at_ms\": 1000, \"event\": \"changed\", \"participant\": \"p2\", \"hidden\": true}\n")
        .unwrap();
    let args = [&["Ada=a.wav", "b.mp4", "--events", "events", "--bitrate", "900000"][..], &SMALL].concat();
    let pictures = seen(&film(folder.path(), &args));
    let with = |n: usize| pictures[n].contains_key(&2);
    assert_eq!((pictures.len(), with(14), with(20)), (30, true, false));
}

#[test]
fn ctrl_c_leaves_what_can_be_played() {
    let folder = tempfile::tempdir().unwrap();
    write_tone(&folder.path().join("a.wav"), 440.0, 600);
    // What is written to a pipe waits to be read: so it is known how far the film is
    let pipe = folder.path().join("film.mp4");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let args = [&["a.wav", "--out", "film.mp4"][..], &SMALL].concat();
    let child = medley(folder.path(), &args).stderr(Stdio::piped()).spawn().unwrap();
    let (mut film, mut reader) = (vec![0; 40_000], File::open(&pipe).unwrap());
    reader.read_exact(&mut film).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    reader.read_to_end(&mut film).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    let pictures = seen(&film).len();
    assert!(said.contains("film.mp4 holds the first") && (15..9000).contains(&pictures), "{pictures} pictures: {said}");
}

#[test]
fn what_cannot_be_is_refused_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_tone(&here.join("a.wav"), 440.0, 1);
    std::fs::write(here.join("b.mkv"), "no film").unwrap();
    std::fs::write(here.join("bad.jsonl"), "{\"event\": \"left\"}\n").unwrap();
    std::fs::create_dir(here.join("empty")).unwrap();
    let refused: [(&[&str], &str); 14] = [
        (&["--out", "x.mp4"], "FOLDER|[NAME=]FILE"),
        (&["a.wav"], "--out"),
        (&["a.wav", "--out", "x.mkv"], "x.mkv is neither .mp4 nor .h264"),
        (&["a.wav", "--out", "nowhere/x.mp4"], "there is no folder nowhere"),
        (&["b.mkv", "--out", "x.mp4"], "b.mkv: the file is neither"),
        (&["none.wav", "--out", "x.mp4"], "none.wav: the file cannot be read"),
        (&["empty", "--out", "x.mp4"], "there is no events.jsonl in it"),
        (&["empty", "a.wav", "--out", "x.mp4"], "rendered alone"),
        (&["a.wav", "--out", "x.mp4", "--layout", "gird"], "there is no template \"gird\""),
        (&["a.wav", "--out", "x.mp4", "--canvas", "321x180"], "321 is odd; send 322"),
        (&["a.wav", "--out", "x.mp4", "--events", "bad.jsonl"], "line 1: names nobody"),
        (&["a.wav", "--out", "x.mp4", "--image", "logo.png"], "send a name and a file, such as logo=logo.png"),
        (&["a.wav", "--out", "x.mp4", "--image", "logo=none.png"], "--image logo: none.png: No such file"),
        (&["a.wav", "--out", "x.mp4", "--image", "logo=b.mkv"], "--image logo: b.mkv: the file is neither a PNG nor a JPEG"),
    ];
    for (args, reason) in refused {
        let output = run(here, args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(reason), "{args:?}: {said}");
        assert!(!here.join("x.mp4").exists(), "{args:?}");
    }
    std::fs::copy(here.join("a.wav"), here.join("a.mp4")).unwrap();
    let output = run(here, &["a.mp4", "--out", "a.mp4"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("one of the files to be rendered"));
    write_recording(here);
    let output = run(here, &[".", "--out", "./p2.mp4"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("one of the files to be rendered"));
    assert!(std::fs::metadata(here.join("p2.mp4")).unwrap().len() > 1000);
}
