//! Access units out of a sender's RTP packets.
//!
//! In: packets in whatever order. Out: access units in Annex B form, in order, flagged keyframe and intact, and gaps.
//! Never: a delay where nothing is missing (a unit leaves with the packet that carries the marker), a codec, or a clock.

use std::collections::VecDeque;

use super::Timing;
use super::depacketize::NalUnits;
use super::parameters::ParameterSets;
use super::reorder::{Ordered, Reorder};
use crate::media::{MediaTime, RtpPacket};

/// One access unit as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedUnit {
    /// NAL units behind start codes (ITU-T H.264 Annex B); a keyframe has its parameter sets before it.
    pub annex_b: Vec<u8>,
    /// RTP timestamp, 90 kHz.
    pub timestamp: u32,
    /// When the last of its packets arrived.
    pub arrival: MediaTime,
    /// A decoder can start here: an IDR picture whose parameter sets are known.
    pub keyframe: bool,
    /// Nothing of it is missing or malformed.
    pub intact: bool,
    /// When it is to be shown; as it arrives, unless its stream knows better.
    pub timing: Timing,
}

/// What comes out, in the stream's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assembled {
    /// An access unit.
    Unit(ReceivedUnit),
    /// Packets that never came, or none where another stream began: what follows may lack its references.
    Gap {
        /// Packets given up.
        lost: u64,
    },
}

/// Reorders packets and puts access units together.
#[derive(Debug, Default)]
pub struct Assembler {
    reorder: Reorder,
    sets: ParameterSets,
    open: Option<OpenUnit>,
    /// The packet before the next one is known, so that a unit that begins there has its head.
    unbroken: bool,
    ready: VecDeque<Assembled>,
    last_length: usize,
}

#[derive(Debug)]
struct OpenUnit {
    nal_units: NalUnits,
    timestamp: u32,
    arrival: MediaTime,
    /// No packet is missing just before it.
    unbroken: bool,
}

