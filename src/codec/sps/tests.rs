//! Parameter sets as encoders write them, and as nobody does.

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
        0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0,
        0xf1, 0x83, 0x19, 0x60,
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
