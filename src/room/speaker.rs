//! The speaker layout: one large, the rest in a strip; a column at the right, or a row at the bottom of an upright canvas.
//!
//! In: the canvas's size and how many tiles. Out: the large rectangle first, then the strip in reading order.

use super::grid::{GAP, centred, even, solve, widescreen};
use crate::media::Rect;

/// Tiles in a full strip.
const IN_STRIP: u32 = 5;

/// Tiles that fit: the large one and a full strip.
pub(super) const MOST: usize = 1 + IN_STRIP as usize;

/// Places `count` tiles (1 to [`MOST`]); one alone stands as in the grid.
pub(super) fn place(width: u32, height: u32, count: usize) -> Vec<Rect> {
    let in_strip = (count.saturating_sub(1) as u32).min(IN_STRIP);
    if in_strip == 0 {
        return solve(width, height, 1);
    }
    let strip = Strip::of(width, height);
    let large = strip.large(width, height);
    std::iter::once(large).chain((0..in_strip).map(|n| strip.tile(width, height, n, in_strip))).collect()
}

/// Where the small tiles stand.
struct Strip {
    upright: bool,
    tile: (u32, u32),
}

impl Strip {
    /// A tile takes a fifth of the strip's length, and at most a fifth of the canvas across it.
    fn of(width: u32, height: u32) -> Self {
        let along = |length: u32| length.saturating_sub((IN_STRIP + 1) * GAP) / IN_STRIP;
        let across = |length: u32| length.saturating_sub(3 * GAP) / 5;
        let upright = height > width;
        let tile = if upright { widescreen(along(width), across(height)) } else { widescreen(across(width), along(height)) };
        Self { upright, tile }
    }

    /// The rest of the canvas, cut to between 4:3 and 16:9 so that covering it never crops a face away.
    fn large(&self, width: u32, height: u32) -> Rect {
        let (room_w, room_h) = match self.upright {
            true => (width - 2 * GAP, height - 3 * GAP - self.tile.1),
            false => (width - 3 * GAP - self.tile.0, height - 2 * GAP),
        };
        let w = even(room_w.min(room_h * 16 / 9));
        let h = even(room_h.min(room_w * 3 / 4));
        Rect { x: even(GAP + (room_w - w) / 2), y: even(GAP + (room_h - h) / 2), width: w, height: h }
    }

    fn tile(&self, width: u32, height: u32, n: u32, of: u32) -> Rect {
        let (tile_w, tile_h) = self.tile;
        let (x, y) = match self.upright {
            true => (centred(width, tile_w, of) + n * (tile_w + GAP), even(height - GAP - tile_h)),
            false => (even(width - GAP - tile_w), centred(height, tile_h, of) + n * (tile_h + GAP)),
        };
        Rect { x, y, width: tile_w, height: tile_h }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::layout::placement::assert_well_placed;
    use super::*;

    #[test]
    fn on_720p_five_stand_in_a_column_beside_the_large_one() {
        let rects = place(1280, 720, 6);
        assert!(rects[1..].iter().all(|r| r.x == rects[1].x && r.x > rects[0].x + rects[0].width));
        assert!(rects[0].width > 3 * rects[1].width);
    }

    #[test]
    fn on_an_upright_canvas_the_strip_is_a_row_at_the_bottom() {
        let rects = place(720, 1280, 4);
        assert!(rects[1..].iter().all(|r| r.y == rects[1].y && r.y > rects[0].y + rects[0].height));
    }

    #[test]
    fn one_alone_stands_as_in_the_grid() {
        assert_eq!(place(1280, 720, 1), solve(1280, 720, 1));
    }

    proptest! {
        #[test]
        fn tiles_lie_inside_apart_and_even_on_any_canvas(w in 64u32..=1920, h in 64u32..=1080, count in 1..=MOST) {
            let (w, h) = (2 * w, 2 * h);
            let rects = place(w, h, count);
            prop_assert_eq!(rects.len(), count);
            assert_well_placed(w, h, &rects);
        }
    }
}
