//! What the painter promises for any plan.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::canvas::part;
use super::*;
use crate::compositor::plan::{Crop, Cutout, Mask, Paint, Step};
use crate::media::{Border, Canvas, Cell, Fit, Image, Label, LowerThird, MediaTime, Overlay, ParticipantId, Rect, Rgb, Source};

const CANVAS: (u32, u32) = (256, 160);

/// Noise, the same for the same seed.
fn noise(width: u32, height: u32, seed: u32) -> Arc<Frame> {
    let mut frame = Frame::black(width, height);
    let mut state = seed | 1;
    for sample in frame.planes_mut().into_iter().flatten() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        *sample = state as u8;
    }
    Arc::new(frame)
}

fn painted(background: [u8; 3], steps: Vec<Step>) -> Frame {
    let mut canvas = Frame::filled(CANVAS.0, CANVAS.1, [1, 2, 3]);
    Painter::default().paint(&Plan { width: CANVAS.0, height: CANVAS.1, background, steps }, &mut canvas);
    canvas
}

fn picture(frame: Arc<Frame>, crop: Crop, rect: Rect) -> Step {
    Step { rect, corner_radius: 0.0, opacity: 1.0, paint: Paint::Picture { frame, crop } }
}

fn whole(frame: &Frame) -> Crop {
    Crop { x: 0.0, y: 0.0, width: frame.width() as f32, height: frame.height() as f32 }
}

/// Rows of `rect` in plane `index`.
fn rows(canvas: &Frame, index: usize, rect: Rect) -> Vec<Vec<u8>> {
    part(&mut canvas.clone(), index, rect).rows().map(|row| row.to_vec()).collect()
}

fn mean(samples: impl IntoIterator<Item = u8>) -> f64 {
    let (sum, count) = samples.into_iter().fold((0u64, 0u64), |(sum, count), sample| (sum + u64::from(sample), count + 1));
    sum as f64 / count as f64
}

fn any_rect() -> impl Strategy<Value = Rect> {
    (0..CANVAS.0 / 2, 0..CANVAS.1 / 2, 1..=CANVAS.0 / 2, 1..=CANVAS.1 / 2).prop_map(|(x, y, width, height)| Rect {
        x: 2 * x,
        y: 2 * y,
        width: (2 * width).min(CANVAS.0 - 2 * x),
        height: (2 * height).min(CANVAS.1 - 2 * y),
    })
}

#[test]
fn a_cell_of_the_picture_s_size_is_a_copy_of_its_bytes() {
    let frame = noise(64, 48, 7);
    let rect = Rect { x: 30, y: 40, width: 64, height: 48 };
    let canvas = painted([0; 3], vec![picture(frame.clone(), whole(&frame), rect)]);
    for (index, plane) in frame.planes().into_iter().enumerate() {
        assert_eq!(rows(&canvas, index, rect).concat(), plane);
    }
}

#[test]
fn a_cell_of_half_the_size_is_the_mean_of_each_two_by_two() {
    let frame = noise(100, 60, 3);
    let rect = Rect { x: 2, y: 2, width: 50, height: 30 };
    let canvas = painted([0; 3], vec![picture(frame.clone(), whole(&frame), rect)]);
    let luma = frame.planes()[0];
    let at = |x: usize, y: usize| u32::from(luma[y * 100 + x]);
    for (y, row) in rows(&canvas, 0, rect).iter().enumerate() {
        for (x, &sample) in row.iter().enumerate() {
            let sum = at(2 * x, 2 * y) + at(2 * x + 1, 2 * y) + at(2 * x, 2 * y + 1) + at(2 * x + 1, 2 * y + 1);
            assert_eq!(u32::from(sample), (sum + 2) / 4);
        }
    }
}

