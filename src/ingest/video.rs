//! Where a peer puts a sender's video packets.
//!
//! In: RTP packets, time. Out: access units to the pool, whose pictures show in a [`Reel`]; requests for packets and
//! keyframes; the same units to whoever overhears them, also while nobody sees the sender and nothing is decoded.
//! Never: a decode on the caller's thread, a wait, or a picture of somebody who stopped sending.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::layer::Counts;
use super::pool::{MakeDecoder, Pool, Strand};
use super::presenting::Presenter;
use super::switch::Switch;
use super::wire::Wire;
use super::{Arc, Feedback, LipSync, ReceivedUnit};
use crate::codec::h264;
use crate::media::{Demand, MediaTime, Need, Reel, RtpPacket, SenderReport, Traffic};
use crate::metrics::Metrics;

#[cfg(test)]
mod tests;

/// The picture of a sender that is silent for so long is forgotten; a shared screen that stands still sends once a second.
pub(super) const FORGET_AFTER: Duration = Duration::from_secs(5);
/// A picture that stands still for so long, while something is known to be missing, is marked.
const STALL: Duration = Duration::from_secs(1);
/// So is that of a sender of whom nothing came for so long.
const SILENCE: Duration = Duration::from_secs(2);
/// Requests that wait for the peer's task at most; what there is no room for is asked again when it is due again.
const FEEDBACK_QUEUE: usize = 16;

/// Where a peer puts a sender's video packets. One task owns it.
#[derive(Debug)]
pub struct VideoIntake {
    layers: Switch,
    strand: Strand,
    picture: Arc<Reel>,
    counts: Counts,
    demand: Arc<Demand>,
    sync: Arc<LipSync>,
    feedback: mpsc::Sender<Feedback>,
    wire: Arc<Wire>,
    /// What comes goes to the wire alone: from when nobody sees the sender until the keyframe with which somebody does again.
    muffled: bool,
    /// When media last came; `None` once it is forgotten.
    heard: Option<MediaTime>,
    /// When a picture last went to the decoder.
    moved: MediaTime,
}

impl VideoIntake {
    /// An intake, where its newest picture shows, and what it asks of the sender.
    pub fn open(pool: &Arc<Pool>, metrics: Metrics, sync: Arc<LipSync>) -> (Self, Arc<Reel>, mpsc::Receiver<Feedback>) {
        Self::open_with(pool, &metrics, sync, Box::new(|| Box::new(h264::Decoder::new())))
    }

    pub(super) fn open_with(
        pool: &Arc<Pool>,
        metrics: &Metrics,
        sync: Arc<LipSync>,
        make: MakeDecoder,
    ) -> (Self, Arc<Reel>, mpsc::Receiver<Feedback>) {
        let (feedback, asked) = mpsc::channel(FEEDBACK_QUEUE);
        let (picture, counts) = (Arc::<Reel>::default(), Counts::of(metrics));
        let intake = Self {
            layers: Switch::new(counts.clone()),
            strand: pool.strand(make, Presenter::new(picture.clone(), counts.traffic.clone(), sync.clone())),
            picture: picture.clone(),
            counts,
            demand: Arc::default(),
            sync,
            feedback,
            wire: Arc::default(),
            muffled: false,
            heard: None,
            moved: MediaTime::ZERO,
        };
        (intake, picture, asked)
    }

    /// What comes, counted.
    pub fn traffic(&self) -> Arc<Traffic> {
        self.counts.traffic.clone()
    }

    /// What is wanted of the pictures, to be kept up to date by whoever shows them.
    pub fn demand(&self) -> Arc<Demand> {
        self.demand.clone()
    }

    /// What comes, for whoever overhears it.
    pub fn wire(&self) -> Arc<Wire> {
        self.wire.clone()
    }

    /// Takes a measured round trip to the sender.
    pub fn note_round_trip(&mut self, round_trip: Duration) {
        self.layers.note_round_trip(round_trip);
    }

    /// Takes what the sender says of the clock of one of its layers' streams.
    pub fn note_report(&mut self, layer: u8, report: SenderReport) {
        self.layers.note_report(layer, report);
    }

