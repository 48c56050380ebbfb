//! One rendition's H.264, encoded by OpenH264: constrained baseline, low complexity, slices that fit a packet.
//!
//! In: I420 pictures of one size and their times. Out: access units; IDR pictures only where they are forced.
//! Never: a skipped picture, a reordered one, or a keyframe of the codec's own choice.

use bytes::Bytes;
use openh264::encoder::{
    BitRate, Complexity, Encoder as Codec, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, Profile, QpRange, RateControlMode,
    UsageType, VuiConfig,
};
use openh264::formats::YUVSlices;
use openh264::{OpenH264API, Timestamp};
use openh264_sys2::{
    ENCODER_OPTION_BITRATE, ENCODER_OPTION_MAX_BITRATE, ENCODER_OPTION_TRACE_LEVEL, SBitrateInfo, SPATIAL_LAYER_0, WELS_LOG_QUIET,
};

use super::nal_units;
use crate::codec::{AccessUnit, EncodeError, Keyframe, VideoEncoder, VideoSettings};
use crate::media::{Frame, MediaTime};

/// What the codec is told, so that slices end below 1200 bytes: it closes a slice 140 bytes before, and a macroblock is
/// seldom larger than 50. The rare slice above it goes out in fragments.
const MAX_SLICE_BYTES: u32 = 1290;

/// Encodes pictures of one size.
pub struct Encoder {
    codec: Codec,
    settings: VideoSettings,
    /// Whether the codec has been set up, which it does at the first picture.
    begun: bool,
}

impl Encoder {
    /// An encoder; it takes up memory at its first picture, which is a keyframe.
    ///
    /// # Errors
    /// Where the codec refuses the settings.
    pub fn new(settings: VideoSettings) -> Result<Self, EncodeError> {
        Ok(Self { codec: new_codec(settings)?, settings, begun: false })
    }

    fn check_size(&self, frame: &Frame) -> Result<(), EncodeError> {
        let VideoSettings { width, height, .. } = self.settings;
        if (frame.width(), frame.height()) == (width, height) {
            return Ok(());
        }
        Err(EncodeError::Size { width, height, got_width: frame.width(), got_height: frame.height() })
    }
}

#[expect(unsafe_code, reason = "the safe wrapper silences the codec only after its set-up, which writes to stderr")]
fn new_codec(settings: VideoSettings) -> Result<Codec, EncodeError> {
    let mut codec = Codec::with_api_config(OpenH264API::from_source(), config(settings)).map_err(codec_error)?;
    let mut level = WELS_LOG_QUIET;
    // SAFETY: the option takes an integer, which the codec reads before it returns; it may be set before the set-up.
    unsafe { codec.raw_api().set_option(ENCODER_OPTION_TRACE_LEVEL, (&raw mut level).cast()) };
    Ok(codec)
}

fn config(settings: VideoSettings) -> EncoderConfig {
    EncoderConfig::new()
        .profile(Profile::Baseline)
        .usage_type(UsageType::CameraVideoRealTime)
        .complexity(Complexity::Low)
        .bitrate(BitRate::from_bps(settings.bitrate_bps))
        .rate_control_mode(RateControlMode::Bitrate)
        .max_frame_rate(FrameRate::from_hz(settings.fps as f32))
        // A skipped picture is a freeze for everybody; the quantizer has to pay instead.
        .skip_frames(false)
        // A change of layout must not force a keyframe on everybody: intra macroblocks do.
        .scene_change_detect(false)
        .intra_frame_period(IntraFramePeriod::auto())
        .qp(QpRange::new(18, 51))
        .max_slice_len(MAX_SLICE_BYTES)
        .num_threads(1)
        .vui(VuiConfig::bt601())
}

impl VideoEncoder for Encoder {
    fn encode(&mut self, frame: &Frame, at: MediaTime, keyframe: Keyframe) -> Result<Option<AccessUnit>, EncodeError> {
        self.check_size(frame)?;
        if self.begun && keyframe == Keyframe::Force {
            self.codec.force_intra_frame();
        }
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let [y, u, v] = frame.planes();
        let source = YUVSlices::new((y, u, v), (width, height), (width, width / 2, width / 2));
        let stream = self.codec.encode_at(&source, Timestamp::from_millis(at.as_millis())).map_err(codec_error)?;
        self.begun = true;
        if matches!(stream.frame_type(), FrameType::Skip | FrameType::Invalid) {
            return Ok(None);
        }
        let keyframe = stream.frame_type() == FrameType::IDR;
        let bytes = Bytes::from(stream.to_vec());
        let nal_units = nal_units(&bytes).map(|nal_unit| bytes.slice_ref(nal_unit)).collect();
        Ok(Some(AccessUnit { nal_units, keyframe }))
    }

    fn set_bitrate(&mut self, bitrate_bps: u32) -> Result<(), EncodeError> {
        if bitrate_bps == self.settings.bitrate_bps {
            return Ok(());
        }
        let settings = VideoSettings { bitrate_bps, ..self.settings };
        if self.begun {
            change_bitrate(&mut self.codec, self.settings.bitrate_bps, bitrate_bps)?;
        } else {
            self.codec = new_codec(settings)?;
        }
        self.settings = settings;
        Ok(())
    }
}

