//! Scaling across: sixteen output columns of eight rows from columns of eight samples.
//!
//! In: columns and an axis's weights; out: vector `k` holds output columns `2k` and `2k + 1`. Never: memory but the columns.

use wide::{u8x16, u16x8};

use super::axis::{Area, GROUP, Lerp};
use super::columns::{Column, ROWS};
use super::turn::narrow;

/// Each between two neighbouring columns.
#[inline(always)]
pub(super) fn lerp(columns: &[Column], first: usize, taps: &[Lerp; GROUP]) -> [u8x16; ROWS] {
    let mix = |tap: Lerp| {
        // Every tap has two columns: the bound is for the compiler, which then checks neither.
        let at = (tap.at as usize).wrapping_sub(first).min(columns.len() - 2);
        let (a, b) = (u16x8::new(columns[at]), u16x8::new(columns[at + 1]));
        // As down: wrapping, and exact modulo 2¹⁶.
        ((a << 8) + (b - a) * u16x8::splat(tap.weight) + u16x8::splat(128)) >> 8
    };
    let pair = |k: usize| narrow(mix(taps[2 * k]), mix(taps[2 * k + 1]));
    [pair(0), pair(1), pair(2), pair(3), pair(4), pair(5), pair(6), pair(7)]
}

/// Each the mean of some columns, whose samples are times 256.
#[inline(always)]
pub(super) fn area(columns: &[Column], first: usize, area: &Area, group: usize) -> [u8x16; ROWS] {
    let at = group * GROUP;
    let mean = |k: usize| mean(&columns[area.starts[at + k] - first..], area.stride, area.weights(at + k));
    let pair = |k: usize| narrow(mean(2 * k), mean(2 * k + 1));
    [pair(0), pair(1), pair(2), pair(3), pair(4), pair(5), pair(6), pair(7)]
}

/// Sums 8.8 fixed-point products, each cut off to that: it begins with a half to round the sum, and half a unit for each cut.
/// With at most 64 products a constant stays that constant.
#[inline(always)]
fn mean(columns: &[Column], stride: usize, weights: &[i16]) -> u16x8 {
    let start = u16x8::splat(128 + weights.len() as u16 / 2);
    let products = columns.iter().step_by(stride).zip(weights);
    products.fold(start, |sum, (&column, &weight)| sum + u16x8::new(column).mul_keep_high(u16x8::splat((weight as u16) << 1))) >> 8
}
