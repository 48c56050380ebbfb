//! Pictures and sounds into parts of segments: fragmented MP4, as they come.
//!
//! In: pictures (the first is a keyframe) and sounds, each in order, with their times on one line. Out: parts, each of which can be
//! published at once. Never: a segment that does not begin with a keyframe or is longer than [`LONGEST`], a part that is longer than
//! the Part Target Duration, or a clock: pictures end parts, and sounds tell that pictures stay away.
//!
//! A part ends with the last picture that fits in; where pictures stay away for longer, at its full length, and the picture before the
//! gap is a long sample. A segment ends at the first keyframe after [`SHORTEST`]; the first ones are shorter. One whose keyframe does not
//! come ends nevertheless, and a discontinuity is where the next keyframe is.

use bytes::Bytes;

use super::sounds::Sounds;
use super::{MS, PART, TO_BEGIN};
use crate::codec::h264::nal;
use crate::codec::sps::Sps;
use crate::container::mp4::{self, PictureTrack, Sample, SoundTrack, Tracks};
use crate::media::{EncodedPicture, EncodedSound, MediaTime};

/// A keyframe for the next segment is asked for when this much of the present one is there: it takes a picture or two to come.
const ASK: u64 = 1900 * MS;
/// One that does not come is asked for again after this long.
const ASK_AGAIN: u64 = 1000 * MS;
/// A keyframe that comes this early for somebody else begins a segment too, and none is asked for.
const SHORTEST: u64 = 1500 * MS;
/// The same for the segments that the first client waits for.
const FIRST_ASK: u64 = 1150 * MS;
const FIRST_SHORTEST: u64 = 1000 * MS;
/// A segment's end where no keyframe comes: it rounds to the Target Duration.
const LONGEST: u64 = super::TARGET_SECONDS * 1000 * MS + 450 * MS;
/// Every part but a segment's last has at least 85 % of the Part Target Duration (rfc8216bis §4.4.3.7).
const SHORTEST_PART: u64 = PART * 85 / 100 + 1;
/// Pictures come later than sounds of their moment, by as much as compositing and encoding take.
const PICTURES_LATE: u64 = 500 * MS;
/// Sounds that are later than this are not waited for: silence stands for them.
const SOUNDS_LATE: u64 = 500 * MS;
/// A packet of sound: a part of this length has one.
const SOUND: u64 = 20 * MS;
/// Samples that libopus looks ahead, and a decoder drops at the beginning (RFC 7845 §4.2).
const PRE_SKIP: u16 = 312;

/// A part of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// It is the first of a segment.
    pub(super) opens: Option<Opening>,
    /// It is the last of a segment.
    pub(super) closes: bool,
    /// In ticks of pictures.
    pub(super) duration: u64,
    /// A decoder can start in it.
    pub(super) independent: bool,
    /// One movie fragment.
    pub(super) bytes: Bytes,
}

/// How a segment begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opening {
    /// The time of its first picture.
    pub(super) at: MediaTime,
    /// The initialization section, where it is another than before.
    pub(super) header: Option<Bytes>,
    /// It does not go on where the one before ended, or not with the same parameters.
    pub(super) discontinuity: bool,
}

/// Makes parts of what comes.
#[derive(Debug, Default)]
pub(super) struct Segmenter {
    /// The line's beginning: a second before what came first, since a picture of an earlier moment may come after the first sound.
    zero: Option<MediaTime>,
    sounds: Sounds,
    segment: Option<Segment>,
    /// Of the initialization section that was given last.
    parameters: Option<Parameters>,
    /// The last picture's time, and what it was after the one before.
    last: u64,
    interval: u64,
    /// Segments and parts so far.
    segments: u64,
    sequence: u32,
    asked: Option<u64>,
    /// Pictures given up.
    dropped: u64,
}

#[derive(Debug)]
struct Segment {
    begins: u64,
    opening: Option<Opening>,
    part_begins: u64,
    /// Of the open part.
    pictures: Vec<Coded>,
}

#[derive(Debug)]
struct Coded {
    at: u64,
    payload: Bytes,
    keyframe: bool,
}

/// A keyframe's parameter sets, and the size that they tell.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parameters {
    sps: Bytes,
    pps: Bytes,
    size: (u16, u16),
}

