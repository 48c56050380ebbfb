//! What comes from one client: its packets on their way to the room, and what the room asks of it.
//!
//! In: packets and reports from the tap, wishes of the intakes, time. Out: packets in the seat's intakes, RTCP to the client: receiver
//! reports on each of its streams once a second, and with them how much it may send. Never: a wish about a stream that nothing has
//! come of.

use std::time::Duration;

use rtc::interceptor::Packet;
use rtc::rtcp;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers};

use super::offer::Kind;
use super::outbox::Outbox;
use super::reception::Reception;
use super::simulcast::MOST_LAYERS;
use crate::ingest::{AudioIntake, Feedback, VideoIntake};
use crate::media::{MediaTime, RtpPacket, SenderReport};

/// How often a client hears of its streams.
const TELLING: Duration = Duration::from_secs(1);
/// What sound takes of a limit that counts all streams, in bits a second: Opus at its best for voice, once repeated (RFC 2198), and
/// its packets' headers.
const SOUND_BPS: u32 = 130_000;
const PICTURE_CLOCK: u32 = 90_000;
const SOUND_CLOCK: u32 = 48_000;

/// One client's streams on their way in.
#[derive(Debug)]
pub(super) struct Uplink {
    video: Option<VideoIntake>,
    audio: Option<AudioIntake>,
    /// Who asks: one of our own streams, where there is one.
    asker: u32,
    /// The stream of each simulcast layer, once something has come of it.
    layers: [Option<Reception>; MOST_LAYERS],
    sound: Option<Reception>,
    /// The client takes REMB.
    takes_remb: bool,
    /// What its pictures may have at most, in bits a second.
    limit_bps: Option<u32>,
    told: MediaTime,
}

impl Uplink {
    /// Into these intakes; what is asked is asked in the name of `asker`.
    pub(super) fn new(video: Option<VideoIntake>, audio: Option<AudioIntake>, asker: u32, takes_remb: bool) -> Self {
        let (layers, sound, limit_bps, told) = Default::default();
        Self { video, audio, asker, layers, sound, takes_remb, limit_bps, told }
    }

    /// Takes a media packet.
    pub(super) fn take(&mut self, kind: Kind, packet: RtpPacket) {
        match kind {
            Kind::Audio => {
                note(&mut self.sound, &packet, SOUND_CLOCK);
                if let Some(intake) = &mut self.audio {
                    intake.push(packet);
                }
            }
            Kind::Video => {
                let Some(layer) = self.layers.get_mut(usize::from(packet.layer)) else { return };
                note(layer, &packet, PICTURE_CLOCK);
                if let Some(intake) = &mut self.video {
                    intake.push(packet);
                }
            }
        }
    }

    /// Takes what the client says of a stream's clock.
    pub(super) fn report(&mut self, report: SenderReport) {
        if let Some(sound) = self.sound.as_mut().filter(|sound| sound.ssrc() == report.ssrc) {
            sound.note_report(&report);
            self.audio.iter_mut().for_each(|intake| intake.note_report(report));
        }
        for (layer, stream) in (0..).zip(&mut self.layers) {
            let Some(stream) = stream.as_mut().filter(|stream| stream.ssrc() == report.ssrc) else { continue };
            stream.note_report(&report);
            self.video.iter_mut().for_each(|intake| intake.note_report(layer, report));
        }
    }

    /// When time is to pass at the latest; `None` where nothing is awaited.
    pub(super) fn next_deadline(&self) -> Option<MediaTime> {
        self.video.as_ref().and_then(VideoIntake::next_deadline)
    }

    /// Takes a round trip to the client.
    pub(super) fn note_round_trip(&mut self, round_trip: Duration) {
        self.video.iter_mut().for_each(|intake| intake.note_round_trip(round_trip));
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, now: MediaTime, outbox: &Outbox) {
        if let Some(intake) = &mut self.video {
            intake.advance(now);
        }
        if now.since(self.told) >= TELLING {
            self.told = now;
            self.tell(now, outbox);
        }
    }

