//! Senders with clocks of their own, the line, the intakes, and what a file of it says.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::person::{Person, Rest};
use crate::codec::h264::Encoder;
use crate::codec::{Keyframe, VideoEncoder, VideoSettings};
use crate::ingest::{AudioIntake, Earpiece, Pool, VideoIntake, ear};
use crate::media::{Clock, Frame, MediaTime, ParticipantId, RtpPacket, SenderReport};
use crate::metrics::Metrics;

mod file;
mod whole;

use file::{Stored, read};

const SPS: &[u8] = &[0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x2f, 0xf9, 0x50];
const PPS: &[u8] = &[0x68, 0xcb, 0x83, 0xcb, 0x20];
const ANN: ParticipantId = ParticipantId(1);
/// When a sender begins, on our line, in microseconds.
const BEGINS: u64 = 20_000_000;

/// What comes from a sender, with when it arrives in microseconds.
#[derive(Clone, Debug)]
enum Sent {
    Video(RtpPacket),
    Audio(RtpPacket),
    VideoReport(SenderReport),
    AudioReport(SenderReport),
}

/// A sender who makes 25 pictures and 50 sounds a second.
struct Sender {
    /// Of the two RTP clocks against the wall clock, in millionths.
    ppm: [i64; 2],
    ssrc: u32,
    sent: Vec<(u64, Sent)>,
    sequence: [u16; 2],
}

impl Sender {
    fn new() -> Self {
        Self { ppm: [0, 0], ssrc: 70, sent: Vec::new(), sequence: [65_500, 65_400] }
    }

    /// RTP time at a moment of the sender's wall clock; wraps within the first second.
    fn rtp(&self, at: u64, media: usize) -> u32 {
        let rate = [90_000, 48_000][media];
        let ticks = i128::from(at - BEGINS) * rate * i128::from(1_000_000 + self.ppm[media]) / 1_000_000_000_000;
        (u32::MAX - 20_000).wrapping_add(ticks as u32)
    }

    fn packet(&mut self, media: usize, at: u64, payload: Bytes, marker: bool) -> RtpPacket {
        let sequence = self.sequence[media];
        self.sequence[media] = sequence.wrapping_add(1);
        let (timestamp, ssrc, arrival) = (self.rtp(at, media), self.ssrc + media as u32, MediaTime::ZERO);
        RtpPacket { sequence, timestamp, marker, ssrc, layer: 0, resent: false, payload, arrival }
    }

    fn picture(&mut self, at: u64, way: u64, nal_units: &[Bytes]) {
        let last = nal_units.len() - 1;
        for (n, nal) in nal_units.iter().enumerate() {
            let packet = self.packet(0, at, nal.clone(), n == last);
            self.sent.push((at + way, Sent::Video(packet)));
        }
    }

    fn sound(&mut self, at: u64, way: u64, payload: Bytes) {
        let packet = self.packet(1, at, payload, false);
        self.sent.push((at + way, Sent::Audio(packet)));
    }

    /// Both reports; the sender's wall clock is years off.
    fn reports(&mut self, at: u64) {
        let micros = at + 3_000_000_000_000_000;
        let ntp = ((micros / 1_000_000) << 32) | (((micros % 1_000_000) << 32) / 1_000_000);
        let report = |media: usize| SenderReport {
            ssrc: self.ssrc + media as u32,
            ntp,
            rtp: self.rtp(at, media),
            arrival: MediaTime::from_nanos(at * 1000),
        };
        let reports = [Sent::VideoReport(report(0)), Sent::AudioReport(report(1))];
        self.sent.extend(reports.map(|report| (at + 30_000, report)));
    }

    /// A call of some seconds, whose ways are told in microseconds; a report each second where there are any.
    fn talks(seconds: u64, ppm: [i64; 2], reports: bool, way: impl Fn(usize, u64) -> u64) -> Self {
        let mut sender = Self { ppm, ..Self::new() };
        for n in 0..seconds * 50 {
            let at = BEGINS + n * 20_000;
            sender.sound(at, way(1, n), sound(n));
            if n % 2 == 0 {
                sender.picture(at, way(0, n / 2), &picture(n / 2));
            }
            if reports && n % 50 == 15 {
                sender.reports(at);
            }
        }
        sender
    }
}

/// 20 ms of CELT, of whatever is in it.
fn sound(n: u64) -> Bytes {
    [&[0xf8][..], &n.to_be_bytes()].concat().into()
}

