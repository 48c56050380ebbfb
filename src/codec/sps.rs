//! The H.264 sequence parameter set, read before the codec sees it (ITU-T H.264 §7.3.2.1.1, Annex E).
//!
//! In: one SPS NAL unit from a peer. Out: what decides memory and delay, within bounds. Never: a panic, or an SPS whose
//! pictures would be larger than what is decoded here.

mod bits;
#[cfg(test)]
mod tests;
mod vui;

use bits::{Bits, without_emulation_prevention};
use vui::Vui;

/// What is known of a stream before its first picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sps {
    /// `seq_parameter_set_id`, 0 to 31.
    pub id: u8,
    /// `profile_idc`: 66 Baseline, 77 Main, 88 Extended or 100 High.
    pub profile_idc: u8,
    /// The byte of `constraint_setN_flag`s, the first in the highest bit.
    pub constraints: u8,
    /// `level_idc`: ten times the level.
    pub level_idc: u8,
    /// Width after cropping, in luma pixels.
    pub width: u32,
    /// Height after cropping, in luma pixels.
    pub height: u32,
    /// Macroblocks of an uncropped picture.
    pub macroblocks: u32,
    /// `max_num_ref_frames`.
    pub reference_frames: u32,
    /// Whether pictures may be shown in another order than decoded: only where the stream says so itself
    /// (`max_num_reorder_frames` above 0).
    pub reorders: bool,
    /// How long a picture is shown, where the stream says so: so many of so many parts of a second.
    pub period: Option<(u64, u32)>,
}

/// Why an SPS is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpsError {
    /// Not an SPS NAL unit.
    #[error("NAL unit type {0} is no sequence parameter set")]
    NotSps(u8),
    /// The bits end too soon, or a code is longer than 32 bits.
    #[error("truncated or malformed")]
    Malformed,
    /// A value that the standard allows and this decoder does not take, or that the standard forbids.
    #[error("{what} of {value} is not decoded here")]
    Unsupported {
        /// The syntax element.
        what: &'static str,
        /// What it says.
        value: u32,
    },
    /// More pixels or reference pictures than level 5.2 has.
    #[error("{width}x{height} with {reference_frames} reference frames is above level 5.2")]
    TooLarge {
        /// Coded width in pixels.
        width: u32,
        /// Coded height in pixels.
        height: u32,
        /// `max_num_ref_frames`.
        reference_frames: u32,
    },
}

/// Level 5.2's MaxFS (table A-1): 4096×2304.
const MAX_MACROBLOCKS: u32 = 36_864;
/// Level 5.2's MaxDpbMbs (table A-1): bounds what the reference pictures take in memory.
const MAX_DPB_MACROBLOCKS: u32 = 184_320;
/// The longest side, in macroblocks.
const MAX_SIDE_MACROBLOCKS: u32 = 256;
/// Bytes read at most; real ones are below 100.
const MAX_BYTES: usize = 1024;
/// `sps.profile_idc` values with the chroma fields of High (§7.3.2.1.1); of them only 100 is decoded.
const HIGH: u8 = 100;

impl Sps {
    /// Reads an SPS NAL unit, header byte included, start code not.
    ///
    /// # Errors
    /// Where it is malformed or describes pictures that are not decoded here.
    pub fn parse(nal_unit: &[u8]) -> Result<Self, SpsError> {
        let header = *nal_unit.first().ok_or(SpsError::Malformed)?;
        if header & 0x1f != 7 {
            return Err(SpsError::NotSps(header & 0x1f));
        }
        let rbsp = without_emulation_prevention(&nal_unit[1..nal_unit.len().min(MAX_BYTES)]);
        let mut bits = Bits::new(&rbsp);
        let profile_idc = one_of("profile_idc", bits.take(8)?, &[66, 77, 88, 100])? as u8;
        let constraints = bits.take(8)? as u8;
        let level_idc = bits.take(8)? as u8;
        let id = at_most("seq_parameter_set_id", bits.unsigned()?, 31)? as u8;
        if profile_idc == HIGH {
            skip_high_fields(&mut bits)?;
        }
        at_most("log2_max_frame_num_minus4", bits.unsigned()?, 12)?;
        skip_picture_order(&mut bits)?;
        let reference_frames = at_most("max_num_ref_frames", bits.unsigned()?, 16)?;
        bits.take(1)?; // gaps_in_frame_num_value_allowed_flag
        let (width, height, macroblocks) = picture_size(&mut bits, reference_frames)?;
        let Vui { reorders, period } = if bits.flag()? { Vui::read(&mut bits)? } else { Vui::default() };
        Ok(Self { id, profile_idc, constraints, level_idc, width, height, macroblocks, reference_frames, reorders, period })
    }
}

