//! What goes over the lines, counted: totals that whoever counts and whoever reports share, and rates over the last second.
//!
//! In: packets, losses, pictures, a receiver's reports. Out: totals at any time, and a [`Meter`]'s rate of one of them.
//! Never: a lock, or a clock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::{Count, MediaTime, Reading};

/// What comes from somebody in one stream. Bytes are those of RTP payloads.
#[derive(Debug, Default)]
pub struct Traffic {
    packets: AtomicU64,
    bytes: AtomicU64,
    lost: AtomicU64,
    pictures: AtomicU64,
    /// Of the newest picture: width in the upper half, height in the lower; in one so that they belong together.
    size: AtomicU64,
    /// Retransmissions asked for: each packet counts each time (RFC 4585 §6.2.1).
    pub requested: Count,
    /// Packets that came as retransmissions.
    pub recovered: Count,
    /// Packets that came too late to be used.
    pub late: Count,
    /// Keyframes asked for (PLI).
    pub keyframes_asked: Count,
    /// 20 ms blocks of sound played, made up ones among them; of a sender that is not silent.
    pub blocks: Count,
    /// Blocks that came out of in-band FEC.
    pub blocks_recovered: Count,
    /// Blocks that were made up, in whole or in part.
    pub blocks_concealed: Count,
    /// Times that their picture stood still while it should have moved, as WebRTC's statistics count it (`freezeCount`).
    pub freezes: Count,
    /// How long it did, in milliseconds.
    pub frozen_ms: Count,
    /// Interarrival jitter, in milliseconds (RFC 3550 §6.4.1).
    pub jitter_ms: Reading,
    /// How long what arrives first waits to be shown or heard, in milliseconds.
    pub delay_ms: Reading,
    /// The simulcast layer that is decoded, by its place in the offer.
    pub layer: Reading,
    /// How much later their picture comes than its sound, in milliseconds (EBU R37: −40 to +60 goes unnoticed).
    pub skew_ms: Reading,
    /// What they are asked to send at most, in bits a second.
    pub asked_bps: Reading,
}

impl Traffic {
    /// Counts one packet and its payload.
    pub fn count_packet(&self, payload_bytes: usize) {
        self.packets.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(payload_bytes as u64, Ordering::Relaxed);
    }

    /// Counts what came of an earlier packet within another one.
    pub fn count_repeated(&self, payload_bytes: usize) {
        self.bytes.fetch_add(payload_bytes as u64, Ordering::Relaxed);
    }

    /// Counts packets that never came.
    pub fn count_lost(&self, packets: u64) {
        self.lost.fetch_add(packets, Ordering::Relaxed);
    }

    /// Counts a decoded picture and notes its size, in pixels.
    pub fn count_picture(&self, width: u32, height: u32) {
        self.pictures.fetch_add(1, Ordering::Relaxed);
        self.size.store(u64::from(width) << 32 | u64::from(height), Ordering::Relaxed);
    }

    /// Packets so far.
    pub fn packets(&self) -> u64 {
        self.packets.load(Ordering::Relaxed)
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Packets that never came, so far.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Decoded pictures so far.
    pub fn pictures(&self) -> u64 {
        self.pictures.load(Ordering::Relaxed)
    }

    /// Width and height of the newest picture, in pixels; 0 and 0 before the first.
    pub fn size(&self) -> (u32, u32) {
        let size = self.size.load(Ordering::Relaxed);
        ((size >> 32) as u32, size as u32)
    }
}

/// What goes to somebody, pictures and sound together, and what they report of it. Bytes are those of RTP payloads.
#[derive(Debug)]
pub struct SentTraffic {
    packets: AtomicU64,
    bytes: AtomicU64,
    /// An `f32`'s bits; [`UNKNOWN`] before the first report.
    loss: AtomicU32,
    /// In microseconds; [`UNKNOWN`] before it is known.
    rtt: AtomicU32,
    /// What the line takes of sound and pictures, in bits a second on the wire, as it is estimated: what retransmissions need is taken off.
    pub estimate_bps: Reading,
    /// What the line would have to take for a better picture, in bits a second, sound and all: it is worth probing for. None where
    /// nothing better is to be had.
    pub wanted_bps: Reading,
    /// How long what is sent waits for its turn, in milliseconds.
    pub pacer_ms: Reading,
    /// Packets that the receiver asked for again; each counts each time.
    pub requested: Count,
    /// Packets sent again.
    pub resent: Count,
    /// Keyframes that the receiver asked for (PLI, FIR).
    pub keyframes_asked: Count,
    /// Bytes of padding and repetition, sent to learn what the line takes.
    pub probed_bytes: Count,
}

/// No loss and no round trip: as an `f32` it is not a number.
const UNKNOWN: u32 = u32::MAX;

impl Default for SentTraffic {
    fn default() -> Self {
        let [loss, rtt] = [UNKNOWN, UNKNOWN].map(AtomicU32::new);
        Self {
            packets: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            loss,
            rtt,
            estimate_bps: Reading::default(),
            wanted_bps: Reading::default(),
            pacer_ms: Reading::default(),
            requested: Count::default(),
            resent: Count::default(),
            keyframes_asked: Count::default(),
            probed_bytes: Count::default(),
        }
    }
}

impl SentTraffic {
    /// Counts one packet and its payload.
    pub fn count_packet(&self, payload_bytes: usize) {
        self.packets.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(payload_bytes as u64, Ordering::Relaxed);
    }

