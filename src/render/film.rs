//! The file that a film is: written as it grows, so that it can be played up to where it was ended.
//!
//! In: access units and Opus packets in the order of their times. Out: fragmented MP4 in parts of a second; or an H.264 byte stream
//! with Ogg/Opus beside it. Never: a date, a name or a number that would be another one the next time.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use super::RenderError;
use crate::codec::AccessUnit;
use crate::codec::h264::nal;
use crate::container::mp4::{self, PICTURE_CLOCK, Part, PictureTrack, SOUND_CLOCK, Sample, SoundTrack, Tracks};
use crate::container::ogg::OpusWriter;
use crate::media::{BLOCK_PERIOD, BLOCK_SAMPLES, Canvas, MediaTime};

/// How much of it is written at once.
const PART: Duration = Duration::from_secs(1);
/// What libopus looks ahead for speech, in samples: 6.5 ms.
const PRE_SKIP: u16 = 312;

/// A film on its way into a file.
pub(super) struct Film {
    canvas: Canvas,
    shape: Shape,
    path: PathBuf,
    /// Pictures and sounds that are not written yet.
    pictures: Vec<(MediaTime, AccessUnit)>,
    sounds: Vec<(MediaTime, Bytes)>,
    part_begins: MediaTime,
    /// Where what was taken ends.
    end: MediaTime,
}

enum Shape {
    Mp4 {
        file: File,
        /// Of the last part.
        sequence: u32,
    },
    Bare {
        pictures: File,
        sound: OpusWriter<File>,
    },
}

impl Film {
    /// Makes the file, or the two.
    ///
    /// # Errors
    /// Where its name says nothing of its kind, or it cannot be made.
    pub(super) fn create(path: &Path, canvas: Canvas) -> Result<Self, RenderError> {
        let file = |path: &Path| File::create(path).map_err(|source| RenderError::Write { path: path.into(), source });
        let shape = match path.extension().and_then(|ending| ending.to_str()) {
            Some("mp4") => Shape::Mp4 { file: file(path)?, sequence: 0 },
            Some("h264") => {
                let beside = path.with_extension("opus");
                let sound = OpusWriter::new(file(&beside)?, 1, PRE_SKIP).map_err(|source| RenderError::Write { path: beside, source })?;
                Shape::Bare { pictures: file(path)?, sound }
            }
            _ => return Err(RenderError::Kind(path.into())),
        };
        let (pictures, sounds) = Default::default();
        Ok(Self { canvas, shape, path: path.into(), pictures, sounds, part_begins: MediaTime::ZERO, end: MediaTime::ZERO })
    }

    /// Takes the next picture.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn picture(&mut self, unit: AccessUnit, at: MediaTime) -> Result<(), RenderError> {
        if at.since(self.part_begins) >= PART {
            self.write(at)?;
        }
        self.end = self.end.max(at + Duration::from_secs(1) / self.canvas.fps);
        self.pictures.push((at, unit));
        Ok(())
    }

    /// Takes the next 20 ms of sound.
    pub(super) fn sound(&mut self, packet: Bytes, at: MediaTime) {
        self.end = self.end.max(at + BLOCK_PERIOD);
        self.sounds.push((at, packet));
    }

    /// Writes what is left; how long the film is.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn finish(mut self) -> Result<Duration, RenderError> {
        self.write(self.end)?;
        if let Shape::Bare { sound, .. } = self.shape {
            sound.finish().map_err(|source| RenderError::Write { path: self.path.with_extension("opus"), source })?;
        }
        Ok(self.end.since(MediaTime::ZERO))
    }

    /// Writes what is before `until`; the next part begins there.
    fn write(&mut self, until: MediaTime) -> Result<(), RenderError> {
        let pictures = std::mem::take(&mut self.pictures);
        let later = self.sounds.partition_point(|(at, _)| *at < until);
        let sounds: Vec<_> = self.sounds.drain(..later).collect();
        self.part_begins = until;
        if pictures.is_empty() && sounds.is_empty() {
            return Ok(());
        }
        let written = match &mut self.shape {
            Shape::Mp4 { file, sequence } => {
                *sequence += 1;
                let bytes = packed(self.canvas, *sequence, &pictures, &sounds, until).map_err(RenderError::Pack)?;
                file.write_all(&bytes)
            }
            Shape::Bare { pictures: file, sound } => {
                let sounded = sounds.into_iter().try_for_each(|(_, packet)| sound.packet(&packet, BLOCK_SAMPLES as u32));
                sounded.and_then(|()| sound.flush()).and_then(|()| file.write_all(&byte_stream(&pictures)))
            }
        };
        written.map_err(|source| RenderError::Write { path: self.path.clone(), source })
    }
}

/// A part of an MP4 file; with its header where it is the first.
fn packed(
    canvas: Canvas,
    sequence: u32,
    pictures: &[(MediaTime, AccessUnit)],
    sounds: &[(MediaTime, Bytes)],
    until: MediaTime,
) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    if sequence == 1 {
        bytes.extend_from_slice(&mp4::header(&tracks(canvas, pictures)).map_err(|error| error.to_string())?);
    }
    let ends = pictures.iter().skip(1).map(|(at, _)| *at).chain([until]);
    let picture = |((at, unit), end): (&(MediaTime, AccessUnit), MediaTime)| Sample {
        payload: mp4::length_prefixed(&unit.nal_units),
        duration: (ticks(end, PICTURE_CLOCK) - ticks(*at, PICTURE_CLOCK)) as u32,
        keyframe: unit.keyframe,
    };
    let sound = |(_, packet): &(MediaTime, Bytes)| Sample { payload: packet.clone(), duration: BLOCK_SAMPLES as u32, keyframe: true };
    let part = Part {
        sequence,
        pictures_at: pictures.first().map_or(0, |(at, _)| ticks(*at, PICTURE_CLOCK)),
        pictures: pictures.iter().zip(ends).map(picture).collect(),
        sounds_at: sounds.first().map_or(0, |(at, _)| ticks(*at, SOUND_CLOCK)),
        sounds: sounds.iter().map(sound).collect(),
    };
    bytes.extend_from_slice(&mp4::part(&part).map_err(|error| error.to_string())?);
    Ok(bytes)
}

/// A time in ticks of a clock, the nearest.
fn ticks(at: MediaTime, clock: u32) -> u64 {
    ((u128::from(at.as_nanos()) * u128::from(clock) + 500_000_000) / 1_000_000_000) as u64
}

/// What a file is that begins with these pictures.
fn tracks(canvas: Canvas, pictures: &[(MediaTime, AccessUnit)]) -> Tracks {
    let first = pictures.first().map_or(&[][..], |(_, unit)| &unit.nal_units);
    let parameters = |kind: u8| first.iter().find(|nal_unit| nal::kind(nal_unit) == kind).cloned().unwrap_or_default();
    let (width, height) = (canvas.width as u16, canvas.height as u16);
    let pictures = PictureTrack { width, height, sps: parameters(nal::SPS), pps: parameters(nal::PPS), in_band: false };
    Tracks { pictures: Some(pictures), sound: Some(SoundTrack { channels: 1, pre_skip: PRE_SKIP }) }
}

/// Annex B, with four bytes before each NAL unit.
fn byte_stream(pictures: &[(MediaTime, AccessUnit)]) -> Vec<u8> {
    let nal_units = pictures.iter().flat_map(|(_, unit)| &unit.nal_units);
    nal_units.flat_map(|nal_unit| [&[0, 0, 0, 1], nal_unit.as_ref()]).collect::<Vec<_>>().concat()
}
