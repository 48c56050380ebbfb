//! What says that a picture stands still: it is dimmed, and a clock stands in its middle.
//!
//! In: a tile whose picture is drawn; out: steps. Never: outside the tile.

use super::fonts::Fonts;
use super::palette::{DIM, DIM_OPACITY, TEXT, yuv};
use super::plan::Paint;
use super::planner::Tile;
use crate::media::Rect;

/// The clock's side, as one part of so many of the tile's shorter one.
const PART: u32 = 5;
/// A smaller clock is a blot.
const SMALLEST: u32 = 8;
/// Sizes are told apart by so much, so that a tile that grows has few clocks made.
const STEP: u32 = 8;

/// Draws it over the whole tile, its bars too.
pub(super) fn draw(tile: &mut Tile, fonts: &Fonts) {
    let rect = tile.rect;
    tile.faint(rect, tile.radius, DIM_OPACITY, Paint::Fill(yuv(DIM)));
    let side = rect.width.min(rect.height) / PART / STEP * STEP;
    if side < SMALLEST {
        return;
    }
    let middle = |at: u32, length: u32| (at + (length - side) / 2) / 2 * 2;
    let clock = Rect { x: middle(rect.x, rect.width), y: middle(rect.y, rect.height), width: side, height: side };
    tile.step(clock, 0.0, Paint::Mask { mask: fonts.stalled(side), color: yuv(TEXT) });
}
