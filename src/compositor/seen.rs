//! Scaling by what is seen: each sample counts by its opacity, so that the colour of what is transparent stains nothing.
//!
//! In: a picture, its transparency, a crop and a size. Out: a picture and its coverage of that size. Never: fast; it is done once
//! for each image and size.
//!
//! A sample is the mean over what it covers (area-true); where the picture grows, over one source sample about its middle, which is
//! linear interpolation.

use super::plan::Crop;
use crate::media::Frame;

/// `crop` of `frame` at `size` (sides even), and how much of each luma pixel is seen.
pub(super) fn scaled(frame: &Frame, alpha: &[u8], crop: Crop, (width, height): (u32, u32)) -> (Frame, Box<[u8]>) {
    let (chroma_width, chroma_height) = frame.chroma_size();
    let coarse = halved(alpha, frame.width() as usize, frame.height() as usize);
    let [y, u, v] = frame.planes();
    let luma = Scale::new((frame.width(), frame.height()), crop, (width, height));
    let half = Crop { x: crop.x / 2.0, y: crop.y / 2.0, width: crop.width / 2.0, height: crop.height / 2.0 };
    let chroma = Scale::new((chroma_width, chroma_height), half, (width / 2, height / 2));
    let (luma, coverage) = luma.weighted(y, alpha);
    let planes = [luma, chroma.weighted(u, &coarse).0, chroma.weighted(v, &coarse).0].concat();
    (Frame::from_planes(width, height, planes.into()).expect("each plane was scaled to its size"), coverage.into())
}

/// The opacity of each chroma sample: the mean over its block, of which odd sides cut a part off.
fn halved(alpha: &[u8], width: usize, height: usize) -> Vec<u8> {
    let block = |x: usize, y: usize| {
        let (right, below) = ((x + 1).min(width - 1), (y + 1).min(height - 1));
        let corners = [(x, y), (right, y), (x, below), (right, below)].map(|(x, y)| u32::from(alpha[y * width + x]));
        ((corners.iter().sum::<u32>() + 2) / 4) as u8
    };
    (0..height).step_by(2).flat_map(|y| (0..width).step_by(2).map(move |x| (x, y))).map(|(x, y)| block(x, y)).collect()
}

/// How one plane is scaled.
struct Scale {
    stride: usize,
    across: Vec<Taps>,
    down: Vec<Taps>,
}

/// What counts for one output: weights from a source sample on; they sum to 1.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

impl Scale {
    fn new((width, height): (u32, u32), crop: Crop, (to_width, to_height): (u32, u32)) -> Self {
        Self {
            stride: width as usize,
            across: axis(width, crop.x, crop.width, to_width),
            down: axis(height, crop.y, crop.height, to_height),
        }
    }

    /// The plane's samples and their opacity, scaled.
    fn weighted(&self, plane: &[u8], alpha: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let outputs = self.across.len() * self.down.len();
        let (mut samples, mut coverage) = (Vec::with_capacity(outputs), Vec::with_capacity(outputs));
        let mut sums = vec![(0.0, 0.0); self.across.len()];
        for down in &self.down {
            sums.fill((0.0, 0.0));
            let rows = down.first * self.stride..(down.first + down.weights.len()) * self.stride;
            let rows = plane[rows.clone()].chunks_exact(self.stride).zip(alpha[rows].chunks_exact(self.stride));
            for ((row, alpha), &weight) in rows.zip(&down.weights) {
                self.add(row, alpha, weight, &mut sums);
            }
            samples.extend(sums.iter().map(|&(sum, seen)| if seen > 0.0 { (sum / seen + 0.5) as u8 } else { UNSEEN }));
            coverage.extend(sums.iter().map(|&(_, seen)| (seen + 0.5) as u8));
        }
        (samples, coverage)
    }

    fn add(&self, row: &[u8], alpha: &[u8], weight: f32, sums: &mut [(f32, f32)]) {
        for (sum, taps) in sums.iter_mut().zip(&self.across) {
            let reach = taps.first..taps.first + taps.weights.len();
            for ((&sample, &alpha), across) in row[reach.clone()].iter().zip(&alpha[reach]).zip(&taps.weights) {
                let seen = f32::from(alpha) * across * weight;
                sum.0 += f32::from(sample) * seen;
                sum.1 += seen;
            }
        }
    }
}

/// A sample of which nothing is seen.
const UNSEEN: u8 = 128;

fn axis(length: u32, low: f32, side: f32, to: u32) -> Vec<Taps> {
    let length = f64::from(length);
    let scale = f64::from(side) / f64::from(to);
    let reach = scale.max(1.0).min(length);
    let taps = |n: u32| {
        let start = (f64::from(low) + (f64::from(n) + 0.5) * scale - reach / 2.0).clamp(0.0, length - reach);
        let (first, end) = (start.floor(), (start + reach).ceil().min(length));
        let overlap = |at: u32| (start + reach).min(f64::from(at) + 1.0) - start.max(f64::from(at));
        Taps { first: first as usize, weights: (first as u32..end as u32).map(|at| (overlap(at) / reach).max(0.0) as f32).collect() }
    };
    (0..to).map(taps).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(frame: &Frame) -> Crop {
        Crop { x: 0.0, y: 0.0, width: frame.width() as f32, height: frame.height() as f32 }
    }

    #[test]
    fn what_is_transparent_stains_no_edge() {
        let mut frame = Frame::filled(9, 9, [200, 90, 240]);
        let alpha: Vec<u8> = (0..81).map(|n| if n % 9 < 4 { 255 } else { 0 }).collect();
        for (n, sample) in frame.planes_mut()[0].iter_mut().enumerate() {
            *sample = if n % 9 < 4 { 200 } else { 16 };
        }
        for size in [(4, 4), (6, 2), (30, 30)] {
            let (drawn, coverage) = scaled(&frame, &alpha, whole(&frame), size);
            let seen = drawn.planes()[0].iter().zip(&coverage).filter(|(_, coverage)| **coverage > 0);
            assert!(seen.map(|(&luma, _)| luma).all(|luma| luma == 200), "{size:?}");
            assert!(coverage.contains(&255) && coverage.contains(&0));
        }
    }

    proptest! {
        #[test]
        fn of_one_colour_and_opacity_every_size_is_that(
            width in 1u32..60, height in 1u32..60, to in (1u32..40, 1u32..40), color in any::<[u8; 3]>(), opacity in 1u8..=255,
        ) {
            let (frame, alpha) = (Frame::filled(width, height, color), vec![opacity; (width * height) as usize]);
            let size = (2 * to.0, 2 * to.1);
            let (drawn, coverage) = scaled(&frame, &alpha, whole(&frame), size);
            prop_assert_eq!(drawn, Frame::filled(size.0, size.1, color));
            prop_assert!(coverage.iter().all(|&c| c == opacity));
        }
    }
}
