//! A step cut into parts, so that coverage is computed only where some pixels are not covered whole.
//!
//! In: a [`Step`]. Out: rectangles that do not overlap. Never: pixels; what is in no part has no coverage at all.

use crate::compositor::plan::{Paint, Step};
use crate::media::Rect;

/// Some of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Where; sides are even.
    pub(super) clip: Rect,
    /// How it covers what is below.
    pub(super) cover: Cover,
}

/// How what is painted covers what is below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cover {
    /// Whole.
    Opaque,
    /// By each pixel's coverage.
    Blended,
}

/// The parts of a step, top to bottom.
pub(super) fn parts(step: &Step) -> Vec<Part> {
    let inner = if step.opacity < 1.0 { Cover::Blended } else { Cover::Opaque };
    let corners = even(step.corner_radius);
    let between = |clip| vec![Part { clip, cover: inner }];
    match &step.paint {
        Paint::Mask { .. } | Paint::Cutout(_) => vec![Part { clip: step.rect, cover: Cover::Blended }],
        Paint::Border { width, .. } => frame(step.rect, corners, *width, inner),
        Paint::Picture { .. } | Paint::Fill(_) if corners == 0 => between(step.rect),
        Paint::Picture { .. } | Paint::Fill(_) => banded(step.rect, corners, Cover::Blended, between),
    }
}

/// The four strips of a border.
fn frame(rect: Rect, corners: u32, line: f32, inner: Cover) -> Vec<Part> {
    let width = even(line);
    // a line of odd or fractional width ends within a strip
    let strip = if line == width as f32 { inner } else { Cover::Blended };
    let bands = if corners == 0 { strip } else { Cover::Blended };
    banded(rect, width.max(corners), bands, |middle| {
        if middle.width <= 2 * width {
            return vec![Part { clip: middle, cover: Cover::Blended }];
        }
        let left = Rect { width, ..middle };
        let right = Rect { x: middle.x + middle.width - width, ..left };
        [left, right].map(|clip| Part { clip, cover: strip }).into()
    })
}

/// Bands of a height at top and bottom, and the parts of what is between them.
fn banded(rect: Rect, height: u32, bands: Cover, between: impl Fn(Rect) -> Vec<Part>) -> Vec<Part> {
    if 2 * height >= rect.height {
        return vec![Part { clip: rect, cover: Cover::Blended }];
    }
    let band = |y| Part { clip: Rect { y, height, ..rect }, cover: bands };
    let mut parts = vec![band(rect.y)];
    parts.extend(between(Rect { y: rect.y + height, height: rect.height - 2 * height, ..rect }));
    parts.push(band(rect.y + rect.height - height));
    parts
}

/// The next even number of pixels.
fn even(pixels: f32) -> u32 {
    (pixels.max(0.0).ceil() as u32).next_multiple_of(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECT: Rect = Rect { x: 4, y: 8, width: 40, height: 30 };

    #[test]
    fn only_the_bands_of_the_corners_are_blended() {
        let parts = parts(&Step { rect: RECT, corner_radius: 5.0, opacity: 1.0, paint: Paint::Fill([0; 3]) });
        let expected = [(8, 6, Cover::Blended), (14, 18, Cover::Opaque), (32, 6, Cover::Blended)];
        assert_eq!(parts, expected.map(|(y, height, cover)| Part { clip: Rect { y, height, ..RECT }, cover }));
    }

    #[test]
    fn what_a_border_leaves_free_is_in_no_part() {
        let line = Paint::Border { color: [0; 3], width: 4.0 };
        let parts = parts(&Step { rect: RECT, corner_radius: 0.0, opacity: 1.0, paint: line });
        let area: u32 = parts.iter().map(|part| part.clip.width * part.clip.height).sum();
        assert_eq!(area, 40 * 30 - 32 * 22);
        assert!(parts.iter().all(|part| part.cover == Cover::Opaque));
    }

    #[test]
    fn a_faint_step_is_blended_everywhere() {
        let parts = parts(&Step { rect: RECT, corner_radius: 5.0, opacity: 0.5, paint: Paint::Fill([0; 3]) });
        assert!(parts.iter().all(|part| part.cover == Cover::Blended));
    }
}
