//! An MP4 file as coded pictures and sounds, plain or fragmented.
//!
//! In: the file. Out: its tracks; their samples, each read when it is asked for. Never: a file whose tables point outside of it, whose
//! samples overlap, or whose pictures are shown in another order than they are decoded.

use std::time::Duration;

use super::boxes::{Boxes, Outlines};
use super::fragments::{Fragments, Presumed};
use super::pictures::Pictures;
use super::sound::{AacSound, OpusSound};
use super::tables::{Located, Tables};
use super::track::{Coding, Medium, Track, clock};
use crate::container::source::Source;
use crate::container::{ContainerError, Media, malformed};

/// The latest time that is taken.
const MOST: Duration = Duration::from_secs(48 * 3600);

/// The header of a file, and where it came from: its first track of pictures and its first of sound.
pub(super) struct Movie {
    source: Source,
    tracks: Vec<(Track, Option<Presumed>)>,
}

/// A track's samples in order: those of the header, then those of the fragments.
pub(super) struct Samples {
    tables: Tables,
    fragments: Option<Fragments>,
}

impl Samples {
    pub(super) fn next(&mut self) -> Result<Option<Located>, ContainerError> {
        match (self.tables.next()?, &mut self.fragments) {
            (None, Some(fragments)) => fragments.next(),
            (located, _) => Ok(located),
        }
    }
}

impl Movie {
    pub(super) fn open(source: &Source) -> Result<Self, ContainerError> {
        let mut outlines = Outlines::new(source);
        let moov = loop {
            let outline = outlines.next()?.ok_or_else(|| malformed("it has no moov box"))?;
            if outline.kind == *b"moov" {
                break outline.read(source)?;
            }
        };
        let moov = Boxes::new(moov);
        let movie_clock = clock(moov.clone().need(b"mvhd")?)?;
        let mvex = moov.clone().find(b"mvex")?.map(Boxes::new);
        let (mut tracks, mut boxes) = (Vec::<(Track, Option<Presumed>)>::new(), moov);
        while let Some((kind, content)) = boxes.next()? {
            let trak = Boxes::new(content);
            let medium = if kind == *b"trak" { Medium::of(&trak)? } else { None };
            // A hostile header has a hundred thousand, and each that is read costs a walk through the whole file
            let is_first = |medium: &Medium| tracks.iter().all(|(track, _)| track.medium != *medium);
            let Some(medium) = medium.filter(is_first) else { continue };
            let track = Track::read(&trak, medium, movie_clock)?;
            let presumed = mvex.as_ref().map(|mvex| presumed(mvex, track.id)).transpose()?;
            tracks.push((track, presumed));
        }
        Ok(Self { source: source.clone(), tracks })
    }

    /// Goes through all of its samples; how long it is.
    pub(super) fn survey(&self) -> Result<Duration, ContainerError> {
        let lengths = self.tracks.iter().map(|(track, presumed)| self.survey_track(track, *presumed));
        Ok(lengths.collect::<Result<Vec<_>, _>>()?.into_iter().max().unwrap_or_default())
    }

    /// What it holds, to be read.
    pub(super) fn media(self) -> Result<Media, ContainerError> {
        let duration = self.survey()?;
        let mut media = Media { pictures: None, sound: None, duration };
        for (track, presumed) in &self.tracks {
            let (samples, source, line) = (self.samples(track, *presumed), self.source.clone(), track.line);
            match &track.coding {
                Coding::H264(sets) => media.pictures = Some(Box::new(Pictures::new(source, samples, line, sets.clone()))),
                Coding::Opus => media.sound = Some(Box::new(OpusSound::new(source, samples, line))),
                Coding::Aac(config) => media.sound = Some(Box::new(AacSound::new(source, samples, line, config)?)),
            }
        }
        if duration.is_zero() {
            return Err(ContainerError::Empty);
        }
        Ok(media)
    }

    fn samples(&self, track: &Track, presumed: Option<Presumed>) -> Samples {
        let fragments = presumed.map(|presumed| Fragments::new(&self.source, track.id, presumed));
        Samples { tables: track.tables.clone(), fragments }
    }

    fn survey_track(&self, track: &Track, presumed: Option<Presumed>) -> Result<Duration, ContainerError> {
        let mut samples = self.samples(track, presumed);
        let (mut last, mut end, mut bytes) = (i64::MIN, 0i128, 0u64);
        while let Some(sample) = samples.next()? {
            if sample.place.saturating_add(sample.size.into()) > self.source.length() {
                return Err(malformed(format!("a sample of {} bytes at {} lies beyond its end", sample.size, sample.place)));
            }
            bytes += u64::from(sample.size.max(1));
            if bytes > self.source.length() {
                return Err(malformed("its samples overlap"));
            }
            if sample.at < last && matches!(track.coding, Coding::H264(_)) {
                return Err(ContainerError::Codec("H.264 with B-pictures (encode it with: ffmpeg -bf 0)".into()));
            }
            last = sample.at;
            // In nanoseconds: a time beyond what a Duration holds is not one before the file's beginning
            let until = track.line.nanos(sample.at.saturating_add(sample.duration.into()));
            if until > MOST.as_nanos() as i128 {
                return Err(malformed(format!("a sample lasts until {} s, and {} s are taken", until / 1_000_000_000, MOST.as_secs())));
            }
            end = end.max(until);
        }
        Ok(Duration::from_nanos(end as u64))
    }
}

fn presumed(mvex: &Boxes, track: u32) -> Result<Presumed, ContainerError> {
    let mut boxes = mvex.clone();
    while let Some((kind, content)) = boxes.next()? {
        let ours = if kind == *b"trex" { Presumed::read(content, track) } else { None };
        if let Some(presumed) = ours {
            return Ok(presumed);
        }
    }
    Ok(Presumed::default())
}
