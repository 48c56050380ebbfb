//! The grid: alike tiles in a rectangle, as large as they can be.
//!
//! In: the rectangle, how many tiles, their aspect, the gap between them. Out: that many rectangles, row by row, the incomplete
//! last row centred. Never: who stands where; whoever fills the tiles keeps people in their order, so that one who joins
//! comes last and one who leaves lets those behind move up, and nobody passes anybody.

use super::Aspect;
use crate::media::Rect;

/// The long sides of usual cameras' pictures: at these and no other sizes they are scaled by 1, ½, ¼ …, which is cheap.
const LONG_SIDES: [u32; 4] = [1280, 640, 320, 160];
/// A square is cut from the height of a 16:9 picture.
const SQUARE_SIDES: [u32; 4] = [720, 360, 180, 90];
/// A size that is cheap to scale to is taken where it has at least so many per cent of the largest tile's area.
const CHEAP_ENOUGH: u32 = 97;

/// Places `count` tiles in `area`; fewer where it has not the pixels for them (2×2 each), but never none where it is asked for one.
///
/// `area` is on even pixels and at least 2×2, `gap` is even; it is given up where the tiles fit only without. On even pixels.
pub fn solve(area: Rect, count: usize, aspect: Aspect, gap: u32) -> Vec<Rect> {
    let most = (area.width / 2).saturating_mul(area.height / 2);
    let count = u32::try_from(count).unwrap_or(u32::MAX).min(most);
    let best = best(area, count, aspect, gap).or_else(|| best(area, count, aspect, 0));
    best.map(|grid| grid.rects(area)).unwrap_or_default()
}

fn best(area: Rect, count: u32, aspect: Aspect, gap: u32) -> Option<Grid> {
    let grids = || (1..=count).filter_map(|columns| Grid::fit(area, count, columns, gap, aspect));
    let largest = grids().max_by_key(Grid::worth)?;
    let worth_it = |grid: &Grid| grid.area() * 100 > largest.area() * CHEAP_ENOUGH;
    let cheap = grids().filter_map(|grid| grid.cheap(aspect)).filter(worth_it).max_by_key(Grid::worth);
    Some(cheap.unwrap_or(largest))
}

/// `length` made even, downwards.
pub(super) fn even(length: u32) -> u32 {
    length & !1
}

#[derive(Clone, Copy, Debug)]
struct Grid {
    count: u32,
    columns: u32,
    rows: u32,
    gap: u32,
    tile: (u32, u32),
}

impl Grid {
    /// The largest tiles in so many columns; `None` where there are less than 2×2 pixels for each.
    fn fit(area: Rect, count: u32, columns: u32, gap: u32, aspect: Aspect) -> Option<Self> {
        let rows = count.div_ceil(columns);
        let share = |length: u32, tiles: u32| length.checked_sub((tiles - 1) * gap).map(|left| left / tiles).filter(|share| *share >= 2);
        let (width, height) = (share(area.width, columns)?, share(area.height, rows)?);
        let (across, down) = aspect.ratio();
        let fitting = width.min(height * across / down);
        let tile = (even(fitting).max(2), even(fitting * down / across).max(2));
        Some(Self { count, columns, rows, gap, tile })
    }

    /// The same with the largest size below that is cheap to scale to.
    fn cheap(self, aspect: Aspect) -> Option<Self> {
        let (across, down) = aspect.ratio();
        let sides = if across == down { SQUARE_SIDES } else { LONG_SIDES };
        let sizes = sides.map(|side| if across >= down { (side, side * down / across) } else { (side * across / down, side) });
        let fitting = sizes.into_iter().find(|(width, height)| *width <= self.tile.0 && *height <= self.tile.1)?;
        Some(Self { tile: fitting, ..self })
    }

    fn area(&self) -> u32 {
        self.tile.0 * self.tile.1
    }

    /// Larger tiles are better; of equal ones those that leave fewer places empty, then those side by side.
    fn worth(&self) -> (u32, i64, u32) {
        (self.area(), i64::from(self.count) - i64::from(self.columns * self.rows), self.columns)
    }

    fn rects(&self, area: Rect) -> Vec<Rect> {
        let (width, height) = self.tile;
        let top = area.y + self.centred(area.height, height, self.rows);
        let row = |n: u32| {
            let in_row = self.columns.min(self.count - n * self.columns);
            let left = area.x + self.centred(area.width, width, in_row);
            (0..in_row).map(move |column| Rect { x: left + column * (width + self.gap), y: top + n * (height + self.gap), width, height })
        };
        (0..self.rows).flat_map(row).collect()
    }

