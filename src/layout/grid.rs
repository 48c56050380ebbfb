//! The grid: alike 16:9 tiles on any canvas, as large as they can be.
//!
//! In: the canvas's size and how many tiles. Out: that many rectangles, row by row, the incomplete last row centred.

use crate::media::Rect;

/// Pixels between tiles and round the outside.
pub const GAP: u32 = 8;

/// People whom the template shows at most.
pub const MOST: usize = 25;

/// Places `count` tiles (at least 1; [`MOST`] find their place on the smallest canvas). One alone has no margin: it is
/// shown at the canvas's own size.
pub fn solve(width: u32, height: u32, count: usize) -> Vec<Rect> {
    let count = count.max(1) as u32;
    let margin = if count == 1 { 0 } else { GAP };
    (1..=count)
        .map(|columns| Grid::fit(width, height, count, columns, margin))
        .max_by_key(|grid| (grid.tile.0 * grid.tile.1, grid.full_cells()))
        .map(|grid| grid.rects(width, height))
        .unwrap_or_default()
}

/// The largest even 16:9 tile inside `width` × `height`; at least 2×2.
pub(super) fn widescreen(width: u32, height: u32) -> (u32, u32) {
    let fitting = width.min(height * 16 / 9);
    (even(fitting).max(2), even(fitting * 9 / 16).max(2))
}

/// `length` made even, downwards.
pub(super) fn even(length: u32) -> u32 {
    length & !1
}

struct Grid {
    count: u32,
    columns: u32,
    rows: u32,
    tile: (u32, u32),
}

impl Grid {
    fn fit(width: u32, height: u32, count: u32, columns: u32, margin: u32) -> Self {
        let rows = count.div_ceil(columns);
        let share = |length: u32, tiles: u32| length.saturating_sub(2 * margin + (tiles - 1) * GAP) / tiles;
        Self { count, columns, rows, tile: widescreen(share(width, columns), share(height, rows)) }
    }

    /// Breaks ties between equal tiles: the fewer places stay empty, the better.
    fn full_cells(&self) -> i64 {
        i64::from(self.count) - i64::from(self.columns * self.rows)
    }

    fn rects(&self, width: u32, height: u32) -> Vec<Rect> {
        let top = centred(height, self.tile.1, self.rows);
        (0..self.count)
            .map(|n| {
                let (row, column) = (n / self.columns, n % self.columns);
                let in_row = self.columns.min(self.count - row * self.columns);
                let x = centred(width, self.tile.0, in_row) + column * (self.tile.0 + GAP);
                Rect { x, y: top + row * (self.tile.1 + GAP), width: self.tile.0, height: self.tile.1 }
            })
            .collect()
    }
}

/// Where a line of `tiles` begins so that it stands in the middle.
pub(super) fn centred(length: u32, tile: u32, tiles: u32) -> u32 {
    even(length.saturating_sub(tiles * tile + tiles.saturating_sub(1) * GAP) / 2)
}
