//! One room's view as a stream: the task that makes its parts, and those who wait for them.
//!
//! In: the room's pictures and sounds; requests. Out: playlists and files. Never: work for each client beyond handing out what is there.
//! Parts are put together on the task itself: three memory copies a second, each below a millisecond.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::timeout;

use super::playlist::{self, About};
use super::segmenter::{Piece, Segmenter};
use super::wanted::{Reached, Wanted};
use super::window::{Found, Name, Window};
use super::{HlsError, TARGET_SECONDS};
use crate::broadcast::held::Held;
use crate::egress::VideoSubscription;
use crate::media::MediaTime;
use crate::metrics::Metrics;
use crate::rooms::{Rooms, Seat};

/// What nobody has made after this long is not waited for any longer (rfc8216bis §6.2.5.2: three target durations).
const PATIENCE: Duration = Duration::from_secs(3 * TARGET_SECONDS);
/// What the first playlist has is there 3.5 s after the first picture; an encoder that must be started takes a part of a second.
const FIRST: Duration = Duration::from_secs(8);

/// A playlist as all clients get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its text.
    pub text: Bytes,
    /// Changes with the text; no other stream has it.
    pub tag: String,
    reached: Reached,
    ended: bool,
}

/// A stream of one view.
#[derive(Debug)]
pub(super) struct Stream {
    /// The folder of its files: nobody guesses it, and no other stream ever has it.
    id: String,
    epoch: Timestamp,
    window: Mutex<Window>,
    shown: watch::Sender<Option<Arc<Shown>>>,
    asked: Mutex<MediaTime>,
    closing: watch::Sender<bool>,
}

impl Stream {
    pub(super) fn new(epoch: Timestamp, now: MediaTime) -> Self {
        let id = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>());
        let (window, asked) = (Mutex::default(), Mutex::new(now));
        Self { id, epoch, window, shown: watch::Sender::new(None), asked, closing: watch::Sender::new(false) }
    }

    pub(super) fn is(&self, id: &str) -> bool {
        self.id == id
    }

    /// Notes that somebody asks for something.
    pub(super) fn touch(&self, now: MediaTime) {
        *self.asked.lock() = now;
    }

    /// Whether nobody waits for anything, and nobody has asked for so long.
    pub(super) fn is_idle(&self, now: MediaTime, idle: Duration) -> bool {
        self.shown.receiver_count() == 0 && now.since(*self.asked.lock()) >= idle
    }

    /// Ends it soon.
    pub(super) fn close(&self) {
        self.closing.send_replace(true);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.window.lock().has_ended()
    }

    /// The newest playlist, once it has what is wanted.
    pub(super) async fn playlist(&self, wanted: Option<Wanted>) -> Result<Arc<Shown>, HlsError> {
        let mut shown = self.shown.subscribe();
        let begun = |shown: &Option<Arc<Shown>>| shown.as_ref().is_some_and(|shown| shown.ended || shown.reached.is_enough_to_begin());
        let first = timeout(FIRST, shown.wait_for(begun)).await;
        let first = first.ok().and_then(Result::ok).and_then(|shown| shown.clone()).ok_or(HlsError::NotYet)?;
        let Some(wanted) = wanted.filter(|wanted| !first.ended && !first.reached.has(*wanted)) else { return Ok(first) };
        if first.reached.is_too_far(wanted) {
            return Err(HlsError::TooFar);
        }
        let has = |shown: &Option<Arc<Shown>>| shown.as_ref().is_some_and(|shown| shown.ended || shown.reached.has(wanted));
        let there = timeout(PATIENCE, shown.wait_for(has)).await;
        there.ok().and_then(Result::ok).and_then(|shown| shown.clone()).ok_or(HlsError::NotYet)
    }

    /// A file; the part that is made next is waited for.
    pub(super) async fn file(&self, name: &str) -> Result<Bytes, HlsError> {
        let name = Name::parse(name).ok_or(HlsError::NoSuchFile)?;
        let mut shown = self.shown.subscribe();
        let found = async {
            loop {
                match self.window.lock().find(name) {
                    Found::File(bytes) => return Ok(bytes),
                    Found::Nothing => return Err(HlsError::NoSuchFile),
                    Found::Coming => {}
                }
                shown.changed().await.map_err(|_| HlsError::NoSuchFile)?;
            }
        };
        timeout(PATIENCE, found).await.unwrap_or(Err(HlsError::NotYet))
    }

    /// Makes parts until the room ends, is there for outputs alone for too long, or nobody is to get any.
    pub(super) async fn run(&self, mut seat: Seat, rooms: &Rooms, mut held: Held, metrics: &Metrics) {
        let (mut closing, mut segmenter) = (self.closing.subscribe(), Segmenter::default());
        let mut pictures = seat.video_out.take().expect("a stream's seat receives pictures");
        let mut sounds = seat.audio_out.take().expect("a stream's seat receives sound");
        loop {
            let (at, pieces) = tokio::select! {
                Some(picture) = pictures.next() => (picture.at, segmenter.picture(&picture)),
                Some(sound) = sounds.next() => (sound.at, segmenter.sound(&sound)),
                _ = closing.wait_for(|closing| *closing) => break,
                _ = seat.dismissed.wait_for(|dismissed| *dismissed) => break,
                else => break,
            };
            self.take(pieces);
            see_to(&mut segmenter, &pictures, metrics);
            if held.is_over(at, || rooms.is_held(&seat.room)) {
                break;
            }
        }
        self.take(segmenter.finish());
        // Whoever is told of the end finds no room that is there for this seat alone
        drop(seat);
        self.end();
    }

    pub(super) fn take(&self, pieces: Vec<Piece>) {
        if pieces.is_empty() {
            return;
        }
        let mut window = self.window.lock();
        pieces.into_iter().for_each(|piece| window.take(piece));
        self.show(&window);
    }

    pub(super) fn end(&self) {
        let mut window = self.window.lock();
        window.end();
        self.show(&window);
    }

    fn show(&self, window: &Window) {
        let text = playlist::text(window, &About { stream: &self.id, epoch: self.epoch }).into();
        let (ended, reached) = (window.has_ended(), Reached::by(window));
        let tag = format!("\"{}.{}{}\"", self.id, window.next_part(), if ended { ".end" } else { "" });
        self.shown.send_replace(Some(Arc::new(Shown { text, tag, reached, ended })));
    }
}

/// Asks for the keyframe that the next segment needs, and counts what was given up.
fn see_to(segmenter: &mut Segmenter, pictures: &VideoSubscription, metrics: &Metrics) {
    if segmenter.asks_for_keyframe() {
        pictures.request_keyframe();
    }
    for (reason, count) in ["hls_no_keyframe", "hls_sound_late"].into_iter().zip(<[u64; 2]>::from(segmenter.take_dropped())) {
        if count > 0 {
            metrics.count_dropped_by(reason, count);
        }
    }
}
