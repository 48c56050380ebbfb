//! What is painted behind and over everybody: the backdrop, images, and bands of text.
//!
//! In: a scene's backdrop and overlays; out: steps. Never: an image scaled twice, or anything outside the canvas.

use super::fit::{cover, whole};
use super::fitted::Fitted;
use super::fonts::Fonts;
use super::lower_third;
use super::plan::Step;
use super::planner::{Tile, fits};
use crate::media::{Canvas, Image, Overlay, Rect};

/// The backdrop: fills the canvas; what stands over is cropped, centred.
pub(super) fn backdrop(image: &Image, canvas: Canvas, fitted: &mut Fitted) -> Step {
    let rect = Rect { x: 0, y: 0, width: canvas.width, height: canvas.height };
    let crop = cover(image.frame.width(), image.frame.height(), rect);
    Step { rect, corner_radius: 0.0, opacity: 1.0, paint: fitted.paint(image, crop, (rect.width, rect.height)) }
}

/// Draws an overlay; one that breaks the canvas's bounds is left out.
pub(super) fn draw(overlay: &Overlay, canvas: Canvas, fitted: &mut Fitted, fonts: &Fonts, steps: &mut Vec<Step>) {
    match overlay {
        Overlay::Image { image, rect, opacity } if *opacity > 0.0 && fits(*rect, canvas) => {
            let crop = whole(image.frame.width(), image.frame.height());
            let paint = fitted.paint(image, crop, (rect.width, rect.height));
            Tile::new(*rect, 0, *opacity, steps).step(*rect, 0.0, paint);
        }
        Overlay::LowerThird(band) if band.opacity > 0.0 => lower_third::draw(band, canvas, fonts, steps),
        Overlay::Image { .. } | Overlay::LowerThird(_) => {}
    }
}
