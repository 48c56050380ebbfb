//! One participant's sound on its way into their file: in order, each packet once. Pure.
//!
//! In: packets in whatever order and however often they come. Out: samples of a [`Track`]. Never: a packet that is no Opus, or one that
//! came when what follows it was written.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::clock::{Captured, Nanos, Offset, StreamClock, ticks};
use super::track::Track;
use crate::codec::opus::packet_samples;
use crate::container::mp4::{SOUND_CLOCK, SoundTrack};
use crate::ingest::{Placed, Source};
use crate::media::RtpPacket;

/// Packets that wait at most: hostile ones need not come one at a time.
const MOST_WAITING: usize = 4096;
/// Times that differ by no more are in line: the shortest frame (RFC 6716 §2.1.4).
const SHORTEST: i64 = 120;
/// Speech in one piece is set right by no more than a part of its length; this is unheard.
const GENTLY: i64 = 200;
/// So is this hardly, where much is to be set right.
const FIRMLY: i64 = 10;
/// What is that much: 100 ms.
const MUCH: i64 = SOUND_CLOCK as i64 / 10;
/// RFC 6716 §3.1: the bit of a packet's first byte that tells stereo.
const STEREO: u8 = 0x04;

/// One participant's sound.
#[derive(Debug)]
pub(super) struct Sounds {
    source: Source,
    clock: StreamClock,
    waiting: BTreeMap<i64, Waiting>,
    /// The number of the last one that was written.
    passed: Option<i64>,
    /// Where the last one ends, by our line and by its own clock, and how long it is.
    end: Option<(i64, i64, i64)>,
    channels: Option<u8>,
    /// Packets that there was no room for.
    pub(super) given_up: u64,
    pub(super) track: Track,
}

#[derive(Debug)]
struct Waiting {
    payload: Bytes,
    samples: i64,
    captured: Captured,
}

impl Sounds {
    pub(super) fn new() -> Self {
        let clock = StreamClock::new(SOUND_CLOCK);
        Self {
            source: Source::default(),
            clock,
            waiting: BTreeMap::new(),
            passed: None,
            end: None,
            channels: None,
            given_up: 0,
            track: Track::default(),
        }
    }

    /// What the file says of it; two channels where nothing came yet, which lose nothing.
    pub(super) fn describe(&self) -> SoundTrack {
        SoundTrack { channels: self.channels.unwrap_or(2), pre_skip: 0 }
    }

    /// Whether anything came.
    pub(super) fn began(&self) -> bool {
        self.channels.is_some()
    }

    /// Takes a packet that arrived.
    pub(super) fn push(&mut self, walls: &mut Offset, packet: RtpPacket, wall: Option<Nanos>) {
        match self.source.place(packet) {
            Placed::At(number, packet) => self.hold(walls, number, packet, wall),
            Placed::Suspect => {}
            Placed::Restart([(number, first), (next, second)]) => {
                self.hold(walls, number, first, None);
                self.hold(walls, next, second, wall);
            }
        }
    }

    fn hold(&mut self, walls: &mut Offset, number: i64, packet: RtpPacket, wall: Option<Nanos>) {
        let late = self.passed.is_some_and(|passed| number <= passed);
        if late || self.waiting.contains_key(&number) {
            return;
        }
        if self.waiting.len() >= MOST_WAITING {
            self.given_up += 1;
            return;
        }
        // RFC 6716 §3.4: a packet without frames is none
        let Ok(samples @ 1..) = packet_samples(&packet.payload) else { return };
        self.channels.get_or_insert(if packet.payload[0] & STEREO == 0 { 1 } else { 2 });
        let captured = self.clock.note(walls, packet.timestamp, wall, packet.arrival.as_nanos() as Nanos);
        self.waiting.insert(number, Waiting { payload: packet.payload, samples: samples as i64, captured });
    }

