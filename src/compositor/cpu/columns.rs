//! Scaling by any ratio: down first, then across, eight output rows at a time.
//!
//! Scaling across is a gather that no baseline instruction set has. So eight rows that are already scaled down are turned
//! on their side: column `x` is one vector of eight samples, and scaling across mixes whole vectors, whatever the ratio.
//!
//! In: a plane and two axes; out: the target's pixels. Never: an allocation, once the buffers have their size.

use wide::u8x16;

use super::axis::{Axis, Filter, GROUP};
use super::scale::{Plane, Target};
use super::turn::{turn, turn_back};
use super::{across, down};

/// Rows scaled together: the lanes of a vector.
pub(super) const ROWS: usize = 8;
/// Eight samples, one below the other: each its value where the axis across is linear, 256 times it where that takes means.
pub(super) type Column = [u16; ROWS];

/// The buffers.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// Eight rows, scaled down, one after the other.
    rows: Vec<[u8; GROUP]>,
    columns: Vec<Column>,
}

impl Columns {
    /// Fills `target` from `source`.
    pub(super) fn scale(&mut self, source: Plane, across: &Axis, down: &Axis, target: &mut Target) {
        let reach = across.reach(source.width);
        let groups = (reach.end - reach.start).div_ceil(GROUP);
        self.rows.resize(ROWS * groups, [0; GROUP]);
        // One column more: a linear tap on the last reads the next, with weight 0.
        self.columns.resize(groups * GROUP + 1, [0; ROWS]);
        for first in (0..target.height).step_by(ROWS) {
            for (row, out) in self.rows.chunks_exact_mut(groups).enumerate() {
                down::scale(source, reach.clone(), down, (first + row).min(target.height - 1), out.as_flattened_mut());
            }
            match &across.filter {
                Filter::Lerp(taps) => {
                    self.turn::<false>(groups);
                    self.across(first, target, |columns, group| across::lerp(columns, reach.start, &taps.as_chunks().0[group]));
                }
                Filter::Area(area) => {
                    self.turn::<true>(groups);
                    self.across(first, target, |columns, group| across::area(columns, reach.start, area, group));
                }
            }
        }
    }

    /// Turns the rows on their side, samples times 256 where `TIMES_256`.
    fn turn<const TIMES_256: bool>(&mut self, groups: usize) {
        let columns = self.columns.as_chunks_mut().0.iter_mut();
        for (group, columns) in columns.enumerate() {
            let row = |k: usize| u8x16::new(self.rows[k * groups + group]);
            turn::<TIMES_256>([row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)], columns);
        }
    }

    /// Mixes sixteen output columns at a time with `mix` into eight rows of the target, from `first` on.
    #[inline(always)]
    fn across(&self, first: usize, target: &mut Target, mix: impl Fn(&[Column], usize) -> [u8x16; ROWS]) {
        let (left, width) = (target.x, target.width);
        let mut out: [&mut [u8]; ROWS] = Default::default();
        let rows = target.samples[(target.y + first) * target.stride..].chunks_mut(target.stride).take(target.height - first);
        for (out, row) in out.iter_mut().zip(rows) {
            *out = &mut row[left..left + width];
        }
        for (group, x) in (0..width).step_by(GROUP).enumerate() {
            let samples = turn_back(mix(&self.columns, group));
            for (row, samples) in out.iter_mut().zip(samples) {
                put(row, x, samples.to_array());
            }
        }
    }
}

/// Writes what fits of `samples` at `x`.
#[inline(always)]
fn put(row: &mut [u8], x: usize, samples: [u8; GROUP]) {
    let Some(rest) = row.get_mut(x..) else { return };
    match rest.first_chunk_mut() {
        Some(whole) => *whole = samples,
        None => rest.copy_from_slice(&samples[..rest.len()]),
    }
}