impl Parameters {
    fn of(picture: &EncodedPicture) -> Option<Self> {
        let first = |kind: u8| picture.nal_units.iter().find(|unit| nal::kind(unit) == kind).cloned();
        let (sps, pps) = picture.keyframe.then(|| first(nal::SPS).zip(first(nal::PPS)))??;
        let size = Sps::parse(&sps).ok()?;
        Some(Self { sps, pps, size: (size.width.try_into().ok()?, size.height.try_into().ok()?) })
    }

    /// The initialization section.
    fn header(&self) -> Bytes {
        let (width, height) = self.size;
        let pictures = PictureTrack { width, height, sps: self.sps.clone(), pps: self.pps.clone(), in_band: false };
        let sound = SoundTrack { channels: 1, pre_skip: PRE_SKIP };
        mp4::header(&Tracks { pictures: Some(pictures), sound: Some(sound) }).expect("an SPS that was read is long enough")
    }
}

impl Segmenter {
    /// Takes the next picture; the parts that it ends.
    pub(super) fn picture(&mut self, picture: &EncodedPicture) -> Vec<Piece> {
        // A picture from another encoder may be of the moment of the one before, or of an earlier one
        let at = self.ticks(picture.at, mp4::PICTURE_CLOCK).max(self.last + MS);
        (self.interval, self.last) = (at - self.last, at);
        let mut pieces = Vec::new();
        self.end_overdue(at, &mut pieces);
        if let Some(parameters) = Parameters::of(picture).filter(|parameters| self.begins_segment(at, parameters)) {
            self.end_segment(at, &mut pieces);
            self.begin_segment(picture.at, at, parameters);
        }
        self.cut_what_is_full(at, &mut pieces);
        let Some(segment) = &mut self.segment else {
            self.dropped += 1;
            return pieces;
        };
        let units: Vec<_> = picture.nal_units.iter().filter(|unit| ![nal::SPS, nal::PPS].contains(&nal::kind(unit))).cloned().collect();
        segment.pictures.push(Coded { at, payload: mp4::length_prefixed(&units), keyframe: picture.keyframe });
        pieces
    }

    /// Takes the next 20 ms of sound; the parts that end since pictures stay away.
    pub(super) fn sound(&mut self, sound: &EncodedSound) -> Vec<Piece> {
        let at = self.ticks(sound.at, mp4::SOUND_CLOCK);
        let mut pieces = Vec::new();
        // Before it is taken: a gap in the sound is filled up to it, and no more waits than a segment has
        self.end_overdue((at * 15 / 8).saturating_sub(PICTURES_LATE), &mut pieces);
        self.sounds.push(at, sound.payload.clone());
        pieces
    }

    /// What is left at the end.
    pub(super) fn finish(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let end = self.last + self.interval.clamp(SOUND, PART);
        let latest = self.segment.as_ref().map_or(end, |segment| segment.begins + LONGEST);
        self.end_segment(end.min(latest), &mut pieces);
        pieces
    }

    /// Whether the encoder is to be asked for a keyframe, for the next segment or for the first.
    pub(super) fn asks_for_keyframe(&mut self) -> bool {
        let ask = if self.segments <= TO_BEGIN { FIRST_ASK } else { ASK };
        let is_due = self.segment.as_ref().is_none_or(|segment| self.last >= segment.begins + ask);
        let is_asked = self.asked.is_some_and(|asked| self.last < asked + ASK_AGAIN);
        if is_due && !is_asked {
            self.asked = Some(self.last);
        }
        is_due && !is_asked
    }

    /// Pictures, and packets of sound, given up since the last time.
    pub(super) fn take_dropped(&mut self) -> (u64, u64) {
        (std::mem::take(&mut self.dropped), self.sounds.take_late())
    }

    fn ticks(&mut self, at: MediaTime, clock: u32) -> u64 {
        let zero = *self.zero.get_or_insert(at - std::time::Duration::from_secs(1));
        let nanos = u128::from(at.as_nanos().saturating_sub(zero.as_nanos()));
        ((nanos * u128::from(clock) + 500_000_000) / 1_000_000_000) as u64
    }

