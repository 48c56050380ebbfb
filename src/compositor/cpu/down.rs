//! Scaling down to one row: a mix of a few of the source's.
//!
//! In: a source plane, the weights of an output row; out: a part of that row, as long as the source's. Never: another row.
//!
//! Row by row and not block by block: each source row is read from left to right, as the memory likes it.

use std::ops::Range;

use bytemuck::cast;
use wide::{i16x8, i32x4, u8x16};

use super::axis::{Area, Axis, Filter, Lerp, MOST_TAPS, WEIGHT_BITS};
use super::scale::Plane;

/// Output row `row` of the axis `down`, in the columns `reach`, to the beginning of `out`.
pub(super) fn scale(source: Plane, reach: Range<usize>, down: &Axis, row: usize, out: &mut [u8]) {
    let out = &mut out[..reach.len()];
    match &down.filter {
        Filter::Lerp(taps) => lerp(source, reach, taps[row], out),
        Filter::Area(area) => mean(source, reach, area, row, out),
    }
}

/// Between two rows. The difference wraps, and so does its product: the sum is exact modulo 2¹⁶ and fits.
fn lerp(source: Plane, reach: Range<usize>, tap: Lerp, out: &mut [u8]) {
    let upper = source.part(tap.at as usize, reach.clone());
    let lower = source.part((tap.at as usize + 1).min(source.height - 1), reach);
    for (out, (&a, &b)) in out.iter_mut().zip(upper.iter().zip(lower)) {
        let (a, b) = (u16::from(a), u16::from(b));
        let product = b.wrapping_sub(a).wrapping_mul(tap.weight);
        *out = ((a << 8 | 128).wrapping_add(product) >> 8) as u8;
    }
}

/// The mean of some rows, two at a time: one instruction multiplies sixteen-bit pairs and adds each pair.
fn mean(source: Plane, reach: Range<usize>, area: &Area, row: usize, out: &mut [u8]) {
    let weights = area.weights(row);
    let mut parts = [&[][..]; MOST_TAPS];
    for (tap, part) in parts[..weights.len()].iter_mut().enumerate() {
        *part = source.part(area.starts[row] + tap * area.stride, reach.clone());
    }
    let parts = &parts[..weights.len()];
    let (chunks, rest) = out.as_chunks_mut();
    for (i, out) in chunks.iter_mut().enumerate() {
        *out = mean_of_chunk(parts, weights, i);
    }
    let done = reach.len() - rest.len();
    for (i, out) in rest.iter_mut().enumerate() {
        let products = parts.iter().zip(weights).map(|(part, &weight)| i32::from(part[done + i]) * i32::from(weight));
        *out = ((products.sum::<i32>() + HALF) >> WEIGHT_BITS) as u8;
    }
}

const HALF: i32 = 1 << (WEIGHT_BITS - 1);

#[inline(always)]
fn mean_of_chunk(parts: &[&[u8]], weights: &[i16], i: usize) -> [u8; 16] {
    let [mut a, mut b, mut c, mut d] = [i32x4::splat(HALF); 4];
    for (parts, weights) in parts.chunks(2).zip(weights.chunks(2)) {
        let chunk = |part: &[u8]| u8x16::new(part.as_chunks().0[i]);
        // Where the number of rows is odd, the last counts twice, the second time for nothing.
        let (upper, lower) = (chunk(parts[0]), chunk(parts[parts.len() - 1]));
        let weights = pairs_of(weights[0], weights.get(1).copied().unwrap_or(0));
        let (low, high) = (u8x16::unpack_low(upper, lower), u8x16::unpack_high(upper, lower));
        a += low_half(low).dot(weights);
        b += high_half(low).dot(weights);
        c += low_half(high).dot(weights);
        d += high_half(high).dot(weights);
    }
    let bytes = |a: i32x4, b: i32x4| i16x8::from_i32x8_truncate(cast([a >> WEIGHT_BITS, b >> WEIGHT_BITS]));
    u8x16::narrow_i16x8(bytes(a, b), bytes(c, d)).to_array()
}

#[inline(always)]
fn pairs_of(first: i16, second: i16) -> i16x8 {
    cast(i32x4::splat(i32::from(second) << 16 | i32::from(first as u16)))
}

/// The first eight bytes as numbers.
#[inline(always)]
fn low_half(bytes: u8x16) -> i16x8 {
    i16x8::from_u8x16_low(bytes)
}

/// The last eight bytes as numbers.
#[inline(always)]
fn high_half(bytes: u8x16) -> i16x8 {
    i16x8::from_u8x16_high(bytes)
}
