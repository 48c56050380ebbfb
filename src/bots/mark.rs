//! The machine-readable mark in a bot's picture: who sent it and when, in black and white blocks.
//!
//! In: a [`Stamp`], or the luma plane of a picture in which marks may be. Out: painted blocks, or the stamps found
//! with their places. Never: a stamp whose checksum does not fit.
//!
//! Thirteen columns, five rows of square cells in a white margin. The top row alternates black and white: it is what
//! [`find`] looks for, and what tells black from white. The other four hold 52 bits, black is 1: ten of the
//! number, 26 of the time in milliseconds, 16 of a checksum. A cell may shrink to 3 pixels and still reads.

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The bot's number, below 1024.
    pub number: u16,
    /// When the picture was drawn, in wall-clock milliseconds modulo 2²⁶.
    pub millis: u32,
}

/// A luma plane.
#[derive(Clone, Copy, Debug)]
pub struct Luma<'a> {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `width × height` bytes, row by row.
    pub plane: &'a [u8],
}

/// Where a mark lies in a picture: the upper left of its cells and the side of a cell, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// Left edge of the first column.
    pub x: f32,
    /// Upper edge of the first row.
    pub y: f32,
    /// Side of a cell.
    pub cell: f32,
}

/// Columns of cells.
pub const COLUMNS: usize = 13;
/// Rows of cells, the alternating one included.
pub const ROWS: usize = 5;
const NUMBER_BITS: u32 = 10;
const MILLIS_BITS: u32 = 26;
const BLACK: u8 = 20;
const WHITE: u8 = 230;
/// Where black ends for the search; reading uses the mark's own black and white.
const EDGE: u8 = 125;
/// Black and white nearer than this were blended or are something else.
const LEAST_CONTRAST: f32 = 50.0;
const SMALLEST_CELL: f32 = 2.9;
/// Rows between two scanned lines; below the smallest cell, so that no mark falls between.
const SCAN_STEP: usize = 2;

/// Paints a mark with its margin of half a cell into a luma plane; cells have `spot.cell` whole pixels.
///
/// What would lie outside of the plane is left out.
pub fn paint(plane: &mut [u8], width: usize, spot: (usize, usize, usize), stamp: Stamp) {
    let (x, y, cell) = spot;
    let margin = cell / 2;
    fill(plane, width, (x - margin, y - margin, COLUMNS * cell + 2 * margin, ROWS * cell + 2 * margin), WHITE);
    let bits = encode(stamp);
    for row in 0..ROWS {
        for column in (0..COLUMNS).filter(|&column| is_black(bits, column, row)) {
            fill(plane, width, (x + column * cell, y + row * cell, cell, cell), BLACK);
        }
    }
}

/// Fills the rectangle `(x, y, width, height)` of a plane, as far as it lies inside.
pub fn fill(plane: &mut [u8], plane_width: usize, (x, y, width, height): (usize, usize, usize, usize), value: u8) {
    let right = (x + width).min(plane_width);
    for line in plane.chunks_exact_mut(plane_width).skip(y).take(height) {
        line[x.min(right)..right].fill(value);
    }
}

/// Every mark in a picture, with what it says.
pub fn find(luma: Luma<'_>) -> Vec<(Spot, Stamp)> {
    let mut found: Vec<(Spot, Stamp)> = Vec::new();
    let mut edges = Vec::new();
    for row in (0..luma.height).step_by(SCAN_STEP) {
        let line = &luma.plane[row * luma.width..][..luma.width];
        collect_edges(line, &mut edges);
        for (x, cell) in alternating_runs(&edges) {
            let known = found.iter().any(|(spot, _)| inside(spot, x, row as f32));
            let reading = if known { None } else { top_of(luma, x, row, cell).and_then(|y| read(luma, Spot { x, y, cell })) };
            found.extend(reading);
        }
    }
    found
}

/// Reads the mark at a known place, or within a quarter of a cell of it; gives the place where it read.
pub fn read(luma: Luma<'_>, spot: Spot) -> Option<(Spot, Stamp)> {
    const NUDGES: [(f32, f32); 5] = [(0.0, 0.0), (0.25, 0.0), (-0.25, 0.0), (0.0, 0.25), (0.0, -0.25)];
    NUDGES.iter().find_map(|(dx, dy)| {
        let nudged = Spot { x: spot.x + dx * spot.cell, y: spot.y + dy * spot.cell, cell: spot.cell };
        read_at(luma, nudged).map(|stamp| (nudged, stamp))
    })
}

