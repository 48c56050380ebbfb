//! A sender's streams of pictures: the layer that is decoded, and the one that is about to be.
//!
//! In: packets of all layers, what is wanted, reports, round trips, time. Out: access units of one layer at a time, each fit for a
//! decoder that got those before it; what is to be asked of the sender. The layer that is decoded goes on until a keyframe of the
//! one that is to follow it is whole. Layers that neither is cost no more than to be counted.
//!
//! Never: a packet asked for again of a layer that is not decoded, or two requests for keyframes closer than [`SPACING`].

use std::time::Duration;

use bytes::Bytes;

use super::Feedback;
use super::assemble::ReceivedUnit;
use super::layer::{Counts, Layer};
use super::layers::{Layers, MOST_LAYERS, News};
use super::limit::Limiter;
use crate::media::{MediaTime, Need, RtpPacket, SenderReport};

/// Between a request and the next at least, whatever the layers: two a second.
const SPACING: Duration = Duration::from_millis(500);
/// How often, and how many times in all, a layer of unknown size is asked for a keyframe, which says it.
const STRANGER_SPACING: Duration = Duration::from_secs(2);
const STRANGER_TRIES: u8 = 3;

/// A sender's streams of pictures.
#[derive(Debug)]
pub(super) struct Switch {
    layers: Layers,
    /// The one that is decoded.
    current: Option<(u8, Layer)>,
    /// The one whose keyframe is awaited.
    coming: Option<(u8, Layer)>,
    counts: Counts,
    limiter: Limiter,
    /// A keyframe is to be asked of this layer.
    due: Option<u8>,
    /// When one was asked for last.
    asked: Option<MediaTime>,
    tries: u8,
    // What a layer is told when its turn comes
    parameter_sets: Vec<Bytes>,
    round_trip: Option<Duration>,
    never_asks: bool,
    reports: [Option<SenderReport>; MOST_LAYERS],
}

impl Switch {
    /// Of a sender that has sent nothing yet.
    pub(super) fn new(counts: Counts) -> Self {
        Self {
            layers: Layers::default(),
            current: None,
            coming: None,
            counts,
            limiter: Limiter::default(),
            due: None,
            asked: None,
            tries: 0,
            parameter_sets: Vec::new(),
            round_trip: None,
            never_asks: false,
            reports: [None; MOST_LAYERS],
        }
    }

    /// Takes SPS and PPS given in the offer.
    pub(super) fn parameter_sets(&mut self, nal_units: Vec<Bytes>) {
        self.active().for_each(|layer| layer.parameter_sets(&nal_units));
        self.parameter_sets = nal_units;
    }

    /// Takes a measured round trip to the sender.
    pub(super) fn note_round_trip(&mut self, round_trip: Duration) {
        self.active().for_each(|layer| layer.note_round_trip(round_trip));
        self.round_trip = Some(round_trip);
    }

    /// Takes what the sender says of a layer's clock.
    pub(super) fn note_report(&mut self, index: u8, report: SenderReport) {
        if let Some(newest) = self.reports.get_mut(usize::from(index)) {
            *newest = Some(report);
        }
        let of_it = self.current.iter_mut().chain(&mut self.coming).filter(|(active, _)| *active == index);
        of_it.for_each(|(_, layer)| layer.note_report(report));
    }

    /// The sender offers no retransmission: it is asked for keyframes only.
    pub(super) fn never_ask_again(&mut self) {
        self.active().for_each(Layer::never_ask_again);
        self.never_asks = true;
    }

    /// Takes a packet of any layer; whether that may change which one is to be decoded: [`Switch::choose`] is due before
    /// [`Switch::push`] then.
    pub(super) fn note(&mut self, packet: &RtpPacket) -> bool {
        self.layers.note(packet) == News::Layer
    }

    /// Chooses the layer to decode; `pictured` where there is a picture of the sender to be going on with.
    pub(super) fn choose(&mut self, now: MediaTime, need: Need, pictured: bool) {
        let chosen = self.layers.choose(now, need, pictured);
        let is = |active: &Option<(u8, Layer)>| active.as_ref().map(|(index, _)| *index) == chosen;
        match chosen {
            None if self.current.is_some() || self.coming.is_some() => self.pause(),
            Some(index) if !is(&self.current) && !is(&self.coming) => self.await_keyframe(index),
            Some(_) if is(&self.current) && self.coming.is_some() => (self.coming, self.due) = (None, None),
            _ => {}
        }
    }

    /// Gives a packet to the layer that it is of, where that one is decoded or about to be.
    pub(super) fn push(&mut self, packet: RtpPacket) {
        let mut active = self.current.iter_mut().chain(&mut self.coming);
        if let Some((_, layer)) = active.find(|(index, _)| *index == packet.layer) {
            layer.push(packet);
        }
    }

