//! From the people shown to the cells of a scene: where each stands, and what their cell says about them.
//!
//! In: who is shown, in order, and who speaks. Out: cells in paint order. Never: who is shown (that is `cast`).

use std::sync::Arc;

use super::{Layout, grid, speaker};
use crate::media::{Border, Canvas, Cell, Fit, Label, ParticipantId, Rect, Rgb, Source};

/// The edge line of whoever speaks.
const SPEAKER_COLOR: Rgb = Rgb(0x3d, 0xd6, 0x8c);
/// The canvas's shorter side for which the pixel sizes below are meant.
const NOMINAL_SIDE: u32 = 720;
const CORNER_RADIUS: u32 = 10;
const BORDER_WIDTH: u32 = 4;

/// A person as a cell shows them.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) id: ParticipantId,
    pub(super) name: Arc<str>,
    /// Whether the mute mark stands by their name.
    pub(super) muted: bool,
    /// Whether they are the active speaker and talk.
    pub(super) speaking: bool,
}

impl Layout {
    /// How many people it shows at most.
    pub(super) fn capacity(self) -> usize {
        match self {
            Self::Grid => grid::MOST,
            Self::Speaker => speaker::MOST,
        }
    }

    /// The cells for `people` (at most the capacity, in order); `large` is who has the large place, where there is one.
    pub(super) fn cells(self, canvas: Canvas, mut people: Vec<Shown>, large: Option<ParticipantId>) -> Vec<Cell> {
        if people.is_empty() {
            return vec![slate(canvas)];
        }
        let rects = match self {
            Self::Grid => grid::solve(canvas.width, canvas.height, people.len()),
            Self::Speaker => {
                // A stable sort moves the large one to the front and leaves the strip's order alone.
                people.sort_by_key(|shown| Some(shown.id) != large);
                speaker::place(canvas.width, canvas.height, people.len())
            }
        };
        people.into_iter().zip(rects).map(|(shown, rect)| cell(canvas, shown, rect)).collect()
    }
}

fn slate(canvas: Canvas) -> Cell {
    Cell { source: Source::Slate, label: None, ..bare(Rect { x: 0, y: 0, width: canvas.width, height: canvas.height }) }
}

fn cell(canvas: Canvas, shown: Shown, rect: Rect) -> Cell {
    let whole = (rect.width, rect.height) == (canvas.width, canvas.height);
    let border = Border { width: grid::even(scaled(canvas, BORDER_WIDTH)).max(2), color: SPEAKER_COLOR };
    Cell {
        source: Source::Participant { id: shown.id, name: shown.name.clone() },
        corner_radius: if whole { 0 } else { scaled(canvas, CORNER_RADIUS) },
        border: shown.speaking.then_some(border),
        label: Some(Label { text: shown.name, muted: shown.muted }),
        ..bare(rect)
    }
}

fn bare(rect: Rect) -> Cell {
    Cell { source: Source::Slate, rect, fit: Fit::Cover, z: 0, opacity: 1.0, corner_radius: 0, border: None, label: None }
}

fn scaled(canvas: Canvas, pixels: u32) -> u32 {
    pixels * canvas.width.min(canvas.height) / NOMINAL_SIDE
}

#[cfg(test)]
pub(super) mod placement {
    //! What every placement promises.

    use crate::media::Rect;

    /// Rectangles lie inside the canvas, touch no other, and have even coordinates.
    pub(in crate::room) fn assert_well_placed(width: u32, height: u32, rects: &[Rect]) {
        for (n, r) in rects.iter().enumerate() {
            assert!(r.x + r.width <= width && r.y + r.height <= height, "{r:?} leaves {width}x{height}");
            assert!([r.x, r.y, r.width, r.height].iter().all(|side| side % 2 == 0), "{r:?} is odd");
            assert!(r.width >= 2 && r.height >= 2, "{r:?} shows nothing");
            assert!(rects[..n].iter().all(|other| apart(r, other)), "{r:?} overlaps in {rects:?}");
        }
    }

    fn apart(a: &Rect, b: &Rect) -> bool {
        a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(count: u32) -> Vec<Shown> {
        let person = |n| Shown { id: ParticipantId(n), name: format!("P{n}").into(), muted: n == 2, speaking: n == 3 };
        (1..=count).map(person).collect()
    }

    fn ids(cells: &[Cell]) -> Vec<u32> {
        let id = |cell: &Cell| match cell.source {
            Source::Participant { id, .. } => id.0,
            Source::Slate => 0,
        };
        cells.iter().map(id).collect()
    }

    #[test]
    fn an_empty_room_shows_the_slate_all_over() {
        for layout in [Layout::Grid, Layout::Speaker] {
            let cells = layout.cells(Canvas::default(), vec![], None);
            assert_eq!(cells.len(), 1);
            assert_eq!((&cells[0].source, cells[0].rect.width, cells[0].rect.height), (&Source::Slate, 1280, 720));
        }
    }

    #[test]
    fn the_large_place_is_the_speakers_and_the_strip_keeps_its_order() {
        let cells = Layout::Speaker.cells(Canvas::default(), people(5), Some(ParticipantId(3)));
        assert_eq!(ids(&cells), [3, 1, 2, 4, 5]);
    }

    #[test]
    fn a_cell_carries_the_name_the_mute_mark_and_the_speakers_edge() {
        let cells = Layout::Grid.cells(Canvas::default(), people(3), None);
        assert_eq!(cells[1].label, Some(Label { text: "P2".into(), muted: true }));
        assert_eq!(cells[2].border.map(|b| b.width), Some(4));
        assert_eq!(cells.iter().filter(|c| c.border.is_some()).count(), 1);
        assert!(cells.iter().all(|c| c.corner_radius == 10 && c.fit == Fit::Cover));
    }

    #[test]
    fn edges_and_corners_scale_with_the_canvas() {
        let canvas = Canvas { width: 320, height: 180, ..Canvas::default() };
        let cells = Layout::Grid.cells(canvas, people(3), None);
        assert_eq!((cells[2].corner_radius, cells[2].border.map(|b| b.width)), (2, Some(2)));
    }
}
