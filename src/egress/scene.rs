//! One scene's encoders: one for each rendition that somebody receives, made on demand.
//!
//! In: canvases; who wants which rendition. Out: feeds. Never: a thread or an encoder for a rendition that nobody receives, or a
//! wait for one.

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
}

impl SceneEgress {
    /// Of canvases of that size and rate; no thread yet.
    pub fn new(canvas: Canvas, renditions: Vec<Rendition>, clock: Clock, metrics: Metrics) -> Self {
        let lane = |rendition: &Rendition| Lane { settings: rendition.settings(canvas), egress: Mutex::default() };
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
        let (begun, first) = VideoEgress::begin(lane.settings, self.clock, self.metrics.clone());
        *egress = Some(begun);
        first
    }

    /// Each rendition as it is, in order.
    pub fn loads(&self) -> Vec<Load> {
        self.renditions.iter().map(|lane| self.load(lane)).collect()
    }

    fn load(&self, lane: &Lane) -> Load {
        let VideoSettings { width, height, fps, .. } = lane.settings;
        let egress = lane.egress.lock();
        let (viewers, encoders, bitrate_bps) = match &*egress {
            Some(egress) => (egress.viewers(), usize::from(egress.is_encoding()), egress.bitrate_bps(self.clock.now())),
            None => (0, 0, 0),
        };
        Load { width, height, fps, viewers, encoders, bitrate_bps }
    }
}
