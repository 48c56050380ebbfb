//! The shaders against small references, on whatever adapter there is; software Vulkan suffices.

use std::sync::Arc;
use std::time::Duration;

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::device::{Adapters, Gpu};
use super::painter::Painter;
use crate::compositor::CompositorError;
use crate::compositor::plan::{Crop, Cutout, Mask, Paint, Plan, Step};
use crate::media::{Frame, MediaTime, Rect};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_fill_is_exact_in_every_plane() {
    let plan = plan(66, 34, vec![step(rect(0, 0, 66, 34), Paint::Fill([200, 90, 17]))]);
    assert_eq!(painted(&plan), Frame::filled(66, 34, [200, 90, 17]));
}

#[test]
fn a_picture_shown_one_to_one_is_exact_wherever_it_lies() {
    let frame = noise(26, 14, 1);
    for (x, y) in [(0, 0), (2, 4), (6, 2), (38, 18)] {
        let to = rect(x, y, 26, 14);
        let canvas = painted(&plan(64, 32, vec![step(to, whole(&frame))]));
        assert_eq!(planes_in(&canvas, to), planes_in(&frame, rect(0, 0, 26, 14)), "at {x}, {y}");
    }
}

#[test]
fn what_lies_beside_a_step_stays() {
    let step = step(rect(6, 4, 22, 10), whole(&noise(26, 14, 2)));
    let canvas = painted(&plan(40, 20, vec![step]));
    for beside in [rect(0, 0, 40, 4), rect(0, 14, 40, 6), rect(0, 0, 6, 20), rect(28, 0, 12, 20)] {
        let background = Frame::filled(beside.width, beside.height, BACKGROUND);
        assert_eq!(planes_in(&canvas, beside), planes_in(&background, rect(0, 0, beside.width, beside.height)));
    }
}

#[test]
fn half_the_size_is_the_mean_of_four() {
    assert_scaled((52, 28), full(52, 28), (26, 14));
}

#[test]
fn a_third_of_the_size_is_the_mean_of_all_it_covers() {
    assert_scaled((78, 42), full(78, 42), (26, 14));
    assert_scaled((85, 47), full(85, 47), (22, 12));
    assert_scaled((300, 20), full(300, 20), (30, 40));
}

#[test]
fn a_larger_picture_is_linear_between_its_pixels() {
    assert_scaled((13, 7), full(13, 7), (40, 30));
    assert_scaled((2, 2), full(2, 2), (40, 30));
    assert_scaled((1, 1), full(1, 1), (8, 4));
}

#[test]
fn a_crop_shows_its_part_to_fractions_of_a_pixel() {
    assert_scaled((64, 36), Crop { x: 3.5, y: 7.25, width: 40.0, height: 22.5 }, (26, 14));
    assert_scaled((64, 36), Crop { x: 10.0, y: 6.0, width: 26.0, height: 14.0 }, (26, 14));
    assert_scaled((64, 36), Crop { x: 1.75, y: 0.5, width: 61.0, height: 33.0 }, (14, 12));
}

#[test]
fn a_large_reduction_keeps_the_mean() {
    let frame = noise(640, 360, 3);
    let canvas = painted(&plan(32, 18, vec![step(rect(0, 0, 32, 18), whole(&frame))]));
    for (large, small) in frame.planes().into_iter().zip(canvas.planes()) {
        assert!((mean(large) - mean(small)).abs() < 0.2, "{} became {}", mean(large), mean(small));
    }
}

#[test]
fn corners_lines_masks_and_opacity_cover_as_planned() {
    let mask = noise_mask(30, 18);
    let steps = [
        Step { corner_radius: 7.0, ..step(rect(4, 2, 30, 18), Paint::Fill([210, 60, 200])) },
        Step { corner_radius: 7.0, opacity: 0.6, ..step(rect(4, 2, 30, 18), Paint::Border { color: [40, 220, 30], width: 4.0 }) },
        step(rect(2, 2, 30, 18), Paint::Border { color: [40, 220, 30], width: 2.0 }),
        Step { opacity: 0.25, ..step(rect(4, 2, 30, 18), Paint::Fill([210, 60, 200])) },
        step(rect(6, 2, 30, 18), Paint::Mask { mask: mask.clone(), color: [235, 100, 160] }),
        Step { corner_radius: 9.0, opacity: 0.5, ..step(rect(6, 2, 30, 18), Paint::Mask { mask, color: [235, 100, 160] }) },
    ];
    for step in steps {
        assert_covered(&step);
    }
}

