//! How pictures lie in GPU memory: planar I420, rows padded to whole words of four samples.
//!
//! In: a size, a [`Frame`], or the bytes read back. Out: where each plane lies, bytes to upload, and a [`Frame`].
//! Never: the GPU.

use crate::compositor::plan::Yuv;
use crate::media::Frame;

/// Where one plane lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plane {
    /// Its first word.
    pub(super) first: u32,
    /// Words a row.
    pub(super) row: u32,
    /// Words in all.
    pub(super) words: u32,
    /// Samples a row.
    pub(super) width: u32,
    /// Rows.
    pub(super) height: u32,
}

/// Where the planes of a picture lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Luma width.
    pub(super) width: u32,
    /// Luma height.
    pub(super) height: u32,
}

impl Layout {
    /// The layout of a picture.
    pub(super) fn of(frame: &Frame) -> Self {
        Self { width: frame.width(), height: frame.height() }
    }

    /// The luma plane.
    pub(super) fn luma(self) -> Plane {
        Plane::at(0, self.width, self.height)
    }

    /// The U plane; V follows it and is as large.
    pub(super) fn chroma(self) -> Plane {
        Plane::at(self.luma().words, self.width.div_ceil(2), self.height.div_ceil(2))
    }

    /// Y, U and V.
    pub(super) fn planes(self) -> [Plane; 3] {
        let u = self.chroma();
        [self.luma(), u, Plane { first: u.first + u.words, ..u }]
    }

    /// Length in bytes.
    pub(super) fn bytes(self) -> u64 {
        4 * (u64::from(self.luma().words) + 2 * u64::from(self.chroma().words))
    }

    /// A picture of one colour.
    pub(super) fn filled(self, color: Yuv) -> Vec<u8> {
        let planes = self.planes().into_iter().zip(color);
        planes.flat_map(|(plane, value)| std::iter::repeat_n(value, plane.bytes().len())).collect()
    }

    /// The picture in bytes that were read back.
    pub(super) fn frame(self, bytes: &[u8]) -> Frame {
        let samples = self.planes().iter().map(|plane| plane.width as usize * plane.height as usize).sum();
        let mut packed = Vec::with_capacity(samples);
        for plane in self.planes() {
            plane.append_to(&mut packed, &bytes[plane.bytes()]);
        }
        Frame::from_planes(self.width, self.height, packed.into()).expect("every row of every plane was appended")
    }
}

impl Plane {
    fn at(first: u32, width: u32, height: u32) -> Self {
        let row = width.div_ceil(4);
        Self { first, row, words: row * height, width, height }
    }

    /// Where its bytes lie in those of the picture.
    pub(super) fn bytes(self) -> std::ops::Range<usize> {
        let first = 4 * self.first as usize;
        first..first + 4 * self.words as usize
    }

    /// Its packed rows, each with where it lies in the bytes of the plane; all at once where there is no padding.
    pub(super) fn rows(self, packed: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
        let (length, row) = if self.width == 4 * self.row { (packed.len(), 0) } else { (self.width as usize, 4 * self.row as usize) };
        packed.chunks_exact(length).enumerate().map(move |(n, samples)| (n * row, samples))
    }

    fn append_to(self, packed: &mut Vec<u8>, bytes: &[u8]) {
        if self.width == 4 * self.row {
            packed.extend_from_slice(bytes);
            return;
        }
        for row in bytes.chunks_exact(4 * self.row as usize) {
            packed.extend_from_slice(&row[..self.width as usize]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_padded_to_words_and_come_back_without() {
        let samples: Vec<u8> = (0..6 * 3 + 2 * 3 * 2).collect();
        let frame = Frame::from_planes(6, 3, samples.into()).unwrap();
        let layout = Layout::of(&frame);
        let mut bytes = vec![0xee; layout.bytes() as usize];
        for (plane, packed) in layout.planes().into_iter().zip(frame.planes()) {
            for (at, row) in plane.rows(packed) {
                bytes[plane.bytes()][at..at + row.len()].copy_from_slice(row);
            }
        }
        assert_eq!(bytes[6..10], [0xee, 0xee, 6, 7]);
        assert_eq!(layout.frame(&bytes), frame);
    }

    #[test]
    fn whole_words_are_not_padded() {
        assert_eq!(Layout { width: 1280, height: 720 }.bytes(), 1280 * 720 * 3 / 2);
        assert_eq!(Layout { width: 8, height: 2 }.filled([1, 2, 3]), [[1; 16].as_slice(), &[2; 4], &[3; 4]].concat());
    }
}
