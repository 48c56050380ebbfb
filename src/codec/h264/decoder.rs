//! One sender's H.264, decoded by OpenH264.
//!
//! In: access units in Annex B form, as they come off the network. Out: one packed I420 picture for each, without delay.
//! Never: an SPS that was not read and bounded in Rust, a change of size inside one codec instance, or NAL unit types that
//! a picture does not need.

use std::collections::BTreeMap;
use std::sync::Arc;

use openh264::OpenH264API;
use openh264::decoder::{Decoder as Codec, DecoderConfig};
use openh264_sys2::{SBufferInfo, SSysMEMBuffer, dsInvalidArgument};

use super::{nal, nal_units};
use crate::codec::sps::Sps;
use crate::codec::{DecodeError, VideoDecoder};
use crate::media::Frame;

/// Decodes one sender's pictures, of whatever size they are and come to be.
///
/// Concealment is off: after a loss every access unit is an error until the next keyframe, so that no smeared picture shows.
#[derive(Default)]
pub struct Decoder {
    /// Made at the first SPS, and afresh where one changes.
    codec: Option<Codec>,
    parameters: Parameters,
    /// What the codec is given; kept for its allocation.
    stream: Vec<u8>,
}

/// The SPS NAL units that the codec instance has been given.
#[derive(Default)]
struct Parameters {
    by_id: BTreeMap<u8, Vec<u8>>,
    macroblocks: u32,
    reorders: bool,
}

impl VideoDecoder for Decoder {
    fn decode(&mut self, access_unit: &[u8]) -> Result<Option<Arc<Frame>>, DecodeError> {
        self.stream.clear();
        let mut slices = 0;
        for nal_unit in nal_units(access_unit) {
            match nal::kind(nal_unit) {
                nal::SPS => self.take_parameters(nal_unit)?,
                nal::SLICE | nal::IDR => slices += 1,
                nal::PPS => {}
                // SEI and delimiters change no picture; extensions and partitions are nothing but attack surface.
                _ => continue,
            }
            self.stream.extend_from_slice(&[0, 0, 0, 1]);
            self.stream.extend_from_slice(nal_unit);
        }
        let Some(codec) = &mut self.codec else {
            return Err(DecodeError::Codec("no sequence parameter set yet".into()));
        };
        if self.stream.is_empty() {
            return Ok(None);
        }
        match decode(codec, &self.stream, self.parameters.reorders) {
            Ok(picture) => Ok(picture.filter(|_| slices > 0)),
            Err(state) => Err(self.after_error(state)),
        }
    }
}

impl Decoder {
    /// A decoder that has seen nothing; costs nothing until the first SPS.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads an SPS and makes a fresh codec where it differs from the last: upstream reads past its buffers when the size
    /// of an SPS changes under it.
    fn take_parameters(&mut self, nal_unit: &[u8]) -> Result<(), DecodeError> {
        let sps = Sps::parse(nal_unit).map_err(|error| DecodeError::Parameters(error.to_string()))?;
        let known = self.parameters.by_id.get(&sps.id);
        if known.is_some_and(|known| known == nal_unit) {
            return Ok(());
        }
        let joins = known.is_none() && self.codec.is_some() && self.parameters.macroblocks == sps.macroblocks;
        if !joins {
            self.codec = Some(new_codec()?);
            self.parameters = Parameters { macroblocks: sps.macroblocks, reorders: sps.reorders, ..Parameters::default() };
            self.stream.clear();
        }
        self.parameters.by_id.insert(sps.id, nal_unit.to_vec());
        Ok(())
    }

    fn after_error(&mut self, state: i32) -> DecodeError {
        // States from `dsInvalidArgument` on (out of memory, too) speak of the instance, not of the stream.
        if state >= dsInvalidArgument {
            self.codec = None;
            self.parameters = Parameters::default();
        }
        DecodeError::Codec(format!("{state:#x}"))
    }
}

fn new_codec() -> Result<Codec, DecodeError> {
    Codec::with_api_config(OpenH264API::from_source(), DecoderConfig::new())
        .map_err(|error| DecodeError::Codec(format!("no decoder: {:#x}", error.native_code())))
}