#[test]
fn a_cutout_of_one_colour_is_that_colour_through_its_mask() {
    let mask = noise_mask(30, 18);
    let cutout = Paint::Cutout(Cutout::new(Frame::filled(30, 18, [180, 50, 220]), mask.clone()));
    let cut = Step { corner_radius: 6.0, opacity: 0.7, ..step(rect(6, 2, 30, 18), cutout) };
    let colored = Step { paint: Paint::Mask { mask, color: [180, 50, 220] }, ..cut.clone() };
    assert_eq!(painted(&plan(40, 24, vec![cut])), painted(&plan(40, 24, vec![colored])));
}

#[test]
fn a_cutout_shows_each_pixel_where_it_lies() {
    let frame = noise(26, 14, 4);
    let seen = Mask::new(26, 14, vec![255; 26 * 14].into());
    for (x, y) in [(0, 0), (2, 4), (6, 2), (38, 18)] {
        let to = rect(x, y, 26, 14);
        let canvas = painted(&plan(64, 32, vec![step(to, Paint::Cutout(Cutout::new(Frame::clone(&frame), seen.clone())))]));
        assert_eq!(planes_in(&canvas, to), planes_in(&frame, rect(0, 0, 26, 14)), "at {x}, {y}");
    }
}

#[test]
fn a_picture_is_cut_at_its_corners() {
    let frame = Frame::filled(60, 36, [180, 50, 220]);
    let cut = Step { corner_radius: 8.0, opacity: 0.8, ..step(rect(4, 2, 30, 18), whole(&Arc::new(frame))) };
    let fill = Step { paint: Paint::Fill([180, 50, 220]), ..cut.clone() };
    assert_eq!(painted(&plan(40, 24, vec![cut])), painted(&plan(40, 24, vec![fill])));
}

#[test]
fn later_steps_cover_earlier_ones() {
    let steps = (0..40u8).map(|n| step(rect(2 * u32::from(n), 0, 20, 8), Paint::Fill([n + 20, n, 2 * n]))).collect();
    let canvas = painted(&plan(100, 8, steps));
    for n in 0..40u8 {
        assert_eq!(canvas.planes()[0][2 * usize::from(n)], n + 20);
        assert_eq!(canvas.planes()[1][usize::from(n)], n);
    }
}

#[test]
fn canvases_come_back_in_order_and_by_size() {
    let mut painter = Painter::new(gpu());
    for round in 0..5u8 {
        let plans = [(64, 32), (50, 30)].map(|(w, h)| plan(w, h, vec![step(rect(0, 0, w, h), Paint::Fill([round + w as u8, 1, 2]))]));
        for (n, plan) in plans.iter().enumerate() {
            painter.begin(plan, MediaTime::from_millis(n as u64)).unwrap();
        }
        for (n, plan) in plans.iter().enumerate() {
            let composite = painter.take(PATIENCE).unwrap().unwrap();
            assert_eq!(composite.at, MediaTime::from_millis(n as u64));
            assert_eq!(*composite.frame, Frame::filled(plan.width, plan.height, [round + plan.width as u8, 1, 2]));
        }
        assert_eq!(painter.take(PATIENCE).unwrap().map(|c| c.at), None);
    }
}

#[test]
fn a_destroyed_device_is_told_at_the_next_call() {
    let gpu = Arc::new(Gpu::open(Adapters::AnySoftwareToo).unwrap());
    let mut painter = Painter::new(gpu.clone());
    let plan = plan(64, 32, vec![step(rect(0, 0, 64, 32), whole(&noise(64, 32, 5)))]);
    painter.begin(&plan, MediaTime::ZERO).unwrap();
    gpu.device.destroy();
    let lost = |result| matches!(result, Err(CompositorError::DeviceLost(_)));
    assert!(lost(painter.begin(&plan, MediaTime::ZERO)));
    assert!(lost(painter.take(PATIENCE).map(|_| ())));
    assert!(lost(painter.begin(&plan, MediaTime::ZERO)));
}

