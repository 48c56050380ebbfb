//! Pictures: planar I420 in one buffer, shared by reference.

use std::sync::Arc;

use super::MediaTime;

/// An 8-bit I420 picture, BT.601 limited range (what WebRTC senders use where nothing is signalled).
///
/// Planes are tightly packed in one buffer: `width × height` luma, then U, then V, each
/// `⌈width/2⌉ × ⌈height/2⌉`. Sides are 1 to [`Frame::MAX_SIDE`].
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    width: u32,
    height: u32,
    planes: Box<[u8]>,
}

/// A buffer or a size that is no I420 picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes are no I420 picture of {width}x{height}")]
pub struct FrameSizeError {
    /// Width asked for, in pixels.
    pub width: u32,
    /// Height asked for, in pixels.
    pub height: u32,
    /// Length of the buffer given.
    pub bytes: usize,
}

impl Frame {
    /// The longest side there is, in pixels.
    pub const MAX_SIDE: u32 = 8192;

    /// A black picture.
    ///
    /// # Panics
    /// Where a side is 0 or above [`Frame::MAX_SIDE`]: callers size canvases and decoders bound the SPS first.
    pub fn black(width: u32, height: u32) -> Self {
        Self::filled(width, height, [16, 128, 128])
    }

    /// A picture of one colour, given as Y, U, V.
    ///
    /// # Panics
    /// As [`Frame::black`].
    pub fn filled(width: u32, height: u32, [y, u, v]: [u8; 3]) -> Self {
        assert!((1..=Self::MAX_SIDE).contains(&width) && (1..=Self::MAX_SIDE).contains(&height), "{width}x{height} is no picture size");
        let (luma, chroma) = plane_lengths(width, height);
        let mut planes = vec![y; luma + 2 * chroma];
        planes[luma..luma + chroma].fill(u);
        planes[luma + chroma..].fill(v);
        Self { width, height, planes: planes.into() }
    }

    /// A picture from packed planes.
    ///
    /// # Errors
    /// Where the size is out of range or the buffer's length does not fit it.
    pub fn from_planes(width: u32, height: u32, planes: Box<[u8]>) -> Result<Self, FrameSizeError> {
        let error = FrameSizeError { width, height, bytes: planes.len() };
        if !(1..=Self::MAX_SIDE).contains(&width) || !(1..=Self::MAX_SIDE).contains(&height) {
            return Err(error);
        }
        let (luma, chroma) = plane_lengths(width, height);
        if planes.len() != luma + 2 * chroma {
            return Err(error);
        }
        Ok(Self { width, height, planes })
    }

    /// Width in luma pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in luma pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Width and height of the U and V planes.
    pub fn chroma_size(&self) -> (u32, u32) {
        (self.width.div_ceil(2), self.height.div_ceil(2))
    }

    /// The Y, U and V planes, tightly packed.
    pub fn planes(&self) -> [&[u8]; 3] {
        let (luma, chroma) = plane_lengths(self.width, self.height);
        let (y, uv) = self.planes.split_at(luma);
        let (u, v) = uv.split_at(chroma);
        [y, u, v]
    }

    /// The Y, U and V planes, to be written.
    pub fn planes_mut(&mut self) -> [&mut [u8]; 3] {
        let (luma, chroma) = plane_lengths(self.width, self.height);
        let (y, uv) = self.planes.split_at_mut(luma);
        let (u, v) = uv.split_at_mut(chroma);
        [y, u, v]
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({}x{})", self.width, self.height)
    }
}

fn plane_lengths(width: u32, height: u32) -> (usize, usize) {
    let luma = width as usize * height as usize;
    (luma, width.div_ceil(2) as usize * height.div_ceil(2) as usize)
}

/// A participant's decoded picture as the room sees it.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The pixels.
    pub frame: Arc<Frame>,
    /// When its last packet arrived.
    pub at: MediaTime,
}

/// A finished canvas.
#[derive(Clone, Debug)]
pub struct Composite {
    /// The pixels, of the canvas's size.
    pub frame: Arc<Frame>,
    /// The video tick it was composed for.
    pub at: MediaTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sides_round_chroma_up() {
        let frame = Frame::black(5, 3);
        assert_eq!(frame.planes().map(<[u8]>::len), [15, 6, 6]);
    }

    #[test]
    fn a_buffer_of_the_wrong_length_is_refused() {
        assert!(Frame::from_planes(4, 4, vec![0; 23].into()).is_err());
        assert!(Frame::from_planes(4, 4, vec![0; 24].into()).is_ok());
        assert!(Frame::from_planes(0, 4, vec![].into()).is_err());
    }
}
