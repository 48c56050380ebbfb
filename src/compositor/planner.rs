//! The planner: a scene and the newest pictures become a [`Plan`] of drawing steps.
//!
//! In: a [`Scene`] and [`Pictures`]; out: what to paint where, in order, the same for both compositors.
//! Never: pixels, but for the masks of texts, which are kept.

use std::sync::Arc;

use super::fit::{bars, contain, cover, whole};
use super::fitted::Fitted;
use super::fonts::Fonts;
use super::palette::{PLACEHOLDER, yuv};
use super::plan::{Paint, Plan, Step, Yuv};
use super::slate::{slate, surround};
use super::{Pictures, label, more, overlay, placeholder, stall};
use crate::media::{Canvas, Cell, Fit, Frame, Rect, Scene, Source};

/// Turns scenes into plans.
#[derive(Debug)]
pub struct Planner {
    fonts: Arc<Fonts>,
    slate: Arc<Frame>,
    fitted: Fitted,
}

impl Planner {
    /// A planner that letters with `fonts`; decodes the slate, once per process.
    pub fn new(fonts: Arc<Fonts>) -> Self {
        Self { fonts, slate: slate(), fitted: Fitted::default() }
    }

    /// The steps that draw `scene`. A cell that breaks [`Rect`]'s or the canvas's bounds is left out.
    pub fn plan(&mut self, scene: &Scene, pictures: &dyn Pictures) -> Plan {
        let Canvas { width, height, background, .. } = scene.canvas;
        let mut steps = Vec::with_capacity(scene.cells.len() * 6);
        steps.extend(scene.backdrop.as_ref().map(|image| overlay::backdrop(image, scene.canvas, &mut self.fitted)));
        for cell in scene.cells.iter().filter(|cell| cell.opacity > 0.0 && fits(cell.rect, scene.canvas)) {
            self.draw(cell, scene.canvas, pictures, &mut Tile::of(cell, &mut steps));
        }
        for overlay in &scene.overlays {
            overlay::draw(overlay, scene.canvas, &mut self.fitted, &self.fonts, &mut steps);
        }
        Plan { width, height, background: yuv(background), steps }
    }

    fn draw(&self, cell: &Cell, canvas: Canvas, pictures: &dyn Pictures, tile: &mut Tile) {
        let mut named = false;
        match &cell.source {
            Source::More(count) => more::draw(tile, *count, canvas.height, &self.fonts),
            Source::Slate => tile.picture(&self.slate, cell.fit, surround(&self.slate)),
            Source::Placeholder { id, name } => named = placeholder::draw(tile, *id, name, &self.fonts),
            Source::Participant { id, name } => match pictures.picture(*id) {
                Some(frame) => {
                    tile.picture(&frame, cell.fit, yuv(PLACEHOLDER));
                    if cell.stalled {
                        stall::draw(tile, &self.fonts);
                    }
                }
                None => named = placeholder::draw(tile, *id, name, &self.fonts),
            },
        }
        if let Some(border) = cell.border.filter(|border| border.width > 0 && border.opacity > 0.0) {
            tile.faint(
                cell.rect,
                tile.radius,
                border.opacity.min(1.0),
                Paint::Border { color: yuv(border.color), width: border.width as f32 },
            );
        }
        if let Some(label) = &cell.label {
            let inset = cell.border.map_or(0, |border| border.width.next_multiple_of(2));
            label::draw(tile, label, inset, named, &self.fonts);
        }
    }
}

/// A cell being drawn: collects its steps.
pub(super) struct Tile<'a> {
    /// Where the cell is.
    pub(super) rect: Rect,
    /// Its corners' radius, at most half its shorter side.
    pub(super) radius: f32,
    opacity: f32,
    steps: &'a mut Vec<Step>,
}

impl<'a> Tile<'a> {
    fn of(cell: &Cell, steps: &'a mut Vec<Step>) -> Self {
        Self::new(cell.rect, cell.corner_radius, cell.opacity, steps)
    }

    /// What is drawn like a cell: an overlay.
    pub(super) fn new(rect: Rect, corner_radius: u32, opacity: f32, steps: &'a mut Vec<Step>) -> Self {
        let most = rect.width.min(rect.height) / 2;
        Self { rect, radius: corner_radius.min(most) as f32, opacity: opacity.min(1.0), steps }
    }

    pub(super) fn step(&mut self, rect: Rect, corner_radius: f32, paint: Paint) {
        self.faint(rect, corner_radius, 1.0, paint);
    }

    /// A step that lets what is below it through.
    pub(super) fn faint(&mut self, rect: Rect, corner_radius: f32, opacity: f32, paint: Paint) {
        self.steps.push(Step { rect, corner_radius, opacity: self.opacity * opacity, paint });
    }

    fn picture(&mut self, frame: &Arc<Frame>, fit: Fit, surround: Yuv) {
        let (width, height) = (frame.width(), frame.height());
        let (rect, crop) = match fit {
            Fit::Cover => (self.rect, cover(width, height, self.rect)),
            Fit::Contain => (contain(width, height, self.rect), whole(width, height)),
        };
        self.surround(rect, surround);
        // A bar of a corner's size leaves the picture its square corner; a thinner one leaves the rest of the rounding,
        // an arc that touches the cell's from inside.
        let bar = (rect.x - self.rect.x).max(rect.y - self.rect.y) as f32;
        let most = (rect.width.min(rect.height) / 2) as f32;
        self.step(rect, (self.radius - bar).clamp(0.0, most), Paint::Picture { frame: frame.clone(), crop });
    }