    /// The next unit for the decoder.
    pub(super) fn poll(&mut self, now: MediaTime) -> Option<ReceivedUnit> {
        if let Some(mut unit) = self.coming.as_mut().and_then(|(_, layer)| layer.poll(now)) {
            let before = std::mem::replace(&mut self.current, self.coming.take());
            self.tell_layer();
            self.due = None;
            // Who comes back was not frozen
            unit.timing.paused |= before.is_none();
            return Some(unit);
        }
        let unit = self.current.as_mut()?.1.poll(now)?;
        if unit.keyframe && self.coming.is_none() {
            self.due = None;
        }
        Some(unit)
    }

    /// What is to be asked of the sender at `now`, until there is nothing more; `decoder_waits` where the decoder lacks a keyframe.
    pub(super) fn wish(&mut self, now: MediaTime, decoder_waits: bool) -> Option<Feedback> {
        let awaits = self.coming.is_some();
        let current = self.current.as_mut().map(|(_, layer)| (layer, decoder_waits && !awaits, !awaits));
        let coming = self.coming.as_mut().map(|(_, layer)| (layer, false, true));
        for (layer, waits, counts) in coming.into_iter().chain(current) {
            match layer.wish(now, waits) {
                // While another layer's keyframe is on its way, one of this layer would come too late
                Some(Feedback::KeyframeNeeded { layer }) => self.due = if counts { Some(layer) } else { self.due },
                Some(wish) => return Some(wish),
                None => {}
            }
        }
        self.ask_stranger(now);
        let layer = self.due.filter(|_| self.asked.is_none_or(|asked| now.since(asked) >= SPACING))?;
        (self.due, self.asked) = (None, Some(now));
        Some(Feedback::KeyframeNeeded { layer })
    }

    /// Shows in the figures which layer comes.
    pub(super) fn tell_layer(&self) {
        self.counts.traffic.layer.set(self.current.as_ref().map_or(f64::NAN, |(index, _)| f64::from(*index)));
    }

    /// A keyframe is to be asked of the layer that comes, for somebody else than the decoder.
    pub(super) fn want_keyframe(&mut self) {
        let active = self.coming.as_ref().or(self.current.as_ref());
        self.due = self.due.or_else(|| active.map(|(index, _)| *index));
    }

    /// How much the sender is to send at most, where that is something else than before.
    pub(super) fn limit(&mut self, now: MediaTime, need: Need) -> Option<Feedback> {
        self.limiter.due(now, self.layers.limit(need)?)
    }

    /// The limit was not heard: it is due again.
    pub(super) fn limit_again(&mut self) {
        self.limiter.forget();
    }

    /// Whether nothing is decoded, and nothing about to be.
    pub(super) fn is_paused(&self) -> bool {
        self.current.is_none() && self.coming.is_none()
    }

    /// Whether the picture lacks something that is known to be missing; `decoder_waits` where the decoder lacks a keyframe.
    pub(super) fn waits(&self, decoder_waits: bool) -> bool {
        match &self.current {
            Some((_, layer)) => layer.waits(decoder_waits),
            None => self.coming.is_some(),
        }
    }

    /// When time is to pass at the latest; `None` where nothing is awaited.
    pub(super) fn next_deadline(&self) -> Option<MediaTime> {
        let active = self.current.iter().chain(&self.coming);
        active.filter_map(|(_, layer)| layer.next_deadline()).min()
    }

    /// The sender sends nothing any more: it is asked for nothing until it does again.
    pub(super) fn forget(&mut self) {
        self.due = None;
        self.active().for_each(Layer::forget);
    }

    fn active(&mut self) -> impl Iterator<Item = &mut Layer> {
        self.current.iter_mut().chain(&mut self.coming).map(|(_, layer)| layer)
    }

    fn pause(&mut self) {
        (self.current, self.coming, self.due) = (None, None, None);
        self.counts.traffic.layer.set(f64::NAN);
    }

    fn await_keyframe(&mut self, index: u8) {
        let mut layer = Layer::new(index, self.counts.clone());
        layer.parameter_sets(&self.parameter_sets);
        if let Some(round_trip) = self.round_trip {
            layer.note_round_trip(round_trip);
        }
        if self.never_asks {
            layer.never_ask_again();
        }
        if let Some(report) = self.reports[usize::from(index)] {
            layer.note_report(report);
        }
        self.coming = Some((index, layer));
        // A stream begins with a keyframe: only of one that runs already must it be asked
        self.due = (!self.layers.begins(index)).then_some(index);
    }

    fn ask_stranger(&mut self, now: MediaTime) {
        let idle = self.due.is_none() && self.asked.is_none_or(|asked| now.since(asked) >= STRANGER_SPACING);
        if let Some(layer) = self.layers.stranger().filter(|_| idle && self.tries < STRANGER_TRIES) {
            self.tries += 1;
            self.due = Some(layer);
        }
    }
}

#[cfg(test)]
mod tests;