/// Decodes past the safe wrapper, whose errors each capture a backtrace: costly under loss, where every picture is an error.
#[expect(unsafe_code, reason = "the codec's raw API: errors without a backtrace, and planes as pointers")]
fn decode(codec: &mut Codec, stream: &[u8], reorders: bool) -> Result<Option<Arc<Frame>>, i32> {
    let Ok(length) = i32::try_from(stream.len()) else {
        return Err(dsInvalidArgument);
    };
    let mut planes = [std::ptr::null_mut::<u8>(); 3];
    let mut shown = SBufferInfo::default();
    // SAFETY: the stream lives over the call, `planes` has the three places that the codec writes, and no option is changed.
    let state = unsafe {
        let raw = codec.raw_api();
        let state = raw.decode_frame_no_delay(stream.as_ptr(), length, (&raw mut planes).cast(), &raw mut shown);
        if state == 0 && shown.iBufferStatus != 1 && !reorders {
            // Above Baseline the codec holds one picture back, in case the next is a B picture.
            raw.flush_frame((&raw mut planes).cast(), &raw mut shown);
        }
        state
    };
    if state != 0 {
        return Err(state);
    }
    if shown.iBufferStatus != 1 || planes.iter().any(|plane| plane.is_null()) {
        return Ok(None);
    }
    // SAFETY: with status 1 the codec filled in the system memory variant of the union.
    copy(planes, unsafe { shown.UsrData.sSystemBuffer }).map(Some)
}

