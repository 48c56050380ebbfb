//! Random layouts as an admin could send them, with people in their places, some on their way from one layout to another.

use std::time::Duration;

use medley::layout::{Layout, LayoutSpec, Place, Transition, stock};
use medley::media::{Canvas, Cell, Label, MediaTime, ParticipantId, Rect, Scene, Source};
use rand::Rng;
use serde_json::{Value, json};

use crate::scenes::{Artist, Faces};

const SHOWS: [&str; 5] = ["any", "speaker|any", "screen", "pinned|participant:p3|any", "role:host|any"];

impl Artist {
    /// A room of 0 to 40 people under a random layout, with backdrop and overlays; one of three on its way from another layout.
    pub(crate) fn room(&mut self) -> (Scene, Faces) {
        let canvas = self.canvas();
        let people = self.random.random_range(0..=40);
        let faces = self.faces(people);
        let mut transition = Transition::default();
        let moves = if self.random.random_bool(0.3) { 2 } else { 1 };
        for _ in 0..moves {
            let cells = self.cells(canvas, people);
            transition.aim(MediaTime::ZERO, cells, Duration::from_millis(300), |_| true);
        }
        let at = MediaTime::from_millis(self.random.random_range(0..300));
        (self.decorated(Scene { cells: transition.cells(at), ..Scene::empty(canvas, at) }), faces)
    }

    fn cells(&mut self, canvas: Canvas, people: u32) -> Vec<Cell> {
        let (layout, count) = (self.layout(), people.max(1) as usize);
        let mut places = layout.places(canvas.width, canvas.height, count);
        assert!(places.iter().all(|place| inside(place.rect, canvas)), "{:?} on {canvas:?}", layout.spec());
        // A reserved place may stay empty.
        places.retain(|_| self.random.random_bool(0.95));
        let rest = count.saturating_sub(places.len()) as u32;
        let last = places.len().saturating_sub(1);
        let source = |n: usize| match n {
            _ if people == 0 => Source::Slate,
            n if n == last && rest > 0 => Source::More(rest + 1),
            n => Source::Participant { id: ParticipantId(n as u32), name: "Ada Lovelace".into() },
        };
        let mut cells: Vec<Cell> = (0..).zip(&places).map(|(n, place)| self.placed(source(n), place, layout.spec().names)).collect();
        cells.extend((rest > 0 && self.random.random()).then(|| badge(rest, canvas)));
        cells
    }

    fn placed(&mut self, source: Source, place: &Place, names: bool) -> Cell {
        let Place { rect, z, fit, opacity, corner_radius, .. } = *place;
        let label = names.then(|| Label { text: self.name(), muted: self.random.random() });
        let border = if self.random.random_bool(0.2) { Some(self.border()) } else { place.border };
        Cell { source, rect, fit, z, opacity, corner_radius, border, label, stalled: false }
    }

    /// A valid layout: what is refused is thrown again.
    fn layout(&mut self) -> Layout {
        loop {
            let body = if self.random.random() { self.template() } else { self.regions() };
            let spec: LayoutSpec = serde_json::from_value(body.clone()).unwrap_or_else(|why| panic!("{why}: {body}"));
            if let Ok(layout) = spec.resolve(|name| stock().get(name).cloned()) {
                return layout;
            }
        }
    }

    fn template(&mut self) -> Value {
        let names: Vec<String> = stock().keys().map(|name| name.to_string()).collect();
        let mut body = self.settings();
        body["template"] = names[self.random.random_range(0..names.len())].clone().into();
        body
    }

    fn regions(&mut self) -> Value {
        let mut body = self.settings();
        body["regions"] = (0..self.random.random_range(1..=12)).map(|n| self.region(n)).collect();
        body
    }

    fn settings(&mut self) -> Value {
        let aspects = ["16:9", "4:3", "1:1", "3:4", "9:16"];
        let mut body = json!({
            "fit": self.fit(),
            "names": self.random.random::<bool>(),
            "aspect": aspects[self.random.random_range(0..aspects.len())],
            "max_tiles": self.random.random_range(1..=50),
        });
        if self.random.random() {
            body["gap"] = self.random.random_range(0..=16).into();
        }
        body
    }

    fn region(&mut self, n: u32) -> Value {
        let ((left, width), (top, height)) = (self.span(), self.span());
        let mut region = json!({
            "id": format!("r{n}"), "left": left, "width": width, "top": top, "height": height,
            "z": self.random.random_range(-3..=3),
            "fit": self.fit(),
            "shows": SHOWS[self.random.random_range(0..SHOWS.len())],
            "tiles": if self.random.random_bool(0.7) { 1 } else { self.random.random_range(2..=12) },
            "opacity": self.opacity(),
        });
        if self.random.random_bool(0.4) {
            region["corner_radius"] = self.random.random_range(0..=60).into();
        }
        if self.random.random_bool(0.3) {
            region["border"] = json!({ "width": self.random.random_range(0..=8), "color": "#3dd68c" });
        }
        region
    }

    /// Where a region begins, and how long it is, as fractions.
    fn span(&mut self) -> (String, String) {
        let whole = self.random.random_range(1..=8u32);
        let length = self.random.random_range(1..=whole);
        (format!("{}/{whole}", self.random.random_range(0..=whole - length)), format!("{length}/{whole}"))
    }

    fn fit(&mut self) -> &'static str {
        if self.random.random() { "cover" } else { "contain" }
    }
}

fn inside(rect: Rect, canvas: Canvas) -> bool {
    let even = [rect.x, rect.y, rect.width, rect.height].iter().all(|side| side % 2 == 0);
    even && rect.width >= 2 && rect.height >= 2 && rect.x + rect.width <= canvas.width && rect.y + rect.height <= canvas.height
}

/// A small "+N" at the lower right.
fn badge(rest: u32, canvas: Canvas) -> Cell {
    let (width, height) = (canvas.height / 20 * 4, canvas.height / 20 * 2);
    let rect = Rect { x: canvas.width - width, y: canvas.height - height, width, height };
    let fit = medley::media::Fit::Cover;
    Cell { source: Source::More(rest), rect, fit, z: i32::MAX, opacity: 1.0, corner_radius: 0, border: None, label: None, stalled: false }
}
