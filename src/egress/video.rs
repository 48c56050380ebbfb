//! One rendition: a thread that encodes the newest canvas, once for all who receive it.
//!
//! In: canvases; receivers that come, go and ask for keyframes. Out: packetized pictures. Never: an encoder that nobody
//! receives from, a queue of canvases, or a picture that waits for a receiver.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prometheus_client::metrics::gauge::Gauge;

use super::budget::Budget;
use super::fanout::{Fanout, Publisher, Receiver};
use super::keyframe::KeyframePolicy;
use super::packetize::packetize;
use super::pictures::PictureQueue;
use crate::codec::h264::Encoder;
use crate::codec::{AccessUnit, EncodeError, Keyframe, VideoEncoder, VideoSettings};
use crate::flow::{Slot, Taken};
use crate::media::{Clock, Composite, EncodedPicture};
use crate::metrics::{ByMedia, Media, Metrics};

/// How soon an encoder whose last receiver left is given up where no more canvases come.
const LINGER: Duration = Duration::from_millis(200);

/// One rendition: a worker thread that encodes the newest canvas while somebody receives it.
#[derive(Debug)]
pub struct VideoEgress {
    canvases: Slot<Composite>,
    fanout: Arc<Fanout<PictureQueue>>,
    metrics: Metrics,
}

impl VideoEgress {
    /// Starts the worker; it ends when this is dropped.
    pub fn start(settings: VideoSettings, clock: Clock, metrics: Metrics) -> Self {
        let canvases = Slot::default();
        let fanout = Arc::<Fanout<PictureQueue>>::default();
        let rendition = Rendition::new(settings, clock, metrics.clone(), fanout.clone());
        let slot = canvases.clone();
        std::thread::Builder::new()
            .name("video-encode".into())
            .spawn(move || rendition.run(&slot))
            .expect("a thread can be started when a room is");
        Self { canvases, fanout, metrics }
    }

    /// Offers the newest canvas; replaces one that was not yet encoded (counted). Never blocks.
    pub fn offer(&self, composite: Composite) {
        if self.fanout.is_empty() {
            return;
        }
        if self.canvases.put(composite).is_some() {
            self.metrics.count_dropped("video_encoder_behind");
        }
    }

    /// One more receiver; a keyframe is asked for on its behalf.
    pub fn subscribe(&self) -> VideoSubscription {
        VideoSubscription(self.fanout.subscribe(PictureQueue::default()))
    }
}

impl Drop for VideoEgress {
    fn drop(&mut self) {
        self.canvases.close();
    }
}

/// One receiver's pictures. Dropping it unsubscribes.
#[derive(Debug)]
pub struct VideoSubscription(Receiver<PictureQueue>);

impl VideoSubscription {
    /// The next picture; the first is a keyframe, and so is the first after this receiver fell behind. `None` at the end.
    /// Cancel-safe.
    pub async fn next(&mut self) -> Option<Arc<EncodedPicture>> {
        self.0.next().await
    }

    /// Asks for a keyframe (PLI or FIR from the receiver); coalesced to at most two a second for the rendition.
    pub fn request_keyframe(&self) {
        self.0.tell(PictureQueue::ask);
    }
}

/// What the worker holds.
struct Rendition {
    settings: VideoSettings,
    clock: Clock,
    metrics: Metrics,
    receivers: Publisher<PictureQueue>,
    encoder: Option<LiveEncoder>,
    policy: KeyframePolicy,
    budget: Budget,
    /// Of the next picture.
    number: u64,
}

impl Rendition {
    fn new(settings: VideoSettings, clock: Clock, metrics: Metrics, fanout: Arc<Fanout<PictureQueue>>) -> Self {
        let (receivers, budget) = (Publisher(fanout), Budget::new(settings.bitrate_bps));
        Self { settings, clock, metrics, receivers, encoder: None, policy: KeyframePolicy::default(), budget, number: 0 }
    }

    fn run(mut self, canvases: &Slot<Composite>) {
        loop {
            let patience = if self.encoder.is_some() { LINGER } else { Duration::MAX };
            match canvases.take(patience) {
                Taken::Value(canvas) => self.take(&canvas),
                Taken::TimedOut => self.give_up_if_unwatched(),
                Taken::Closed => return,
            }
        }
    }

