//! Canvases: frames to draw on, used again once nobody holds them, and their planes' parts.
//!
//! In: a size; out: an `Arc<Frame>` of our own. Never: a wait; a canvas that somebody still reads is left alone.

use std::sync::Arc;

use super::scale::Target;
use crate::media::{Frame, Rect};

/// Canvases kept at most: two in flight, the newest for comparison, and a few that encoders still read.
const KEPT: usize = 6;

/// The canvases of one compositor.
#[derive(Debug, Default)]
pub(super) struct Canvases {
    kept: Vec<Arc<Frame>>,
}

impl Canvases {
    /// A canvas that nobody else holds, of any content.
    pub(super) fn take(&mut self, width: u32, height: u32) -> Arc<Frame> {
        self.kept.retain(|canvas| (canvas.width(), canvas.height()) == (width, height));
        match self.kept.iter_mut().position(|canvas| Arc::get_mut(canvas).is_some()) {
            Some(free) => self.kept.swap_remove(free),
            None => Arc::new(Frame::black(width, height)),
        }
    }

    /// Remembers a canvas that was given out, for when it is free again.
    pub(super) fn keep(&mut self, canvas: Arc<Frame>) {
        if self.kept.len() == KEPT {
            self.kept.remove(0);
        }
        self.kept.push(canvas);
    }
}

/// `rect` of plane `index` (0 is luma; it halves for the others).
pub(super) fn part(canvas: &mut Frame, index: usize, rect: Rect) -> Target<'_> {
    let shrink = usize::from(index > 0);
    let stride = if index == 0 { canvas.width() } else { canvas.chroma_size().0 } as usize;
    let side = |length: u32| length as usize >> shrink;
    let (x, y, width, height) = (side(rect.x), side(rect.y), side(rect.width), side(rect.height));
    Target { samples: &mut canvas.planes_mut()[index][..], stride, x, y, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canvas_is_used_again_only_when_nobody_holds_it() {
        let mut canvases = Canvases::default();
        let first = canvases.take(128, 128);
        canvases.keep(first.clone());
        let address = Arc::as_ptr(&first);
        assert_ne!(Arc::as_ptr(&canvases.take(128, 128)), address, "it is held");
        drop(first);
        assert_eq!(Arc::as_ptr(&canvases.take(128, 128)), address);
    }

    #[test]
    fn canvases_kept_are_bounded_and_of_one_size() {
        let mut canvases = Canvases::default();
        let held: Vec<_> = (0..20).map(|_| canvases.take(128, 128)).collect();
        held.into_iter().for_each(|canvas| canvases.keep(canvas));
        assert_eq!(canvases.kept.len(), KEPT);
        canvases.take(256, 128);
        assert!(canvases.kept.is_empty());
    }
}
