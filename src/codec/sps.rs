//! The H.264 sequence parameter set, read before the codec sees it (ITU-T H.264 §7.3.2.1.1, Annex E).
//!
//! In: one SPS NAL unit from a peer. Out: what decides memory and delay, within bounds. Never: a panic, or an SPS whose
//! pictures would be larger than what is decoded here.

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
        let mut bits = Bits { bytes: &rbsp, at: 0 };
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
        let Vui { reorders, period } = if bits.flag()? { vui(&mut bits)? } else { Vui::default() };
        Ok(Self { id, profile_idc, constraints, level_idc, width, height, macroblocks, reference_frames, reorders, period })
    }
}

/// §7.3.1: 0x000003 in a NAL unit stands for 0x0000.
fn without_emulation_prevention(bytes: &[u8]) -> Vec<u8> {
    let mut rbsp = Vec::with_capacity(bytes.len());
    let mut zeros = 0;
    for &byte in bytes {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        rbsp.push(byte);
    }
    rbsp
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

/// What the stream says of how it is to be shown.
#[derive(Default)]
struct Vui {
    reorders: bool,
    period: Option<(u64, u32)>,
}

/// §E.1.1, as far as `max_num_reorder_frames`.
fn vui(bits: &mut Bits<'_>) -> Result<Vui, SpsError> {
    const EXTENDED_SAR: u32 = 255;
    if bits.flag()? && bits.take(8)? == EXTENDED_SAR {
        bits.take(32)?;
    }
    if bits.flag()? {
        bits.take(1)?; // overscan_appropriate_flag
    }
    if bits.flag()? {
        bits.take(4)?; // video_format, video_full_range_flag
        if bits.flag()? {
            bits.take(24)?; // colour_primaries, transfer_characteristics, matrix_coefficients
        }
    }
    if bits.flag()? {
        bits.unsigned()?; // chroma_sample_loc_type_top_field
        bits.unsigned()?; // chroma_sample_loc_type_bottom_field
    }
    let mut period = None;
    if bits.flag()? {
        // num_units_in_tick, time_scale; §E.2.1: a tick is the time of a field
        let (units, scale) = (bits.take(32)?, bits.take(32)?);
        period = (units > 0 && scale > 0).then_some((2 * u64::from(units), scale));
        bits.take(1)?; // fixed_frame_rate_flag
    }
    let nal_hrd = bits.flag()? && skip_hrd(bits)?;
    let vcl_hrd = bits.flag()? && skip_hrd(bits)?;
    if nal_hrd || vcl_hrd {
        bits.take(1)?; // low_delay_hrd_flag
    }
    bits.take(1)?; // pic_struct_present_flag
    if !bits.flag()? {
        return Ok(Vui { reorders: false, period });
    }
    bits.take(1)?; // motion_vectors_over_pic_boundaries_flag
    for _ in 0..4 {
        bits.unsigned()?; // max_bytes_per_pic_denom … log2_max_mv_length_vertical
    }
    Ok(Vui { reorders: bits.unsigned()? > 0, period })
}

/// §E.1.2; `true`, so that it reads as "there was one".
fn skip_hrd(bits: &mut Bits<'_>) -> Result<bool, SpsError> {
    let schedules = at_most("cpb_cnt_minus1", bits.unsigned()?, 31)? + 1;
    bits.take(8)?; // bit_rate_scale, cpb_size_scale
    for _ in 0..schedules {
        bits.unsigned()?; // bit_rate_value_minus1
        bits.unsigned()?; // cpb_size_value_minus1
        bits.take(1)?; // cbr_flag
    }
    bits.take(20)?; // four lengths of 5 bits
    Ok(true)
}

fn at_most(what: &'static str, value: u32, most: u32) -> Result<u32, SpsError> {
    if value <= most { Ok(value) } else { Err(SpsError::Unsupported { what, value }) }
}

fn one_of(what: &'static str, value: u32, taken: &[u32]) -> Result<u32, SpsError> {
    if taken.contains(&value) { Ok(value) } else { Err(SpsError::Unsupported { what, value }) }
}

/// Reads bits, most significant first; the end of the bytes is an error, never a panic.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next `count` bits, at most 32.
    fn take(&mut self, count: u32) -> Result<u32, SpsError> {
        let mut value = 0u32;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8).ok_or(SpsError::Malformed)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Ok(value)
    }

    fn flag(&mut self) -> Result<bool, SpsError> {
        Ok(self.take(1)? == 1)
    }

    /// `ue(v)`, §9.1.
    fn unsigned(&mut self) -> Result<u32, SpsError> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return Err(SpsError::Malformed);
            }
        }
        Ok((1u32 << zeros) - 1 + self.take(zeros)?)
    }

    /// `se(v)`, §9.1.1.
    fn signed(&mut self) -> Result<i32, SpsError> {
        let code = self.unsigned()?;
        let half = (code / 2) as i32;
        Ok(if code % 2 == 1 { half + 1 } else { -half })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Writes bits as [`Bits`] reads them.
    #[derive(Default)]
    struct Writer(Vec<bool>);

    impl Writer {
        fn bits(mut self, count: u32, value: u32) -> Self {
            self.0.extend((0..count).rev().map(|n| value >> n & 1 == 1));
            self
        }

        fn ue(self, value: u32) -> Self {
            let length = 32 - (value + 1).leading_zeros();
            self.bits(length - 1, 0).bits(length, value + 1)
        }

        /// The NAL unit, with the stop bit and with emulation prevention put in.
        fn nal_unit(self) -> Vec<u8> {
            let mut bits = self.bits(1, 1).0;
            bits.resize(bits.len().next_multiple_of(8), false);
            let mut nal_unit = vec![0x67];
            let mut zeros = 0;
            for byte in bits.chunks(8).map(|eight| eight.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit))) {
                if zeros >= 2 && byte <= 3 {
                    nal_unit.push(3);
                    zeros = 0;
                }
                zeros = if byte == 0 { zeros + 1 } else { 0 };
                nal_unit.push(byte);
            }
            nal_unit
        }
    }

    /// Up to and without the frame cropping flag.
    fn baseline(macroblocks_across: u32, macroblocks_down: u32, reference_frames: u32) -> Writer {
        let head = Writer::default().bits(8, 66).bits(8, 0xc0).bits(8, 31).ue(0).ue(0).ue(2);
        head.ue(reference_frames).bits(1, 0).ue(macroblocks_across - 1).ue(macroblocks_down - 1).bits(2, 0b11)
    }

    #[test]
    fn cropping_makes_1080_of_1088_lines() {
        let sps = Sps::parse(&baseline(120, 68, 1).bits(1, 1).ue(0).ue(0).ue(0).ue(4).bits(1, 0).nal_unit()).unwrap();
        assert_eq!((sps.width, sps.height, sps.macroblocks), (1920, 1080, 8160));
        assert_eq!((sps.profile_idc, sps.constraints, sps.level_idc), (66, 0xc0, 31));
    }

    #[test]
    fn a_picture_that_is_cropped_away_is_refused() {
        let sps = baseline(2, 2, 1).bits(1, 1).ue(8).ue(8).ue(0).ue(0).bits(1, 0).nal_unit();
        assert_eq!(Sps::parse(&sps), Err(SpsError::Unsupported { what: "frame_crop_offset across", value: 32 }));
    }

    #[test]
    fn pictures_above_level_5_2_are_refused() {
        assert!(Sps::parse(&baseline(256, 144, 5).bits(2, 0).nal_unit()).is_ok());
        for (across, down, references) in [(257, 1, 1), (256, 145, 1), (256, 144, 6), (65536, 65536, 1)] {
            let refused = Sps::parse(&baseline(across, down, references).bits(2, 0).nal_unit());
            assert!(matches!(refused, Err(SpsError::TooLarge { .. })), "{across}x{down}x{references}: {refused:?}");
        }
    }

    #[test]
    fn reordering_is_believed_only_where_the_stream_says_it() {
        let silent = baseline(40, 23, 2).bits(2, 0b01).bits(9, 0);
        assert!(!Sps::parse(&silent.nal_unit()).unwrap().reorders);
        let restricted = |reorder| baseline(40, 23, 2).bits(2, 0b01).bits(8, 0).bits(2, 0b11).ue(0).ue(0).ue(16).ue(16).ue(reorder).ue(2);
        assert!(!Sps::parse(&restricted(0).nal_unit()).unwrap().reorders);
        assert!(Sps::parse(&restricted(2).nal_unit()).unwrap().reorders);
    }

    #[test]
    fn a_high_profile_sps_of_x264_is_read() {
        // 1280x720, High@3.1, three B-frames; holds emulation prevention bytes.
        let sps = [
            0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03,
            0xc0, 0xf1, 0x83, 0x19, 0x60,
        ];
        let sps = Sps::parse(&sps).unwrap();
        assert_eq!((sps.width, sps.height, sps.profile_idc, sps.level_idc), (1280, 720, 100, 31));
        assert!(sps.reorders && sps.period == Some((2, 60)), "{:?}", sps.period);
    }

    #[test]
    fn what_ends_too_soon_is_refused_at_every_length() {
        let whole = baseline(80, 45, 1).bits(2, 0).nal_unit();
        assert!(Sps::parse(&whole).is_ok());
        for length in 0..whole.len() - 1 {
            assert_eq!(Sps::parse(&whole[..length]), Err(SpsError::Malformed), "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic_and_never_pass_the_bounds(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), profile in 0usize..5) {
            if let [header, profile_idc, ..] = bytes.as_mut_slice() {
                *header = 0x67;
                *profile_idc = [66, 77, 88, 100, *profile_idc][profile];
            }
            if let Ok(sps) = Sps::parse(&bytes) {
                prop_assert!(sps.macroblocks <= MAX_MACROBLOCKS && sps.width >= 2 && sps.height >= 2);
                prop_assert!(sps.width <= 4096 && sps.height <= 4096);
            }
        }

        #[test]
        fn sizes_written_are_the_sizes_read(across in 1u32..=192, down in 1u32..=192, references in 0u32..=4) {
            let sps = Sps::parse(&baseline(across, down, references).bits(2, 0).nal_unit()).unwrap();
            prop_assert_eq!((sps.width, sps.height, sps.reference_frames), (across * 16, down * 16, references));
        }
    }
}
