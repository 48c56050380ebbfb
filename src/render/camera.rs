//! One person's pictures, out of a stream of coded ones.
//!
//! In: coded pictures with their times, and the moment. Out: the picture that shows then, decoded only when somebody asks for it.
//! Never: a picture decoded that nobody sees, where a keyframe comes before the next one that somebody does.

use std::sync::Arc;
use std::time::Duration;

use super::damage::Damage;
use crate::codec::VideoDecoder;
use crate::codec::h264::Decoder;
use crate::container::{CodedPicture, PictureStream};
use crate::media::{Frame, MediaTime, Picture, Reel};

/// Times in files are rounded to ticks, and those of canvases to nanoseconds.
const ROUNDING: Duration = Duration::from_micros(500);
/// What may wait to be decoded of somebody whom nobody sees; with more, it is decoded after all.
const MOST_WAITING: usize = 32 << 20;
/// How long the last picture is seen at most.
const LONGEST: Duration = Duration::from_secs(1);
/// As in a call, a picture that stands still for so long is marked...
const STALLED: Duration = Duration::from_secs(2);
/// ...and one of a sender that is silent for so long is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(5);

/// What it means where no picture comes for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// The last one is to be seen until then, as in any film.
    Holds,
    /// None came over the line: it is shown as it was in the call.
    IsSilence,
}

/// Somebody's pictures.
pub(super) struct Camera {
    stream: Box<dyn PictureStream>,
    pause: Pause,
    /// Where the stream's zero lies.
    begins: MediaTime,
    next: Option<CodedPicture>,
    /// Since the last keyframe, due and not decoded.
    waiting: Vec<CodedPicture>,
    waiting_bytes: usize,
    decoder: Decoder,
    annex_b: Vec<u8>,
    shown: Option<Arc<Frame>>,
    /// The time of the newest that is due.
    newest: Option<MediaTime>,
    /// How long after the one before it.
    apart: Duration,
    /// Tells the room whether there is a picture; what it shows is never looked at.
    presence: Arc<Reel>,
    /// Whether it was told that one of them cannot be decoded.
    told: bool,
    damage: Damage,
}

impl Camera {
    /// Pictures whose zero is at `begins`.
    pub(super) fn new(stream: Box<dyn PictureStream>, pause: Pause, begins: MediaTime, damage: Damage) -> Self {
        let mut camera = Self {
            stream,
            pause,
            begins,
            next: None,
            waiting: Vec::new(),
            waiting_bytes: 0,
            decoder: Decoder::new(),
            annex_b: Vec::new(),
            shown: None,
            newest: None,
            apart: Duration::ZERO,
            presence: Arc::default(),
            told: false,
            damage,
        };
        camera.next = camera.read();
        camera
    }

    /// What tells the room whether there is a picture.
    pub(super) fn presence(&self) -> Arc<Reel> {
        self.presence.clone()
    }

    /// Whether there is none to come, and the last has been seen for as long as the one before it.
    pub(super) fn is_over(&self, now: MediaTime) -> bool {
        self.next.is_none() && self.newest.is_none_or(|newest| newest + self.apart <= now + ROUNDING)
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, now: MediaTime) {
        let begins = self.begins;
        while let Some(picture) = self.next.take_if(|next| begins + next.at <= now + ROUNDING) {
            let at = begins + picture.at;
            self.apart = at.since(self.newest.replace(at).unwrap_or(at)).min(LONGEST);
            self.wait(picture);
            self.next = self.read();
        }
        self.tell(now);
    }

    /// The picture that shows.
    pub(super) fn picture(&mut self) -> Option<Arc<Frame>> {
        self.develop();
        self.shown.clone()
    }

    /// How many wait to be decoded.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn read(&mut self) -> Option<CodedPicture> {
        self.stream.next().unwrap_or_else(|error| {
            self.damage.note(format_args!("its pictures end early: {error}"));
            None
        })
    }

    fn wait(&mut self, picture: CodedPicture) {
        if picture.keyframe {
            self.waiting.clear();
            self.waiting_bytes = 0;
        }
        self.waiting_bytes += picture.nal_units.iter().map(|nal_unit| nal_unit.len()).sum::<usize>();
        self.waiting.push(picture);
        if self.waiting_bytes > MOST_WAITING {
            self.develop();
        }
    }

    /// Decodes what waits. One that cannot be decoded shows what was before it, until the next keyframe.
    fn develop(&mut self) {
        self.waiting_bytes = 0;
        for picture in self.waiting.drain(..) {
            self.annex_b.clear();
            for nal_unit in &picture.nal_units {
                self.annex_b.extend_from_slice(&[0, 0, 0, 1]);
                self.annex_b.extend_from_slice(nal_unit);
            }
            match self.decoder.decode(&self.annex_b) {
                Ok(Some(frame)) => self.shown = Some(frame),
                Err(error) if !std::mem::replace(&mut self.told, true) => {
                    self.damage.note(format_args!("not all of its pictures can be decoded: {error}"));
                }
                Ok(None) | Err(_) => {}
            }
        }
    }

    fn tell(&self, now: MediaTime) {
        let Some(newest) = self.newest else { return };
        let silent = match self.pause {
            Pause::Holds => Duration::ZERO,
            Pause::IsSilence => now.since(newest),
        };
        self.presence.note_stalled(silent >= STALLED);
        if silent >= FORGOTTEN {
            self.presence.clear();
        } else if self.presence.is_empty() {
            self.presence.put(newest, Picture { frame: Arc::new(Frame::black(2, 2)), at: newest });
        }
    }
}
