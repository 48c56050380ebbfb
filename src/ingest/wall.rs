//! A sender's wall clock, as its reports map the RTP time of a stream to it (RFC 3550 §6.4.1).
//!
//! In: a report, and an RTP time near it. Out: the sender's wall-clock time of that. Never: a time that means anything by itself:
//! the clock may be wrong by years, and both media of one sender go by it.

use crate::media::SenderReport;

/// Farther from its report an RTP time belongs to another stretch of the stream: a minute and a half.
const FARTHEST_SECONDS: i64 = 90;

/// The sender's wall-clock time of `rtp`, in nanoseconds, where the report still tells it. The clock of the stream has `rate` hertz.
pub(super) fn wall_nanos(report: &SenderReport, rtp: u32, rate: u32) -> Option<i64> {
    let since = i64::from(rtp.wrapping_sub(report.rtp) as i32);
    if since.abs() > FARTHEST_SECONDS * i64::from(rate) {
        return None;
    }
    // Signed, the seconds go on where the 32 bits of NTP's era end in 2036.
    let seconds = i64::from((report.ntp >> 32) as u32 as i32);
    let fraction = (((report.ntp & 0xffff_ffff) * 1_000_000_000) >> 32) as i64;
    Some(seconds * 1_000_000_000 + fraction + since * 1_000_000_000 / i64::from(rate))
}

/// One stream's clock of 90 kHz against its sender's wall clock.
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

    /// When this RTP time was, in nanoseconds of the sender's wall clock; `None` without a report that tells it.
    pub(super) fn at(&self, timestamp: u32) -> Option<i64> {
        wall_nanos(self.newest.as_ref()?, timestamp, 90_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::MediaTime;

    fn report(seconds: u32, fraction: u32, rtp: u32) -> SenderReport {
        SenderReport { ssrc: 1, ntp: u64::from(seconds) << 32 | u64::from(fraction), rtp, arrival: MediaTime::ZERO }
    }

    #[test]
    fn time_goes_on_where_rtp_and_ntp_wrap() {
        let before = wall_nanos(&report(u32::MAX, 1 << 31, u32::MAX - 479), 480, 48_000).unwrap();
        let after = wall_nanos(&report(0, 0, 23_520), 480, 48_000).unwrap();
        assert_eq!(before, -1_000_000_000 + 500_000_000 + 20_000_000);
        assert_eq!(before, after);
    }

    #[test]
    fn a_report_of_long_ago_tells_nothing() {
        assert_eq!(wall_nanos(&report(5, 0, 0), 48_000 * 91, 48_000), None);
        assert_eq!(wall_nanos(&report(5, 0, 48_000 * 10), 0, 48_000), Some(-5_000_000_000));
        assert_eq!(wall_nanos(&report(5, 0, 0), 1 << 31, 90_000), None);
    }

    #[test]
    fn the_newest_report_counts_and_one_without_a_wall_clock_tells_nothing() {
        let mut wall = WallClock::default();
        assert_eq!(wall.at(5), None);
        wall.note(report(5, 0, u32::MAX - 89_999));
        assert_eq!(
            [u32::MAX - 89_999, 0, u32::MAX - 179_999].map(|rtp| wall.at(rtp)),
            [5, 6, 4].map(|second| Some(second * 1_000_000_000))
        );
        wall.note(report(0, 0, 0));
        assert_eq!(wall.at(5), None);
    }
}
