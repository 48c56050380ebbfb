//! What it costs to make a call again: nine people with 360p30 and a tone each, from files into a film, by the second.
//!
//! `taskset -c 0 cargo bench --bench render` says it of one core, on which the two threads of a render take turns.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use medley::bots::picture::Painter;
use medley::bots::sound::Voice;
use medley::bots::wall::Wall;
use medley::codec::h264::{Encoder, nal};
use medley::codec::opus::{AudioEncoder, Prediction};
use medley::codec::{Keyframe, VideoEncoder, VideoSettings};
use medley::compositor::{Choice, Fonts};
use medley::container::mp4::{self, Part, PictureTrack, Sample, SoundTrack, Tracks};
use medley::media::{Frame, MediaTime};
use medley::render::{Call, Plan, render};
use medley::room::RoomSettings;

// `scenes` finds the types of pictures at `crate::media`, there as here.
use medley::media;

#[expect(dead_code, reason = "the codecs' bench takes the rest of it")]
#[path = "../src/codec/scenes.rs"]
mod scenes;

const PEOPLE: u16 = 9;
const FPS: u32 = 30;
const SECONDS: u64 = 4;

/// What somebody sends, as an MP4 file.
fn write(path: &Path, number: u16, mut draw: impl FnMut(MediaTime) -> Frame) {
    let settings = VideoSettings { width: 640, height: 360, fps: FPS, bitrate_bps: 800_000 };
    let mut encoder = Encoder::new(settings).expect("an encoder");
    let units: Vec<_> = (0..SECONDS * u64::from(FPS))
        .map(|n| {
            let at = MediaTime::from_nanos(n * 1_000_000_000 / u64::from(FPS));
            encoder.encode(&draw(at), at, Keyframe::Auto).expect("a picture is encoded").expect("none is skipped")
        })
        .collect();
    let parameters =
        |kind: u8| units[0].nal_units.iter().find(|nal_unit| nal::kind(nal_unit) == kind).cloned().expect("a keyframe is first");
    let pictures = PictureTrack { width: 640, height: 360, sps: parameters(nal::SPS), pps: parameters(nal::PPS), in_band: false };
    let tracks = Tracks { pictures: Some(pictures), sound: Some(SoundTrack { channels: 1, pre_skip: 312 }) };
    let picture = |unit: &medley::codec::AccessUnit| Sample {
        payload: mp4::length_prefixed(&unit.nal_units),
        duration: mp4::PICTURE_CLOCK / FPS,
        keyframe: unit.keyframe,
    };
    let (mut voice, mut audio) = (Voice::new(number), AudioEncoder::new().expect("an encoder"));
    let mut sound = |n: u64| {
        let block = voice.speak(Wall::from_micros(20_000 * n));
        Sample { payload: audio.encode(&block, Prediction::Allowed).expect("a block is encoded"), duration: 960, keyframe: true }
    };
    let sounds = (0..SECONDS * 50).map(&mut sound).collect();
    let part = Part { sequence: 1, pictures: units.iter().map(picture).collect(), sounds, ..Part::default() };
    let bytes = [mp4::header(&tracks).expect("a header"), mp4::part(&part).expect("a part")].concat();
    std::fs::write(path, bytes).expect("a file is written");
}

fn measure(c: &mut Criterion, name: &str, draw: impl Fn(u16) -> Box<dyn FnMut(MediaTime) -> Frame>) {
    let folder = tempfile::tempdir().expect("a folder");
    let files: Vec<(String, PathBuf)> = (1..=PEOPLE).map(|n| (format!("Guest {n}"), folder.path().join(format!("{n}.mp4")))).collect();
    files.iter().zip(1..).for_each(|((_, path), number)| write(path, number, draw(number)));
    let plan = Plan { room: RoomSettings::default(), bitrate_bps: 2_500_000, compositor: Choice::Cpu, fonts: Fonts::embedded() };
    let out = folder.path().join("film.mp4");
    let mut group = c.benchmark_group("render");
    group.sample_size(10).throughput(criterion::Throughput::Elements(SECONDS)).measurement_time(Duration::from_secs(20));
    group.bench_function(format!("{SECONDS} s of 9 x 360p30 into 720p30, {name}"), |b| {
        b.iter(|| {
            let call = Call::of_files(&files).expect("our own files");
            render(call, &plan, &out, &mut |_| ControlFlow::Continue(())).expect("a film")
        });
    });
    group.finish();
}

fn rendering(c: &mut Criterion) {
    measure(c, "what bots send", |number| {
        let mut painter = Painter::new(number, 640, 360);
        Box::new(move |at| painter.draw(at, Wall::from_micros(at.as_nanos() / 1000)).clone())
    });
    measure(c, "all of every picture in motion", |number| {
        Box::new(move |at| scenes::moving(640, 360, u32::from(number) * 7 + (at.as_millis() * 30 / 1000) as u32))
    });
}

criterion_group!(benches, rendering);
criterion_main!(benches);