fn read_at(luma: Luma<'_>, spot: Spot) -> Option<Stamp> {
    let (right, bottom) = (spot.x + COLUMNS as f32 * spot.cell, spot.y + ROWS as f32 * spot.cell);
    if spot.x < 0.0 || spot.y < 0.0 || right > luma.width as f32 || bottom > luma.height as f32 {
        return None;
    }
    let top = |first| {
        let columns = (first..COLUMNS).step_by(2);
        let count = columns.len() as f32;
        columns.map(|column| cell_mean(luma, spot, column, 0)).sum::<f32>() / count
    };
    let (black, white) = (top(0), top(1));
    if white - black < LEAST_CONTRAST {
        return None;
    }
    let middle = (black + white) / 2.0;
    let cells = (1..ROWS).flat_map(|row| (0..COLUMNS).map(move |column| (column, row)));
    decode(cells.fold(0, |bits, (column, row)| bits << 1 | u64::from(cell_mean(luma, spot, column, row) < middle)))
}

/// Mean over the middle of a cell, at least one pixel.
fn cell_mean(luma: Luma<'_>, spot: Spot, column: usize, row: usize) -> f32 {
    let span = |start: f32, index: usize, limit: usize| {
        let centre = start + (index as f32 + 0.5) * spot.cell;
        let reach = spot.cell * 0.22;
        let from = ((centre - reach) as usize).min(limit - 1);
        (from, ((centre + reach) as usize).clamp(from, limit - 1))
    };
    let (left, right) = span(spot.x, column, luma.width);
    let (top, bottom) = span(spot.y, row, luma.height);
    let sum: u32 = (top..=bottom).map(|y| luma.plane[y * luma.width..][left..=right].iter().map(|&v| u32::from(v)).sum::<u32>()).sum();
    sum as f32 / ((right - left + 1) * (bottom - top + 1)) as f32
}

/// Where a line changes between dark and light, to fractions of a pixel; even entries begin something dark.
fn collect_edges(line: &[u8], edges: &mut Vec<f32>) {
    edges.clear();
    let mut dark = false;
    for (x, &value) in line.iter().enumerate() {
        if (value < EDGE) == dark {
            continue;
        }
        dark = !dark;
        let before = f32::from(line[x.saturating_sub(1)]);
        let step = f32::from(value) - before;
        let part = if step == 0.0 { 0.0 } else { (f32::from(EDGE) - before) / step };
        edges.push(x as f32 - 0.5 + part.clamp(0.0, 1.0));
    }
}

/// Runs of thirteen even widths, dark first: left edge and mean width.
fn alternating_runs(edges: &[f32]) -> impl Iterator<Item = (f32, f32)> + '_ {
    edges.windows(COLUMNS + 1).step_by(2).filter_map(|window| {
        let cell = (window[COLUMNS] - window[0]) / COLUMNS as f32;
        let slack = (0.25 * cell).max(1.2);
        let even = cell >= SMALLEST_CELL && window.windows(2).all(|pair| (pair[1] - pair[0] - cell).abs() <= slack);
        even.then_some((window[0], cell))
    })
}

/// The upper edge of the alternating row that the scanned `row` met.
fn top_of(luma: Luma<'_>, x: f32, row: usize, cell: f32) -> Option<f32> {
    let column = (x + cell / 2.0) as usize;
    let value = |y: usize| luma.plane[y * luma.width + column];
    let reach = row.saturating_sub((cell * 1.5) as usize);
    let light = (reach..row).rev().find(|&y| value(y) >= EDGE)?;
    let (above, below) = (f32::from(value(light)), f32::from(value(light + 1)));
    Some(light as f32 + 0.5 + (above - f32::from(EDGE)) / (above - below).max(1.0))
}

fn inside(spot: &Spot, x: f32, y: f32) -> bool {
    let across = x - spot.x;
    let down = y - spot.y;
    across.abs() < spot.cell && down > -spot.cell && down < (ROWS + 1) as f32 * spot.cell
}

fn is_black(bits: u64, column: usize, row: usize) -> bool {
    if row == 0 {
        return column.is_multiple_of(2);
    }
    let place = COLUMNS * (ROWS - 1) - 1 - ((row - 1) * COLUMNS + column);
    bits >> place & 1 == 1
}

