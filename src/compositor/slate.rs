//! The slate: what an empty room shows.
//!
//! In: the PNG that is part of the program; out: an I420 frame, decoded once per process. Never: a file at run time.

use std::sync::{Arc, OnceLock};

use image::RgbImage;

use super::palette::yuv;
use super::plan::Yuv;
use crate::media::{Frame, Rgb};

/// The slate, 1280×720.
pub(super) fn slate() -> Arc<Frame> {
    static SLATE: OnceLock<Arc<Frame>> = OnceLock::new();
    SLATE.get_or_init(|| Arc::new(decoded())).clone()
}

/// The colour in the slate's corner, which goes on where the canvas is wider or taller.
pub(super) fn surround(slate: &Frame) -> Yuv {
    slate.planes().map(|plane| plane[0])
}

fn decoded() -> Frame {
    let png = include_bytes!("../../assets/slate.png");
    let image = image::load_from_memory(png).expect("assets/slate.png is a PNG, as a test shows");
    i420(&image.into_rgb8())
}

/// An RGB image as I420; chroma is the mean of each 2×2 block.
pub fn i420(image: &RgbImage) -> Frame {
    let (width, height) = image.dimensions();
    let mut frame = Frame::black(width, height);
    let chroma_width = frame.chroma_size().0 as usize;
    let [y, u, v] = frame.planes_mut();
    for (luma, pixel) in y.iter_mut().zip(image.pixels()) {
        *luma = yuv(Rgb(pixel[0], pixel[1], pixel[2]))[0];
    }
    for (i, (u, v)) in u.iter_mut().zip(v).enumerate() {
        let (x, y) = (2 * (i % chroma_width) as u32, 2 * (i / chroma_width) as u32);
        [_, *u, *v] = yuv(block_mean(image, x, y));
    }
    frame
}

fn block_mean(image: &RgbImage, x: u32, y: u32) -> Rgb {
    let (right, below) = ((x + 1).min(image.width() - 1), (y + 1).min(image.height() - 1));
    let block = [(x, y), (right, y), (x, below), (right, below)].map(|(x, y)| image.get_pixel(x, y).0);
    let mean = |channel: usize| (block.iter().map(|pixel| u32::from(pixel[channel])).sum::<u32>() / 4) as u8;
    Rgb(mean(0), mean(1), mean(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slate_decodes_and_is_dark_with_light_words() {
        let slate = slate();
        assert_eq!((slate.width(), slate.height()), (1280, 720));
        assert!(surround(&slate)[0] < 60);
        assert!(slate.planes()[0].iter().any(|&y| y > 180));
    }

    #[test]
    fn an_odd_sided_image_keeps_its_last_column_and_row() {
        let frame = i420(&RgbImage::from_pixel(5, 3, image::Rgb([255, 0, 0])));
        assert_eq!(frame, Frame::filled(5, 3, [81, 90, 240]));
    }
}
