//! One rendition that is received: its thread, and the ends by which others reach it.
//!
//! In: canvases, of which the newest is kept. Out: feeds. Never: a wait for the thread; it ends by itself soon after its last
//! receiver left, or when this is dropped.

use std::sync::Arc;

use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;

use super::fanout::{Fanout, Receiver};
use super::pace::Pace;
use super::pictures::PictureQueue;
use super::worker::{Gauges, Worker};
use crate::codec::VideoSettings;
use crate::flow::Slot;
use crate::media::{Clock, Composite, EncodedPicture, MediaTime};
use crate::metrics::Metrics;

/// One rendition: a worker thread that encodes the newest canvas while somebody receives it.
#[derive(Debug)]
pub(super) struct VideoEgress {
    canvases: Slot<Composite>,
    pub(super) fanout: Arc<Fanout<PictureQueue>>,
    pace: Mutex<Pace>,
    gauges: Arc<Gauges>,
    metrics: Metrics,
}

impl VideoEgress {
    /// Starts the thread for a first receiver. Where the system has none, the feed has ended at once.
    pub(super) fn begin(settings: VideoSettings, clock: Clock, metrics: Metrics) -> (Self, Feed) {
        let canvases = Slot::default();
        let (fanout, gauges) = (Arc::<Fanout<PictureQueue>>::default(), Arc::new(Gauges::new(settings.bitrate_bps)));
        let first = Feed { pictures: fanout.subscribe(PictureQueue::default()), switches: metrics.video_switches.clone() };
        let worker = Worker::new(settings, clock, metrics.clone(), gauges.clone(), fanout.clone());
        let slot = canvases.clone();
        let spawned = std::thread::Builder::new().name("video-encode".into()).spawn(move || worker.run(&slot));
        if let Err(error) = spawned {
            tracing::error!(%error, "no thread to encode a rendition on");
        }
        (Self { canvases, fanout, pace: Mutex::new(Pace::new(settings.fps)), gauges, metrics }, first)
    }

    /// Offers the newest canvas; replaces one that was not yet encoded (counted). One beyond the rendition's frames a second
    /// is left out. Never blocks.
    pub(super) fn offer(&self, composite: Composite) {
        if self.fanout.is_empty() || !self.pace.lock().takes(composite.at) {
            return;
        }
        if self.canvases.put(composite).is_some() {
            self.metrics.count_dropped("video_encoder_behind");
        }
    }

    /// One more receiver; `None` where the thread has ended.
    pub(super) fn feed(&self) -> Option<Feed> {
        let pictures = self.fanout.subscribe_if_open(PictureQueue::default())?;
        Some(Feed { pictures, switches: self.metrics.video_switches.clone() })
    }

    /// What its encoder is to give from its next picture on.
    pub(super) fn set_bitrate(&self, bitrate_bps: u32) {
        self.gauges.set_target_bps(bitrate_bps);
    }

    /// Keyframes since the thread began.
    pub(super) fn keyframes(&self) -> u64 {
        self.gauges.keyframes()
    }

    /// Whether its thread has ended, for want of receivers.
    pub(super) fn has_ended(&self) -> bool {
        self.fanout.is_closed()
    }

    /// How many receive it.
    pub(super) fn viewers(&self) -> usize {
        self.fanout.len()
    }

    /// Whether an encoder is at work.
    pub(super) fn is_encoding(&self) -> bool {
        self.gauges.is_encoding()
    }

    /// What its encoder gave over the last second.
    pub(super) fn bitrate_bps(&self, now: MediaTime) -> u64 {
        self.gauges.bitrate_bps(now)
    }
}

impl Drop for VideoEgress {
    fn drop(&mut self) {
        self.canvases.close();
    }
}

/// Tells one rendition's encoder from another's.
pub(super) type Encoder = Arc<Fanout<PictureQueue>>;

/// One receiver's end of a rendition, for a [`Turnout`](super::Turnout). Dropping it unsubscribes.
#[derive(Debug)]
pub struct Feed {
    pub(super) pictures: Receiver<PictureQueue>,
    /// Counts those who come to it from another.
    pub(super) switches: Counter,
}

impl Feed {
    /// The next picture; the first is a keyframe, and so is the first after this receiver fell behind. `None` at the end.
    /// Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Arc<EncodedPicture>> {
        self.pictures.next().await
    }

    /// Asks for a keyframe; coalesced to at most two a second for the rendition.
    pub(super) fn request_keyframe(&self) {
        self.pictures.tell(PictureQueue::ask);
    }

    /// Where it comes from.
    pub(super) fn encoder(&self) -> Encoder {
        self.pictures.fanout()
    }

    /// Whether it comes from there.
    pub(super) fn is_from(&self, encoder: &Encoder) -> bool {
        Arc::ptr_eq(&self.encoder(), encoder)
    }
}