    fn take(&mut self, canvas: &Composite) {
        self.give_up_if_unwatched();
        if self.receivers.0.is_empty() {
            return;
        }
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

    fn encode(&mut self, canvas: &Composite) -> Result<Option<AccessUnit>, EncodeError> {
        let keyframe = self.decide(canvas);
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            none => none.insert(LiveEncoder::new(self.settings, &self.metrics)?),
        };
        let begun = self.clock.now();
        let unit = encoder.codec.encode(&canvas.frame, canvas.at, keyframe)?;
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
        self.budget.spend(payloads.iter().map(Bytes::len).sum());
        let picture = Arc::new(EncodedPicture { payloads, at: canvas.at, keyframe: unit.keyframe, number: self.number });
        self.number += 1;
        self.receivers.0.each(|queue| {
            for _ in 0..queue.offer(&picture) {
                self.metrics.count_dropped("viewer_behind");
            }
        });
    }
}

/// An encoder that is counted while it lives.
struct LiveEncoder {
    codec: Encoder,
    count: Gauge,
}

impl LiveEncoder {
    fn new(settings: VideoSettings, metrics: &Metrics) -> Result<Self, EncodeError> {
        let codec = Encoder::new(settings)?;
        let count = metrics.encoders.get_or_create(&ByMedia { media: Media::Video }).clone();
        count.inc();
        Ok(Self { codec, count })
    }
}

impl Drop for LiveEncoder {
    fn drop(&mut self) {
        self.count.dec();
    }
}

#[cfg(test)]
mod tests {
    use pollster::block_on;

    use super::*;
    use crate::codec::h264::Decoder;
    use crate::codec::{VideoDecoder, scenes};
    use crate::egress::pictures::CAPACITY;
    use crate::media::{Frame, MediaTime};
    use crate::metrics::ByReason;

    const SETTINGS: VideoSettings = VideoSettings { width: 160, height: 96, fps: 30, bitrate_bps: 200_000 };

    fn canvas(number: u64) -> Composite {
        let frame = Arc::new(Frame::filled(160, 96, [(number * 5 % 200) as u8 + 20, 128, 128]));
        Composite { frame, at: MediaTime::from_nanos(number * 1_000_000_000 / 30) }
    }

    /// A rendition without its thread: the test gives it the canvases.
    fn rendition() -> (Rendition, Metrics, Arc<Fanout<PictureQueue>>) {
        let (metrics, fanout) = (Metrics::default(), Arc::<Fanout<PictureQueue>>::default());
        (Rendition::new(SETTINGS, Clock::new(), metrics.clone(), fanout.clone()), metrics, fanout)
    }

    fn subscribe(fanout: &Arc<Fanout<PictureQueue>>) -> VideoSubscription {
        VideoSubscription(fanout.subscribe(PictureQueue::default()))
    }

    fn live(metrics: &Metrics) -> i64 {
        metrics.encoders.get_or_create(&ByMedia { media: Media::Video }).get()
    }

    fn given_up(metrics: &Metrics) -> u64 {
        metrics.dropped.get_or_create(&ByReason { reason: "viewer_behind" }).get()
    }

    #[test]
    fn one_encoder_lives_while_anybody_receives_and_none_otherwise() {
        let (mut rendition, metrics, fanout) = rendition();
        rendition.take(&canvas(0));
        assert_eq!(live(&metrics), 0, "nobody receives");
        let (one, two) = (subscribe(&fanout), subscribe(&fanout));
        rendition.take(&canvas(1));
        assert_eq!(live(&metrics), 1);
        drop(one);
        rendition.take(&canvas(2));
        assert_eq!(live(&metrics), 1);
        drop(two);
        rendition.give_up_if_unwatched();
        assert_eq!(live(&metrics), 0);
    }

    #[test]
    fn a_subscriptions_first_picture_is_a_keyframe_within_half_a_second() {
        let (mut rendition, _, fanout) = rendition();
        let mut first = subscribe(&fanout);
        rendition.take(&canvas(0));
        assert!(block_on(first.next()).unwrap().keyframe);
        for joins_at in [1, 16, 40] {
            let mut viewer = subscribe(&fanout);
            (joins_at..joins_at + 15).for_each(|n| rendition.take(&canvas(n)));
            let picture = block_on(viewer.next()).unwrap();
            assert!(picture.keyframe && picture.at <= canvas(joins_at + 14).at, "joined at {joins_at}, saw {:?}", picture.at);
        }
    }

