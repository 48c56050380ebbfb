//! Makes RTP packets of what the room sends to one client.
//!
//! In: payloads and their moments. Out: packets with gapless sequence numbers, and timestamps on the room's time line that only
//! grow. Never: a copy of a payload, which all receivers share.

use bytes::Bytes;
use rtc::rtp;

use super::answer::Stream;
use super::interceptors::reports::TimeLine;
use super::offer::Medium;
use crate::media::{EncodedSound, MediaTime};

/// One stream's numbering.
#[derive(Debug)]
pub(super) struct Packetizer {
    payload_type: u8,
    time_line: TimeLine,
    sequence: u16,
    /// The last picture's timestamp.
    shown: Option<u32>,
}

impl Packetizer {
    /// Begins a stream; sequence numbers and timestamps begin anywhere (RFC 3550 §5.1).
    pub(super) fn new(medium: &Medium, stream: Stream) -> Self {
        let time_line = TimeLine { ssrc: stream.ssrc, clock_rate: medium.codec.clock_rate, offset: rand::random() };
        // The upper half is left out, so that a receiver sees no wrap before its key exchange has settled (RFC 3711 §3.3.1)
        Self { payload_type: medium.codec.payload_type, time_line, sequence: rand::random::<u16>() >> 1, shown: None }
    }

    /// How timestamps follow from media time.
    pub(super) fn time_line(&self) -> TimeLine {
        self.time_line
    }

    /// The timestamp of the next picture, which is of this moment.
    pub(super) fn stamp(&mut self, at: MediaTime) -> u32 {
        self.newer(self.timestamp(at))
    }

    /// The packet of one sound. No talk spurts are marked: the stream never pauses (RFC 3551 §4.1).
    pub(super) fn sound(&mut self, sound: &EncodedSound) -> rtp::Packet {
        self.packet(&sound.payload, self.timestamp(sound.at), false)
    }

    fn timestamp(&self, at: MediaTime) -> u32 {
        at.rtp(self.time_line.clock_rate).wrapping_add(self.time_line.offset)
    }

    /// A receiver that comes to another encoder gets its keyframe, which may be of a moment that has been shown: pictures of one
    /// timestamp would be one picture to the client (RFC 3550 §5.1), and without the keyframe it could not go on.
    fn newer(&mut self, timestamp: u32) -> u32 {
        let next = self.shown.map_or(timestamp, |shown| shown.wrapping_add(1));
        let is_newer = timestamp.wrapping_sub(next).cast_signed() >= 0;
        *self.shown.insert(if is_newer { timestamp } else { next })
    }

    /// The next packet of the stream; a picture's last one carries the marker (RFC 6184 §5.1).
    pub(super) fn packet(&mut self, payload: &Bytes, timestamp: u32, marker: bool) -> rtp::Packet {
        let header = rtp::Header {
            version: 2,
            payload_type: self.payload_type,
            sequence_number: self.sequence,
            timestamp,
            ssrc: self.time_line.ssrc,
            marker,
            ..Default::default()
        };
        self.sequence = self.sequence.wrapping_add(1);
        rtp::Packet { header, payload: payload.clone() }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A stream whose numbers and timestamps wrap soon.
    pub(in super::super) fn packetizer() -> Packetizer {
        let time_line = TimeLine { ssrc: 7, clock_rate: 90_000, offset: u32::MAX };
        Packetizer { payload_type: 96, time_line, sequence: u16::MAX - 1, shown: None }
    }

    #[test]
    fn packets_are_numbered_without_a_gap_across_the_wrap() {
        let mut packetizer = packetizer();
        let packets: Vec<_> = [0, 0, 0, 9].map(|stamp| packetizer.packet(&Bytes::new(), stamp, stamp == 9)).into();
        assert_eq!(packets.iter().map(|p| p.header.sequence_number).collect::<Vec<_>>(), [65_534, 65_535, 0, 1]);
        assert_eq!(packets.iter().map(|p| p.header.marker).collect::<Vec<_>>(), [false, false, false, true]);
    }

    #[test]
    fn timestamps_follow_the_rooms_time_from_any_offset() {
        let mut packetizer = packetizer();
        let stamps = [0, 1000].map(|at| packetizer.stamp(MediaTime::from_millis(at)));
        assert_eq!(stamps[1].wrapping_sub(stamps[0]), 90_000);
        assert_eq!(stamps[0], u32::MAX);
    }

    #[test]
    fn a_picture_of_a_moment_that_was_shown_comes_just_after_it() {
        let mut packetizer = packetizer();
        let mut stamp = |at| packetizer.stamp(MediaTime::from_millis(at)).wrapping_add(1);
        assert_eq!([0, 1000, 1000, 966, 1033].map(&mut stamp), [0, 90_000, 90_001, 90_002, 92_970]);
    }
}
