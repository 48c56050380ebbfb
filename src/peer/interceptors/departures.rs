//! Where packets leave: numbers them (transport-wide) and notes when; and hears what the client says of what it got.
//!
//! In: what goes out, the client's RTCP. Out: numbered packets; fates, requests for retransmission, losses and limits to the session.
//! Never: a number on a stream whose header extension was not negotiated. It hears here what the stack's own links keep to themselves.

use bytes::Bytes;
use rtc::interceptor::{Packet, TaggedPacket};
use rtc::rtcp;
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::shared::marshal::MarshalSize;
use tokio::sync::mpsc;

use super::super::pacing::Said;
use super::super::pacing::ledger::Ledger;
use super::Work;
use super::line::blocks;
use super::tap::Inbound;
use crate::media::Clock;
use crate::metrics::Metrics;

/// IP, UDP, and the tag of SRTP.
const AROUND: usize = 28 + 10;
/// Numbers taken from one request: no stream loses more in a round trip, and a hostile request names more.
const MAX_LACKING: usize = 512;

/// A stream whose packets are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Numbered {
    pub(in super::super) ssrc: u32,
    /// Of the header extension.
    pub(in super::super) id: u8,
    /// The newest sequence number that left.
    pub(in super::super) newest: Option<u16>,
}

impl Numbered {
    /// Whether a packet leaves for the first time. Whoever has it drops the second before it is counted (SRTP's replay list), so that
    /// the second would seem to be lost.
    fn is_new(&mut self, sequence: u16) -> bool {
        let is_new = self.newest.is_none_or(|newest| (sequence.wrapping_sub(newest) as i16) > 0);
        if is_new {
            self.newest = Some(sequence);
        }
        is_new
    }
}

/// The last link on the way out, the first on the way in.
#[derive(Debug)]
pub(in super::super) struct Departures {
    pub(in super::super) numbered: Vec<Numbered>,
    /// The stream of pictures, or of sound where there are none.
    pub(in super::super) ssrc: Option<u32>,
    pub(in super::super) ledger: Ledger,
    pub(in super::super) clock: Clock,
    pub(in super::super) metrics: Metrics,
    /// To the session; what it cannot take is dropped and counted.
    pub(in super::super) session: mpsc::Sender<Inbound>,
}

impl Work for Departures {
    fn inbound(&mut self, packet: TaggedPacket) -> Option<TaggedPacket> {
        if let Packet::Rtcp(reports) = &packet.message.packet {
            for report in reports {
                let said = self.said(report.as_ref());
                said.into_iter().for_each(|said| self.hand_over(said));
            }
        }
        Some(packet)
    }

    fn outbound(&mut self, mut packet: TaggedPacket) -> TaggedPacket {
        let now = self.clock.at(packet.now);
        let Packet::Rtp(rtp) = &mut packet.message.packet else { return packet };
        let Some(stream) = self.numbered.iter_mut().find(|stream| stream.ssrc == rtp.header.ssrc) else { return packet };
        let is_new = stream.is_new(rtp.header.sequence_number);
        // Room for the number first, so that the size is that of what leaves
        if is_new && rtp.header.set_extension(stream.id, Bytes::from_static(&[0; 2])).is_ok() {
            let number = self.ledger.number(now, rtp.marshal_size() + AROUND);
            let _ = rtp.header.set_extension(stream.id, Bytes::copy_from_slice(&number.to_be_bytes()));
        }
        packet
    }
}