/// The NAL units of a picture; each fiftieth is a keyframe.
fn picture(n: u64) -> Vec<Bytes> {
    let slice = |header: u8| Bytes::from([&[header, 0x80, 0xff], &(n as u32 | 0x0101_0101).to_be_bytes()[..], &[0x80]].concat());
    if n.is_multiple_of(50) { vec![Bytes::from_static(SPS), Bytes::from_static(PPS), slice(0x65)] } else { vec![slice(0x41)] }
}

/// What is written of what arrives, by a recording that begins `zero` microseconds after the origin.
fn record(mut sent: Vec<(u64, Sent)>, zero: u64) -> Stored {
    let pool = Pool::start(1, Clock::new(), Metrics::default());
    let (mut video, _reel, _asks) = VideoIntake::open(&pool, Metrics::default(), Arc::default());
    let (mut audio, _sound) = AudioIntake::open(Metrics::default(), Arc::default());
    let (ear, mut heard) = ear();
    video.wire().plug(ANN, &ear);
    audio.wire().plug(ANN, &ear);
    let at = |micros: u64| MediaTime::from_nanos(micros * 1000);
    let (mut person, mut bytes, mut due) = (Person::new(true, true, at(zero), at(BEGINS)), Vec::new(), BEGINS);
    sent.sort_by_key(|(arrival, _)| *arrival);
    for (arrival, sent) in sent {
        while due <= arrival {
            video.advance(at(due));
            write(&mut person, &mut heard, &mut bytes, at(due), Rest::Follows);
            due += 50_000;
        }
        match sent {
            Sent::Video(packet) => video.push(RtpPacket { arrival: at(arrival), ..packet }),
            Sent::Audio(packet) => audio.push(RtpPacket { arrival: at(arrival), ..packet }),
            Sent::VideoReport(report) => video.note_report(0, report),
            Sent::AudioReport(report) => audio.note_report(report),
        }
    }
    write(&mut person, &mut heard, &mut bytes, at(due), Rest::None);
    read(&bytes)
}

fn write(person: &mut Person, heard: &mut Earpiece, bytes: &mut Vec<u8>, now: MediaTime, rest: Rest) {
    while let Some(overheard) = heard.take() {
        person.take(overheard);
    }
    bytes.extend(person.grow(now, rest).unwrap().into_iter().flat_map(|grown| grown.bytes));
}

/// How far what is in a file is from `way` after it was made, in microseconds, from the `from`th piece on.
fn errors(times: impl Iterator<Item = (u64, u64)>, each: u64, way: u64, from: usize) -> Vec<i64> {
    let error = |(n, micros): (u64, u64)| micros as i64 - (n * each + way) as i64;
    times.map(error).skip(from).collect()
}

#[test]
fn what_went_in_comes_out_in_order_and_once_whatever_the_line_did_to_it() {
    let ways = |media: usize, n: u64| 10_000 + [0, 55_000, 3000, 31_000, 9000][(n as usize * (media + 2)) % 5];
    let mut sender = Sender::talks(20, [0, 0], true, ways);
    let twice: Vec<_> = sender.sent.iter().step_by(3).map(|(arrival, sent)| (arrival + 25_000, sent.clone())).collect();
    sender.sent.extend(twice);
    let stored = record(sender.sent, BEGINS);
    assert_eq!(
        stored.pictures.iter().map(|picture| picture.nal_units.clone()).collect::<Vec<_>>(),
        (0..500).map(picture).collect::<Vec<_>>()
    );
    assert_eq!(stored.sounds.iter().map(|sound| sound.packet.clone()).collect::<Vec<_>>(), (0..1000).map(sound).collect::<Vec<_>>());
    assert!(stored.pictures.iter().enumerate().all(|(n, picture)| picture.keyframe == n.is_multiple_of(50)));
    assert_eq!((stored.width, stored.height, stored.channels, stored.entry), (640, 360, 1, *b"avc3"));
    assert!(stored.parts >= 17, "{}", stored.parts);
}

