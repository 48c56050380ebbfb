//! A canvas as an image file.
//!
//! In: I420, BT.601 limited range. Out: PNG or JPEG. Takes milliseconds: never on an async thread.

use bytes::Bytes;
use image::codecs::{jpeg::JpegEncoder, png};
use image::{ExtendedColorType, ImageEncoder, ImageResult};

use crate::media::Frame;

const JPEG_QUALITY: u8 = 85;

/// What an image is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Format {
    Png,
    Jpeg,
}

impl Format {
    /// Its media type.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }
}

/// The frame as a file.
pub(super) fn encode(frame: &Frame, format: Format) -> ImageResult<Bytes> {
    let rgb = rgb_of(frame);
    let mut bytes = Vec::with_capacity(rgb.len() / 8);
    let (width, height) = (frame.width(), frame.height());
    match format {
        Format::Png => png::PngEncoder::new_with_quality(&mut bytes, png::CompressionType::Fast, png::FilterType::Adaptive).write_image(
            &rgb,
            width,
            height,
            ExtendedColorType::Rgb8,
        )?,
        Format::Jpeg => {
            JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).write_image(&rgb, width, height, ExtendedColorType::Rgb8)?;
        }
    }
    Ok(bytes.into())
}

/// Packed RGB from I420: ITU-R BT.601 limited range, coefficients in 1/256.
fn rgb_of(frame: &Frame) -> Vec<u8> {
    let width = frame.width() as usize;
    let chroma_width = frame.chroma_size().0 as usize;
    let [luma, u, v] = frame.planes();
    let mut rgb = Vec::with_capacity(luma.len() * 3);
    for (y, row) in luma.chunks_exact(width).enumerate() {
        let chroma = y / 2 * chroma_width;
        for (x, &luma) in row.iter().enumerate() {
            rgb.extend(rgb_of_pixel(luma, u[chroma + x / 2], v[chroma + x / 2]));
        }
    }
    rgb
}

fn rgb_of_pixel(y: u8, u: u8, v: u8) -> [u8; 3] {
    let [y, u, v] = [298 * (i32::from(y) - 16) + 128, i32::from(u) - 128, i32::from(v) - 128];
    [y + 409 * v, y - 100 * u - 208 * v, y + 516 * u].map(|c| (c >> 8).clamp(0, 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limited_range_black_white_and_red_come_out_whole() {
        assert_eq!(rgb_of_pixel(16, 128, 128), [0, 0, 0]);
        assert_eq!(rgb_of_pixel(235, 128, 128), [255, 255, 255]);
        let [r, g, b] = rgb_of_pixel(81, 90, 240);
        assert!(r >= 252 && g <= 3 && b <= 3, "{r} {g} {b}");
    }

    #[test]
    fn both_formats_decode_to_the_canvas_even_at_odd_sizes() {
        let frame = Frame::filled(131, 75, [81, 90, 240]);
        for format in [Format::Png, Format::Jpeg] {
            let image = image::load_from_memory(&encode(&frame, format).unwrap()).unwrap().to_rgb8();
            assert_eq!(image.dimensions(), (131, 75));
            let [r, g, b] = image.get_pixel(130, 74).0;
            assert!(r > 245 && g < 10 && b < 10, "{format:?}: {r} {g} {b}");
        }
    }
}
