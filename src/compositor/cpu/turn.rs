//! Turning blocks of samples on their side and back, by interleaving vectors.
//!
//! In and out: vectors of bytes. Never: memory. Loops over a few vectors are written out, because the compiler leaves them as loops.

use bytemuck::cast;
use wide::{i16x8, u8x16, u16x8};

use super::columns::{Column, ROWS};

/// Eight rows of sixteen samples become sixteen columns, each sample times 256 where `TIMES_256`.
#[inline(always)]
pub(super) fn turn<const TIMES_256: bool>(rows: [u8x16; ROWS], columns: &mut [Column; 16]) {
    // Three rounds leave columns 2k and 2k + 1 in vector k.
    let turned = interleave(interleave(interleave(rows)));
    for (vector, pair) in turned.into_iter().zip(columns.as_chunks_mut::<2>().0) {
        let zero = u8x16::ZERO;
        let (low, high) = if TIMES_256 { (zero, vector) } else { (vector, zero) };
        *pair = [cast(u8x16::unpack_low(low, high)), cast(u8x16::unpack_high(low, high))];
    }
}

/// Interleaves vectors four apart.
#[inline(always)]
fn interleave([a, b, c, d, e, f, g, h]: [u8x16; 8]) -> [u8x16; 8] {
    let (low, high) = (u8x16::unpack_low, u8x16::unpack_high);
    [low(a, e), high(a, e), low(b, f), high(b, f), low(c, g), high(c, g), low(d, h), high(d, h)]
}

/// Columns back to rows: in, vector `k` holds columns `2k` and `2k + 1`; out, vector `r` holds row `r` of all sixteen.
#[inline(always)]
pub(super) fn turn_back(pairs: [u8x16; ROWS]) -> [u8x16; ROWS] {
    // Each round rotates the seven bits that number a byte, so these four undo the three of `turn`.
    interleave(interleave(interleave(interleave(pairs))))
}

/// Sixteen numbers of 0 to 255 as bytes.
#[inline(always)]
pub(super) fn narrow(a: u16x8, b: u16x8) -> u8x16 {
    u8x16::narrow_i16x8(cast::<u16x8, i16x8>(a), cast::<u16x8, i16x8>(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_turned_and_turned_back_is_what_it_was() {
        let rows: [u8x16; ROWS] = std::array::from_fn(|row| u8x16::new(std::array::from_fn(|x| (16 * row + x) as u8)));
        let mut columns = [[0; ROWS]; 16];
        turn::<false>(rows, &mut columns);
        assert_eq!(columns[3], [3, 19, 35, 51, 67, 83, 99, 115]);
        let pairs = std::array::from_fn(|k| narrow(u16x8::new(columns[2 * k]), u16x8::new(columns[2 * k + 1])));
        assert_eq!(turn_back(pairs), rows);
        turn::<true>(rows, &mut columns);
        assert_eq!(columns[3][1], 19 * 256);
    }
}
