//! What a stream says of how it is to be shown (ITU-T H.264 Annex E).
//!
//! In: the bits of an SPS from its VUI on. Out: whether pictures are reordered, and how long one is shown. Never: more than is asked for:
//! colours and buffers are passed over.

use super::bits::Bits;
use super::{SpsError, at_most};

/// What the stream says of how it is to be shown.
#[derive(Default)]
pub(super) struct Vui {
    pub(super) reorders: bool,
    pub(super) period: Option<(u64, u32)>,
}

impl Vui {
    /// §E.1.1, as far as `max_num_reorder_frames`.
    pub(super) fn read(bits: &mut Bits<'_>) -> Result<Self, SpsError> {
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
            return Ok(Self { reorders: false, period });
        }
        bits.take(1)?; // motion_vectors_over_pic_boundaries_flag
        for _ in 0..4 {
            bits.unsigned()?; // max_bytes_per_pic_denom … log2_max_mv_length_vertical
        }
        Ok(Self { reorders: bits.unsigned()? > 0, period })
    }
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
