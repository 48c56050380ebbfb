//! Colours: sRGB to BT.601 limited range, and the few that Medley chooses itself.
//!
//! In: 8-bit RGB; out: Y, U, V. Never: a layout, or a colour that a scene names.

use super::plan::Yuv;
use crate::media::{ParticipantId, Rgb};

/// Where there is no picture, and beside a picture that is shown whole.
pub(super) const PLACEHOLDER: Rgb = Rgb(0x23, 0x29, 0x33);
/// The name on a placeholder.
pub(super) const PLACEHOLDER_TEXT: Rgb = Rgb(0xc9, 0xd1, 0xdc);
/// The name's pill; drawn with [`PILL_OPACITY`].
pub(super) const PILL: Rgb = Rgb(0x0b, 0x0d, 0x11);
/// Dark enough for light text on a white wall, light enough to show what is behind it.
pub(super) const PILL_OPACITY: f32 = 0.66;
/// The name on its pill, and the initials on their disc.
pub(super) const TEXT: Rgb = Rgb(0xf4, 0xf6, 0xf9);
/// What a picture that stands still is dimmed with, and how much of it is left out.
pub(super) const DIM: Rgb = Rgb(0x0b, 0x0d, 0x11);
pub(super) const DIM_OPACITY: f32 = 0.45;
/// The mute mark.
pub(super) const MUTED: Rgb = Rgb(0xff, 0x72, 0x6e);

const DISCS: [Rgb; 8] = [
    Rgb(0x3f, 0x74, 0xa8),
    Rgb(0x3f, 0x8a, 0x74),
    Rgb(0x86, 0x62, 0xa8),
    Rgb(0xa8, 0x5f, 0x66),
    Rgb(0xa0, 0x7c, 0x42),
    Rgb(0x3c, 0x84, 0x96),
    Rgb(0x66, 0x6c, 0xb4),
    Rgb(0x74, 0x88, 0x45),
];

/// The colour of somebody's initials' disc: theirs for as long as they stay.
pub(super) fn disc(id: ParticipantId) -> Rgb {
    DISCS[id.0 as usize % DISCS.len()]
}

/// A colour in BT.601 limited range (ITU-R BT.601-7 §2.5.3, from full-range R, G, B).
pub fn yuv(Rgb(r, g, b): Rgb) -> Yuv {
    let [r, g, b] = [r, g, b].map(i32::from);
    let y = 16 * 65_536 + 16_829 * r + 33_039 * g + 6_416 * b;
    let u = 128 * 65_536 - 9_714 * r - 19_070 * g + 28_784 * b;
    let v = 128 * 65_536 + 28_784 * r - 24_103 * g - 4_681 * b;
    [y, u, v].map(|sum| ((sum + 32_768) >> 16).clamp(0, 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primaries_have_the_standard_s_values() {
        assert_eq!(yuv(Rgb(0, 0, 0)), [16, 128, 128]);
        assert_eq!(yuv(Rgb(255, 255, 255)), [235, 128, 128]);
        assert_eq!(yuv(Rgb(255, 0, 0)), [81, 90, 240]);
        assert_eq!(yuv(Rgb(0, 255, 0)), [145, 54, 34]);
        assert_eq!(yuv(Rgb(0, 0, 255)), [41, 240, 110]);
    }
}