/// Packs the picture, which is the codec's until the next call into it.
#[expect(unsafe_code, reason = "the codec gives planes as pointers")]
fn copy(planes: [*mut u8; 3], layout: SSysMEMBuffer) -> Result<Arc<Frame>, i32> {
    let (Ok(width), Ok(height)) = (u32::try_from(layout.iWidth), u32::try_from(layout.iHeight)) else {
        return Err(dsInvalidArgument);
    };
    let chroma = (width.div_ceil(2), height.div_ceil(2));
    let [luma_stride, chroma_stride] = layout.iStride.map(|stride| stride as usize);
    let mut pixels = Vec::with_capacity(width as usize * height as usize + 2 * chroma.0 as usize * chroma.1 as usize);
    let shapes = [((width, height), luma_stride), (chroma, chroma_stride), (chroma, chroma_stride)];
    for (plane, ((columns, rows), stride)) in planes.into_iter().zip(shapes) {
        for row in 0..rows as usize {
            // SAFETY: the codec's planes hold `rows` rows of `stride` bytes, of which the first `columns` are the picture.
            pixels.extend_from_slice(unsafe { std::slice::from_raw_parts(plane.add(row * stride), columns as usize) });
        }
    }
    Frame::from_planes(width, height, pixels.into()).map(Arc::new).map_err(|_| dsInvalidArgument)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::h264::Encoder;
    use crate::codec::scenes::moving;
    use crate::codec::{Keyframe, VideoEncoder, VideoSettings};
    use crate::media::MediaTime;

    /// Access units in Annex B form; the first is a keyframe, and so are those of `keyframes`.
    fn stream(width: u32, height: u32, count: u32, keyframes: &[u32]) -> Vec<Vec<u8>> {
        let mut encoder = Encoder::new(VideoSettings { width, height, fps: 30, bitrate_bps: 1_000_000 }).unwrap();
        let encode = |n: u32| {
            let force = if keyframes.contains(&n) { Keyframe::Force } else { Keyframe::Auto };
            let unit = encoder.encode(&moving(width, height, n), MediaTime::from_millis(u64::from(n) * 33), force).unwrap().unwrap();
            unit.nal_units.iter().flat_map(|nal_unit| [&[0, 0, 0, 1], nal_unit.as_ref()].concat()).collect()
        };
        (0..count).map(encode).collect()
    }

    fn luma_psnr(a: &Frame, b: &Frame) -> f64 {
        let (a, b) = (a.planes()[0], b.planes()[0]);
        let squares: u64 = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
        10.0 * (255.0 * 255.0 * a.len() as f64 / squares.max(1) as f64).log10()
    }

    #[test]
    fn each_access_unit_gives_its_picture_at_once() {
        let mut decoder = Decoder::new();
        for (n, unit) in stream(640, 360, 20, &[]).iter().enumerate() {
            let frame = decoder.decode(unit).unwrap().expect("a picture for each access unit");
            assert_eq!((frame.width(), frame.height()), (640, 360));
            let psnr = luma_psnr(&frame, &moving(640, 360, n as u32));
            assert!(psnr > 30.0, "picture {n}: {psnr:.1} dB");
        }
    }

    #[test]
    fn a_change_of_size_goes_on_with_the_new_size() {
        let mut decoder = Decoder::new();
        for (width, height) in [(320, 180), (1280, 720), (160, 90), (640, 360), (320, 180)] {
            for unit in stream(width, height, 3, &[]) {
                let frame = decoder.decode(&unit).unwrap().unwrap();
                assert_eq!((frame.width(), frame.height()), (width, height));
            }
        }
    }

    #[test]
    fn after_a_loss_nothing_shows_until_the_next_keyframe_and_then_everything() {
        let units = stream(320, 180, 20, &[10]);
        let mut decoder = Decoder::new();
        let shown: Vec<_> = (0..20).filter(|n| *n != 4).map(|n| (n, matches!(decoder.decode(&units[n]), Ok(Some(_))))).collect();
        for (n, shown) in shown {
            assert_eq!(shown, !(5..10).contains(&n), "picture {n}");
        }
    }

    #[test]
    fn a_stream_joined_in_its_middle_is_an_error_until_the_keyframe() {
        let units = stream(320, 180, 8, &[5]);
        let mut decoder = Decoder::new();
        assert_eq!(decoder.decode(&units[3]), Err(DecodeError::Codec("no sequence parameter set yet".into())));
        assert!(decoder.decode(&units[5]).unwrap().is_some());
    }

    #[test]
    fn an_sps_beyond_the_bounds_never_reaches_the_codec() {
        let units = stream(320, 180, 2, &[1]);
        let mut decoder = Decoder::new();
        assert!(decoder.decode(&units[0]).unwrap().is_some());
        let huge = [0, 0, 0, 1, 0x67, 66, 0xc0, 52, 0b1011_1000, 0, 0, 0x01, 0, 0, 0, 0x40, 0xff];
        assert!(matches!(decoder.decode(&huge), Err(DecodeError::Parameters(_))));
        assert!(decoder.decode(&units[1]).unwrap().is_some(), "a good keyframe mends it");
    }

    #[test]
    fn parameter_sets_alone_are_no_picture() {
        let units = stream(320, 180, 1, &[]);
        let parameters: Vec<u8> = nal_units(&units[0]).take(2).flat_map(|n| [&[0, 0, 1], n].concat()).collect();
        let slices: Vec<u8> = nal_units(&units[0]).skip(2).flat_map(|n| [&[0, 0, 1], n].concat()).collect();
        let mut decoder = Decoder::new();
        assert_eq!(decoder.decode(&parameters), Ok(None));
        assert!(decoder.decode(&slices).unwrap().is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_damaged_stream_is_mended_by_the_next_keyframe(
            hits in proptest::collection::vec((0usize..6, any::<prop::sample::Index>(), 1u8..), 1..40),
            cut in any::<prop::sample::Index>(),
        ) {
            let units = stream(160, 96, 7, &[6]);
            let mut damaged = units.clone();
            for (unit, at, flip) in hits {
                // The parameter sets stay whole, so that it is the slices' bits that reach the codec.
                let from = if unit == 0 { 48 } else { 4 };
                let at = from + at.index(damaged[unit].len() - from);
                damaged[unit][at] ^= flip;
            }
            let length = cut.index(damaged[3].len());
            damaged[3].truncate(length);
            let mut decoder = Decoder::new();
            for unit in &damaged[..6] {
                let _ = decoder.decode(unit);
            }
            prop_assert!(decoder.decode(&units[6]).unwrap().is_some());
        }
    }
}
