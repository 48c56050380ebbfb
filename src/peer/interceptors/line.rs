//! What a client's reports say of its line (RFC 3550 §6.4.1): the part that it lost, and the round trip.
//!
//! In: our sender reports on their way out, the client's report blocks on their way in. Out: both figures, of one stream. A report
//! that answers no report of ours that we remember tells no round trip. Never: a packet held back or changed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rtc::interceptor::{Packet, TaggedPacket};
use rtc::rtcp::Packet as Report;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;

use super::Work;
use crate::media::{Clock, MediaTime, SentTraffic};
use crate::metrics::Metrics;

/// Reports of ours that are remembered: they go out once a second, and are answered within a few.
const REMEMBERED: usize = 8;

/// Reads the reports on one stream.
#[derive(Debug)]
pub(in super::super) struct LineReports {
    /// The stream that counts: the pictures, or the sound where there are none.
    pub(in super::super) ssrc: Option<u32>,
    /// Whether nothing tells the losses better: reports may count what was sent again as never lost.
    pub(in super::super) tells_loss: bool,
    pub(in super::super) clock: Clock,
    pub(in super::super) traffic: Arc<SentTraffic>,
    pub(in super::super) metrics: Metrics,
    /// The middle of our reports' NTP time, as the client repeats it, and when they left.
    pub(in super::super) ours: VecDeque<(u32, MediaTime)>,
}

impl Work for LineReports {
    fn inbound(&mut self, packet: TaggedPacket) -> Option<TaggedPacket> {
        if let Packet::Rtcp(reports) = &packet.message.packet {
            let arrival = self.clock.at(packet.now);
            let blocks = reports.iter().flat_map(|report| blocks(report.as_ref()));
            blocks.filter(|block| Some(block.ssrc) == self.ssrc).for_each(|block| self.note(block, arrival));
        }
        Some(packet)
    }

    fn outbound(&mut self, packet: TaggedPacket) -> TaggedPacket {
        if let Packet::Rtcp(reports) = &packet.message.packet {
            let ours = reports.iter().filter_map(|report| report.as_any().downcast_ref::<SenderReport>());
            for report in ours.filter(|report| Some(report.ssrc) == self.ssrc) {
                if self.ours.len() == REMEMBERED {
                    self.ours.pop_front();
                }
                self.ours.push_back(((report.ntp_time >> 16) as u32, self.clock.at(packet.now)));
            }
        }
        packet
    }
}

impl LineReports {
    fn note(&self, block: &ReceptionReport, arrival: MediaTime) {
        if self.tells_loss {
            self.traffic.note_loss(f32::from(block.fraction_lost) / 256.0);
        }
        // Looked up rather than computed, so that no clock's change and no invented time counts
        let Some((_, left)) = self.ours.iter().rev().find(|(ntp, _)| *ntp == block.last_sender_report) else { return };
        let held = Duration::from_secs_f64(f64::from(block.delay) / 65_536.0);
        let round_trip = arrival.since(*left).saturating_sub(held);
        self.traffic.note_rtt(round_trip);
        self.metrics.round_trip_seconds.observe(round_trip.as_secs_f64());
    }
}

/// A client that sends, too, puts its blocks into its sender reports.
pub(super) fn blocks(report: &dyn Report) -> &[ReceptionReport] {
    let any = report.as_any();
    let of_receiver = any.downcast_ref::<ReceiverReport>().map(|report| &report.reports);
    of_receiver.or_else(|| any.downcast_ref::<SenderReport>().map(|report| &report.reports)).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::super::tap::tests::tagged;
    use super::*;

    const NTP: u64 = 0xaaaa_1234_5678_bbbb;

    fn line() -> LineReports {
        LineReports {
            ssrc: Some(7),
            tells_loss: true,
            clock: Clock::new(),
            traffic: Arc::default(),
            metrics: Metrics::default(),
            ours: VecDeque::new(),
        }
    }

    fn at(line: &LineReports, millis: u64, report: Box<dyn Report>) -> TaggedPacket {
        let mut packet = tagged(Packet::Rtcp(vec![report]));
        packet.now = line.clock.instant(MediaTime::from_millis(millis));
        packet
    }

    fn send(line: &mut LineReports, millis: u64, ssrc: u32, ntp_time: u64) {
        let packet = at(line, millis, Box::new(SenderReport { ssrc, ntp_time, ..Default::default() }));
        line.outbound(packet);
    }

    fn block(ssrc: u32, last_sender_report: u32, delay: u32) -> Vec<ReceptionReport> {
        vec![ReceptionReport { ssrc, fraction_lost: 64, last_sender_report, delay, ..Default::default() }]
    }

    fn hear(line: &mut LineReports, millis: u64, reports: Vec<ReceptionReport>) {
        let packet = at(line, millis, Box::new(ReceiverReport { ssrc: 1, reports, ..Default::default() }));
        assert!(line.inbound(packet).is_some(), "reports pass on");
    }

    #[test]
    fn a_round_trip_is_what_the_client_did_not_hold_the_report() {
        let mut line = line();
        send(&mut line, 1000, 7, NTP);
        hear(&mut line, 1582, block(7, 0x1234_5678, 32_768));
        assert_eq!(line.traffic.loss(), Some(0.25));
        assert!(line.traffic.rtt().unwrap().abs_diff(Duration::from_millis(82)) < Duration::from_micros(10));
    }

    #[test]
    fn a_client_that_sends_reports_in_its_sender_reports() {
        let mut line = line();
        send(&mut line, 1000, 7, NTP);
        let packet = at(&line, 1040, Box::new(SenderReport { ssrc: 1, reports: block(7, 0x1234_5678, 0), ..Default::default() }));
        line.inbound(packet);
        assert!(line.traffic.rtt().unwrap().abs_diff(Duration::from_millis(40)) < Duration::from_micros(10));
    }

    #[test]
    fn reports_on_other_streams_and_on_reports_that_never_were_tell_no_round_trip() {
        let mut line = line();
        send(&mut line, 1000, 9, NTP);
        hear(&mut line, 1100, block(9, 0x1234_5678, 0));
        assert_eq!((line.traffic.loss(), line.traffic.rtt()), (None, None));
        hear(&mut line, 1100, block(7, 0x1234_5678, 0));
        hear(&mut line, 1100, block(7, 0, 0));
        assert_eq!((line.traffic.loss(), line.traffic.rtt()), (Some(0.25), None));
    }

    #[test]
    fn a_delay_longer_than_the_trip_is_no_time_at_all() {
        let mut line = line();
        send(&mut line, 1000, 7, NTP);
        hear(&mut line, 1100, block(7, 0x1234_5678, u32::MAX));
        assert_eq!(line.traffic.rtt(), Some(Duration::ZERO));
    }

    #[test]
    fn a_late_answer_to_an_earlier_report_is_understood_and_a_very_late_one_ignored() {
        let mut line = line();
        (0..20u64).for_each(|n| send(&mut line, 1000 * n, 7, n << 16));
        assert_eq!(line.ours.len(), REMEMBERED);
        hear(&mut line, 19_500, block(7, 3, 0));
        assert_eq!(line.traffic.rtt(), None);
        hear(&mut line, 19_500, block(7, 15, 0));
        assert!(line.traffic.rtt().unwrap().abs_diff(Duration::from_millis(4500)) < Duration::from_micros(10));
    }
}
