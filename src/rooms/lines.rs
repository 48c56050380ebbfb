//! What goes over one session's lines, each way: totals as whoever counts them left them, and rates over the last second.
//!
//! In: totals, read twice a second. Out: reports; what of it goes into the server's figures, which name nobody. Never: a count of its own.

use std::sync::Arc;

use super::{AudioReceived, Sent, VideoReceived};
use crate::media::{MediaTime, Meter, SentTraffic, Traffic, ViewName};
use crate::metrics::{ByMedia, Media, Metrics};

/// What comes from somebody in one medium.
#[derive(Debug)]
pub(super) struct Inward {
    totals: Arc<Traffic>,
    bytes: Meter,
    packets: Meter,
    lost: Meter,
    pictures: Meter,
    /// Freezes and their milliseconds that are in the server's figures already.
    told: (u64, u64),
}

impl Inward {
    pub(super) fn new(totals: Arc<Traffic>) -> Self {
        let [bytes, packets, lost, pictures] = Default::default();
        Self { totals, bytes, packets, lost, pictures, told: (0, 0) }
    }

    pub(super) fn sample(&mut self, now: MediaTime) {
        self.bytes.note(now, self.totals.bytes());
        self.packets.note(now, self.totals.packets());
        self.lost.note(now, self.totals.lost());
        self.pictures.note(now, self.totals.pictures());
    }

    /// Adds it to the server's figures.
    pub(super) fn observe(&mut self, now: MediaTime, media: Media, metrics: &Metrics) {
        let (by, totals) = (ByMedia { media }, &self.totals);
        let seconds = |ms: Option<f64>| ms.map(|ms| ms / 1000.0);
        if self.packets.per_second(now) > 0.0 {
            metrics.received_loss_ratio.get_or_create(&by).observe(f64::from(self.loss(now)));
            seconds(totals.jitter_ms.get()).iter().for_each(|jitter| metrics.jitter_seconds.get_or_create(&by).observe(*jitter));
            seconds(totals.delay_ms.get()).iter().for_each(|delay| metrics.buffer_delay_seconds.get_or_create(&by).observe(*delay));
        }
        let (freezes, frozen_ms) = (totals.freezes.get(), totals.frozen_ms.get());
        metrics.freezes.inc_by(freezes.saturating_sub(self.told.0));
        metrics.frozen_seconds.inc_by(frozen_ms.saturating_sub(self.told.1) as f64 / 1000.0);
        self.told = (freezes, frozen_ms);
    }

    /// The part that never came, of the last second's packets.
    fn loss(&self, now: MediaTime) -> f32 {
        let [lost, came] = [&self.lost, &self.packets].map(|meter| meter.per_second(now));
        if lost > 0.0 { (lost / (lost + came)) as f32 } else { 0.0 }
    }

    /// How much later their picture comes than their sound.
    pub(super) fn skew_ms(&self) -> Option<f64> {
        self.totals.skew_ms.get()
    }

    pub(super) fn video(&self, now: MediaTime) -> VideoReceived {
        let totals = &self.totals;
        let (width, height) = totals.size();
        VideoReceived {
            width,
            height,
            fps: tenths(self.pictures.per_second(now)),
            bitrate_bps: bits(&self.bytes, now),
            packets: totals.packets(),
            lost: totals.lost(),
            loss: self.loss(now),
            jitter_ms: totals.jitter_ms.get().map(tenths),
            delay_ms: totals.delay_ms.get().map(tenths),
            requested: totals.requested.get(),
            recovered: totals.recovered.get(),
            late: totals.late.get(),
            keyframes_asked: totals.keyframes_asked.get(),
            freezes: totals.freezes.get(),
            frozen_ms: totals.frozen_ms.get(),
            layer: totals.layer.get().map(|layer| layer as u32),
            asked_bps: totals.asked_bps.get().map(|bps| bps as u64),
        }
    }