    fn surround(&mut self, inner: Rect, color: Yuv) {
        if inner == self.rect {
            return;
        }
        if self.radius > 0.0 {
            return self.step(self.rect, self.radius, Paint::Fill(color));
        }
        for bar in bars(self.rect, inner) {
            self.step(bar, 0.0, Paint::Fill(color));
        }
    }
}

/// Whether a rectangle is on even pixels of the canvas and not empty.
pub(super) fn fits(rect: Rect, canvas: Canvas) -> bool {
    let even = [rect.x, rect.y, rect.width, rect.height].iter().all(|side| side % 2 == 0);
    let inside = |at: u32, side: u32, limit: u32| side >= 2 && at.checked_add(side).is_some_and(|end| end <= limit);
    even && inside(rect.x, rect.width, canvas.width) && inside(rect.y, rect.height, canvas.height)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compositor::palette::DIM_OPACITY;
    use crate::media::{Border, Label, MediaTime, ParticipantId, Rgb};

    struct One(Option<Arc<Frame>>);

    impl Pictures for One {
        fn picture(&self, _: ParticipantId) -> Option<Arc<Frame>> {
            self.0.clone()
        }
    }

    fn cell(rect: Rect) -> Cell {
        let source = Source::Participant { id: ParticipantId(1), name: "Ada".into() };
        Cell { source, rect, fit: Fit::Cover, z: 0, opacity: 1.0, corner_radius: 0, border: None, label: None, stalled: false }
    }

    fn plan(cell: Cell, picture: Option<(u32, u32)>) -> Plan {
        let picture = picture.map(|(w, h)| Arc::new(Frame::black(w, h)));
        let scene =
            Scene { canvas: Canvas::default(), at: MediaTime::ZERO, cells: vec![cell], ..Scene::empty(Canvas::default(), MediaTime::ZERO) };
        Planner::new(Fonts::embedded()).plan(&scene, &One(picture))
    }

    const HALF: Rect = Rect { x: 0, y: 0, width: 640, height: 360 };

    #[test]
    fn a_picture_of_the_cell_s_aspect_is_one_step() {
        let steps = plan(cell(HALF), Some((640, 360))).steps;
        assert_eq!(steps.len(), 1);
        assert!(matches!(&steps[0].paint, Paint::Picture { crop, .. } if crop.width == 640.0 && crop.x == 0.0));
    }

    #[test]
    fn a_picture_that_stands_still_is_dimmed_under_a_mark_and_a_placeholder_is_not() {
        let stalled = Cell { stalled: true, corner_radius: 12, ..cell(HALF) };
        let steps = plan(stalled.clone(), Some((640, 360))).steps;
        assert!(matches!([&steps[0].paint, &steps[1].paint, &steps[2].paint], [Paint::Picture { .. }, Paint::Fill(_), Paint::Mask { .. }]));
        assert_eq!((steps.len(), steps[1].rect, steps[1].corner_radius, steps[1].opacity), (3, HALF, 12.0, DIM_OPACITY));
        let narrow = plan(Cell { rect: Rect { width: 4, height: 4, ..HALF }, ..stalled.clone() }, Some((640, 360))).steps;
        assert_eq!(narrow.len(), 2, "no room for a mark");
        assert_eq!(plan(stalled.clone(), None).steps.len(), plan(Cell { stalled: false, ..stalled }, None).steps.len());
    }

    #[test]
    fn a_placeholder_shows_no_picture_though_there_is_one() {
        let hidden = Cell { source: Source::Placeholder { id: ParticipantId(1), name: "Ada".into() }, ..cell(HALF) };
        let steps = plan(hidden, Some((640, 360))).steps;
        assert!(steps.iter().all(|step| !matches!(step.paint, Paint::Picture { .. })));
        assert_eq!(steps.len(), plan(cell(HALF), None).steps.len());
    }

    #[test]
    fn a_picture_shown_whole_has_two_bars_unless_corners_are_round() {
        let contain = Cell { fit: Fit::Contain, ..cell(HALF) };
        assert_eq!(plan(contain.clone(), Some((480, 480))).steps.len(), 3);
        let round = plan(Cell { corner_radius: 16, ..contain }, Some((480, 480))).steps;
        assert_eq!((round.len(), round[0].corner_radius, round[1].corner_radius), (2, 16.0, 0.0));
    }

    #[test]
    fn the_border_lies_on_the_picture_and_the_label_on_both() {
        let label = Some(Label { text: "Ada".into(), muted: true });
        let steps =
            plan(Cell { border: Some(Border { width: 4, color: Rgb(0, 255, 0), opacity: 1.0 }), label, ..cell(HALF) }, Some((640, 360)))
                .steps;
        let kinds: Vec<_> = steps.iter().map(|step| std::mem::discriminant(&step.paint)).collect();
        assert!(matches!(steps[1].paint, Paint::Border { .. }));
        assert_eq!(kinds.len(), 5, "picture, border, pill, mark, name");
    }

    #[test]
    fn a_cell_off_the_canvas_or_on_odd_pixels_is_left_out() {
        for rect in [Rect { x: 1000, ..HALF }, Rect { x: 1, ..HALF }, Rect { width: 0, ..HALF }, Rect { y: u32::MAX - 1, ..HALF }] {
            assert!(plan(cell(rect), None).steps.is_empty(), "{rect:?}");
        }
    }

    #[test]
    fn no_radius_is_larger_than_half_the_shorter_side() {
        let round = Cell { corner_radius: u32::MAX, ..cell(HALF) };
        assert_eq!(plan(round.clone(), Some((640, 360))).steps[0].corner_radius, 180.0);
        let flat = plan(Cell { fit: Fit::Contain, ..round }, Some((640, 200))).steps;
        assert_eq!((flat[1].rect.height, flat[1].corner_radius), (200, 100.0));
    }
}
