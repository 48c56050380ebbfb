//! Answers requests for retransmission (RFC 4585 §6.2.1), as RTX (RFC 4588) where that is negotiated; and, on a line that loses much and
//! has room, before they come.
//!
//! In: numbers that the receiver lacks, packets that leave. Out: packets to send again. Never: more than a share of what the line takes, so that a client
//! that asks for everything gets no flood.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use rtc::rtp;

use super::history::History;
use crate::media::MediaTime;

/// Of the estimate; at a loss of a fifth each way and with what is sent twice, pictures need less than half again.
const SHARE: f64 = 0.5;
/// The allowance of this time may go at once: a burst of losses.
const BURST: Duration = Duration::from_millis(400);
/// Where more than this part is lost, what is sent again is sent twice: the retransmission would be lost as often as the packet.
const HEAVY_LOSS: f32 = 0.1;
/// How long after: a burst of losses has passed.
const SECOND_AFTER: Duration = Duration::from_millis(8);
/// Where more than this part is lost and the line has room, packets are sent again unasked: each request costs a round trip, and a
/// receiver waits for the slowest of a picture's packets.
const UNASKED_LOSS: f32 = 0.07;
/// How long after: what loses one packet may lose those right behind it.
const UNASKED_AFTER: Duration = Duration::from_millis(15);
const UNASKED_TOO_LATE: Duration = Duration::from_millis(60);
/// Packets that wait to be sent again.
const WAITING: usize = 512;

/// The stream of retransmissions.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct RtxStream {
    pub(in super::super) ssrc: u32,
    pub(in super::super) payload_type: u8,
    pub(in super::super) sequence: u16,
}

impl RtxStream {
    /// RFC 4588 §4: the original's number before its payload.
    fn wrap(&mut self, packet: &rtp::Packet) -> rtp::Packet {
        let mut payload = BytesMut::with_capacity(2 + packet.payload.len());
        payload.put_u16(packet.header.sequence_number);
        payload.put_slice(&packet.payload);
        let sequence_number = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        let header = rtp::Header { ssrc: self.ssrc, payload_type: self.payload_type, sequence_number, ..packet.header.clone() };
        rtp::Packet { header, payload: payload.freeze() }
    }
}

/// What is known of the line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) round_trip: Duration,
    /// 0 to 1.
    pub(super) loss: f32,
    /// It was not full of late.
    pub(super) has_room: bool,
    pub(super) estimate_bps: f64,
}

/// One stream's retransmissions.
#[derive(Debug)]
pub(super) struct Repair {
    rtx: Option<RtxStream>,
    pub(super) history: History,
    waiting: VecDeque<(MediaTime, rtp::Packet)>,
    /// The same, once more.
    second: VecDeque<(MediaTime, rtp::Packet)>,
    unasked: VecDeque<(MediaTime, rtp::Packet)>,
    /// Bits that may be sent again.
    allowance: f64,
    allowed_at: MediaTime,
}

impl Repair {
    /// Without RTX the same packets are sent again.
    pub(super) fn new(rtx: Option<RtxStream>) -> Self {
        let (waiting, second, unasked) = Default::default();
        Self { rtx, history: History::default(), waiting, second, unasked, allowance: 0.0, allowed_at: MediaTime::ZERO }
    }

    /// Takes a request. Gives how many of its packets were worth sending but are too many.
    pub(super) fn ask(&mut self, sequences: &[u16], line: Line, now: MediaTime) -> usize {
        let rate = line.estimate_bps * SHARE;
        let earned = rate * now.since(self.allowed_at).as_secs_f64();
        self.allowance = (self.allowance + earned).min(rate * BURST.as_secs_f64());
        self.allowed_at = now;
        sequences.iter().filter(|sequence| !self.queue(**sequence, line, now)).count()
    }

    /// Keeps a packet that leaves; `loss` is that of a line with room for more, else `None`.
    pub(super) fn keep(&mut self, packet: &rtp::Packet, begins_keyframe: bool, loss: Option<f32>, now: MediaTime) {
        self.history.keep(packet, begins_keyframe, now);
        let is_wanted = loss.is_some_and(|loss| loss > UNASKED_LOSS) && self.rtx.is_some();
        if is_wanted && self.unasked.len() < WAITING {
            self.unasked.push_back((now + UNASKED_AFTER, packet.clone()));
        }
    }

    /// The next packet that is due, as it leaves.
    pub(super) fn next(&mut self, now: MediaTime) -> Option<rtp::Packet> {
        // Those that a dead line held back have been asked for, or given up
        while self.unasked.front().is_some_and(|(at, _)| now.since(*at) > UNASKED_TOO_LATE) {
            self.unasked.pop_front();
        }
        let is_due = |queue: &VecDeque<(MediaTime, rtp::Packet)>| queue.front().is_some_and(|(at, _)| *at <= now);
        let queues = [&mut self.waiting, &mut self.second, &mut self.unasked];
        let (_, packet) = queues.into_iter().find(|queue| is_due(queue))?.pop_front()?;
        Some(self.wrap(packet))
    }

    /// When the next is due.
    pub(super) fn due(&self) -> Option<MediaTime> {
        [&self.waiting, &self.second, &self.unasked].into_iter().filter_map(|queue| queue.front()).map(|(at, _)| *at).min()
    }

