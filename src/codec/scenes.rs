//! Synthetic pictures for the codec's tests and benches.
use crate::media::Frame;

/// A textured background with squares that move a few pixels a picture.
pub(crate) fn moving(width: u32, height: u32, number: u32) -> Frame {
    let mut frame = Frame::black(width, height);
    let [y, u, v] = frame.planes_mut();
    for row in 0..height {
        for column in 0..width {
            let noise = (column.wrapping_mul(2_654_435_761) ^ row.wrapping_mul(40_503)).wrapping_mul(2_246_822_519) >> 29;
            let wave = ((column * 3 + row * 2) / 7 % 160).abs_diff(80);
            y[(row * width + column) as usize] = (60 + wave + noise) as u8;
        }
    }
    for tile in 0..9 {
        let (left, top) = (tile % 3 * width / 3, tile / 3 * height / 3);
        let shift = (number * (3 + tile)) % (width / 6);
        for row in 0..height / 6 {
            for column in 0..width / 8 {
                let at = ((top + row) * width + left + shift + column) as usize;
                y[at] = (90 + tile * 12 + (row * column / 16 % 64)) as u8;
            }
        }
    }
    u.fill(110);
    v.fill(140);
    frame
}

/// A picture without any structure: the hardest there is.
pub(crate) fn noise(width: u32, height: u32, seed: u32) -> Frame {
    let mut frame = Frame::black(width, height);
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    for plane in frame.planes_mut() {
        for byte in plane {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            *byte = (state >> 24) as u8;
        }
    }
    frame
}
