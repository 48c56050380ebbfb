//! What a rendition's thread does: encodes the newest canvas, once for all who receive it.
//!
//! In: canvases; receivers that come, go and ask for keyframes. Out: packetized pictures. Never: an encoder that nobody
//! receives from, a queue of canvases, or a picture that waits for a receiver.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use prometheus_client::metrics::gauge::Gauge;

use super::budget::Budget;
use super::fanout::{Fanout, Publisher};
use super::keyframe::KeyframePolicy;
use super::packetize::packetize;
use super::pictures::PictureQueue;
use crate::codec::h264::Encoder;
use crate::codec::{AccessUnit, EncodeError, Keyframe, VideoEncoder, VideoSettings};
use crate::compositor::cpu::Scaler;
use crate::flow::{Slot, Taken};
use crate::media::{Clock, Composite, Count, EncodedPicture, MediaTime, Meter};
use crate::metrics::{ByMedia, Media, Metrics};

/// How soon the thread ends after its last receiver left.
const LINGER: Duration = Duration::from_millis(200);

/// What is told of a rendition's encoder while it works, and told to it.
#[derive(Debug)]
pub(super) struct Gauges {
    is_encoding: AtomicBool,
    /// Bytes of payloads.
    bytes: Mutex<Meter>,
    target_bps: AtomicU32,
    keyframes: Count,
}

impl Gauges {
    /// Of an encoder that is to give so much.
    pub(super) fn new(target_bps: u32) -> Self {
        let target_bps = AtomicU32::new(target_bps);
        Self { is_encoding: AtomicBool::default(), bytes: Mutex::default(), target_bps, keyframes: Count::default() }
    }

    /// What it is to give from the next picture on, in bits a second.
    pub(super) fn set_target_bps(&self, target_bps: u32) {
        self.target_bps.store(target_bps, Ordering::Relaxed);
    }

    /// Keyframes that it gave.
    pub(super) fn keyframes(&self) -> u64 {
        self.keyframes.get()
    }

    /// Whether there is an encoder.
    pub(super) fn is_encoding(&self) -> bool {
        self.is_encoding.load(Ordering::Relaxed)
    }

    /// Over the last second before `now`.
    pub(super) fn bitrate_bps(&self, now: MediaTime) -> u64 {
        (8.0 * self.bytes.lock().per_second(now)) as u64
    }
}

/// What the thread holds.
pub(super) struct Worker {
    settings: VideoSettings,
    clock: Clock,
    metrics: Metrics,
    gauges: Arc<Gauges>,
    receivers: Publisher<PictureQueue>,
    scaler: Scaler,
    encoder: Option<LiveEncoder>,
    policy: KeyframePolicy,
    budget: Budget,
    /// Of the next picture.
    number: u64,
    bytes: u64,
}

impl Worker {
    /// Publishes to `fanout`, which is closed when the worker goes.
    pub(super) fn new(
        settings: VideoSettings,
        clock: Clock,
        metrics: Metrics,
        gauges: Arc<Gauges>,
        fanout: Arc<Fanout<PictureQueue>>,
    ) -> Self {
        let scaler = Scaler::new(settings.width, settings.height);
        let (receivers, budget, policy) = (Publisher(fanout), Budget::new(settings.bitrate_bps), KeyframePolicy::default());
        Self { settings, clock, metrics, gauges, receivers, scaler, encoder: None, policy, budget, number: 0, bytes: 0 }
    }

    /// Encodes until the slot is closed, or nobody has received anything for [`LINGER`].
    pub(super) fn run(mut self, canvases: &Slot<Composite>) {
        loop {
            match canvases.take(LINGER) {
                Taken::Value(canvas) => self.take(&canvas),
                Taken::TimedOut if self.receivers.0.close_unless_received() => return,
                Taken::TimedOut => {}
                Taken::Closed => return,
            }
        }
    }