    pub(super) fn audio(&self, now: MediaTime) -> AudioReceived {
        let totals = &self.totals;
        AudioReceived {
            bitrate_bps: bits(&self.bytes, now),
            packets: totals.packets(),
            lost: totals.lost(),
            loss: self.loss(now),
            jitter_ms: totals.jitter_ms.get().map(tenths),
            delay_ms: totals.delay_ms.get().map(tenths),
            late: totals.late.get(),
            blocks: totals.blocks.get(),
            recovered: totals.blocks_recovered.get(),
            concealed: totals.blocks_concealed.get(),
        }
    }
}

/// What goes to somebody.
#[derive(Debug, Default)]
pub(super) struct Outward {
    pub(super) totals: Arc<SentTraffic>,
    bytes: Meter,
}

impl Outward {
    pub(super) fn sample(&mut self, now: MediaTime) {
        self.bytes.note(now, self.totals.bytes());
    }

    /// Adds it to the server's figures.
    pub(super) fn observe(&self, metrics: &Metrics) {
        let totals = &self.totals;
        totals.loss().iter().for_each(|loss| metrics.sent_loss_ratio.observe(f64::from(*loss)));
        totals.estimate_bps.get().iter().for_each(|bps| metrics.estimate_bytes_per_second.observe(bps / 8.0));
        totals.pacer_ms.get().iter().for_each(|ms| metrics.pacer_delay_seconds.observe(ms / 1000.0));
    }

    /// All but the rendition and why it is that.
    pub(super) fn report(&self, view: Option<ViewName>, now: MediaTime) -> Sent {
        let totals = &self.totals;
        Sent {
            view,
            rendition: None,
            why: None,
            bitrate_bps: bits(&self.bytes, now),
            estimate_bps: totals.estimate_bps.get().map(|bps| bps as u64),
            loss: totals.loss(),
            rtt_ms: totals.rtt().map(|rtt| rtt.as_micros() as f32 / 1000.0),
            pacer_ms: totals.pacer_ms.get().map(tenths),
            requested: totals.requested.get(),
            resent: totals.resent.get(),
            keyframes_asked: totals.keyframes_asked.get(),
            probed_bytes: totals.probed_bytes.get(),
        }
    }
}

fn bits(bytes: &Meter, now: MediaTime) -> u64 {
    (bytes.per_second(now) * 8.0).round() as u64
}

/// To a tenth: what is finer is no more than noise.
pub(super) fn tenths(value: f64) -> f32 {
    (value * 10.0).round() as f32 / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_came_is_told_as_a_part_of_the_last_second() {
        let totals = Arc::<Traffic>::default();
        let mut inward = Inward::new(totals.clone());
        for (half_second, lost) in [0, 0, 10, 10, 0, 0, 0].into_iter().enumerate() {
            inward.sample(MediaTime::from_millis(500 * half_second as u64));
            let now = MediaTime::from_millis(500 * half_second as u64);
            let expected = [0.0, 0.0, 0.0, 0.1, 0.2, 0.1, 0.0][half_second];
            assert!((inward.video(now).loss - expected).abs() < 0.03, "{} at {half_second}", inward.video(now).loss);
            (0..40).for_each(|_| totals.count_packet(1000));
            totals.count_lost(lost);
        }
    }

    #[test]
    fn a_freeze_is_counted_once_and_silence_is_no_loss() {
        let (totals, metrics) = (Arc::<Traffic>::default(), Metrics::default());
        let mut inward = Inward::new(totals.clone());
        totals.freezes.add(2);
        totals.frozen_ms.add(750);
        for half_second in 0..4 {
            let now = MediaTime::from_millis(500 * half_second);
            inward.sample(now);
            inward.observe(now, Media::Video, &metrics);
        }
        assert_eq!((metrics.freezes.get(), metrics.frozen_seconds.get()), (2, 0.75));
        assert!(!metrics.text().contains("medley_received_loss_ratio_count{"), "{}", metrics.text());
    }
}
