//! "+N": how many people are there whom nobody sees; a tile like a placeholder, or a badge on the others' pictures.
//!
//! In: a tile and a number; out: steps. Never: outside the tile.

use super::fonts::Fonts;
use super::label::{letter, text_size};
use super::palette::{PILL, PLACEHOLDER, PLACEHOLDER_TEXT, TEXT, yuv};
use super::plan::Paint;
use super::planner::Tile;

/// Opaque enough to be read on any picture.
const BADGE_OPACITY: f32 = 0.8;

/// Draws it. A tile of at most an eighth of the canvas's height is a badge: a dark pill that lets the picture below through.
pub(super) fn draw(tile: &mut Tile, count: u32, canvas_height: u32, fonts: &Fonts) {
    let (rect, shorter) = (tile.rect, tile.rect.width.min(tile.rect.height));
    let badge = rect.height * 8 <= canvas_height;
    let (color, share) = if badge { (TEXT, 0.5) } else { (PLACEHOLDER_TEXT, 0.3) };
    if badge {
        tile.faint(rect, tile.radius.max(shorter as f32 / 2.0), BADGE_OPACITY, Paint::Fill(yuv(PILL)));
    } else {
        tile.step(rect, tile.radius, Paint::Fill(yuv(PLACEHOLDER)));
    }
    let text = format!("+{count}");
    let room = rect.width * 9 / 10;
    let line = |wanted: f32| fonts.line(&text, text_size(wanted), u32::MAX);
    let wanted = shorter as f32 * share;
    let fitting = |width: u32| if width <= room { wanted } else { wanted * room as f32 / width as f32 };
    let Some(mask) = line(wanted).and_then(|mask| line(fitting(mask.width))) else { return };
    if mask.width <= rect.width && mask.height <= rect.height {
        letter(tile, mask.clone(), rect.x + (rect.width - mask.width) / 4 * 2, rect.y + rect.height / 2, color);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compositor::plan::Step;
    use crate::media::Rect;
    use proptest::prelude::*;

    fn steps(rect: Rect, count: u32) -> Vec<Step> {
        let mut steps = Vec::new();
        draw(&mut Tile::new(rect, 0, 1.0, &mut steps), count, 720, &Fonts::embedded());
        steps
    }

    #[test]
    fn a_tile_is_opaque_and_a_badge_lets_the_picture_through() {
        let tile = steps(Rect { x: 0, y: 0, width: 320, height: 180 }, 7);
        let badge = steps(Rect { x: 0, y: 0, width: 100, height: 72 }, 7);
        assert_eq!((tile.len(), tile[0].opacity, tile[0].corner_radius), (2, 1.0, 0.0));
        assert_eq!((badge.len(), badge[0].opacity, badge[0].corner_radius), (2, BADGE_OPACITY, 36.0));
        let middle = |rect: Rect| rect.x + rect.width / 2;
        assert!(middle(tile[1].rect).abs_diff(160) <= 2);
    }

    #[test]
    fn a_number_too_wide_for_its_tile_is_lettered_smaller() {
        let [few, many] = [7, 1_234_567].map(|count| steps(Rect { x: 0, y: 0, width: 100, height: 100 }, count)[1].rect);
        assert!(many.width <= 100 && many.height < few.height, "{many:?} {few:?}");
    }

    proptest! {
        #[test]
        fn no_number_leaves_its_tile(width in 1u32..200, height in 1u32..200, count in any::<u32>()) {
            let rect = Rect { x: 10, y: 20, width: 2 * width, height: 2 * height };
            for step in steps(rect, count) {
                let inside = step.rect;
                prop_assert!(inside.x >= rect.x && inside.x + inside.width <= rect.x + rect.width);
                prop_assert!(inside.y >= rect.y && inside.y + inside.height <= rect.y + rect.height);
            }
        }
    }
}
