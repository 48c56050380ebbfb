//! The sound track: Opus packets of 20 ms, one after another without a gap.
//!
//! In: packets with their times. Out: those that begin before a moment. Never: a hole (silence stands in it), a packet at another time
//! than its own by more than half its length, or more than [`MOST`] packets.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::container::mp4::Sample;

/// A packet's ticks: 20 ms at 48 kHz.
pub(super) const PACKET: u64 = 960;
/// Packets that wait at most: 5 s.
pub(super) const MOST: usize = 250;
/// 20 ms in which an Opus decoder hears nothing: one CELT frame of one channel (RFC 6716 §3.1), all of it silence.
const SILENCE: &[u8] = &[0xf8, 0xff, 0xfe];

/// Packets that wait for their part.
#[derive(Debug, Default)]
pub(super) struct Sounds {
    waiting: VecDeque<Bytes>,
    /// Where the next packet belongs, in ticks of 48 kHz; `None` until there is one.
    head: Option<u64>,
    /// Where the track begins, in which nothing came yet.
    from: u64,
    /// Packets that came too late to be heard.
    late: u64,
}

impl Sounds {
    /// Takes the packet of `at`. One whose place is taken is given up.
    pub(super) fn push(&mut self, at: u64, payload: Bytes) {
        // Silence stands from the beginning on, in packets that end with this one's beginning
        let first = at - at.saturating_sub(self.from).min(PACKET * MOST as u64) / PACKET * PACKET;
        let head = *self.head.get_or_insert(first);
        if at + PACKET / 2 <= head {
            self.late += 1;
            return;
        }
        // Beyond the bound, what is missing is not made up: what waits is given up, too
        if at > head + PACKET * MOST as u64 {
            self.waiting.clear();
            self.head = Some(at);
        }
        self.fill((at + 1).saturating_sub(PACKET / 2));
        self.append(payload);
    }

    /// Begins anew at a moment: nothing that begins before it is heard.
    pub(super) fn begin(&mut self, at: u64) {
        while !self.waiting.is_empty() && self.first().is_some_and(|first| first < at) {
            self.waiting.pop_front();
        }
        self.head = self.head.filter(|_| !self.waiting.is_empty());
        self.from = at;
        while self.waiting.len() < MOST && self.first().is_some_and(|first| first >= at + PACKET) {
            self.waiting.push_front(Bytes::from_static(SILENCE));
        }
    }

    /// Puts silence where nothing came, up to a moment; packets for it that come later are late.
    pub(super) fn fill(&mut self, until: u64) {
        if until > self.from {
            self.head.get_or_insert(self.from);
        }
        while self.head.is_some_and(|head| head < until) {
            self.append(Bytes::from_static(SILENCE));
        }
    }

    /// When the first of them begins, and all that begin before `end`.
    pub(super) fn take(&mut self, end: u64) -> (u64, Vec<Sample>) {
        let Some(first) = self.first() else { return (0, Vec::new()) };
        let before = (end.saturating_sub(first).div_ceil(PACKET) as usize).min(self.waiting.len());
        let sample = |payload| Sample { payload, duration: PACKET as u32, keyframe: true };
        (first, self.waiting.drain(..before).map(sample).collect())
    }

    /// Packets given up since the last time.
    pub(super) fn take_late(&mut self) -> u64 {
        std::mem::take(&mut self.late)
    }

    fn append(&mut self, payload: Bytes) {
        if self.waiting.len() == MOST {
            self.waiting.pop_front();
            self.late += 1;
        }
        self.waiting.push_back(payload);
        self.head = self.head.map(|head| head + PACKET);
    }

    /// When the first that waits begins.
    fn first(&self) -> Option<u64> {
        self.head.map(|head| head - PACKET * self.waiting.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(n: u8) -> Bytes {
        Bytes::from(vec![n])
    }

    fn payloads(samples: &[Sample]) -> Vec<u8> {
        samples.iter().map(|sample| sample.payload[0]).collect()
    }

    #[test]
    fn packets_go_to_the_part_in_which_they_begin() {
        let mut sounds = Sounds::default();
        (0..5).for_each(|n| sounds.push(100 + u64::from(n) * PACKET, packet(n)));
        let (first, samples) = sounds.take(100 + 2 * PACKET);
        assert_eq!((first, payloads(&samples)), (100, vec![0, 1]));
        let (first, samples) = sounds.take(100 + 2 * PACKET + 1);
        assert_eq!((first, payloads(&samples)), (100 + 2 * PACKET, vec![2]));
        assert_eq!(sounds.take(100).1, []);
    }

    #[test]
    fn silence_stands_where_packets_are_missing_and_those_behind_keep_their_time() {
        let mut sounds = Sounds::default();
        sounds.push(0, packet(1));
        sounds.push(3 * PACKET + 30, packet(2));
        let (_, samples) = sounds.take(10 * PACKET);
        assert_eq!(payloads(&samples), [1, SILENCE[0], SILENCE[0], 2]);
    }

    #[test]
    fn silence_stands_before_the_first_packet_of_a_track_that_began_before_it() {
        for begins_first in [true, false] {
            let mut sounds = Sounds::default();
            if begins_first {
                sounds.begin(100);
            }
            sounds.push(110 + 2 * PACKET, packet(1));
            if !begins_first {
                sounds.begin(100);
            }
            let (first, samples) = sounds.take(u64::MAX);
            assert_eq!((first, payloads(&samples)), (110, vec![SILENCE[0], SILENCE[0], 1]), "{begins_first}");
        }
    }

    #[test]
    fn a_packet_whose_place_is_taken_is_counted_and_not_heard() {
        let mut sounds = Sounds::default();
        sounds.push(0, packet(1));
        sounds.fill(3 * PACKET);
        sounds.push(PACKET, packet(2));
        sounds.push(3 * PACKET, packet(3));
        assert_eq!((payloads(&sounds.take(10 * PACKET).1), sounds.take_late()), (vec![1, SILENCE[0], SILENCE[0], 3], 1));
    }

    #[test]
    fn a_gap_of_hours_costs_no_memory() {
        let mut sounds = Sounds::default();
        sounds.push(0, packet(1));
        sounds.push(48_000 * 3600 * 5, packet(2));
        assert_eq!(
            sounds.take(u64::MAX),
            (48_000 * 3600 * 5, vec![Sample { payload: packet(2), duration: PACKET as u32, keyframe: true }])
        );
        sounds.fill(48_000 * 3600 * 6);
        assert!(sounds.waiting.len() <= MOST);
    }
}
