//! What a sender's packets cost before they are pictures and sound: putting 360p access units together, and a 20 ms block
//! through the jitter buffer and the decoder.

use std::f32::consts::TAU;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use medley::codec::h264::Encoder;
use medley::codec::opus::{AudioEncoder, Prediction};
use medley::codec::{Keyframe, VideoEncoder, VideoSettings};
use medley::ingest::{Assembler, AudioIntake};
use medley::media::{BLOCK_PERIOD, BLOCK_SAMPLES, Block, Frame, MediaTime, RtpPacket};
use medley::metrics::Metrics;

fn assemble(criterion: &mut Criterion) {
    let packets = video_packets();
    let mut group = criterion.benchmark_group("ingest");
    group.throughput(Throughput::Elements(packets.len() as u64));
    group.bench_function("assemble 2 s of 360p", |bench| {
        bench.iter(|| {
            let mut assembler = Assembler::default();
            for packet in &packets {
                assembler.push(packet.clone());
                while let Some(assembled) = assembler.poll(packet.arrival) {
                    black_box(assembled);
                }
            }
        });
    });
}

fn sound(criterion: &mut Criterion) {
    let payloads = sound_payloads();
    let (mut intake, mut source) = AudioIntake::open(Metrics::default(), Arc::default());
    let (mut now, mut number, mut block) = (MediaTime::ZERO, 0u32, Block::SILENCE);
    criterion.bench_function("ingest/jitter buffer and opus decode of 20 ms", |bench| {
        bench.iter(|| {
            let payload = payloads[number as usize % payloads.len()].clone();
            let (sequence, timestamp) = (number as u16, number.wrapping_mul(960));
            intake.push(RtpPacket { sequence, timestamp, marker: false, ssrc: 1, layer: 0, resent: false, payload, arrival: now });
            number += 1;
            now += BLOCK_PERIOD;
            black_box(source.pull(now, &mut block))
        });
    });
}

/// The sender's clock runs 0.2 % fast: the speed is changed all the time, and now and then a pitch period is cut out.
fn fast_sound(criterion: &mut Criterion) {
    let payloads = sound_payloads();
    let (mut intake, mut source) = AudioIntake::open(Metrics::default(), Arc::default());
    let (mut now, mut arrival, mut number, mut block) = (MediaTime::ZERO, MediaTime::ZERO, 0u32, Block::SILENCE);
    criterion.bench_function("ingest/the same from a clock that runs 0.2 % fast", |bench| {
        bench.iter(|| {
            while arrival <= now {
                let payload = payloads[number as usize % payloads.len()].clone();
                let (sequence, timestamp) = (number as u16, number.wrapping_mul(960));
                intake.push(RtpPacket { sequence, timestamp, marker: false, ssrc: 1, layer: 0, resent: false, payload, arrival });
                number += 1;
                arrival += Duration::from_micros(19_960);
            }
            now += BLOCK_PERIOD;
            black_box(source.pull(now, &mut block))
        });
    });
}

/// Sixty pictures of 640×360 at 800 kbit/s, one packet for each NAL unit, which the encoder keeps below 1200 bytes.
fn video_packets() -> Vec<RtpPacket> {
    let settings = VideoSettings { width: 640, height: 360, fps: 30, bitrate_bps: 800_000 };
    let mut encoder = Encoder::new(settings).expect("the settings are valid");
    let mut packets = Vec::new();
    for number in 0..60u32 {
        let arrival = MediaTime::ZERO + number * Duration::from_millis(33);
        let encoded = encoder.encode(&stripes(number), arrival, Keyframe::Auto).expect("the frame fits the encoder");
        let Some(unit) = encoded else { continue };
        let last = unit.nal_units.len() - 1;
        for (n, payload) in unit.nal_units.into_iter().enumerate() {
            let (sequence, timestamp) = (packets.len() as u16, arrival.rtp(90_000));
            packets.push(RtpPacket { sequence, timestamp, marker: n == last, ssrc: 1, layer: 0, resent: false, payload, arrival });
        }
    }
    packets
}

fn stripes(number: u32) -> Frame {
    let mut frame = Frame::black(640, 360);
    for (at, sample) in frame.planes_mut()[0].iter_mut().enumerate() {
        let (x, y) = (at as u32 % 640, at as u32 / 640);
        *sample = 40 + ((x * 3 + y + 5 * number) % 128).abs_diff(64) as u8 * 2 + (x * y % 7) as u8;
    }
    frame
}

fn sound_payloads() -> Vec<Bytes> {
    let mut encoder = AudioEncoder::new().expect("libopus refuses for want of memory only");
    let wave = |t: f32| (1..12).map(|h| (TAU * 140.0 * h as f32 * t).sin() / (2 + 2 * h) as f32).sum();
    let block = |n: usize| Block(std::array::from_fn(|i| wave((n * BLOCK_SAMPLES + i) as f32 / 48_000.0)));
    (0..500).map(|n| encoder.encode(&block(n), Prediction::Allowed).expect("a block is encodable")).collect()
}

criterion_group!(benches, assemble, sound, fast_sound);
criterion_main!(benches);
