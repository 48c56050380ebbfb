//! Drawing steps in pixels: what both compositors execute, in order, each blended over what is there.
//!
//! All colours are Y, U, V in BT.601 limited range. Chroma is drawn at half size: a step covers the chroma
//! samples of its (even) rectangle, with coverage averaged over each 2×2 block of luma.

use std::sync::Arc;

use crate::media::{Frame, Rect};

/// A colour as Y, U, V (BT.601 limited range).
pub type Yuv = [u8; 3];

/// Everything one canvas needs.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Canvas width, even.
    pub width: u32,
    /// Canvas height, even.
    pub height: u32,
    /// Painted first, everywhere.
    pub background: Yuv,
    /// Painted in order.
    pub steps: Vec<Step>,
}

/// One thing to paint.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where; the paint is clipped to it.
    pub rect: Rect,
    /// Corners are cut with this radius in pixels (anti-aliased); 0 is square.
    pub corner_radius: f32,
    /// 0 to 1, multiplies everything else.
    pub opacity: f32,
    /// With what.
    pub paint: Paint,
}

/// What a step paints with.
#[derive(Clone, Debug)]
pub enum Paint {
    /// A picture: the `crop` of `frame` is scaled to the step's rectangle.
    Picture {
        /// The source.
        frame: Arc<Frame>,
        /// The part shown.
        crop: Crop,
    },
    /// One colour.
    Fill(Yuv),
    /// A line of `width` pixels along the rectangle's inner edge.
    Border {
        /// Its colour.
        color: Yuv,
        /// Its width in pixels.
        width: f32,
    },
    /// A colour through a coverage mask of exactly the rectangle's size (text, marks).
    Mask {
        /// Coverage, 255 is opaque.
        mask: Arc<Mask>,
        /// The colour.
        color: Yuv,
    },
}

/// A part of a source picture, in its luma pixels; inside the picture, sides above 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crop {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

/// An 8-bit coverage mask, made once per text and kept; `id` tells two masks apart for GPU caches.
#[derive(Debug)]
pub struct Mask {
    /// Unique in the process.
    pub id: u64,
    /// Width in pixels, even.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// `width × height` bytes, row by row.
    pub coverage: Box<[u8]>,
}