    /// Writes what arrived before `until`, and what comes before that; times are since `zero`.
    pub(super) fn settle(&mut self, walls: &Offset, until: Nanos, zero: Nanos) {
        while let Some(first) = self.waiting.first_entry().filter(|first| first.get().captured.arrival < until) {
            let (number, packet) = first.remove_entry();
            self.passed = Some(number);
            let since = self.clock.time(walls, packet.captured) - zero;
            let at = self.place(ticks(since, SOUND_CLOCK.into()), &packet);
            self.track.push(at as u64, packet.payload, true);
        }
    }

    /// Where a packet begins that is to begin at `goal`.
    fn place(&mut self, goal: i64, packet: &Waiting) -> i64 {
        let (own, samples) = (packet.captured.ticks, packet.samples);
        let begins = match self.end {
            None => goal.max(0),
            Some((end, own_end, before)) => {
                let (off, in_line) = (goal - end, (own - own_end).abs() <= SHORTEST);
                // A part of the one before, too: each begins after the one before
                let back = samples.min(before) / if off < -MUCH { FIRMLY } else { GENTLY };
                let ahead = if in_line && off < MUCH { samples / GENTLY } else { i64::MAX };
                end + off.clamp(-back, ahead)
            }
        };
        self.end = Some((begins + samples, own + samples, samples));
        begins
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::MediaTime;

    const MS: Nanos = 1_000_000;
    /// 20 ms of CELT, mono.
    const TWENTY: u8 = 0xf8;

    struct Line {
        sounds: Sounds,
        walls: Offset,
    }

    impl Line {
        fn new() -> Self {
            Self { sounds: Sounds::new(), walls: Offset::default() }
        }

        /// Packet `n` of a stream that begins shortly before everything wraps.
        fn push(&mut self, n: u16, arrival_ms: u64) {
            self.push_as(7, n, (u32::MAX - 2000).wrapping_add(u32::from(n) * 960), arrival_ms);
        }

        fn push_as(&mut self, ssrc: u32, n: u16, timestamp: u32, arrival_ms: u64) {
            let (sequence, arrival) = (65_530u16.wrapping_add(n), MediaTime::from_millis(arrival_ms));
            let payload = Bytes::copy_from_slice(&[TWENTY, n as u8, (n >> 8) as u8]);
            let packet = RtpPacket { sequence, timestamp, marker: false, ssrc, layer: 0, resent: false, payload, arrival };
            self.sounds.push(&mut self.walls, packet, None);
        }

        /// Which packets are written, and how long each lasts.
        fn written(&mut self) -> Vec<(u8, u32)> {
            self.sounds.settle(&self.walls, Nanos::MAX, 0);
            let samples = self.sounds.track.take_all(|_, _| 960);
            samples.iter().map(|sample| (sample.payload[1], sample.duration)).collect()
        }
    }

    #[test]
    fn what_comes_twice_late_or_overtaken_is_written_once_in_its_place() {
        let mut line = Line::new();
        for (n, at) in
            [(0, 1000), (1, 1020), (3, 1060), (3, 1061), (2, 1090), (1, 1091), (4, 1100), (8, 1160), (7, 1161), (6, 1162), (9, 1180)]
        {
            line.push(n, at);
        }
        let wanted = [0, 1, 2, 3, 4, 6, 7, 8, 9].map(|n| (n, if n == 4 { 1920 } else { 960 }));
        assert_eq!(line.written(), wanted);
    }

    #[test]
    fn what_comes_after_its_place_was_written_is_given_up() {
        let mut line = Line::new();
        [0, 1, 3].into_iter().for_each(|n| line.push(n, 1000 + 20 * u64::from(n)));
        line.sounds.settle(&line.walls, 1070 * MS, 0);
        line.push(2, 1080);
        line.push(4, 1085);
        assert_eq!(line.written(), [(0, 960), (1, 1920), (3, 960), (4, 960)]);
    }

    #[test]
    fn only_what_had_its_time_is_written() {
        let mut line = Line::new();
        (0..10).for_each(|n| line.push(n, 1000 + 20 * u64::from(n)));
        line.sounds.settle(&line.walls, 1100 * MS, 0);
        assert_eq!((line.sounds.track.first(), line.sounds.track.take().len()), (Some(48_000), 4));
    }

    #[test]
    fn a_pause_is_a_long_sample_and_speech_goes_on_at_its_time() {
        let mut line = Line::new();
        (0..5).for_each(|n| line.push(n, 1000 + 20 * u64::from(n)));
        // Timestamps go on where the sender is silent, numbers do not
        line.push_as(7, 5, (u32::MAX - 2000).wrapping_add(960 * 505), 11_100);
        assert_eq!(line.written()[3..], [(3, 960), (4, 960 * 501), (5, 960)]);
    }

    #[test]
    fn another_stream_takes_its_place_where_it_arrives() {
        let mut line = Line::new();
        (0..5).for_each(|n| line.push(n, 1000 + 20 * u64::from(n)));
        (900..905).for_each(|n| line.push_as(8, n, 5 + u32::from(n) * 960, 1200 + 20 * u64::from(n - 900)));
        let written = line.written();
        // The first of another stream is held until the second vouches for it
        assert_eq!(written.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 132, 133, 134, 135, 136]);
        assert_eq!(written[4].1, 960 * 6);
    }

