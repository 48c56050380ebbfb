//! One participant's file as it grows: fragmented MP4 of what they sent. Pure.
//!
//! In: what is overheard of them, time. Out: a header and parts, to be written one after the other. Time 0 of the file is that of the
//! recording, so that the files of all participants and the events stand on one line. Never: a sample whose successor is not known, but
//! the last.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::clock::{Nanos, Offset};
use super::pictures::{Pictures, Unit};
use super::sounds::Sounds;
use crate::codec::opus::packet_samples;
use crate::container::mp4::{self, Part, SOUND_CLOCK, Sample, Tracks};
use crate::ingest::{Coded, Overheard};
use crate::media::MediaTime;

/// How long after its arrival something is written: what is late has come by then.
const SETTLES: Nanos = 500_000_000;
/// How long a file waits for the first picture and the first sound, so that its header can say what they are.
const BEGINS_BY: Nanos = 2_000_000_000;
/// The last picture lasts as long as the one before, but no longer than this: a tenth of a second.
const LAST: u32 = mp4::PICTURE_CLOCK / 10;
const PICTURE_CLOCK: u64 = mp4::PICTURE_CLOCK as u64;

/// A participant's file does not hold what it should.
#[derive(Debug, thiserror::Error)]
#[error("it cannot be put into MP4: {0}")]
pub(super) struct PersonError(String);

/// One participant's media on their way into a file.
#[derive(Debug)]
pub(super) struct Person {
    pictures: Option<Pictures>,
    sounds: Option<Sounds>,
    walls: Offset,
    zero: Nanos,
    came: Nanos,
    /// Parts written; `None` before the header is.
    parts: Option<u32>,
}

/// What a file grows by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grown {
    pub(super) bytes: Bytes,
    /// Where it ends, on the recording's line.
    pub(super) reached: Duration,
}

/// Whether more is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// What is not settled yet, and what comes.
    Follows,
    /// Nothing: they have gone, or the recording ends.
    None,
}

impl Person {
    /// Somebody who may send pictures, sound, or both, and is there from `now` on, in a recording that began at `zero`.
    pub(super) fn new(sends_pictures: bool, sends_sound: bool, zero: MediaTime, now: MediaTime) -> Self {
        Self {
            pictures: sends_pictures.then(Pictures::new),
            sounds: sends_sound.then(Sounds::new),
            walls: Offset::default(),
            zero: nanos(zero),
            came: nanos(now),
            parts: None,
        }
    }

    /// Takes what is overheard of them.
    pub(super) fn take(&mut self, overheard: Overheard) {
        let Overheard { coded, captured: wall, arrival, .. } = overheard;
        match (coded, &mut self.pictures, &mut self.sounds) {
            (Coded::Picture { annex_b, timestamp, keyframe }, Some(pictures), _) => {
                pictures.push(&mut self.walls, Unit { annex_b, timestamp, keyframe, wall, arrival: nanos(arrival) });
            }
            (Coded::Sound(packet), _, Some(sounds)) => sounds.push(&mut self.walls, packet, wall),
            _ => {}
        }
    }

    /// What the file grows by at `now`: a part, the first time behind the header; `None` where there is nothing.
    ///
    /// # Errors
    /// Where it does not fit into the format.
    pub(super) fn grow(&mut self, now: MediaTime, rest: Rest) -> Result<Option<Grown>, PersonError> {
        let begins = self.parts.is_none();
        if begins && rest == Rest::Follows && !self.may_begin(nanos(now)) {
            return Ok(None);
        }
        self.settle(if rest == Rest::None { Nanos::MAX } else { nanos(now) - SETTLES });
        let part = self.part(rest);
        let reached = part.as_ref().map(end_of).unwrap_or_default();
        let part = part.map(|part| mp4::part(&part).map_err(failed)).transpose()?;
        if !begins {
            return Ok(part.map(|bytes| Grown { bytes, reached }));
        }
        self.parts.get_or_insert_default();
        let mut bytes = BytesMut::from(mp4::header(&self.describe()).map_err(failed)?);
        bytes.extend_from_slice(&part.unwrap_or_default());
        Ok(Some(Grown { bytes: bytes.freeze(), reached }))
    }

    /// Pieces given up since the last call, because more came than anybody sends.
    pub(super) fn take_given_up(&mut self) -> u64 {
        self.sounds.as_mut().map_or(0, |sounds| std::mem::take(&mut sounds.given_up))
    }

    /// Both have begun, or one does not in time.
    fn may_begin(&self, now: Nanos) -> bool {
        let pictures = self.pictures.as_ref().is_none_or(Pictures::began);
        let sounds = self.sounds.as_ref().is_none_or(Sounds::began);
        pictures && sounds || now - self.came >= BEGINS_BY
    }

    fn describe(&self) -> Tracks {
        Tracks { pictures: self.pictures.as_ref().map(Pictures::describe), sound: self.sounds.as_ref().map(Sounds::describe) }
    }

    fn settle(&mut self, until: Nanos) {
        let Self { pictures, sounds, walls, zero, .. } = self;
        pictures.iter_mut().for_each(|pictures| pictures.settle(walls, until, *zero));
        sounds.iter_mut().for_each(|sounds| sounds.settle(walls, until, *zero));
    }

    fn part(&mut self, rest: Rest) -> Option<Part> {
        let (mut part, all) = (Part::default(), rest == Rest::None);
        if let Some(Pictures { track, .. }) = &mut self.pictures {
            part.pictures_at = track.first().unwrap_or_default();
            part.pictures = if all { track.take_all(|_, before| before.min(LAST)) } else { track.take() };
        }
        if let Some(Sounds { track, .. }) = &mut self.sounds {
            part.sounds_at = track.first().unwrap_or_default();
            part.sounds = if all { track.take_all(samples) } else { track.take() };
        }
        if part.pictures.is_empty() && part.sounds.is_empty() {
            return None;
        }
        let count = self.parts.get_or_insert_default();
        *count += 1;
        Some(Part { sequence: *count, ..part })
    }
}

/// Where a part ends, on the recording's line.
fn end_of(part: &Part) -> Duration {
    let lasts = |samples: &[Sample]| samples.iter().map(|sample| u64::from(sample.duration)).sum::<u64>();
    let millis = |at: u64, samples: &[Sample], clock: u64| if samples.is_empty() { 0 } else { (at + lasts(samples)) * 1000 / clock };
    let pictures = millis(part.pictures_at, &part.pictures, PICTURE_CLOCK);
    Duration::from_millis(pictures.max(millis(part.sounds_at, &part.sounds, SOUND_CLOCK.into())))
}

fn samples(packet: &[u8], before: u32) -> u32 {
    packet_samples(packet).map_or(before, |samples| samples as u32)
}

fn nanos(at: MediaTime) -> Nanos {
    at.as_nanos() as Nanos
}

fn failed(error: impl std::fmt::Display) -> PersonError {
    PersonError(error.to_string())
}
