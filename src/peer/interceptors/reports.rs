//! Puts both streams' sender reports (RFC 3550 §6.4.1) on the room's one time line, so that receivers play them in step.
//!
//! The stack takes the time a packet left for the time it was captured, and so mistakes the difference between encoding a
//! picture and encoding a sound for a difference between the two.

use rtc::interceptor::{Packet, TaggedPacket};
use rtc::rtcp::sender_report::SenderReport;

use super::Work;
use crate::media::Clock;

/// How one stream's RTP timestamps follow from media time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct TimeLine {
    pub(in super::super) ssrc: u32,
    /// Ticks a second.
    pub(in super::super) clock_rate: u32,
    /// Added to `at.rtp(clock_rate)`.
    pub(in super::super) offset: u32,
}

/// Corrects the RTP time of the stack's reports.
#[derive(Debug)]
pub(in super::super) struct ReportClock {
    pub(in super::super) clock: Clock,
    pub(in super::super) streams: Vec<TimeLine>,
}

impl Work for ReportClock {
    fn outbound(&mut self, mut packet: TaggedPacket) -> TaggedPacket {
        let now = self.clock.at(packet.now);
        let Packet::Rtcp(reports) = &mut packet.message.packet else { return packet };
        for report in reports {
            let Some(sent) = report.as_any().downcast_ref::<SenderReport>() else { continue };
            let Some(stream) = self.streams.iter().find(|stream| stream.ssrc == sent.ssrc) else { continue };
            // The report's wall-clock time is that of `packet.now`
            *report = Box::new(SenderReport { rtp_time: now.rtp(stream.clock_rate).wrapping_add(stream.offset), ..sent.clone() });
        }
        packet
    }
}

#[cfg(test)]
mod tests {
    use super::super::tap::tests::tagged;
    use super::*;
    use crate::media::MediaTime;

    #[test]
    fn a_report_maps_its_wall_clock_time_to_the_rooms_media_time() {
        let clock = Clock::new();
        let mut reports = ReportClock { clock, streams: vec![TimeLine { ssrc: 7, clock_rate: 90_000, offset: 11 }] };
        let report = SenderReport { ssrc: 7, ntp_time: 5, rtp_time: 1, packet_count: 3, ..Default::default() };
        let mut packet = tagged(Packet::Rtcp(vec![Box::new(report)]));
        packet.now = clock.instant(MediaTime::from_millis(2000));
        let Packet::Rtcp(sent) = reports.outbound(packet).message.packet else { panic!("no RTCP") };
        let sent = sent[0].as_any().downcast_ref::<SenderReport>().unwrap();
        assert_eq!((sent.rtp_time, sent.ntp_time, sent.packet_count), (180_011, 5, 3));
    }
}
