//! Cells on their way from where they were to where they shall be.
//!
//! In: target cells, as often as somebody likes, and the time. Out: the cells as they are at any time. A source keeps its cell
//! while it moves; one that is interrupted goes on from where it is. Never: a clock, or who stands where.

use std::time::Duration;

use super::places::nearest_even;
use crate::media::{Cell, MediaTime, ParticipantId, Rect, Source};

/// The cells of one canvas in motion. Pure: the same calls at the same times give the same cells. Where the canvas's size
/// changes, begin with a new one.
#[derive(Clone, Debug, Default)]
pub struct Transition {
    /// In paint order.
    target: Vec<Cell>,
    /// Where each cell of the target set out from, in the same order.
    origins: Vec<Stance>,
    /// Cells as they were when they lost their place: painted below the others until they are gone.
    fading: Vec<Cell>,
    started: MediaTime,
    /// Zero where nothing moves.
    lasting: Duration,
}

/// What moves about a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stance {
    rect: Rect,
    opacity: f32,
    corner_radius: u32,
}

/// What makes two cells the same one: neither names nor numbers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Identity {
    Participant(ParticipantId),
    Slate,
    More,
}

impl Transition {
    /// Sets out for `target`, from wherever the cells are at `now`; there after `lasting` (at once where it is zero, and the
    /// first time).
    ///
    /// A cell whose source is new fades in in its place; one whose source `stays` (is still in the room) but is no longer placed
    /// fades out; one whose source is gone disappears at once. Aiming again for what is aimed for already changes nothing but
    /// texts, borders and labels.
    pub fn aim(&mut self, now: MediaTime, mut target: Vec<Cell>, lasting: Duration, stays: impl Fn(&Source) -> bool) {
        target.sort_by_key(|cell| cell.z);
        if self.aims_for(&target) {
            self.fading.retain(|cell| stays(&cell.source));
            self.target = target;
            return;
        }
        let at_once = lasting.is_zero() || self.target.is_empty();
        let shown = if at_once { Vec::new() } else { self.cells(now) };
        let faint = if at_once { 1.0 } else { 0.0 };
        let origin = |cell: &Cell| match find(&shown, cell) {
            Some(before) => Stance::of(before),
            None => Stance { opacity: cell.opacity * faint, ..Stance::of(cell) },
        };
        self.origins = target.iter().map(origin).collect();
        let fades = |cell: &Cell| find(&target, cell).is_none() && cell.opacity > 0.0 && stays(&cell.source);
        self.fading = shown.into_iter().filter(fades).collect();
        self.target = target;
        self.started = now;
        self.lasting = if self.at_rest() { Duration::ZERO } else { lasting };
    }

    /// The cells at `now`, in paint order, on even pixels inside the canvas.
    pub fn cells(&self, now: MediaTime) -> Vec<Cell> {
        let Some(progress) = self.progress(now) else {
            return self.target.clone();
        };
        let mut cells = Vec::with_capacity(self.fading.len() + self.target.len());
        // Below every cell, also for whoever sorts by `z`.
        cells.extend(self.fading.iter().map(|cell| Cell { z: i32::MIN, opacity: cell.opacity * (1.0 - progress as f32), ..cell.clone() }));
        cells.extend(self.origins.iter().zip(&self.target).map(|(origin, cell)| origin.towards(cell, progress)));
        cells
    }

    /// Where the cells are going: what an admin is told.
    pub fn target(&self) -> &[Cell] {
        &self.target
    }

    /// Whether anything is still on its way at `now`.
    pub fn moving(&self, now: MediaTime) -> bool {
        self.progress(now).is_some()
    }

    fn aims_for(&self, target: &[Cell]) -> bool {
        let same = |a: &Cell, b: &Cell| identity(a) == identity(b) && Stance::of(a) == Stance::of(b) && (a.z, a.fit) == (b.z, b.fit);
        self.target.len() == target.len() && self.target.iter().zip(target).all(|(a, b)| same(a, b))
    }

    fn at_rest(&self) -> bool {
        self.fading.is_empty() && self.origins.iter().zip(&self.target).all(|(origin, cell)| *origin == Stance::of(cell))
    }

    /// How much of the way is behind, eased; `None` where all of it is.
    fn progress(&self, now: MediaTime) -> Option<f64> {
        let gone = now.since(self.started);
        let part = (gone < self.lasting).then(|| gone.as_secs_f64() / self.lasting.as_secs_f64())?;
        // Slow at both ends: 3p² − 2p³.
        Some(part * part * (3.0 - 2.0 * part))
    }
}

impl Stance {
    fn of(cell: &Cell) -> Self {
        Self { rect: cell.rect, opacity: cell.opacity, corner_radius: cell.corner_radius }
    }

