//! How much of the canvas the grid uses, against squares of n×n places.
//!
//! In: nothing. Out: a table as text. Squares are what mixers without a solver do: the least n×n that holds everybody, each
//! place an n-th of the canvas wide and high, the same tiles inside.

use std::fmt::Write;

use crate::layout::{Aspect, Layout, LayoutSpec, grid, stock, usage};
use crate::media::{Canvas, Rect};

/// The grid's own, for templates.
const GAP: u32 = 8;
/// The most people in the table.
const PEOPLE: usize = 25;

/// Canvases and tiles: what most rooms have, tiles less wide than the canvas, and a phone held upright.
const KINDS: [(&str, u32, u32, Aspect); 4] = [
    ("1280×720, 16:9 tiles", 1280, 720, Aspect::Wide),
    ("1280×720, 4:3 tiles", 1280, 720, Aspect::Classic),
    ("1280×720, 1:1 tiles", 1280, 720, Aspect::Square),
    ("720×1280, 16:9 tiles", 720, 1280, Aspect::Wide),
];

/// The table: a line for each number of people, a pair of columns for each kind.
pub(super) fn table() -> String {
    let heads: String = KINDS.iter().map(|(name, ..)| format!(" {name}: grid | n×n |")).collect();
    let mut table = format!("| People |{heads}\n|{}\n", " ---: |".repeat(1 + 2 * KINDS.len()));
    for people in 1..=PEOPLE {
        let parts =
            KINDS.map(|(_, width, height, aspect)| [of_grid(width, height, aspect, people), of_squares(width, height, aspect, people)]);
        let columns: String = parts.as_flattened().iter().map(|part| format!(" {:.0} % |", part * 100.0)).collect();
        writeln!(table, "| {people} |{columns}").expect("a String takes every character");
    }
    table
}

/// The part of the canvas that the grid's tiles cover.
fn of_grid(width: u32, height: u32, aspect: Aspect, people: usize) -> f64 {
    let spec = LayoutSpec { aspect, ..LayoutSpec::default() };
    let layout = spec.resolve(|name| stock().get(name).cloned()).expect("the grid is a stock template");
    usage(&layout.places(width, height, people), Canvas { width, height, ..Canvas::default() })
}

/// The part that as many tiles in the least square cover.
fn of_squares(width: u32, height: u32, aspect: Aspect, people: usize) -> f64 {
    let side = (1_u32..).find(|side| (side * side) as usize >= people).expect("some square is large enough");
    if side == 1 {
        return 1.0;
    }
    let share = |length: u32| ((length - GAP * (side + 1)) / side) & !1;
    let place = Rect { width: share(width), height: share(height), ..Layout::whole(width, height) };
    let tile = grid::solve(place, 1, aspect, GAP)[0];
    people as f64 * f64::from(tile.width * tile.height) / f64::from(width * height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_never_uses_less_than_squares_do() {
        for (name, width, height, aspect) in KINDS {
            for people in 1..=PEOPLE {
                let (grid, squares) = (of_grid(width, height, aspect, people), of_squares(width, height, aspect, people));
                assert!(grid >= squares - 1e-9, "{name} for {people}: {grid} against {squares}");
            }
        }
    }

    #[test]
    fn the_table_has_a_line_for_each_number_of_people() {
        let table = table();
        assert_eq!(table.lines().count(), 2 + PEOPLE);
        assert!(table.lines().all(|line| line.matches('|').count() == 2 + 2 * KINDS.len()), "{table}");
    }
}
