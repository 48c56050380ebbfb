//! Puts a sender's video packets back in order.
//!
//! In: packets in whatever order and however often they come, retransmissions among them. Out: each once, in sequence,
//! and gaps where one never came. Never: a delay where nothing is missing, or more than [`MAX_HELD`] packets held.

use std::collections::BTreeMap;
use std::time::Duration;

use super::source::{Placed, Source};
use crate::media::{MediaTime, RtpPacket};

/// How long a missing packet is waited for: one NACK interval of 100 ms and a short round trip, or two quick ones.
pub(super) const PATIENCE: Duration = Duration::from_millis(150);
/// Packets held at most behind a missing one.
pub(super) const MAX_HELD: usize = 512;

/// What comes out, in the stream's order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ordered {
    /// The next packet.
    Packet(RtpPacket),
    /// Something is missing here: this many packets, or none where another stream began.
    Gap {
        /// Packets given up.
        lost: u64,
    },
}

/// Packets that wait for an earlier one.
#[derive(Debug, Default)]
pub(super) struct Reorder {
    source: Source,
    next: i64,
    started: bool,
    restarted: bool,
    held: BTreeMap<i64, RtpPacket>,
}

impl Reorder {
    /// Takes a packet; a second copy or one that was given up is dropped.
    pub(super) fn push(&mut self, packet: RtpPacket) {
        match self.source.place(packet) {
            Placed::At(number, packet) => self.hold(number, packet),
            Placed::Suspect => {}
            Placed::Restart(packets) => self.restart(packets),
        }
    }

    /// What is next, if it is here or given up at `now`. To be called until it gives nothing.
    pub(super) fn poll(&mut self, now: MediaTime) -> Option<Ordered> {
        if std::mem::take(&mut self.restarted) {
            return Some(Ordered::Gap { lost: 0 });
        }
        let first = *self.held.first_key_value()?.0;
        if first == self.next {
            self.next += 1;
            return self.held.pop_first().map(|(_, packet)| Ordered::Packet(packet));
        }
        if !self.gives_up(now) {
            return None;
        }
        let lost = first.abs_diff(self.next);
        self.next = first;
        Some(Ordered::Gap { lost })
    }

    fn hold(&mut self, number: i64, packet: RtpPacket) {
        if !std::mem::replace(&mut self.started, true) {
            self.next = number;
        }
        if number >= self.next {
            self.held.entry(number).or_insert(packet);
        }
    }

    fn restart(&mut self, packets: [(i64, RtpPacket); 2]) {
        self.held.clear();
        self.next = packets[0].0;
        self.restarted = true;
        self.held.extend(packets);
    }

