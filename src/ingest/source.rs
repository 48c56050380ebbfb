//! Which stream a packet belongs to, and its place in it (RFC 3550 Appendix A.1).
//!
//! In: packets as they come. Out: the same with a sequence number that does not wrap, or the news that another stream
//! began. Never: more than one packet kept back.

use crate::media::RtpPacket;

/// How far ahead of the newest packet one may be (RFC 3550 A.1, `MAX_DROPOUT`).
const MAX_AHEAD: i16 = 3000;
/// How far behind: half a second of a fast sender's retransmissions (RFC 3550 A.1 takes 100).
const MAX_BEHIND: i16 = -500;

/// What becomes of a packet.
#[derive(Debug, PartialEq, Eq)]
pub enum Placed {
    /// It belongs to the stream, at this extended sequence number.
    At(i64, RtpPacket),
    /// It fits nowhere and is kept back until its successor vouches for it.
    Suspect,
    /// Another stream began (a new SSRC or a jump): its first two packets, numbered above all earlier ones.
    Restart([(i64, RtpPacket); 2]),
}

/// The stream that is being received.
#[derive(Debug, Default)]
pub struct Source {
    current: Option<Current>,
    suspect: Option<RtpPacket>,
}

#[derive(Debug)]
struct Current {
    ssrc: u32,
    highest: i64,
}

impl Source {
    /// Finds a packet's place. One that belongs elsewhere needs a second in sequence to start another stream, so that
    /// no stray packet ends the running one.
    pub fn place(&mut self, packet: RtpPacket) -> Placed {
        let Some(current) = &mut self.current else {
            let number = i64::from(packet.sequence);
            self.current = Some(Current { ssrc: packet.ssrc, highest: number });
            return Placed::At(number, packet);
        };
        let distance = packet.sequence.wrapping_sub(current.highest as u16) as i16;
        if packet.ssrc == current.ssrc && (MAX_BEHIND..=MAX_AHEAD).contains(&distance) {
            let number = current.highest + i64::from(distance);
            current.highest = current.highest.max(number);
            return Placed::At(number, packet);
        }
        self.vouch(packet)
    }

    fn vouch(&mut self, packet: RtpPacket) -> Placed {
        let follows = |s: &mut RtpPacket| s.ssrc == packet.ssrc && s.sequence.wrapping_add(1) == packet.sequence;
        let Some(first) = self.suspect.take_if(follows) else {
            self.suspect = Some(packet);
            return Placed::Suspect;
        };
        let highest = self.current.as_ref().map_or(0, |c| c.highest);
        let number = (((highest >> 16) + 2) << 16) | i64::from(first.sequence);
        self.current = Some(Current { ssrc: packet.ssrc, highest: number + 1 });
        Placed::Restart([(number, first), (number + 1, packet)])
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::MediaTime;

    #[test]
    fn numbers_go_on_where_the_sequence_wraps() {
        let mut source = Source::default();
        let numbers = [65_534, 65_535, 1, 0, 2].map(|sequence| match source.place(packet(7, sequence)) {
            Placed::At(number, _) => number,
            other => panic!("{other:?}"),
        });
        assert_eq!(numbers, [65_534, 65_535, 65_537, 65_536, 65_538]);
    }

    #[test]
    fn a_stray_packet_starts_no_other_stream() {
        let mut source = Source::default();
        source.place(packet(7, 100));
        assert_eq!(source.place(packet(8, 30_000)), Placed::Suspect);
        assert_eq!(source.place(packet(7, 101)), Placed::At(101, packet(7, 101)));
    }

    #[test]
    fn two_packets_in_sequence_start_another_stream_above_the_old_numbers() {
        let mut source = Source::default();
        source.place(packet(7, 65_535));
        source.place(packet(8, 65_535));
        let Placed::Restart([(first, a), (second, b)]) = source.place(packet(8, 0)) else { panic!("no restart") };
        assert_eq!((a.sequence, b.sequence, second - first), (65_535, 0, 1));
        assert!(first > 65_535);
        assert_eq!(source.place(packet(8, 1)), Placed::At(second + 1, packet(8, 1)));
        assert_eq!(source.place(packet(7, 0)), Placed::Suspect);
    }

    #[test]
    fn a_jump_in_the_same_stream_is_a_restart_too() {
        let mut source = Source::default();
        source.place(packet(7, 10));
        assert_eq!(source.place(packet(7, 20_000)), Placed::Suspect);
        assert!(matches!(source.place(packet(7, 20_001)), Placed::Restart(_)));
    }

    fn packet(ssrc: u32, sequence: u16) -> RtpPacket {
        RtpPacket { sequence, timestamp: 0, marker: false, ssrc, layer: 0, resent: false, payload: Bytes::new(), arrival: MediaTime::ZERO }
    }
}
