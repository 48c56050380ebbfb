//! One line of text to one coverage mask: shaping, the order of scripts, the ellipsis and the glyphs' pixels.
//!
//! In: a text without control characters; out: a [`Mask`] trimmed to the ink's width, of a height that the size alone
//! decides. Never: a second line.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cosmic_text::{
    Attrs, Buffer, Ellipsize, EllipsizeHeightLimit, Family, FontSystem, Metrics, Shaping, SwashCache, SwashContent, SwashImage, Wrap,
};

use super::fonts::FAMILY;
use super::plan::Mask;

/// Shapes and rasterises; holds the fonts.
pub(super) struct Typesetter {
    fonts: FontSystem,
    glyphs: SwashCache,
}

/// The height of a line of `size` pixels' text, even.
pub(super) fn line_height(size: u32) -> u32 {
    (size * 7 / 5).next_multiple_of(2)
}

impl Typesetter {
    pub(super) fn new(fonts: FontSystem, glyphs: SwashCache) -> Self {
        Self { fonts, glyphs }
    }

    /// The line's mask, at most `limit` pixels wide; `None` where nothing of it can be seen.
    ///
    /// Names come from strangers and go through three foreign crates: a panic in there costs the label, not the room.
    pub(super) fn line(&mut self, text: &str, size: u32, limit: u32) -> Option<Arc<Mask>> {
        let shaped = catch_unwind(AssertUnwindSafe(|| self.ink(text, size, limit)));
        shaped.unwrap_or_else(|_| {
            tracing::warn!(?text, "a name that no font engine survives is left out");
            None
        })
    }

    fn ink(&mut self, text: &str, size: u32, limit: u32) -> Option<Arc<Mask>> {
        let buffer = self.shaped(text, size, limit);
        let run = buffer.layout_runs().next()?;
        let mut ink = Ink::new(size);
        // Glyph 0 is the box for a character that no font has: shown only where the text would be boxes and nothing else.
        let all_boxes = run.glyphs.iter().all(|glyph| glyph.glyph_id == 0);
        for glyph in run.glyphs.iter().filter(|glyph| glyph.glyph_id != 0 || all_boxes) {
            let placed = glyph.physical((0.0, run.line_y), 1.0);
            if let Some(image) = self.glyphs.get_image_uncached(&mut self.fonts, placed.cache_key) {
                ink.add(&image, placed.x + image.placement.left, placed.y - image.placement.top);
            }
        }
        ink.into_mask(limit)
    }

    fn shaped(&mut self, text: &str, size: u32, limit: u32) -> Buffer {
        let mut buffer = Buffer::new(&mut self.fonts, Metrics::new(size as f32, line_height(size) as f32));
        buffer.set_wrap(Wrap::None);
        if limit < u32::MAX {
            buffer.set_ellipsize(Ellipsize::End(EllipsizeHeightLimit::Lines(1)));
            buffer.set_size(Some(limit.saturating_sub(2) as f32), None);
        }
        buffer.set_text(text, &Attrs::new().family(Family::Name(FAMILY)), Shaping::Advanced, None);
        buffer.shape_until_scroll(&mut self.fonts, false);
        buffer
    }
}

/// The glyphs' pixels of a line, wherever they stand across; what stands above or below the line is cut.
struct Ink {
    height: i32,
    /// `(x, y, coverage)` of each pixel with any.
    pixels: Vec<(i32, i32, u8)>,
}

impl Ink {
    fn new(size: u32) -> Self {
        Self { height: line_height(size) as i32, pixels: Vec::new() }
    }

    fn add(&mut self, image: &SwashImage, left: i32, top: i32) {
        let width = image.placement.width.max(1) as i32;
        let coverage: Vec<u8> = match image.content {
            SwashContent::Mask => image.data.clone(),
            SwashContent::Color | SwashContent::SubpixelMask => {
                image.data.chunks_exact(4).map(|p| brightness(p[0], p[1], p[2], p[3])).collect()
            }
        };
        let placed = coverage.iter().zip(0..).map(|(&c, i)| (left + i % width, top + i / width, c));
        self.pixels.extend(placed.filter(|&(_, y, c)| c > 0 && (0..self.height).contains(&y)));
    }

    /// The ink from its leftmost pixel on, cut at `limit`.
    fn into_mask(self, limit: u32) -> Option<Arc<Mask>> {
        let left = self.pixels.iter().map(|p| p.0).min()?;
        let right = self.pixels.iter().map(|p| p.0).max()?;
        let width = right.abs_diff(left).saturating_add(1).min(limit).next_multiple_of(2);
        let mut coverage = vec![0u8; width as usize * self.height as usize];
        for (x, y, c) in self.pixels {
            let x = x.abs_diff(left);
            if x < width {
                let under = &mut coverage[y as usize * width as usize + x as usize];
                *under = (*under).max(c);
            }
        }
        coverage.iter().any(|&c| c > 0).then(|| Mask::new(width, self.height as u32, coverage.into()))
    }
}

/// A coloured glyph (an emoji) in one colour: its light parts show, its features stay dark.
fn brightness(r: u8, g: u8, b: u8, alpha: u8) -> u8 {
    let luma = (u32::from(r) * 77 + u32::from(g) * 150 + u32::from(b) * 29) >> 8;
    (luma * u32::from(alpha) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compositor::fonts::Fonts;

    #[test]
    fn right_to_left_names_are_shaped_and_not_mirrored() {
        let fonts = Fonts::embedded();
        // Lam and alef join into one form: shaped, the pair is narrower than the letters apart.
        let joined = fonts.line("\u{644}\u{627}", 40, 500).unwrap().width;
        let apart = fonts.line("\u{644}\u{200c}\u{627}", 40, 500).unwrap().width;
        assert!(joined < apart, "{joined} < {apart}");
    }

    #[test]
    fn a_bright_emoji_shows_and_its_dark_features_do_not() {
        assert!(brightness(255, 220, 80, 255) > 200);
        assert!(brightness(40, 20, 10, 255) < 40);
        assert_eq!(brightness(255, 255, 255, 0), 0);
    }
}
