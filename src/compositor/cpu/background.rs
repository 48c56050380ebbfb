//! The background, painted only where something may show it.
//!
//! In: a plan; out: the parts of the canvas that no opaque step covers. Never: pixels.

use crate::compositor::plan::{Paint, Plan, Step};
use crate::media::Rect;

/// What is to be painted with the background's colour: everything but the insides of opaque steps.
pub(super) fn uncovered(plan: &Plan) -> Vec<Rect> {
    let canvas = Rect { x: 0, y: 0, width: plan.width, height: plan.height };
    let mut parts = vec![canvas];
    for covered in plan.steps.iter().filter_map(inside) {
        parts = parts.into_iter().flat_map(|part| without(part, covered)).collect();
        // Many small parts cost more than they save.
        if parts.len() > 64 {
            return vec![canvas];
        }
    }
    parts
}

/// The rectangle that the step paints over whatever is there. Of round corners it leaves out their rows.
fn inside(step: &Step) -> Option<Rect> {
    if step.opacity < 1.0 || !matches!(step.paint, Paint::Picture { .. } | Paint::Fill(_)) {
        return None;
    }
    let round = (step.corner_radius.max(0.0).ceil() as u32).next_multiple_of(2);
    let height = step.rect.height.checked_sub(2 * round).filter(|&height| height > 0)?;
    Some(Rect { y: step.rect.y + round, height, ..step.rect })
}

/// `part` without `hole`: at most four rectangles.
fn without(part: Rect, hole: Rect) -> impl Iterator<Item = Rect> {
    let (right, bottom) = (part.x + part.width, part.y + part.height);
    let (x0, x1) = (hole.x.clamp(part.x, right), (hole.x + hole.width).clamp(part.x, right));
    let (y0, y1) = (hole.y.clamp(part.y, bottom), (hole.y + hole.height).clamp(part.y, bottom));
    let between = |x: u32, y: u32, x_end: u32, y_end: u32| Rect { x, y, width: x_end - x, height: y_end - y };
    let around =
        [between(part.x, part.y, right, y0), between(part.x, y0, x0, y1), between(x1, y0, right, y1), between(part.x, y1, right, bottom)];
    let apart = x0 == x1 || y0 == y1;
    let rest = if apart { [Some(part), None, None, None] } else { around.map(Some) };
    rest.into_iter().flatten().filter(|rect| rect.width > 0 && rect.height > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fill(rect: Rect, corner_radius: f32, opacity: f32) -> Step {
        Step { rect, corner_radius, opacity, paint: Paint::Fill([0, 0, 0]) }
    }

    fn plan(steps: Vec<Step>) -> Plan {
        Plan { width: 40, height: 24, background: [0, 0, 0], steps }
    }

    #[test]
    fn nothing_is_painted_behind_a_step_that_fills_the_canvas() {
        let whole = Rect { x: 0, y: 0, width: 40, height: 24 };
        assert!(uncovered(&plan(vec![fill(whole, 0.0, 1.0)])).is_empty());
        assert_eq!(uncovered(&plan(vec![fill(whole, 0.0, 0.5)])), [whole]);
    }

    proptest! {
        #[test]
        fn covered_and_uncovered_parts_make_up_the_canvas(
            places in prop::collection::vec((0u32..20, 0u32..12, 1u32..20, 1u32..12), 0..8), radius in 0.0f32..4.0,
        ) {
            let clipped = places.into_iter().map(|(x, y, w, h)| {
                let rect = Rect { x: 2 * x, y: 2 * y, width: (2 * w).min(40 - 2 * x), height: (2 * h).min(24 - 2 * y) };
                fill(rect, radius, 1.0)
            });
            let plan = plan(clipped.collect());
            let inside: Vec<Rect> = plan.steps.iter().filter_map(inside).collect();
            let uncovered = uncovered(&plan);
            let within = |r: &Rect, x: u32, y: u32| (r.x..r.x + r.width).contains(&x) && (r.y..r.y + r.height).contains(&y);
            for (x, y) in (0..40).flat_map(|x| (0..24).map(move |y| (x, y))) {
                let covered = inside.iter().any(|r| within(r, x, y));
                let painted = uncovered.iter().filter(|r| within(r, x, y)).count();
                prop_assert_eq!(painted, usize::from(!covered), "{} {}", x, y);
            }
        }
    }
}
