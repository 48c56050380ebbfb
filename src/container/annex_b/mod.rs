//! H.264 byte streams (ITU-T H.264 Annex B).
//!
//! In: the file. Out: its pictures, at the rate that its SPS names, else at 30 a second. Never: more of the file in memory than a picture
//! and a piece to come, or pictures that are shown in another order than they are decoded.

mod units;

use std::time::Duration;

use bytes::Bytes;

use self::units::NalUnits;
use super::source::Source;
use super::{CodedPicture, ContainerError, MOST_PICTURE, Media, PictureStream, malformed};
use crate::codec::h264::nal;
use crate::codec::sps::Sps;

/// Of a file, so much is gone through when it is opened, to say how long it is; the rest is as dense.
const LOOKED_AT: u64 = 256 << 20;
/// Periods of pictures that are believed: 240 a second to one in ten seconds.
const BELIEVED: std::ops::RangeInclusive<Duration> = Duration::from_micros(4_166)..=Duration::from_secs(10);
/// How long a picture is shown where nothing says it, as so many of so many parts of a second.
const USUAL: (u64, u32) = (1, 30);
/// NAL units of one picture that are taken.
const MOST_UNITS: usize = 10_000;

/// Further NAL unit types (ITU-T H.264 table 7-1).
const PARTITION_A: u8 = 2;
const SEI: u8 = 6;
const DELIMITER: u8 = 9;
const FILLER: u8 = 12;

/// Access units, one after the other.
struct AccessUnits {
    units: NalUnits,
    /// What begins the next one.
    next: Option<Bytes>,
    /// The parameter sets that hold, and whether a picture has used them.
    sets: Vec<Bytes>,
    used: bool,
    period: (u64, u32),
    count: u64,
}

pub(super) fn open(source: &Source) -> Result<Media, ContainerError> {
    let mut survey = AccessUnits::new(source, USUAL);
    let mut period = None;
    while let Some(picture) = survey.next()? {
        for sps in picture.nal_units.iter().filter(|unit| nal::kind(unit) == nal::SPS) {
            let sps = Sps::parse(sps).map_err(|error| ContainerError::Codec(format!("H.264 whose {error}")))?;
            if sps.reorders {
                return Err(b_pictures());
            }
            period = period.or(sps.period);
        }
        if survey.units.at() > LOOKED_AT {
            break;
        }
    }
    if survey.sets.is_empty() || survey.count == 0 {
        return Err(malformed("an H.264 byte stream without parameter sets or pictures"));
    }
    let believed = |(units, scale)| BELIEVED.contains(&shown(1, (units, scale)));
    let period = period.filter(|period| believed(*period)).unwrap_or(USUAL);
    let pictures = u128::from(survey.count) * u128::from(source.length()) / u128::from(survey.units.at().max(1));
    Ok(Media { pictures: Some(Box::new(AccessUnits::new(source, period))), sound: None, duration: shown(pictures as u64, period) })
}

impl AccessUnits {
    fn new(source: &Source, period: (u64, u32)) -> Self {
        Self { units: NalUnits::new(source), next: None, sets: Vec::new(), used: false, period, count: 0 }
    }

    /// The NAL units of the next access unit; empty at the end.
    fn gather(&mut self) -> Result<Vec<Bytes>, ContainerError> {
        let (mut gathered, mut bytes, mut has_slice) = (Vec::new(), 0, false);
        loop {
            let unit = self.next.take().map_or_else(|| self.units.next(), |unit| Ok(Some(unit)))?;
            let Some(unit) = unit else { return Ok(if has_slice { gathered } else { Vec::new() }) };
            let slice = is_slice(&unit);
            // §7.4.1.2.3: what begins an access unit after the slices of one
            let begins = if slice { first_of_picture(&unit) } else { matches!(nal::kind(&unit), SEI..=DELIMITER | 14..=18) };
            if has_slice && begins {
                self.next = Some(unit);
                return Ok(gathered);
            }
            bytes += unit.len();
            if gathered.len() >= MOST_UNITS || bytes > MOST_PICTURE {
                return Err(malformed(format!("a picture of more than {MOST_UNITS} NAL units or {MOST_PICTURE} bytes")));
            }
            has_slice |= slice;
            self.note(&unit);
            if !(10..=FILLER).contains(&nal::kind(&unit)) {
                gathered.push(unit);
            }
        }
    }

    /// Keeps the parameter sets that a later keyframe may need.
    fn note(&mut self, unit: &Bytes) {
        let kind = nal::kind(unit);
        if matches!(kind, nal::SPS | nal::PPS) {
            if self.used {
                self.sets.retain(|set| kind == nal::PPS && nal::kind(set) == nal::SPS);
                self.used = false;
            }
            if !self.sets.contains(unit) && self.sets.len() < 64 {
                self.sets.push(unit.clone());
            }
        }
        self.used |= is_slice(unit);
    }
}

impl PictureStream for AccessUnits {
    fn next(&mut self) -> Result<Option<CodedPicture>, ContainerError> {
        let mut nal_units = self.gather()?;
        if nal_units.is_empty() {
            return Ok(None);
        }
        if nal_units.iter().any(|unit| is_slice(unit) && slice_type(unit) == Some(SliceType::B)) {
            return Err(b_pictures());
        }
        let has = |kind| nal_units.iter().any(|unit| nal::kind(unit) == kind);
        let keyframe = has(nal::IDR);
        if keyframe && !has(nal::SPS) {
            nal_units.splice(0..0, self.sets.iter().cloned());
        }
        let at = shown(self.count, self.period);
        self.count += 1;
        Ok(Some(CodedPicture { at, nal_units, keyframe }))
    }
}

fn b_pictures() -> ContainerError {
    ContainerError::Codec("H.264 with B-pictures (encode it with: ffmpeg -bf 0)".into())
}

/// How long so many pictures are shown.
fn shown(pictures: u64, (units, scale): (u64, u32)) -> Duration {
    let nanos = u128::from(pictures) * u128::from(units) * 1_000_000_000 / u128::from(scale);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

fn is_slice(unit: &[u8]) -> bool {
    matches!(nal::kind(unit), nal::SLICE | PARTITION_A | nal::IDR)
}

/// §7.3.3: first_mb_in_slice leads the slice header; 0 is coded as a single one bit.
fn first_of_picture(unit: &[u8]) -> bool {
    unit.get(1).is_some_and(|byte| byte & 0x80 != 0)
}

#[derive(PartialEq, Eq)]
enum SliceType {
    B,
    Other,
}

/// §7.3.3: slice_type follows first_mb_in_slice; both are `ue(v)`, together at most 38 bits.
fn slice_type(unit: &[u8]) -> Option<SliceType> {
    let bits = unit.iter().skip(1).take(8).fold((0u64, 64), |(bits, left), byte| (bits | u64::from(*byte) << (left - 8), left - 8)).0;
    let (_, rest) = unsigned(bits)?;
    let (kind, _) = unsigned(rest)?;
    Some(if kind % 5 == 1 { SliceType::B } else { SliceType::Other })
}

/// §9.1; the number and the bits after it.
fn unsigned(bits: u64) -> Option<(u64, u64)> {
    let zeros = bits.leading_zeros();
    (zeros < 20).then(|| ((bits << zeros >> (63 - zeros)) - 1, bits << (2 * zeros + 1)))
}
