//! What a track of an MP4 file is: its codec, its clock, where its samples lie and when it begins (ISO/IEC 14496-12 §8.3 to §8.6).
//!
//! In: the content of a `trak` box. Out: the track, where it is one of pictures or sound. Never: a codec that is not played here.

use std::time::Duration;

use bytes::{Buf, Bytes};
use mp4_atom::{Atom, Avcc, Dops, Esds};

use super::boxes::{Boxes, name};
use super::tables::Tables;
use crate::codec::sps::Sps;
use crate::container::{ContainerError, malformed};

/// What a track is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    Pictures,
    Sound,
}

/// What a track holds.
#[derive(Clone, Debug)]
pub(super) enum Coding {
    H264(ParameterSets),
    Opus,
    /// AAC, with its AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1).
    Aac(Vec<u8>),
}

/// What `avcC` has (ISO/IEC 14496-15 §5.3.3).
#[derive(Clone, Debug)]
pub(super) struct ParameterSets {
    /// Bytes of the length before each NAL unit.
    pub(super) length_size: usize,
    /// SPS, then PPS.
    pub(super) nal_units: Vec<Bytes>,
}

/// One track.
#[derive(Clone, Debug)]
pub(super) struct Track {
    pub(super) id: u32,
    pub(super) medium: Medium,
    pub(super) coding: Coding,
    pub(super) tables: Tables,
    pub(super) line: Line,
}

/// Brings a track's ticks to the file's time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// Ticks a second.
    pub(super) clock: u32,
    /// The tick at which the edit list begins.
    begins: i64,
    /// How much later than the file it does.
    delay: Duration,
}

impl Line {
    /// Nanoseconds from the file's beginning on; what the edit list leaves out is before 0.
    pub(super) fn nanos(&self, tick: i64) -> i128 {
        let ticks = i128::from(tick) - i128::from(self.begins);
        ticks * 1_000_000_000 / i128::from(self.clock) + self.delay.as_nanos() as i128
    }

    /// The same; `None` before the file's beginning.
    pub(super) fn at(&self, tick: i64) -> Option<Duration> {
        u64::try_from(self.nanos(tick)).ok().map(Duration::from_nanos)
    }
}

impl Medium {
    /// Of a `trak` box; `None` where it is neither.
    pub(super) fn of(trak: &Boxes) -> Result<Option<Self>, ContainerError> {
        let handler = Boxes::new(trak.clone().need(b"mdia")?).need(b"hdlr")?;
        let kind = handler.get(8..12).ok_or_else(|| malformed("its hdlr box is too short"))?;
        Ok(match kind {
            b"vide" => Some(Self::Pictures),
            b"soun" => Some(Self::Sound),
            _ => None,
        })
    }
}

impl Track {
    /// From a `trak` box of that medium.
    pub(super) fn read(trak: &Boxes, medium: Medium, movie_clock: u32) -> Result<Self, ContainerError> {
        let mdia = Boxes::new(trak.clone().need(b"mdia")?);
        let stbl = Boxes::new(Boxes::new(mdia.clone().need(b"minf")?).need(b"stbl")?);
        let coding = coding(stbl.clone().need(b"stsd")?, medium)?;
        let clock = clock(mdia.need(b"mdhd")?)?;
        let (begins, delay) = edits(trak, movie_clock)?;
        let id = after_dates(trak.clone().need(b"tkhd")?)?;
        Ok(Self { id, medium, coding, tables: Tables::read(&stbl)?, line: Line { clock, begins, delay } })
    }
}

/// Ticks a second, of an `mdhd` or `mvhd` box.
pub(super) fn clock(head: Bytes) -> Result<u32, ContainerError> {
    match after_dates(head)? {
        0 => Err(malformed("a clock of 0 ticks a second")),
        clock => Ok(clock),
    }
}

/// What follows version, flags and two dates.
fn after_dates(mut head: Bytes) -> Result<u32, ContainerError> {
    let dates = if head.first() == Some(&1) { 16 } else { 8 };
    if head.len() < 4 + dates + 4 {
        return Err(malformed("the head of a track is too short"));
    }
    head.advance(4 + dates);
    Ok(head.get_u32())
}