    fn begins_segment(&self, at: u64, parameters: &Parameters) -> bool {
        let Some(segment) = &self.segment else { return true };
        let shortest = if self.segments <= TO_BEGIN { FIRST_SHORTEST } else { SHORTEST };
        at >= segment.begins + shortest || self.parameters.as_ref() != Some(parameters)
    }

    fn begin_segment(&mut self, time: MediaTime, at: u64, parameters: Parameters) {
        let is_new = self.parameters.as_ref() != Some(&parameters);
        let header = is_new.then(|| parameters.header());
        let goes_on = self.segment.as_ref().is_some_and(|segment| segment.part_begins == at);
        let discontinuity = self.parameters.is_some() && (is_new || !goes_on);
        if !goes_on {
            self.sounds.begin(at * 8 / 15);
        }
        (self.parameters, self.asked) = (Some(parameters), None);
        self.segments += 1;
        let opening = Some(Opening { at: time, header, discontinuity });
        self.segment = Some(Segment { begins: at, opening, part_begins: at, pictures: Vec::new() });
    }

    /// Ends a segment that gets no keyframe, where it must end.
    fn end_overdue(&mut self, at: u64, pieces: &mut Vec<Piece>) {
        let Some(latest) = self.segment.as_ref().map(|segment| segment.begins + LONGEST).filter(|latest| at >= *latest) else { return };
        self.end_segment(latest, pieces);
        self.segment = None;
    }

    /// Ends the parts that are full by a picture's time, and the open one there.
    fn end_segment(&mut self, at: u64, pieces: &mut Vec<Piece>) {
        while let Some(end) = self.segment.as_ref().and_then(|segment| segment.full_before(at)) {
            pieces.extend(self.cut(end, at, false));
        }
        pieces.extend(self.cut(at, at, true));
    }

    fn cut_what_is_full(&mut self, at: u64, pieces: &mut Vec<Piece>) {
        let interval = self.interval;
        while let Some(end) = self.segment.as_ref().and_then(|segment| segment.full_by(at, interval)) {
            pieces.extend(self.cut(end, at, false));
        }
    }

    /// Ends the open part; its last picture is shown until `next`.
    fn cut(&mut self, end: u64, next: u64, closes: bool) -> Option<Piece> {
        let segment = self.segment.as_mut()?;
        let begins = std::mem::replace(&mut segment.part_begins, end);
        let pictures = std::mem::take(&mut segment.pictures);
        // A part without pictures has sound, be it silence: one without both would be no fragment
        let silent_until = if pictures.is_empty() { end } else { end.saturating_sub(SOUNDS_LATE) };
        self.sounds.fill(silent_until * 8 / 15);
        let (sounds_at, sounds) = self.sounds.take(end * 8 / 15);
        self.sequence += 1;
        let ends = pictures.iter().skip(1).map(|picture| picture.at).chain([next]).collect::<Vec<_>>();
        let part = mp4::Part {
            sequence: self.sequence,
            pictures_at: pictures.first().map_or(begins, |picture| picture.at),
            pictures: pictures.iter().zip(ends).map(|(picture, end)| picture.until(end)).collect(),
            sounds_at,
            sounds,
        };
        let bytes = mp4::part(&part).expect("what an encoder makes in a third of a second is below 4 GiB");
        let independent = pictures.iter().any(|picture| picture.keyframe);
        Some(Piece { opens: segment.opening.take(), closes, duration: end - begins, independent, bytes })
    }
}

impl Segment {
    /// Where the open part ends, now that there is a picture of `at` that begins the next segment.
    fn full_before(&self, at: u64) -> Option<u64> {
        // What is left is long enough for a packet of sound
        (at > self.part_begins + PART).then(|| (self.part_begins + PART).min(at - SOUND))
    }

    /// Where the open part ends, now that there is a picture of `at`, and the next is expected after `interval`.
    fn full_by(&self, at: u64, interval: u64) -> Option<u64> {
        let fits = at + interval <= self.part_begins + PART;
        let is_long_enough = at >= self.part_begins + SHORTEST_PART;
        self.full_before(at).or_else(|| (is_long_enough && !fits).then_some(at))
    }
}

impl Coded {
    fn until(&self, end: u64) -> Sample {
        let duration = u32::try_from(end.saturating_sub(self.at)).unwrap_or(u32::MAX);
        Sample { payload: self.payload.clone(), duration, keyframe: self.keyframe }
    }
}
