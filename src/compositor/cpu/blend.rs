//! Blending rows of samples.
//!
//! In: rows of one plane, coverage, an opacity; out: the mixed rows. Never: geometry.

/// Opacity in 256ths, from 0 (unseen) to 256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opacity(u16);

impl Opacity {
    /// Nothing shines through.
    pub(super) const FULL: Self = Self(256);

    pub(super) fn new(opacity: f32) -> Self {
        Self((opacity.clamp(0.0, 1.0) * 256.0).round() as u16)
    }

    /// The paint's part in 256ths under a byte of coverage: their product over 255, rounded, in 16 bits.
    #[inline(always)]
    fn of(self, coverage: u8) -> u16 {
        let product = u16::from(coverage).wrapping_mul(self.0);
        let whole = product >> 8;
        whole.wrapping_add((product & 255).wrapping_add(whole).wrapping_add(128) >> 8)
    }
}

/// `below + (above − below) × part ÷ 256`. It fits 16 bits; wrapping spares a check that would keep it from being vectorised.
#[inline(always)]
fn mix(below: u8, above: u8, part: u16) -> u8 {
    let sum = u16::from(below).wrapping_mul(256u16.wrapping_sub(part)).wrapping_add(u16::from(above).wrapping_mul(part));
    (sum.wrapping_add(128) >> 8) as u8
}

/// One value over a row.
pub(super) fn value(row: &mut [u8], coverage: &[u8], value: u8, opacity: Opacity) {
    for (sample, &coverage) in row.iter_mut().zip(coverage) {
        *sample = mix(*sample, value, opacity.of(coverage));
    }
}

/// A row over another.
pub(super) fn row(row: &mut [u8], above: &[u8], coverage: &[u8], opacity: Opacity) {
    for ((sample, &above), &coverage) in row.iter_mut().zip(above).zip(coverage) {
        *sample = mix(*sample, above, opacity.of(coverage));
    }
}

/// One value over a row that is covered everywhere.
pub(super) fn solid(row: &mut [u8], value: u8, opacity: Opacity) {
    if opacity == Opacity::FULL {
        return fill(row, value);
    }
    let part = opacity.of(255);
    for sample in row {
        *sample = mix(*sample, value, part);
    }
}

/// As `row.fill(value)`, without a call for the few pixels of a gap between tiles: two stores, which may overlap.
fn fill(row: &mut [u8], value: u8) {
    match row.len() {
        4..8 => fill_ends::<4>(row, value),
        8..=16 => fill_ends::<8>(row, value),
        _ => row.fill(value),
    }
}

fn fill_ends<const N: usize>(row: &mut [u8], value: u8) {
    if let Some(first) = row.first_chunk_mut() {
        *first = [value; N];
    }
    if let Some(last) = row.last_chunk_mut() {
        *last = [value; N];
    }
}

/// What was `below` shows through the row that was drawn over it.
pub(super) fn let_through(row: &mut [u8], below: &[u8], coverage: &[u8], opacity: Opacity) {
    for ((sample, &below), &coverage) in row.iter_mut().zip(below).zip(coverage) {
        *sample = mix(below, *sample, opacity.of(coverage));
    }
}

/// `a × b ÷ 255`, for a mask inside a shape.
pub(super) fn multiply(coverage: &mut [u8], by: &[u8]) {
    for (coverage, &by) in coverage.iter_mut().zip(by) {
        *coverage = ((u16::from(*coverage) * u16::from(by) + 127) / 255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_and_no_coverage_are_exact() {
        for below in 0..=255 {
            for above in 0..=255 {
                assert_eq!(mix(below, above, Opacity::FULL.of(255)), above);
                assert_eq!(mix(below, above, Opacity::FULL.of(0)), below);
            }
        }
    }

    #[test]
    fn a_blend_is_within_one_of_the_exact_value() {
        for coverage in 0..=255u8 {
            for opacity in [0.0, 0.25, 0.66, 1.0] {
                let exact = 20.0 + 200.0 * f32::from(coverage) / 255.0 * opacity;
                let got = mix(20, 220, Opacity::new(opacity).of(coverage));
                assert!((f32::from(got) - exact).abs() <= 1.0, "{coverage} {opacity}: {got} for {exact}");
            }
        }
    }
}