    /// The gap is as old as the first packet that came behind it, which need not be the one right after it.
    fn gives_up(&self, now: MediaTime) -> bool {
        let since = self.held.values().map(|p| p.arrival).min();
        self.held.len() >= MAX_HELD || since.is_some_and(|since| now.since(since) >= PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn packets_in_order_leave_at_once() {
        let mut reorder = Reorder::default();
        for n in 65_530u32..65_545 {
            reorder.push(packet(n as u16, 0));
            assert_eq!(drain(&mut reorder, 0), vec![Some(n as u16)]);
        }
    }

    #[test]
    fn a_missing_packet_is_waited_for_and_then_given_up() {
        let mut reorder = Reorder::default();
        reorder.push(packet(1, 0));
        reorder.push(packet(3, 10));
        assert_eq!(drain(&mut reorder, 159), vec![Some(1)]);
        assert_eq!(drain(&mut reorder, 160), vec![None, Some(3)]);
        reorder.push(packet(2, 161));
        assert_eq!(drain(&mut reorder, 400), vec![]);
    }

    #[test]
    fn a_retransmission_in_time_closes_the_gap() {
        let mut reorder = Reorder::default();
        reorder.push(packet(1, 0));
        reorder.push(packet(3, 10));
        reorder.push(packet(2, 100));
        assert_eq!(drain(&mut reorder, 100), vec![Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn a_second_gap_is_as_old_as_the_first_packet_behind_it() {
        let mut reorder = Reorder::default();
        for (sequence, at) in [(1, 0), (4, 10), (3, 140)] {
            reorder.push(packet(sequence, at));
        }
        assert_eq!(drain(&mut reorder, 160), vec![Some(1), None, Some(3), Some(4)]);
    }

    #[test]
    fn a_full_buffer_gives_up_without_waiting() {
        let mut reorder = Reorder::default();
        reorder.push(packet(0, 0));
        for n in 0..MAX_HELD as u16 {
            reorder.push(packet(2 + n, 0));
        }
        assert_eq!(drain(&mut reorder, 0).len(), MAX_HELD + 2);
    }

    #[test]
    fn another_stream_announces_itself_with_a_gap() {
        let mut reorder = Reorder::default();
        reorder.push(packet(1, 0));
        drain(&mut reorder, 0);
        for sequence in [9, 10] {
            reorder.push(RtpPacket { ssrc: 2, ..packet(sequence, 0) });
        }
        assert_eq!(drain(&mut reorder, 0), vec![None, Some(9), Some(10)]);
    }

    proptest! {
        /// Whatever the line does: each packet at most once, in order, and all of them where none was lost for good.
        #[test]
        fn order_holds_under_shuffling_duplication_and_loss(
            start: u16,
            fate in prop::collection::vec((0u64..80, 0usize..3), 1..300),
        ) {
            let mut line: Vec<(u64, u16)> = Vec::new();
            for (n, (delay, copies)) in fate.iter().enumerate() {
                let sequence = start.wrapping_add(n as u16 + 1);
                line.extend((0..*copies as u64).map(|copy| (2 * n as u64 + delay + copy, sequence)));
            }
            line.sort_by_key(|(at, _)| *at);
            let mut reorder = Reorder::default();
            reorder.push(packet(start, 0));
            let mut seen = Vec::new();
            for (at, sequence) in line {
                reorder.push(packet(sequence, at));
                seen.extend(drain(&mut reorder, at));
            }
            seen.extend(drain(&mut reorder, 10_000));
            let seen: Vec<u16> = seen.into_iter().flatten().map(|s| s.wrapping_sub(start)).collect();
            let sent = (0..fate.len()).filter(|n| fate[*n].1 > 0).map(|n| n as u16 + 1);
            let expected: Vec<u16> = std::iter::once(0).chain(sent).collect();
            prop_assert_eq!(seen, expected);
        }

        #[test]
        fn no_sequence_of_hostile_packets_panics_or_piles_up(
            packets in prop::collection::vec((any::<u16>(), 0u32..3, any::<u32>()), 0..2000),
        ) {
            let mut reorder = Reorder::default();
            for (sequence, ssrc, at) in packets {
                reorder.push(RtpPacket { ssrc, ..packet(sequence, u64::from(at)) });
                while reorder.poll(MediaTime::from_millis(u64::from(at))).is_some() {}
                prop_assert!(reorder.held.len() < MAX_HELD);
            }
        }
    }

    fn packet(sequence: u16, at_ms: u64) -> RtpPacket {
        let arrival = MediaTime::from_millis(at_ms);
        RtpPacket { sequence, timestamp: 0, marker: false, ssrc: 1, layer: 0, resent: false, payload: Bytes::new(), arrival }
    }

    /// Sequence numbers in order, `None` for a gap.
    fn drain(reorder: &mut Reorder, at_ms: u64) -> Vec<Option<u16>> {
        let next = || reorder.poll(MediaTime::from_millis(at_ms));
        let name = |ordered| match ordered {
            Ordered::Packet(packet) => Some(packet.sequence),
            Ordered::Gap { .. } => None,
        };
        std::iter::from_fn(next).map(name).collect()
    }
}
