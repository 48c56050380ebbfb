//! Which packets of a play are due. Pure: it is told what time it is.
//!
//! In: cues, read ahead. Out: RTP packets and sender reports, each when its time has come, as a client's would: numbered without a
//! gap, RTP times on one line however often the file begins anew, the marker on a picture's last packet and on sound after a gap.
//! Never: more than [`AHEAD`] or [`MOST_BYTES`] waiting, or a rush to catch up: a play that was held up goes on from where it was, both
//! media alike.

use std::collections::VecDeque;
use std::time::Duration;

use super::score::{Cue, What};
use crate::media::{MediaTime, RtpPacket, SenderReport};

/// Cues that wait span so much, at most.
const AHEAD: Duration = Duration::from_millis(500);
/// Their bytes at most, but for the last one's.
const MOST_BYTES: usize = 8 << 20;
/// The play begins once so much waits, or as much as may.
const BEGIN_WITH: Duration = Duration::from_millis(200);
/// A cue that is late by more shifts the play.
const HELD_UP: Duration = Duration::from_millis(500);
/// Between two reports on a stream.
const REPORTS: Duration = Duration::from_secs(1);
/// After the last cue, until all of it has been heard: what waits in the room's buffers.
const TAIL: Duration = Duration::from_millis(400);

const PICTURE_CLOCK: u32 = 90_000;
const SOUND_CLOCK: u32 = 48_000;

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// All packets of a picture.
    Picture(Vec<RtpPacket>),
    /// A packet of sound.
    Sound(RtpPacket),
    /// What the picture's clock is.
    PictureReport(SenderReport),
    /// What the sound's clock is.
    SoundReport(SenderReport),
}

/// One play.
#[derive(Debug, Default)]
pub(super) struct Scheduler {
    waiting: VecDeque<Cue>,
    /// Bytes of what waits.
    bytes: usize,
    /// No cue comes any more.
    complete: bool,
    /// Where it began, or went on after it was held up.
    began: Option<Anchor>,
    pictures: Stream,
    sounds: Stream,
    /// When the last sound that was sent ends, from the beginning of the play on.
    sounded: Duration,
    /// When all that was sent ends.
    end: MediaTime,
    position: Duration,
}

/// A point of the play, and when it was: all others are reckoned from it.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    point: Duration,
    at: MediaTime,
}

impl Anchor {
    /// When another point is, or was.
    fn moment(self, point: Duration) -> MediaTime {
        self.at + point - self.point
    }
}

/// One RTP stream.
#[derive(Debug, Default)]
struct Stream {
    sequence: u16,
    begun: bool,
    reported: Option<MediaTime>,
}

impl Stream {
    /// When a report is due; after its first packet at once.
    fn report_due(&self) -> Option<MediaTime> {
        self.begun.then(|| self.reported.map_or(MediaTime::ZERO, |at| at + REPORTS))
    }

    fn packet(&mut self, ssrc: u32, timestamp: u32, marker: bool, payload: bytes::Bytes, arrival: MediaTime) -> RtpPacket {
        let sequence = self.sequence;
        (self.sequence, self.begun) = (sequence.wrapping_add(1), true);
        RtpPacket { sequence, timestamp, marker, ssrc, layer: 0, resent: false, payload, arrival }
    }

    fn report(&mut self, ssrc: u32, clock: u32, now: MediaTime) -> Option<SenderReport> {
        self.report_due().filter(|due| *due <= now)?;
        self.reported = Some(now);
        Some(SenderReport { ssrc, ntp: ntp(now), rtp: ticks(now, clock), arrival: now })
    }
}

/// Streams of one participant are told apart by these; they mean nothing elsewhere.
const PICTURES: u32 = 1;
const SOUNDS: u32 = 2;

impl Scheduler {
    /// Whether it takes another cue.
    pub(super) fn wants(&self) -> bool {
        !self.complete && !self.is_full()
    }

