//! One scene's encoders: one for each rendition that somebody receives, made on demand.
//!
//! In: canvases; who wants which rendition. Out: feeds. Never: a thread or an encoder for a rendition that nobody receives, or a
//! wait for one.

use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;

use super::rendition::Rendition;
use super::video::{Feed, VideoEgress};
use crate::codec::VideoSettings;
use crate::media::{Canvas, Clock, Composite};
use crate::metrics::Metrics;

/// One scene's encoders. Dropping it ends them, and every feed.
#[derive(Debug)]
pub struct SceneEgress {
    renditions: Vec<Lane>,
    clock: Clock,
    metrics: Metrics,
}

/// One rendition.
#[derive(Debug)]
struct Lane {
    settings: VideoSettings,
    /// What its encoder is to give, in bits a second.
    target_bps: AtomicU32,
    /// While somebody receives it, and a little longer.
    egress: Mutex<Option<VideoEgress>>,
}

/// What a rendition costs and who receives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// As encoded, in pixels.
    pub width: u32,
    /// As encoded, in pixels.
    pub height: u32,
    /// Frames a second at most, as encoded.
    pub fps: u32,
    /// Who receives it; one that is on its way from another counts at both.
    pub viewers: usize,
    /// Encoders at work: 0 or 1.
    pub encoders: usize,
    /// Over the last second.
    pub bitrate_bps: u64,
    /// What its encoder is to give, in bits a second.
    pub target_bps: u32,
    /// Keyframes since it was last begun.
    pub keyframes: u64,
}

impl SceneEgress {
    /// Of canvases of that size and rate; no thread yet.
    pub fn new(canvas: Canvas, renditions: Vec<Rendition>, clock: Clock, metrics: Metrics) -> Self {
        let lane = |rendition: &Rendition| {
            let settings = rendition.settings(canvas);
            Lane { settings, target_bps: AtomicU32::new(settings.bitrate_bps), egress: Mutex::default() }
        };
        Self { renditions: renditions.iter().map(lane).collect(), clock, metrics }
    }

    /// Offers the newest canvas to every rendition that is received; newest wins. Never blocks.
    pub fn offer(&self, composite: Composite) {
        for lane in &self.renditions {
            let mut egress = lane.egress.lock();
            egress.take_if(|egress| egress.has_ended());
            if let Some(egress) = &*egress {
                egress.offer(composite.clone());
            }
        }
    }

    /// One more receiver of a rendition, by its place in the list; starts its thread where there is none.
    ///
    /// # Panics
    /// Where there is no such rendition: [`fitting`](super::fitting) chooses among those that there are.
    pub fn feed(&self, rendition: usize) -> Feed {
        let lane = &self.renditions[rendition];
        let mut egress = lane.egress.lock();
        if let Some(feed) = egress.as_ref().and_then(VideoEgress::feed) {
            return feed;
        }
        let settings = VideoSettings { bitrate_bps: lane.target_bps.load(Ordering::Relaxed), ..lane.settings };
        let (begun, first) = VideoEgress::begin(settings, self.clock, self.metrics.clone());
        *egress = Some(begun);
        first
    }

    /// Has a rendition's encoder, or the next one where there is none, give so many bits a second.
    ///
    /// # Panics
    /// Where there is no such rendition.
    pub fn set_bitrate(&self, rendition: usize, bitrate_bps: u32) {
        let lane = &self.renditions[rendition];
        if lane.target_bps.swap(bitrate_bps, Ordering::Relaxed) != bitrate_bps {
            lane.egress.lock().iter().for_each(|egress| egress.set_bitrate(bitrate_bps));
        }
    }

    /// What a rendition's encoder is to give, in bits a second.
    ///
    /// # Panics
    /// Where there is no such rendition.
    pub fn target_bps(&self, rendition: usize) -> u32 {
        self.renditions[rendition].target_bps.load(Ordering::Relaxed)
    }

    /// A rendition's width, height and frames a second, as encoded.
    ///
    /// # Panics
    /// Where there is no such rendition.
    pub fn shape(&self, rendition: usize) -> (u32, u32, u32) {
        let VideoSettings { width, height, fps, .. } = self.renditions[rendition].settings;
        (width, height, fps)
    }

    /// Each rendition as it is, in order.
    pub fn loads(&self) -> Vec<Load> {
        self.renditions.iter().map(|lane| self.load(lane)).collect()
    }

