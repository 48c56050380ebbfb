//! Turns retransmissions (RFC 4588) back into the packets that were lost.
//!
//! The stack does so only for streams that the offer declares, and behind the last of our links.

use bytes::Buf;
use rtc::interceptor::{Packet, TaggedPacket};

use super::Work;

/// Undoes the retransmissions of one video stream.
#[derive(Debug)]
pub(in super::super) struct RtxUndo {
    /// The payload type of the retransmissions.
    pub(in super::super) rtx_payload_type: u8,
    /// The payload type of what they carry.
    pub(in super::super) payload_type: u8,
    /// The stream that they belong to; learnt from its packets where the offer does not name it.
    pub(in super::super) ssrc: Option<u32>,
}

impl Work for RtxUndo {
    fn inbound(&mut self, mut packet: TaggedPacket) -> Option<TaggedPacket> {
        let Packet::Rtp(rtp) = &mut packet.message.packet else { return Some(packet) };
        if rtp.header.payload_type == self.payload_type {
            self.ssrc = Some(rtp.header.ssrc);
        }
        // A retransmission without a sequence number of its original is padding; it goes on as it is, since the arrival
        // of each packet must be reported (a probe that is not reported counts as lost)
        let (Some(ssrc), true) = (self.ssrc, rtp.header.payload_type == self.rtx_payload_type && rtp.payload.len() > 2) else {
            return Some(packet);
        };
        rtp.header.sequence_number = rtp.payload.get_u16();
        rtp.header.payload_type = self.payload_type;
        rtp.header.ssrc = ssrc;
        Some(packet)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::tap::tests::rtp;
    use super::*;

    fn undo() -> RtxUndo {
        RtxUndo { rtx_payload_type: 97, payload_type: 96, ssrc: Some(1) }
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
    fn padding_on_the_repair_stream_stays_what_it_is() {
        assert_eq!(passed(&mut undo(), rtp(97, 2, 7, &[])).0, 97);
        assert_eq!(passed(&mut undo(), rtp(97, 2, 7, &[1, 2])).0, 97);
    }

    #[test]
    fn an_undeclared_stream_is_learnt_from_its_packets() {
        let mut undo = RtxUndo { ssrc: None, ..undo() };
        assert_eq!(passed(&mut undo, rtp(97, 2, 7, &[0, 9, 1])).0, 97);
        passed(&mut undo, rtp(96, 5, 8, &[1]));
        assert_eq!(passed(&mut undo, rtp(97, 2, 9, &[0, 9, 1])).1, 5);
    }
}
