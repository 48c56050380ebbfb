//! Scaling whole pictures to one size, for encoders that want a canvas smaller than it was drawn.
//!
//! In: pictures of any size; out: the same picture, stretched to the scaler's size. Halves are exact means of 2×2.
//! Never: an allocation for each picture, or a copy where the size is already right.

use super::axis::Axes;
use super::canvas::part;
use super::columns::Columns;
use super::scale::{Plane, scale};
use crate::media::{Frame, Rect};

/// Scales to one size.
#[derive(Debug)]
pub struct Scaler {
    width: u32,
    height: u32,
    axes: Axes,
    columns: Columns,
    /// There from the first picture of another size on.
    scaled: Option<Frame>,
}

impl Scaler {
    /// A scaler to `width × height`, both even.
    pub fn new(width: u32, height: u32) -> Self {
        Self { width, height, axes: Axes::default(), columns: Columns::default(), scaled: None }
    }

    /// The picture in the scaler's size: itself, where it has that.
    pub fn scale<'a>(&'a mut self, frame: &'a Frame) -> &'a Frame {
        let (width, height) = (self.width, self.height);
        if (frame.width(), frame.height()) == (width, height) {
            return frame;
        }
        let scaled = self.scaled.get_or_insert_with(|| Frame::black(width, height));
        let sizes = [(frame.width(), frame.height()), frame.chroma_size(), frame.chroma_size()];
        for (index, (samples, (width_from, height_from))) in frame.planes().into_iter().zip(sizes).enumerate() {
            let source = Plane { samples, width: width_from as usize, height: height_from as usize };
            let mut target = part(scaled, index, Rect { x: 0, y: 0, width, height });
            let across = self.axes.get(source.width, 0.0, f64::from(width_from), target.width);
            let down = self.axes.get(source.height, 0.0, f64::from(height_from), target.height);
            scale(source, &across, &down, &mut target, &mut self.columns);
        }
        scaled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Brightness grows to the right, redness downwards.
    fn slope(width: u32, height: u32) -> Frame {
        let mut frame = Frame::black(width, height);
        let [y, _, v] = frame.planes_mut();
        for (n, sample) in y.iter_mut().enumerate() {
            *sample = (16 + n as u32 % width * 200 / width) as u8;
        }
        for (n, sample) in v.iter_mut().enumerate() {
            *sample = (28 + n as u32 / (width / 2) * 400 / height) as u8;
        }
        frame
    }

    #[test]
    fn a_picture_of_the_right_size_is_not_copied() {
        let frame = slope(64, 32);
        assert!(std::ptr::eq(Scaler::new(64, 32).scale(&frame), &raw const frame));
    }

    #[test]
    fn half_the_size_is_the_mean_of_each_four() {
        let frame = slope(128, 96);
        let mut scaler = Scaler::new(64, 48);
        let half = scaler.scale(&frame);
        let [full, small] = [frame.planes()[0], half.planes()[0]];
        for (n, sample) in small.iter().enumerate() {
            let at = n / 64 * 2 * 128 + n % 64 * 2;
            let sum: u32 = [at, at + 1, at + 128, at + 129].iter().map(|at| u32::from(full[*at])).sum();
            assert_eq!(u32::from(*sample), (sum + 2) / 4);
        }
    }

    #[test]
    fn any_size_shows_the_same_picture() {
        let frame = slope(640, 360);
        for (width, height) in [(320, 180), (160, 90), (428, 240), (226, 128), (16, 128), (638, 358)] {
            let mut scaler = Scaler::new(width, height);
            let (scaled, wanted) = (scaler.scale(&frame), slope(width, height));
            for (scaled, wanted) in scaled.planes().into_iter().zip(wanted.planes()) {
                let worst = scaled.iter().zip(wanted).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
                assert!(worst <= 8 + 200 / width as u8, "{width}x{height}: {worst}");
            }
        }
    }
}