/// The codec refuses a target above its limit and a limit below its target, so that the order depends on the direction.
#[expect(unsafe_code, reason = "the safe wrapper cannot change the bitrate of a running encoder")]
fn change_bitrate(codec: &mut Codec, from_bps: u32, to_bps: u32) -> Result<(), EncodeError> {
    let Ok(bitrate) = i32::try_from(to_bps) else {
        return Err(EncodeError::Codec(format!("bitrate of {to_bps} b/s is out of range")));
    };
    let mut options = [ENCODER_OPTION_MAX_BITRATE, ENCODER_OPTION_BITRATE];
    if to_bps < from_bps {
        options.reverse();
    }
    for option in options {
        let mut info = SBitrateInfo { iLayer: SPATIAL_LAYER_0, iBitrate: bitrate };
        // SAFETY: both options take a bitrate record, which the codec reads before it returns; the encoder is initialised.
        let refused = unsafe { codec.raw_api().set_option(option, (&raw mut info).cast()) };
        if refused != 0 {
            return Err(EncodeError::Codec(format!("bitrate of {to_bps} b/s refused: {refused}")));
        }
    }
    Ok(())
}

fn codec_error(error: openh264::Error) -> EncodeError {
    EncodeError::Codec(format!("{:#x}", error.native_code()))
}

#[cfg(test)]
mod tests {
    use super::super::nal;
    use super::*;
    use crate::codec::scenes::{moving, noise};
    use crate::codec::sps::Sps;

    const SETTINGS: VideoSettings = VideoSettings { width: 1280, height: 720, fps: 30, bitrate_bps: 2_500_000 };

    fn encode(encoder: &mut Encoder, number: u32, frame: &Frame, keyframe: Keyframe) -> AccessUnit {
        encoder.encode(frame, MediaTime::from_millis(u64::from(number) * 100 / 3), keyframe).unwrap().unwrap()
    }

    fn bytes(unit: &AccessUnit) -> usize {
        unit.nal_units.iter().map(Bytes::len).sum()
    }

    #[test]
    fn keyframes_come_first_and_where_forced_and_nowhere_else() {
        let mut encoder = Encoder::new(SETTINGS).unwrap();
        for number in 0..100 {
            // The scene changes from one moment to the next at picture 50.
            let frame = if number < 50 { moving(1280, 720, number) } else { noise(1280, 720, number / 50) };
            let force = if number == 30 { Keyframe::Force } else { Keyframe::Auto };
            let unit = encode(&mut encoder, number, &frame, force);
            let kinds: Vec<_> = unit.nal_units.iter().map(|nal_unit| nal::kind(nal_unit)).collect();
            if number == 0 || number == 30 {
                assert!(unit.keyframe && kinds[..3] == [nal::SPS, nal::PPS, nal::IDR], "{number}: {kinds:?}");
            } else {
                assert!(!unit.keyframe && kinds.iter().all(|kind| *kind == nal::SLICE), "{number}: {kinds:?}");
            }
        }
    }

    #[test]
    fn the_stream_is_constrained_baseline_of_the_size_asked_for_and_never_reordered() {
        for (width, height) in [(1280, 720), (640, 360), (320, 180), (1920, 1080)] {
            let mut encoder = Encoder::new(VideoSettings { width, height, ..SETTINGS }).unwrap();
            let unit = encode(&mut encoder, 0, &moving(width, height, 0), Keyframe::Auto);
            let sps = Sps::parse(&unit.nal_units[0]).unwrap();
            assert_eq!((sps.width, sps.height, sps.profile_idc, sps.reorders), (width, height, 66, false));
            assert_eq!(sps.constraints & 0xc0, 0xc0, "constraint_set0 and constraint_set1: constrained baseline");
        }
    }

    #[test]
    fn slices_fit_a_packet() {
        let mut encoder = Encoder::new(SETTINGS).unwrap();
        for number in 0..60 {
            let unit = encode(&mut encoder, number, &moving(1280, 720, number), Keyframe::Auto);
            assert!(unit.nal_units.iter().all(|nal_unit| nal_unit.len() <= 1200), "{number}");
        }
    }

    #[test]
    fn a_keyframe_is_at_most_six_pictures_worth_of_the_bitrate() {
        let budget = SETTINGS.bitrate_bps / SETTINGS.fps / 8;
        let mut encoder = Encoder::new(SETTINGS).unwrap();
        for number in 0..90 {
            let force = if number % 15 == 14 { Keyframe::Force } else { Keyframe::Auto };
            let unit = encode(&mut encoder, number, &moving(1280, 720, number), force);
            assert!(!unit.keyframe || bytes(&unit) <= 6 * budget as usize, "{number}: {} bytes", bytes(&unit));
        }
    }

    #[test]
    fn a_change_of_bitrate_holds_from_the_next_pictures_on_without_a_keyframe() {
        let mut encoder = Encoder::new(SETTINGS).unwrap();
        let mut second = |from: u32, bitrate_bps| {
            encoder.set_bitrate(bitrate_bps).unwrap();
            let units: Vec<_> = (from..from + 60).map(|n| encode(&mut encoder, n, &moving(1280, 720, 7 * n), Keyframe::Auto)).collect();
            assert!(from == 0 || units.iter().all(|unit| !unit.keyframe));
            units[30..].iter().map(bytes).sum::<usize>() * 8
        };
        let rates = [second(0, 2_500_000), second(60, 600_000), second(120, 4_000_000), second(180, 1_000_000)];
        println!("{rates:?}");
        assert!(rates[1] < 900_000 && rates[3] < 1_400_000, "{rates:?}");
        assert!(rates[2] > 2 * rates[1] && rates[2] > 2 * rates[3], "{rates:?}");
    }

    #[test]
    fn a_picture_of_another_size_is_refused() {
        let mut encoder = Encoder::new(SETTINGS).unwrap();
        let refused = encoder.encode(&Frame::black(640, 360), MediaTime::ZERO, Keyframe::Auto).unwrap_err();
        assert_eq!(refused.to_string(), "picture of 640x360 given to an encoder of 1280x720");
    }
}
