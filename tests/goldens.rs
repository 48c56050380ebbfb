//! What the CPU compositor draws is what `tests/goldens/*.png` show.
//!
//! After a change that is meant to be seen: `MEDLEY_BLESS=1 cargo test --test goldens`, then look at the pictures.
//! Text comes from the embedded font alone, so that they are the same on every machine.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use image::{Rgb as Pixel, RgbImage};
use medley::compositor::cpu::CpuCompositor;
use medley::compositor::{Compositor, Fonts, Pictures, i420};
use medley::media::{Border, Canvas, Cell, Fit, Frame, Label, MediaTime, ParticipantId, Rect, Rgb, Scene, Source};

/// What another machine's arithmetic on fractions may change, in 8-bit RGB.
const TOLERANCE: u8 = 2;

#[test]
fn a_grid_shows_pictures_names_mute_marks_and_the_speaker() {
    let names = ["Ada Lovelace", "Wolfeschlegelsteinhausenbergerdorff the Elder", "Дмитрий", "محمد الخوارزمي"];
    let mut cells: Vec<Cell> = (0..4).map(|i| cell(i, names[i as usize], quarter(i))).collect();
    for (cell, muted) in cells.iter_mut().zip([false, true, false, true]) {
        let Source::Participant { name, .. } = &cell.source else { continue };
        cell.label = Some(Label { text: name.clone(), muted });
        cell.corner_radius = 8;
    }
    cells[0].border = Some(Border { width: 4, color: Rgb(0x4c, 0xc3, 0x8a) });
    compare("grid", 480, 272, cells, &Faces(|_| Some((640, 360))));
}

#[test]
fn placeholders_show_initials_and_names() {
    let names = ["Ada Lovelace", "שרה כהן", "a", "🙂"];
    let mut cells: Vec<Cell> = (0..4).map(|i| cell(i, names[i as usize], quarter(i))).collect();
    cells[0].label = Some(Label { text: "Ada Lovelace".into(), muted: true });
    cells[1].corner_radius = 12;
    compare("placeholders", 480, 272, cells, &Faces(|_| None));
}

#[test]
fn pictures_of_other_aspects_are_cropped_or_barred() {
    let mut cells: Vec<Cell> = (0..4).map(|i| cell(i, "", quarter(i))).collect();
    cells[1].fit = Fit::Contain;
    cells[2].fit = Fit::Contain;
    cells[2].corner_radius = 20;
    compare("aspects", 480, 272, cells, &Faces(|id| Some([(480, 640), (480, 640), (640, 320), (1920, 1080)][id as usize])));
}

#[test]
fn cells_lie_on_one_another_and_show_what_is_below() {
    let whole = Rect { x: 0, y: 0, width: 480, height: 272 };
    let inset = Rect { x: 300, y: 20, width: 160, height: 90 };
    let faint = Rect { x: 20, y: 120, width: 240, height: 136 };
    let cells = vec![
        cell(0, "", whole),
        Cell { corner_radius: 16, border: Some(Border { width: 2, color: Rgb(255, 255, 255) }), ..cell(1, "", inset) },
        Cell { opacity: 0.5, corner_radius: 68, ..cell(2, "", faint) },
    ];
    compare("layers", 480, 272, cells, &Faces(|_| Some((640, 360))));
}

#[test]
fn an_empty_room_shows_the_slate_on_a_canvas_of_any_aspect() {
    for (name, width, height) in [("slate", 480, 270), ("slate-square", 256, 256)] {
        let rect = Rect { x: 0, y: 0, width, height };
        let slate = Cell { source: Source::Slate, fit: Fit::Contain, ..cell(0, "", rect) };
        compare(name, width, height, vec![slate], &Faces(|_| None));
    }
}

fn quarter(i: u32) -> Rect {
    Rect { x: 8 + i % 2 * 236, y: 8 + i / 2 * 132, width: 228, height: 124 }
}

fn cell(id: u32, name: &str, rect: Rect) -> Cell {
    let source = Source::Participant { id: ParticipantId(id), name: name.into() };
    Cell { source, rect, fit: Fit::Cover, z: 0, opacity: 1.0, corner_radius: 0, border: None, label: None }
}

/// Test pictures of the sizes that are given for each participant.
struct Faces(fn(u32) -> Option<(u32, u32)>);

impl Pictures for Faces {
    fn picture(&self, id: ParticipantId) -> Option<Arc<Frame>> {
        let (width, height) = self.0(id.0)?;
        Some(Arc::new(i420(&RgbImage::from_fn(width, height, |x, y| face(id.0, (x, y), (width, height))))))
    }
}

/// A disc on a wall of the participant's own colour, under a chequered strip: it shows crop, scale and sharpness at a glance.
fn face(id: u32, (x, y): (u32, u32), (width, height): (u32, u32)) -> Pixel<u8> {
    let (dx, dy) = (f64::from(x) - f64::from(width) / 2.0, f64::from(y) - f64::from(height) / 2.0);
    if dx.hypot(dy) < f64::from(width.min(height)) / 4.0 {
        return Pixel([226, 180, 150]);
    }
    if y < height / 8 && (x / 20 + y / 20) % 2 == 0 {
        return Pixel([230, 230, 230]);
    }
    let wall = [[70, 110, 160], [120, 90, 60], [60, 120, 90], [130, 80, 130]][id as usize % 4];
    Pixel(wall.map(|channel: u32| (channel * (2 * height + y) / (3 * height)) as u8))
}

fn compare(name: &str, width: u32, height: u32, cells: Vec<Cell>, faces: &dyn Pictures) {
    let canvas = Canvas { width, height, ..Canvas::default() };
    let mut compositor = CpuCompositor::new(Fonts::embedded());
    compositor
        .submit(&Scene { canvas, at: MediaTime::ZERO, cells, ..Scene::empty(canvas, MediaTime::ZERO) }, faces)
        .expect("the CPU draws every scene");
    let drawn = rgb(&compositor.take(Duration::ZERO).expect("the CPU is never lost").expect("what was submitted is drawn").frame);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/goldens/{name}.png"));
    if std::env::var_os("MEDLEY_BLESS").is_some() {
        return drawn.save(&path).expect("the goldens' folder can be written");
    }
    let golden = image::open(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display())).into_rgb8();
    assert_eq!(drawn.dimensions(), golden.dimensions());
    for (x, y, pixel) in drawn.enumerate_pixels() {
        let expected = golden.get_pixel(x, y);
        let apart = pixel.0.iter().zip(expected.0).map(|(a, b)| a.abs_diff(b)).max();
        assert!(apart <= Some(TOLERANCE), "{name} at {x},{y}: {pixel:?}, not {expected:?}");
    }
}

/// BT.601 limited range to RGB, in whole numbers (ITU-R BT.601-7 §2.5.3, inverted).
fn rgb(frame: &Frame) -> RgbImage {
    let [y, u, v] = frame.planes();
    RgbImage::from_fn(frame.width(), frame.height(), |column, row| {
        let chroma = (row / 2 * frame.chroma_size().0 + column / 2) as usize;
        let luma = 1192 * (i32::from(y[(row * frame.width() + column) as usize]) - 16);
        let (u, v) = (i32::from(u[chroma]) - 128, i32::from(v[chroma]) - 128);
        let channels = [luma + 1634 * v, luma - 401 * u - 833 * v, luma + 2066 * u];
        Pixel(channels.map(|channel| ((channel + 512) >> 10).clamp(0, 255) as u8))
    })
}
