//! Sees who is where in the pictures that come back, and how old they are.
//!
//! In: decoded pictures with the moment at which they are shown. Out: for each number its place, how often it was seen, its
//! delay and its freezes. Never: knowledge of the layout; marks are looked for everywhere once a second and when
//! one that was there is not, and read at their known places in between.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::media::{Frame, MediaTime, Rect};

use super::super::mark::{self, Luma, Spot, Stamp};
use super::super::picture::Sketch;
use super::super::wall::Wall;
use super::history::{Gap, Presence};
use super::measure::{Histogram, Pace};
use super::report::TileReport;

const SEARCH_EVERY: Duration = Duration::from_secs(1);
/// After a miss the search comes earlier, but not with every picture.
const SEARCH_AGAIN: Duration = Duration::from_millis(100);
/// A tile that shows nothing newer for longer stands still.
const USUAL_MS: f64 = 150.0;
/// A stamp outside of this is a misreading with a fitting checksum.
const PLAUSIBLE_MS: std::ops::Range<f64> = -1000.0..60_000.0;

/// Judges one stream of pictures.
#[derive(Debug)]
pub struct Sight {
    sent: Sketch,
    tiles: BTreeMap<u16, Tile>,
    searched: Option<MediaTime>,
    pictures: u64,
}

/// When a picture is shown.
#[derive(Clone, Copy)]
struct Moment {
    at: MediaTime,
    wall: Wall,
    waited: Duration,
}

#[derive(Debug)]
struct Tile {
    spot: Spot,
    rect: Rect,
    stamp: u32,
    /// Whether it was in the last picture.
    present: bool,
    seen: u64,
    delay: Histogram,
    there: Histogram,
    changes: Pace,
    presence: Presence,
}

impl Sight {
    /// Expects pictures in which senders of this size were placed.
    pub fn new(sent: Sketch) -> Self {
        Self { sent, tiles: BTreeMap::new(), searched: None, pictures: 0 }
    }

    /// Judges a picture that is shown at `at`, which is `wall` on the wall clock, and was there so long before.
    pub fn see(&mut self, frame: &Frame, at: MediaTime, wall: Wall, waited: Duration) {
        let shown = Moment { at, wall, waited };
        self.pictures += 1;
        let luma = Luma { width: frame.width() as usize, height: frame.height() as usize, plane: frame.planes()[0] };
        let mut missed = false;
        for (&number, tile) in &mut self.tiles {
            if !tile.present {
                continue;
            }
            let reading = mark::read(luma, tile.spot).filter(|(_, stamp)| stamp.number == number);
            tile.present = reading.is_some();
            missed |= reading.is_none();
            if let Some((_, stamp)) = reading {
                tile.note(stamp, shown);
            }
        }
        let patience = if missed || self.tiles.values().any(|tile| !tile.present) { SEARCH_AGAIN } else { SEARCH_EVERY };
        if self.searched.is_none_or(|searched| at.since(searched) >= patience) {
            self.searched = Some(at);
            self.search(luma, shown);
        }
    }

    fn search(&mut self, luma: Luma<'_>, shown: Moment) {
        for (spot, stamp) in mark::find(luma) {
            if !PLAUSIBLE_MS.contains(&shown.wall.since_stamp_ms(stamp.millis)) {
                continue;
            }
            let rect = self.rect_of(spot, luma);
            let tile = self.tiles.entry(stamp.number).or_insert_with(|| Tile::new(spot, rect));
            (tile.spot, tile.rect) = (spot, rect);
            if !tile.present {
                tile.present = true;
                tile.note(stamp, shown);
            }
        }
    }

    /// The part of the picture that a sender's whole picture covers, by where its mark is.
    fn rect_of(&self, spot: Spot, luma: Luma<'_>) -> Rect {
        let scale = spot.cell / self.sent.unit as f32;
        let span = |start: f32, length: u32, limit: usize| {
            let from = start.round().clamp(0.0, (limit - 1) as f32) as u32;
            let to = (start + length as f32 * scale).round().clamp((from + 1) as f32, limit as f32) as u32;
            (from, to - from)
        };
        let (x, width) = span(spot.x - self.sent.mark_x as f32 * scale, self.sent.width, luma.width);
        let (y, height) = span(spot.y - self.sent.mark_y as f32 * scale, self.sent.height, luma.height);
        Rect { x, y, width, height }
    }