    #[test]
    fn a_clock_that_is_off_is_set_right_by_little_at_a_time() {
        let mut line = Line::new();
        // 2000 ppm fast: after 100 s it is 200 ms ahead
        for n in 0..5000 {
            let arrival = 1000 + 20 * u64::from(n);
            line.push_as(7, n, u32::from(n) * 962, arrival);
            line.sounds.settle(&line.walls, arrival as Nanos * MS, 0);
        }
        let written = line.written();
        assert!(written.iter().all(|(_, samples)| (955..=965).contains(samples)));
        let total: u64 = written.iter().map(|(_, samples)| u64::from(*samples)).sum();
        assert!(total.abs_diff(5000 * 960) < 48 * 15, "{total}");
    }

    #[test]
    fn a_long_packet_behind_a_short_one_begins_after_it_however_far_it_is_set_back() {
        let mut line = Line::new();
        // 2.5 ms of CELT, then 60 ms of SILK
        for (n, kind) in [(0u16, 0x80), (1, 0x18)] {
            let (timestamp, payload, arrival) = (u32::from(n) * 120, Bytes::copy_from_slice(&[kind, 0]), MediaTime::from_millis(1000));
            let packet = RtpPacket { sequence: n, timestamp, marker: false, ssrc: 7, layer: 0, resent: false, payload, arrival };
            line.sounds.push(&mut line.walls, packet, None);
        }
        // Both are from a second before the recording's zero
        line.sounds.settle(&line.walls, Nanos::MAX, 2000 * MS);
        let samples = line.sounds.track.take_all(|_, _| 2880);
        assert_eq!(samples.iter().map(|sample| sample.duration).collect::<Vec<_>>(), [120 - 120 / FIRMLY as u32, 2880]);
    }

    #[test]
    fn no_more_waits_than_may_and_what_is_given_up_is_counted() {
        let mut line = Line::new();
        (0..MOST_WAITING as u16 + 3).for_each(|n| line.push(n, 1000));
        assert_eq!((line.sounds.given_up, line.written().len()), (3, MOST_WAITING));
    }

    #[test]
    fn what_is_no_opus_is_passed_over() {
        let mut line = Line::new();
        for (n, payload) in [&[][..], &[0xff], &[0x03, 0x3f], &[0x03, 0x00]].into_iter().enumerate() {
            let (payload, arrival) = (Bytes::copy_from_slice(payload), MediaTime::from_millis(1000));
            let packet = RtpPacket { sequence: n as u16, timestamp: 0, marker: false, ssrc: 1, layer: 0, resent: false, payload, arrival };
            line.sounds.push(&mut line.walls, packet, None);
        }
        assert!(line.written().is_empty() && !line.sounds.began());
    }
}