impl Departures {
    fn said(&mut self, report: &dyn rtcp::Packet) -> Option<Said> {
        let any = report.as_any();
        if let Some(feedback) = any.downcast_ref::<TransportLayerCc>() {
            return Some(Said::Fates(self.ledger.resolve(feedback))).filter(|said| *said != Said::Fates(Vec::new()));
        }
        if let Some(nack) = any.downcast_ref::<TransportLayerNack>() {
            let lacking = nack.nacks.iter().copied().flatten().take(MAX_LACKING);
            return (Some(nack.media_ssrc) == self.ssrc).then(|| Said::Lacks(lacking.collect()));
        }
        if let Some(limit) = any.downcast_ref::<ReceiverEstimatedMaximumBitrate>() {
            return Some(Said::Takes(limit.bitrate.into()));
        }
        let block = blocks(report).iter().find(|block| Some(block.ssrc) == self.ssrc)?;
        Some(Said::Lost(f32::from(block.fraction_lost) / 256.0))
    }

    fn hand_over(&self, said: Said) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.session.try_send(Inbound::Said(said)) {
            self.metrics.count_dropped("session_behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rtc::rtcp::transport_feedbacks::transport_layer_nack::NackPair;

    use super::super::tap::tests::{rtp, tagged};
    use super::*;

    fn departures() -> (Departures, mpsc::Receiver<Inbound>) {
        let (session, inbound) = mpsc::channel(64);
        let (ledger, clock, metrics) = (Ledger::default(), Clock::new(), Metrics::default());
        let numbered = [7, 8].map(|ssrc| Numbered { ssrc, id: 3, newest: None }).to_vec();
        (Departures { numbered, ssrc: Some(7), ledger, clock, metrics, session }, inbound)
    }

    fn number(departures: &mut Departures, ssrc: u32, sequence: u16) -> Option<Vec<u8>> {
        let Packet::Rtp(rtp) = departures.outbound(rtp(96, ssrc, sequence, &[1, 2])).message.packet else { panic!("no RTP") };
        rtp.header.get_extension(3).map(|number| number.to_vec())
    }

    fn heard(reports: Vec<Box<dyn rtcp::Packet>>) -> Vec<Said> {
        let (mut departures, mut inbound) = departures();
        assert!(departures.inbound(tagged(Packet::Rtcp(reports))).is_some(), "others hear it, too");
        std::iter::from_fn(|| inbound.try_recv().ok()).filter_map(|i| if let Inbound::Said(said) = i { Some(said) } else { None }).collect()
    }

    #[test]
    fn streams_share_one_numbering_and_others_and_what_leaves_again_have_none() {
        let (mut departures, _inbound) = departures();
        let numbers = [(7, u16::MAX), (8, 5), (9, 5), (7, 0), (7, u16::MAX), (7, 0)].map(|(ssrc, n)| number(&mut departures, ssrc, n));
        assert_eq!(numbers, [Some(vec![0, 0]), Some(vec![0, 1]), None, Some(vec![0, 2]), None, None]);
    }

    #[test]
    fn what_the_client_says_of_our_stream_reaches_the_session() {
        let nack =
            |media_ssrc| TransportLayerNack { media_ssrc, nacks: vec![NackPair { packet_id: 65_535, lost_packets: 5 }], sender_ssrc: 1 };
        let limit = ReceiverEstimatedMaximumBitrate { bitrate: 5e5, ..Default::default() };
        let said = heard(vec![Box::new(nack(7)), Box::new(nack(6)), Box::new(limit)]);
        assert_eq!(said, [Said::Lacks(vec![65_535, 0, 2]), Said::Takes(5e5)]);
    }

    #[test]
    fn a_request_for_everything_is_cut_short() {
        let nacks = (0..4000u16).map(|n| NackPair { packet_id: n.wrapping_mul(17), lost_packets: u16::MAX }).collect();
        let said = heard(vec![Box::new(TransportLayerNack { sender_ssrc: 1, media_ssrc: 7, nacks })]);
        assert!(matches!(&said[..], [Said::Lacks(sequences)] if sequences.len() == MAX_LACKING));
    }

    proptest! {
        #[test]
        fn any_limit_is_borne(bitrate in any::<f32>()) {
            let said = heard(vec![Box::new(ReceiverEstimatedMaximumBitrate { bitrate, ..Default::default() })]);
            prop_assert_eq!(said.len(), 1);
        }
    }
}