#[test]
fn an_unchanged_scene_is_the_same_canvas_and_a_changed_one_is_not() {
    struct One(Arc<Frame>);
    impl Pictures for One {
        fn picture(&self, _: ParticipantId) -> Option<Arc<Frame>> {
            Some(self.0.clone())
        }
    }
    let cell = any_cell_at(Rect { x: 0, y: 0, width: 128, height: 128 });
    let canvas = Canvas { width: 128, height: 128, ..Canvas::default() };
    let scene =
        |millis| Scene { canvas, at: MediaTime::from_millis(millis), cells: vec![cell.clone()], ..Scene::empty(canvas, MediaTime::ZERO) };
    let mut compositor = CpuCompositor::new(Fonts::embedded());
    let (first, second) = (One(noise(64, 48, 1)), One(noise(64, 48, 2)));
    let mut draw = |millis, pictures: &One| {
        compositor.submit(&scene(millis), pictures).unwrap();
        compositor.take(Duration::ZERO).unwrap().unwrap()
    };
    let (a, b, c) = (draw(1, &first), draw(2, &first), draw(3, &second));
    assert!(Arc::ptr_eq(&a.frame, &b.frame) && b.at == MediaTime::from_millis(2));
    assert!(a.frame != c.frame);
}

#[test]
fn a_cutout_is_its_picture_where_it_is_seen_and_the_canvas_elsewhere() {
    let frame = noise(64, 48, 5);
    let rect = Rect { x: 30, y: 40, width: 64, height: 48 };
    let left: Vec<u8> = (0..64 * 48).map(|n| if n % 64 < 32 { 255 } else { 0 }).collect();
    let cutout = Paint::Cutout(Cutout::new(Frame::clone(&frame), Mask::new(64, 48, left.into())));
    let canvas = painted([50, 60, 70], vec![Step { rect, corner_radius: 0.0, opacity: 1.0, paint: cutout }]);
    for (index, plane) in frame.planes().into_iter().enumerate() {
        let width = 64 >> usize::from(index > 0);
        for (row, expected) in rows(&canvas, index, rect).iter().zip(plane.chunks_exact(width)) {
            assert_eq!(row[..width / 2], expected[..width / 2]);
            assert!(row[width / 2..].iter().all(|&sample| sample == [50, 60, 70][index]));
        }
    }
}

#[test]
fn overlays_do_not_make_a_scene_that_is_the_same_another() {
    let canvas = Canvas { width: 128, height: 128, ..Canvas::default() };
    let image = |alpha| Arc::new(Image { frame: noise(60, 40, 9), alpha });
    let logo = Overlay::Image { image: image(Some([99; 2400].into())), rect: Rect { x: 4, y: 4, width: 30, height: 20 }, opacity: 0.9 };
    let band = Overlay::LowerThird(LowerThird { title: "Ada".into(), subtitle: "Analyst".into(), color: Rgb(9, 200, 90), opacity: 1.0 });
    let scene = Scene { backdrop: Some(image(None)), overlays: vec![logo, band], ..Scene::empty(canvas, MediaTime::ZERO) };
    let mut compositor = CpuCompositor::new(Fonts::embedded());
    let [a, b] = [1, 2].map(|millis| {
        compositor.submit(&Scene { at: MediaTime::from_millis(millis), ..scene.clone() }, &Some4(2, 2)).unwrap();
        compositor.take(Duration::ZERO).unwrap().unwrap().frame
    });
    assert!(Arc::ptr_eq(&a, &b));
}

fn any_cell_at(rect: Rect) -> Cell {
    let source = Source::Participant { id: ParticipantId(1), name: "Ada".into() };
    Cell { source, rect, fit: Fit::Cover, z: 0, opacity: 1.0, corner_radius: 0, border: None, label: None, stalled: false }
}

