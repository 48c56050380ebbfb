//! What left by transport-wide number, joined with what the receiver says became of it (draft-holmer-rmcat-transport-wide-cc-extensions-01).
//!
//! In: packets at the moment they leave, feedback. Out: a number for each packet, and once the fate of each: when it came, on the
//! receiver's clock, or that it was lost. Never: more than [`REMEMBERED`] packets, or a word on a packet that was never sent.

use std::collections::VecDeque;
use std::time::Duration;

use rtc::rtcp::transport_feedbacks::transport_layer_cc::{PacketStatusChunk, SymbolTypeTcc, TransportLayerCc};

use crate::media::MediaTime;

/// Packets whose fate may be unknown: over three seconds at 10 Mb/s.
const REMEMBERED: usize = 4096;
/// A packet that was left behind by one that left this much later is lost, not late.
const PATIENCE: Duration = Duration::from_millis(100);
/// The reference time's unit and width (§3.1).
const TICK_US: i64 = 64_000;
const REFERENCE_BITS: u32 = 24;

/// What became of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Fate {
    /// When it left.
    pub(in super::super) left: MediaTime,
    /// On the wire, in bytes.
    pub(in super::super) size: u32,
    /// When it came, in microseconds on the receiver's clock, which begins anywhere; `None`: it is lost.
    pub(in super::super) came: Option<i64>,
}

/// The packets of one transport.
#[derive(Debug, Default)]
pub(in super::super) struct Ledger {
    sent: VecDeque<Sent>,
    /// The number of the first of `sent`, without the wrap.
    first: u64,
    /// The newest that came: its number and when it left.
    newest: Option<(u64, MediaTime)>,
    /// The last feedback's reference time, in ticks, without the wrap.
    reference: Option<i64>,
}

#[derive(Debug)]
struct Sent {
    left: MediaTime,
    size: u32,
    is: Is,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    /// No feedback has named it: where that was lost, nobody knows.
    UnderWay,
    /// It had not come when feedback named it.
    Missing,
    Come,
}

impl Ledger {
    /// The number of a packet that leaves.
    pub(in super::super) fn number(&mut self, now: MediaTime, size: usize) -> u16 {
        if self.sent.len() == REMEMBERED {
            self.sent.pop_front();
            self.first += 1;
        }
        self.sent.push_back(Sent { left: now, size: u32::try_from(size).unwrap_or(u32::MAX), is: Is::UnderWay });
        (self.first + self.sent.len() as u64 - 1) as u16
    }

    /// What a feedback message tells that was not known, in the order in which the packets left.
    pub(in super::super) fn resolve(&mut self, feedback: &TransportLayerCc) -> Vec<Fate> {
        let mut at = self.unwrapped(feedback.reference_time) * TICK_US;
        let mut deltas = feedback.recv_deltas.iter();
        let statuses = feedback.packet_chunks.iter().flat_map(symbols).take(feedback.packet_status_count.into());
        let named = statuses.enumerate().map(move |(n, symbol)| {
            let is_timed = matches!(symbol, SymbolTypeTcc::PacketReceivedSmallDelta | SymbolTypeTcc::PacketReceivedLargeDelta);
            // In microseconds: the stack has scaled it
            let delta = is_timed.then(|| deltas.next()).flatten().map(|delta| delta.delta);
            at += delta.unwrap_or(0);
            (feedback.base_sequence_number.wrapping_add(n as u16), delta.map(|_| at))
        });
        self.settle(named)
    }

    /// The same, of numbers and, of those that came, times of arrival.
    pub(in super::super) fn settle(&mut self, named: impl Iterator<Item = (u16, Option<i64>)>) -> Vec<Fate> {
        let mut fates: Vec<Fate> = named.filter_map(|(number, at)| self.name(number, at)).collect();
        fates.extend(std::iter::from_fn(|| self.retire()).flatten());
        fates.sort_by_key(|fate| fate.left);
        fates
    }

    fn name(&mut self, number: u16, at: Option<i64>) -> Option<Fate> {
        let next = self.first + self.sent.len() as u64;
        // Of all that end in these 16 bits the newest that has been sent
        let behind = u64::from((next as u16).wrapping_sub(number).wrapping_sub(1)) + 1;
        let full = next.checked_sub(behind)?;
        let sent = self.sent.get_mut(usize::try_from(full.checked_sub(self.first)?).ok()?)?;
        let is = if at.is_some() { Is::Come } else { Is::Missing };
        if sent.is == Is::Come {
            return None;
        }
        sent.is = is;
        if at.is_none() {
            return None;
        }
        if self.newest.is_none_or(|(newest, _)| newest < full) {
            self.newest = Some((full, sent.left));
        }
        Some(Fate { left: sent.left, size: sent.size, came: at })
    }

    /// Forgets the first where its fate is known, or will never be: lost, where it has not come by now.
    fn retire(&mut self) -> Option<Option<Fate>> {
        let (newest, newest_left) = self.newest?;
        let first = self.sent.front()?;
        let is_passed = self.first < newest && newest_left.since(first.left) >= PATIENCE;
        if first.is != Is::Come && !is_passed {
            return None;
        }
        self.first += 1;
        let first = self.sent.pop_front()?;
        Some((first.is == Is::Missing).then_some(Fate { left: first.left, size: first.size, came: None }))
    }

