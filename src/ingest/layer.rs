//! One stream of pictures: a sender's only one, or one of its simulcast layers.
//!
//! In: its packets, its sender's reports, round trips, time. Out: access units that are fit for a decoder, in order, and what is
//! to be asked of the sender. Never: a codec, a clock, or another layer's packets.

use std::time::Duration;

use bytes::Bytes;
use prometheus_client::metrics::counter::Counter;

use super::assemble::{Assembled, Assembler, ReceivedUnit};
use super::interarrival::Interarrival;
use super::keyframe::KeyframeGate;
use super::nack::Fates;
use super::playout::Playout;
use super::wall::WallClock;
use super::{Arc, Feedback, Timing};
use crate::media::{MediaTime, RtpPacket, SenderReport, Traffic};
use crate::metrics::{ByMedia, Media, Metrics};

/// What all of a sender's layers are counted in.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    pub(super) traffic: Arc<Traffic>,
    received: Counter,
    received_bytes: Counter,
    lost: Counter,
    keyframes_asked: Counter,
    requested: Counter,
    recovered: Counter,
}

impl Counts {
    /// The counters of one sender's pictures.
    pub(super) fn of(metrics: &Metrics) -> Self {
        let by_video = ByMedia { media: Media::Video };
        Self {
            traffic: Arc::default(),
            received: metrics.packets_received.get_or_create(&by_video).clone(),
            received_bytes: metrics.bytes_received.get_or_create(&by_video).clone(),
            lost: metrics.packets_lost.get_or_create(&by_video).clone(),
            keyframes_asked: metrics.keyframes_requested.clone(),
            requested: metrics.retransmissions_requested.get_or_create(&by_video).clone(),
            recovered: metrics.retransmissions_received.get_or_create(&by_video).clone(),
        }
    }

    /// Counts one packet, of whichever layer.
    pub(super) fn packet(&self, packet: &RtpPacket) {
        self.received.inc();
        self.received_bytes.inc_by(packet.payload.len() as u64);
        self.traffic.count_packet(packet.payload.len());
    }

    /// Counts what was asked.
    pub(super) fn asked(&self, feedback: &Feedback) {
        match feedback {
            Feedback::KeyframeNeeded { .. } => {
                self.keyframes_asked.inc();
                self.traffic.keyframes_asked.add(1);
            }
            Feedback::Resend { sequences, .. } => {
                self.requested.inc_by(sequences.len() as u64);
                self.traffic.requested.add(sequences.len() as u64);
            }
            Feedback::Limit { .. } => {}
        }
    }

    fn fates(&self, Fates { recovered, late }: Fates) {
        self.recovered.inc_by(recovered);
        self.traffic.recovered.add(recovered);
        self.traffic.late.add(late);
    }

    fn lost(&self, packets: u64) {
        self.lost.inc_by(packets);
        self.traffic.count_lost(packets);
    }
}

/// One stream of pictures.
#[derive(Debug)]
pub(super) struct Layer {
    index: u8,
    assembler: Assembler,
    gate: KeyframeGate,
    counts: Counts,
    jitter: Interarrival,
    playout: Playout,
    wall: WallClock,
    /// The unit before, where nothing was missing since.
    before: Option<u32>,
    /// Something came, so that there is somebody to ask.
    heard: bool,
}

/// A sender that sends no picture for so long, in RTP ticks, makes a pause of its own.
const PAUSE: u32 = 90_000;

impl Layer {
    /// The layer of this place in the offer.
    pub(super) fn new(index: u8, counts: Counts) -> Self {
        Self {
            index,
            assembler: Assembler::default(),
            gate: KeyframeGate::default(),
            counts,
            jitter: Interarrival::default(),
            playout: Playout::default(),
            wall: WallClock::default(),
            before: None,
            heard: false,
        }
    }

    /// Takes SPS and PPS given in the offer.
    pub(super) fn parameter_sets(&mut self, nal_units: &[Bytes]) {
        self.assembler.parameter_sets(nal_units.iter().map(Bytes::as_ref));
    }

    /// Takes a measured round trip to the sender.
    pub(super) fn note_round_trip(&mut self, round_trip: Duration) {
        self.assembler.packets().note_round_trip(round_trip);
    }

    /// The sender offers no retransmission: nothing is asked for but keyframes.
    pub(super) fn never_ask_again(&mut self) {
        self.assembler.packets().never_ask();
    }

    /// Takes what the sender says of the stream's clock.
    pub(super) fn note_report(&mut self, report: SenderReport) {
        self.wall.note(report);
    }

    /// Takes one packet, in whatever order and however often it comes; [`Layer::poll`] until it gives nothing is due afterwards.
    pub(super) fn push(&mut self, packet: RtpPacket) {
        self.heard |= !packet.payload.is_empty();
        if !packet.resent && !packet.payload.is_empty() {
            self.counts.traffic.jitter_ms.set(self.jitter.note(packet.timestamp, packet.arrival));
        }
        self.assembler.push(packet);
        self.counts.fates(self.assembler.packets().take_fates());
    }

    /// The next unit that is fit for a decoder that got all before it, back to a keyframe.
    pub(super) fn poll(&mut self, now: MediaTime) -> Option<ReceivedUnit> {
        while let Some(assembled) = self.assembler.poll(now) {
            match assembled {
                Assembled::Gap { lost } => self.gap(lost),
                Assembled::Unit(unit) if self.gate.admits(&unit) => return Some(ReceivedUnit { timing: self.time(&unit, now), ..unit }),
                Assembled::Unit(_) => {}
            }
        }
        None
    }

    fn gap(&mut self, lost: u64) {
        self.counts.lost(lost);
        self.gate.shut();
        self.before = None;
        if lost == 0 {
            // Another stream, with a clock of its own
            self.playout.restart();
            self.wall.forget();
        }
    }

    fn time(&mut self, unit: &ReceivedUnit, now: MediaTime) -> Timing {
        let schedule = self.playout.schedule(unit.timestamp, now);
        let before = self.before.replace(unit.timestamp);
        let paused = before.is_some_and(|before| unit.timestamp.wrapping_sub(before) >= PAUSE);
        Timing { prompt: schedule.prompt, planned: schedule.planned, captured: self.wall.at(unit.timestamp), paused }
    }

    /// What is to be asked of the sender at `now`, until there is nothing more; `decoder_waits` where the decoder itself lacks a
    /// keyframe. To be called once [`Layer::poll`] gives nothing.
    pub(super) fn wish(&mut self, now: MediaTime, decoder_waits: bool) -> Option<Feedback> {
        let sequences = self.assembler.packets().requests(now);
        if !sequences.is_empty() {
            return Some(Feedback::Resend { layer: self.index, sequences });
        }
        // Whoever sends nothing is not asked: a muted camera is no fault.
        let asks = self.heard && self.gate.asks(now, decoder_waits);
        asks.then_some(Feedback::KeyframeNeeded { layer: self.index })
    }

    /// When time is to pass at the latest; `None` where nothing is awaited.
    pub(super) fn next_deadline(&self) -> Option<MediaTime> {
        self.assembler.awaits().map(|(deadline, _)| deadline)
    }

    /// Whether something is known to be missing: packets, or a keyframe.
    pub(super) fn waits(&self, decoder_waits: bool) -> bool {
        decoder_waits || self.gate.is_needed() || self.assembler.awaits().is_some()
    }

    /// The sender sends nothing any more: it is asked for nothing until it does again.
    pub(super) fn forget(&mut self) {
        self.heard = false;
    }
}

#[cfg(test)]
mod tests;
