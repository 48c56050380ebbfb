//! Turns retransmissions (RFC 4588) back into the packets that were lost.
//!
//! The stack does so only for streams that the offer declares, and behind the last of our links.

use bytes::Buf;
use rtc::interceptor::{Attribute, Packet, TaggedPacket};

use super::Work;
use super::streams::Streams;

/// Undoes the retransmissions of one sender's pictures, and marks them.
#[derive(Debug)]
pub(in super::super) struct RtxUndo {
    /// The payload type of the retransmissions.
    pub(in super::super) rtx_payload_type: u8,
    /// The payload type of what they carry.
    pub(in super::super) payload_type: u8,
    /// The streams that they belong to.
    pub(in super::super) streams: Streams,
}

impl Work for RtxUndo {
    fn inbound(&mut self, mut packet: TaggedPacket) -> Option<TaggedPacket> {
        let Packet::Rtp(rtp) = &mut packet.message.packet else { return Some(packet) };
        if rtp.header.payload_type == self.payload_type {
            self.streams.layer_of(&rtp.header);
        }
        // A retransmission without a sequence number of its original is padding; it goes on as it is, since the arrival
        // of each packet must be reported (a probe that is not reported counts as lost)
        if rtp.header.payload_type != self.rtx_payload_type || rtp.payload.len() <= 2 {
            return Some(packet);
        }
        let Some(ssrc) = self.streams.repaired_by(&rtp.header) else { return Some(packet) };
        rtp.header.sequence_number = rtp.payload.get_u16();
        rtp.header.payload_type = self.payload_type;
        rtp.header.ssrc = ssrc;
        packet.message.add(Attribute::Retransmission);
        Some(packet)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::super::simulcast::Layers;
    use super::super::tap::tests::rtp;
    use super::*;

    fn undo() -> RtxUndo {
        of(Some(1))
    }

    fn of(ssrc: Option<u32>) -> RtxUndo {
        RtxUndo { rtx_payload_type: 97, payload_type: 96, streams: Streams::new(&Layers::single(ssrc, None)) }
    }

    fn passed(undo: &mut RtxUndo, packet: TaggedPacket) -> (u8, u32, u16, Bytes) {
        let Packet::Rtp(rtp) = undo.inbound(packet).unwrap().message.packet else { panic!("no RTP") };
        (rtp.header.payload_type, rtp.header.ssrc, rtp.header.sequence_number, rtp.payload)
    }

    #[test]
    fn a_retransmission_becomes_the_packet_that_was_lost() {
        let lost = passed(&mut undo(), rtp(97, 2, 7, &[0x12, 0x34, 5, 6]));
        assert_eq!(lost, (96, 1, 0x1234, Bytes::from_static(&[5, 6])));
    }

    #[test]
    fn what_was_sent_again_is_marked() {
        let mut undo = undo();
        let mut is_marked =
            |payload_type| undo.inbound(rtp(payload_type, 2, 7, &[1, 2, 3])).unwrap().message.has(&Attribute::Retransmission);
        assert!(is_marked(97) && !is_marked(96));
    }

    #[test]
    fn padding_on_the_repair_stream_stays_what_it_is() {
        assert_eq!(passed(&mut undo(), rtp(97, 2, 7, &[])).0, 97);
        assert_eq!(passed(&mut undo(), rtp(97, 2, 7, &[1, 2])).0, 97);
    }

    #[test]
    fn an_undeclared_stream_is_learnt_from_its_packets() {
        let mut undo = of(None);
        assert_eq!(passed(&mut undo, rtp(97, 2, 7, &[0, 9, 1])).0, 97);
        passed(&mut undo, rtp(96, 5, 8, &[1]));
        assert_eq!(passed(&mut undo, rtp(97, 2, 9, &[0, 9, 1])).1, 5);
    }
}
