//! What we tell a sender of one of its streams (RFC 3550 §6.4.1): what was lost, how evenly it comes, and when its report came.
//!
//! In: the stream's packets and sender reports. Out: report blocks. Never: a retransmission counted as what it replaces: the
//! sender is to learn what its line loses, however much of that is mended.
//!
//! The stack reports only on streams that the offer declares, which simulcast layers are not.

use rtc::rtcp::reception_report::ReceptionReport;

use crate::media::{MediaTime, RtpPacket, SenderReport};

/// How far ahead or behind a packet of the same stream may be (RFC 3550 A.1, `MAX_DROPOUT` and `MAX_MISORDER`).
const MAX_AHEAD: i16 = 3000;
const MAX_BEHIND: i16 = -100;
/// The most that 24 bits hold, signed.
const MOST_LOST: i64 = 0x7f_ffff;

/// One stream as it is received.
#[derive(Debug)]
pub(super) struct Reception {
    ssrc: u32,
    clock_rate: u32,
    /// Sequence numbers that do not wrap, from 0x10000 on so that a packet before the first has one, too.
    first: i64,
    highest: i64,
    received: i64,
    /// A packet that fits nowhere: the next in sequence makes it the begin of another run.
    suspect: Option<u16>,
    /// At the report before.
    expected_before: i64,
    received_before: i64,
    /// Of the newest timestamp: itself, and when its first packet came, in units of the clock.
    newest: (u32, u32),
    /// RFC 3550 A.8, in units of the clock.
    jitter: f64,
    /// The middle of the last sender report's NTP time, and when it came.
    reported: Option<(u32, MediaTime)>,
}

impl Reception {
    /// Of a stream that begins with this packet.
    pub(super) fn begin(packet: &RtpPacket, clock_rate: u32) -> Self {
        let number = 0x1_0000 + i64::from(packet.sequence);
        Self {
            ssrc: packet.ssrc,
            clock_rate,
            first: number,
            highest: number,
            received: 1,
            suspect: None,
            expected_before: 0,
            received_before: 0,
            newest: (packet.timestamp, packet.arrival.rtp(clock_rate)),
            jitter: 0.0,
            reported: None,
        }
    }

    /// Which stream this is.
    pub(super) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Takes the next packet that comes of it.
    pub(super) fn note(&mut self, packet: &RtpPacket) {
        if packet.resent {
            return;
        }
        let distance = packet.sequence.wrapping_sub(self.highest as u16) as i16;
        if !(MAX_BEHIND..=MAX_AHEAD).contains(&distance) {
            return self.doubt(packet);
        }
        self.suspect = None;
        self.received += 1;
        let number = self.highest + i64::from(distance);
        (self.first, self.highest) = (self.first.min(number), self.highest.max(number));
        if distance > 0 && packet.timestamp != self.newest.0 {
            self.time(packet);
        }
    }

    /// Takes what the sender says of its clock.
    pub(super) fn note_report(&mut self, report: &SenderReport) {
        self.reported = Some(((report.ntp >> 16) as u32, report.arrival));
    }

    /// What is to be told at `now`, since the block before.
    pub(super) fn block(&mut self, now: MediaTime) -> ReceptionReport {
        let expected = self.highest - self.first + 1;
        let (new, arrived) = (expected - self.expected_before, self.received - self.received_before);
        (self.expected_before, self.received_before) = (expected, self.received);
        // RFC 3550 A.3: duplicates can make it negative, which counts as none
        let lost = (new - arrived).max(0);
        let fraction_lost = if new > 0 { (lost * 256 / new).min(255) as u8 } else { 0 };
        let (last_sender_report, since) = self.reported.map_or((0, 0.0), |(ntp, at)| (ntp, now.since(at).as_secs_f64()));
        ReceptionReport {
            ssrc: self.ssrc,
            fraction_lost,
            total_lost: (expected - self.received).clamp(0, MOST_LOST) as u32,
            last_sequence_number: (self.highest - 0x1_0000) as u32,
            jitter: self.jitter as u32,
            last_sender_report,
            delay: (since * 65_536.0) as u32,
        }
    }

    /// RFC 3550 A.1: two packets in sequence elsewhere begin anew, a single one counts for nothing.
    fn doubt(&mut self, packet: &RtpPacket) {
        if self.suspect.replace(packet.sequence.wrapping_add(1)) == Some(packet.sequence) {
            let reported = self.reported.take();
            *self = Self { reported, ..Self::begin(packet, self.clock_rate) };
        }
    }