/// §8.6.6: where in the track's own time it begins, and how much later than the file. Of an edit list that does more, the first part counts.
fn edits(trak: &Boxes, movie_clock: u32) -> Result<(i64, Duration), ContainerError> {
    let Some(edts) = trak.clone().find(b"edts")? else { return Ok((0, Duration::ZERO)) };
    let Some(mut list) = Boxes::new(edts).find(b"elst")? else { return Ok((0, Duration::ZERO)) };
    let short = |_| malformed("its edit list is too short");
    let width = if list.try_get_u32().map_err(short)? >> 24 == 1 { 8 } else { 4 };
    let mut empty = 0u64;
    for _ in 0..list.try_get_u32().map_err(short)? {
        let length = list.try_get_uint(width).map_err(short)?;
        let begins = list.try_get_int(width).map_err(short)?;
        list.try_get_u32().map_err(short)?;
        if begins >= 0 {
            return Ok((begins, delay(empty, movie_clock)?));
        }
        empty = empty.saturating_add(length);
    }
    Ok((0, delay(empty, movie_clock)?))
}

fn delay(ticks: u64, clock: u32) -> Result<Duration, ContainerError> {
    let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(clock);
    u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| malformed("its edit list begins after all times"))
}

fn coding(mut stsd: Bytes, medium: Medium) -> Result<Coding, ContainerError> {
    if stsd.len() < 8 {
        return Err(malformed("its stsd box is too short"));
    }
    stsd.advance(8);
    let mut entries = Boxes::new(stsd);
    let (kind, entry) = entries.next()?.ok_or_else(|| malformed("its stsd box is empty"))?;
    if entries.next()?.is_some() {
        return Err(ContainerError::Codec("a track that changes its codec".into()));
    }
    match (medium, &kind) {
        (Medium::Pictures, b"avc1" | b"avc3") => h264(&Boxes::new(after(entry, 78)?)),
        (Medium::Sound, b"Opus") => opus(&within_sound(entry)?),
        (Medium::Sound, b"mp4a") => aac(&within_sound(entry)?),
        (Medium::Pictures, _) => Err(ContainerError::Codec(format!("{} pictures", name(kind)))),
        (Medium::Sound, _) => Err(ContainerError::Codec(format!("{} sound", name(kind)))),
    }
}

fn h264(entry: &Boxes) -> Result<Coding, ContainerError> {
    let content = entry.clone().need(b"avcC")?;
    let avcc = Avcc::decode_body(&mut &content[..]).map_err(|error| malformed(format!("its avcC box: {error}")))?;
    for sps in &avcc.sequence_parameter_sets {
        Sps::parse(sps).map_err(|error| ContainerError::Codec(format!("H.264 whose {error}")))?;
    }
    let sets = avcc.sequence_parameter_sets.into_iter().chain(avcc.picture_parameter_sets);
    let nal_units = sets.filter(|set| !set.is_empty()).map(Bytes::from).collect();
    Ok(Coding::H264(ParameterSets { length_size: avcc.length_size.into(), nal_units }))
}

fn opus(entry: &Boxes) -> Result<Coding, ContainerError> {
    let content = entry.clone().need(b"dOps")?;
    let dops = Dops::decode_body(&mut &content[..]).map_err(|error| malformed(format!("its dOps box: {error}")))?;
    match dops.output_channel_count {
        1 | 2 if dops.channel_mapping.is_none() => Ok(Coding::Opus),
        channels => Err(ContainerError::Codec(format!("Opus of {channels} channels in several streams"))),
    }
}

fn aac(entry: &Boxes) -> Result<Coding, ContainerError> {
    const MPEG4_AUDIO: u8 = 0x40;
    let esds = match entry.clone().find(b"esds")? {
        Some(esds) => esds,
        // QuickTime has it one level deeper
        None => Boxes::new(entry.clone().need(b"wave")?).need(b"esds")?,
    };
    let esds = Esds::decode_body(&mut &esds[..]).map_err(|error| malformed(format!("its esds box: {error}")))?;
    let config = esds.es_desc.dec_config;
    match config.dec_specific {
        Some(specific) if config.object_type_indication == MPEG4_AUDIO => Ok(Coding::Aac(specific.raw)),
        _ => Err(ContainerError::Codec(format!("MPEG sound of type {:#04x}", config.object_type_indication))),
    }
}

/// The boxes in a sample entry of sound, of ISO files or QuickTime's, whose version makes it longer.
fn within_sound(entry: Bytes) -> Result<Boxes, ContainerError> {
    let more = match entry.get(8..10) {
        Some([0, 1]) => 16,
        Some([0, 2]) => 36,
        _ => 0,
    };
    after(entry, 28 + more).map(Boxes::new)
}

fn after(mut entry: Bytes, fields: usize) -> Result<Bytes, ContainerError> {
    if entry.len() < fields {
        return Err(malformed("a sample entry is too short"));
    }
    entry.advance(fields);
    Ok(entry)
}
