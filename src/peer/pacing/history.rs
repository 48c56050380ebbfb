//! The packets of pictures that were sent, so that they can be sent again.
//!
//! In: each packet as it leaves; numbers that the receiver lacks. Out: the packets that are worth sending again. Never: one twice
//! within a round trip, one that is of no use any more, or more memory than [`MAX_BYTES`] and what all receivers share.

use std::collections::VecDeque;
use std::time::Duration;

use rtc::rtp;

use crate::media::MediaTime;

/// A receiver that lacks a packet for longer has asked for a keyframe.
const USEFUL: Duration = Duration::from_secs(1);
/// After a keyframe has left, what came before it is of use only to whom it is still under way.
const USEFUL_BEFORE_KEYFRAME: Duration = Duration::from_millis(150);
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Packets that fill a probe, and how large they are at least.
const FILLERS: usize = 32;
const FILLER_BYTES: usize = 600;

/// One stream's packets, in order of their numbers.
#[derive(Debug, Default)]
pub(super) struct History {
    kept: VecDeque<Kept>,
    bytes: usize,
    /// The newest keyframe's first number.
    keyframe: Option<u16>,
    /// The newest large ones, whatever their age.
    fillers: VecDeque<rtp::Packet>,
}

#[derive(Debug)]
struct Kept {
    packet: rtp::Packet,
    left: MediaTime,
    again: Option<MediaTime>,
}

impl History {
    /// Keeps a packet that leaves.
    pub(super) fn keep(&mut self, packet: &rtp::Packet, begins_keyframe: bool, now: MediaTime) {
        if begins_keyframe {
            self.keyframe = Some(packet.header.sequence_number);
        }
        if packet.payload.len() >= FILLER_BYTES {
            self.fillers.truncate(FILLERS - 1);
            self.fillers.push_front(packet.clone());
        }
        self.bytes += packet.payload.len();
        self.kept.push_back(Kept { packet: packet.clone(), left: now, again: None });
        while self.kept.front().is_some_and(|first| now.since(first.left) > USEFUL || self.bytes > MAX_BYTES) {
            let first = self.kept.pop_front();
            self.bytes -= first.map_or(0, |first| first.packet.payload.len());
        }
    }

    /// A packet that the receiver lacks, where it is worth sending again.
    pub(super) fn again(&mut self, sequence: u16, now: MediaTime, round_trip: Duration) -> Option<rtp::Packet> {
        let first = self.kept.front()?.packet.header.sequence_number;
        let keyframe = self.keyframe;
        let kept = self.kept.get_mut(usize::from(sequence.wrapping_sub(first)))?;
        let is_before_keyframe = keyframe.is_some_and(|keyframe| keyframe.wrapping_sub(sequence).cast_signed() > 0);
        let useful = if is_before_keyframe { USEFUL_BEFORE_KEYFRAME + round_trip * 3 / 2 } else { USEFUL };
        // A receiver whose clock runs a little ahead of its packet may ask again a little early
        let is_on_its_way = kept.again.is_some_and(|again| now.since(again) < round_trip * 3 / 4);
        if now.since(kept.left) > useful || is_on_its_way {
            return None;
        }
        kept.again = Some(now);
        Some(kept.packet.clone())
    }

    /// Whether there are packets to fill a probe with.
    pub(super) fn can_fill(&self) -> bool {
        !self.fillers.is_empty()
    }

    /// A packet to fill a probe with: what the receiver is most likely to lack.
    pub(super) fn filler(&mut self) -> Option<rtp::Packet> {
        self.fillers.rotate_left(usize::from(!self.fillers.is_empty()));
        self.fillers.back().cloned()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const TRIP: Duration = Duration::from_millis(50);

    fn ms(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    fn history(packets: u64, bytes: usize) -> History {
        let mut history = History::default();
        for n in 0..packets {
            let header = rtp::Header { sequence_number: 65_530u16.wrapping_add(n as u16), ..Default::default() };
            history.keep(&rtp::Packet { header, payload: Bytes::from(vec![0; bytes]) }, false, ms(10 * n));
        }
        history
    }

    #[test]
    fn a_packet_is_found_across_the_wrap_and_not_sent_twice_within_a_round_trip() {
        let mut history = history(20, 10);
        assert_eq!(history.again(3, ms(200), TRIP).unwrap().header.sequence_number, 3);
        assert!(history.again(3, ms(230), TRIP).is_none());
        assert!(history.again(3, ms(250), TRIP).is_some());
        assert!(history.again(14, ms(250), TRIP).is_none(), "never sent");
        assert!(history.again(65_529, ms(250), TRIP).is_none(), "sent by nobody");
    }

    #[test]
    fn what_is_of_no_use_is_not_sent_again() {
        let mut history = history(20, 10);
        assert!(history.again(65_535, ms(1051), TRIP).is_none());
        history.keyframe = Some(5);
        assert!(history.again(4, ms(330), TRIP).is_none());
        assert!(history.again(5, ms(330), TRIP).is_some());
    }

    #[test]
    fn memory_is_bounded_in_time_and_bytes() {
        assert!(history(1000, 10).kept.len() <= 101);
        assert!(history(100, 60_000).bytes <= MAX_BYTES);
    }

    #[test]
    fn probes_are_filled_with_the_newest_large_packets() {
        assert!(history(9, 100).filler().is_none());
        let mut history = history(50, 700);
        let newest = 65_530u16.wrapping_add(49);
        assert!((0..100).all(|_| newest.wrapping_sub(history.filler().unwrap().header.sequence_number) < FILLERS as u16));
    }
}