    fn load(&self, lane: &Lane) -> Load {
        let VideoSettings { width, height, fps, .. } = lane.settings;
        let egress = lane.egress.lock();
        let target_bps = lane.target_bps.load(Ordering::Relaxed);
        let idle = Load { width, height, fps, viewers: 0, encoders: 0, bitrate_bps: 0, target_bps, keyframes: 0 };
        let Some(egress) = &*egress else { return idle };
        let (viewers, encoders, bitrate_bps) = (egress.viewers(), usize::from(egress.is_encoding()), egress.bitrate_bps(self.clock.now()));
        Load { viewers, encoders, bitrate_bps, keyframes: egress.keyframes(), ..idle }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pollster::block_on;

    use super::*;
    use crate::codec::VideoDecoder;
    use crate::codec::h264::Decoder;
    use crate::egress::{VideoSubscription, subscription};
    use crate::media::{EncodedPicture, Frame, MediaTime};
    use crate::metrics::{ByMedia, Media};

    const CANVAS: Canvas = Canvas { width: 320, height: 192, fps: 30, background: crate::media::Rgb(0, 0, 0) };
    const HIGH: Rendition = Rendition { height: 192, fps: 30, max_bps: 500_000, min_bps: 100_000 };
    const LOW: Rendition = Rendition { height: 96, fps: 30, max_bps: 200_000, min_bps: 50_000 };

    fn scene() -> (SceneEgress, Metrics, Clock) {
        let (clock, metrics) = (Clock::new(), Metrics::default());
        (SceneEgress::new(CANVAS, vec![HIGH, LOW], clock, metrics.clone()), metrics, clock)
    }

    /// Brighter from one to the next.
    fn canvas(number: u64) -> Composite {
        let frame = Arc::new(Frame::filled(320, 192, [luma(number), 128, 128]));
        Composite { frame, at: MediaTime::from_nanos(number * 1_000_000_000 / 30) }
    }

    fn luma(number: u64) -> u8 {
        (number * 5 % 200) as u8 + 20
    }

    /// What a decoder that has seen all pictures before makes of one.
    fn decoded(decoder: &mut Decoder, picture: &EncodedPicture) -> Arc<Frame> {
        let stream = picture.payloads.iter().flat_map(|payload| annex_b(payload)).collect::<Vec<_>>();
        decoder.decode(&stream).unwrap().unwrap()
    }

    fn next(viewer: &mut VideoSubscription) -> Arc<EncodedPicture> {
        block_on(viewer.next()).unwrap()
    }

    #[test]
    fn each_rendition_shows_the_canvas_in_its_own_size() {
        let (scene, _, _) = scene();
        for (rendition, width, height) in [(0, 320, 192), (1, 160, 96)] {
            let (mut viewer, turnout) = subscription();
            turnout.turn_to(scene.feed(rendition));
            let mut decoder = Decoder::new();
            for number in 0..5 {
                scene.offer(canvas(number));
                let picture = next(&mut viewer);
                assert_eq!((picture.number, picture.at), (number, canvas(number).at));
                let shown = decoded(&mut decoder, &picture);
                assert_eq!((shown.width(), shown.height()), (width, height));
                assert!(shown.planes()[0][5000].abs_diff(luma(number)) < 6);
            }
        }
    }

    #[test]
    fn a_receiver_that_comes_from_one_encoder_to_another_decodes_every_picture() {
        let (scene, metrics, _) = scene();
        let (mut viewer, turnout) = subscription();
        let (mut decoder, mut number) = (Decoder::new(), 0);
        for rendition in [0, 1, 0, 1] {
            turnout.turn_to(scene.feed(rendition));
            let height = [192, 96][rendition];
            let mut pictures_there = 0;
            while pictures_there < 5 {
                scene.offer(canvas(number));
                number += 1;
                let picture = next(&mut viewer);
                let shown = decoded(&mut decoder, &picture);
                assert!(shown.height() == height || pictures_there == 0, "once there, it stays");
                let shown_number = (picture.at + std::time::Duration::from_millis(1)).rtp(30);
                assert!(shown.planes()[0][5000].abs_diff(luma(u64::from(shown_number))) < 6);
                pictures_there += u32::from(shown.height() == height);
            }
        }
        assert_eq!(metrics.video_switches.get(), 3);
    }

    #[test]
    fn only_what_is_received_has_an_encoder_and_its_load_is_told() {
        let (scene, metrics, clock) = scene();
        let frame = canvas(3).frame;
        scene.offer(Composite { frame: frame.clone(), at: clock.now() });
        assert!(scene.loads().iter().all(|load| (load.viewers, load.encoders, load.bitrate_bps) == (0, 0, 0)));
        let mut viewers: Vec<_> = (0..3).map(|_| subscription()).collect();
        viewers.iter().for_each(|(_, turnout)| turnout.turn_to(scene.feed(1)));
        scene.offer(Composite { frame, at: clock.now() });
        let keyframe = next(&mut viewers[0].0);
        let [high, low] = scene.loads()[..] else { panic!("two renditions") };
        assert_eq!((high.width, high.height, high.viewers, high.encoders), (320, 192, 0, 0));
        assert_eq!((low.width, low.height, low.fps, low.viewers, low.encoders), (160, 96, 30, 3, 1));
        assert_eq!(low.bitrate_bps, 8 * keyframe.payloads.iter().map(|payload| payload.len() as u64).sum::<u64>());
        assert_eq!(metrics.encoders.get_or_create(&ByMedia { media: Media::Video }).get(), 1);
    }

    #[test]
    fn a_rendition_that_was_given_up_begins_anew_with_its_next_receiver() {
        let (scene, _, _) = scene();
        drop(scene.feed(0));
        assert!(scene.renditions[0].egress.lock().as_ref().unwrap().fanout.close_unless_received());
        scene.offer(canvas(0));
        assert!(scene.renditions[0].egress.lock().is_none());
        let (mut viewer, turnout) = subscription();
        turnout.turn_to(scene.feed(0));
        scene.offer(canvas(1));
        assert!(next(&mut viewer).keyframe);
    }

    #[test]
    fn the_feeds_of_a_scene_end_with_it() {
        let (scene, _, _) = scene();
        let (mut viewer, turnout) = subscription();
        turnout.turn_to(scene.feed(0));
        drop(turnout);
        drop(scene);
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
