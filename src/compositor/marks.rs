//! Marks that Medley draws itself: the mute mark, and that of a picture that stands still.
//!
//! In: a size in pixels; out: a coverage mask. Never: text.

use std::sync::Arc;

use super::plan::Mask;

type Point = (f32, f32);

/// A microphone struck through, `size × size` pixels (`size` even).
pub(super) fn muted(size: u32) -> Arc<Mask> {
    drawn(size, microphone_struck_through)
}

/// A clock, `size × size` pixels (`size` even).
pub(super) fn stalled(size: u32) -> Arc<Mask> {
    drawn(size, clock)
}

fn drawn(size: u32, coverage: fn(Point, f32) -> f32) -> Arc<Mask> {
    let scale = size as f32;
    let pixel = |i: u32| {
        let at = (((i % size) as f32 + 0.5) / scale, ((i / size) as f32 + 0.5) / scale);
        (coverage(at, scale) * 255.0).round() as u8
    };
    Mask::new(size, size, (0..size * size).map(pixel).collect())
}

/// Coverage at a point of the unit square, seen at `scale` pixels a side.
fn clock(at: Point, scale: f32) -> f32 {
    let ring = ((at.0 - 0.5).hypot(at.1 - 0.5) - 0.4).abs() - 0.05;
    let hands = segment(at, (0.5, 0.5), (0.5, 0.24)).min(segment(at, (0.5, 0.5), (0.67, 0.6))) - 0.045;
    (0.5 - ring.min(hands) * scale).clamp(0.0, 1.0)
}

/// Coverage at a point of the unit square, seen at `scale` pixels a side.
fn microphone_struck_through(at: Point, scale: f32) -> f32 {
    let cover = |distance: f32| (0.5 - distance * scale).clamp(0.0, 1.0);
    let strike = segment(at, (0.16, 0.12), (0.84, 0.88));
    let head = segment(at, (0.5, 0.24), (0.5, 0.44)) - 0.145;
    let stand = (segment(at, (0.5, 0.74), (0.5, 0.88)) - 0.042).min(segment(at, (0.36, 0.9), (0.64, 0.9)) - 0.042);
    let microphone = head.min(cradle(at)).min(stand);
    // The gap along the strike keeps the two apart at label size.
    let gap = 1.0 - cover(strike - 0.12);
    cover(strike - 0.05).max(cover(microphone) * gap)
}

/// The lower half of a ring about the microphone's head.
fn cradle((x, y): Point) -> f32 {
    let (dx, dy) = (x - 0.5, y - 0.44);
    if dy < 0.0 {
        return (dx.abs() - 0.27).hypot(dy) - 0.042;
    }
    (dx.hypot(dy) - 0.27).abs() - 0.042
}

fn segment((x, y): Point, (ax, ay): Point, (bx, by): Point) -> f32 {
    let (dx, dy) = (bx - ax, by - ay);
    let along = (((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
    (x - ax - along * dx).hypot(y - ay - along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strike_runs_from_corner_to_corner_and_the_edges_are_soft() {
        let mask = muted(32);
        let at = |x: usize, y: usize| mask.coverage[y * 32 + x];
        assert!(at(6, 5) > 200 && at(26, 27) > 200, "the strike's ends");
        assert!(at(0, 31) == 0 && at(31, 0) == 0, "the other corners");
        assert!(mask.coverage.iter().any(|&c| (1..255).contains(&c)));
    }

    #[test]
    fn the_clock_has_a_ring_and_two_hands() {
        let mask = stalled(32);
        let at = |x: usize, y: usize| mask.coverage[y * 32 + x];
        assert!(at(16, 3) > 200 && at(3, 16) > 200 && at(16, 10) > 200 && at(20, 18) > 200);
        assert!(at(0, 0) == 0 && at(10, 20) == 0 && at(16, 24) == 0);
    }
}
