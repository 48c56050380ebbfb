//! Scaling by any ratio: down first, then across, eight output rows at a time.
//!
//! Scaling across is a gather that no baseline instruction set has. So eight rows that are already scaled down are turned
//! on their side: column `x` is one vector of eight samples, and scaling across mixes whole vectors, whatever the ratio.
//!
//! In: a plane and two axes; out: the target's pixels. Never: an allocation, once the buffer has its size.

use bytemuck::cast;
use wide::{i16x8, u8x16, u16x8};

use super::axis::{Area, Axis, Filter, GROUP, Lerp};
use super::scale::{Plane, Target};

/// Rows scaled together: the lanes of a vector.
const ROWS: usize = 8;
/// Source columns scaled down together: a cache line.
const STRIP: usize = 64;

type Strip = [u8; STRIP];

/// The buffer of columns.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// Eight samples a column, each its value (for [`Lerp`]) or 256 times it (for [`Area`]).
    columns: Vec<[u16; ROWS]>,
}

impl Columns {
    /// Fills `target` from `source`.
    pub(super) fn scale(&mut self, source: Plane, across: &Axis, down: &Axis, target: &mut Target) {
        let reach = across.reach(source.width);
        // One column more than the strips': a linear tap on the last one reads the next, with weight 0.
        self.columns.resize((reach.1 - reach.0).next_multiple_of(STRIP) + 1, [0; ROWS]);
        for first in (0..target.height).step_by(ROWS) {
            let rows = std::array::from_fn(|row| (first + row).min(target.height - 1));
            match &across.filter {
                Filter::Lerp(taps) => {
                    self.down::<false>(source, reach, down, rows);
                    self.across(first, target, |columns, i| lerp_across(columns, reach.0, taps[i]));
                }
                Filter::Area(area) => {
                    self.down::<true>(source, reach, down, rows);
                    self.across(first, target, |columns, i| area_across(columns, reach.0, area, i));
                }
            }
        }
    }

    /// Scales the columns of `reach` down to the output `rows` and turns them on their side, each sample times 256 where `TIMES_256`.
    fn down<const TIMES_256: bool>(&mut self, source: Plane, reach: (usize, usize), down: &Axis, rows: [usize; ROWS]) {
        let mut strip = [[0; STRIP]; ROWS];
        for (x, columns) in (reach.0..reach.1).step_by(STRIP).zip(self.columns.as_chunks_mut::<STRIP>().0) {
            for (out, row) in strip.iter_mut().zip(rows) {
                match &down.filter {
                    Filter::Lerp(taps) => lerp_down(source, x, taps[row], out),
                    Filter::Area(area) => area_down(source, x, area, row, out),
                }
            }
            turn::<TIMES_256>(&strip, columns);
        }
    }

    /// Mixes columns with `mix` into the target's rows from `first` on.
    #[inline(always)]
    fn across(&self, first: usize, target: &mut Target, mix: impl Fn(&[[u16; ROWS]], usize) -> u16x8) {
        let (left, width) = (target.x, target.width);
        let rows = ROWS.min(target.height - first);
        let out = &mut target.samples[(target.y + first) * target.stride..];
        for x in (0..width).step_by(GROUP) {
            let pairs: [u8x16; ROWS] = std::array::from_fn(|k| narrow(mix(&self.columns, x + k), mix(&self.columns, x + k + ROWS)));
            let group = GROUP.min(width - x);
            for (row, samples) in out.chunks_mut(target.stride).take(rows).zip(turn_back(pairs)) {
                let samples = samples.to_array();
                let row = &mut row[left + x..left + x + group];
                match <&mut [u8; GROUP]>::try_from(&mut *row) {
                    Ok(row) => *row = samples,
                    Err(_) => row.copy_from_slice(&samples[..group]),
                }
            }
        }
    }
}

/// `a + (b − a) × weight ÷ 256`, rounded. The difference wraps, and so does its product: the sum is exact modulo 2¹⁶ and fits.
#[inline(always)]
fn lerp_down(source: Plane, x: usize, tap: Lerp, out: &mut Strip) {
    let (mut spare_a, mut spare_b) = ([0; STRIP], [0; STRIP]);
    let a = window(source, tap.at, x, &mut spare_a);
    let b = window(source, (tap.at + 1).min(source.height - 1), x, &mut spare_b);
    for (out, (&a, &b)) in out.iter_mut().zip(a.iter().zip(b)) {
        let (a, b) = (u16::from(a), u16::from(b));
        let product = b.wrapping_sub(a).wrapping_mul(tap.weight);
        *out = ((a << 8).wrapping_add(product).wrapping_add(128) >> 8) as u8;
    }
}

