//! Where media leave and enter the stack: what came in goes to the session (media packets, requests for keyframes,
//! farewells), what the session sends comes from its outbox.
//!
//! Media pass here rather than through the stack's tracks. Those take only streams that the offer declares, drop packets
//! silently, and wake the stack's task for each packet; this takes any stream by its payload type, counts what it drops,
//! and wakes it once for a picture.

use bytes::Bytes;
use rtc::interceptor::{Attribute, AttributedPacket, Packet, TaggedPacket};
use rtc::rtcp;
use rtc::rtcp::goodbye::Goodbye;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::shared::TransportContext;
use tokio::sync::mpsc;

use super::super::offer::Kind;
use super::super::pacing::Said;
use super::super::redundant::{self, Redundant};
use super::Work;
use super::streams::Streams;
use crate::media::{Clock, MediaTime, RtpPacket, SenderReport};
use crate::metrics::Metrics;

/// What the session hears from the client.
#[derive(Debug)]
pub(in super::super) enum Inbound {
    /// A media packet.
    Media(Kind, RtpPacket),
    /// What the client says of a stream's clock.
    Report(SenderReport),
    /// The client cannot go on without a keyframe (PLI or FIR).
    KeyframeWanted,
    /// What it says of what it got.
    Said(Said),
    /// Streams that the client ends (RFC 3550 §6.6).
    Goodbye(Vec<u32>),
}

/// The last link: nothing passes it.
#[derive(Debug)]
pub(in super::super) struct Tap {
    /// The payload types that media come with.
    pub(in super::super) audio: Option<u8>,
    /// Sound that repeats what came before it (RFC 2198).
    pub(in super::super) red: Option<u8>,
    pub(in super::super) video: Option<u8>,
    /// The layers of the pictures.
    pub(in super::super) streams: Streams,
    pub(in super::super) clock: Clock,
    pub(in super::super) metrics: Metrics,
    /// To the session; what it cannot take is dropped and counted.
    pub(in super::super) session: mpsc::Sender<Inbound>,
    /// From the session: leaves when the stack's task next looks for what is to be sent.
    pub(in super::super) outbox: mpsc::Receiver<Packet>,
}

impl Work for Tap {
    fn inbound(&mut self, packet: TaggedPacket) -> Option<TaggedPacket> {
        let arrival = self.clock.at(packet.now);
        let resent = packet.message.has(&Attribute::Retransmission);
        match packet.message.packet {
            Packet::Rtp(rtp) => self.take(rtp, resent, arrival)?,
            Packet::Rtcp(packets) => packets.iter().filter_map(|p| heard(p.as_ref(), arrival)).for_each(|r| self.hand_over(r)),
            _ => {}
        }
        None
    }

    fn own(&mut self) -> Option<TaggedPacket> {
        let packet = self.outbox.try_recv().ok()?;
        let now = self.clock.instant(self.clock.now());
        Some(TaggedPacket { now, transport: TransportContext::default(), message: AttributedPacket::new(packet) })
    }
}

impl Tap {
    fn take(&mut self, packet: rtc::rtp::Packet, resent: bool, arrival: MediaTime) -> Option<()> {
        let rtc::rtp::Packet { header, payload } = packet;
        if Some(header.payload_type) == self.red {
            return self.take_redundant(&header, &payload, arrival);
        }
        let kind = self.kind_of(header.payload_type)?;
        let layer = if kind == Kind::Video { self.streams.layer_of(&header)? } else { 0 };
        let (sequence, timestamp, marker, ssrc) = (header.sequence_number, header.timestamp, header.marker, header.ssrc);
        self.hand_over(Inbound::Media(kind, RtpPacket { sequence, timestamp, marker, ssrc, layer, resent, payload, arrival }));
        Some(())
    }

    /// The repeated first: where they fill a gap, they come before what follows it.
    fn take_redundant(&mut self, header: &rtc::rtp::Header, payload: &Bytes, arrival: MediaTime) -> Option<()> {
        let Some(Redundant { primary, repeated }) = redundant::blocks(payload, self.audio?) else {
            self.metrics.count_dropped("malformed_red");
            return None;
        };
        let (marker, ssrc) = (header.marker, header.ssrc);
        for block in repeated {
            let (sequence, timestamp) = (header.sequence_number.wrapping_sub(block.back), header.timestamp.wrapping_sub(block.earlier));
            let payload = block.payload;
            let packet = RtpPacket { sequence, timestamp, marker: false, ssrc, layer: 0, resent: true, payload, arrival };
            self.hand_over(Inbound::Media(Kind::Audio, packet));
        }
        let (sequence, timestamp) = (header.sequence_number, header.timestamp);
        let packet = RtpPacket { sequence, timestamp, marker, ssrc, layer: 0, resent: false, payload: primary, arrival };
        self.hand_over(Inbound::Media(Kind::Audio, packet));
        Some(())
    }

