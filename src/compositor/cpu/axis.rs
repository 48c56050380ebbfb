//! How one axis of a picture is resampled: which source samples make each output sample, with which weights.
//!
//! In: a source length, the part of it that is shown, an output length; out: tables, made once and kept by [`Axes`].
//! Never: pixels.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Tables kept; a scene of nine differently sized pictures needs 36.
const KEPT: usize = 128;
/// Source samples that make one output sample at most. Beyond it every n-th counts: the sums stay exact, and such a picture is a speck.
pub(super) const MOST_TAPS: usize = 64;
/// Weights of means are in units of 2^-15, so that a pair of them and a pair of samples make 32 bits.
pub(super) const WEIGHT_BITS: i32 = 15;
/// Tables are padded to whole groups of this many outputs, so that the inner loop has no tail.
pub(super) const GROUP: usize = 16;

/// One axis, resampled.
#[derive(Debug)]
pub(super) struct Axis {
    /// Set where each output is one or two whole source samples.
    pub(super) exact: Option<Exact>,
    /// The general way, for every axis.
    pub(super) filter: Filter,
}

/// Output samples that are whole source samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    /// Source samples to each output: 1 or 2.
    pub(super) ratio: usize,
    /// The first one.
    pub(super) at: usize,
}

/// Weights, padded to a multiple of [`GROUP`] with the last output's.
#[derive(Debug)]
pub(super) enum Filter {
    /// Between two neighbours.
    Lerp(Vec<Lerp>),
    /// The mean of what is covered.
    Area(Area),
}

/// `source[at] + (source[at + 1] − source[at]) × weight ÷ 256`; where `at` is the last sample, `weight` is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lerp {
    pub(super) at: u32,
    pub(super) weight: u16,
}

/// `Σ source[at + k × stride] × weights[k] ÷ 2^`[`WEIGHT_BITS`]; the weights of one output sum to exactly that.
#[derive(Debug)]
pub(super) struct Area {
    /// The first source sample of each output.
    pub(super) starts: Vec<usize>,
    /// Weights of each output, `taps` apiece; those of samples that count for nothing are 0.
    weights: Vec<i16>,
    /// Weights to an output, at least 2 and at most [`MOST_TAPS`].
    pub(super) taps: usize,
    /// From one counted sample to the next.
    pub(super) stride: usize,
}

impl Axis {
    /// `len` outputs from the `span` that begins at `offset` of `source` samples.
    pub(super) fn new(source: usize, offset: f64, span: f64, len: usize) -> Self {
        let filter = if span > 2.0 * len as f64 {
            Filter::Area(Area::new(source, offset, span, len))
        } else {
            Filter::Lerp(lerps(source, offset, span, len))
        };
        Self { exact: exact(source, offset, span, len), filter }
    }

    /// The source samples that count.
    pub(super) fn reach(&self, source: usize) -> Range<usize> {
        let (first, last) = match &self.filter {
            Filter::Lerp(taps) => (taps[0].at as usize, taps[taps.len() - 1].at as usize + 2),
            Filter::Area(area) => (area.starts[0], area.starts[area.starts.len() - 1] + (area.taps - 1) * area.stride + 1),
        };
        first..last.min(source)
    }
}

fn exact(source: usize, offset: f64, span: f64, len: usize) -> Option<Exact> {
    let ratio = [1, 2].into_iter().find(|&ratio| span == (ratio * len) as f64)?;
    let fits = offset >= 0.0 && offset.fract() == 0.0 && offset as usize + ratio * len <= source;
    fits.then_some(Exact { ratio, at: offset as usize })
}

fn padded(len: usize) -> impl Iterator<Item = usize> {
    (0..len.next_multiple_of(GROUP)).map(move |i| i.min(len - 1))
}

fn lerps(source: usize, offset: f64, span: f64, len: usize) -> Vec<Lerp> {
    let last = (source - 1) as f64;
    let place = |i: usize| {
        let middle = offset + (i as f64 + 0.5) * span / len as f64 - 0.5;
        let fixed = (middle.clamp(0.0, last) * 256.0).round() as usize;
        Lerp { at: (fixed / 256) as u32, weight: (fixed % 256) as u16 }
    };
    padded(len).map(place).collect()
}