#[test]
fn both_tracks_are_in_step_to_a_few_milliseconds_though_clocks_drift_and_one_comes_later() {
    // Pictures take 90 ms more than sound
    let way = |media: usize, _| [110_000, 20_000][media];
    let stored = record(Sender::talks(100, [-150, 250], true, way).sent, BEGINS);
    let pictures = errors((0..).zip(stored.picture_times()), 40_000, 20_000, 0);
    let sounds = errors((0..).zip(stored.sound_times()), 20_000, 20_000, 0);
    assert!(pictures.iter().chain(&sounds).all(|error| error.abs() < 5000), "{:?} {:?}", pictures.iter().max(), sounds.iter().min());
}

#[test]
fn without_reports_times_follow_the_arrival() {
    let jitters = |_, n: u64| 20_000 + [0, 40_000, 5000][n as usize % 3];
    let stored = record(Sender::talks(60, [100, -100], false, jitters).sent, BEGINS);
    let pictures = errors((0..).zip(stored.picture_times()), 40_000, 20_000, 0);
    let sounds = errors((0..).zip(stored.sound_times()), 20_000, 20_000, 0);
    assert!(pictures.iter().chain(&sounds).all(|error| error.abs() < 8000), "{:?} {:?}", pictures.iter().max(), sounds.iter().max());
}

#[test]
fn times_are_since_the_recordings_zero_and_what_was_before_is_at_zero() {
    let late = record(Sender::talks(4, [0, 0], true, |_, _| 20_000).sent, BEGINS - 10_000_000);
    assert!(late.picture_times().next().unwrap().abs_diff(10_020_000) < 1000);
    assert!(late.sound_times().next().unwrap().abs_diff(10_020_000) < 1000);
    let early = record(Sender::talks(4, [0, 0], true, |_, _| 20_000).sent, BEGINS + 50_000);
    assert_eq!((early.picture_times().next(), early.sound_times().next()), (Some(0), Some(0)));
}

#[test]
fn what_is_lost_is_a_long_picture_until_the_next_keyframe_and_a_long_sound() {
    let mut sender = Sender::talks(10, [0, 0], true, |_, _| 20_000);
    sender.sent.retain(|(_, sent)| !matches!(sent, Sent::Video(packet) if packet.timestamp == Sender::new().rtp(BEGINS + 70 * 40_000, 0)));
    sender.sent.retain(|(_, sent)| !matches!(sent, Sent::Audio(packet) if packet.payload == sound(100)));
    let stored = record(sender.sent, BEGINS);
    let numbers: Vec<_> = stored.pictures.iter().map(|picture| picture.nal_units.clone()).collect();
    assert_eq!(numbers, (0..70).chain(100..250).map(picture).collect::<Vec<_>>());
    let times: Vec<_> = stored.picture_times().collect();
    assert!((times[70] - times[69]).abs_diff(31 * 40_000) < 1000);
    let sounds: Vec<_> = stored.sound_times().collect();
    assert!((stored.sounds.len(), (sounds[100] - sounds[99]).abs_diff(40_000) < 1000) == (499, true));
}

#[test]
fn another_stream_in_the_middle_goes_on_at_its_time() {
    let (mut sender, mut other) =
        (Sender::talks(5, [0, 0], true, |_, _| 20_000), Sender { ssrc: 90, sequence: [9, 12_000], ..Sender::new() });
    for n in 0..250u64 {
        let at = BEGINS + 5_000_000 + n * 20_000;
        other.sound(at, 20_000, sound(250 + n));
        if n % 2 == 0 {
            other.picture(at, 20_000, &picture(150 + n / 2));
        }
    }
    let move_clock = |packet: RtpPacket| RtpPacket { timestamp: packet.timestamp.wrapping_add(1_234_567_890), ..packet };
    sender.sent.extend(other.sent.into_iter().map(|(arrival, sent)| match sent {
        Sent::Video(packet) => (arrival, Sent::Video(move_clock(packet))),
        Sent::Audio(packet) => (arrival, Sent::Audio(move_clock(packet))),
        report => (arrival, report),
    }));
    let stored = record(sender.sent, BEGINS);
    let pictures: Vec<_> = stored.pictures.iter().map(|picture| picture.nal_units.clone()).collect();
    assert_eq!(pictures, (0..125).chain(150..275).map(picture).collect::<Vec<_>>());
    assert_eq!(stored.sounds.len(), 500);
    let after: Vec<_> = stored.picture_times().skip(125).collect();
    assert!(errors((0..).zip(after.into_iter()), 40_000, 5_020_000, 0).iter().all(|error| error.abs() < 8000));
    assert!(errors((0..).zip(stored.sound_times()), 20_000, 20_000, 252).iter().all(|error| error.abs() < 25_000));
}