impl Assembler {
    /// Takes parameter sets that were told out of band.
    pub fn parameter_sets<'a>(&mut self, nal_units: impl IntoIterator<Item = &'a [u8]>) {
        nal_units.into_iter().for_each(|nal| self.sets.note(nal));
    }

    /// Takes one packet; [`Assembler::poll`] until it gives nothing is due afterwards.
    pub fn push(&mut self, packet: RtpPacket) {
        self.reorder.push(packet);
    }

    /// The packets as they come in.
    pub(super) fn packets(&mut self) -> &mut Reorder {
        &mut self.reorder
    }

    /// When time is to pass at the latest, and since when something is waited for; `None` where nothing is.
    pub(super) fn awaits(&self) -> Option<(MediaTime, MediaTime)> {
        Some((self.reorder.next_deadline()?, self.reorder.waits_since()?))
    }

    /// What is next at `now`.
    pub fn poll(&mut self, now: MediaTime) -> Option<Assembled> {
        while self.ready.is_empty() {
            match self.reorder.poll(now)? {
                Ordered::Packet(packet) => self.take(&packet),
                Ordered::Gap { lost } => self.gap(lost),
            }
        }
        self.ready.pop_front()
    }

    fn take(&mut self, packet: &RtpPacket) {
        if packet.payload.is_empty() {
            return;
        }
        if self.open.as_ref().is_some_and(|unit| unit.timestamp != packet.timestamp) {
            self.close();
        }
        let unbroken = std::mem::replace(&mut self.unbroken, true);
        let capacity = self.last_length;
        let unit = self.open.get_or_insert_with(|| OpenUnit {
            nal_units: NalUnits::with_capacity(capacity),
            timestamp: packet.timestamp,
            arrival: packet.arrival,
            unbroken,
        });
        unit.arrival = unit.arrival.max(packet.arrival);
        let sets = &mut self.sets;
        unit.nal_units.push(&packet.payload, &mut |nal| sets.note(nal));
        if packet.marker {
            self.close();
        }
    }

    /// What is open may lack its end, and what comes next its beginning.
    fn gap(&mut self, lost: u64) {
        if let Some(open) = &mut self.open {
            open.nal_units.spoil();
        }
        self.unbroken = false;
        self.ready.push_back(Assembled::Gap { lost });
    }

    fn close(&mut self) {
        let Some(OpenUnit { mut nal_units, timestamp, arrival, unbroken }) = self.open.take() else { return };
        if nal_units.is_open() {
            nal_units.spoil();
        }
        let intact = !nal_units.spoiled && (nal_units.whole_head || unbroken);
        let keyframe = nal_units.idr && self.sets.complete();
        self.last_length = nal_units.bytes.len();
        let annex_b = match keyframe && !(nal_units.sps && nal_units.pps) {
            true => self.sets.before(&nal_units.bytes),
            false => nal_units.bytes,
        };
        let timing = Timing { prompt: arrival, planned: arrival, ..Timing::default() };
        self.ready.push_back(Assembled::Unit(ReceivedUnit { annex_b, timestamp, arrival, keyframe, intact, timing }));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;

    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

    const SPS: &[u8] = &[0x67, 0x42, 0xc0, 0x1f, 0x80];
    const PPS: &[u8] = &[0x68, 0x80];

    #[test]
    fn a_unit_leaves_with_its_marker() {
        let mut line = Line::default();
        assert_eq!(line.send(&[0x41, 0x80], 0), vec![]);
        let [Assembled::Unit(unit)] = &line.send_last(&[0x41, 0x40], 0)[..] else { panic!("no unit") };
        assert_eq!(unit.annex_b, [0, 0, 0, 1, 0x41, 0x80, 0, 0, 0, 1, 0x41, 0x40]);
        assert!(unit.intact && !unit.keyframe);
    }

    #[test]
    fn without_a_marker_the_next_timestamp_ends_the_unit() {
        let mut line = Line::default();
        assert_eq!(line.send(&[0x41, 0x80], 0), vec![]);
        let [Assembled::Unit(unit)] = &line.send(&[0x41, 0x81], 3000)[..] else { panic!("no unit") };
        assert_eq!((unit.timestamp, unit.intact), (0, true));
    }

    #[test]
    fn a_padding_packet_belongs_to_no_unit() {
        let mut line = Line::default();
        line.send(&[0x41, 0x80], 0);
        assert_eq!(line.send(&[], 77), vec![]);
        assert_eq!(line.send_last(&[0x41, 0x40], 0).len(), 1);
    }

    #[test]
    fn a_keyframe_without_parameter_sets_gets_the_newest_before_it() {
        let mut line = Line::default();
        line.assembler.parameter_sets([SPS, PPS]);
        let [Assembled::Unit(unit)] = &line.send_last(&[0x65, 0x80], 0)[..] else { panic!("no unit") };
        assert_eq!(unit.annex_b, [&[0, 0, 0, 1], SPS, &[0, 0, 0, 1], PPS, &[0, 0, 0, 1], &[0x65, 0x80]].concat());
        assert!(unit.keyframe);
    }

    #[test]
    fn parameter_sets_in_a_unit_of_their_own_serve_the_keyframe_after_it() {
        let mut line = Line::default();
        line.send(SPS, 0);
        line.send_last(PPS, 0);
        let [Assembled::Unit(unit)] = &line.send_last(&[0x65, 0x80], 3000)[..] else { panic!("no unit") };
        assert!(unit.keyframe && unit.annex_b.len() > 6);
    }

    #[test]
    fn an_idr_picture_whose_parameter_sets_never_came_is_no_keyframe() {
        let [Assembled::Unit(unit)] = &Line::default().send_last(&[0x65, 0x80], 0)[..] else { panic!("no unit") };
        assert!(!unit.keyframe);
    }

    #[test]
    fn a_gap_spoils_the_unit_it_lies_in() {
        let mut line = Line::default();
        line.send(&[0x41, 0x80], 0);
        line.lose(1);
        assert_eq!(line.send_last(&[0x41, 0x20], 0), vec![]);
        let out = line.wait();
        assert_eq!(out[0], Assembled::Gap { lost: 1 });
        let Assembled::Unit(unit) = &out[1] else { panic!("no unit") };
        assert!(!unit.intact);
    }

    #[test]
    fn after_a_gap_between_units_a_whole_keyframe_is_intact_and_one_without_head_is_not() {
        for (head, intact) in [(0x80, true), (0x40, false)] {
            let mut line = Line::default();
            line.assembler.parameter_sets([SPS, PPS]);
            line.send_last(&[0x41, 0x80], 0);
            line.lose(3);
            let out = [line.send_last(&[0x65, head], 9000), line.wait()].concat();
            assert_eq!(out[0], Assembled::Gap { lost: 3 });
            let Assembled::Unit(unit) = &out[1] else { panic!("no unit") };
            assert_eq!((unit.keyframe, unit.intact), (true, intact));
        }
    }

    #[test]
    fn a_unit_arrived_with_its_last_packet_even_out_of_order() {
        let mut assembler = Assembler::default();
        let at = MediaTime::from_millis;
        assembler.push(packet(1, &[0x41, 0x80], false, 0, at(5)));
        assembler.push(packet(3, &[0x41, 0x20], true, 0, at(7)));
        assembler.push(packet(2, &[0x41, 0x40], false, 0, at(90)));
        let Some(Assembled::Unit(unit)) = assembler.poll(at(90)) else { panic!("no unit") };
        assert_eq!(unit.arrival, at(90));
    }

    #[test]
    fn a_hundred_thousand_hostile_packets_change_nothing_but_their_own_stream() {
        let mut random = StdRng::seed_from_u64(2);
        let mut assembler = Assembler::default();
        for n in 0..100_000u64 {
            let kind = [1, 5, 7, 8, 24, 28, random.random()][random.random_range(0..7)];
            let mut payload: Vec<u8> = (0..random.random_range(0..64)).map(|_| random.random()).collect();
            payload.iter_mut().take(1).for_each(|header| *header = *header & 0x60 | kind);
            let sequence = if random.random_ratio(1, 50) { random.random() } else { n as u16 };
            let timestamp = random.random_range(0..4) * 3000;
            let mut packet = packet(sequence, &payload, random.random_ratio(1, 4), timestamp, MediaTime::from_millis(n));
            packet.ssrc = u32::from(random.random_ratio(1, 100));
            assembler.push(packet);
            while assembler.poll(MediaTime::from_millis(n)).is_some() {}
        }
        assert!(assembler.ready.is_empty());
    }

    proptest! {
        /// Units whose packets all arrive come out byte for byte; the others never claim to be intact.
        #[test]
        fn what_arrives_whole_comes_out_whole(
            units in prop::collection::vec((1usize..5, any::<u8>()), 1..40),
            lost in prop::collection::btree_set(0usize..120, 0..12),
            start: u16,
        ) {
            let mut assembler = Assembler::default();
            let (mut sequence, mut sent) = (0usize, Vec::new());
            for (n, (pieces, tag)) in units.iter().enumerate() {
                let whole = (0..*pieces).all(|piece| !lost.contains(&(sequence + piece)));
                for piece in 0..*pieces {
                    let (payload, marker) = fragment(piece, *pieces, *tag);
                    let number = start.wrapping_add(sequence as u16);
                    if !lost.contains(&sequence) {
                        assembler.push(packet(number, &payload, marker, n as u32 * 3000, MediaTime::ZERO));
                    }
                    sequence += 1;
                }
                sent.extend(whole.then(|| (n as u32 * 3000, expected(*pieces, *tag))));
            }
            let late = MediaTime::ZERO + PATIENCE;
            let out: Vec<_> = std::iter::from_fn(|| assembler.poll(late)).filter_map(intact).collect();
            prop_assert_eq!(out, sent);
        }
    }

    #[derive(Default)]
    struct Line {
        assembler: Assembler,
        sequence: u16,
        now: MediaTime,
    }

    impl Line {
        fn send(&mut self, payload: &[u8], timestamp: u32) -> Vec<Assembled> {
            self.push(payload, false, timestamp)
        }

        fn send_last(&mut self, payload: &[u8], timestamp: u32) -> Vec<Assembled> {
            self.push(payload, true, timestamp)
        }

        fn lose(&mut self, packets: u16) {
            self.sequence += packets;
        }

        fn wait(&mut self) -> Vec<Assembled> {
            self.now += PATIENCE;
            std::iter::from_fn(|| self.assembler.poll(self.now)).collect()
        }

        fn push(&mut self, payload: &[u8], marker: bool, timestamp: u32) -> Vec<Assembled> {
            self.sequence += 1;
            self.assembler.push(packet(self.sequence, payload, marker, timestamp, self.now));
            std::iter::from_fn(|| self.assembler.poll(self.now)).collect()
        }
    }

    fn packet(sequence: u16, payload: &[u8], marker: bool, timestamp: u32, arrival: MediaTime) -> RtpPacket {
        RtpPacket { sequence, timestamp, marker, ssrc: 0, layer: 0, resent: false, payload: Bytes::copy_from_slice(payload), arrival }
    }

    /// A slice that is the first of its picture, cut in pieces; one piece is a single NAL unit.
    fn fragment(piece: usize, pieces: usize, tag: u8) -> (Vec<u8>, bool) {
        let (first, last) = (piece == 0, piece + 1 == pieces);
        match pieces {
            1 => (vec![0x41, 0x80, tag], true),
            _ if first => (vec![0x5c, 0x81, 0x80, tag], false),
            _ => (vec![0x5c, if last { 0x41 } else { 0x01 }, tag, piece as u8], last),
        }
    }

    fn expected(pieces: usize, tag: u8) -> Vec<u8> {
        let rest = (1..pieces).flat_map(|piece| [tag, piece as u8]);
        [0, 0, 0, 1, 0x41, 0x80, tag].into_iter().chain(rest).collect()
    }

    fn intact(out: Assembled) -> Option<(u32, Vec<u8>)> {
        match out {
            Assembled::Unit(unit) if unit.intact => Some((unit.timestamp, unit.annex_b)),
            _ => None,
        }
    }
}
