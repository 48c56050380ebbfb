//! Where a peer puts a sender's video packets.
//!
//! In: RTP packets, time. Out: access units to the pool, whose newest picture shows in a [`Latest`]; requests for keyframes.
//! Never: a decode on the caller's thread, a wait, or a picture of somebody who stopped sending.

use std::time::Duration;

use bytes::Bytes;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::mpsc;

use super::assemble::{Assembled, Assembler};
use super::keyframe::KeyframeGate;
use super::pool::{MakeDecoder, Pool, Strand};
use super::{Arc, Feedback, LipSync};
use crate::codec::h264;
use crate::flow::Latest;
use crate::media::{Demand, MediaTime, Picture, RtpPacket, SenderReport, Traffic};
use crate::metrics::{ByMedia, Media, Metrics};

#[cfg(test)]
mod tests;

/// The picture of a sender that is silent for so long is forgotten; a shared screen that stands still sends once a second.
pub(super) const FORGET_AFTER: Duration = Duration::from_secs(5);
/// Requests that wait for the peer's task at most; more say nothing new.
const FEEDBACK_QUEUE: usize = 4;

/// Where a peer puts a sender's video packets. One task owns it.
#[derive(Debug)]
pub struct VideoIntake {
    assembler: Assembler,
    gate: KeyframeGate,
    strand: Strand,
    picture: Arc<Latest<Picture>>,
    traffic: Arc<Traffic>,
    demand: Arc<Demand>,
    sync: Arc<LipSync>,
    feedback: mpsc::Sender<Feedback>,
    /// When media last came; `None` once it is forgotten.
    heard: Option<MediaTime>,
    received: Counter,
    received_bytes: Counter,
    lost: Counter,
    requested: Counter,
}

impl VideoIntake {
    /// An intake, where its newest picture shows, and what it asks of the sender.
    pub fn open(pool: &Arc<Pool>, metrics: Metrics, sync: Arc<LipSync>) -> (Self, Arc<Latest<Picture>>, mpsc::Receiver<Feedback>) {
        Self::open_with(pool, &metrics, sync, Box::new(|| Box::new(h264::Decoder::new())))
    }

    pub(super) fn open_with(
        pool: &Arc<Pool>,
        metrics: &Metrics,
        sync: Arc<LipSync>,
        make: MakeDecoder,
    ) -> (Self, Arc<Latest<Picture>>, mpsc::Receiver<Feedback>) {
        let by_video = ByMedia { media: Media::Video };
        let (feedback, asked) = mpsc::channel(FEEDBACK_QUEUE);
        let (picture, traffic) = (Arc::<Latest<Picture>>::default(), Arc::<Traffic>::default());
        let intake = Self {
            assembler: Assembler::default(),
            gate: KeyframeGate::default(),
            strand: pool.strand(make, picture.clone(), traffic.clone()),
            picture: picture.clone(),
            traffic,
            demand: Arc::default(),
            sync,
            feedback,
            heard: None,
            received: metrics.packets_received.get_or_create(&by_video).clone(),
            received_bytes: metrics.bytes_received.get_or_create(&by_video).clone(),
            lost: metrics.packets_lost.get_or_create(&by_video).clone(),
            requested: metrics.keyframes_requested.clone(),
        };
        (intake, picture, asked)
    }

    /// What comes, counted.
    pub fn traffic(&self) -> Arc<Traffic> {
        self.traffic.clone()
    }

    /// What is wanted of the pictures, to be kept up to date by whoever shows them.
    pub fn demand(&self) -> Arc<Demand> {
        self.demand.clone()
    }

    /// Takes a measured round trip to the sender.
    pub fn note_round_trip(&mut self, _round_trip: Duration) {
        // Owner: recovery
    }

    /// Takes what the sender says of the clock of one of its layers' streams.
    pub fn note_report(&mut self, _layer: u8, _report: SenderReport) {
        // Owner: recovery
        let _ = &self.sync;
    }

    /// Takes SPS and PPS given in the offer (RFC 6184 §8.1, `sprop-parameter-sets`).
    pub fn parameter_sets(&mut self, nal_units: Vec<Bytes>) {
        self.assembler.parameter_sets(nal_units.iter().map(Bytes::as_ref));
    }

    /// Takes one packet, in whatever order and however often it comes.
    pub fn push(&mut self, packet: RtpPacket) {
        let now = packet.arrival;
        self.received.inc();
        self.received_bytes.inc_by(packet.payload.len() as u64);
        self.traffic.count_packet(packet.payload.len());
        if !packet.payload.is_empty() {
            self.heard = Some(now);
        }
        self.assembler.push(packet);
        self.drain(now);
    }

    /// Lets time pass: gives up on missing packets, asks again for a keyframe, forgets the picture of a sender that stopped.
    /// To be called at least every 50 ms.
    pub fn advance(&mut self, now: MediaTime) {
        self.drain(now);
        if self.heard.is_some_and(|heard| now.since(heard) >= FORGET_AFTER) {
            self.heard = None;
            self.picture.clear();
        }
    }

    fn drain(&mut self, now: MediaTime) {
        while let Some(assembled) = self.assembler.poll(now) {
            match assembled {
                Assembled::Gap { lost } => {
                    self.lost.inc_by(lost);
                    self.traffic.count_lost(lost);
                    self.gate.shut();
                }
                Assembled::Unit(unit) if self.gate.admits(&unit) => self.strand.push(unit),
                Assembled::Unit(_) => {}
            }
        }
        // Whoever sends nothing is not asked: a muted camera is no fault.
        if self.heard.is_some() && self.gate.asks(now, self.strand.waits_for_keyframe()) {
            self.ask();
        }
    }

    fn ask(&mut self) {
        if self.feedback.try_send(Feedback::KeyframeNeeded { layer: 0 }).is_ok() {
            self.requested.inc();
        }
    }
}