    /// Begins the measurement: what was seen before is forgotten, but for where it was.
    pub fn begin(&mut self, at: MediaTime) {
        self.pictures = 0;
        self.tiles.retain(|_, tile| tile.present);
        for tile in self.tiles.values_mut() {
            tile.seen = 0;
            (tile.delay, tile.there) = (Histogram::of_delays(), Histogram::of_delays());
            tile.changes.begin(at);
            tile.presence.begin();
        }
    }

    /// Who was in the last picture, and where.
    pub(super) fn present(&self) -> impl Iterator<Item = (u16, Rect)> {
        self.tiles.iter().filter(|(_, tile)| tile.present).map(|(&number, tile)| (number, tile.rect))
    }

    /// Where each number's tile showed nothing newer.
    pub(super) fn gaps(&self, now: Wall) -> BTreeMap<u16, Vec<Gap>> {
        self.tiles.iter().map(|(&number, tile)| (number, tile.presence.gaps(now, USUAL_MS))).collect()
    }

    /// What was seen of each number up to `now`.
    pub fn report(&self, now: MediaTime) -> BTreeMap<u16, TileReport> {
        self.tiles.iter().map(|(&number, tile)| (number, tile.report(self.pictures, now))).collect()
    }
}

impl Tile {
    fn new(spot: Spot, rect: Rect) -> Self {
        Self {
            spot,
            rect,
            stamp: u32::MAX,
            present: false,
            seen: 0,
            delay: Histogram::of_delays(),
            there: Histogram::of_delays(),
            changes: Pace::default(),
            presence: Presence::default(),
        }
    }

    fn note(&mut self, stamp: Stamp, shown: Moment) {
        let delay_ms = shown.wall.since_stamp_ms(stamp.millis);
        if !PLAUSIBLE_MS.contains(&delay_ms) {
            return;
        }
        self.seen += 1;
        if stamp.millis != self.stamp {
            self.stamp = stamp.millis;
            self.delay.note(delay_ms);
            self.there.note(delay_ms - shown.waited.as_secs_f64() * 1000.0);
            self.changes.note(shown.at);
            self.presence.note(shown.wall, USUAL_MS);
        }
    }

