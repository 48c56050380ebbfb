//! The CPU compositor and wgpu draw the same 20 random scenes alike: the differences are printed, and bounded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use medley::compositor::cpu::CpuCompositor;
use medley::compositor::gpu::{Adapters, GpuCompositor};
use medley::compositor::{Compositor, Fonts, Pictures};
use medley::media::{Border, Canvas, Cell, Fit, Frame, Label, MediaTime, ParticipantId, Rect, Rgb, Scene, Source};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const SCENES: u64 = 20;

/// The CPU rounds weights and coverage to 8 bits, and that at each of the layers that lie on one another.
const LARGEST_DIFFERENCE: u8 = 3;

const LOWEST_PSNR_DB: f64 = 50.0;

#[test]
fn twenty_random_scenes_are_drawn_alike_on_cpu_and_wgpu() {
    let fonts = Fonts::embedded();
    let mut cpu = CpuCompositor::new(fonts.clone());
    let mut gpu =
        GpuCompositor::open(Adapters::AnySoftwareToo, fonts).expect("this test needs a Vulkan adapter: install mesa-vulkan-drivers");
    let mut total = [Difference::default(); 3];
    for seed in 0..SCENES {
        let (scene, faces) = random_scene(seed);
        let (truth, drawn) = (drawn(&mut cpu, &scene, &faces), drawn(&mut gpu, &scene, &faces));
        let planes = [0, 1, 2].map(|plane| Difference::between(truth.planes()[plane], drawn.planes()[plane]));
        println!("scene {seed:2} {:4}x{:<4} {}", scene.canvas.width, scene.canvas.height, report(&planes));
        for (total, plane) in total.iter_mut().zip(planes) {
            total.add(plane);
        }
    }
    println!("all {SCENES} scenes   {}", report(&total));
    for difference in total {
        assert!(difference.largest <= LARGEST_DIFFERENCE, "{}", report(&total));
        assert!(difference.psnr_db() >= LOWEST_PSNR_DB, "{}", report(&total));
    }
}

struct Faces(BTreeMap<ParticipantId, Arc<Frame>>);

impl Pictures for Faces {
    fn picture(&self, id: ParticipantId) -> Option<Arc<Frame>> {
        self.0.get(&id).cloned()
    }
}

fn drawn(compositor: &mut dyn Compositor, scene: &Scene, faces: &Faces) -> Arc<Frame> {
    compositor.submit(scene, faces).expect("the device lives");
    compositor.take(Duration::from_secs(20)).expect("the device lives").expect("a canvas within the patience").frame
}

fn random_scene(seed: u64) -> (Scene, Faces) {
    let mut random = StdRng::seed_from_u64(seed);
    let background = color(&mut random);
    let canvas = Canvas { width: even(&mut random, 128, 1280), height: even(&mut random, 128, 720), fps: 30, background };
    let mut cells: Vec<Cell> = (0..random.random_range(1..=9)).map(|id| random_cell(&mut random, canvas, ParticipantId(id))).collect();
    cells.sort_by_key(|cell| cell.z);
    // some have no picture
    let seen = (0..9).filter(|_| random.random_bool(0.8)).collect::<Vec<u32>>();
    let faces = seen.into_iter().map(|id| (ParticipantId(id), random_picture(&mut random))).collect();
    (Scene { canvas, at: MediaTime::from_millis(seed), cells, ..Scene::empty(canvas, MediaTime::ZERO) }, Faces(faces))
}

fn random_cell(random: &mut StdRng, canvas: Canvas, id: ParticipantId) -> Cell {
    let (width, height) = (even(random, 16, canvas.width), even(random, 16, canvas.height));
    let rect = Rect { x: even(random, 0, canvas.width - width), y: even(random, 0, canvas.height - height), width, height };
    let names = ["Ada", "Ğül Öz", "Дмитрий", "Ευα", "a longer name than there is room for"];
    let name: Arc<str> = names[random.random_range(0..names.len())].into();
    let label = Label { text: name.clone(), muted: random.random() };
    Cell {
        source: if random.random_bool(0.1) { Source::Slate } else { Source::Participant { id, name } },
        rect,
        fit: if random.random() { Fit::Cover } else { Fit::Contain },
        z: random.random_range(0..4),
        opacity: if random.random_bool(0.6) { 1.0 } else { random.random() },
        corner_radius: if random.random() { 0 } else { random.random_range(1..60) },
        border: random.random_bool(0.4).then(|| Border { width: 2 * random.random_range(1..5), color: color(random) }),
        label: random.random_bool(0.7).then_some(label),
    }
}

/// Waves with noise on them, of any sides, odd ones too.
fn random_picture(random: &mut StdRng) -> Arc<Frame> {
    let mut frame = Frame::black(random.random_range(2..1400), random.random_range(2..800));
    let strides = [frame.width(), frame.chroma_size().0, frame.chroma_size().0];
    for (plane, stride) in frame.planes_mut().into_iter().zip(strides) {
        let (across, down, noise): (f32, f32, f32) =
            (random.random_range(0.01..0.6), random.random_range(0.01..0.6), random.random_range(0.0..60.0));
        for (n, sample) in plane.iter_mut().enumerate() {
            let (x, y) = (n % stride as usize, n / stride as usize);
            let wave = (x as f32 * across).sin() * (y as f32 * down).cos();
            *sample = (128.0 + 70.0 * wave + noise * (random.random::<f32>() - 0.5)) as u8;
        }
    }
    Arc::new(frame)
}

fn color(random: &mut StdRng) -> Rgb {
    Rgb(random.random(), random.random(), random.random())
}

fn even(random: &mut StdRng, low: u32, high: u32) -> u32 {
    2 * random.random_range(low / 2..=high / 2)
}

/// How far two planes are apart.
#[derive(Clone, Copy, Default)]
struct Difference {
    largest: u8,
    squares: u64,
    samples: u64,
}

impl Difference {
    fn between(a: &[u8], b: &[u8]) -> Self {
        assert_eq!(a.len(), b.len());
        let apart = || a.iter().zip(b).map(|(a, b)| a.abs_diff(*b));
        let squares = apart().map(|d| u64::from(d) * u64::from(d)).sum();
        Self { largest: apart().max().unwrap_or(0), squares, samples: a.len() as u64 }
    }

    fn add(&mut self, other: Self) {
        self.largest = self.largest.max(other.largest);
        self.squares += other.squares;
        self.samples += other.samples;
    }

    fn psnr_db(self) -> f64 {
        10.0 * (255.0 * 255.0 * self.samples as f64 / self.squares as f64).log10()
    }
}

fn report(planes: &[Difference; 3]) -> String {
    let plane =
        |(name, difference): (&str, &Difference)| format!("{name} largest {} PSNR {:.1} dB", difference.largest, difference.psnr_db());
    ["Y", "U", "V"].into_iter().zip(planes).map(plane).collect::<Vec<_>>().join(", ")
}