    /// RFC 3550 A.8. Only a timestamp's first packet counts: a picture's packets leave one after the other.
    fn time(&mut self, packet: &RtpPacket) {
        let arrival = packet.arrival.rtp(self.clock_rate);
        let (timestamp, came) = std::mem::replace(&mut self.newest, (packet.timestamp, arrival));
        let difference = arrival.wrapping_sub(came).wrapping_sub(packet.timestamp.wrapping_sub(timestamp)) as i32;
        // A sender's jump in time is no jitter
        if difference.unsigned_abs() < self.clock_rate {
            self.jitter += (f64::from(difference).abs() - self.jitter) / 16.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    /// Packet `n` of a picture each 20 ms, that came `late_ms` late.
    fn packet(n: u16, late_ms: u64) -> RtpPacket {
        let arrival = MediaTime::from_millis(1000 + 20 * u64::from(n) + late_ms);
        let timestamp = u32::from(n).wrapping_mul(1800);
        RtpPacket { sequence: n, timestamp, marker: true, ssrc: 7, layer: 0, resent: false, payload: Bytes::new(), arrival }
    }

    fn received(numbers: impl IntoIterator<Item = u16>) -> Reception {
        let mut numbers = numbers.into_iter().map(|n| packet(n, 0));
        let mut reception = Reception::begin(&numbers.next().unwrap(), 90_000);
        numbers.for_each(|packet| reception.note(&packet));
        reception
    }

    fn at(ms: u64) -> MediaTime {
        MediaTime::from_millis(ms)
    }

    #[test]
    fn a_quarter_lost_is_told_once_as_a_fraction_and_on_as_a_total() {
        let mut reception = received((0..100).filter(|n| n % 4 != 1));
        let block = reception.block(at(3000));
        assert_eq!((block.fraction_lost, block.total_lost, block.last_sequence_number), (64, 25, 99));
        (100..200).for_each(|n| reception.note(&packet(n, 0)));
        let block = reception.block(at(4000));
        assert_eq!((block.fraction_lost, block.total_lost, block.last_sequence_number), (0, 25, 199));
        assert_eq!(reception.block(at(5000)).fraction_lost, 0, "a muted camera loses nothing");
    }

    #[test]
    fn what_comes_again_is_lost_all_the_same_and_what_comes_late_is_not() {
        let mut reception = received([0, 1, 3, 5, 6]);
        reception.note(&RtpPacket { resent: true, ..packet(2, 50) });
        reception.note(&packet(4, 50));
        let block = reception.block(at(3000));
        assert_eq!((block.total_lost, block.fraction_lost), (1, 36));
    }

    #[test]
    fn numbers_go_on_where_they_wrap_and_begin_anew_where_they_jump() {
        let mut reception = received([65_534, 65_535, 0, 1]);
        assert_eq!(reception.block(at(3000)).last_sequence_number, 0x1_0001);
        reception.note(&packet(30_000, 0));
        assert_eq!(reception.block(at(3000)).last_sequence_number, 0x1_0001, "a stray packet");
        [40_000, 40_001, 40_002].iter().for_each(|n| reception.note(&packet(*n, 0)));
        let block = reception.block(at(3000));
        assert_eq!((block.last_sequence_number, block.total_lost), (40_002, 0));
    }

    #[test]
    fn a_round_trip_can_be_told_from_the_last_sender_report() {
        let mut reception = received([0, 1]);
        assert_eq!((reception.block(at(1500)).last_sender_report, reception.block(at(1500)).delay), (0, 0));
        reception.note_report(&SenderReport { ssrc: 7, ntp: 0xaaaa_1234_5678_bbbb, rtp: 0, arrival: at(2000) });
        let block = reception.block(at(2500));
        assert_eq!((block.last_sender_report, block.delay), (0x1234_5678, 32_768));
    }

    #[test]
    fn an_even_stream_has_no_jitter_and_one_that_swings_by_10_ms_has_that() {
        let even = received(0..500).block(at(0)).jitter;
        let mut swinging = received([0]);
        (1..500).for_each(|n| swinging.note(&packet(n, u64::from(n % 2) * 10)));
        let jitter = swinging.block(at(0)).jitter;
        assert!(even <= 1 && (880..=900).contains(&jitter), "{even} and {jitter} in 90 kHz");
    }

    proptest! {
        #[test]
        fn no_stream_makes_a_block_that_cannot_be(packets in prop::collection::vec((any::<u16>(), any::<u32>(), 0..100_000u64, any::<bool>()), 1..300)) {
            let mut stream = packets.into_iter().map(|(sequence, timestamp, ms, resent)| {
                RtpPacket { sequence, timestamp, resent, arrival: at(ms), ..packet(0, 0) }
            });
            let mut reception = Reception::begin(&stream.next().unwrap(), 90_000);
            for packet in stream {
                reception.note(&packet);
                let block = reception.block(at(50_000));
                prop_assert!(block.total_lost <= MOST_LOST as u32 && block.jitter < 90_000);
            }
        }
    }
}
