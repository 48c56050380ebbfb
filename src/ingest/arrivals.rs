//! Sound packets that have come and wait to be played, in order.
//!
//! In: packets in whatever order and however often they come. Out: the first that waits, what is missing before it, and
//! how late the line is ([`Delays`]). Never: more than [`MAX_WAITING`] packets, or one that is no Opus.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::delay::Delays;
use super::source::{Placed, Source};
use crate::codec::opus;
use crate::media::{MediaTime, RtpPacket};

/// Packets that wait at most: 320 ms of the shortest there are.
pub(super) const MAX_WAITING: usize = 128;
/// Packets passed that are remembered.
const SEEN_BITS: i64 = 128;
/// Timestamps that differ by no more are in line: the shortest frame (RFC 6716 §2.1.4).
pub(super) const SHORTEST: i64 = 120;

/// Transits that differ by more say nothing about jitter, in samples.
const CLOCK_SET_ANEW: u64 = 2 * 48_000;

/// What went wrong since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mishaps {
    /// Packets whose place was played without them.
    pub(super) lost: u64,
    /// Packets that came after that.
    pub(super) late: u64,
    /// Packets given up because more waited than may.
    pub(super) behind: u64,
    /// Packets that are no Opus.
    pub(super) malformed: u64,
}

/// Whether what comes next follows what was played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Continuity {
    /// It does.
    Kept,
    /// Another stream began, or too much had come.
    Broken,
}

/// A packet that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The packet as it came; empty for padding.
    pub(super) payload: Bytes,
    /// Timestamp of its first sample, without wrapping.
    pub(super) begins: i64,
    /// How many samples it holds.
    pub(super) samples: i64,
    /// Its arrival less its timestamp, in samples.
    pub(super) transit: i64,
}

/// One sender's packets that have come.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    source: Source,
    /// The newest timestamp, without wrapping.
    newest: Option<i64>,
    waiting: BTreeMap<i64, Waiting>,
    delays: Delays,
    /// The sequence number after the last one played or given up.
    after: Option<i64>,
    /// A bit for each packet lately passed, the last one lowest: whether it had come.
    seen: u128,
    mishaps: Mishaps,
    /// Of the newest packet to arrive, and the mean difference between two in a row, in samples (RFC 3550 §6.4.1).
    transit: Option<i64>,
    jitter: f64,
}

impl Arrivals {
    /// Takes a packet.
    pub(super) fn push(&mut self, packet: RtpPacket) -> Continuity {
        match self.source.place(packet) {
            Placed::At(number, packet) => self.insert(number, packet),
            Placed::Suspect => Continuity::Kept,
            Placed::Restart(packets) => {
                *self = Self { source: std::mem::take(&mut self.source), mishaps: self.mishaps, ..Self::default() };
                for (number, packet) in packets {
                    self.insert(number, packet);
                }
                Continuity::Broken
            }
        }
    }

    /// How late the line is.
    pub(super) fn delays(&self) -> &Delays {
        &self.delays
    }

    /// Interarrival jitter, in samples (RFC 3550 §6.4.1).
    pub(super) fn jitter(&self) -> f64 {
        self.jitter
    }

    /// What went wrong since the last call.
    pub(super) fn mishaps(&mut self) -> Mishaps {
        std::mem::take(&mut self.mishaps)
    }

    /// The first packet that waits.
    pub(super) fn first(&self) -> Option<&Waiting> {
        self.waiting.first_key_value().map(|(_, first)| first)
    }

    /// Packets missing between the last one played and the first that waits.
    pub(super) fn missing(&self) -> i64 {
        let first = self.waiting.first_key_value().map(|(number, _)| *number);
        first.zip(self.after).map_or(0, |(first, after)| first - after)
    }

    /// How much later than `position` the newest packet that waits begins.
    pub(super) fn depth(&self, position: i64) -> i64 {
        self.waiting.last_key_value().map_or(0, |(_, last)| last.begins.saturating_sub(position))
    }

    /// Samples that wait from `position` on without a gap.
    pub(super) fn in_line(&self, position: i64) -> i64 {
        let Some(mut after) = self.after else { return 0 };
        let mut end = position;
        for (number, packet) in &self.waiting {
            if *number != after || end.abs_diff(packet.begins) > SHORTEST as u64 {
                break;
            }
            after += 1;
            end = packet.begins.saturating_add(packet.samples);
        }
        end - position
    }

    /// Takes the first packet out; those missing before it are lost.
    pub(super) fn take_first(&mut self) -> Option<Waiting> {
        self.lose_missing();
        let (number, first) = self.waiting.pop_first()?;
        self.pass(number);
        Some(first)
    }

    /// Counts those missing before the first packet as lost.
    pub(super) fn lose_missing(&mut self) {
        let Some((first, _)) = self.waiting.first_key_value() else { return };
        self.mishaps.lost += self.missing().max(0) as u64;
        self.advance(*first);
    }

    /// Drops the first packet, whose place has been played without it.
    pub(super) fn drop_late(&mut self) {
        self.mishaps.late += u64::from(self.take_first().is_some());
        self.mishaps.lost += 1;
    }

    /// Gives the first packet up, because it is too old to be played.
    pub(super) fn give_up_first(&mut self) {
        let Some((number, _)) = self.waiting.pop_first() else { return };
        self.pass(number);
        self.mishaps.behind += 1;
    }

