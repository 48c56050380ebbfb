//! A still image: a logo or a background, decoded once.
//!
//! In: planes. Out: the same, shared by reference. Never: a file format (that is `compositor::stills`).

use std::sync::Arc;

use super::Frame;

/// A still image in I420 with its own transparency.
#[derive(Clone)]
pub struct Image {
    /// The pixels.
    pub frame: Arc<Frame>,
    /// One byte a luma pixel, row by row, 255 is opaque; `None` where all of it is.
    pub alpha: Option<Arc<[u8]>>,
}

impl PartialEq for Image {
    /// Whether both are the very same image: scenes are compared often, pixels never.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.frame, &other.frame)
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({}x{})", self.frame.width(), self.frame.height())
    }
}
