//! Plays lines on virtual time: a room's encoder and ladder, the pacing, a bottleneck with a queue, a receiver that reports and asks.
//!
//! In: how the line is at each moment, a seed. Out: what was estimated, sent, seen and heard. Never: real time.

mod hostile;
mod receiver;
mod rows;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use self::receiver::Receiver;
use super::super::sending::tests::packetizer;
use super::ledger::Ledger;
use super::{HEADERS, Pacing, RtxStream, Said, What};
use crate::media::{EncodedPicture, EncodedSound, MediaTime};

/// A line at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) bits_per_second: f64,
    /// Of what leaves its queue, and of what comes back.
    pub(super) loss: f64,
    pub(super) alive: bool,
}

/// A line that does nothing wrong.
pub(super) const GOOD: Way = Way { bits_per_second: 20e6, loss: 0.0, alive: true };

/// What is played.
pub(super) struct Play<F> {
    pub(super) seconds: u64,
    /// The way at each millisecond.
    pub(super) way: F,
    pub(super) queue_ms: u64,
    /// Each way.
    pub(super) delay_ms: u64,
    pub(super) jitter_ms: u64,
    pub(super) rtx: bool,
    pub(super) seed: u64,
    /// What the pictures take at most, in bits a second, whatever they may: a still room takes little.
    pub(super) pictures_bps: f64,
}

impl<F: Fn(u64) -> Way> Play<F> {
    /// A line with a round trip of 50 ms and a queue of 150 ms.
    pub(super) fn of(seconds: u64, way: F) -> Self {
        Self { seconds, way, queue_ms: 150, delay_ms: 25, jitter_ms: 0, rtx: true, seed: 1, pictures_bps: f64::INFINITY }
    }

    pub(super) fn run(self) -> Played {
        let mut table = Table::new(self.rtx, self.seed);
        (table.round_trip_ms, table.pictures_bps) = (2 * self.delay_ms, self.pictures_bps);
        for ms in 0..self.seconds * 1000 {
            let way = (self.way)(ms);
            table.step(ms, &way, &Wire { queue_ms: self.queue_ms, delay_ms: self.delay_ms, jitter_ms: self.jitter_ms });
        }
        table.played.shown = table.receiver.shown();
        table.played.sounds = table.receiver.sounds.clone();
        table.played.asked = table.receiver.asked;
        table.played
    }
}

struct Wire {
    queue_ms: u64,
    delay_ms: u64,
    jitter_ms: u64,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Played {
    /// Each 100 ms: when, the estimate, the rendition.
    pub(super) estimates: Vec<(u64, f64, usize)>,
    /// When each packet left, what it was, and its bytes on the wire.
    pub(super) left: Vec<(u64, What, usize)>,
    /// When each picture could be shown.
    pub(super) shown: Vec<u64>,
    /// When each sound left and came.
    pub(super) sounds: Vec<(u64, u64)>,
    pub(super) sounds_sent: usize,
    /// Media packets that the line lost, and requests that the receiver made.
    pub(super) lost: usize,
    pub(super) asked: usize,
    pub(super) keyframes: usize,
    pub(super) given_up: usize,
    pub(super) waits_ms: Vec<f64>,
}

/// The lowest and highest bitrate of each rendition.
const LADDER: [(f64, f64); 3] = [(120e3, 300e3), (400e3, 900e3), (1.2e6, 2.5e6)];
const HEADROOM_MS: u64 = 5000;

/// What a rendition at this bitrate takes of a line, with headers and sound.
fn needs(bps: f64) -> f64 {
    bps * 1.06 + 60e3
}

struct Table {
    random: StdRng,
    pacing: Pacing,
    ledger: Ledger,
    receiver: Receiver,
    played: Played,
    rendition: usize,
    headroom_since: Option<u64>,
    number: u64,
    keyframe_wanted: bool,
    last_keyframe: u64,
    round_trip_ms: u64,
    pictures_bps: f64,
    /// When the bottleneck has sent what it holds.
    busy_until: f64,
    on_the_way: BTreeMap<(u64, u64), (u16, What, Bytes, u64)>,
    coming_back: VecDeque<(u64, Back)>,
}

/// What the receiver sends.
pub(super) enum Back {
    Feedback(Vec<(u16, Option<i64>)>),
    Nack(Vec<u16>),
    Pli,
}

impl Table {
    fn new(rtx: bool, seed: u64) -> Self {
        let rtx = rtx.then_some(RtxStream { ssrc: 9, payload_type: 97, sequence: 0 });
        Self {
            random: StdRng::seed_from_u64(seed),
            pacing: Pacing::new(Some(packetizer()), Some(packetizer()), rtx, true),
            ledger: Ledger::default(),
            receiver: Receiver::default(),
            played: Played::default(),
            rendition: 2,
            headroom_since: None,
            number: 0,
            keyframe_wanted: true,
            last_keyframe: 0,
            round_trip_ms: 0,
            pictures_bps: f64::INFINITY,
            busy_until: 0.0,
            on_the_way: BTreeMap::new(),
            coming_back: VecDeque::new(),
        }
    }

