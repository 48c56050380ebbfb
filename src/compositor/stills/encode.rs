//! Canvases as files: PNG and JPEG.
//!
//! In: a [`Frame`] (I420, BT.601 limited). Out: a file's bytes. Never: an async thread's time; call it beside them.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use crate::media::Frame;

/// A picture as PNG, compressed quickly.
pub fn encode_png(frame: &Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive);
    write(frame, encoder);
    bytes
}

/// A picture as JPEG; `quality` from 1 to 100.
pub fn encode_jpeg(frame: &Frame, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(frame, JpegEncoder::new_with_quality(&mut bytes, quality.clamp(1, 100)));
    bytes
}

fn write(frame: &Frame, encoder: impl ImageEncoder) {
    let written = encoder.write_image(&rgb_of(frame), frame.width(), frame.height(), ExtendedColorType::Rgb8);
    written.expect("both formats hold every size that a frame has, and a Vec takes every byte");
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
        for bytes in [encode_png(&frame), encode_jpeg(&frame, 85)] {
            let image = image::load_from_memory(&bytes).unwrap().to_rgb8();
            assert_eq!(image.dimensions(), (131, 75));
            let [r, g, b] = image.get_pixel(130, 74).0;
            assert!(r > 245 && g < 10 && b < 10, "{r} {g} {b}");
        }
    }
}