    /// Asks the client for what an intake wants.
    pub(super) fn ask(&mut self, feedback: Feedback, outbox: &Outbox) {
        match feedback {
            Feedback::KeyframeNeeded { layer } => {
                let Some(media_ssrc) = self.stream_of(layer) else { return };
                outbox.put(Packet::Rtcp(vec![Box::new(PictureLossIndication { sender_ssrc: self.asker, media_ssrc })]));
            }
            Feedback::Limit { bps, .. } => {
                self.limit_bps = Some(bps);
                self.remb().map(|remb| outbox.put(Packet::Rtcp(vec![remb])));
            }
            Feedback::Resend { layer, sequences } => {
                let Some(media_ssrc) = self.stream_of(layer) else { return };
                let nacks = nack_pairs_from_sequence_numbers(&sequences);
                outbox.put(Packet::Rtcp(vec![Box::new(TransportLayerNack { sender_ssrc: self.asker, media_ssrc, nacks })]));
            }
        }
        outbox.send();
    }

    fn stream_of(&self, layer: u8) -> Option<u32> {
        self.layers.get(usize::from(layer))?.as_ref().map(Reception::ssrc)
    }

    fn tell(&mut self, now: MediaTime, outbox: &Outbox) {
        let streams = self.layers.iter_mut().flatten().chain(&mut self.sound);
        let reports: Vec<_> = streams.map(|stream| stream.block(now)).collect();
        if reports.is_empty() {
            return;
        }
        let report: Box<dyn rtcp::Packet> = Box::new(ReceiverReport { ssrc: self.asker, reports, ..Default::default() });
        outbox.put(Packet::Rtcp([report].into_iter().chain(self.remb()).collect()));
        outbox.send();
    }

    /// The limit as REMB says it (draft-alvestrand-rmcat-remb-03 §2.2), which counts all streams.
    fn remb(&self) -> Option<Box<dyn rtcp::Packet>> {
        let limit_bps = self.limit_bps.filter(|_| self.takes_remb)?;
        let sound = if self.sound.is_some() { SOUND_BPS } else { 0 };
        let ssrcs = self.layers.iter().flatten().chain(&self.sound).map(Reception::ssrc).collect();
        Some(Box::new(ReceiverEstimatedMaximumBitrate { sender_ssrc: self.asker, bitrate: limit_bps.saturating_add(sound) as f32, ssrcs }))
    }
}

fn note(stream: &mut Option<Reception>, packet: &RtpPacket, clock_rate: u32) {
    match stream.as_mut().filter(|stream| stream.ssrc() == packet.ssrc) {
        Some(stream) => stream.note(packet),
        None => *stream = Some(Reception::begin(packet, clock_rate)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use tokio::sync::mpsc;

    use super::super::mailbox::Mailbox;
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn missing_packets_are_asked_for_across_a_wrap_in_pairs_of_the_streams_own_numbers() {
        let (packets, mut sent) = mpsc::channel(4);
        let outbox = Outbox { packets, mailbox: Arc::new(Mailbox::new(1)), metrics: Metrics::default() };
        let mut uplink = Uplink::new(None, None, 7, false);
        let wish = Feedback::Resend { layer: 2, sequences: vec![65_534, 65_535, 1, 9] };
        uplink.ask(wish.clone(), &outbox);
        assert!(sent.try_recv().is_err(), "nothing came of that stream yet");
        let (payload, arrival) = (Bytes::new(), MediaTime::ZERO);
        let packet = RtpPacket { sequence: 1, timestamp: 0, marker: false, ssrc: 9, layer: 2, resent: false, payload, arrival };
        uplink.take(Kind::Video, packet);
        uplink.ask(wish, &outbox);
        let Ok(Packet::Rtcp(asked)) = sent.try_recv() else { panic!("no RTCP") };
        let nack = asked[0].as_any().downcast_ref::<TransportLayerNack>().unwrap();
        let numbers: Vec<u16> = nack.nacks.iter().flat_map(|pair| pair.packet_list()).collect();
        assert_eq!((nack.sender_ssrc, nack.media_ssrc, numbers), (7, 9, vec![65_534, 65_535, 1, 9]));
    }
}
