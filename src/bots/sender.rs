//! What a bot sends, on a thread of its own: pictures and sound, encoded when they are due.
//!
//! In: orders for a keyframe. Out: encoded pictures and packets to the session, through a bounded queue whose overflow is
//! counted. Never: work on the async runtime's threads; sound that waits for more than one picture.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::codec::h264::Encoder;
use crate::codec::opus::{AudioEncoder, Prediction};
use crate::codec::{EncodeError, Keyframe, VideoEncoder, VideoSettings};
use crate::media::{BLOCK_PERIOD, Block, MediaTime};

use super::files::{Film, Track, annex_b};
use super::judge::SentReport;
use super::judge::measure::Histogram;
use super::own_clock::OwnClock;
use super::picture::Painter;
use super::sound::Voice;
use super::spending::{Spending, usual_bps};

/// Something encoded, on its way to the session.
#[derive(Debug)]
pub(super) enum Parcel {
    /// An access unit in Annex B form, and when its picture was drawn.
    Picture(Arc<[u8]>, MediaTime),
    /// An Opus packet, and the time of its first sample.
    Sound(Bytes, MediaTime),
}

/// An access unit in Annex B form, and whether it is a keyframe.
type Unit = (Arc<[u8]>, bool);

/// An order to the sender: the next picture is to be a keyframe.
#[derive(Debug)]
pub(super) struct KeyframeWanted;

/// Where the pictures come from.
pub(super) enum PictureFeed {
    /// Drawn and encoded as they are due.
    Drawn { painter: Painter, encoder: Box<Encoder>, spending: Spending },
    /// A recording.
    Film { film: Film, next: usize },
}

/// Where the sound comes from.
pub(super) enum SoundFeed {
    /// The bot's tone.
    Voice(Voice),
    /// Digital silence.
    Silence,
    /// A recording.
    Track { track: Track, next: usize },
}

/// Counts of what was sent, shared with the report.
#[derive(Debug)]
pub(super) struct Sent {
    pictures: AtomicU64,
    keyframes: AtomicU64,
    pub(super) keyframes_asked: AtomicU64,
    sounds: AtomicU64,
    dropped: AtomicU64,
    late_ms: Mutex<Histogram>,
    /// What the session lets pictures take, in bits a second; 0 while it does not know.
    pub(super) allowed_bps: AtomicU64,
    /// What the encoder is set to.
    encoder_bps: AtomicU64,
}

impl Default for Sent {
    fn default() -> Self {
        let [pictures, keyframes, keyframes_asked, sounds, dropped, allowed_bps, encoder_bps] = [0; 7].map(AtomicU64::new);
        let late_ms = Mutex::new(Histogram::of_delays());
        Self { pictures, keyframes, keyframes_asked, sounds, dropped, late_ms, allowed_bps, encoder_bps }
    }
}

impl Sent {
    pub(super) fn report(&self) -> SentReport {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        SentReport {
            pictures: read(&self.pictures),
            keyframes: read(&self.keyframes),
            keyframes_asked: read(&self.keyframes_asked),
            sounds: read(&self.sounds),
            dropped: read(&self.dropped),
            late_ms: self.late_ms.lock().spread(),
        }
    }

    /// What the encoder is set to; `None` where there is none.
    pub(super) fn encoder_bps(&self) -> Option<u64> {
        Some(self.encoder_bps.load(Ordering::Relaxed)).filter(|bps| *bps > 0)
    }

    pub(super) fn begin(&self) {
        for count in [&self.pictures, &self.keyframes, &self.keyframes_asked, &self.sounds, &self.dropped] {
            count.store(0, Ordering::Relaxed);
        }
        *self.late_ms.lock() = Histogram::of_delays();
    }
}

/// One bot's sender.
pub(super) struct Sender {
    pub(super) clock: OwnClock,
    pub(super) pictures: PictureFeed,
    pub(super) sounds: SoundFeed,
    pub(super) codec: AudioEncoder,
    pub(super) fps: u32,
    pub(super) out: mpsc::Sender<Parcel>,
    pub(super) sent: Arc<Sent>,
}

impl PictureFeed {
    /// Drawn by `painter` at about the bitrate a browser would choose for the size.
    pub(super) fn drawn(painter: Painter, (width, height): (u32, u32), fps: u32) -> Result<Self, EncodeError> {
        let bitrate_bps = usual_bps((width, height), fps);
        let encoder = Encoder::new(VideoSettings { width, height, fps, bitrate_bps })?;
        Ok(Self::Drawn { painter, encoder: Box::new(encoder), spending: Spending::new(bitrate_bps) })
    }

