//! The name at a tile's lower left: a dark pill, a mute mark where muted, and the name.
//!
//! In: a tile and its label; out: steps. Never: outside the tile.

use super::fonts::Fonts;
use super::palette::{MUTED, PILL, PILL_OPACITY, TEXT, yuv};
use super::plan::{Mask, Paint};
use super::planner::Tile;
use super::typeset::line_height;
use crate::media::{Label, Rect, Rgb};
use std::sync::Arc;

/// Text sizes in pixels. Few, so that a tile that glides from one size to another letters its name a few times and not at each tick.
const SIZES: [u32; 19] = [10, 11, 12, 13, 14, 16, 18, 20, 22, 24, 28, 32, 40, 48, 56, 64, 80, 96, 120];

/// The largest text size up to `wanted` pixels; the smallest where all are larger.
pub(super) fn text_size(wanted: f32) -> u32 {
    SIZES.into_iter().rev().find(|&size| size as f32 <= wanted).unwrap_or(SIZES[0])
}

/// Draws the label inside the tile's border of `inset` pixels. Where the name is shown already, only the mute mark is drawn.
pub(super) fn draw(tile: &mut Tile, label: &Label, inset: u32, named: bool, fonts: &Fonts) {
    let measure = Measure::of(tile, inset);
    let Some(room) = measure.room(tile.rect.width) else { return };
    if tile.rect.height < measure.height + 2 * measure.margin {
        return;
    }
    let mark = label.muted.then(|| fonts.muted(measure.mark)).filter(|mark| mark.width <= room);
    let taken = mark.as_ref().map_or(0, |mark| mark.width + measure.gap);
    let name_room = room.saturating_sub(taken);
    let name = (!named && name_room >= 2 * measure.size).then(|| fonts.line(&label.text, measure.size, name_room)).flatten();
    measure.pill(tile, mark, name);
}

/// The label's measures, all even but the text's size.
struct Measure {
    size: u32,
    height: u32,
    margin: u32,
    padding: u32,
    mark: u32,
    gap: u32,
}

impl Measure {
    fn of(tile: &Tile, inset: u32) -> Self {
        let size = text_size(6.0 + tile.rect.height.min(tile.rect.width) as f32 * 0.032);
        let part = |share: f32| ((size as f32 * share) as u32).next_multiple_of(2);
        let clear_of_corner = ((tile.radius * 0.3) as u32).next_multiple_of(2);
        Self {
            size,
            height: line_height(size).max(part(1.7)),
            margin: part(0.5).max(clear_of_corner) + inset,
            padding: part(0.6),
            mark: part(1.1),
            gap: part(0.25),
        }
    }

    /// The width left for mark and name in a tile `width` pixels wide.
    fn room(&self, width: u32) -> Option<u32> {
        width.checked_sub(2 * (self.margin + self.padding)).filter(|&room| room > 0).map(|room| room / 2 * 2)
    }

    fn pill(&self, tile: &mut Tile, mark: Option<Arc<Mask>>, name: Option<Arc<Mask>>) {
        let between = if mark.is_some() && name.is_some() { self.gap } else { 0 };
        let inner = [&mark, &name].into_iter().flatten().map(|mask| mask.width).sum::<u32>() + between;
        if inner == 0 {
            return;
        }
        let y = tile.rect.y + tile.rect.height - self.margin - self.height;
        let pill = Rect { x: tile.rect.x + self.margin, y, width: inner + 2 * self.padding, height: self.height };
        tile.faint(pill, self.height as f32 / 2.0, PILL_OPACITY, Paint::Fill(yuv(PILL)));
        let mut x = pill.x + self.padding;
        for (mask, color) in [(mark, MUTED), (name, TEXT)].into_iter().filter_map(|(mask, color)| Some((mask?, color))) {
            let width = mask.width;
            letter(tile, mask, x, pill.y + self.height / 2, color);
            x += width + between;
        }
    }
}

/// A mask in one colour, its left edge at `x`, its middle at `middle`.
pub(super) fn letter(tile: &mut Tile, mask: Arc<Mask>, x: u32, middle: u32, color: Rgb) {
    let y = (middle - mask.height / 2) / 2 * 2;
    let rect = Rect { x, y, width: mask.width, height: mask.height };
    tile.step(rect, 0.0, Paint::Mask { mask, color: yuv(color) });
}
