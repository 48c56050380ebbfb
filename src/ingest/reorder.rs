//! Puts a sender's video packets back in order.
//!
//! In: packets in whatever order and however often they come, retransmissions among them. Out: each once, in sequence,
//! and gaps where one never came, or where a whole keyframe makes what is missing before it useless; which packets to ask for.
//! Never: a delay where nothing is missing, or more than [`MAX_HELD`] packets held.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::depacketize::{begins_keyframe, tells_parameters};
use super::nack::{Fates, Nacks};
use super::source::{Placed, Source};
use crate::media::{MediaTime, RtpPacket};

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
    /// The highest number that came, and when.
    newest: Option<(i64, MediaTime)>,
    restarted: bool,
    held: BTreeMap<i64, RtpPacket>,
    /// Packets among the held that a keyframe begins with.
    heads: BTreeSet<i64>,
    /// What is missing below is not waited for.
    hopeless: i64,
    nacks: Nacks,
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
            self.heads.remove(&first);
            return self.held.pop_first().map(|(_, packet)| Ordered::Packet(packet));
        }
        let keyframe = self.heads.iter().rev().copied().find(|head| self.is_whole(*head));
        let on = keyframe.or_else(|| self.gives_up(now).then_some(first))?;
        Some(self.go_on_at(on))
    }

    /// Numbers to be asked for at `now`, oldest first; they count as asked.
    pub(super) fn requests(&mut self, now: MediaTime) -> Vec<u16> {
        self.nacks.due(now).into_iter().map(|number| number as u16).collect()
    }

    /// When a request is due next, or a gap given up.
    pub(super) fn next_deadline(&self) -> Option<MediaTime> {
        let given_up = self.waits_since().map(|since| since + self.nacks.patience());
        self.nacks.next_deadline().into_iter().chain(given_up).min()
    }

    /// Since when something is waited for.
    pub(super) fn waits_since(&self) -> Option<MediaTime> {
        // The gap is as old as the first packet that came behind it, which need not be the one right after it.
        self.held.values().map(|packet| packet.arrival).min()
    }

    /// The sender offers no retransmission.
    pub(super) fn never_ask(&mut self) {
        self.nacks.silence();
    }

    /// Takes a measured round trip.
    pub(super) fn note_round_trip(&mut self, round_trip: Duration) {
        self.nacks.note_round_trip(round_trip);
    }

    /// What became of missing packets since the last call.
    pub(super) fn take_fates(&mut self) -> Fates {
        self.nacks.take_fates()
    }

    fn hold(&mut self, number: i64, packet: RtpPacket) {
        let arrival = packet.arrival;
        let (newest, before) = *self.newest.get_or_insert_with(|| {
            self.next = number;
            (number, arrival)
        });
        self.nacks.arrived(number, packet.resent, arrival);
        if number > newest + 1 && !self.nacks.miss(newest + 1..number, arrival.since(before), arrival) {
            self.hopeless = number;
        }
        if number > newest {
            self.newest = Some((number, arrival));
        }
        if number >= self.next {
            self.keep(number, packet);
        }
    }

    fn keep(&mut self, number: i64, packet: RtpPacket) {
        if begins_keyframe(&packet.payload) {
            self.heads.insert(number);
        }
        self.held.entry(number).or_insert(packet);
    }

    fn restart(&mut self, packets: [(i64, RtpPacket); 2]) {
        self.held.clear();
        self.heads.clear();
        self.nacks.clear();
        self.next = packets[0].0;
        self.restarted = true;
        self.newest = Some((packets[1].0, packets[1].1.arrival));
        packets.into_iter().for_each(|(number, packet)| self.keep(number, packet));
    }

    /// Whether all packets of the unit that begins here are held.
    fn is_whole(&self, head: i64) -> bool {
        let Some((timestamp, told)) = self.held.get(&head).map(|packet| (packet.timestamp, tells_parameters(&packet.payload))) else {
            return false;
        };
        // A slice may have its parameter sets before it
        let begins = told || self.held.get(&(head - 1)).is_some_and(|before| before.timestamp != timestamp);
        let unit = self.held.range(head..).zip(head..).take_while(|((at, p), number)| *at == number && p.timestamp == timestamp);
        begins && unit.last().is_some_and(|((_, packet), _)| packet.marker)
    }

    fn gives_up(&self, now: MediaTime) -> bool {
        let lasts = |since: MediaTime| now.since(since) >= self.nacks.patience();
        self.held.len() >= MAX_HELD || self.next < self.hopeless || self.waits_since().is_some_and(lasts)
    }

    /// What is missing before `number` is lost, what is held before it of no use.
    fn go_on_at(&mut self, number: i64) -> Ordered {
        let before = self.held.range(..number).count() as u64;
        let lost = number.abs_diff(self.next) - before;
        self.nacks.give_up(number);
        self.held = self.held.split_off(&number);
        self.heads = self.heads.split_off(&number);
        self.next = number;
        Ordered::Gap { lost }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    /// While the round trip is unknown, in milliseconds.
    const PATIENCE: u64 = 600;

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
        assert_eq!(drain(&mut reorder, 10 + PATIENCE - 1), vec![Some(1)]);
        assert_eq!(drain(&mut reorder, 10 + PATIENCE), vec![None, Some(3)]);
        reorder.push(packet(2, 11 + PATIENCE));
        assert_eq!(drain(&mut reorder, 2000), vec![]);
        assert_eq!(reorder.take_fates(), Fates { recovered: 0, late: 1 });
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
        assert_eq!(drain(&mut reorder, 10 + PATIENCE), vec![Some(1), None, Some(3), Some(4)]);
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

    #[test]
    fn what_is_missing_is_asked_for_once_it_is_not_merely_overtaken() {
        let mut reorder = Reorder::default();
        for (sequence, at) in [(65_533, 0), (65_535, 1), (1, 2), (65_535, 3), (0, 4)] {
            reorder.push(packet(sequence, at));
        }
        assert_eq!((reorder.requests(MediaTime::from_millis(10)), reorder.requests(MediaTime::from_millis(11))), (vec![], vec![65_534]));
        reorder.push(RtpPacket { resent: true, ..packet(65_534, 60) });
        assert_eq!(drain(&mut reorder, 60), [65_533, 65_534, 65_535, 0, 1].map(Some));
        assert_eq!((reorder.take_fates(), reorder.next_deadline()), (Fates { recovered: 1, late: 0 }, None));
    }

    #[test]
    fn a_whole_keyframe_is_gone_on_at_without_waiting_for_what_it_supersedes() {
        let mut reorder = Reorder::default();
        reorder.push(packet(1, 0));
        let slice = |sequence, timestamp, marker, payload: &'static [u8]| RtpPacket {
            timestamp,
            marker,
            payload: Bytes::from_static(payload),
            ..packet(sequence, 5)
        };
        reorder.push(slice(3, 3000, true, &[0x41, 0x80]));
        reorder.push(slice(4, 6000, false, &[0x67, 1]));
        reorder.push(slice(6, 6000, true, &[0x65, 0x40]));
        assert_eq!(drain(&mut reorder, 5), vec![Some(1)], "a keyframe with a hole is none yet");
        reorder.push(slice(5, 6000, false, &[0x65, 0x80]));
        assert_eq!(drain(&mut reorder, 5), vec![None, Some(4), Some(5), Some(6)]);
        assert_eq!((reorder.requests(MediaTime::from_millis(500)), reorder.next_deadline()), (vec![], None));
    }

    #[test]
    fn after_a_black_out_nobody_waits_for_what_is_gone() {
        let mut reorder = Reorder::default();
        reorder.push(packet(1, 0));
        drain(&mut reorder, 0);
        reorder.push(packet(60, 2000));
        assert_eq!(drain(&mut reorder, 2000), vec![None, Some(60)]);
        reorder.push(packet(61, 2001));
        reorder.push(packet(200, 2002));
        assert_eq!(drain(&mut reorder, 2002), vec![Some(61), None, Some(200)]);
    }

    proptest! {
        /// Whatever the line does: each packet at most once, in order, and all of them where none was lost for good.
        #[test]
        fn order_holds_under_shuffling_duplication_and_loss(
            start: u16,
            fate in prop::collection::vec((0u64..40, prop::sample::select(vec![0usize, 1, 1, 1, 1, 1, 1, 2])), 1..150),
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
