//! A contact sheet: all stock templates for some numbers of people.
//!
//! In: the canvases' size. Out: one picture, a line for each template. Each picture in it is what a room would show: the scene
//! of a real [`Room`] on a clock of its own, with made-up people. The sheet itself is a scene, too.

use std::sync::Arc;

use crate::compositor::{CompositorError, Fonts, Pictures, Strangers, still};
use crate::layout::{LayoutSpec, stock};
use crate::media::{
    Canvas, Cell, Fit, Frame, Label, MediaTime, ParticipantId, Picture, Rect, Reel, Scene, ShortName, Source, ViewName, Within,
};
use crate::room::{Command, Due, Joining, Overlays, Room, RoomSettings, View};

/// Numbers of people, one for each column.
const PEOPLE: [u32; 6] = [1, 2, 3, 5, 9, 16];
/// Pictures in the sheet fit into this.
const MOST: (u32, u32) = (176, 100);
const GAP: u32 = 12;
/// The first column, of names, and the first line, of numbers.
const HEAD: (u32, u32) = (140, 32);
/// Somebody who watches and is not seen.
const WATCHER: ParticipantId = ParticipantId(u32::MAX);

/// Draws the sheet for canvases of `width × height`, both even.
pub(super) fn draw(width: u32, height: u32) -> Result<Frame, CompositorError> {
    let canvas = Canvas { width, height, ..Canvas::default() };
    let fonts = Fonts::embedded();
    let mut sheet = Sheet::new(canvas, &fonts)?;
    for (column, people) in PEOPLE.iter().enumerate() {
        sheet.write(column + 1, 0, &people.to_string());
    }
    for (line, name) in stock().keys().enumerate() {
        sheet.write(0, line + 1, name.as_str());
        for (column, people) in PEOPLE.iter().enumerate() {
            sheet.paste(column + 1, line + 1, still(&scene(canvas, name, *people), &Strangers, fonts.clone())?);
        }
    }
    still(&sheet.scene(), &sheet, fonts)
}

/// What a room of so many people shows.
fn scene(canvas: Canvas, template: &ShortName, people: u32) -> Scene {
    let spec = LayoutSpec { names: false, transition_ms: Within::of(0), ..LayoutSpec::template(template.clone()) };
    let layout = spec.resolve(|name| stock().get(name).cloned()).expect("a stock template is a layout");
    let views = [(ViewName::main(), View { canvas, layout: Arc::new(layout) })].into();
    let overlays = Overlays { mute_marks: false, ..Overlays::default() };
    let mut room = Room::new(RoomSettings { views, overlays, ..RoomSettings::default() }, MediaTime::ZERO);
    (0..people).for_each(|id| room.handle(Command::Join(stranger(id))));
    room.handle(Command::Watch(WATCHER, ViewName::main()));
    loop {
        let now = room.next_deadline();
        while let Some(due) = room.advance(now) {
            if let Due::Scene(_, scene) = due {
                return scene;
            }
        }
    }
}

fn stranger(id: u32) -> Joining {
    let newest = Arc::<Reel>::default();
    newest.put(MediaTime::ZERO, Picture { frame: Arc::new(Frame::black(16, 16)), at: MediaTime::ZERO });
    let source = crate::room::Source::Camera;
    Joining { id: ParticipantId(id), name: Strangers::name(id).into(), source, sound: None, picture: Some(newest) }
}

/// The sheet as a scene: cells whose pictures are the canvases.
struct Sheet {
    thumbnail: (u32, u32),
    cells: Vec<Cell>,
    pictures: Vec<Arc<Frame>>,
    blank: Arc<Frame>,
}

impl Pictures for Sheet {
    fn picture(&self, id: ParticipantId) -> Option<Arc<Frame>> {
        self.pictures.get(id.0 as usize).cloned()
    }
}

impl Sheet {
    fn new(canvas: Canvas, fonts: &Arc<Fonts>) -> Result<Self, CompositorError> {
        let blank = still(&Scene::empty(Canvas { width: 128, height: 128, ..canvas }, MediaTime::ZERO), &Strangers, fonts.clone())?;
        let scale = (f64::from(MOST.0) / f64::from(canvas.width)).min(f64::from(MOST.1) / f64::from(canvas.height));
        let side = |length: u32| ((f64::from(length) * scale) as u32 & !1).max(2);
        Ok(Self { thumbnail: (side(canvas.width), side(canvas.height)), cells: Vec::new(), pictures: Vec::new(), blank: Arc::new(blank) })
    }

    /// Column and line 0 are the heads'.
    fn rect(&self, column: usize, line: usize) -> Rect {
        let along = |n: usize, head: u32, side: u32| match n as u32 {
            0 => (0, head),
            n => (head + (n - 1) * (side + GAP), side),
        };
        let (x, width) = along(column, HEAD.0, self.thumbnail.0);
        let (y, height) = along(line, HEAD.1, self.thumbnail.1);
        Rect { x, y, width, height }
    }

    fn put(&mut self, column: usize, line: usize, picture: Arc<Frame>, label: Option<Label>) {
        let source = Source::Participant { id: ParticipantId(self.pictures.len() as u32), name: "".into() };
        let rect = self.rect(column, line);
        self.pictures.push(picture);
        self.cells.push(Cell { source, rect, fit: Fit::Cover, z: 0, opacity: 1.0, corner_radius: 0, border: None, label, stalled: false });
    }

    fn write(&mut self, column: usize, line: usize, text: &str) {
        self.put(column, line, self.blank.clone(), Some(Label { text: text.into(), muted: false }));
    }

    fn paste(&mut self, column: usize, line: usize, picture: Frame) {
        self.put(column, line, Arc::new(picture), None);
    }

    fn scene(&self) -> Scene {
        let far = self.rect(PEOPLE.len(), stock().len());
        let canvas = Canvas { width: far.x + far.width + GAP, height: far.y + far.height + GAP, ..Canvas::default() };
        Scene { cells: self.cells.clone(), ..Scene::empty(canvas, MediaTime::ZERO) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_of_so_many_people_shows_them_and_counts_the_rest() {
        let shown = |template: &str, people: u32| scene(Canvas::default(), &template.parse().unwrap(), people).cells;
        assert_eq!(shown("grid", 9).len(), 9);
        let classic = shown("one-plus-five", 9);
        assert_eq!((classic.len(), classic.iter().filter(|cell| cell.source == Source::More(4)).count()), (6, 1));
    }

    #[test]
    fn the_sheet_has_every_template_s_pictures_side_by_side_and_apart() {
        let mut sheet = Sheet::new(Canvas { width: 720, height: 1280, ..Canvas::default() }, &Fonts::embedded()).unwrap();
        (0..=PEOPLE.len()).for_each(|column| sheet.write(column, stock().len(), "x"));
        let scene = sheet.scene();
        let ends: Vec<_> = scene.cells.iter().map(|cell| (cell.rect.x, cell.rect.x + cell.rect.width)).collect();
        assert!(ends.windows(2).all(|two| two[0].1 <= two[1].0) && ends[PEOPLE.len()].1 < scene.canvas.width);
        assert!(scene.canvas.width <= 3840 && scene.canvas.height <= 2160, "{:?}", scene.canvas);
    }
}
