//! What arranging people costs: the grid's arithmetic, a layout's places, and a tick of a transition.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use medley::layout::{Aspect, Layout, LayoutSpec, Place, Transition, grid, stock};
use medley::media::{Cell, MediaTime, ParticipantId, Source};

fn layout(template: &str) -> Layout {
    let spec = LayoutSpec::template(template.parse().expect("a name of letters"));
    spec.resolve(|name| stock().get(name).cloned()).expect("a stock template")
}

fn grids(c: &mut Criterion) {
    for count in [9, 25, 50, 100] {
        c.bench_function(&format!("layout/grid/{count}"), |b| {
            b.iter(|| grid::solve(black_box(Layout::whole(1280, 720)), count, Aspect::Wide, 8));
        });
    }
}

fn places(c: &mut Criterion) {
    for (template, people) in [("grid", 25), ("speaker", 25), ("two-plus-eight", 10)] {
        let layout = layout(template);
        c.bench_function(&format!("layout/places/{template} for {people}"), |b| b.iter(|| layout.places(1280, 720, black_box(people))));
    }
}

/// Nine people go from one layout to another and back, a picture every 33 ms.
fn transitions(c: &mut Criterion) {
    let targets = ["grid", "speaker"].map(|template| layout(template).places(1280, 720, 9).iter().zip(1..).map(cell).collect::<Vec<_>>());
    let (mut transition, mut tick) = (Transition::default(), 0_u64);
    c.bench_function("layout/transition/a tick of 9", |b| {
        b.iter(|| {
            let now = MediaTime::from_millis(33 * tick);
            let target = targets[(tick / 10 % 2) as usize].clone();
            transition.aim(now, target, Duration::from_millis(300), |_| true);
            tick += 1;
            transition.cells(now)
        });
    });
}

fn cell((place, id): (&Place, u32)) -> Cell {
    Cell {
        source: Source::Participant { id: ParticipantId(id), name: "Guest".into() },
        rect: place.rect,
        fit: place.fit,
        z: place.z,
        opacity: place.opacity,
        corner_radius: place.corner_radius,
        border: None,
        label: None,
        stalled: false,
    }
}

criterion_group!(benches, grids, places, transitions);
criterion_main!(benches);