    fn unwrapped(&mut self, reference: u32) -> i64 {
        let last = self.reference.unwrap_or(reference.into());
        let unused = 64 - REFERENCE_BITS;
        let step = ((i64::from(reference) - last) << unused) >> unused;
        *self.reference.insert(last + step)
    }
}

fn symbols(chunk: &PacketStatusChunk) -> Box<dyn Iterator<Item = SymbolTypeTcc> + '_> {
    match chunk {
        PacketStatusChunk::RunLengthChunk(run) => Box::new(std::iter::repeat_n(run.packet_status_symbol, run.run_length.into())),
        PacketStatusChunk::StatusVectorChunk(vector) => Box::new(vector.symbol_list.iter().copied()),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::{RecvDelta, RunLengthChunk};
    use rtc::shared::marshal::Unmarshal;

    use super::*;

    fn ms(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    fn ledger(packets: u64) -> Ledger {
        let mut ledger = Ledger::default();
        (0..packets).for_each(|n| assert_eq!(ledger.number(ms(20 * n), 100), n as u16));
        ledger
    }

    fn run(base: u16, reference_time: u32, deltas: &[i64]) -> TransportLayerCc {
        let run = RunLengthChunk {
            packet_status_symbol: SymbolTypeTcc::PacketReceivedLargeDelta,
            run_length: deltas.len() as u16,
            ..Default::default()
        };
        TransportLayerCc {
            base_sequence_number: base,
            packet_status_count: deltas.len() as u16,
            reference_time,
            packet_chunks: vec![PacketStatusChunk::RunLengthChunk(run)],
            recv_deltas: deltas.iter().map(|delta| RecvDelta { delta: *delta, ..Default::default() }).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn each_packet_has_one_fate() {
        let mut ledger = ledger(20);
        let named = [(0, Some(5)), (1, None), (2, Some(6)), (2, Some(7)), (3, None), (8, Some(50))];
        let fates = ledger.settle(named.into_iter());
        let came: Vec<_> = fates.iter().map(|fate| (fate.left.as_millis(), fate.came)).collect();
        assert_eq!(came, [(0, Some(5)), (20, None), (40, Some(6)), (60, None), (160, Some(50))]);
        assert!(ledger.settle([(0, Some(5)), (1, Some(9))].into_iter()).is_empty(), "what is settled stays so");
    }

    #[test]
    fn a_packet_that_comes_a_little_late_is_not_lost() {
        let mut ledger = ledger(6);
        assert_eq!(ledger.settle([(1, None), (3, Some(1))].into_iter()).len(), 1);
        assert_eq!(ledger.settle([(1, Some(2))].into_iter())[0].came, Some(2));
    }

    #[test]
    fn packets_whose_feedback_is_lost_are_not_taken_for_lost() {
        let mut ledger = ledger(40);
        assert_eq!(ledger.settle([(38, None), (39, Some(1))].into_iter()).len(), 1);
        assert!(ledger.sent.len() <= 7, "they are forgotten");
    }

    #[test]
    fn numbers_and_reference_times_wrap_without_a_jump() {
        let mut ledger = ledger(70_000);
        let newest = 69_999u64 as u16;
        assert_eq!(ledger.resolve(&run(newest.wrapping_sub(1), 0xff_ffff, &[250, 500])).len(), 2);
        ledger.number(ms(1_500_000), 1);
        let fates = ledger.resolve(&run(newest.wrapping_add(1), 0, &[0]));
        assert_eq!(fates.last().unwrap().came, Some((1 << 24) * TICK_US));
    }

    #[test]
    fn numbers_that_were_never_sent_tell_nothing() {
        let mut ledger = ledger(3);
        assert!(ledger.resolve(&run(40_000, 7, &[0; 9])).is_empty());
        assert!(Ledger::default().resolve(&run(0, 7, &[0; 9])).is_empty());
    }

    proptest! {
        #[test]
        fn no_feedback_makes_more_fates_than_packets(
            sent in 0u64..6000,
            messages in proptest::collection::vec((any::<u16>(), any::<u32>(), proptest::collection::vec(any::<i16>(), 0..300)), 0..20),
        ) {
            let mut ledger = ledger(sent);
            let mut fates = 0;
            for (base, reference, deltas) in messages {
                let deltas: Vec<i64> = deltas.into_iter().map(|delta| i64::from(delta) * 250).collect();
                fates += ledger.resolve(&run(base, reference & 0xff_ffff, &deltas)).len() as u64;
            }
            prop_assert!(fates <= sent);
        }

        #[test]
        fn whatever_parses_as_feedback_is_borne(bytes in proptest::collection::vec(any::<u8>(), 16..200)) {
            let mut bytes = bytes;
            bytes.truncate(bytes.len() / 4 * 4);
            let words = (bytes.len() / 4 - 1) as u16;
            bytes[..4].copy_from_slice(&[0x8f, 205, (words >> 8) as u8, words as u8]);
            let parsed = std::panic::catch_unwind(|| TransportLayerCc::unmarshal(&mut Bytes::from(bytes)));
            if let Ok(Ok(feedback)) = parsed {
                prop_assert!(ledger(100).resolve(&feedback).len() <= 100);
            }
        }
    }
}
