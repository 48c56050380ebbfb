//! What a bot shows: its colour, its number in large digits, something that moves, and the time mark ([`super::mark`]).
//!
//! In: a bot's number and the moment. Out: an I420 picture of the sender's size. Never: more change from one picture to
//! the next than the mark and the moving block, so that encoding stays cheap beside the server under test.

use crate::media::{Frame, MediaTime};

use super::mark::{self, COLUMNS, ROWS, Stamp, fill};
use super::wall::Wall;

/// Where the parts of a sender's picture lie, in its pixels; follows from its size alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sketch {
    /// The picture's width.
    pub width: u32,
    /// The picture's height.
    pub height: u32,
    /// Side of one of the mark's cells; all else is measured in it.
    pub unit: u32,
    /// Left edge of the mark's cells.
    pub mark_x: u32,
    /// Upper edge of the mark's cells.
    pub mark_y: u32,
}

impl Sketch {
    /// The smallest width that holds a mark.
    pub const LEAST_WIDTH: u32 = 128;
    /// The smallest height that holds a mark.
    pub const LEAST_HEIGHT: u32 = 72;

    /// Of a picture at least [`Sketch::LEAST_WIDTH`] by [`Sketch::LEAST_HEIGHT`].
    pub fn of(width: u32, height: u32) -> Self {
        let unit = ((height / 18).min(width / 20) & !1).max(4);
        let mark_x = (width.saturating_sub(COLUMNS as u32 * unit) / 2) & !1;
        Self { width, height, unit, mark_x, mark_y: 2 * unit }
    }
}

/// Draws one bot's pictures.
#[derive(Debug)]
pub struct Painter {
    number: u16,
    sketch: Sketch,
    still: Frame,
    shown: Frame,
    mover_x: usize,
}

impl Painter {
    /// For bot `number`, in pictures of this size (even sides).
    pub fn new(number: u16, width: u32, height: u32) -> Self {
        let sketch = Sketch::of(width, height);
        let still = still(number, sketch);
        Self { number, sketch, shown: still.clone(), still, mover_x: 0 }
    }

    /// The picture for one moment.
    pub fn draw(&mut self, at: MediaTime, wall: Wall) -> &Frame {
        let Sketch { width, unit, mark_x, mark_y, .. } = self.sketch;
        self.erase_mover();
        self.mover_x = self.mover_at(at);
        let mover = self.mover();
        let [luma, ..] = self.shown.planes_mut();
        fill(luma, width as usize, mover, 200);
        let stamp = Stamp { number: self.number, millis: wall.stamp_millis() };
        mark::paint(luma, width as usize, (mark_x as usize, mark_y as usize, unit as usize), stamp);
        &self.shown
    }

    /// Crosses the right two thirds of the picture and back in four seconds; the left is left to the name label.
    fn mover_at(&self, at: MediaTime) -> usize {
        let phase = at.as_millis() % 4000;
        let along = if phase < 2000 { phase } else { 4000 - phase };
        let (from, to) = (u64::from(self.sketch.width) * 4 / 10, u64::from(self.sketch.width - 2 * self.sketch.unit));
        ((from + (to - from) * along / 2000) & !1) as usize
    }

    fn mover(&self) -> (usize, usize, usize, usize) {
        let unit = self.sketch.unit as usize;
        (self.mover_x, self.sketch.height as usize - 2 * unit, unit, unit)
    }

    fn erase_mover(&mut self) {
        let (x, y, side, _) = self.mover();
        let width = self.sketch.width as usize;
        let ([from, ..], [to, ..]) = (self.still.planes(), self.shown.planes_mut());
        for line in y..y + side {
            let span = line * width + x..line * width + (x + side).min(width);
            to[span.clone()].copy_from_slice(&from[span]);
        }
    }
}

