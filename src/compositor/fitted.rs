//! Still images at the very size at which they are shown: scaled once, then painted one to one for as long as they are.
//!
//! In: an [`Image`], the part of it that shows, and a size. Out: what to paint, the same value each time, so that equal scenes make
//! equal plans and a GPU uploads it once. Never: more than [`KEPT`] of them; the least recently used goes first.

use std::sync::Arc;

use super::cpu::Painter;
use super::plan::{Crop, Cutout, Mask, Paint, Plan, Step};
use super::seen;
use crate::media::{Frame, Image, Rect};

/// Images kept at most: a backdrop, a logo or two, and the sizes they had before.
const KEPT: usize = 8;

/// The images of one compositor.
#[derive(Debug, Default)]
pub(super) struct Fitted {
    /// The most recently used last.
    kept: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// Held, so that no other picture can come to lie at its address.
    of: Arc<Frame>,
    crop: Crop,
    size: (u32, u32),
    paint: Paint,
}

impl Fitted {
    /// The paint that shows `crop` of `image` on a rectangle of `size` (sides even).
    pub(super) fn paint(&mut self, image: &Image, crop: Crop, size: (u32, u32)) -> Paint {
        let same = |kept: &Kept| Arc::ptr_eq(&kept.of, &image.frame) && kept.crop == crop && kept.size == size;
        let known = self.kept.iter().position(same).map(|at| self.kept.remove(at));
        let kept = known.unwrap_or_else(|| Kept { of: image.frame.clone(), crop, size, paint: fitted(image, crop, size) });
        if self.kept.len() == KEPT {
            self.kept.remove(0);
        }
        let paint = kept.paint.clone();
        self.kept.push(kept);
        paint
    }
}

fn fitted(image: &Image, crop: Crop, (width, height): (u32, u32)) -> Paint {
    let pixels = image.frame.width() as usize * image.frame.height() as usize;
    if let Some(alpha) = image.alpha.as_deref().filter(|alpha| alpha.len() == pixels) {
        let (frame, coverage) = seen::scaled(&image.frame, alpha, crop, (width, height));
        return Paint::Cutout(Cutout::new(frame, Mask::new(width, height, coverage)));
    }
    let mut frame = Frame::black(width, height);
    let paint = Paint::Picture { frame: image.frame.clone(), crop };
    let step = Step { rect: Rect { x: 0, y: 0, width, height }, corner_radius: 0.0, opacity: 1.0, paint };
    Painter::default().paint(&Plan { width, height, background: [16, 128, 128], steps: vec![step] }, &mut frame);
    Paint::Picture { frame: Arc::new(frame), crop: super::fit::whole(width, height) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(alpha: Option<u8>) -> Image {
        Image { frame: Arc::new(Frame::filled(20, 10, [90, 80, 70])), alpha: alpha.map(|alpha| vec![alpha; 200].into()) }
    }

    const WHOLE: Crop = Crop { x: 0.0, y: 0.0, width: 20.0, height: 10.0 };

    #[test]
    fn an_image_is_scaled_once_for_each_size() {
        let (mut fitted, logo) = (Fitted::default(), image(Some(200)));
        let mut cutout = |width| match fitted.paint(&logo, WHOLE, (width, 8)) {
            Paint::Cutout(cutout) => cutout,
            other => panic!("{other:?}"),
        };
        let first = cutout(16);
        assert_eq!(*first.mask.coverage, [200; 128]);
        assert!(!Arc::ptr_eq(&first, &cutout(18)) && Arc::ptr_eq(&first, &cutout(16)));
    }

    #[test]
    fn what_is_opaque_is_a_picture_shown_one_to_one() {
        let Paint::Picture { frame, crop } = Fitted::default().paint(&image(None), WHOLE, (16, 8)) else { panic!("a picture") };
        assert_eq!((&*frame, crop.width), (&Frame::filled(16, 8, [90, 80, 70]), 16.0));
    }

    #[test]
    fn the_images_kept_are_bounded_and_the_one_in_use_stays() {
        let (mut fitted, logo) = (Fitted::default(), image(Some(9)));
        for width in 1..=40 {
            fitted.paint(&logo, WHOLE, (2 * width, 8));
            fitted.paint(&logo, WHOLE, (2, 2));
        }
        assert_eq!(fitted.kept.len(), KEPT);
        assert!(fitted.kept.iter().filter(|kept| kept.size == (2, 2)).count() == 1);
    }

    #[test]
    fn an_image_whose_transparency_has_another_size_is_opaque() {
        let odd = Image { alpha: Some(vec![1; 7].into()), ..image(None) };
        assert!(matches!(Fitted::default().paint(&odd, WHOLE, (16, 8)), Paint::Picture { .. }));
    }
}