    fn step(&mut self, ms: u64, way: &Way, wire: &Wire) {
        let now = MediaTime::from_millis(ms);
        self.arrive(ms);
        self.come_back(ms, way, wire);
        if ms % 20 == 7 {
            self.pacing.sound(&EncodedSound { payload: Bytes::from(ms.to_be_bytes().repeat(10)), at: now });
            self.played.sounds_sent += 1;
        }
        if ms.is_multiple_of(33) {
            self.encode(ms);
        }
        if ms.is_multiple_of(40) {
            self.tick(ms);
        }
        let is_due = self.pacing.deadline(now).is_some_and(|at| at <= now);
        if is_due || ms % 20 == 7 || ms.is_multiple_of(33) || ms.is_multiple_of(40) {
            self.leave(ms, way, wire);
        }
    }

    fn tick(&mut self, ms: u64) {
        let estimate = self.pacing.media_bps();
        let next = LADDER.get(self.rendition + 1).map_or(LADDER[2].1, |next| next.0 * 1.2);
        let now = MediaTime::from_millis(ms);
        self.played.given_up += self.pacing.advance(Some(Duration::from_millis(self.round_trip_ms)), Some(needs(next)), now);
        self.keyframe_wanted |= self.pacing.wants_keyframe(now);
        while self.rendition > 0 && estimate < needs(LADDER[self.rendition].0) {
            (self.rendition, self.headroom_since, self.keyframe_wanted) = (self.rendition - 1, None, true);
        }
        let has_room = self.rendition < 2 && estimate >= needs(next);
        let since = *self.headroom_since.get_or_insert(ms);
        if !has_room {
            self.headroom_since = None;
        } else if ms - since >= HEADROOM_MS {
            (self.rendition, self.headroom_since, self.keyframe_wanted) = (self.rendition + 1, None, true);
        }
        if ms.is_multiple_of(120) {
            self.played.estimates.push((ms, estimate, self.rendition));
        }
    }

    fn encode(&mut self, ms: u64) {
        let keyframe = self.keyframe_wanted && (self.number == 0 || ms - self.last_keyframe >= 500);
        if keyframe {
            (self.keyframe_wanted, self.last_keyframe) = (false, ms);
            self.played.keyframes += 1;
        }
        let (least, most) = LADDER[self.rendition];
        let bps = ((self.pacing.media_bps() - 60e3) / 1.06).clamp(least, most).min(self.pictures_bps);
        let mean = bps / 8.0 / 30.3 * 0.95;
        let bytes = if keyframe { mean * 6.0 } else { mean * self.random.random_range(0.6..1.4) };
        let count = (bytes / 1200.0).ceil() as u64;
        let payload = |n: u64| {
            let mut head = [self.number, u64::from(keyframe), n, count].map(u64::to_be_bytes).concat();
            head.resize((bytes / count as f64).max(40.0) as usize, 0);
            Bytes::from(head)
        };
        let payloads = (0..count).map(payload).collect();
        let picture =
            EncodedPicture { payloads, at: MediaTime::from_millis(ms), keyframe, number: self.number, ..EncodedPicture::default() };
        self.number += 1;
        self.played.given_up += self.pacing.picture(Arc::new(picture), MediaTime::from_millis(ms));
    }

    fn leave(&mut self, ms: u64, way: &Way, wire: &Wire) {
        let now = MediaTime::from_millis(ms);
        while let Some((what, packet)) = self.pacing.next(now) {
            let size = packet.payload.len() + HEADERS;
            let number = self.ledger.number(now, size);
            self.played.left.push((ms, what, size));
            let waits = (self.busy_until - ms as f64).max(0.0);
            let falls = waits > wire.queue_ms as f64 || !way.alive || self.random.random_bool(way.loss);
            if waits <= wire.queue_ms as f64 {
                self.busy_until = ms as f64 + waits + size as f64 * 8e3 / way.bits_per_second;
            }
            if falls {
                self.played.lost += usize::from(matches!(what, What::Picture | What::Again));
                continue;
            }
            let late = self.random.random_range(0..=wire.jitter_ms);
            let at = self.busy_until as u64 + wire.delay_ms + late;
            let key = (at, self.played.left.len() as u64);
            let payload = if what == What::Sound { Bytes::new() } else { packet.payload.clone() };
            // The number within the stream before the payload, as RTX carries it
            let plain = [&packet.header.sequence_number.to_be_bytes(), &payload[..]].concat();
            let is_rtx = packet.header.ssrc == 9;
            self.on_the_way.insert(key, (number, what, if is_rtx { payload } else { Bytes::from(plain) }, ms));
        }
        self.played.waits_ms.extend(self.pacing.waited.take().map(|waited| waited.as_secs_f64() * 1e3));
    }

    fn arrive(&mut self, ms: u64) {
        while let Some(entry) = self.on_the_way.first_entry().filter(|entry| entry.key().0 <= ms) {
            let (number, what, payload, left) = entry.remove();
            self.receiver.take(ms, number, what, &payload, left);
        }
    }

    fn come_back(&mut self, ms: u64, way: &Way, wire: &Wire) {
        for back in self.receiver.send(ms) {
            if way.alive && !self.random.random_bool(way.loss) {
                self.coming_back.push_back((ms + wire.delay_ms, back));
            }
        }
        while self.coming_back.front().is_some_and(|(at, _)| *at <= ms) {
            let Some((_, back)) = self.coming_back.pop_front() else { return };
            let now = MediaTime::from_millis(ms);
            match back {
                Back::Feedback(named) => {
                    let fates = self.ledger.settle(named.into_iter());
                    self.played.given_up += self.pacing.hear(Said::Fates(fates), now);
                }
                Back::Nack(sequences) => _ = self.pacing.hear(Said::Lacks(sequences), now),
                Back::Pli => self.keyframe_wanted = true,
            }
        }
    }
}