/// What does not move: the bot's colour, lighter towards the top, and its number.
fn still(number: u16, sketch: Sketch) -> Frame {
    // The golden angle keeps the hues of any run of numbers apart.
    let hue = f32::from(number) * 2.399_963;
    let chroma = |part: f32| (128.0 + 52.0 * part) as u8;
    let mut frame = Frame::filled(sketch.width, sketch.height, [90, chroma(hue.cos()), chroma(hue.sin())]);
    let width = sketch.width as usize;
    let [luma, u, v] = frame.planes_mut();
    for plane in [u, v] {
        // A coloured mark would read as well, but not look black and white.
        let half = |length: u32| length as usize / 2;
        let Sketch { unit, mark_x, mark_y, .. } = sketch;
        let behind = (half(mark_x - unit / 2), half(mark_y - unit / 2), half((COLUMNS as u32 + 1) * unit), half((ROWS as u32 + 1) * unit));
        fill(plane, width / 2, behind, 128);
    }
    for (y, line) in luma.chunks_exact_mut(width).enumerate() {
        line.fill(104 - (y * 40 / sketch.height as usize) as u8);
    }
    let digits: Vec<u32> = number.to_string().bytes().map(|digit| u32::from(digit - b'0')).collect();
    let unit = sketch.unit as usize;
    let all = digits.len() * 5 * unit - unit;
    let left = (width.saturating_sub(all)) / 2;
    for (place, &digit) in digits.iter().enumerate() {
        paint_digit(luma, width, (left + place * 5 * unit, 8 * unit + unit / 2), unit, digit);
    }
    frame
}

/// A seven-segment digit, four units wide and seven high.
fn paint_digit(luma: &mut [u8], width: usize, (x, y): (usize, usize), unit: usize, digit: u32) {
    /// Left, top, width and height of the segments a to g, in units.
    const SEGMENTS: [(usize, usize, usize, usize); 7] =
        [(0, 0, 4, 1), (3, 0, 1, 4), (3, 3, 1, 4), (0, 6, 4, 1), (0, 3, 1, 4), (0, 0, 1, 4), (0, 3, 4, 1)];
    /// Bit n is segment n of each digit.
    const LIT: [u8; 10] = [0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f];
    for (index, (left, top, across, down)) in SEGMENTS.iter().enumerate() {
        if LIT[digit as usize % 10] >> index & 1 == 1 {
            fill(luma, width, (x + left * unit, y + top * unit, across * unit, down * unit), 225);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::mark::{Luma, find};
    use super::*;

    #[test]
    fn every_size_of_picture_carries_a_mark_that_reads() {
        for (width, height) in [(640, 360), (1280, 720), (320, 180), (640, 480), (360, 640), (160, 90), (128, 72)] {
            let wall = Wall::from_micros(77_123_456);
            let mut painter = Painter::new(9, width, height);
            let frame = painter.draw(MediaTime::from_millis(500), wall);
            let found = find(Luma { width: width as usize, height: height as usize, plane: frame.planes()[0] });
            let [(spot, stamp)] = found[..] else { panic!("{} marks in {width}x{height}", found.len()) };
            assert_eq!(stamp, Stamp { number: 9, millis: 77_123 });
            let sketch = Sketch::of(width, height);
            assert_eq!((spot.x.round() as u32, spot.y.round() as u32), (sketch.mark_x, sketch.mark_y));
        }
    }

    #[test]
    fn only_the_mark_and_the_mover_change() {
        let mut painter = Painter::new(2, 640, 360);
        let first = painter.draw(MediaTime::from_millis(0), Wall::from_micros(0)).clone();
        let second = painter.draw(MediaTime::from_millis(33), Wall::from_micros(33_000)).clone();
        let changed = first.planes()[0].iter().zip(second.planes()[0]).filter(|(a, b)| a != b).count();
        assert!(changed > 400 && changed < 640 * 360 / 8, "{changed} pixels");
        assert_eq!(first.planes()[1], second.planes()[1]);
    }
}
