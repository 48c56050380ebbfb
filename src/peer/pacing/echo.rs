//! Sends sound once more on a line that loses packets and has room: in-band FEC is there for speech only, and coarse.
//!
//! In: sounds as they leave, the loss. Out: the same packets a block later, when the next would have brought the FEC: a receiver waits
//! no longer for them. Whoever has the first drops the second (RFC 3550 Appendix A.1, SRTP's replay list). Never: a packet of a
//! moment ago, or one on a line that is full.

use std::collections::VecDeque;
use std::time::Duration;

use rtc::rtp;

use crate::media::{BLOCK_PERIOD, MediaTime};

/// Where less is lost, FEC does.
const LEAST_LOSS: f64 = 0.03;
/// What a dead line held back is of no use.
const TOO_LATE: Duration = Duration::from_millis(60);
/// More never wait: one a block, for as long as they are of use.
const WAITING: usize = 8;

/// Sounds that are to leave once more.
#[derive(Debug, Default)]
pub(super) struct Echo(VecDeque<(MediaTime, rtp::Packet)>);

impl Echo {
    /// Takes a sound that leaves; `loss` is that of a line with room for more, else `None`.
    pub(super) fn keep(&mut self, packet: &rtp::Packet, loss: Option<f64>, now: MediaTime) {
        if loss.is_some_and(|loss| loss > LEAST_LOSS) && self.0.len() < WAITING {
            self.0.push_back((now + BLOCK_PERIOD, packet.clone()));
        }
    }

    /// The next that is due.
    pub(super) fn next(&mut self, now: MediaTime) -> Option<rtp::Packet> {
        while self.0.front().is_some_and(|(at, _)| now.since(*at) > TOO_LATE) {
            self.0.pop_front();
        }
        self.0.front().is_some_and(|(at, _)| *at <= now).then(|| self.0.pop_front()).flatten().map(|(_, packet)| packet)
    }

    /// When the next is due.
    pub(super) fn due(&self) -> Option<MediaTime> {
        self.0.front().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_line_that_loses_a_sound_leaves_again_a_block_later_and_never_when_it_is_old() {
        let (mut echo, at) = (Echo::default(), MediaTime::from_millis);
        echo.keep(&rtp::Packet::default(), Some(0.01), at(1000));
        echo.keep(&rtp::Packet::default(), None, at(1000));
        assert_eq!(echo.due(), None);
        (0..20).for_each(|n| echo.keep(&rtp::Packet::default(), Some(0.1), at(1000 + 20 * n)));
        assert_eq!((echo.due(), echo.0.len()), (Some(at(1020)), WAITING));
        assert!(echo.next(at(1019)).is_none() && echo.next(at(1020)).is_some());
        assert!(echo.next(at(1200)).is_some(), "those that are left are of the last moment");
        assert!(echo.next(at(5000)).is_none() && echo.due().is_none());
    }
}
