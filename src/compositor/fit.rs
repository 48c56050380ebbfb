//! How a picture fits a rectangle of another aspect.
//!
//! In: sizes; out: the crop of the source or the part of the cell. Never: pixels, or a scene.

use super::plan::Crop;
use crate::media::Rect;

/// How much smaller than it must be a crop may be, where that spares resampling: a fiftieth at each edge.
const SPARE: f64 = 0.04;

/// The centred part of a `width × height` picture that has the aspect of `target` and fills it.
///
/// Where a slightly smaller part has exactly the target's size or twice that, it is taken, from an even pixel on: its rows are copied or
/// halved, which is sharper and several times cheaper than scaling by 1.02.
pub(super) fn cover(width: u32, height: u32, target: Rect) -> Crop {
    let (w, h) = (f64::from(width), f64::from(height));
    let (tw, th) = (f64::from(target.width), f64::from(target.height));
    let (crop_w, crop_h) = if w * th > h * tw { (h * tw / th, h) } else { (w, w * th / tw) };
    let ratio = [1.0, 2.0].into_iter().find(|ratio| (1.0..=1.0 + SPARE).contains(&(crop_w / (ratio * tw))));
    let Some(ratio) = ratio else {
        return Crop { x: ((w - crop_w) / 2.0) as f32, y: ((h - crop_h) / 2.0) as f32, width: crop_w as f32, height: crop_h as f32 };
    };
    let even_offset = |side: f64, crop: f64| (((side - crop) / 4.0).floor() * 2.0) as f32;
    let (crop_w, crop_h) = (ratio * tw, ratio * th);
    Crop { x: even_offset(w, crop_w), y: even_offset(h, crop_h), width: crop_w as f32, height: crop_h as f32 }
}

/// The whole of a `width × height` picture.
pub(super) fn whole(width: u32, height: u32) -> Crop {
    Crop { x: 0.0, y: 0.0, width: width as f32, height: height as f32 }
}

/// The largest centred part of `cell` with the aspect of a `width × height` picture, on even pixels; the whole cell rather than a bar of two.
pub(super) fn contain(width: u32, height: u32, cell: Rect) -> Rect {
    let (w, h) = (u64::from(width), u64::from(height));
    let (cw, ch) = (u64::from(cell.width), u64::from(cell.height));
    let even = |length: u64, limit: u32| {
        let length = (length as u32).next_multiple_of(2).max(2);
        if length + 2 >= limit { limit } else { length }
    };
    let (inner_w, inner_h) = if w * ch > h * cw {
        (cell.width, even((cw * h).div_euclid(w), cell.height))
    } else {
        (even((ch * w).div_euclid(h), cell.width), cell.height)
    };
    let centred = |outer: u32, inner: u32| (outer - inner) / 4 * 2;
    Rect { x: cell.x + centred(cell.width, inner_w), y: cell.y + centred(cell.height, inner_h), width: inner_w, height: inner_h }
}

/// What of `cell` lies beside `inner`: the bars, at most two.
pub(super) fn bars(cell: Rect, inner: Rect) -> impl Iterator<Item = Rect> {
    let [top, left] = [inner.y - cell.y, inner.x - cell.x];
    let bottom = cell.height - inner.height - top;
    let right = cell.width - inner.width - left;
    [
        Rect { height: top, ..cell },
        Rect { y: inner.y + inner.height, height: bottom, ..cell },
        Rect { width: left, ..cell },
        Rect { x: inner.x + inner.width, width: right, ..cell },
    ]
    .into_iter()
    .filter(|bar| bar.width > 0 && bar.height > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell(width: u32, height: u32) -> Rect {
        Rect { x: 10, y: 20, width, height }
    }

    #[test]
    fn a_wide_picture_loses_its_sides_and_a_tall_one_its_ends() {
        assert_eq!(cover(1280, 720, cell(720, 720)), Crop { x: 280.0, y: 0.0, width: 720.0, height: 720.0 });
        assert_eq!(cover(640, 480, cell(640, 360)), Crop { x: 0.0, y: 60.0, width: 640.0, height: 360.0 });
    }

    #[test]
    fn a_crop_that_comes_out_one_to_one_starts_on_an_even_pixel() {
        assert_eq!(cover(642, 360, cell(640, 360)), Crop { x: 0.0, y: 0.0, width: 640.0, height: 360.0 });
        assert_eq!(cover(1280, 726, cell(640, 360)), Crop { x: 0.0, y: 2.0, width: 1280.0, height: 720.0 });
    }

    #[test]
    fn a_picture_a_little_too_large_is_cropped_and_not_resampled() {
        assert_eq!(cover(640, 360, cell(628, 352)), Crop { x: 6.0, y: 4.0, width: 628.0, height: 352.0 });
        assert_eq!(cover(1280, 720, cell(628, 352)), Crop { x: 12.0, y: 8.0, width: 1256.0, height: 704.0 });
        assert_eq!(cover(640, 360, cell(600, 338)).y, 0.0, "a tenth is too much to lose");
        assert_eq!(cover(628, 352, cell(640, 360)).width, 625.7778, "what is too small is scaled up");
    }

    #[test]
    fn a_picture_shown_whole_stands_centred_between_bars() {
        assert_eq!(contain(640, 480, cell(320, 180)), Rect { x: 50, y: 20, width: 240, height: 180 });
        assert_eq!(bars(cell(320, 180), Rect { x: 50, y: 20, width: 240, height: 180 }).count(), 2);
        assert_eq!(contain(640, 360, cell(320, 240)), Rect { x: 10, y: 50, width: 320, height: 180 });
    }

    proptest! {
        #[test]
        fn crops_stay_in_the_picture_and_are_centred(w in 1u32..8192, h in 1u32..8192, cw in 1u32..1920, ch in 1u32..1080) {
            let crop = cover(w, h, cell(cw * 2, ch * 2));
            prop_assert!(crop.width > 0.0 && crop.height > 0.0 && crop.x >= 0.0 && crop.y >= 0.0);
            prop_assert!(crop.x + crop.width <= w as f32 + 0.01 && crop.y + crop.height <= h as f32 + 0.01);
            prop_assert!(((w as f32 - crop.width) / 2.0 - crop.x).abs() <= 2.0);
            prop_assert!(((h as f32 - crop.height) / 2.0 - crop.y).abs() <= 2.0);
        }

        #[test]
        fn a_contained_picture_and_its_bars_make_up_the_cell(w in 1u32..8192, h in 1u32..8192, cw in 1u32..1920, ch in 1u32..1080) {
            let outer = cell(cw * 2, ch * 2);
            let inner = contain(w, h, outer);
            prop_assert!([inner.x, inner.y, inner.width, inner.height].iter().all(|side| side % 2 == 0));
            let area = |r: Rect| u64::from(r.width) * u64::from(r.height);
            prop_assert_eq!(area(inner) + bars(outer, inner).map(area).sum::<u64>(), area(outer));
        }
    }
}