    /// Where a line of tiles begins so that it stands in the middle.
    fn centred(&self, length: u32, tile: u32, tiles: u32) -> u32 {
        even((length - tiles * tile - (tiles - 1) * self.gap) / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_well_placed;
    use super::*;
    use proptest::prelude::*;

    const HD: Rect = Rect { x: 0, y: 0, width: 1280, height: 720 };
    const UPRIGHT: Rect = Rect { x: 0, y: 0, width: 720, height: 1280 };

    /// How many tiles stand in each row.
    fn rows(rects: &[Rect]) -> Vec<usize> {
        rects.chunk_by(|a, b| a.y == b.y).map(<[Rect]>::len).collect()
    }

    fn wide(area: Rect, count: usize) -> Vec<usize> {
        rows(&solve(area, count, Aspect::Wide, 8))
    }

    #[test]
    fn two_are_side_by_side_and_five_are_three_and_two() {
        assert_eq!((wide(HD, 2), wide(HD, 5)), (vec![2], vec![3, 2]));
        assert_eq!(rows(&solve(HD, 2, Aspect::Wide, 0)), [2], "also where one above the other would be as large");
        assert_eq!((wide(HD, 3), wide(HD, 4), wide(HD, 7)), (vec![2, 1], vec![2, 2], vec![3, 3, 1]));
        assert_eq!((wide(HD, 10), wide(HD, 25)), (vec![4, 4, 2], vec![5; 5]));
    }

    #[test]
    fn on_an_upright_canvas_people_stand_above_each_other() {
        assert_eq!((wide(UPRIGHT, 2), wide(UPRIGHT, 3), wide(UPRIGHT, 8)), (vec![1, 1], vec![1; 3], vec![2; 4]));
        assert_eq!(rows(&solve(UPRIGHT, 4, Aspect::Upright, 8)), [2, 2]);
    }

    #[test]
    fn the_incomplete_last_row_stands_in_the_middle() {
        let last = solve(HD, 5, Aspect::Wide, 8)[3..].to_vec();
        let (left, right) = (last[0].x, 1280 - last[1].x - last[1].width);
        assert!(left.abs_diff(right) <= 2, "{left} and {right}");
    }

    #[test]
    fn a_size_that_is_cheap_to_scale_to_is_taken_where_it_costs_little() {
        let size = |width: u32, height: u32| solve(Rect { width, height, ..HD }, 1, Aspect::Wide, 0)[0];
        assert_eq!((size(648, 368).width, size(648, 368).height), (640, 360));
        assert_eq!(size(656, 370).width, 656, "one that costs more than 3 % is not");
        let square = solve(Rect { width: 364, height: 364, ..HD }, 1, Aspect::Square, 0)[0];
        assert_eq!(square.width, 360);
    }

    #[test]
    fn an_area_too_small_gives_up_the_gap_and_then_tiles() {
        let tiny = Rect { x: 6, y: 8, width: 8, height: 4 };
        assert_eq!(solve(tiny, 8, Aspect::Wide, 8).len(), 8);
        assert_eq!(solve(tiny, 100, Aspect::Wide, 8).len(), 8);
        assert_eq!(solve(tiny, 0, Aspect::Wide, 8), []);
    }

    fn aspects() -> impl Strategy<Value = Aspect> {
        prop::sample::select(vec![Aspect::Wide, Aspect::Classic, Aspect::Square, Aspect::ClassicUpright, Aspect::Upright])
    }

    fn areas() -> impl Strategy<Value = Rect> {
        (0..100u32, 0..100u32, 1..1920u32, 1..1080u32).prop_map(|(x, y, w, h)| Rect { x: 2 * x, y: 2 * y, width: 2 * w, height: 2 * h })
    }

    proptest! {
        #[test]
        fn tiles_are_alike_apart_inside_and_on_even_pixels(area in areas(), count in 1..100usize, aspect in aspects(), gap in 0..16u32) {
            let rects = solve(area, count, aspect, 2 * gap);
            prop_assert!(!rects.is_empty() && rects.len() <= count);
            assert_well_placed(area, &rects);
            prop_assert!(rects.iter().all(|rect| (rect.width, rect.height) == (rects[0].width, rects[0].height)));
        }

        #[test]
        fn people_are_in_order_row_by_row(area in areas(), count in 1..100usize, aspect in aspects()) {
            let rects = solve(area, count, aspect, 8);
            prop_assert!(rects.windows(2).all(|two| (two[0].y, two[0].x) < (two[1].y, two[1].x)));
            let rows = rows(&rects);
            prop_assert!(rows[..rows.len() - 1].iter().all(|row| *row == rows[0]) && rows[rows.len() - 1] <= rows[0]);
        }

        #[test]
        fn no_other_number_of_columns_gives_tiles_three_per_cent_larger(area in areas(), count in 1..50usize, aspect in aspects()) {
            let chosen = solve(area, count, aspect, 0)[0];
            let share = |columns: u32| (area.width / columns, area.height / (count as u32).div_ceil(columns));
            for (width, height) in (1..=count as u32).map(share).filter(|(width, height)| *width >= 40 && *height >= 40) {
                let (across, down) = aspect.ratio();
                let possible = (width - 2).min((height - 2) * across / down);
                let most = f64::from(possible) * (f64::from(possible) * f64::from(down) / f64::from(across));
                prop_assert!(f64::from(chosen.width * chosen.height) > 0.97 * most * (1.0 - 4.0 / f64::from(possible)));
            }
        }
    }
}
