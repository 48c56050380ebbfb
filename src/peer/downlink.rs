//! What goes to one client: the room's pictures and sounds as packets, each when it is its turn (`pacing`).
//!
//! In: encoded pictures and sounds, what the client says of what it got, time. Out: packets in the outbox, counted. Never: a picture
//! before there is a connection; since the last keyframe they wait for it.

use std::sync::Arc;

use rtc::interceptor::Packet;

use super::backlog::Backlog;
use super::outbox::Outbox;
use super::pacing::{Pacing, Said, What};
use crate::media::{EncodedPicture, EncodedSound, MediaTime, SentTraffic};
use crate::metrics::{ByMedia, Media};

/// One client's streams on their way out.
#[derive(Debug)]
pub(super) struct Downlink {
    pacing: Pacing,
    outbox: Outbox,
    traffic: Arc<SentTraffic>,
    backlog: Backlog,
    is_open: bool,
}

impl Downlink {
    /// Closed at first.
    pub(super) fn new(pacing: Pacing, outbox: Outbox, traffic: Arc<SentTraffic>) -> Self {
        Self { pacing, outbox, traffic, backlog: Backlog::default(), is_open: false }
    }

    /// Opens it: the connection stands. Whether pictures are at hand that the client can begin with.
    pub(super) fn open(&mut self, now: MediaTime) -> bool {
        self.is_open = true;
        let Some(pictures) = self.backlog.take() else { return false };
        pictures.into_iter().for_each(|picture| self.picture(picture, now));
        true
    }

    /// Closes it: the connection is looked for again.
    pub(super) fn close(&mut self) {
        self.is_open = false;
        self.pacing.close();
    }

    /// Takes a picture.
    pub(super) fn picture(&mut self, picture: Arc<EncodedPicture>, now: MediaTime) {
        if !self.is_open {
            return self.backlog.push(picture);
        }
        let lost = self.pacing.picture(picture, now);
        self.count_lost(lost);
        self.send(now);
    }

    /// Takes a sound; without a connection nobody hears it.
    pub(super) fn sound(&mut self, sound: &EncodedSound, now: MediaTime) {
        if self.is_open {
            self.pacing.sound(sound);
            self.send(now);
        }
    }

    /// Takes what the client says of what it got.
    pub(super) fn hear(&mut self, said: Said, now: MediaTime) {
        let lost = match said {
            Said::Lacks(sequences) => {
                self.traffic.requested.add(sequences.len() as u64);
                let too_many = self.pacing.hear(Said::Lacks(sequences), now);
                (0..too_many).for_each(|_| self.outbox.metrics.count_dropped("resend_budget"));
                0
            }
            said => self.pacing.hear(said, now),
        };
        self.count_lost(lost);
        self.note_estimate();
        self.send(now);
    }

    /// Lets time pass: to be called at least every 50 ms. Whether a keyframe is to be asked for on the client's behalf.
    pub(super) fn advance(&mut self, now: MediaTime) -> bool {
        if !self.is_open {
            return false;
        }
        let lost = self.pacing.advance(self.traffic.rtt(), self.traffic.wanted_bps.get(), now);
        self.count_lost(lost);
        self.note_estimate();
        self.send(now);
        self.pacing.wants_keyframe(now)
    }

    /// When to call [`Downlink::send`], where something waits.
    pub(super) fn deadline(&self, now: MediaTime) -> Option<MediaTime> {
        self.pacing.deadline(now).filter(|_| self.is_open)
    }

    /// Sends what may leave.
    pub(super) fn send(&mut self, now: MediaTime) {
        let mut any = false;
        while let Some((what, packet)) = self.pacing.next(now) {
            any = true;
            let bytes = packet.payload.len();
            // Those that there is room for are counted
            if self.outbox.put(Packet::Rtp(packet)) {
                self.count(what, bytes);
            }
        }
        if any {
            self.outbox.send();
        }
        if let Some(waited) = self.pacing.waited.take() {
            self.traffic.pacer_ms.set(waited.as_secs_f64() * 1e3);
        }
    }

    /// Before anything is known of the line, nothing is told.
    fn note_estimate(&self) {
        if self.pacing.is_known() {
            self.traffic.estimate_bps.set(self.pacing.media_bps());
        }
        self.pacing.told_loss().into_iter().for_each(|loss| self.traffic.note_loss(loss as f32));
    }

    fn count(&self, what: What, bytes: usize) {
        let metrics = &self.outbox.metrics;
        let media = if what == What::Sound { Media::Audio } else { Media::Video };
        self.traffic.count_packet(bytes);
        metrics.packets_sent.get_or_create(&ByMedia { media }).inc();
        metrics.bytes_sent.get_or_create(&ByMedia { media }).inc_by(bytes as u64);
        match what {
            What::Sound | What::Picture => {}
            What::Again => {
                self.traffic.resent.add(1);
                metrics.packets_resent.inc();
            }
            What::Probe => {
                self.traffic.probed_bytes.add(bytes as u64);
                metrics.probe_bytes.inc_by(bytes as u64);
            }
        }
    }

    fn count_lost(&self, pictures: usize) {
        (0..pictures).for_each(|_| self.outbox.metrics.count_dropped("viewer_line_slow"));
    }
}