    /// At most `allowed_bps`, where that is known: a drawn picture's encoder follows it, a recording cannot.
    fn next(&mut self, clock: &OwnClock, now: MediaTime, keyframe: Keyframe, sent: &Sent) -> Result<Option<Unit>, EncodeError> {
        match self {
            Self::Drawn { painter, encoder, spending } => {
                let bps = spending.allow(sent.allowed_bps.load(Ordering::Relaxed));
                encoder.set_bitrate(bps)?;
                sent.encoder_bps.store(bps.into(), Ordering::Relaxed);
                if !spending.has_room(now) {
                    return Ok(None);
                }
                let unit = encoder.encode(painter.draw(now, clock.wall(now)), now, keyframe)?;
                spending.spend(unit.iter().flat_map(|unit| &unit.nal_units).map(|nal| nal.len()).sum());
                Ok(unit.map(|unit| (annex_b(unit.nal_units.iter().map(|nal| &nal[..])).into(), unit.keyframe)))
            }
            Self::Film { film, next } => {
                if keyframe == Keyframe::Force {
                    // The nearest keyframe ahead, or the one that the film begins with.
                    *next = (*next..film.len()).find(|&at| film[at].keyframe).unwrap_or(0);
                }
                let picture = &film[*next];
                *next = (*next + 1) % film.len();
                Ok(Some((picture.annex_b.clone(), picture.keyframe)))
            }
        }
    }
}

impl SoundFeed {
    fn next(&mut self, clock: &OwnClock, at: MediaTime) -> Block {
        match self {
            Self::Voice(voice) => voice.speak(clock.wall(at)),
            Self::Silence => Block::SILENCE,
            Self::Track { track, next } => {
                let block = track[*next].clone();
                *next = (*next + 1) % track.len();
                block
            }
        }
    }
}

impl Sender {
    /// Sends from the first order on, which comes when the session stands, until the session is gone.
    pub(super) fn run(mut self, orders: &Receiver<KeyframeWanted>) {
        if orders.recv().is_err() {
            return;
        }
        let start = self.clock.now();
        let picture_period = Duration::from_secs(1) / self.fps;
        let (mut picture_due, mut sound_due) = (start, start);
        let mut keyframe = Keyframe::Force;
        loop {
            match orders.recv_timeout(picture_due.min(sound_due).since(self.clock.now())) {
                Ok(KeyframeWanted) => keyframe = Keyframe::Force,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) if sound_due <= picture_due => {
                    self.sent.late_ms.lock().note(self.clock.now().since(sound_due).as_secs_f64() * 1000.0);
                    self.send_sound(sound_due);
                    sound_due += BLOCK_PERIOD;
                }
                Err(RecvTimeoutError::Timeout) => {
                    let now = self.clock.now();
                    if self.send_picture(now, keyframe) {
                        keyframe = Keyframe::Auto;
                    }
                    // A camera that is late does not take the missed pictures afterwards.
                    let missed = now.since(picture_due).as_nanos() / picture_period.as_nanos();
                    picture_due += picture_period * (missed as u32 + 1);
                }
            }
        }
    }

    /// Whether there was one.
    fn send_picture(&mut self, now: MediaTime, keyframe: Keyframe) -> bool {
        match self.pictures.next(&self.clock, now, keyframe, &self.sent) {
            Ok(Some((unit, is_keyframe))) => {
                self.post(Parcel::Picture(unit, now));
                self.sent.pictures.fetch_add(1, Ordering::Relaxed);
                self.sent.keyframes.fetch_add(u64::from(is_keyframe), Ordering::Relaxed);
                return true;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "picture not encoded"),
        }
        false
    }

    fn send_sound(&mut self, at: MediaTime) {
        let block = self.sounds.next(&self.clock, at);
        match self.codec.encode(&block, Prediction::Allowed) {
            Ok(packet) => {
                self.post(Parcel::Sound(packet, at));
                self.sent.sounds.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => tracing::warn!(%error, "sound not encoded"),
        }
    }

    fn post(&self, parcel: Parcel) {
        if self.out.try_send(parcel).is_err() {
            self.sent.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}