    fn take(&mut self, canvas: &Composite) {
        self.give_up_if_unwatched();
        if self.receivers.0.is_empty() {
            return;
        }
        self.follow_target();
        if !self.budget.allows(canvas.at) {
            self.metrics.count_dropped("video_bitrate_exceeded");
            return;
        }
        match self.encode(canvas) {
            Ok(Some(unit)) => self.publish(&unit, canvas),
            Ok(None) => self.metrics.count_dropped("video_encoder_skipped"),
            Err(error) => {
                tracing::error!(%error, "a picture was not encoded; starting a fresh encoder");
                self.metrics.count_dropped("video_encoder_failed");
                self.encoder = None;
            }
        }
    }

    fn give_up_if_unwatched(&mut self) {
        if self.receivers.0.is_empty() {
            self.encoder = None;
        }
    }

    fn follow_target(&mut self) {
        let target = self.gauges.target_bps.load(Ordering::Relaxed);
        if std::mem::replace(&mut self.settings.bitrate_bps, target) == target {
            return;
        }
        self.budget.set_bitrate(target);
        if let Some(Err(error)) = self.encoder.as_mut().map(|encoder| encoder.codec.set_bitrate(target)) {
            tracing::error!(%error, "an encoder keeps to no other bitrate; starting a fresh one");
            self.encoder = None;
        }
    }

    fn encode(&mut self, canvas: &Composite) -> Result<Option<AccessUnit>, EncodeError> {
        let keyframe = self.decide(canvas);
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            none => none.insert(LiveEncoder::new(self.settings, &self.metrics, &self.gauges)?),
        };
        let begun = self.clock.now();
        let unit = encoder.codec.encode(self.scaler.scale(&canvas.frame), canvas.at, keyframe)?;
        self.metrics.observe_encode(Media::Video, self.clock.now().since(begun));
        Ok(unit)
    }

    fn decide(&mut self, canvas: &Composite) -> Keyframe {
        if self.encoder.is_none() {
            self.policy.begin(canvas.at);
            return Keyframe::Force;
        }
        let keyframe = self.policy.decide(self.receivers.0.any(PictureQueue::wants_keyframe), canvas.at);
        if keyframe == Keyframe::Force {
            self.metrics.keyframes_forced.inc();
        }
        keyframe
    }

    fn publish(&mut self, unit: &AccessUnit, canvas: &Composite) {
        let payloads = packetize(&unit.nal_units);
        self.count(payloads.iter().map(Bytes::len).sum(), canvas.at);
        let (nal_units, at, keyframe) = (unit.nal_units.clone(), canvas.at, unit.keyframe);
        let picture = Arc::new(EncodedPicture { nal_units, payloads, at, keyframe, number: self.number });
        self.number += 1;
        self.gauges.keyframes.add(u64::from(unit.keyframe));
        self.receivers.0.each(|queue| {
            for _ in 0..queue.offer(&picture) {
                self.metrics.count_dropped("viewer_behind");
            }
        });
    }

    fn count(&mut self, bytes: usize, at: MediaTime) {
        self.budget.spend(bytes);
        let mut meter = self.gauges.bytes.lock();
        meter.note(at, self.bytes);
        self.bytes += bytes as u64;
        meter.note(at, self.bytes);
        self.metrics.encoded_bytes.get_or_create(&ByMedia { media: Media::Video }).inc_by(bytes as u64);
    }
}

/// An encoder that is counted while it lives.
struct LiveEncoder {
    codec: Encoder,
    count: Gauge,
    gauges: Arc<Gauges>,
}

impl LiveEncoder {
    fn new(settings: VideoSettings, metrics: &Metrics, gauges: &Arc<Gauges>) -> Result<Self, EncodeError> {
        let codec = Encoder::new(settings)?;
        let count = metrics.encoders.get_or_create(&ByMedia { media: Media::Video }).clone();
        count.inc();
        gauges.is_encoding.store(true, Ordering::Relaxed);
        Ok(Self { codec, count, gauges: gauges.clone() })
    }
}