    /// Notes the part of the packets since the report before that the receiver calls lost, 0 to 1.
    pub fn note_loss(&self, loss: f32) {
        self.loss.store(loss.to_bits(), Ordering::Relaxed);
    }

    /// Notes a round trip.
    pub fn note_rtt(&self, rtt: Duration) {
        self.rtt.store(u32::try_from(rtt.as_micros()).unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    /// Packets so far.
    pub fn packets(&self) -> u64 {
        self.packets.load(Ordering::Relaxed)
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The part that the receiver's last report calls lost, 0 to 1; `None` before the first.
    pub fn loss(&self) -> Option<f32> {
        Some(f32::from_bits(self.loss.load(Ordering::Relaxed))).filter(|loss| !loss.is_nan())
    }

    /// The last round trip; `None` before it is known.
    pub fn rtt(&self) -> Option<Duration> {
        Some(self.rtt.load(Ordering::Relaxed)).filter(|rtt| *rtt != UNKNOWN).map(|rtt| Duration::from_micros(rtt.into()))
    }
}

/// Turns readings of a total that only grows into its rate over the last second.
///
/// To be given a reading at least every 100 ms or so: with rarer ones the rate is that of the time since the reading before.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    /// Readings about [`APART`] from each other, back to the newest that is a second old.
    earlier: VecDeque<(MediaTime, u64)>,
    latest: Option<(MediaTime, u64)>,
}

/// What the rate is over.
const WINDOW: Duration = Duration::from_secs(1);
/// Readings closer to those beside them are not kept for later.
const APART: Duration = Duration::from_millis(100);

impl Meter {
    /// Notes a reading; growth is counted from the first one on.
    pub fn note(&mut self, now: MediaTime, total: u64) {
        let Some(latest) = self.latest.replace((now, total)) else { return };
        let stands_alone = self.earlier.back().is_none_or(|before| latest.0.since(before.0) >= APART);
        if stands_alone || now.since(latest.0) >= APART {
            self.earlier.push_back(latest);
        }
        while self.earlier.get(1).is_some_and(|second| now.since(second.0) >= WINDOW) {
            self.earlier.pop_front();
        }
    }

    /// Growth a second, over the last second before `now`; 0 before the second reading.
    pub fn per_second(&self, now: MediaTime) -> f64 {
        let Some((_, total)) = self.latest else { return 0.0 };
        let readings = || self.earlier.iter().chain(&self.latest);
        let old_enough = readings().rev().find(|(at, _)| now.since(*at) >= WINDOW);
        let Some((since, before)) = old_enough.or(readings().next()) else { return 0.0 };
        total.saturating_sub(*before) as f64 / now.since(*since).max(WINDOW).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    #[test]
    fn a_steady_stream_reads_its_rate_from_the_first_second_on() {
        let mut meter = Meter::default();
        for tick in 0..200 {
            meter.note(ms(20 * tick), 100 * tick);
            assert!(meter.earlier.len() <= 22);
            let rate = meter.per_second(ms(20 * tick));
            assert!(tick < 50 || (rate - 5000.0).abs() < 50.0, "{rate} at tick {tick}");
        }
    }

    #[test]
    fn a_stream_that_ends_reads_zero_a_second_later() {
        let mut meter = Meter::default();
        (0..100).for_each(|tick| meter.note(ms(20 * tick), 100 * tick));
        assert!(meter.per_second(ms(2400)) > 2000.0);
        assert!(meter.per_second(ms(2970)) < 500.0);
        assert_eq!(meter.per_second(ms(2980)), 0.0);
        meter.note(ms(3100), 9900);
        assert_eq!(meter.per_second(ms(3100)), 0.0);
    }

    #[test]
    fn what_came_before_the_first_reading_counts_for_nothing() {
        let mut meter = Meter::default();
        assert_eq!(meter.per_second(ms(5)), 0.0);
        meter.note(ms(10), 1_000_000);
        assert_eq!(meter.per_second(ms(10)), 0.0);
        meter.note(ms(510), 1_000_300);
        assert_eq!(meter.per_second(ms(510)), 300.0, "of the second that has only half gone by");
    }

    #[test]
    fn rare_readings_give_the_mean_between_them() {
        let mut meter = Meter::default();
        meter.note(ms(0), 0);
        meter.note(ms(10_000), 5000);
        assert_eq!(meter.per_second(ms(10_000)), 500.0);
    }

    #[test]
    fn nothing_is_known_of_a_line_before_its_first_report() {
        let sent = SentTraffic::default();
        assert_eq!((sent.loss(), sent.rtt()), (None, None));
        sent.note_loss(0.25);
        sent.note_rtt(Duration::from_micros(41_500));
        assert_eq!((sent.loss(), sent.rtt()), (Some(0.25), Some(Duration::from_micros(41_500))));
    }

    #[test]
    fn a_pictures_sides_stay_together() {
        let traffic = Traffic::default();
        assert_eq!(traffic.size(), (0, 0));
        traffic.count_picture(1280, 720);
        assert_eq!((traffic.size(), traffic.pictures()), ((1280, 720), 1));
    }
}
