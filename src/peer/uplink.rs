//! What comes from one client: its packets on their way to the room, and what the room asks of it.
//!
//! In: packets and reports from the tap, wishes of the intakes, time. Out: packets in the seat's intakes, RTCP to the client.
//! Never: a wish about a stream that nothing has come of.

use std::collections::BTreeMap;
use std::time::Duration;

use rtc::interceptor::Packet;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers};

use super::offer::Kind;
use super::outbox::Outbox;
use crate::ingest::{AudioIntake, Feedback, VideoIntake};
use crate::media::{MediaTime, RtpPacket, SenderReport};

/// One client's streams on their way in.
#[derive(Debug)]
pub(super) struct Uplink {
    video: Option<VideoIntake>,
    audio: Option<AudioIntake>,
    /// Who asks: one of our own streams, where there is one.
    asker: u32,
    /// The stream of each simulcast layer that something has come of.
    layers: BTreeMap<u8, u32>,
    sound: Option<u32>,
}

impl Uplink {
    /// Into these intakes; what is asked is asked in the name of `asker`.
    pub(super) fn new(video: Option<VideoIntake>, audio: Option<AudioIntake>, asker: u32) -> Self {
        Self { video, audio, asker, layers: BTreeMap::new(), sound: None }
    }

    /// Takes a media packet.
    pub(super) fn take(&mut self, kind: Kind, packet: RtpPacket) {
        match kind {
            Kind::Audio => {
                self.sound = Some(packet.ssrc);
                if let Some(intake) = &mut self.audio {
                    intake.push(packet);
                }
            }
            Kind::Video => {
                self.layers.insert(packet.layer, packet.ssrc);
                if let Some(intake) = &mut self.video {
                    intake.push(packet);
                }
            }
        }
    }

    /// Takes what the client says of a stream's clock.
    pub(super) fn report(&mut self, report: SenderReport) {
        if self.sound == Some(report.ssrc) {
            self.audio.iter_mut().for_each(|intake| intake.note_report(report));
        }
        let layer = self.layers.iter().find(|(_, ssrc)| **ssrc == report.ssrc);
        if let (Some(intake), Some((layer, _))) = (&mut self.video, layer) {
            intake.note_report(*layer, report);
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
    pub(super) fn advance(&mut self, now: MediaTime) {
        if let Some(intake) = &mut self.video {
            intake.advance(now);
        }
    }

    /// Asks the client for what an intake wants.
    pub(super) fn ask(&self, feedback: Feedback, outbox: &Outbox) {
        match feedback {
            Feedback::KeyframeNeeded { layer } => {
                let Some(&media_ssrc) = self.layers.get(&layer) else { return };
                outbox.put(Packet::Rtcp(vec![Box::new(PictureLossIndication { sender_ssrc: self.asker, media_ssrc })]));
            }
            Feedback::Resend { layer, sequences } => {
                let Some(&media_ssrc) = self.layers.get(&layer) else { return };
                let nacks = nack_pairs_from_sequence_numbers(&sequences);
                outbox.put(Packet::Rtcp(vec![Box::new(TransportLayerNack { sender_ssrc: self.asker, media_ssrc, nacks })]));
            }
            // Owner: simulcast
            Feedback::Limit { .. } => {}
        }
        outbox.send();
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
        let mut uplink = Uplink::new(None, None, 7);
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