    /// Takes the next cue; one of an earlier time than those before it goes where it belongs.
    pub(super) fn queue(&mut self, cue: Cue) {
        self.bytes += cue.weight();
        let place = self.waiting.partition_point(|there| there.at <= cue.at);
        self.waiting.insert(place, cue);
    }

    /// No cue comes any more.
    pub(super) fn complete(&mut self) {
        self.complete = true;
    }

    /// Where in the file it is.
    pub(super) fn position(&self) -> Duration {
        self.position
    }

    /// Whether all has been sent and heard.
    pub(super) fn is_over(&self, now: MediaTime) -> bool {
        self.complete && self.waiting.is_empty() && now >= self.end + TAIL
    }

    /// When [`Self::advance`] has something to do; `None` while there is nothing.
    pub(super) fn next_deadline(&self) -> Option<MediaTime> {
        let began = self.began?;
        let cue = self.waiting.front().map(|cue| began.moment(cue.at));
        let over = (self.complete && self.waiting.is_empty()).then(|| self.end + TAIL);
        [cue, over, self.pictures.report_due(), self.sounds.report_due()].into_iter().flatten().min()
    }

    /// What is due, one thing at a time until there is nothing more.
    pub(super) fn advance(&mut self, now: MediaTime) -> Option<Due> {
        if let Some(report) = self.pictures.report(PICTURES, PICTURE_CLOCK, now) {
            return Some(Due::PictureReport(report));
        }
        if let Some(report) = self.sounds.report(SOUNDS, SOUND_CLOCK, now) {
            return Some(Due::SoundReport(report));
        }
        let began = self.begin(now)?;
        self.waiting.front().filter(|cue| began.moment(cue.at) <= now)?;
        self.waiting.pop_front().map(|cue| self.send(cue, began, now))
    }

    fn begin(&mut self, now: MediaTime) -> Option<Anchor> {
        let here = Anchor { point: self.waiting.front()?.at, at: now };
        let began = match self.began {
            Some(began) if now.since(began.moment(here.point)) > HELD_UP => here,
            Some(began) => began,
            None if self.complete || self.is_full() || self.span() >= BEGIN_WITH => here,
            None => return None,
        };
        self.began = Some(began);
        self.began
    }

    fn send(&mut self, cue: Cue, began: Anchor, now: MediaTime) -> Due {
        self.bytes -= cue.weight();
        self.position = cue.position;
        self.end = self.end.max(began.moment(cue.end()));
        let (at, rest) = (began.moment(cue.at), cue.end());
        match cue.what {
            What::Picture(payloads) => {
                let (timestamp, last) = (ticks(at, PICTURE_CLOCK), payloads.len().saturating_sub(1));
                let packet = |(n, payload)| self.pictures.packet(PICTURES, timestamp, n == last, payload, now);
                Due::Picture(payloads.into_iter().enumerate().map(packet).collect())
            }
            What::Sound { packet, .. } => {
                let marker = !self.sounds.begun || cue.at > self.sounded;
                self.sounded = rest;
                Due::Sound(self.sounds.packet(SOUNDS, ticks(at, SOUND_CLOCK), marker, packet, now))
            }
        }
    }

    fn is_full(&self) -> bool {
        self.span() >= AHEAD || self.bytes >= MOST_BYTES
    }

    fn span(&self) -> Duration {
        let ends = self.waiting.front().zip(self.waiting.back());
        ends.map_or(Duration::ZERO, |(first, last)| last.at.saturating_sub(first.at))
    }
}

/// A point in time on an RTP clock, to the nearest tick.
fn ticks(at: MediaTime, clock: u32) -> u32 {
    ((u128::from(at.as_nanos()) * u128::from(clock) + 500_000_000) / 1_000_000_000) as u32
}

/// The same on a wall clock as RFC 3550 §4 writes it, which begins with the line.
fn ntp(at: MediaTime) -> u64 {
    ((u128::from(at.as_nanos()) << 32) / 1_000_000_000) as u64
}
