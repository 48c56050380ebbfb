//! How a canvas lies in GPU memory: planar I420, rows padded to whole words of four samples.
//!
//! In: a canvas's size, or the bytes read back. Out: where each plane begins, and a [`Frame`]. Never: the GPU.

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
    width: u32,
    height: u32,
}

/// Where the planes of a canvas lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Luma width, even.
    pub(super) width: u32,
    /// Luma height, even.
    pub(super) height: u32,
}

impl Layout {
    /// The luma plane.
    pub(super) fn luma(self) -> Plane {
        Plane::at(0, self.width, self.height)
    }

    /// The U plane; V follows it and is as large.
    pub(super) fn chroma(self) -> Plane {
        Plane::at(self.luma().words, self.width / 2, self.height / 2)
    }

    /// Length in bytes.
    pub(super) fn bytes(self) -> u64 {
        4 * (u64::from(self.luma().words) + 2 * u64::from(self.chroma().words))
    }

    /// The picture in bytes that were read back.
    pub(super) fn frame(self, bytes: &[u8]) -> Frame {
        let (luma, u) = (self.luma(), self.chroma());
        let v = Plane { first: u.first + u.words, ..u };
        let mut packed = Vec::with_capacity(self.width as usize * self.height as usize * 3 / 2);
        for plane in [luma, u, v] {
            plane.append_to(&mut packed, bytes);
        }
        Frame::from_planes(self.width, self.height, packed.into()).expect("a canvas has even sides, and all of its rows were appended")
    }
}

impl Plane {
    fn at(first: u32, width: u32, height: u32) -> Self {
        let row = width.div_ceil(4);
        Self { first, row, words: row * height, width, height }
    }

    fn append_to(self, packed: &mut Vec<u8>, bytes: &[u8]) {
        let first = 4 * self.first as usize;
        let bytes = &bytes[first..first + 4 * self.words as usize];
        if self.width == 4 * self.row {
            packed.extend_from_slice(bytes);
            return;
        }
        for row in bytes.chunks_exact(4 * self.row as usize).take(self.height as usize) {
            packed.extend_from_slice(&row[..self.width as usize]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_at_row_ends_is_left_out() {
        let layout = Layout { width: 6, height: 2 };
        let mut bytes = vec![0xee; layout.bytes() as usize];
        bytes[0..6].copy_from_slice(&[1, 2, 3, 4, 5, 6]);
        bytes[8..14].copy_from_slice(&[7, 8, 9, 10, 11, 12]);
        bytes[16..19].copy_from_slice(&[20, 21, 22]);
        bytes[20..23].copy_from_slice(&[30, 31, 32]);
        let frame = layout.frame(&bytes);
        assert_eq!(frame.planes(), [&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12][..], &[20, 21, 22][..], &[30, 31, 32][..]]);
    }

    #[test]
    fn a_canvas_of_whole_words_has_no_padding() {
        assert_eq!(Layout { width: 1280, height: 720 }.bytes(), 1280 * 720 * 3 / 2);
    }
}
