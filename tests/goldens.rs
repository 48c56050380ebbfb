//! What the CPU compositor draws is what `tests/goldens/*.png` show.
//!
//! After a change that is meant to be seen: `MEDLEY_BLESS=1 cargo test --test goldens`, then look at the pictures.
//! Text comes from the embedded font alone, so that they are the same on every machine.

use std::path::PathBuf;
use std::sync::Arc;

use image::{Rgb as Pixel, RgbImage};
use medley::compositor::{Fonts, Pictures, Strangers, i420, still};
use medley::media::{
    Border, Canvas, Cell, Fit, Frame, Image, Label, LowerThird, MediaTime, Overlay, ParticipantId, Rect, Rgb, Scene, Source,
};

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
    cells[0].border = Some(Border { width: 4, color: Rgb(0x4c, 0xc3, 0x8a), opacity: 1.0 });
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
fn a_picture_that_stands_still_is_dimmed_under_a_clock() {
    let mut cells: Vec<Cell> = (0..4).map(|i| Cell { stalled: i != 1, ..cell(i, "", quarter(i)) }).collect();
    cells[2] = Cell { corner_radius: 20, fit: Fit::Contain, label: Some(Label { text: "Ada".into(), muted: true }), ..cells[2].clone() };
    cells[3].rect = Rect { width: 48, height: 48, ..cells[3].rect };
    compare("stalled", 480, 272, cells, &Faces(|_| Some((640, 360))));
}

#[test]
fn cells_lie_on_one_another_and_show_what_is_below() {
    let whole = Rect { x: 0, y: 0, width: 480, height: 272 };
    let inset = Rect { x: 300, y: 20, width: 160, height: 90 };
    let faint = Rect { x: 20, y: 120, width: 240, height: 136 };
    let cells = vec![
        cell(0, "", whole),
        Cell { corner_radius: 16, border: Some(Border { width: 2, color: Rgb(255, 255, 255), opacity: 1.0 }), ..cell(1, "", inset) },
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

#[test]
fn a_backdrop_a_logo_a_lower_third_and_a_badge_stand_behind_and_over_people() {
    let canvas = Canvas { width: 960, height: 540, ..Canvas::default() };
    let place = |i: u32| Rect { x: 40 + i % 2 * 444, y: 40 + i / 2 * 236, width: 436, height: 228 };
    let mut cells: Vec<Cell> = (0..4).map(|i| Cell { corner_radius: 12, ..stranger(i, place(i)) }).collect();
    cells[1].border = Some(Border { width: 6, color: Rgb(0x4c, 0xc3, 0x8a), opacity: 0.5 });
    cells.push(Cell { source: Source::More(7), ..cell(9, "", Rect { x: 866, y: 474, width: 78, height: 54 }) });
    let scene = Scene { cells, overlays: graphics(canvas, 1.0), backdrop: Some(dawn()), ..Scene::empty(canvas, MediaTime::ZERO) };
    compare_scene("overlays", &scene, &Strangers);
}

#[test]
fn a_tall_canvas_has_its_graphics_too_and_faint_ones_let_people_through() {
    let canvas = Canvas { width: 360, height: 640, ..Canvas::default() };
    let mut cells: Vec<Cell> = (0..2).map(|i| stranger(i + 4, Rect { x: 8, y: 8 + i * 312, width: 344, height: 304 })).collect();
    cells.push(Cell { source: Source::More(12), corner_radius: 8, ..cell(9, "", Rect { x: 200, y: 420, width: 144, height: 112 }) });
    let scene = Scene { cells, overlays: graphics(canvas, 0.6), ..Scene::empty(canvas, MediaTime::ZERO) };
    compare_scene("overlays-tall", &scene, &Strangers);
}

fn stranger(id: u32, rect: Rect) -> Cell {
    let label = Some(Label { text: Strangers::name(id).into(), muted: id == 2 });
    Cell { label, ..cell(id, Strangers::name(id), rect) }
}

fn graphics(canvas: Canvas, opacity: f32) -> Vec<Overlay> {
    let rect = Rect { x: canvas.width - 136, y: 16, width: 120, height: 60 };
    let band = LowerThird {
        title: "Dr. Amara Okonkwo".into(),
        subtitle: "Institute for the study of very long subtitles, Zürich".into(),
        color: Rgb(0x3d, 0xd6, 0x8c),
        opacity,
    };
    vec![Overlay::Image { image: logo(), rect, opacity }, Overlay::LowerThird(band)]
}

/// A ring that fades from left to right, on nothing.
fn logo() -> Arc<Image> {
    let ring = |x: f64, y: f64| (1.0 - ((x - 100.0).hypot((y - 50.0) * 2.0) - 75.0).abs() / 20.0).clamp(0.0, 0.4) / 0.4;
    let alpha = (0..20_000).map(|n| (ring(f64::from(n % 200), f64::from(n / 200)) * f64::from(255 - n % 200)) as u8).collect();
    Arc::new(Image { frame: Arc::new(Frame::filled(200, 100, [190, 60, 160])), alpha: Some(alpha) })
}

/// A wall that is square, so that it is cropped.
fn dawn() -> Arc<Image> {
    let wall = RgbImage::from_fn(400, 400, |x, y| Pixel([(90 + y / 4) as u8, 60 + (x / 8) as u8, 120]));
    Arc::new(Image { frame: Arc::new(i420(&wall)), alpha: None })
}

fn quarter(i: u32) -> Rect {
    Rect { x: 8 + i % 2 * 236, y: 8 + i / 2 * 132, width: 228, height: 124 }
}

fn cell(id: u32, name: &str, rect: Rect) -> Cell {
    let source = Source::Participant { id: ParticipantId(id), name: name.into() };
    Cell { source, rect, fit: Fit::Cover, z: 0, opacity: 1.0, corner_radius: 0, border: None, label: None, stalled: false }
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
    compare_scene(name, &Scene { cells, ..Scene::empty(canvas, MediaTime::ZERO) }, faces);
}

fn compare_scene(name: &str, scene: &Scene, faces: &dyn Pictures) {
    let drawn = rgb(&still(scene, faces, Fonts::embedded()).expect("the CPU draws every scene"));
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
