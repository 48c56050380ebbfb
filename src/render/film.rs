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
use crate::container::ogg;
use crate::media::{BLOCK_PERIOD, BLOCK_SAMPLES, Canvas, MediaTime};

/// How much of it is written at once.
const PART: Duration = Duration::from_secs(1);
/// One second of 20 ms.
const PACKETS_A_PAGE: usize = 50;
/// Of the one stream that there is.
const SERIAL: u32 = 1;
/// What libopus looks ahead for speech, in samples: 6.5 ms.
const PRE_SKIP: u16 = 312;

/// Where the sound goes of a film whose own file holds pictures only.
pub fn sound_beside(film: &Path) -> Option<PathBuf> {
    film.extension().is_some_and(|ending| ending == "h264").then(|| film.with_extension("opus"))
}

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

/// An MP4 file.
struct Mp4 {
    file: File,
    /// Of the last part.
    sequence: u32,
    /// The parameter sets that its header has.
    parameters: [Bytes; 2],
}

enum Shape {
    Mp4(Mp4),
    Bare { pictures: File, sound: File, pages: ogg::Writer },
}

impl Film {
    /// Makes the file, or the two.
    ///
    /// # Errors
    /// Where its name says nothing of its kind, or it cannot be made.
    pub(super) fn create(path: &Path, canvas: Canvas) -> Result<Self, RenderError> {
        let file = |path: &Path| File::create(path).map_err(|source| RenderError::Write { path: path.into(), source });
        let shape = match path.extension().and_then(|ending| ending.to_str()) {
            Some("mp4") => Shape::Mp4(Mp4 { file: file(path)?, sequence: 0, parameters: Default::default() }),
            Some("h264") => {
                let beside = path.with_extension("opus");
                let (pages, head) = ogg::Writer::begin(SERIAL, 1, PRE_SKIP, PACKETS_A_PAGE);
                let mut sound = file(&beside)?;
                sound.write_all(&head).map_err(|source| RenderError::Write { path: beside, source })?;
                Shape::Bare { pictures: file(path)?, sound, pages }
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
        if let Shape::Bare { mut sound, pages, .. } = self.shape {
            sound.write_all(&pages.end()).map_err(|source| RenderError::Write { path: self.path.with_extension("opus"), source })?;
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
            Shape::Mp4(mp4) => {
                let bytes = mp4.pack(self.canvas, &pictures, &sounds, until).map_err(RenderError::Pack)?;
                mp4.file.write_all(&bytes)
            }
            Shape::Bare { pictures: file, sound, pages } => {
                let paged = sounds.iter().map(|(_, packet)| pages.push(packet)).collect::<Result<Vec<_>, _>>();
                let paged = paged.map_err(|error| RenderError::Pack(error.to_string()))?;
                sound.write_all(&paged.concat()).and_then(|()| file.write_all(&byte_stream(&pictures)))
            }
        };
        written.map_err(|source| RenderError::Write { path: self.path.clone(), source })
    }
}

impl Mp4 {
    /// The next part; with the header where it is the first.
    fn pack(
        &mut self,
        canvas: Canvas,
        pictures: &[(MediaTime, AccessUnit)],
        sounds: &[(MediaTime, Bytes)],
        until: MediaTime,
    ) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        self.sequence += 1;
        if self.sequence == 1 {
            bytes.extend_from_slice(&mp4::header(&self.begin(canvas, pictures)).map_err(|error| error.to_string())?);
        }
        let ends = pictures.iter().skip(1).map(|(at, _)| *at).chain([until]);
        let sound = |(_, packet): &(MediaTime, Bytes)| Sample { payload: packet.clone(), duration: BLOCK_SAMPLES as u32, keyframe: true };
        let part = Part {
            sequence: self.sequence,
            pictures_at: pictures.first().map_or(0, |(at, _)| ticks(*at, PICTURE_CLOCK)),
            pictures: pictures.iter().zip(ends).map(|(picture, end)| self.sample(picture, end)).collect(),
            sounds_at: sounds.first().map_or(0, |(at, _)| ticks(*at, SOUND_CLOCK)),
            sounds: sounds.iter().map(sound).collect(),
        };
        bytes.extend_from_slice(&mp4::part(&part).map_err(|error| error.to_string())?);
        Ok(bytes)
    }

    /// What the file is that begins with these pictures.
    fn begin(&mut self, canvas: Canvas, pictures: &[(MediaTime, AccessUnit)]) -> Tracks {
        let first = pictures.first().map_or(&[][..], |(_, unit)| &unit.nal_units);
        let parameters = |kind: u8| first.iter().find(|nal_unit| nal::kind(nal_unit) == kind).cloned().unwrap_or_default();
        self.parameters = [parameters(nal::SPS), parameters(nal::PPS)];
        let [sps, pps] = self.parameters.clone();
        // Ended before its first picture, a film is one of sound
        let has_pictures = !sps.is_empty();
        let pictures = PictureTrack { width: canvas.width as u16, height: canvas.height as u16, sps, pps, in_band: false };
        Tracks { pictures: has_pictures.then_some(pictures), sound: Some(SoundTrack { channels: 1, pre_skip: PRE_SKIP }) }
    }

    /// ISO/IEC 14496-15 §5.4.2: samples of `avc1` repeat no parameter sets.
    fn sample(&self, (at, unit): &(MediaTime, AccessUnit), end: MediaTime) -> Sample {
        let nal_units: Vec<_> = unit.nal_units.iter().filter(|nal_unit| !self.parameters.contains(nal_unit)).cloned().collect();
        let duration = (ticks(end, PICTURE_CLOCK) - ticks(*at, PICTURE_CLOCK)) as u32;
        Sample { payload: mp4::length_prefixed(&nal_units), duration, keyframe: unit.keyframe }
    }
}

/// A time in ticks of a clock, the nearest.
fn ticks(at: MediaTime, clock: u32) -> u64 {
    ((u128::from(at.as_nanos()) * u128::from(clock) + 500_000_000) / 1_000_000_000) as u64
}

/// Annex B, with four bytes before each NAL unit.
fn byte_stream(pictures: &[(MediaTime, AccessUnit)]) -> Vec<u8> {
    let nal_units = pictures.iter().flat_map(|(_, unit)| &unit.nal_units);
    nal_units.flat_map(|nal_unit| [&[0, 0, 0, 1], nal_unit.as_ref()]).collect::<Vec<_>>().concat()
}