#[test]
fn a_device_destroyed_while_a_canvas_is_in_flight_is_told_by_take() {
    let gpu = Arc::new(Gpu::open(Adapters::AnySoftwareToo).unwrap());
    let mut painter = Painter::new(gpu.clone());
    painter.begin(&plan(64, 32, vec![]), MediaTime::ZERO).unwrap();
    gpu.device.destroy();
    let outcomes = [painter.take(PATIENCE), painter.take(PATIENCE)];
    assert!(matches!(outcomes[1], Err(CompositorError::DeviceLost(_))), "{outcomes:?}");
}

const BACKGROUND: [u8; 3] = [40, 130, 120];

/// The device of the tests: any adapter.
pub(super) fn gpu() -> Arc<Gpu> {
    Gpu::shared(Adapters::AnySoftwareToo).expect("these tests need a Vulkan adapter: install mesa-vulkan-drivers")
}

fn painted(plan: &Plan) -> Frame {
    let mut painter = Painter::new(gpu());
    painter.begin(plan, MediaTime::ZERO).unwrap();
    let composite = painter.take(PATIENCE).unwrap().expect("a canvas within the patience");
    Frame::clone(&composite.frame)
}

fn plan(width: u32, height: u32, steps: Vec<Step>) -> Plan {
    Plan { width, height, background: BACKGROUND, steps }
}

fn step(rect: Rect, paint: Paint) -> Step {
    Step { rect, corner_radius: 0.0, opacity: 1.0, paint }
}

fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
    Rect { x, y, width, height }
}

fn full(width: u32, height: u32) -> Crop {
    Crop { x: 0.0, y: 0.0, width: width as f32, height: height as f32 }
}

fn whole(frame: &Arc<Frame>) -> Paint {
    Paint::Picture { frame: frame.clone(), crop: full(frame.width(), frame.height()) }
}

fn noise(width: u32, height: u32, seed: u64) -> Arc<Frame> {
    let mut frame = Frame::black(width, height);
    let mut random = StdRng::seed_from_u64(seed);
    for plane in frame.planes_mut() {
        random.fill(plane);
    }
    Arc::new(frame)
}

fn noise_mask(width: u32, height: u32) -> Arc<Mask> {
    let mut coverage = vec![0; (width * height) as usize];
    StdRng::seed_from_u64(4).fill(&mut coverage[..]);
    Arc::new(Mask { id: u64::MAX, width, height, coverage: coverage.into() })
}

fn mean(samples: &[u8]) -> f64 {
    samples.iter().map(|&s| f64::from(s)).sum::<f64>() / samples.len() as f64
}

/// The part of each plane that a rectangle of luma pixels covers.
fn planes_in(frame: &Frame, rect: Rect) -> [Vec<u8>; 3] {
    let strides = [frame.width(), frame.chroma_size().0, frame.chroma_size().0];
    let cut = |plane: usize, scale: u32| {
        let rows = rect.y / scale..(rect.y + rect.height) / scale;
        let row = |y| &frame.planes()[plane][(y * strides[plane] + rect.x / scale) as usize..][..(rect.width / scale) as usize];
        rows.flat_map(row).copied().collect()
    };
    [cut(0, 1), cut(1, 2), cut(2, 2)]
}

/// Paints the crop at `to` pixels and compares with box means in 64 bits.
#[track_caller]
fn assert_scaled((width, height): (u32, u32), crop: Crop, to: (u32, u32)) {
    let frame = noise(width, height, 7);
    let at = rect(2, 2, to.0, to.1);
    let canvas = painted(&plan(to.0 + 6, to.1 + 4, vec![step(at, Paint::Picture { frame: frame.clone(), crop })]));
    let got = planes_in(&canvas, at);
    let sides = [(width, height), frame.chroma_size(), frame.chroma_size()];
    for plane in 0..3 {
        let scale = if plane == 0 { 1 } else { 2 };
        let (columns, rows) = (to.0 / scale, to.1 / scale);
        let half = f64::from(scale);
        let across = Axis::new(sides[plane].0, f64::from(crop.x) / half, f64::from(crop.width) / half, columns);
        let down = Axis::new(sides[plane].1, f64::from(crop.y) / half, f64::from(crop.height) / half, rows);
        for (n, &got) in got[plane].iter().enumerate() {
            let (x, y) = (n as u32 % columns, n as u32 / columns);
            let expected = box_mean(frame.planes()[plane], sides[plane].0, across.reach(x), down.reach(y));
            assert!((f64::from(got) - expected).abs() <= 0.6, "plane {plane} at {x}, {y}: {got} for {expected}");
        }
    }
}

