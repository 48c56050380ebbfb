//! A file as packets with their times, pass after pass: in order, but for a block of samples that two passes share, which comes after the
//! last pictures of the first.
//!
//! In: whatever opens the file anew. Out: cues: a picture's RTP payloads or a packet of sound, each with its time from the beginning of the
//! play on. Never: a gap or a step between two passes, two pictures of one moment, or more in memory than the next of each.

use std::time::Duration;

use bytes::Bytes;

use super::sounds::{Sound, Sounds};
use super::stills::Stills;
use crate::codec::{DecodeError, EncodeError};
use crate::container::{CodedPicture, ContainerError, Media, PictureStream as _};
use crate::egress::packetize;

/// The largest picture, in bytes: what a room takes of anybody in one NAL unit, so that one of a single slice passes.
pub(super) const MAX_PICTURE: usize = 2 << 20;
/// The longest file.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// A pass takes so long at least, however short the file is.
const LEAST_PASS: Duration = Duration::from_millis(100);
/// Where the pictures outlast the sound by less, the next pass begins as the sound ends: nobody sees it, a gap would be heard.
pub(super) const UNSEEN: Duration = Duration::from_millis(100);
/// How long a picture is shown that is the only one.
const ONLY_PICTURE: Duration = Duration::from_millis(40);
/// How long the last picture of a pass is shown at most.
const LONGEST_LAST: Duration = Duration::from_secs(1);
/// Between two pictures at least.
const LEAST_STEP: Duration = Duration::from_millis(1);

/// Opens the file from its beginning on.
pub(super) type Opener = Box<dyn FnMut() -> Result<Media, ContainerError> + Send>;

/// Whether a file plays once or again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passes {
    One,
    Endless,
}

/// What is sent at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cue {
    /// From the beginning of the play on.
    pub(super) at: Duration,
    /// Where in the file.
    pub(super) position: Duration,
    pub(super) what: What,
}

/// A picture or a piece of sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// RTP payloads; the last one carries the marker.
    Picture(Vec<Bytes>),
    Sound {
        packet: Bytes,
        lasts: Duration,
    },
}

/// Why a file does not play on.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScoreError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] ContainerError),
    /// A packet of its sound is none.
    #[error("the file's sound is no Opus: {0}")]
    Sound(DecodeError),
    /// Its sound cannot be encoded.
    #[error("the file's sound cannot be encoded: {0}")]
    Encode(#[from] EncodeError),
    /// One of its pictures is too large.
    #[error("a picture of the file has {0} bytes; at most {MAX_PICTURE} are played")]
    TooLarge(usize),
    /// It says of a piece that it comes after more than a day.
    #[error("the file goes on for longer than 24 hours")]
    TooLong,
    /// There is nothing to play.
    #[error("the file holds neither picture nor sound")]
    Empty,
}

impl Cue {
    /// Bytes that it keeps in memory.
    pub(super) fn weight(&self) -> usize {
        match &self.what {
            What::Picture(payloads) => payloads.iter().map(Bytes::len).sum(),
            What::Sound { packet, .. } => packet.len(),
        }
    }

    /// When nothing of it is to be heard any more.
    pub(super) fn end(&self) -> Duration {
        match self.what {
            What::Picture(_) => self.at,
            What::Sound { lasts, .. } => self.at + lasts,
        }
    }
}

/// One play of a file.
pub(super) struct Score {
    open: Opener,
    passes: Passes,
    pictures: Option<Stills>,
    /// How long the file says it is.
    duration: Duration,
    sounds: Sounds,
    next_picture: Option<CodedPicture>,
    next_sound: Option<Sound>,
    /// When this pass began, from the beginning of the play on.
    began: Duration,
    /// Cues of this pass.
    cues: u64,
    /// The last picture's time from the beginning of the play on, and how long after the one before it came.
    last_picture: Option<(Duration, Duration)>,
}