fn any_cell() -> impl Strategy<Value = Cell> {
    let name = prop_oneof!["\\PC{0,20}", Just("Ada Lovelace".to_owned()), Just("محمد 李 🙂".to_owned())];
    let participant = (0u32..4, name.clone()).prop_map(|(id, name)| Source::Participant { id: ParticipantId(id), name: name.into() });
    let source = prop_oneof![2 => participant, 1 => Just(Source::Slate), 1 => any::<u32>().prop_map(Source::More)];
    let border =
        prop::option::of((0u32..20, 0.0f32..1.3).prop_map(|(half, opacity)| Border { width: 2 * half, color: Rgb(9, 200, 90), opacity }));
    let label = prop::option::of((name, any::<bool>()).prop_map(|(text, muted)| Label { text: text.into(), muted }));
    (any_rect(), source, any::<bool>(), 0.0f32..1.3, 0u32..200, border, label).prop_map(
        |(rect, source, cover, opacity, corner_radius, border, label)| {
            let fit = if cover { Fit::Cover } else { Fit::Contain };
            Cell { source, rect, fit, z: 0, opacity, corner_radius, border, label, stalled: false }
        },
    )
}

struct Some4(u32, u32);

impl Pictures for Some4 {
    fn picture(&self, id: ParticipantId) -> Option<Arc<Frame>> {
        (id.0 > 0).then(|| noise(self.0 * id.0, self.1, id.0))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_scene_is_drawn_and_nothing_leaves_its_cell(cell in any_cell(), width in 1u32..400, height in 1u32..400) {
        let canvas = Canvas { width: CANVAS.0, height: CANVAS.1, fps: 30, background: Rgb(0, 255, 0) };
        let rect = cell.rect;
        let mut compositor = CpuCompositor::new(Fonts::embedded());
        compositor.submit(&Scene { canvas, at: MediaTime::ZERO, cells: vec![cell], ..Scene::empty(canvas, MediaTime::ZERO) }, &Some4(width, height)).unwrap();
        let drawn = compositor.take(Duration::ZERO).unwrap().unwrap().frame;
        for (index, background) in [145, 54, 34].into_iter().enumerate() {
            let mut outside = Frame::clone(&drawn);
            part(&mut outside, index, rect).rows().for_each(|row| row.fill(background));
            prop_assert!(outside.planes()[index].iter().all(|&sample| sample == background));
        }
    }

    #[test]
    fn a_constant_is_that_constant_at_any_scale(
        rect in any_rect(), width in 1u32..1500, height in 1u32..1500, color in any::<[u8; 3]>(), radius in 0.0f32..40.0,
    ) {
        let frame = Arc::new(Frame::filled(width, height, color));
        let crop = whole(&frame);
        let step = Step { corner_radius: radius, ..picture(frame, crop, rect) };
        let filled = Step { paint: Paint::Fill(color), ..step.clone() };
        prop_assert_eq!(painted([7, 8, 9], vec![step]), painted([7, 8, 9], vec![filled]));
    }

    #[test]
    fn scaling_far_down_keeps_the_mean(width in 600u32..1600, height in 400u32..1200, seed in any::<u32>()) {
        let frame = noise(width, height, seed);
        let rect = Rect { x: 10, y: 10, width: 200, height: 120 };
        let canvas = painted([0; 3], vec![picture(frame.clone(), whole(&frame), rect)]);
        let drawn = mean(rows(&canvas, 0, rect).into_iter().flatten());
        prop_assert!((drawn - mean(frame.planes()[0].iter().copied())).abs() < 1.0);
    }

    #[test]
    fn alternating_rows_and_columns_come_out_even(width in 600u32..1600, height in 400u32..1200) {
        let mut frame = Frame::black(width, height);
        for (i, sample) in frame.planes_mut()[0].iter_mut().enumerate() {
            *sample = if (i / width as usize + i % width as usize).is_multiple_of(2) { 255 } else { 0 };
        }
        let rect = Rect { x: 0, y: 0, width: 64, height: 64 };
        let crop = whole(&frame);
        let canvas = painted([0; 3], vec![picture(Arc::new(frame), crop, rect)]);
        prop_assert!(rows(&canvas, 0, rect).iter().flatten().all(|&sample| (124..=131).contains(&sample)));
    }
}