/// How an axis is sampled, as `compositor::plan` says.
struct Axis {
    length: f64,
    low: f64,
    scale: f64,
}

impl Axis {
    fn new(length: u32, low: f64, side: f64, to: u32) -> Self {
        Self { length: f64::from(length), low, scale: side / f64::from(to) }
    }

    fn reach(&self, position: u32) -> (f64, f64) {
        let reach = if self.scale > 2.0 { self.scale } else { 1.0 };
        let middle = self.low + (f64::from(position) + 0.5) * self.scale;
        let low = (middle - reach / 2.0).clamp(0.0, self.length - reach);
        (low, low + reach)
    }
}

fn box_mean(plane: &[u8], stride: u32, (left, right): (f64, f64), (top, bottom): (f64, f64)) -> f64 {
    let overlap = |n: u32, low: f64, high: f64| (high.min(f64::from(n) + 1.0) - low.max(f64::from(n))).max(0.0);
    let mut sum = 0.0;
    for y in top as u32..bottom.ceil() as u32 {
        for x in left as u32..right.ceil() as u32 {
            sum += overlap(x, left, right) * overlap(y, top, bottom) * f64::from(plane[(y * stride + x) as usize]);
        }
    }
    sum / ((right - left) * (bottom - top))
}

/// Paints a step of one colour and compares with coverage in 64 bits.
#[track_caller]
fn assert_covered(step: &Step) {
    let canvas = painted(&plan(40, 24, vec![step.clone()]));
    let (Paint::Fill(color) | Paint::Border { color, .. } | Paint::Mask { color, .. }) = step.paint else { panic!("a step of one colour") };
    let blend = |plane: usize, coverage: f64| {
        let below = f64::from(BACKGROUND[plane]);
        below + (f64::from(color[plane]) - below) * coverage * f64::from(step.opacity)
    };
    for (n, &got) in canvas.planes()[0].iter().enumerate() {
        let expected = blend(0, coverage(step, n as u32 % 40, n as u32 / 40));
        assert!((f64::from(got) - expected).abs() <= 0.6, "{step:?} luma {n}: {got} for {expected}");
    }
    for plane in 1..3 {
        for (n, &got) in canvas.planes()[plane].iter().enumerate() {
            let (x, y) = (n as u32 % 20 * 2, n as u32 / 20 * 2);
            let block = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
            let expected = blend(plane, block.iter().map(|&(x, y)| coverage(step, x, y)).sum::<f64>() / 4.0);
            assert!((f64::from(got) - expected).abs() <= 0.6, "{step:?} plane {plane} {n}: {got} for {expected}");
        }
    }
}

/// Coverage of a luma pixel, as `compositor::plan` says.
fn coverage(step: &Step, x: u32, y: u32) -> f64 {
    let Rect { x: left, y: top, width, height } = step.rect;
    if !(left..left + width).contains(&x) || !(top..top + height).contains(&y) {
        return 0.0;
    }
    let radius = f64::from(step.corner_radius);
    let beyond = |at: u32, low: u32, side: u32| {
        let half = f64::from(side) / 2.0;
        (f64::from(at) + 0.5 - f64::from(low) - half).abs() - half + radius
    };
    let (across, down) = (beyond(x, left, width), beyond(y, top, height));
    let distance = across.max(0.0).hypot(down.max(0.0)) + across.max(down).min(0.0) - radius;
    let inside = |distance: f64| (0.5 - distance).clamp(0.0, 1.0);
    match &step.paint {
        Paint::Border { width, .. } => inside(distance) - inside(distance + f64::from(*width)),
        Paint::Mask { mask, .. } => inside(distance) * f64::from(mask.coverage[((y - top) * width + x - left) as usize]) / 255.0,
        _ => inside(distance),
    }
}
