//! Where a track's samples lie, by the movie fragments that follow the header (ISO/IEC 14496-12 §8.8).
//!
//! In: the file; a track and what its header presumes of its samples. Out: each sample's time and place, one after the other. Never: more
//! in memory than the one fragment that is read.

use bytes::{Buf, Bytes};

use super::boxes::{Boxes, Outlines};
use super::tables::Located;
use crate::container::source::Source;
use crate::container::{ContainerError, malformed};

/// Samples of one track that are taken: 48 hours of Opus, and some more.
const MOST_SAMPLES: u32 = 16_000_000;

/// What holds where a fragment does not say it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Presumed {
    pub(super) duration: u32,
    pub(super) size: u32,
}

impl Presumed {
    /// From a `trex` box, where it is the track's.
    pub(super) fn read(mut trex: Bytes, track: u32) -> Option<Self> {
        trex.try_get_u32().ok()?;
        if trex.try_get_u32().ok()? != track {
            return None;
        }
        trex.try_get_u32().ok()?;
        Some(Self { duration: trex.try_get_u32().ok()?, size: trex.try_get_u32().ok()? })
    }
}

/// Goes through the samples of one track.
pub(super) struct Fragments {
    source: Source,
    outlines: Outlines,
    track: u32,
    presumed: Presumed,
    /// What is left of the fragment, and where it begins.
    moof: Boxes,
    moof_at: u64,
    traf: Boxes,
    /// Whether the fragment's part at hand is of this track.
    ours: bool,
    here: Presumed,
    base: u64,
    run: Run,
    at: u64,
    left: u32,
}

/// Samples that lie one after the other.
#[derive(Default)]
struct Run {
    left: u32,
    flags: u32,
    entries: Bytes,
    place: u64,
}

impl Fragments {
    pub(super) fn new(source: &Source, track: u32, presumed: Presumed) -> Self {
        Self {
            source: source.clone(),
            outlines: Outlines::new(source),
            track,
            presumed,
            moof: Boxes::default(),
            moof_at: 0,
            traf: Boxes::default(),
            ours: false,
            here: presumed,
            base: 0,
            run: Run::default(),
            at: 0,
            left: MOST_SAMPLES,
        }
    }

    /// The next; `None` at the end, and where the file breaks off: each fragment before that is whole.
    pub(super) fn next(&mut self) -> Result<Option<Located>, ContainerError> {
        loop {
            if self.run.left > 0 {
                let sample = self.sample()?;
                let whole = sample.place.saturating_add(sample.size.into()) <= self.source.length();
                return Ok(whole.then_some(sample));
            } else if let Some((kind, content)) = self.traf.next()? {
                self.within_traf(&kind, content)?;
            } else if let Some((kind, content)) = self.moof.next()? {
                if kind == *b"traf" {
                    self.traf = Boxes::new(content);
                    self.ours = false;
                }
            } else if !self.fragment()? {
                return Ok(None);
            }
        }
    }

    /// Goes on to the next fragment; `false` where there is none.
    fn fragment(&mut self) -> Result<bool, ContainerError> {
        loop {
            match self.outlines.next() {
                Ok(Some(outline)) if outline.kind == *b"moof" => {
                    self.moof = Boxes::new(outline.read(&self.source)?);
                    self.moof_at = outline.begins;
                    return Ok(true);
                }
                Ok(Some(_)) => {}
                Err(ContainerError::Io(error)) => return Err(error.into()),
                // A cut in the last part is what a crash leaves behind
                Ok(None) | Err(_) => return Ok(false),
            }
        }
    }

    fn within_traf(&mut self, kind: &[u8; 4], content: Bytes) -> Result<(), ContainerError> {
        let short = |_| malformed(format!("its {} box is too short", kind.escape_ascii()));
        match kind {
            b"tfhd" => self.begin(content).map_err(short),
            b"tfdt" if self.ours => {
                let mut content = content;
                let wide = content.try_get_u32().map_err(short)? >> 24 == 1;
                self.at = content.try_get_uint(if wide { 8 } else { 4 }).map_err(short)?;
                Ok(())
            }
            b"trun" if self.ours => {
                self.run = self.begin_run(content).map_err(short)?;
                self.left = self.left.checked_sub(self.run.left).ok_or_else(|| malformed(format!("more than {MOST_SAMPLES} samples")))?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// §8.8.7.
    fn begin(&mut self, mut tfhd: Bytes) -> Result<(), bytes::TryGetError> {
        let flags = tfhd.try_get_u32()?;
        self.ours = tfhd.try_get_u32()? == self.track;
        self.here = self.presumed;
        self.base = if flags & 1 != 0 { tfhd.try_get_u64()? } else { self.moof_at };
        self.run = Run { place: self.base, ..Run::default() };
        if flags & 2 != 0 {
            tfhd.try_get_u32()?;
        }
        if flags & 8 != 0 {
            self.here.duration = tfhd.try_get_u32()?;
        }
        if flags & 0x10 != 0 {
            self.here.size = tfhd.try_get_u32()?;
        }
        Ok(())
    }

    /// §8.8.8.
    fn begin_run(&self, mut trun: Bytes) -> Result<Run, bytes::TryGetError> {
        let flags = trun.try_get_u32()?;
        let left = trun.try_get_u32()?;
        let place = match flags & 1 != 0 {
            true => self.base.saturating_add_signed(trun.try_get_i32()?.into()),
            false => self.run.place,
        };
        if flags & 4 != 0 {
            trun.try_get_u32()?;
        }
        Ok(Run { left, flags, entries: trun, place })
    }

    fn sample(&mut self) -> Result<Located, ContainerError> {
        let (run, here) = (&mut self.run, self.here);
        let mut field = |bit: u32, presumed: u32| match run.flags & bit != 0 {
            true => run.entries.try_get_u32().map_err(|_| malformed("its trun box ends before its samples do")),
            false => Ok(presumed),
        };
        let (duration, size) = (field(0x100, here.duration)?, field(0x200, here.size)?);
        field(0x400, 0)?;
        let shift = field(0x800, 0)? as i32;
        run.left -= 1;
        let place = run.place;
        run.place = run.place.saturating_add(size.into());
        let at = i64::try_from(self.at).map_err(|_| malformed("a sample's time is beyond all files"))?;
        self.at = self.at.saturating_add(duration.into());
        Ok(Located { at: at.saturating_add(shift.into()), duration, place, size })
    }
}
