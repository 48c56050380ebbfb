//! Pictures and sounds of one line of time, cut into parts of a second. Pure.
//!
//! In: encoded pictures from a keyframe on, and sounds, in order. Out: a header, then parts, each of which can be played with those before
//! it. Never: a shift: what is missing makes the one before it longer.

use std::time::Duration;

use bytes::Bytes;

use crate::codec::h264::nal;
use crate::codec::sps::{Sps, SpsError};
use crate::container::mp4::{self, PICTURE_CLOCK, Part, PictureTrack, SOUND_CLOCK, Sample, SoundTrack, Tracks};
use crate::media::{EncodedPicture, EncodedSound, MediaTime};

/// How much a part holds.
const PART: Duration = Duration::from_secs(1);
/// What libopus looks ahead at 48 kHz, in samples: what a decoder gives first is from before the first packet.
const PRE_SKIP: u16 = 312;
/// How long the last picture shows at least, in ticks: a thirtieth of a second.
const LAST_PICTURE: u32 = PICTURE_CLOCK / 30;
/// How long the last packet lasts.
const LAST_SOUND: u32 = SOUND_CLOCK / 50;

/// A file's media as they come.
#[derive(Debug)]
pub(in crate::record) struct Film {
    zero: MediaTime,
    pictures: Strip,
    sounds: Strip,
    sequence: u32,
    /// Where the part begins that is being gathered.
    part: MediaTime,
    newest: MediaTime,
}

/// A part that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::record) struct Cut {
    /// What the file grows by.
    pub(in crate::record) bytes: Bytes,
    /// Everything before this is in it or in the parts before.
    pub(in crate::record) reached: MediaTime,
}

/// Why there is no film of pictures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::record) enum FilmError {
    /// It does not begin with what a decoder needs.
    #[error("the first picture has no parameter sets")]
    NoParameterSets,
    /// The parameter set is not one of ours.
    #[error("the first picture's parameter set: {0}")]
    Sps(#[from] SpsError),
    /// It does not fit a file.
    #[error("the pictures do not fit an MP4 file: {0}")]
    Container(String),
}

impl Film {
    /// Begins with a keyframe, whose time is the file's zero; gives the file's header.
    ///
    /// # Errors
    /// Where it is none.
    pub(in crate::record) fn begin(keyframe: &EncodedPicture) -> Result<(Self, Bytes), FilmError> {
        let of = |kind: u8| keyframe.nal_units.iter().find(|unit| nal::kind(unit) == kind).cloned().ok_or(FilmError::NoParameterSets);
        let (sps, pps) = (of(nal::SPS)?, of(nal::PPS)?);
        let Sps { width, height, .. } = Sps::parse(&sps)?;
        let pictures = PictureTrack { width: width as u16, height: height as u16, sps, pps, in_band: true };
        let tracks = Tracks { pictures: Some(pictures), sound: Some(SoundTrack { channels: 1, pre_skip: PRE_SKIP }) };
        let header = mp4::header(&tracks).map_err(|error| FilmError::Container(error.to_string()))?;
        let zero = keyframe.at;
        let (pictures, sounds) = Default::default();
        Ok((Self { zero, pictures, sounds, sequence: 0, part: zero, newest: zero }, header))
    }

    /// The file's zero.
    pub(in crate::record) fn zero(&self) -> MediaTime {
        self.zero
    }

    /// The next picture; gives a part where one has become whole.
    ///
    /// # Errors
    /// Where the part does not fit the file.
    pub(in crate::record) fn picture(&mut self, picture: &EncodedPicture) -> Result<Option<Cut>, FilmError> {
        let at = self.ticks(picture.at, PICTURE_CLOCK);
        self.pictures.push(at, mp4::length_prefixed(&picture.nal_units), picture.keyframe);
        self.cut_at(picture.at)
    }

    /// The next sound; one from before the file's zero is left out.
    ///
    /// # Errors
    /// Where the part does not fit the file.
    pub(in crate::record) fn sound(&mut self, sound: &EncodedSound) -> Result<Option<Cut>, FilmError> {
        if sound.at < self.zero {
            return Ok(None);
        }
        let at = self.ticks(sound.at, SOUND_CLOCK);
        self.sounds.push(at, sound.payload.clone(), true);
        self.cut_at(sound.at)
    }

    /// The last part, with what has waited for the one after it: the last picture shows as long as there is sound.
    ///
    /// # Errors
    /// Where it does not fit the file.
    pub(in crate::record) fn end(&mut self) -> Result<Option<Cut>, FilmError> {
        let end = self.ticks(self.newest, PICTURE_CLOCK);
        self.pictures.finish(end, LAST_PICTURE);
        self.sounds.finish(0, LAST_SOUND);
        self.cut()
    }

    fn cut_at(&mut self, at: MediaTime) -> Result<Option<Cut>, FilmError> {
        self.newest = self.newest.max(at);
        if at.since(self.part) < PART {
            return Ok(None);
        }
        self.part = at;
        self.cut()
    }

    fn cut(&mut self) -> Result<Option<Cut>, FilmError> {
        self.sequence += 1;
        let ((pictures_at, pictures), (sounds_at, sounds)) = (self.pictures.take(), self.sounds.take());
        if pictures.is_empty() && sounds.is_empty() {
            return Ok(None);
        }
        let part = Part { sequence: self.sequence, pictures_at, pictures, sounds_at, sounds };
        let bytes = mp4::part(&part).map_err(|error| FilmError::Container(error.to_string()))?;
        Ok(Some(Cut { bytes, reached: self.newest }))
    }

    fn ticks(&self, at: MediaTime, rate: u32) -> u64 {
        let nanos = at.since(self.zero).as_nanos();
        ((nanos * u128::from(rate) + 500_000_000) / 1_000_000_000) as u64
    }
}

/// One track's samples: how long one lasts is known when the next one is there.
#[derive(Debug, Default)]
struct Strip {
    begins: u64,
    samples: Vec<Sample>,
    /// The newest, and when it begins.
    waiting: Option<(u64, Bytes, bool)>,
}

impl Strip {
    /// One that is not later than the one before comes right after it.
    fn push(&mut self, at: u64, payload: Bytes, keyframe: bool) {
        let at = self.waiting.as_ref().map_or(at, |(before, ..)| at.max(before + 1));
        self.complete(at);
        self.waiting = Some((at, payload, keyframe));
    }

    /// Nothing comes any more: the newest lasts to the end, and so long at least.
    fn finish(&mut self, end: u64, least: u32) {
        let Some((at, ..)) = self.waiting else { return };
        self.complete(end.max(at + u64::from(least)));
    }

    /// The newest lasts to here.
    fn complete(&mut self, end: u64) {
        let Some((at, payload, keyframe)) = self.waiting.take() else { return };
        if self.samples.is_empty() {
            self.begins = at;
        }
        self.samples.push(Sample { payload, duration: u32::try_from(end - at).unwrap_or(u32::MAX), keyframe });
    }

    fn take(&mut self) -> (u64, Vec<Sample>) {
        (self.begins, std::mem::take(&mut self.samples))
    }
}