    /// A packet that adds nothing but load; only where RTX makes it harmless.
    pub(super) fn filler(&mut self) -> Option<rtp::Packet> {
        let rtx = self.rtx.as_mut()?;
        self.history.filler().map(|packet| rtx.wrap(&packet))
    }

    /// Whether there are such packets.
    pub(super) fn can_fill(&self) -> bool {
        self.rtx.is_some()
    }

    /// False where it is worth sending but too much.
    fn queue(&mut self, sequence: u16, line: Line, now: MediaTime) -> bool {
        if self.allowance <= 0.0 || self.waiting.len() >= WAITING {
            return false;
        }
        let Some(packet) = self.history.again(sequence, now, line.round_trip) else { return true };
        let times = if line.has_room && line.loss > HEAVY_LOSS { 2.0 } else { 1.0 };
        self.allowance -= times * packet.payload.len() as f64 * 8.0;
        if times > 1.0 && self.second.len() < WAITING {
            self.second.push_back((now + SECOND_AFTER, packet.clone()));
        }
        self.waiting.push_back((now, packet));
        true
    }

    fn wrap(&mut self, packet: rtp::Packet) -> rtp::Packet {
        match &mut self.rtx {
            Some(rtx) => rtx.wrap(&packet),
            None => packet,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    const LINE: Line = Line { round_trip: Duration::from_millis(50), loss: 0.0, has_room: true, estimate_bps: 1e6 };

    fn repair(rtx: bool, packets: u16) -> Repair {
        let rtx = rtx.then_some(RtxStream { ssrc: 9, payload_type: 97, sequence: u16::MAX });
        let mut repair = Repair::new(rtx);
        for sequence_number in 0..packets {
            let header = rtp::Header { ssrc: 7, payload_type: 96, sequence_number, timestamp: 5, marker: true, ..Default::default() };
            repair.history.keep(&rtp::Packet { header, payload: Bytes::from(vec![3; 1000]) }, false, MediaTime::from_millis(1000));
        }
        repair
    }

    fn sent(repair: &mut Repair, millis: u64) -> Vec<rtp::Packet> {
        std::iter::from_fn(|| repair.next(MediaTime::from_millis(millis))).collect()
    }

    #[test]
    fn what_is_lacking_is_sent_again_as_rtx() {
        let mut repair = repair(true, 20);
        assert_eq!(repair.ask(&[3, 17], LINE, MediaTime::from_millis(1050)), 0);
        let packets = sent(&mut repair, 1050);
        let headers: Vec<_> = packets.iter().map(|p| (p.header.ssrc, p.header.payload_type, p.header.sequence_number)).collect();
        assert_eq!(headers, [(9, 97, 65_535), (9, 97, 0)]);
        assert_eq!((&packets[1].payload[..3], packets[1].payload.len()), (&[0, 17, 3][..], 1002));
        assert!(packets[1].header.marker && packets[1].header.timestamp == 5);
    }

    #[test]
    fn without_rtx_it_is_the_same_packet() {
        let mut repair = repair(false, 20);
        repair.ask(&[3], LINE, MediaTime::from_millis(1050));
        let packets = sent(&mut repair, 1050);
        assert_eq!((packets[0].header.ssrc, packets[0].header.sequence_number, packets[0].payload.len()), (7, 3, 1000));
        assert!(repair.filler().is_none(), "it would count as media");
    }

    #[test]
    fn at_a_heavy_loss_each_is_sent_twice_a_little_apart() {
        let mut repair = repair(true, 20);
        repair.ask(&[3, 4], Line { loss: 0.2, ..LINE }, MediaTime::from_millis(1050));
        assert_eq!((sent(&mut repair, 1050).len(), repair.due()), (2, Some(MediaTime::from_millis(1058))));
        assert_eq!((sent(&mut repair, 1058).len(), repair.due()), (2, None));
    }

    #[test]
    fn a_line_that_loses_much_and_has_room_gets_packets_again_before_it_asks() {
        let header = rtp::Header { ssrc: 7, sequence_number: 20, ..Default::default() };
        let packet = rtp::Packet { header, payload: Bytes::from_static(&[3; 10]) };
        let due = |rtx, loss| {
            let mut repair = repair(rtx, 1);
            repair.keep(&packet, false, loss, MediaTime::from_millis(1000));
            repair.due()
        };
        assert_eq!(due(true, Some(0.1)), Some(MediaTime::from_millis(1015)));
        assert_eq!([due(true, Some(0.05)), due(true, None), due(false, Some(0.2))], [None; 3]);
    }

    proptest! {
        #[test]
        fn no_requests_make_more_than_a_share_of_the_line(
            loss in 0f32..1.0, requests in proptest::collection::vec((0u64..50, 0u16..2000, 0u16..2000), 1..100),
        ) {
            let mut repair = repair(true, 500);
            let (mut now, mut bytes) = (1000, 0);
            for (pause, from, more) in requests {
                now += pause;
                let sequences: Vec<u16> = (from..from + more).chain(0..u16::MAX).take(2000).collect();
                repair.ask(&sequences, Line { loss, ..LINE }, MediaTime::from_millis(now));
                bytes += sent(&mut repair, now).iter().map(|packet| packet.payload.len()).sum::<usize>();
            }
            let allowed = LINE.estimate_bps * SHARE * (((now - 1000) as f64 / 1000.0) + BURST.as_secs_f64());
            prop_assert!(bytes as f64 * 8.0 <= allowed * 1.01 + 3.0 * 8016.0);
        }
    }
}