#[test]
fn a_file_goes_on_through_a_change_of_size() {
    let mut sender = Sender::new();
    let mut sent = Vec::new();
    for (size, (width, height)) in (0u64..).zip([(160, 96), (320, 180)]) {
        let mut encoder = Encoder::new(VideoSettings { width, height, fps: 25, bitrate_bps: 300_000 }).unwrap();
        for n in 0..10u64 {
            let (at, frame) = (BEGINS + (10 * size + n) * 40_000, Frame::filled(width, height, [40 + 5 * n as u8, 110, 140]));
            let unit = encoder.encode(&frame, MediaTime::from_millis(40 * n), Keyframe::Auto).unwrap().unwrap();
            sender.picture(at, 20_000, &unit.nal_units);
            sent.push(unit.nal_units);
        }
    }
    let stored = record(sender.sent, BEGINS);
    assert_eq!(stored.pictures.iter().map(|picture| picture.nal_units.clone()).collect::<Vec<_>>(), sent);
    assert_eq!((stored.width, stored.height, stored.pictures[10].keyframe), (160, 96, true));
}

#[test]
fn who_begins_to_send_pictures_late_has_them_in_the_same_file() {
    let mut sender = Sender::talks(10, [0, 0], true, |_, _| 20_000);
    sender.sent.retain(|(arrival, sent)| !matches!(sent, Sent::Video(_)) || *arrival >= BEGINS + 6_000_000);
    let stored = record(sender.sent, BEGINS);
    assert_eq!((stored.sounds.len(), stored.pictures.len()), (500, 100));
    assert!(stored.picture_times().next().unwrap().abs_diff(6_020_000) < 1000);
}

#[test]
fn what_a_crash_leaves_lacks_less_than_two_seconds() {
    let pool = Pool::start(1, Clock::new(), Metrics::default());
    let (mut audio, _sound) = AudioIntake::open(Metrics::default(), Arc::default());
    let (ear, mut heard) = ear();
    drop(pool);
    audio.wire().plug(ANN, &ear);
    let (mut person, mut bytes) = (Person::new(false, true, MediaTime::ZERO, MediaTime::ZERO), Vec::new());
    for n in 0..500u32 {
        let arrival = MediaTime::from_millis(20 * u64::from(n));
        let (sequence, timestamp, payload) = (n as u16, n * 960, sound(n.into()));
        audio.push(RtpPacket { sequence, timestamp, marker: false, ssrc: 7, layer: 0, resent: false, payload, arrival });
        if n % 50 == 49 {
            write(&mut person, &mut heard, &mut bytes, arrival, Rest::Follows);
        }
    }
    let stored = read(&bytes);
    let end = stored.sound_times().last().unwrap();
    assert!(stored.pictures.is_empty() && Duration::from_micros(end) > Duration::from_millis(10_000 - 1000), "{end}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn hostile_packets_and_reports_make_no_file_that_cannot_be_read(
        sent in prop::collection::vec(
            (0u64..20_000_000, 0u8..4, any::<u16>(), any::<u32>(), 0u32..3, prop::collection::vec(any::<u8>(), 0..30), any::<u64>(), any::<bool>()), 0..300),
    ) {
        let made = sent.into_iter().map(|(after, kind, sequence, timestamp, ssrc, payload, ntp, marker)| {
            let (payload, arrival) = (Bytes::from(payload), MediaTime::ZERO);
            let packet = RtpPacket { sequence: sequence % 300, timestamp, marker, ssrc, layer: (ntp % 5) as u8, resent: false, payload, arrival };
            let report = SenderReport { ssrc, ntp, rtp: timestamp, arrival };
            (BEGINS + after, match kind {
                0 => Sent::Video(packet),
                1 => Sent::Audio(packet),
                2 => Sent::VideoReport(report),
                _ => Sent::AudioReport(report),
            })
        });
        let begun = Sender::talks(1, [0, 0], false, |_, _| 20_000).sent;
        let stored = record(begun.into_iter().chain(made).collect(), BEGINS);
        prop_assert!(stored.picture_times().is_sorted() && stored.sound_times().is_sorted());
        prop_assert!(stored.picture_times().chain(stored.sound_times()).all(|micros| micros < 40_000_000));
    }
}