    /// The cell where it is on its way.
    fn towards(self, cell: &Cell, progress: f64) -> Cell {
        let (from, to) = (self.rect, cell.rect);
        let (x, width) = span((from.x, from.width), (to.x, to.width), progress);
        let (y, height) = span((from.y, from.height), (to.y, to.height), progress);
        Cell {
            rect: Rect { x, y, width, height },
            opacity: between(self.opacity.into(), cell.opacity.into(), progress) as f32,
            corner_radius: between(self.corner_radius.into(), cell.corner_radius.into(), progress).round() as u32,
            ..cell.clone()
        }
    }
}

fn find<'a>(cells: &'a [Cell], cell: &Cell) -> Option<&'a Cell> {
    cells.iter().find(|other| identity(other) == identity(cell))
}

fn identity(cell: &Cell) -> Identity {
    match cell.source {
        Source::Participant { id, .. } | Source::Placeholder { id, .. } => Identity::Participant(id),
        Source::Slate => Identity::Slate,
        Source::More(_) => Identity::More,
    }
}

fn between(from: f64, to: f64, progress: f64) -> f64 {
    from + (to - from) * progress
}

/// Begin and length on the way. Both ends are rounded alike, so that what only moves keeps its size, and nothing leaves a
/// canvas that both ends of the way are on.
fn span(from: (u32, u32), to: (u32, u32), progress: f64) -> (u32, u32) {
    let even = |from: u32, to: u32| nearest_even(between(from.into(), to.into(), progress));
    let (begin, end) = (even(from.0, to.0), even(from.0 + from.1, to.0 + to.1));
    (begin, end - begin)
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_inside;
    use super::*;
    use crate::media::{Border, Fit, Label, Rgb};
    use proptest::prelude::*;

    const CANVAS: Rect = Rect { x: 0, y: 0, width: 1280, height: 720 };
    const LEFT: Rect = Rect { x: 0, y: 0, width: 640, height: 720 };
    const RIGHT: Rect = Rect { x: 640, ..LEFT };
    const LASTING: Duration = Duration::from_millis(300);

    fn cell(id: u32, rect: Rect) -> Cell {
        let source = Source::Participant { id: ParticipantId(id), name: format!("P{id}").into() };
        Cell { source, rect, fit: Fit::Cover, z: 0, opacity: 1.0, corner_radius: 0, border: None, label: None, stalled: false }
    }

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    fn ids(cells: &[Cell]) -> Vec<Identity> {
        cells.iter().map(identity).collect()
    }

    fn aimed(cells: &[Cell]) -> Transition {
        let mut transition = Transition::default();
        transition.aim(at(0), cells.to_vec(), LASTING, |_| true);
        transition
    }

    fn turn(transition: &mut Transition, now: u64, cells: &[Cell]) {
        transition.aim(at(now), cells.to_vec(), LASTING, |_| true);
    }

    #[test]
    fn the_first_cells_are_in_their_places_at_once() {
        let transition = aimed(&[cell(1, LEFT)]);
        assert_eq!(transition.cells(at(0)), [cell(1, LEFT)]);
        assert!(!transition.moving(at(0)));
    }

    #[test]
    fn a_cell_glides_slowly_at_both_ends_and_arrives() {
        let mut transition = aimed(&[cell(1, LEFT)]);
        turn(&mut transition, 1000, &[cell(1, RIGHT)]);
        let x = |millis| transition.cells(at(millis))[0].rect.x;
        assert_eq!([1000, 1030, 1150, 1270, 1300, 5000].map(x), [0, 18, 320, 622, 640, 640]);
        assert!((1000..1300).all(|millis| transition.cells(at(millis))[0].rect.width == 640), "what only moves keeps its size");
        assert!(transition.moving(at(1299)) && !transition.moving(at(1300)));
        assert_eq!(transition.target(), [cell(1, RIGHT)]);
    }

    #[test]
    fn aiming_for_the_same_at_every_tick_does_not_restart() {
        let (mut once, mut often) = (aimed(&[cell(1, LEFT)]), aimed(&[cell(1, LEFT)]));
        turn(&mut once, 1000, &[cell(1, RIGHT)]);
        for millis in (1000..1300).step_by(33) {
            turn(&mut often, millis, &[cell(1, RIGHT)]);
            assert_eq!(often.cells(at(millis)), once.cells(at(millis)));
        }
    }

    #[test]
    fn texts_borders_and_numbers_change_on_the_way() {
        let more = |count| Cell { source: Source::More(count), ..cell(0, LEFT) };
        let mut transition = aimed(&[cell(1, LEFT), more(3)]);
        turn(&mut transition, 1000, &[cell(1, RIGHT), more(3)]);
        let border = Some(Border { width: 4, color: Rgb(0, 255, 0), opacity: 0.7 });
        let label = Some(Label { text: "Ada".into(), muted: true });
        turn(&mut transition, 1150, &[Cell { border, label: label.clone(), ..cell(1, RIGHT) }, more(4)]);
        let cells = transition.cells(at(1150));
        assert_eq!((cells[0].rect.x, cells[0].border, &cells[0].label), (320, border, &label));
        assert_eq!(cells[1].source, Source::More(4));
    }

    #[test]
    fn a_newcomer_fades_in_and_who_lost_their_place_fades_out_below() {
        let high = Cell { z: 9, ..cell(1, LEFT) };
        let mut transition = aimed(&[high]);
        turn(&mut transition, 1000, &[cell(2, LEFT)]);
        let cells = transition.cells(at(1150));
        assert_eq!(ids(&cells), [Identity::Participant(ParticipantId(1)), Identity::Participant(ParticipantId(2))]);
        assert_eq!((cells[0].opacity, cells[1].opacity, cells[1].rect), (0.5, 0.5, LEFT));
        assert!(cells[0].z < cells[1].z);
        assert_eq!(ids(&transition.cells(at(1300))).len(), 1);
    }

    #[test]
    fn whoever_has_left_disappears_at_once_also_while_they_fade() {
        let mut transition = aimed(&[cell(1, LEFT), cell(2, RIGHT)]);
        transition.aim(at(1000), vec![cell(2, RIGHT)], LASTING, |source| *source != cell(1, LEFT).source);
        assert_eq!(transition.cells(at(1000)), [cell(2, RIGHT)]);
        turn(&mut transition, 2000, &[cell(3, RIGHT)]);
        assert_eq!(transition.cells(at(2100)).len(), 2);
        transition.aim(at(2100), vec![cell(3, RIGHT)], LASTING, |_| false);
        assert_eq!(transition.cells(at(2100)).len(), 1);
    }

    #[test]
    fn one_that_is_interrupted_goes_on_from_where_it_is() {
        let mut transition = aimed(&[cell(1, LEFT)]);
        turn(&mut transition, 1000, &[cell(1, RIGHT)]);
        let before = transition.cells(at(1100));
        turn(&mut transition, 1100, &[cell(1, LEFT)]);
        assert_eq!(transition.cells(at(1100)), before);
        turn(&mut transition, 1200, &[cell(2, LEFT)]);
        let fading = transition.cells(at(1300))[0].clone();
        turn(&mut transition, 1300, &[cell(1, RIGHT), cell(2, LEFT)]);
        let back = transition.cells(at(1300)).into_iter().find(|cell| identity(cell) == identity(&fading));
        assert_eq!(back.map(|cell| (cell.rect, cell.opacity)), Some((fading.rect, fading.opacity)));
    }

    #[test]
    fn no_time_at_all_is_at_once() {
        let mut transition = aimed(&[cell(1, LEFT)]);
        turn(&mut transition, 1000, &[cell(1, RIGHT)]);
        transition.aim(at(1100), vec![cell(2, CANVAS)], Duration::ZERO, |_| true);
        assert_eq!(transition.cells(at(1100)), [cell(2, CANVAS)]);
        assert!(!transition.moving(at(1100)));
    }

    #[test]
    fn the_target_s_paint_order_counts_from_the_start() {
        let mut transition = aimed(&[cell(1, LEFT), cell(2, RIGHT)]);
        turn(&mut transition, 1000, &[Cell { z: 1, ..cell(1, CANVAS) }, cell(2, RIGHT)]);
        assert_eq!(ids(&transition.cells(at(1001))), [2, 1].map(|id| Identity::Participant(ParticipantId(id))));
    }

    fn target() -> impl Strategy<Value = Vec<Cell>> {
        let rect =
            (0..600u32, 0..300u32, 1..40u32, 1..60u32).prop_map(|(x, y, w, h)| Rect { x: 2 * x, y: 2 * y, width: 2 * w, height: 2 * h });
        let cell = (0..6u32, rect, -3..3i32).prop_map(|(id, rect, z)| Cell { z, ..cell(id, rect) });
        prop::collection::vec(cell, 1..6).prop_map(|mut cells| {
            cells.sort_by_key(|cell| format!("{:?}", cell.source));
            cells.dedup_by_key(|cell| cell.source.clone());
            cells
        })
    }

    fn turns() -> impl Strategy<Value = Vec<(Vec<Cell>, u64)>> {
        prop::collection::vec((target(), 0..500u64), 1..8)
    }

    proptest! {
        #[test]
        fn cells_stay_inside_the_canvas_on_even_pixels_and_each_source_has_one(turns in turns()) {
            let (mut transition, mut now) = (Transition::default(), 0);
            for (target, after) in turns {
                turn(&mut transition, now, &target);
                for millis in (now..=now + after).step_by(33) {
                    let cells = transition.cells(at(millis));
                    cells.iter().for_each(|cell| assert_inside(CANVAS, cell.rect));
                    prop_assert!(cells.iter().all(|cell| (0.0..=1.0).contains(&cell.opacity)));
                    prop_assert!(cells.windows(2).all(|two| two[0].z <= two[1].z));
                    prop_assert!((1..cells.len()).all(|n| !ids(&cells[..n]).contains(&identity(&cells[n]))));
                }
                now += after;
            }
        }
    }
}