    fn report(&self, pictures: u64, now: MediaTime) -> TileReport {
        TileReport {
            x: self.rect.x,
            y: self.rect.y,
            width: self.rect.width,
            height: self.rect.height,
            present: self.present,
            seen_ratio: if pictures == 0 { 0.0 } else { self.seen as f64 / pictures as f64 },
            fps: self.changes.rate(now).unwrap_or(0.0),
            standstills: self.changes.standstills(now),
            delay_ms: self.delay.spread(),
            there_ms: self.there.spread(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::picture::Painter;
    use super::*;

    /// A canvas of 1280×720 with each painter's picture at half size in its quarter.
    fn quarters(painters: &mut [(Painter, usize, usize)], at: MediaTime, wall: Wall) -> Frame {
        let mut canvas = Frame::black(1280, 720);
        for (painter, left, top) in painters {
            let frame = painter.draw(at, wall).clone();
            for (y, line) in frame.planes()[0].chunks_exact(640).enumerate() {
                canvas.planes_mut()[0][(*top + y) * 1280 + *left..][..640].copy_from_slice(line);
            }
        }
        canvas
    }

    fn wall(at: MediaTime) -> Wall {
        Wall::from_micros(5_000_000_000 + at.as_nanos() / 1000)
    }

    #[test]
    fn each_number_is_found_where_it_is_with_its_age() {
        let mut painters: Vec<_> =
            [(1, 0, 0), (2, 640, 0), (3, 0, 360)].into_iter().map(|(number, x, y)| (Painter::new(number, 640, 360), x, y)).collect();
        let mut sight = Sight::new(Sketch::of(640, 360));
        for n in 0..30 {
            let drawn = MediaTime::from_millis(n * 33);
            let seen = drawn + Duration::from_millis(40);
            sight.see(&quarters(&mut painters, drawn, wall(drawn)), seen, wall(seen), Duration::ZERO);
        }
        let report = sight.report(MediaTime::from_millis(29 * 33 + 40));
        assert_eq!(report.keys().copied().collect::<Vec<_>>(), [1, 2, 3]);
        let tile = &report[&2];
        assert_eq!((tile.x, tile.y, tile.width, tile.height), (640, 0, 640, 360));
        assert_eq!(tile.seen_ratio, 1.0);
        assert!((tile.delay_ms.unwrap().p95 - 40.0).abs() <= 1.0, "{:?}", tile.delay_ms);
        assert_eq!(tile.standstills.freezes, 0);
    }

    #[test]
    fn a_picture_is_as_old_as_when_it_is_shown_and_how_long_it_waited_is_told_apart() {
        let mut painters = vec![(Painter::new(1, 640, 360), 0, 0)];
        let mut sight = Sight::new(Sketch::of(640, 360));
        for n in 0..30 {
            let drawn = MediaTime::from_millis(n * 33);
            let shown = drawn + Duration::from_millis(140);
            sight.see(&quarters(&mut painters, drawn, wall(drawn)), shown, wall(shown), Duration::from_millis(100));
        }
        let tile = &sight.report(MediaTime::from_millis(30 * 33 + 140))[&1];
        let (shown, there) = (tile.delay_ms.unwrap(), tile.there_ms.unwrap());
        assert!((shown.p50 - 140.0).abs() <= 1.0 && (there.p50 - 40.0).abs() <= 1.0, "{tile:?}");
    }

    #[test]
    fn a_tile_that_repeats_its_picture_is_frozen_though_pictures_come() {
        let mut painters = vec![(Painter::new(1, 640, 360), 0, 0)];
        let mut sight = Sight::new(Sketch::of(640, 360));
        for n in 0..60 {
            let seen = MediaTime::from_millis(n * 33);
            let drawn = MediaTime::from_millis(n.min(40) * 33);
            sight.see(&quarters(&mut painters, drawn, wall(drawn)), seen, wall(seen), Duration::ZERO);
        }
        let report = sight.report(MediaTime::from_millis(60 * 33));
        assert_eq!(report[&1].standstills.freezes, 1);
        assert!(report[&1].present);
    }

    #[test]
    fn a_tile_that_moves_is_found_again() {
        let mut painters = vec![(Painter::new(1, 640, 360), 0, 0)];
        let mut sight = Sight::new(Sketch::of(640, 360));
        for n in 0..40 {
            (painters[0].1, painters[0].2) = if n < 20 { (0, 0) } else { (640, 360) };
            let at = MediaTime::from_millis(n * 33);
            sight.see(&quarters(&mut painters, at, wall(at)), at, wall(at), Duration::ZERO);
        }
        let tile = &sight.report(MediaTime::from_millis(40 * 33))[&1];
        assert_eq!((tile.x, tile.y), (640, 360));
        assert!(tile.seen_ratio > 0.9, "{}", tile.seen_ratio);
    }

    #[test]
    fn a_tile_that_went_is_no_longer_present() {
        let mut painters = vec![(Painter::new(1, 640, 360), 0, 0)];
        let mut sight = Sight::new(Sketch::of(640, 360));
        let first = quarters(&mut painters, MediaTime::ZERO, wall(MediaTime::ZERO));
        sight.see(&first, MediaTime::ZERO, wall(MediaTime::ZERO), Duration::ZERO);
        let later = MediaTime::from_millis(33);
        sight.see(&Frame::black(1280, 720), later, wall(later), Duration::ZERO);
        assert!(!sight.report(later)[&1].present);
    }
}