impl Score {
    /// # Errors
    /// Where the file cannot be opened.
    pub(super) fn open(mut open: Opener, passes: Passes) -> Result<Self, ScoreError> {
        let media = open()?;
        let (pictures, duration, sounds, next_picture, next_sound, began, last_picture) = Default::default();
        let mut score = Self { open, passes, pictures, duration, sounds, next_picture, next_sound, began, cues: 0, last_picture };
        score.begin(media);
        Ok(score)
    }

    /// The next cue; `None` at the end.
    ///
    /// # Errors
    /// Why the file does not play on.
    pub(super) fn next(&mut self) -> Result<Option<Cue>, ScoreError> {
        loop {
            self.look_ahead()?;
            let picture_first = match (&self.next_picture, &self.next_sound) {
                (Some(picture), Some(sound)) => self.began.saturating_add(picture.at) < sound.at,
                (picture, _) => picture.is_some(),
            };
            let cue = if picture_first { self.picture()? } else { self.sound() };
            if cue.is_some() {
                self.cues += 1;
                return Ok(cue);
            }
            if !self.begin_again()? {
                return self.sounds.finish().map(|last| last.map(|sound| self.cue_of(sound)));
            }
        }
    }

    fn look_ahead(&mut self) -> Result<(), ScoreError> {
        if let (None, Some(pictures)) = (&self.next_picture, &mut self.pictures) {
            self.next_picture = pictures.next()?;
            self.pictures = self.pictures.take().filter(|_| self.next_picture.is_some());
        }
        if self.next_sound.is_none() {
            self.next_sound = self.sounds.next()?;
        }
        Ok(())
    }

    fn picture(&mut self) -> Result<Option<Cue>, ScoreError> {
        let Some(picture) = self.next_picture.take() else { return Ok(None) };
        let bytes = picture.nal_units.iter().map(Bytes::len).sum();
        if bytes > MAX_PICTURE {
            return Err(ScoreError::TooLarge(bytes));
        }
        if picture.at > LONGEST {
            return Err(ScoreError::TooLong);
        }
        let said = self.began + picture.at;
        let at = self.last_picture.map_or(said, |(last, _)| said.max(last + LEAST_STEP));
        self.last_picture = Some((at, self.last_picture.map_or(Duration::ZERO, |(last, _)| at - last)));
        Ok(Some(Cue { at, position: at.saturating_sub(self.began), what: What::Picture(packetize(&picture.nal_units)) }))
    }

    fn sound(&mut self) -> Option<Cue> {
        self.next_sound.take().map(|sound| self.cue_of(sound))
    }

    fn cue_of(&self, Sound { at, lasts, packet }: Sound) -> Cue {
        Cue { at, position: at.saturating_sub(self.began), what: What::Sound { packet, lasts } }
    }

    /// Begins another pass where there is one.
    fn begin_again(&mut self) -> Result<bool, ScoreError> {
        if self.cues == 0 && self.sounds.end().is_zero() {
            return Err(ScoreError::Empty);
        }
        if self.passes == Passes::One {
            return Ok(false);
        }
        self.began += self.length().max(LEAST_PASS);
        self.cues = 0;
        let media = (self.open)()?;
        self.begin(media);
        Ok(true)
    }

    fn begin(&mut self, media: Media) {
        self.duration = media.duration.min(LONGEST);
        self.pictures = media.pictures.map(|pictures| Stills::new(pictures, self.duration));
        self.sounds.begin(media.sound, self.began, self.duration);
    }

    /// Of the pass that has ended.
    fn length(&self) -> Duration {
        let pictures = self.last_picture.map_or(Duration::ZERO, |(at, step)| self.end_of_pictures(at.saturating_sub(self.began), step));
        let sounds = self.sounds.end();
        if !sounds.is_zero() && pictures < sounds + UNSEEN { sounds } else { pictures }
    }

    /// The last picture is shown until the file says that it ends, or as long as the one before it.
    fn end_of_pictures(&self, last: Duration, step: Duration) -> Duration {
        let step = if step.is_zero() { ONLY_PICTURE } else { step.min(LONGEST_LAST) };
        if (last..=last + LONGEST_LAST).contains(&self.duration) { self.duration.max(last + LEAST_STEP) } else { last + step }
    }
}