fn skip_high_fields(bits: &mut Bits<'_>) -> Result<(), SpsError> {
    one_of("chroma_format_idc", bits.unsigned()?, &[1])?;
    one_of("bit_depth_luma_minus8", bits.unsigned()?, &[0])?;
    one_of("bit_depth_chroma_minus8", bits.unsigned()?, &[0])?;
    one_of("qpprime_y_zero_transform_bypass_flag", bits.take(1)?, &[0])?;
    if bits.flag()? {
        for list in 0..8 {
            if bits.flag()? {
                skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Ok(())
}

/// §7.3.2.1.1.1.
fn skip_scaling_list(bits: &mut Bits<'_>, size: usize) -> Result<(), SpsError> {
    let mut last = 8i64;
    for _ in 0..size {
        last = (last + i64::from(bits.signed()?)).rem_euclid(256);
        if last == 0 {
            break;
        }
    }
    Ok(())
}

fn skip_picture_order(bits: &mut Bits<'_>) -> Result<(), SpsError> {
    match at_most("pic_order_cnt_type", bits.unsigned()?, 2)? {
        0 => {
            at_most("log2_max_pic_order_cnt_lsb_minus4", bits.unsigned()?, 12)?;
        }
        1 => {
            bits.take(1)?; // delta_pic_order_always_zero_flag
            bits.signed()?; // offset_for_non_ref_pic
            bits.signed()?; // offset_for_top_to_bottom_field
            for _ in 0..at_most("num_ref_frames_in_pic_order_cnt_cycle", bits.unsigned()?, 255)? {
                bits.signed()?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Cropped width and height in pixels, and macroblocks of the uncropped picture.
fn picture_size(bits: &mut Bits<'_>, reference_frames: u32) -> Result<(u32, u32, u32), SpsError> {
    let across = bits.unsigned()?.saturating_add(1);
    let down = bits.unsigned()?.saturating_add(1);
    one_of("frame_mbs_only_flag", bits.take(1)?, &[1])?;
    bits.take(1)?; // direct_8x8_inference_flag
    let macroblocks = across.saturating_mul(down);
    let sides_fit = across <= MAX_SIDE_MACROBLOCKS && down <= MAX_SIDE_MACROBLOCKS;
    if !sides_fit || macroblocks > MAX_MACROBLOCKS || macroblocks * reference_frames.max(1) > MAX_DPB_MACROBLOCKS {
        return Err(SpsError::TooLarge { width: across.saturating_mul(16), height: down.saturating_mul(16), reference_frames });
    }
    let (mut width, mut height) = (across * 16, down * 16);
    if bits.flag()? {
        width = cropped("frame_crop_offset across", width, bits.unsigned()?, bits.unsigned()?)?;
        height = cropped("frame_crop_offset down", height, bits.unsigned()?, bits.unsigned()?)?;
    }
    Ok((width, height, macroblocks))
}

/// §7.4.2.1.1: in 4:2:0 frames, crop offsets count two pixels.
fn cropped(what: &'static str, side: u32, before: u32, after: u32) -> Result<u32, SpsError> {
    let cut = before.saturating_add(after).saturating_mul(2);
    side.checked_sub(cut).filter(|left| *left > 0).ok_or(SpsError::Unsupported { what, value: cut })
}

fn at_most(what: &'static str, value: u32, most: u32) -> Result<u32, SpsError> {
    if value <= most { Ok(value) } else { Err(SpsError::Unsupported { what, value }) }
}

fn one_of(what: &'static str, value: u32, taken: &[u32]) -> Result<u32, SpsError> {
    if taken.contains(&value) { Ok(value) } else { Err(SpsError::Unsupported { what, value }) }
}