#[inline(always)]
fn area_down(source: Plane, x: usize, area: &Area, row: usize, out: &mut Strip) {
    let mut sums = [half_and_truncated(area.taps); STRIP];
    let mut spare = [0; STRIP];
    for (tap, &weight) in area.weights(row).iter().enumerate() {
        let samples = window(source, area.starts[row] + tap * area.stride, x, &mut spare);
        for (sum, &sample) in sums.iter_mut().zip(samples) {
            let part = (u32::from(u16::from(sample) << 8) * u32::from(weight)) >> 16;
            *sum = sum.wrapping_add(part as u16);
        }
    }
    for (out, sum) in out.iter_mut().zip(sums) {
        *out = (sum >> 8) as u8;
    }
}

/// What is added to a sum of 8.8 fixed-point products to round it: a half, and half a unit for the truncation of each product.
/// With at most 64 products a constant stays that constant.
fn half_and_truncated(taps: usize) -> u16 {
    128 + taps as u16 / 2
}

/// `STRIP` samples of a row from `x` on. What lies beyond the row's end is never looked at, so it may be the next row's.
#[inline(always)]
fn window<'a>(source: Plane<'a>, row: usize, x: usize, spare: &'a mut Strip) -> &'a Strip {
    let rest = &source.samples[row * source.width + x..];
    match rest.first_chunk() {
        Some(strip) => strip,
        None => {
            spare[..rest.len()].copy_from_slice(rest);
            spare
        }
    }
}

#[inline(always)]
fn lerp_across(columns: &[[u16; ROWS]], first: usize, tap: Lerp) -> u16x8 {
    let pair = &columns[tap.at - first..][..2];
    let (a, b) = (u16x8::new(pair[0]), u16x8::new(pair[1]));
    ((a << 8) + (b - a) * u16x8::splat(tap.weight) + u16x8::splat(128)) >> 8
}

#[inline(always)]
fn area_across(columns: &[[u16; ROWS]], first: usize, area: &Area, i: usize) -> u16x8 {
    let columns = columns[area.starts[i] - first..].iter().step_by(area.stride);
    let start = u16x8::splat(half_and_truncated(area.taps));
    columns.zip(area.weights(i)).fold(start, |sum, (&column, &weight)| sum + u16x8::new(column).mul_keep_high(u16x8::splat(weight))) >> 8
}

/// Rows on their side: sample `x` of each row into column `x`.
#[inline(always)]
fn turn<const TIMES_256: bool>(strip: &[Strip; ROWS], columns: &mut [[u16; ROWS]; STRIP]) {
    for (group, columns) in columns.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let rows: [u8x16; ROWS] = std::array::from_fn(|row| u8x16::new(strip[row].as_chunks::<16>().0[group]));
        // Three rounds of interleaving rows four apart leave columns 2k and 2k + 1 in vector k.
        for (vector, pair) in interleave(interleave(interleave(rows))).into_iter().zip(columns.as_chunks_mut::<2>().0) {
            let zero = u8x16::default();
            let widened = if TIMES_256 {
                [u8x16::unpack_low(zero, vector), u8x16::unpack_high(zero, vector)]
            } else {
                [u8x16::unpack_low(vector, zero), u8x16::unpack_high(vector, zero)]
            };
            *pair = widened.map(cast);
        }
    }
}

#[inline(always)]
fn interleave(v: [u8x16; 8]) -> [u8x16; 8] {
    std::array::from_fn(|k| if k % 2 == 0 { u8x16::unpack_low(v[k / 2], v[k / 2 + 4]) } else { u8x16::unpack_high(v[k / 2], v[k / 2 + 4]) })
}

/// Columns back to rows: in, vector `k` holds columns `k` and `k + 8`; out, vector `r` holds row `r` of all sixteen.
#[inline(always)]
fn turn_back(pairs: [u8x16; ROWS]) -> [u8x16; ROWS] {
    // Four vectors of eight rows each become columns 0 to 7 and 8 to 15 by three rounds of interleaving columns four, two and one apart.
    let low = interleave_halves(std::array::from_fn(|k| u8x16::unpack_low(pairs[k], pairs[k + 4])));
    let high = interleave_halves(std::array::from_fn(|k| u8x16::unpack_high(pairs[k], pairs[k + 4])));
    std::array::from_fn(|row| {
        let (left, right): ([u64; 2], [u64; 2]) = (cast(low[row / 2]), cast(high[row / 2]));
        cast([left[row % 2], right[row % 2]])
    })
}

#[inline(always)]
fn interleave_halves(v: [u8x16; 4]) -> [u8x16; 4] {
    let step = |v: [u8x16; 4]| {
        [u8x16::unpack_low(v[0], v[2]), u8x16::unpack_high(v[0], v[2]), u8x16::unpack_low(v[1], v[3]), u8x16::unpack_high(v[1], v[3])]
    };
    step(step(v))
}

/// Sixteen samples of 0 to 255 as bytes.
#[inline(always)]
fn narrow(a: u16x8, b: u16x8) -> u8x16 {
    u8x16::narrow_i16x8(cast::<u16x8, i16x8>(a), cast::<u16x8, i16x8>(b))
}