impl Area {
    fn new(source: usize, offset: f64, span: f64, len: usize) -> Self {
        let each = span / len as f64;
        let part = |i: usize| {
            let from = (offset + i as f64 * each).clamp(0.0, source as f64 - 1.0);
            (from, (from + each).min(source as f64))
        };
        let widest = (0..len).map(part).map(|(from, to)| (to.ceil() - from.floor()) as usize).max().unwrap_or(2);
        let stride = widest.div_ceil(MOST_TAPS);
        let taps = widest.div_ceil(stride).clamp(2, MOST_TAPS);
        let mut area = Self { starts: Vec::new(), weights: Vec::new(), taps, stride };
        for i in padded(len) {
            let (from, to) = part(i);
            area.push(source, from, to);
        }
        area
    }

    /// One output: each counted sample weighs as much of `from..to` as it stands for, rounded so that the sum is exact.
    fn push(&mut self, source: usize, from: f64, to: f64) {
        let reach = (self.taps - 1) * self.stride + 1;
        let start = (from.floor() as usize).min(source.saturating_sub(reach));
        self.starts.push(start);
        let share = |edge: usize| (((start + edge * self.stride) as f64).clamp(from, to) - from) / (to - from);
        let one = f64::from(1 << WEIGHT_BITS);
        let mut given = 0.0;
        for tap in 1..=self.taps {
            let due = if tap == self.taps { one } else { (share(tap) * one).round() };
            // An output of an area axis covers more than two samples, so none weighs much more than half.
            self.weights.push((due - given) as i16);
            given = due;
        }
    }

    /// The weights of output `i`.
    pub(super) fn weights(&self, i: usize) -> &[i16] {
        &self.weights[i * self.taps..][..self.taps]
    }
}

/// Axes by what they do, made once.
#[derive(Debug, Default)]
pub(super) struct Axes {
    kept: BTreeMap<(usize, u64, u64, usize), Arc<Axis>>,
}

impl Axes {
    /// As [`Axis::new`].
    pub(super) fn get(&mut self, source: usize, offset: f64, span: f64, len: usize) -> Arc<Axis> {
        let key = (source, offset.to_bits(), span.to_bits(), len);
        if self.kept.len() >= KEPT && !self.kept.contains_key(&key) {
            self.kept.clear();
        }
        self.kept.entry(key).or_insert_with(|| Arc::new(Axis::new(source, offset, span, len))).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whole_ratios_are_found_only_on_whole_samples() {
        assert_eq!(Axis::new(640, 0.0, 640.0, 640).exact, Some(Exact { ratio: 1, at: 0 }));
        assert_eq!(Axis::new(640, 40.0, 560.0, 280).exact, Some(Exact { ratio: 2, at: 40 }));
        assert_eq!(Axis::new(640, 0.5, 560.0, 280).exact, None);
        assert_eq!(Axis::new(639, 0.0, 640.0, 320).exact, None);
    }

    proptest! {
        #[test]
        fn every_tap_lies_in_the_source_and_weights_sum_to_one(source in 1usize..4000, len in 1usize..500, crop in 0.0f64..1.0, at in 0.0f64..1.0) {
            let span = (source as f64 * crop).max(0.25);
            let axis = Axis::new(source, (source as f64 - span) * at, span, len);
            match &axis.filter {
                Filter::Lerp(taps) => for tap in taps {
                    prop_assert!((tap.at as usize) < source && (tap.at as usize + 1 < source || tap.weight == 0));
                },
                Filter::Area(area) => for i in 0..area.starts.len() {
                    prop_assert!(area.starts[i] + (area.taps - 1) * area.stride < source);
                    prop_assert_eq!(area.weights(i).iter().map(|&w| i32::from(w)).sum::<i32>(), 1 << WEIGHT_BITS);
                },
            }
        }
    }
}
