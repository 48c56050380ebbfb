//! What a view may be encoded as, and which of those a client can take. Pure.
//!
//! In: a canvas, renditions, a client's bounds. Out: an encoder's settings, a choice. Never: more than the canvas has.

use std::cmp::Reverse;

use crate::codec::VideoSettings;
use crate::media::Canvas;

/// What a view may be encoded as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rendition {
    /// The shorter side in pixels, as in "720p": the height, on an upright canvas the width. A smaller canvas is encoded as it is.
    pub height: u32,
    /// Frames a second; a canvas that is slower is encoded as it is.
    pub fps: u32,
    /// Bits a second at most.
    pub max_bps: u32,
    /// Bits a second at least.
    pub min_bps: u32,
}

impl Rendition {
    /// Its encoder's settings: even sides in the canvas's aspect.
    pub(super) fn settings(&self, canvas: Canvas) -> VideoSettings {
        let (fps, bitrate_bps) = (self.fps.min(canvas.fps), self.max_bps);
        let shorter = canvas.width.min(canvas.height);
        let share = f64::from(self.height.min(shorter) & !1) / f64::from(shorter);
        let side = |length: u32| (f64::from(length) * share / 2.0).round() as u32 * 2;
        VideoSettings { width: side(canvas.width), height: side(canvas.height), fps, bitrate_bps }
    }
}

/// The best rendition within a client's bounds; `None` where even the lowest is too much.
pub fn fitting(canvas: Canvas, renditions: &[Rendition], max_height: Option<u32>, max_fps: Option<u32>) -> Option<usize> {
    within(canvas, renditions, max_height, max_fps).first().copied()
}

/// The renditions within a client's bounds, by their places in the list, best first.
///
/// Higher is better, then more frames, then more bits; of equal ones the first.
pub fn within(canvas: Canvas, renditions: &[Rendition], max_height: Option<u32>, max_fps: Option<u32>) -> Vec<usize> {
    let settings = renditions.iter().map(|rendition| rendition.settings(canvas)).enumerate();
    let fits = |s: &VideoSettings| max_height.is_none_or(|most| s.height <= most) && max_fps.is_none_or(|most| s.fps <= most);
    let mut fitting: Vec<_> = settings.filter(|(_, settings)| fits(settings)).collect();
    fitting.sort_by_key(|(_, s)| Reverse((s.height, s.fps, s.bitrate_bps)));
    fitting.into_iter().map(|(index, _)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIGH: Rendition = Rendition { height: 720, fps: 30, max_bps: 2_500_000, min_bps: 600_000 };
    const MID: Rendition = Rendition { height: 360, fps: 30, max_bps: 800_000, min_bps: 200_000 };
    const LOW: Rendition = Rendition { height: 180, fps: 15, max_bps: 200_000, min_bps: 50_000 };

    fn canvas(width: u32, height: u32, fps: u32) -> Canvas {
        Canvas { width, height, fps, ..Canvas::default() }
    }

    fn size(rendition: Rendition, canvas: Canvas) -> (u32, u32) {
        let settings = rendition.settings(canvas);
        (settings.width, settings.height)
    }

    #[test]
    fn a_rendition_keeps_the_canvass_aspect_on_even_sides() {
        assert_eq!([HIGH, MID, LOW].map(|r| size(r, canvas(1280, 720, 30))), [(1280, 720), (640, 360), (320, 180)]);
        assert_eq!([HIGH, MID].map(|r| size(r, canvas(720, 1280, 30))), [(720, 1280), (360, 640)]);
        assert_eq!(size(Rendition { height: 241, ..MID }, canvas(1280, 720, 30)), (426, 240));
        assert_eq!(size(Rendition { height: 128, ..MID }, canvas(128, 2160, 30)), (128, 2160));
    }

    #[test]
    fn a_rendition_above_the_canvas_is_the_canvas() {
        let settings = Rendition { fps: 60, ..HIGH }.settings(canvas(320, 180, 25));
        assert_eq!((settings.width, settings.height, settings.fps), (320, 180, 25));
    }

    #[test]
    fn a_client_gets_the_best_that_it_can_take_whatever_the_order() {
        let hd = canvas(1280, 720, 30);
        let fits = |renditions: &[Rendition], height, fps| fitting(hd, renditions, height, fps);
        assert_eq!(fits(&[HIGH, MID, LOW], None, None), Some(0));
        assert_eq!(fits(&[HIGH, MID, LOW], Some(719), None), Some(1));
        assert_eq!(fits(&[LOW, HIGH, MID], None, Some(20)), Some(0));
        assert_eq!(fits(&[LOW, HIGH, HIGH], None, None), Some(1));
        assert_eq!(fits(&[HIGH, MID, LOW], Some(100), None), None);
        assert_eq!(fits(&[], None, None), None);
    }

    #[test]
    fn the_rest_follows_from_best_to_lowest() {
        let hd = canvas(1280, 720, 30);
        assert_eq!(within(hd, &[LOW, HIGH, MID], None, None), [1, 2, 0]);
        assert_eq!(within(hd, &[LOW, HIGH, MID], Some(360), None), [2, 0]);
        assert!(within(hd, &[HIGH], Some(360), None).is_empty());
    }

    #[test]
    fn what_counts_is_what_is_sent() {
        assert_eq!(fitting(canvas(320, 180, 10), &[HIGH, LOW], Some(180), Some(10)), Some(0), "the canvas bounds all");
    }
}