fn encode(stamp: Stamp) -> u64 {
    let content = u64::from(stamp.number) << MILLIS_BITS | u64::from(stamp.millis);
    content << 16 | u64::from(checksum(content))
}

fn decode(bits: u64) -> Option<Stamp> {
    let content = bits >> 16;
    if checksum(content) != bits as u16 {
        return None;
    }
    let millis = (content & ((1 << MILLIS_BITS) - 1)) as u32;
    Some(Stamp { number: (content >> MILLIS_BITS & ((1 << NUMBER_BITS) - 1)) as u16, millis })
}

/// CRC-16 with the CCITT polynomial, begun with ones so that an all-white mark is no stamp.
fn checksum(content: u64) -> u16 {
    content.to_be_bytes().iter().fold(0xffff, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picture(stamp: Stamp) -> (Vec<u8>, usize, usize) {
        let (width, height) = (640, 360);
        let mut plane = vec![90; width * height];
        paint(&mut plane, width, (190, 40, 20), stamp);
        (plane, width, height)
    }

    /// Area-weighted scaling, as a compositor does it.
    fn scaled(plane: &[u8], (width, height): (usize, usize), to: (usize, usize)) -> Vec<u8> {
        let sample = |x: f32, y: f32| f32::from(plane[(y as usize).min(height - 1) * width + (x as usize).min(width - 1)]);
        let (sx, sy) = (width as f32 / to.0 as f32, height as f32 / to.1 as f32);
        let mut out = Vec::with_capacity(to.0 * to.1);
        for y in 0..to.1 {
            for x in 0..to.0 {
                let points =
                    (0..16).map(|i| ((x as f32 + (i % 4) as f32 / 4.0 + 0.125) * sx, (y as f32 + (i / 4) as f32 / 4.0 + 0.125) * sy));
                out.push((points.map(|(x, y)| sample(x, y)).sum::<f32>() / 16.0) as u8);
            }
        }
        out
    }

    #[test]
    fn a_mark_reads_at_every_size_a_tile_can_have() {
        let stamp = Stamp { number: 7, millis: 0x2ab_cdef };
        let (plane, width, height) = picture(stamp);
        for to in [(1280, 720), (640, 360), (426, 240), (320, 180), (256, 144), (212, 120), (160, 90), (128, 72)] {
            let small = scaled(&plane, (width, height), to);
            let found = find(Luma { width: to.0, height: to.1, plane: &small });
            let [(spot, read)] = found[..] else { panic!("{} marks at {to:?}", found.len()) };
            assert_eq!(read, stamp, "{to:?}");
            let scale = to.0 as f32 / 640.0;
            assert!((spot.x - 190.0 * scale).abs() < 1.0 && (spot.y - 40.0 * scale).abs() < 1.0, "{spot:?} at {to:?}");
        }
    }

    #[test]
    fn one_wrong_cell_spoils_the_reading() {
        let (mut plane, width, height) = picture(Stamp { number: 3, millis: 1234 });
        for row in 1..ROWS {
            for column in 0..COLUMNS {
                let at = (190 + column * 20, 40 + row * 20, 20, 20);
                let was = plane[(at.1 + 5) * width + at.0 + 5];
                fill(&mut plane, width, at, if was == BLACK { WHITE } else { BLACK });
                assert_eq!(find(Luma { width, height, plane: &plane }), [], "column {column}, row {row}");
                fill(&mut plane, width, at, was);
            }
        }
    }

    #[test]
    fn a_faded_mark_is_not_read() {
        let (mut plane, width, height) = picture(Stamp { number: 3, millis: 1234 });
        plane.iter_mut().for_each(|value| *value = 110 + *value / 8);
        assert_eq!(find(Luma { width, height, plane: &plane }), []);
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read(number in 0u16..1024, millis in 0u32..1 << 26) {
            let stamp = Stamp { number, millis };
            prop_assert_eq!(decode(encode(stamp)), Some(stamp));
        }

        #[test]
        fn noise_holds_no_mark_and_harms_nothing(plane in proptest::collection::vec(any::<u8>(), 64 * 48)) {
            prop_assert_eq!(find(Luma { width: 64, height: 48, plane: &plane }), []);
        }
    }
}