    #[test]
    fn viewers_who_keep_asking_cost_two_keyframes_a_second() {
        let (mut rendition, metrics, fanout) = rendition();
        let mut viewers: Vec<_> = (0..5).map(|_| subscribe(&fanout)).collect();
        let mut keyframes = 0;
        for number in 0..90 {
            viewers.iter().for_each(VideoSubscription::request_keyframe);
            rendition.take(&canvas(number));
            let pictures: Vec<_> = viewers.iter_mut().map(|viewer| block_on(viewer.next()).unwrap()).collect();
            assert!(pictures.iter().all(|picture| picture.number == number), "everybody gets the same picture");
            keyframes += u32::from(pictures[0].keyframe);
        }
        assert_eq!(keyframes, 6);
        assert_eq!(metrics.keyframes_forced.get(), 5, "the encoder's own first is not forced");
    }

    #[test]
    fn without_a_wish_there_is_no_second_keyframe() {
        let (mut rendition, _, fanout) = rendition();
        let mut viewer = subscribe(&fanout);
        for number in 0..100 {
            rendition.take(&canvas(number));
            assert_eq!(block_on(viewer.next()).unwrap().keyframe, number == 0);
        }
    }

    #[test]
    fn a_stalled_receiver_delays_nobody_and_comes_back_at_a_keyframe() {
        let (mut rendition, metrics, fanout) = rendition();
        let (mut stalled, mut watching) = (subscribe(&fanout), subscribe(&fanout));
        for number in 0..60 {
            rendition.take(&canvas(number));
            let picture = block_on(watching.next()).unwrap();
            assert_eq!((picture.number, picture.keyframe), (number, number == 0), "nobody pays for the stalled one");
        }
        assert_eq!(given_up(&metrics), 60 - CAPACITY as u64);
        for number in 0..CAPACITY as u64 {
            assert_eq!(block_on(stalled.next()).unwrap().number, number);
        }
        rendition.take(&canvas(60));
        let back = block_on(stalled.next()).unwrap();
        assert!(back.keyframe && back.number == 60, "it drained, so a keyframe was asked for");
    }

    #[test]
    fn noise_costs_pictures_and_not_the_lines() {
        let (mut rendition, metrics, fanout) = rendition();
        let mut viewer = subscribe(&fanout);
        let mut bits = 0;
        for number in 0..150 {
            let frame = Arc::new(scenes::noise(160, 96, number as u32));
            let before = rendition.number;
            rendition.take(&Composite { frame, ..canvas(number) });
            if rendition.number > before {
                bits += 8 * block_on(viewer.next()).unwrap().payloads.iter().map(Bytes::len).sum::<usize>();
            }
        }
        // Five seconds, one in debt, and what the last picture was.
        assert!(bits < 8 * SETTINGS.bitrate_bps as usize, "{bits}");
        assert!(metrics.dropped.get_or_create(&ByReason { reason: "video_bitrate_exceeded" }).get() > 75);
    }

    #[test]
    fn what_goes_out_can_be_decoded() {
        let egress = VideoEgress::start(SETTINGS, Clock::new(), Metrics::default());
        let mut viewer = egress.subscribe();
        let mut decoder = Decoder::new();
        for number in 0..5 {
            egress.offer(canvas(number));
            let picture = block_on(viewer.next()).unwrap();
            assert_eq!((picture.number, picture.at), (number, canvas(number).at));
            let stream = picture.payloads.iter().flat_map(|payload| annex_b(payload)).collect::<Vec<_>>();
            let shown = decoder.decode(&stream).unwrap().unwrap();
            let wanted = canvas(number).frame.planes()[0][0];
            assert!(shown.planes()[0][5000].abs_diff(wanted) < 6);
        }
        drop(egress);
        assert!(block_on(viewer.next()).is_none());
    }

    /// Single NAL units and STAP-A only: pictures this small need no fragments.
    fn annex_b(payload: &[u8]) -> Vec<u8> {
        if payload[0] & 0x1f != 24 {
            return [&[0, 0, 1], payload].concat();
        }
        let (mut stream, mut rest) = (Vec::new(), &payload[1..]);
        while let [high, low, after @ ..] = rest {
            let (nal_unit, after) = after.split_at(usize::from(*high) << 8 | usize::from(*low));
            stream.extend_from_slice(&[&[0, 0, 1], nal_unit].concat());
            rest = after;
        }
        stream
    }
}
