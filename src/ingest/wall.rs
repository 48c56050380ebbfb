//! A stream's RTP time on its sender's wall clock (RFC 3550 §6.4.1).
//!
//! In: sender reports. Out: when something was captured, by the sender's wall clock. Never: trust in that clock; only differences
//! between two streams of one sender mean anything.

use crate::media::SenderReport;

/// One stream's clock against its sender's wall clock.
#[derive(Debug, Default)]
pub(super) struct WallClock {
    newest: Option<SenderReport>,
}

impl WallClock {
    /// Takes a report; one without a wall clock (RFC 3550: zero) tells nothing.
    pub(super) fn note(&mut self, report: SenderReport) {
        self.newest = (report.ntp != 0).then_some(report);
    }

    /// Another stream began.
    pub(super) fn forget(&mut self) {
        self.newest = None;
    }

    /// When this RTP time was, in nanoseconds of the sender's wall clock; `None` before the first report.
    pub(super) fn at(&self, timestamp: u32) -> Option<i64> {
        let report = self.newest?;
        let since = i64::from(timestamp.wrapping_sub(report.rtp) as i32) * 100_000 / 9;
        Some(nanos(report.ntp).saturating_add(since))
    }
}

fn nanos(ntp: u64) -> i64 {
    ((u128::from(ntp) * 1_000_000_000) >> 32) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::MediaTime;

    #[test]
    fn rtp_times_are_told_from_the_newest_report_on_both_sides_of_a_wrap() {
        let mut wall = WallClock::default();
        assert_eq!(wall.at(5), None);
        let ntp = (3_900_000_000 << 32) | (1 << 31);
        wall.note(SenderReport { ssrc: 1, ntp, rtp: u32::MAX - 89_999, arrival: MediaTime::ZERO });
        let half = 3_900_000_000_500_000_000;
        assert_eq!(wall.at(u32::MAX - 89_999), Some(half));
        assert_eq!((wall.at(0), wall.at(u32::MAX - 179_999)), (Some(half + 1_000_000_000), Some(half - 1_000_000_000)));
        wall.note(SenderReport { ssrc: 1, ntp: 0, rtp: 0, arrival: MediaTime::ZERO });
        assert_eq!(wall.at(5), None);
        wall.note(SenderReport { ssrc: 1, ntp: u64::MAX, rtp: 0, arrival: MediaTime::ZERO });
        assert!(wall.at(u32::MAX / 2).is_some());
    }
}