    fn kind_of(&self, payload_type: u8) -> Option<Kind> {
        match Some(payload_type) {
            pt if pt == self.audio => Some(Kind::Audio),
            pt if pt == self.video => Some(Kind::Video),
            _ => None,
        }
    }

    fn hand_over(&self, inbound: Inbound) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.session.try_send(inbound) {
            self.metrics.count_dropped("session_behind");
        }
    }
}

fn heard(packet: &dyn rtcp::Packet, arrival: MediaTime) -> Option<Inbound> {
    let any = packet.as_any();
    if any.is::<PictureLossIndication>() || any.is::<FullIntraRequest>() {
        return Some(Inbound::KeyframeWanted);
    }
    if let Some(report) = any.downcast_ref::<rtcp::sender_report::SenderReport>() {
        let (ssrc, ntp, rtp) = (report.ssrc, report.ntp_time, report.rtp_time);
        return Some(Inbound::Report(SenderReport { ssrc, ntp, rtp, arrival }));
    }
    any.downcast_ref::<Goodbye>().map(|goodbye| Inbound::Goodbye(goodbye.sources.clone()))
}

#[cfg(test)]
pub(super) mod tests {
    use bytes::Bytes;
    use rtc::rtp;

    use super::super::super::simulcast::Layers;
    use super::*;

    pub(in super::super) fn rtp(payload_type: u8, ssrc: u32, sequence_number: u16, payload: &'static [u8]) -> TaggedPacket {
        let header = rtp::Header { payload_type, ssrc, sequence_number, ..Default::default() };
        tagged(Packet::Rtp(rtp::Packet { header, payload: Bytes::from_static(payload) }))
    }

    pub(in super::super) fn tagged(packet: Packet) -> TaggedPacket {
        TaggedPacket {
            now: Clock::new().instant(Default::default()),
            transport: Default::default(),
            message: AttributedPacket::new(packet),
        }
    }

    fn tap() -> (Tap, mpsc::Receiver<Inbound>) {
        let (session, inbound) = mpsc::channel(4);
        let (_, outbox) = mpsc::channel(1);
        let streams = Streams::new(&Layers::single(None, None));
        (
            Tap {
                audio: Some(111),
                red: Some(63),
                video: Some(96),
                streams,
                clock: Clock::new(),
                metrics: Metrics::default(),
                session,
                outbox,
            },
            inbound,
        )
    }

    #[test]
    fn sound_that_repeats_the_one_before_it_is_two_packets_and_what_is_malformed_is_counted() {
        let (mut tap, mut inbound) = tap();
        tap.inbound(rtp(63, 1, 0, b"\xef\x0f\x00\x02\x6fabcd"));
        let mut next = || match inbound.try_recv() {
            Ok(Inbound::Media(Kind::Audio, packet)) => (packet.sequence, packet.timestamp, packet.resent, packet.payload),
            other => panic!("{other:?}"),
        };
        assert_eq!(next(), (65_535, 0u32.wrapping_sub(960), true, Bytes::from_static(b"ab")));
        assert_eq!(next(), (0, 0, false, Bytes::from_static(b"cd")));
        tap.inbound(rtp(63, 1, 1, b"\xef\x0f\x00\xff\x6fabcd"));
        assert!(inbound.try_recv().is_err());
    }

    #[test]
    fn media_are_told_apart_by_their_payload_type() {
        let (mut tap, mut inbound) = tap();
        assert!(tap.inbound(rtp(111, 1, 1, &[1])).is_none());
        tap.inbound(rtp(96, 2, 5, &[2]));
        tap.inbound(rtp(100, 3, 1, &[3]));
        assert!(matches!(inbound.try_recv(), Ok(Inbound::Media(Kind::Audio, _))));
        assert!(matches!(inbound.try_recv(), Ok(Inbound::Media(Kind::Video, RtpPacket { sequence: 5, .. }))));
        assert!(inbound.try_recv().is_err());
    }

    #[test]
    fn requests_and_farewells_reach_the_session_and_reports_do_not() {
        let (mut tap, mut inbound) = tap();
        let packets: Vec<Box<dyn rtcp::Packet>> = vec![
            Box::new(rtcp::receiver_report::ReceiverReport::default()),
            Box::new(PictureLossIndication::default()),
            Box::new(Goodbye { sources: vec![7], ..Default::default() }),
        ];
        tap.inbound(tagged(Packet::Rtcp(packets)));
        assert!(matches!(inbound.try_recv(), Ok(Inbound::KeyframeWanted)));
        assert!(matches!(inbound.try_recv(), Ok(Inbound::Goodbye(sources)) if sources == [7]));
        assert!(inbound.try_recv().is_err());
    }

    #[test]
    fn a_session_that_falls_behind_loses_packets_and_they_are_counted() {
        let (mut tap, _inbound) = tap();
        for n in 0..10 {
            tap.inbound(rtp(111, 1, n, &[1]));
        }
        assert!(tap.metrics.text().contains("medley_dropped_total{reason=\"session_behind\"} 6"));
    }
}
