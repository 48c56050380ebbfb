//! The lower third: a dark band with an accent, a large title and a smaller line below it, at the canvas's lower left.
//!
//! In: the texts and a canvas; out: steps. Never: a band wider than what its longer line needs, or outside the safe margins.

use std::sync::Arc;

use super::fonts::Fonts;
use super::label::{letter, text_size};
use super::palette::{PILL, PLACEHOLDER_TEXT, TEXT, yuv};
use super::plan::{Mask, Paint, Step};
use super::planner::Tile;
use crate::media::{Canvas, LowerThird, Rect};

/// Opaque enough to read small text over any picture.
const BAND_OPACITY: f32 = 0.88;

/// Draws it; nothing where neither line can be seen.
pub(super) fn draw(band: &LowerThird, canvas: Canvas, fonts: &Fonts, steps: &mut Vec<Step>) {
    let measure = Measure::of(canvas);
    let line = |text: &str, size: u32| fonts.line(text, size, measure.room).filter(|mask| mask.width <= measure.room);
    let lines = [(line(&band.title, measure.title), TEXT), (line(&band.subtitle, measure.subtitle), PLACEHOLDER_TEXT)];
    let lines: Vec<_> = lines.into_iter().filter_map(|(mask, color)| Some((mask?, color))).collect();
    let Some(rect) = measure.band(canvas, lines.iter().map(|(mask, _)| mask)) else { return };
    let mut tile = Tile::new(rect, 0, band.opacity, steps);
    tile.faint(Rect { x: rect.x + measure.accent, width: rect.width - measure.accent, ..rect }, 0.0, BAND_OPACITY, Paint::Fill(yuv(PILL)));
    tile.step(Rect { width: measure.accent, ..rect }, 0.0, Paint::Fill(yuv(band.color)));
    let x = rect.x + measure.accent + measure.padding;
    let mut top = rect.y + measure.padding / 4 * 2;
    for (mask, color) in lines {
        let height = mask.height;
        letter(&mut tile, mask, x, top + height / 2, color);
        top += height;
    }
}

/// The band's measures: text sizes, and lengths in pixels, which are even.
struct Measure {
    title: u32,
    subtitle: u32,
    accent: u32,
    padding: u32,
    /// Of the text, at most.
    room: u32,
    /// What stays free at the sides and below: the band stands inside the safe area (EBU R 95: 5 % for graphics).
    margin: (u32, u32),
}

impl Measure {
    fn of(canvas: Canvas) -> Self {
        let (width, height) = (canvas.width as f32, canvas.height as f32);
        let title = text_size((height * 0.056).min(width * 0.05));
        let part = |length: f32| (length as u32).next_multiple_of(2);
        let (accent, padding) = (part(title as f32 * 0.2), part(title as f32 * 0.6));
        let margin = (part(width * 0.05), part(height * 0.07));
        let room = canvas.width.saturating_sub(2 * (margin.0 + padding) + accent) / 2 * 2;
        Self { title, subtitle: text_size(title as f32 * 0.6), accent, padding, room, margin }
    }

    /// Where the band is; `None` where there is no line, or no room.
    fn band<'a>(&self, canvas: Canvas, lines: impl Iterator<Item = &'a Arc<Mask>> + Clone) -> Option<Rect> {
        let text = lines.clone().map(|mask| mask.width).max()?;
        let height = lines.map(|mask| mask.height).sum::<u32>() + self.padding / 4 * 4;
        let y = canvas.height.checked_sub(self.margin.1 + height)?;
        Some(Rect { x: self.margin.0, y, width: self.accent + 2 * self.padding + text, height })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compositor::planner::fits;
    use crate::media::Rgb;
    use proptest::prelude::*;

    fn steps(title: &str, subtitle: &str, canvas: Canvas) -> Vec<Step> {
        let band = LowerThird { title: title.into(), subtitle: subtitle.into(), color: Rgb(255, 0, 0), opacity: 0.5 };
        let mut steps = Vec::new();
        draw(&band, canvas, &Fonts::embedded(), &mut steps);
        steps
    }

    #[test]
    fn a_band_has_an_accent_a_title_and_a_smaller_line_only_where_there_is_one() {
        let two = steps("Ada Lovelace", "Analyst", Canvas::default());
        let one = steps("Ada Lovelace", " ", Canvas::default());
        assert_eq!((two.len(), one.len()), (4, 3));
        assert!(two[2].rect.height > two[3].rect.height && two[0].rect.height > one[0].rect.height);
        assert_eq!(two[1].opacity, 0.5);
        assert!(steps("", "\u{200b}", Canvas::default()).is_empty());
    }

    #[test]
    fn a_long_title_is_shortened_to_the_safe_width() {
        let band = steps(&"W".repeat(80), "", Canvas::default());
        let title = band[2].rect;
        assert!(title.width > 1000 && title.x + title.width <= 1280 - 64, "{title:?}");
    }

    proptest! {
        #[test]
        fn a_band_stays_in_the_lower_part_of_any_canvas(
            width in 64u32..1920, height in 64u32..1080, title in "\\PC{0,90}", subtitle in "\\PC{0,90}",
        ) {
            let canvas = Canvas { width: 2 * width, height: 2 * height, ..Canvas::default() };
            for step in steps(&title, &subtitle, canvas) {
                prop_assert!(fits(step.rect, canvas), "{:?}", step.rect);
                prop_assert!(step.rect.y >= canvas.height / 2, "{:?} of {:?}", step.rect, canvas);
            }
        }
    }
}
