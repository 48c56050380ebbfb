//! Scaling one plane into a part of another.
//!
//! In: a source plane, an [`Axis`] across and one down; out: pixels in the target's rows. One-to-one is a copy of rows, two-to-one a mean
//! of 2×2, all else goes through [`super::columns`]. Never: blending, or a pixel outside the target's part.

use std::ops::Range;
use std::sync::Arc;

use bytemuck::cast;
use wide::u16x8;

use super::axis::{Axis, Exact};
use super::columns::Columns;
use super::turn::narrow;

/// A packed plane to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plane<'a> {
    pub(super) samples: &'a [u8],
    pub(super) width: usize,
    pub(super) height: usize,
}

impl<'a> Plane<'a> {
    /// The columns `reach` of row `row`.
    #[inline(always)]
    pub(super) fn part(self, row: usize, reach: Range<usize>) -> &'a [u8] {
        &self.samples[row * self.width..][reach]
    }
}

/// A part of a plane to be written.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) samples: &'a mut [u8],
    /// From one row to the next.
    pub(super) stride: usize,
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Target<'_> {
    /// Its rows, top to bottom.
    pub(super) fn rows(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let (x, width) = (self.x, self.width);
        self.samples[self.y * self.stride..].chunks_mut(self.stride).take(self.height).map(move |row| &mut row[x..x + width])
    }
}

/// Fills `target` from `source`; the axes are of the target's size.
pub(super) fn scale(source: Plane, across: &Arc<Axis>, down: &Arc<Axis>, target: &mut Target, columns: &mut Columns) {
    match (across.exact, down.exact) {
        (Some(Exact { ratio: 1, at: x }), Some(Exact { ratio: 1, at: y })) => copy(source, x, y, target),
        (Some(Exact { ratio: 2, at: x }), Some(Exact { ratio: 2, at: y })) => halve(source, x, y, target),
        _ => columns.scale(source, across, down, target),
    }
}

fn copy(source: Plane, x: usize, y: usize, target: &mut Target) {
    let from = source.samples[y * source.width..].chunks(source.width);
    for (to, from) in target.rows().zip(from) {
        to.copy_from_slice(&from[x..x + to.len()]);
    }
}

fn halve(source: Plane, x: usize, y: usize, target: &mut Target) {
    let pairs = source.samples[y * source.width..].chunks(2 * source.width);
    for (to, pair) in target.rows().zip(pairs) {
        let (upper, lower) = pair.split_at(source.width);
        halve_row(to, &upper[x..], &lower[x..]);
    }
}

/// Means of 2×2: sixteen-bit lanes hold two neighbours each.
pub(super) fn halve_row(to: &mut [u8], upper: &[u8], lower: &[u8]) {
    let (wholes, rest) = to.as_chunks_mut::<16>();
    let done = 2 * 16 * wholes.len();
    let inputs = upper.as_chunks::<32>().0.iter().zip(lower.as_chunks::<32>().0);
    for (to, (a, b)) in wholes.iter_mut().zip(inputs) {
        let ([a0, a1], [b0, b1]): ([u16x8; 2], [u16x8; 2]) = (cast(*a), cast(*b));
        let neighbours = |pairs: u16x8| (pairs & u16x8::splat(255)) + (pairs >> 8);
        let mean = |a: u16x8, b: u16x8| (neighbours(a) + neighbours(b) + u16x8::splat(2)) >> 2;
        *to = narrow(mean(a0, b0), mean(a1, b1)).to_array();
    }
    let blocks = upper[done..].as_chunks::<2>().0.iter().zip(lower[done..].as_chunks::<2>().0);
    for (to, (a, b)) in rest.iter_mut().zip(blocks) {
        let sum = u16::from(a[0]) + u16::from(a[1]) + u16::from(b[0]) + u16::from(b[1]);
        *to = ((sum + 2) >> 2) as u8;
    }
}