impl Drop for LiveEncoder {
    fn drop(&mut self) {
        self.gauges.is_encoding.store(false, Ordering::Relaxed);
        self.count.dec();
    }
}

#[cfg(test)]
mod tests {
    use pollster::block_on;

    use super::*;
    use crate::codec::scenes;
    use crate::egress::fanout::Receiver;
    use crate::egress::pictures::CAPACITY;
    use crate::media::Frame;
    use crate::metrics::ByReason;

    const SETTINGS: VideoSettings = VideoSettings { width: 160, height: 96, fps: 30, bitrate_bps: 200_000 };

    fn canvas(number: u64) -> Composite {
        let frame = Arc::new(Frame::filled(160, 96, [(number * 5 % 200) as u8 + 20, 128, 128]));
        Composite { frame, at: MediaTime::from_nanos(number * 1_000_000_000 / 30) }
    }

    /// A worker without its thread: the test gives it the canvases.
    fn worker() -> (Worker, Metrics, Arc<Fanout<PictureQueue>>) {
        let (metrics, fanout) = (Metrics::default(), Arc::<Fanout<PictureQueue>>::default());
        let worker = Worker::new(SETTINGS, Clock::new(), metrics.clone(), Arc::new(Gauges::new(SETTINGS.bitrate_bps)), fanout.clone());
        (worker, metrics, fanout)
    }

    fn subscribe(fanout: &Arc<Fanout<PictureQueue>>) -> Receiver<PictureQueue> {
        fanout.subscribe(PictureQueue::default())
    }

    fn live(metrics: &Metrics) -> i64 {
        metrics.encoders.get_or_create(&ByMedia { media: Media::Video }).get()
    }

    fn given_up(metrics: &Metrics) -> u64 {
        metrics.dropped.get_or_create(&ByReason { reason: "viewer_behind" }).get()
    }

    #[test]
    fn one_encoder_lives_while_anybody_receives_and_none_otherwise() {
        let (mut worker, metrics, fanout) = worker();
        worker.take(&canvas(0));
        assert_eq!(live(&metrics), 0, "nobody receives");
        let (one, two) = (subscribe(&fanout), subscribe(&fanout));
        worker.take(&canvas(1));
        assert_eq!(live(&metrics), 1);
        drop(one);
        worker.take(&canvas(2));
        assert_eq!(live(&metrics), 1);
        drop(two);
        worker.give_up_if_unwatched();
        assert_eq!(live(&metrics), 0);
    }

    #[test]
    fn a_subscriptions_first_picture_is_a_keyframe_within_half_a_second() {
        let (mut worker, _, fanout) = worker();
        let mut first = subscribe(&fanout);
        worker.take(&canvas(0));
        assert!(block_on(first.next()).unwrap().keyframe);
        for joins_at in [1, 16, 40] {
            let mut viewer = subscribe(&fanout);
            (joins_at..joins_at + 15).for_each(|n| worker.take(&canvas(n)));
            let picture = block_on(viewer.next()).unwrap();
            assert!(picture.keyframe && picture.at <= canvas(joins_at + 14).at, "joined at {joins_at}, saw {:?}", picture.at);
        }
    }

    #[test]
    fn viewers_who_keep_asking_cost_two_keyframes_a_second() {
        let (mut worker, metrics, fanout) = worker();
        let mut viewers: Vec<_> = (0..5).map(|_| subscribe(&fanout)).collect();
        let mut keyframes = 0;
        for number in 0..90 {
            viewers.iter().for_each(|viewer| viewer.tell(PictureQueue::ask));
            worker.take(&canvas(number));
            let pictures: Vec<_> = viewers.iter_mut().map(|viewer| block_on(viewer.next()).unwrap()).collect();
            assert!(pictures.iter().all(|picture| picture.number == number), "everybody gets the same picture");
            keyframes += u32::from(pictures[0].keyframe);
        }
        assert_eq!(keyframes, 6);
        assert_eq!(metrics.keyframes_forced.get(), 5, "the encoder's own first is not forced");
    }