    /// Passes padding: it holds its place in the sequence and none in time.
    pub(super) fn skip_padding(&mut self) {
        while let Some(first) = self.waiting.first_entry().filter(|first| first.get().payload.is_empty()) {
            let number = *first.key();
            first.remove();
            if self.after == Some(number) {
                self.pass(number);
            }
        }
    }

    fn insert(&mut self, number: i64, packet: RtpPacket) -> Continuity {
        if self.after.is_some_and(|after| number < after) {
            self.miss(number, &packet);
            return Continuity::Kept;
        }
        let padding = packet.payload.is_empty();
        let samples = if padding { Ok(0) } else { opus::packet_samples(&packet.payload) };
        let Ok(samples) = samples else {
            self.mishaps.malformed += 1;
            return Continuity::Kept;
        };
        if self.waiting.contains_key(&number) {
            return Continuity::Kept;
        }
        let begins = self.unwrap(packet.timestamp);
        let transit = samples_at(packet.arrival).saturating_sub(begins);
        if !padding {
            self.note(transit, packet.arrival);
        }
        self.waiting.insert(number, Waiting { payload: packet.payload, begins, samples: samples as i64, transit });
        if self.waiting.len() <= MAX_WAITING {
            return Continuity::Kept;
        }
        self.give_up_first();
        Continuity::Broken
    }

    /// It was played without this packet, or this is a second copy, which says nothing about the line.
    fn miss(&mut self, number: i64, packet: &RtpPacket) {
        let back = self.after.map_or(0, |after| after - 1 - number);
        if back >= SEEN_BITS || self.seen & 1 << back != 0 {
            return;
        }
        self.seen |= 1 << back;
        self.mishaps.late += 1;
        let transit = samples_at(packet.arrival).saturating_sub(self.unwrap(packet.timestamp));
        self.note(transit, packet.arrival);
    }

    fn note(&mut self, transit: i64, arrival: MediaTime) {
        self.delays.note(transit, arrival);
        let difference = self.transit.replace(transit).map_or(0, |before| transit.abs_diff(before));
        if difference <= CLOCK_SET_ANEW {
            self.jitter += (difference as f64 - self.jitter) / 16.0;
        }
    }

    fn unwrap(&mut self, timestamp: u32) -> i64 {
        let newest = self.newest.unwrap_or(i64::from(timestamp));
        let begins = newest.saturating_add(i64::from(timestamp.wrapping_sub(newest as u32) as i32));
        self.newest = Some(newest.max(begins));
        begins
    }

    /// The packet of this number has come and gone.
    fn pass(&mut self, number: i64) {
        self.advance(number + 1);
        self.seen |= 1;
    }

    fn advance(&mut self, after: i64) {
        let by = self.after.map_or(SEEN_BITS, |old| after - old);
        self.seen = if by < SEEN_BITS { self.seen << by.max(0) } else { 0 };
        self.after = Some(after);
    }
}

/// A point in time in samples.
pub(super) fn samples_at(time: MediaTime) -> i64 {
    (u128::from(time.as_nanos()) * 48 / 1_000_000) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_copy_of_a_played_packet_is_not_late() {
        let mut arrivals = Arrivals::default();
        for sequence in [1, 2, 4] {
            arrivals.push(packet(sequence));
            arrivals.take_first();
        }
        for (sequence, late) in [(2, 0), (4, 0), (3, 1), (3, 1)] {
            arrivals.push(packet(sequence));
            assert_eq!(arrivals.mishaps, Mishaps { lost: 1, late, ..Mishaps::default() });
        }
    }

    #[test]
    fn what_waits_in_line_ends_at_a_gap() {
        let mut arrivals = Arrivals::default();
        arrivals.push(packet(10));
        arrivals.take_first();
        for sequence in [11, 12, 14] {
            arrivals.push(packet(sequence));
        }
        assert_eq!((arrivals.in_line(11 * 960), arrivals.depth(11 * 960), arrivals.missing()), (1920, 3 * 960, 0));
    }

    #[test]
    fn what_nobody_takes_is_given_up_from_the_front() {
        let mut arrivals = Arrivals::default();
        for sequence in 0..300 {
            let broken = arrivals.push(packet(sequence)) == Continuity::Broken;
            assert_eq!(broken, usize::from(sequence) >= MAX_WAITING);
        }
        assert_eq!((arrivals.waiting.len(), arrivals.mishaps.behind), (MAX_WAITING, 300 - MAX_WAITING as u64));
    }

    #[test]
    fn padding_keeps_the_sequence_whole() {
        let mut arrivals = Arrivals::default();
        arrivals.push(packet(1));
        arrivals.take_first();
        arrivals.push(RtpPacket { payload: Bytes::new(), ..packet(2) });
        arrivals.push(packet(3));
        arrivals.skip_padding();
        assert_eq!(arrivals.missing(), 0);
    }

    fn packet(sequence: u16) -> RtpPacket {
        let (timestamp, arrival) = (u32::from(sequence) * 960, MediaTime::from_millis(20 * u64::from(sequence)));
        RtpPacket {
            sequence,
            timestamp,
            marker: false,
            ssrc: 1,
            layer: 0,
            resent: false,
            payload: Bytes::from_static(&[0xf8, 0, 0]),
            arrival,
        }
    }
}