    /// The sender offers no retransmission: it is asked for keyframes only.
    pub fn never_ask_again(&mut self) {
        self.layers.never_ask_again();
    }

    /// Takes SPS and PPS given in the offer (RFC 6184 §8.1, `sprop-parameter-sets`).
    pub fn parameter_sets(&mut self, nal_units: Vec<Bytes>) {
        self.layers.parameter_sets(nal_units);
    }

    /// Takes one packet, in whatever order and however often it comes.
    pub fn push(&mut self, packet: RtpPacket) {
        let now = packet.arrival;
        self.counts.packet(&packet);
        if !packet.payload.is_empty() {
            self.heard = Some(now);
        }
        if self.layers.note(&packet) {
            self.choose(now);
        }
        self.layers.push(packet);
        self.drain(now);
    }

    /// When [`VideoIntake::advance`] is to be called at the latest; `None` where nothing is awaited.
    pub fn next_deadline(&self) -> Option<MediaTime> {
        self.layers.next_deadline()
    }

    /// Lets time pass: asks for missing packets and gives up on them, asks again for a keyframe, forgets the picture of a sender
    /// that stopped. To be called at least every 50 ms.
    pub fn advance(&mut self, now: MediaTime) {
        self.choose(now);
        if self.heard.is_some() && self.wire.take_keyframe_wish() {
            self.layers.want_keyframe();
        }
        self.drain(now);
        self.limit(now);
        if self.heard.is_some_and(|heard| now.since(heard) >= FORGET_AFTER) {
            self.heard = None;
            self.layers.forget();
            self.picture.clear();
            self.sync.show(None);
        }
        self.picture.note_stalled(self.is_stalled(now));
    }

    /// A sender that makes few pictures does not stall: what is missing is known, or nothing comes at all.
    fn is_stalled(&self, now: MediaTime) -> bool {
        let missing = now.since(self.moved) >= STALL && self.layers.waits(self.strand.waits_for_keyframe());
        missing || self.heard.is_some_and(|heard| now.since(heard) >= SILENCE)
    }

    fn choose(&mut self, now: MediaTime) {
        let (pictured, paused) = (!self.picture.is_empty(), self.layers.is_paused());
        let need = self.demand.get();
        let overheard_only = need == Need::Unseen && pictured && self.wire.is_open();
        if self.muffled && need != Need::Unseen {
            self.layers.want_keyframe();
        }
        self.muffled |= overheard_only;
        // Whom nobody sees is overheard in the best layer that comes
        self.layers.choose(now, if overheard_only { Need::Unknown } else { need }, pictured);
        if paused || self.muffled {
            // Who was not seen did not stand still
            self.moved = now;
        }
    }

    fn limit(&mut self, now: MediaTime) {
        let Some(limit) = self.heard.and_then(|_| self.layers.limit(now, self.demand.get())) else { return };
        match (&limit, self.feedback.try_send(limit.clone())) {
            (Feedback::Limit { bps, .. }, Ok(())) => self.counts.traffic.asked_bps.set(f64::from(*bps)),
            _ => self.layers.limit_again(),
        }
    }

    fn drain(&mut self, now: MediaTime) {
        while let Some(unit) = self.layers.poll(now) {
            self.moved = now;
            self.wire.picture(&unit);
            self.decode(unit);
        }
        let decoder_waits = !self.muffled && self.strand.waits_for_keyframe();
        while let Some(wish) = self.layers.wish(now, decoder_waits) {
            self.ask(wish);
        }
    }

    fn decode(&mut self, mut unit: ReceivedUnit) {
        if self.muffled && (self.demand.get() == Need::Unseen || !unit.keyframe) {
            self.counts.traffic.layer.set(f64::NAN);
            return;
        }
        if std::mem::take(&mut self.muffled) {
            // Who comes back was not frozen
            unit.timing.paused = true;
            self.layers.tell_layer();
        }
        self.strand.push(unit);
    }

    fn ask(&self, wish: Feedback) {
        let asked = wish.clone();
        if self.feedback.try_send(wish).is_ok() {
            self.counts.asked(&asked);
        }
    }
}
