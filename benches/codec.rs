//! What one picture and one 20 ms block cost in each codec.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use medley::codec::h264::{Decoder, Encoder};
use medley::codec::jpeg::JpegEncoder;
use medley::codec::opus::{AudioDecoder, AudioEncoder, MAX_PACKET_SAMPLES, Prediction};
use medley::codec::{Keyframe, VideoDecoder, VideoEncoder, VideoSettings};
use medley::compositor::stills;
use medley::media::{BLOCK_SAMPLES, Block, Frame, MediaTime};

// `scenes` finds the types of pictures at `crate::media`, there as here.
use medley::media;

#[path = "../src/codec/scenes.rs"]
mod scenes;

/// Pictures before a scene begins anew.
const PICTURES: u32 = 60;

fn settings(width: u32, height: u32) -> VideoSettings {
    VideoSettings { width, height, fps: 30, bitrate_bps: if height > 400 { 2_500_000 } else { 800_000 } }
}

fn encode(encoder: &mut Encoder, frame: &Frame, number: u32, keyframe: Keyframe) -> Vec<u8> {
    let at = MediaTime::from_millis(u64::from(number) * 100 / 3);
    let unit = encoder.encode(frame, at, keyframe).expect("the frame has the encoder's size").expect("no picture is skipped");
    unit.nal_units.iter().flat_map(|nal_unit| [&[0, 0, 0, 1], nal_unit.as_ref()].concat()).collect()
}

fn decode_video(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    for (width, height) in [(640, 360), (1280, 720)] {
        let mut encoder = Encoder::new(settings(width, height)).expect("an encoder");
        let units: Vec<_> = (0..PICTURES).map(|n| encode(&mut encoder, &scenes::moving(width, height, n), n, Keyframe::Auto)).collect();
        let (mut decoder, mut units) = (Decoder::new(), units.iter().cycle());
        group.bench_function(BenchmarkId::from_parameter(format!("{height}p")), |b| {
            b.iter(|| black_box(decoder.decode(units.next().expect("a cycle has no end")).expect("a whole stream")));
        });
    }
}

fn encode_video(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode");
    let moving: Vec<_> = (0..PICTURES).map(|n| scenes::moving(1280, 720, n)).collect();
    let noise: Vec<_> = (0..2).map(|n| scenes::noise(1280, 720, n)).collect();
    for (name, frames) in [("720p_moving", &moving[..]), ("720p_unchanged", &moving[..1]), ("720p_noise", &noise[..])] {
        let mut encoder = Encoder::new(settings(1280, 720)).expect("an encoder");
        let mut numbers = 0u32..;
        group.bench_function(name, |b| {
            b.iter(|| {
                let number = numbers.next().expect("a bench ends before 2³² pictures");
                black_box(encode(&mut encoder, &frames[number as usize % frames.len()], number, Keyframe::Auto))
            });
        });
    }
}

/// Straight from the planes, and by way of RGB.
fn encode_jpeg(c: &mut Criterion) {
    let mut group = c.benchmark_group("jpeg");
    for (width, height) in [(640, 360), (1280, 720)] {
        let frame = scenes::moving(width, height, 7);
        let mut encoder = JpegEncoder::new(75).expect("an encoder");
        group.bench_function(format!("{height}p"), |b| b.iter(|| black_box(encoder.encode(&frame).expect("a picture"))));
        group.bench_function(format!("{height}p_image_crate"), |b| b.iter(|| black_box(stills::encode_jpeg(&frame, 75))));
    }
}

/// Harmonics that swell, as a voice does.
fn voice(number: usize) -> Block {
    let mut block = Block::SILENCE;
    for (i, sample) in block.0.iter_mut().enumerate() {
        let turn = (number * BLOCK_SAMPLES + i) as f32 / 48_000.0 * std::f32::consts::TAU;
        *sample = (1..8u8).map(|harmonic| 0.1 * (turn * 140.0 * f32::from(harmonic)).sin()).sum::<f32>() * (turn * 2.0).sin().powi(2);
    }
    block
}

fn sound(c: &mut Criterion) {
    let blocks: Vec<_> = (0..50).map(voice).collect();
    let mut encoder = AudioEncoder::new().expect("an encoder");
    let packets: Vec<_> = blocks.iter().map(|block| encoder.encode(block, Prediction::Allowed).expect("a packet")).collect();
    let mut group = c.benchmark_group("opus");
    let mut cycle = blocks.iter().cycle();
    group.bench_function("encode", |b| {
        b.iter(|| black_box(encoder.encode(cycle.next().expect("a cycle has no end"), Prediction::Allowed)));
    });
    group.bench_function("encode_silence", |b| b.iter(|| black_box(encoder.encode(&Block::SILENCE, Prediction::Allowed))));
    let (mut decoder, mut cycle) = (AudioDecoder::new().expect("a decoder"), packets.iter().cycle());
    let mut samples = [0.0; MAX_PACKET_SAMPLES];
    group.bench_function("decode", |b| {
        b.iter(|| black_box(decoder.decode(cycle.next().expect("a cycle has no end"), &mut samples)));
    });
}

criterion_group!(benches, decode_video, encode_video, encode_jpeg, sound);
criterion_main!(benches);