    #[test]
    fn without_a_wish_there_is_no_second_keyframe() {
        let (mut worker, _, fanout) = worker();
        let mut viewer = subscribe(&fanout);
        for number in 0..100 {
            worker.take(&canvas(number));
            assert_eq!(block_on(viewer.next()).unwrap().keyframe, number == 0);
        }
    }

    #[test]
    fn a_stalled_receiver_delays_nobody_and_comes_back_at_a_keyframe() {
        let (mut worker, metrics, fanout) = worker();
        let (mut stalled, mut watching) = (subscribe(&fanout), subscribe(&fanout));
        for number in 0..60 {
            worker.take(&canvas(number));
            let picture = block_on(watching.next()).unwrap();
            assert_eq!((picture.number, picture.keyframe), (number, number == 0), "nobody pays for the stalled one");
        }
        assert_eq!(given_up(&metrics), 60 - CAPACITY as u64);
        for number in 0..CAPACITY as u64 {
            assert_eq!(block_on(stalled.next()).unwrap().number, number);
        }
        worker.take(&canvas(60));
        let back = block_on(stalled.next()).unwrap();
        assert!(back.keyframe && back.number == 60, "it drained, so a keyframe was asked for");
    }

    #[test]
    fn noise_costs_pictures_and_not_the_lines() {
        let (mut worker, metrics, fanout) = worker();
        let mut viewer = subscribe(&fanout);
        let mut bits = 0;
        for number in 0..150 {
            let frame = Arc::new(scenes::noise(160, 96, number as u32));
            let before = worker.number;
            worker.take(&Composite { frame, ..canvas(number) });
            if worker.number > before {
                bits += 8 * block_on(viewer.next()).unwrap().payloads.iter().map(Bytes::len).sum::<usize>();
            }
        }
        // Five seconds, one in debt, and what the last picture was.
        assert!(bits < 8 * SETTINGS.bitrate_bps as usize, "{bits}");
        assert!(metrics.dropped.get_or_create(&ByReason { reason: "video_bitrate_exceeded" }).get() > 75);
    }

    #[test]
    fn the_bitrate_follows_its_target_without_a_keyframe_or_a_gap() {
        const MOVING: VideoSettings = VideoSettings { width: 320, height: 192, fps: 30, bitrate_bps: 400_000 };
        let (metrics, fanout) = (Metrics::default(), Arc::<Fanout<PictureQueue>>::default());
        let gauges = Arc::new(Gauges::new(MOVING.bitrate_bps));
        let mut worker = Worker::new(MOVING, Clock::new(), metrics, gauges.clone(), fanout.clone());
        let mut viewer = subscribe(&fanout);
        let mut number = 0;
        let mut bits_a_second = |target: u32| {
            gauges.set_target_bps(target);
            let (mut bits, begin) = (0, number);
            while number < begin + 150 {
                let frame = Arc::new(scenes::moving(320, 192, 5 * number as u32));
                worker.take(&Composite { frame, ..canvas(number) });
                let picture = block_on(viewer.next()).unwrap();
                assert_eq!((picture.number, picture.keyframe), (number, number == 0));
                // The first second is the codec's to get there
                bits += if number < begin + 30 { 0 } else { 8 * picture.payloads.iter().map(Bytes::len).sum::<usize>() };
                number += 1;
            }
            bits / 4
        };
        for target in [400_000, 120_000, 250_000, 100_000] {
            let bits = bits_a_second(target);
            assert!((target as usize / 2..target as usize * 6 / 5).contains(&bits), "{bits} of {target}");
        }
        assert_eq!(gauges.keyframes(), 1);
    }

    #[test]
    fn a_thread_that_nobody_receives_from_ends_by_itself() {
        let (worker, _, fanout) = worker();
        drop(subscribe(&fanout));
        worker.run(&Slot::default());
        assert!(fanout.subscribe_if_open(PictureQueue::default()).is_none());
    }
}
