//! Drawing steps in pixels: what both compositors execute, in order, each blended over what is there.
//!
//! In: nothing; out: the values that [`super::planner`] fills in. Never: pixels, or a backend's own types.
//!
//! All colours are Y, U, V in BT.601 limited range. Chroma is drawn at half size: a step covers the chroma
//! samples of its (even) rectangle, with coverage averaged over each 2×2 block of luma.
//!
//! # What both compositors compute
//! - **Coverage** of a pixel whose centre lies at the signed distance `d` from the rounded rectangle's edge (negative
//!   inside; `d = |max(q, 0)| + min(max(q.x, q.y), 0) − r` with `q = |p − centre| − half + r`) is `clamp(½ − d, 0, 1)`.
//!   A border's is `clamp(½ − d, 0, 1) − clamp(½ − (d + width), 0, 1)`. A mask's bytes multiply it.
//! - **Blending** is `below + (paint − below) × coverage × opacity`, in each plane alike.
//! - **Sampling**: pixel `i` of `n` covers the source from `x + i × w ÷ n` to `x + (i + 1) × w ÷ n`, where `x`, `w` are the crop's
//!   offset and side (halved in the chroma planes). On an axis that shrinks to less than half, it is the mean of
//!   what it covers, with fractional ends; else it is linear between the two samples nearest to the middle of what
//!   it covers. Positions beyond the picture take its edge.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
    /// Corners are cut with this radius in pixels (anti-aliased), at most half the shorter side; 0 is square.
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
    /// A picture through a coverage mask, both of exactly the rectangle's size: nothing is scaled.
    Cutout(Arc<Cutout>),
}

impl Plan {
    /// Whether drawing `other` gives the same pixels: the same steps with the very same frames and masks.
    pub fn same_as(&self, other: &Self) -> bool {
        let size = |plan: &Self| (plan.width, plan.height, plan.background, plan.steps.len());
        size(self) == size(other) && self.steps.iter().zip(&other.steps).all(|(a, b)| a.same_as(b))
    }
}

impl Step {
    fn same_as(&self, other: &Self) -> bool {
        let place = |step: &Self| (step.rect, step.corner_radius, step.opacity);
        place(self) == place(other) && self.paint.same_as(&other.paint)
    }
}

impl Paint {
    fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Picture { frame: a, crop: x }, Self::Picture { frame: b, crop: y }) => Arc::ptr_eq(a, b) && x == y,
            (Self::Fill(a), Self::Fill(b)) => a == b,
            (Self::Border { color: a, width: x }, Self::Border { color: b, width: y }) => a == b && x == y,
            (Self::Mask { mask: a, color: x }, Self::Mask { mask: b, color: y }) => a.id == b.id && x == y,
            (Self::Cutout(a), Self::Cutout(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
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

impl Mask {
    /// A mask with an id of its own.
    ///
    /// # Panics
    /// Where a side is odd or the buffer's length is not `width × height`: masks are made only by this crate.
    pub fn new(width: u32, height: u32, coverage: Box<[u8]>) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        assert!(width.is_multiple_of(2) && height.is_multiple_of(2), "a mask of {width}x{height} has an odd side");
        assert_eq!(coverage.len(), width as usize * height as usize);
        Arc::new(Self { id: NEXT.fetch_add(1, Ordering::Relaxed), width, height, coverage })
    }
}

/// A picture and what of it is seen; made once per image and size, and kept.
#[derive(Debug)]
pub struct Cutout {
    /// The picture.
    pub frame: Frame,
    /// What of it is seen; of the picture's size. Its id is the cutout's for GPU caches.
    pub mask: Arc<Mask>,
}

impl Cutout {
    /// A picture through a mask.
    ///
    /// # Panics
    /// Where their sizes differ: cutouts are made only by this crate.
    pub fn new(frame: Frame, mask: Arc<Mask>) -> Arc<Self> {
        assert_eq!((frame.width(), frame.height()), (mask.width, mask.height));
        Arc::new(Self { frame, mask })
    }
}
