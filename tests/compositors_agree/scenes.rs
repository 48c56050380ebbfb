//! Random scenes with everything that a scene can hold; the same for the same seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use medley::compositor::Pictures;
use medley::media::{
    Border, Canvas, Cell, Fit, Frame, Image, Label, LowerThird, MediaTime, Overlay, ParticipantId, Rect, Rgb, Scene, Source,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const NAMES: [&str; 6] = ["Ada", "Ğül Öz", "Дмитрий", "Ευα", "محمد", "a longer name than there is room for"];

pub(crate) struct Faces(BTreeMap<ParticipantId, Arc<Frame>>);

impl Pictures for Faces {
    fn picture(&self, id: ParticipantId) -> Option<Arc<Frame>> {
        self.0.get(&id).cloned()
    }
}

/// Makes one scene up.
pub(crate) struct Artist {
    pub(crate) random: StdRng,
    /// Canvases at most.
    most: (u32, u32),
    /// The sides of pictures at most.
    largest: u32,
}

impl Artist {
    pub(crate) fn new(seed: u64, most: (u32, u32), largest: u32) -> Self {
        Self { random: StdRng::seed_from_u64(seed), most, largest }
    }

    /// A scene of at most `people` cells anywhere.
    pub(crate) fn scene(&mut self, people: u32) -> (Scene, Faces) {
        let canvas = self.canvas();
        let people = self.random.random_range(0..=people);
        let mut cells: Vec<Cell> = (0..people).map(|id| self.cell(canvas, ParticipantId(id))).collect();
        cells.sort_by_key(|cell| cell.z);
        let faces = self.faces(people);
        (self.decorated(Scene { cells, ..Scene::empty(canvas, MediaTime::ZERO) }), faces)
    }

    pub(crate) fn canvas(&mut self) -> Canvas {
        Canvas { width: self.even(128, self.most.0), height: self.even(128, self.most.1), fps: 30, background: self.color() }
    }

    /// Pictures of most of them.
    pub(crate) fn faces(&mut self, people: u32) -> Faces {
        let seen: Vec<u32> = (0..people).filter(|_| self.random.random_bool(0.8)).collect();
        Faces(seen.into_iter().map(|id| (ParticipantId(id), self.picture())).collect())
    }

    /// Perhaps with a backdrop, and with overlays.
    pub(crate) fn decorated(&mut self, scene: Scene) -> Scene {
        let canvas = scene.canvas;
        let backdrop = self.random.random_bool(0.3).then(|| self.image());
        let overlays = (0..self.random.random_range(0..4)).map(|_| self.overlay(canvas)).collect();
        Scene { backdrop, overlays, ..scene }
    }

    pub(crate) fn border(&mut self) -> Border {
        Border { width: 2 * self.random.random_range(1..5), color: self.color(), opacity: self.opacity() }
    }

    pub(crate) fn name(&mut self) -> Arc<str> {
        NAMES[self.random.random_range(0..NAMES.len())].into()
    }

    /// Mostly 1.
    pub(crate) fn opacity(&mut self) -> f32 {
        if self.random.random_bool(0.6) { 1.0 } else { self.random.random() }
    }

    fn cell(&mut self, canvas: Canvas, id: ParticipantId) -> Cell {
        let name = self.name();
        let label = Label { text: name.clone(), muted: self.random.random() };
        Cell {
            source: match self.random.random_range(0..10) {
                0 => Source::Slate,
                1 => Source::More(self.random.random_range(1..200)),
                _ => Source::Participant { id, name },
            },
            rect: self.rect(canvas),
            fit: if self.random.random() { Fit::Cover } else { Fit::Contain },
            z: self.random.random_range(0..4),
            opacity: self.opacity(),
            corner_radius: if self.random.random() { 0 } else { self.random.random_range(1..60) },
            border: self.random.random_bool(0.4).then(|| self.border()),
            label: self.random.random_bool(0.7).then_some(label),
            stalled: self.random.random_bool(0.2),
        }
    }

    fn rect(&mut self, canvas: Canvas) -> Rect {
        let (width, height) = (self.even(16, canvas.width), self.even(16, canvas.height));
        Rect { x: self.even(0, canvas.width - width), y: self.even(0, canvas.height - height), width, height }
    }

    fn overlay(&mut self, canvas: Canvas) -> Overlay {
        if self.random.random_bool(0.3) {
            let (title, subtitle) = (self.name(), self.name());
            return Overlay::LowerThird(LowerThird { title, subtitle, color: self.color(), opacity: self.opacity() });
        }
        Overlay::Image { image: self.image(), rect: self.rect(canvas), opacity: self.opacity() }
    }

    /// A picture, often with transparency that fades across it and has holes.
    fn image(&mut self) -> Arc<Image> {
        let frame = self.picture();
        let (width, holes) = (frame.width(), self.random.random_range(2..40));
        let fade = |n: u32| if (n % width / holes).is_multiple_of(3) { 0 } else { (n % 256) as u8 | 0x40 };
        let alpha = self.random.random_bool(0.7).then(|| (0..width * frame.height()).map(fade).collect());
        Arc::new(Image { frame, alpha })
    }

    /// Waves with noise on them, of any sides, odd ones too.
    fn picture(&mut self) -> Arc<Frame> {
        let random = &mut self.random;
        let mut frame = Frame::black(random.random_range(2..self.largest), random.random_range(2..self.largest * 4 / 7));
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

    fn color(&mut self) -> Rgb {
        Rgb(self.random.random(), self.random.random(), self.random.random())
    }

    fn even(&mut self, low: u32, high: u32) -> u32 {
        2 * self.random.random_range(low / 2..=high / 2)
    }
}
