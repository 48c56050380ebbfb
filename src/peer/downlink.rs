//! What goes to one client: the room's pictures and sounds as packets.
//!
//! In: encoded pictures and sounds. Out: packets in the outbox, counted. Never: a picture before there is a connection; since the
//! last keyframe they wait for it.

use std::sync::Arc;

use rtc::interceptor::Packet;

use super::backlog::Backlog;
use super::outbox::Outbox;
use super::sending::Packetizer;
use crate::media::{EncodedPicture, EncodedSound, SentTraffic};
use crate::metrics::{ByMedia, Media};

/// One client's streams on their way out.
#[derive(Debug)]
pub(super) struct Downlink {
    audio: Option<Packetizer>,
    video: Option<Packetizer>,
    outbox: Outbox,
    traffic: Arc<SentTraffic>,
    backlog: Backlog,
    is_open: bool,
}

impl Downlink {
    /// Closed at first.
    pub(super) fn new(audio: Option<Packetizer>, video: Option<Packetizer>, outbox: Outbox, traffic: Arc<SentTraffic>) -> Self {
        Self { audio, video, outbox, traffic, backlog: Backlog::default(), is_open: false }
    }

    /// Opens it: the connection stands. Whether pictures are at hand that the client can begin with.
    pub(super) fn open(&mut self) -> bool {
        self.is_open = true;
        let Some(pictures) = self.backlog.take() else { return false };
        pictures.iter().for_each(|picture| self.send_picture(picture));
        true
    }

    /// Closes it: the connection is looked for again.
    pub(super) fn close(&mut self) {
        self.is_open = false;
    }

    /// Takes a picture.
    pub(super) fn picture(&mut self, picture: Arc<EncodedPicture>) {
        if self.is_open {
            self.send_picture(&picture);
        } else {
            self.backlog.push(picture);
        }
    }

    /// Takes a sound; without a connection nobody hears it.
    pub(super) fn sound(&mut self, sound: &EncodedSound) {
        if let (Some(packetizer), true) = (&mut self.audio, self.is_open) {
            let packet = packetizer.sound(sound);
            self.post(Media::Audio, std::iter::once(packet));
        }
    }

    fn send_picture(&mut self, picture: &EncodedPicture) {
        if let Some(packetizer) = &mut self.video {
            let packets: Vec<_> = packetizer.picture(picture).collect();
            self.post(Media::Video, packets.into_iter());
        }
    }

    /// Those that there is room for are counted.
    fn post(&self, media: Media, packets: impl Iterator<Item = rtc::rtp::Packet>) {
        let (mut sent, mut sent_bytes) = (0, 0);
        for packet in packets {
            let bytes = packet.payload.len();
            if self.outbox.put(Packet::Rtp(packet)) {
                self.traffic.count_packet(bytes);
                sent += 1;
                sent_bytes += bytes as u64;
            }
        }
        let metrics = &self.outbox.metrics;
        metrics.packets_sent.get_or_create(&ByMedia { media }).inc_by(sent);
        metrics.bytes_sent.get_or_create(&ByMedia { media }).inc_by(sent_bytes);
        self.outbox.send();
    }
}
