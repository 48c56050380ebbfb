//! Where a track's samples lie, by the tables of its header (ISO/IEC 14496-12 §8.6, §8.7).
//!
//! In: the content of an `stbl` box. Out: each sample's time and place, one after the other. Never: more in memory than the tables as they
//! stand in the file.

use bytes::{Buf, Bytes};

use super::boxes::Boxes;
use crate::container::{ContainerError, malformed};

/// Samples of one track that are taken: 11 hours of AAC or Opus, 18 of pictures.
const MOST_SAMPLES: u32 = 2_000_000;

/// One sample's place and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Located {
    /// When it is shown or heard, in ticks of its track; before the edit list.
    pub(super) at: i64,
    /// In ticks.
    pub(super) duration: u32,
    /// Where in the file it begins.
    pub(super) place: u64,
    /// In bytes.
    pub(super) size: u32,
}

/// Goes through the samples that the header itself lists.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    durations: Runs,
    /// Where pictures are shown at other times than they are decoded.
    shifts: Option<Runs>,
    /// The size of all, or 0 where each has its own.
    size: u32,
    sizes: Bytes,
    chunks: Chunks,
    left: u32,
    at: u64,
}

impl Tables {
    pub(super) fn read(stbl: &Boxes) -> Result<Self, ContainerError> {
        let table = |kind| stbl.clone().find(kind);
        let mut head = table(b"stsz")?.unwrap_or_else(|| Bytes::from_static(&[0; 12]));
        if head.len() < 12 {
            return Err(malformed("its stsz box is too short"));
        }
        head.advance(4);
        let (size, left) = (head.get_u32(), head.get_u32());
        if left > MOST_SAMPLES {
            return Err(malformed(format!("it claims {left} samples where {MOST_SAMPLES} are taken")));
        }
        if size == 0 && head.len() / 4 < left as usize {
            return Err(malformed(format!("its stsz box is too short for {left} samples")));
        }
        Ok(Self {
            durations: Runs::new(table(b"stts")?)?,
            shifts: table(b"ctts")?.map(|table| Runs::new(Some(table))).transpose()?,
            size,
            sizes: head,
            chunks: Chunks::read(stbl)?,
            left,
            at: 0,
        })
    }

    /// The next; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Located>, ContainerError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let size = if self.size == 0 { self.sizes.get_u32() } else { self.size };
        let duration = self.durations.next().ok_or_else(|| malformed("its stts box ends before its samples do"))?;
        // §8.6.1.3: unsigned in version 0, which some write negative numbers into; none is as large
        let shift = self.shifts.as_mut().and_then(Runs::next).unwrap_or(0) as i32;
        let at = self.at as i64 + i64::from(shift);
        self.at += u64::from(duration);
        Ok(Some(Located { at, duration, place: self.chunks.next(size)?, size }))
    }
}

/// Numbers, each of which holds for some samples.
#[derive(Clone, Debug)]
struct Runs {
    rest: Bytes,
    left: u32,
    value: u32,
}

impl Runs {
    fn new(table: Option<Bytes>) -> Result<Self, ContainerError> {
        Ok(Self { rest: table.map_or(Ok(Bytes::new()), |table| entries(table, 8))?, left: 0, value: 0 })
    }

    fn next(&mut self) -> Option<u32> {
        while self.left == 0 {
            self.left = self.rest.try_get_u32().ok()?;
            self.value = self.rest.try_get_u32().ok()?;
        }
        self.left -= 1;
        Some(self.value)
    }
}

/// Runs of samples that lie one after the other in the file.
#[derive(Clone, Debug)]
struct Chunks {
    /// First chunk, samples in each from there on, and what describes them.
    shapes: Bytes,
    /// Where each chunk begins, in four or eight bytes.
    places: Bytes,
    width: usize,
    number: u32,
    samples: u32,
    left: u32,
    place: u64,
}

impl Chunks {
    fn read(stbl: &Boxes) -> Result<Self, ContainerError> {
        let table = |kind: &_, width| stbl.clone().find(kind)?.map(|table| entries(table, width)).transpose();
        let (places, width) = match table(b"stco", 4)? {
            Some(places) => (places, 4),
            None => (table(b"co64", 8)?.unwrap_or_default(), 8),
        };
        let shapes = table(b"stsc", 12)?.unwrap_or_default();
        Ok(Self { shapes, places, width, number: 0, samples: 0, left: 0, place: 0 })
    }

    /// Where the next sample begins, which is so long.
    fn next(&mut self, size: u32) -> Result<u64, ContainerError> {
        while self.left == 0 {
            self.begin()?;
        }
        self.left -= 1;
        let place = self.place;
        self.place = self.place.checked_add(size.into()).ok_or_else(|| malformed("a chunk lies beyond all files"))?;
        Ok(place)
    }

    fn begin(&mut self) -> Result<(), ContainerError> {
        if self.places.is_empty() {
            return Err(malformed("its chunks end before its samples do"));
        }
        self.number += 1;
        self.place = self.places.get_uint(self.width);
        while self.shapes.len() >= 12 && (&self.shapes[..]).get_u32() <= self.number {
            self.shapes.advance(4);
            self.samples = self.shapes.get_u32();
            self.shapes.advance(4);
        }
        self.left = self.samples;
        Ok(())
    }
}

/// A table's entries, without version, flags and count.
fn entries(mut table: Bytes, width: usize) -> Result<Bytes, ContainerError> {
    let short = |_| malformed("a table is too short to have a length");
    table.try_get_u32().map_err(short)?;
    let count = table.try_get_u32().map_err(short)?;
    let length = (count as usize).saturating_mul(width);
    if table.len() < length {
        return Err(malformed(format!("a table claims {count} entries in {} bytes", table.len())));
    }
    Ok(table.split_to(length))
}
