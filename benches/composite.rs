//! What one 720p canvas costs on each compositor, from the scene to the finished picture; every participant has a new picture each time.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use medley::compositor::cpu::CpuCompositor;
use medley::compositor::gpu::{Adapters, GpuCompositor};
use medley::compositor::{Compositor, Fonts, Pictures};
use medley::media::{
    Border, Canvas, Cell, Fit, Frame, Image, Label, LowerThird, MediaTime, Overlay, ParticipantId, Rect, Rgb, Scene, Source,
};

/// Participants, and the sides of their pictures. In this order they are scaled by 2/3, not at all, by 1/2, by 1/3, and by 4/3.
const CASES: [(&str, u32, (u32, u32)); 5] = [
    ("9x360p", 9, (640, 360)),
    ("4x360p", 4, (640, 360)),
    ("4x720p", 4, (1280, 720)),
    ("9x720p", 9, (1280, 720)),
    ("9x180p", 9, (320, 180)),
];

struct Faces(Vec<Arc<Frame>>);

impl Pictures for Faces {
    fn picture(&self, id: ParticipantId) -> Option<Arc<Frame>> {
        self.0.get(id.0 as usize).cloned()
    }
}

/// A grid of named cells.
fn grid(count: u32) -> Scene {
    let canvas = Canvas::default();
    let columns = count.isqrt();
    let (width, height) = ((canvas.width / columns) & !1, (canvas.height / columns) & !1);
    let cell = |n: u32| Cell {
        source: Source::Participant { id: ParticipantId(n), name: "Ada Lovelace".into() },
        rect: Rect { x: n % columns * width, y: n / columns * height, width, height },
        fit: Fit::Cover,
        z: 0,
        opacity: 1.0,
        corner_radius: 8,
        border: None,
        label: Some(Label { text: "Ada Lovelace".into(), muted: n == 0 }),
        stalled: false,
    };
    Scene { canvas, at: MediaTime::ZERO, cells: (0..count).map(cell).collect(), ..Scene::empty(canvas, MediaTime::ZERO) }
}

/// One large cell with the speaker's mark above a strip of eight.
fn speaker() -> Scene {
    let mut scene = grid(9);
    for (n, cell) in (0..).zip(&mut scene.cells) {
        cell.rect = Rect { x: n * 160, y: 624, width: 152, height: 84 };
    }
    let speaker = scene.cells.last_mut().expect("a grid of nine has a last cell");
    speaker.rect = Rect { x: 96, y: 4, width: 1088, height: 612 };
    speaker.border = Some(Border { width: 4, color: Rgb(0x4c, 0xc3, 0x8a), opacity: 1.0 });
    scene
}

/// With a photograph behind the people, and a logo and a band of text over them.
fn decorated(scene: Scene) -> Scene {
    let image = |width, height, alpha| Arc::new(Image { frame: Arc::new(Frame::filled(width, height, [150, 110, 140])), alpha });
    let alpha: Arc<[u8]> = (0..400 * 200).map(|n| (n % 256) as u8).collect();
    let logo = Overlay::Image { image: image(400, 200, Some(alpha)), rect: Rect { x: 1096, y: 24, width: 160, height: 80 }, opacity: 0.9 };
    let band =
        LowerThird { title: "Ada Lovelace".into(), subtitle: "Analytical engines".into(), color: Rgb(0x3d, 0xd6, 0x8c), opacity: 1.0 };
    Scene { backdrop: Some(image(1920, 1280, None)), overlays: vec![logo, Overlay::LowerThird(band)], ..scene }
}

fn faces(count: u32, (width, height): (u32, u32), first: usize) -> Faces {
    let face = |n: u32| {
        let mut frame = Frame::black(width, height);
        for plane in frame.planes_mut() {
            plane.iter_mut().enumerate().for_each(|(i, sample)| *sample = (i * (n as usize + 3) + first) as u8);
        }
        Arc::new(frame)
    };
    Faces((0..count).map(face).collect())
}

fn composite(c: &mut Criterion) {
    let fonts = Fonts::embedded();
    let mut cpu: Box<dyn Compositor> = Box::new(CpuCompositor::new(fonts.clone()));
    bench(c, "composite_cpu", cpu.as_mut());
    let wgpu = GpuCompositor::open(Adapters::AnySoftwareToo, fonts).expect("a Vulkan adapter: install mesa-vulkan-drivers");
    let mut wgpu: Box<dyn Compositor> = Box::new(wgpu);
    bench(c, "composite_wgpu", wgpu.as_mut());
}

fn bench(c: &mut Criterion, name: &str, compositor: &mut dyn Compositor) {
    let mut group = c.benchmark_group(name);
    let grids = CASES.map(|(case, count, sides)| (case, grid(count), count, sides));
    let others = [("speaker_9x360p", speaker(), 9, (640, 360)), ("9x360p_overlays", decorated(grid(9)), 9, (640, 360))];
    for (case, scene, count, sides) in grids.into_iter().chain(others) {
        let pictures = [0, 1].map(|first| faces(count, sides, first));
        let mut turns = pictures.iter().cycle();
        group.bench_function(BenchmarkId::from_parameter(case), |b| {
            b.iter(|| drawn(compositor, &scene, turns.next().expect("a cycle has no end")));
        });
    }
    let still = faces(9, (640, 360), 0);
    for (case, scene) in [("9x360p_unchanged", grid(9)), ("9x360p_overlays_unchanged", decorated(grid(9)))] {
        group.bench_function(case, |b| b.iter(|| drawn(compositor, &scene, &still)));
    }
}

fn drawn(compositor: &mut dyn Compositor, scene: &Scene, faces: &Faces) -> Arc<Frame> {
    compositor.submit(scene, faces).expect("the device lives");
    let canvas = compositor.take(Duration::from_secs(20)).expect("the device lives");
    black_box(canvas.expect("a canvas within the patience").frame)
}

criterion_group!(benches, composite);
criterion_main!(benches);
