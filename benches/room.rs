//! What a room itself costs, on virtual time: its audio tick, and its scenes: at rest, in motion, of several views.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use medley::layout::{Layout, LayoutSpec, stock};
use medley::media::{Block, Canvas, Heard, MediaTime, ParticipantId, SAMPLE_RATE, ShortName, SoundSource};
use medley::room::{AudioSettings, Command, Due, Joining, Room, RoomSettings, Source, View};

/// A tone whose blocks are copied, not computed: 50 Hz multiples repeat every block.
struct Tone(Block);

impl Tone {
    fn new(hertz: f32, peak: f32) -> Self {
        let sample = |n: usize| peak * (std::f32::consts::TAU * hertz * n as f32 / SAMPLE_RATE as f32).sin();
        Self(Block(std::array::from_fn(sample)))
    }
}

impl SoundSource for Tone {
    fn pull(&mut self, _now: MediaTime, into: &mut Block) -> Heard {
        into.clone_from(&self.0);
        Heard::Decoded
    }
}

fn layout(json: &str) -> Arc<Layout> {
    let spec: LayoutSpec = serde_json::from_str(json).expect("a layout");
    Arc::new(spec.resolve(|name| stock().get(name).cloned()).expect("a layout that can be"))
}

fn name(text: &str) -> ShortName {
    text.parse().expect("a name")
}

fn settings(views: &[(&str, &str)]) -> RoomSettings {
    let view = |(view, json): &(&str, &str)| (name(view), View { canvas: Canvas::default(), layout: layout(json) });
    RoomSettings { views: views.iter().map(view).collect(), ..RoomSettings::default() }
}

/// A room on virtual time.
struct Meeting {
    room: Room,
    now: MediaTime,
}

impl Meeting {
    /// A room in which everybody talks; each watches one of the views.
    fn of(people: u32, peak: f32, settings: RoomSettings) -> Self {
        let views: Vec<ShortName> = settings.views.keys().cloned().collect();
        let mut room = Room::new(settings, MediaTime::ZERO);
        for (id, view) in (1..=people).zip(views.iter().cycle()) {
            let sound: Option<Box<dyn SoundSource>> = Some(Box::new(Tone::new(50.0 * (4 + id) as f32, peak)));
            let (id, name) = (ParticipantId(id), format!("Guest {id}").into());
            room.handle(Command::Join(Joining { id, name, source: Source::Camera, sound, picture: None }));
            room.handle(Command::Watch(id, view.clone()));
        }
        let mut meeting = Self { room, now: MediaTime::ZERO };
        for _ in 0..200 {
            meeting.next(|_| true);
        }
        meeting
    }

    /// Goes on to the next tick of the kind asked for.
    fn next(&mut self, kind: impl Fn(&Due) -> bool) -> Due {
        loop {
            self.now = self.room.next_deadline();
            if let Some(due) = self.room.advance(self.now).filter(&kind) {
                return due;
            }
        }
    }

    /// The time of `rounds` ticks of one kind, without what lies between them.
    fn time(&mut self, rounds: u64, kind: impl Fn(&Due) -> bool) -> Duration {
        let mut spent = Duration::ZERO;
        let mut done = 0;
        while done < rounds {
            let (due, took) = self.timed();
            if due.as_ref().is_some_and(&kind) {
                spent += took;
                done += 1;
            }
            black_box(due);
        }
        spent
    }

    /// The time of `rounds` pictures, each of as many scenes as the room draws of it.
    fn time_pictures(&mut self, rounds: u64) -> Duration {
        let mut spent = Duration::ZERO;
        let mut at = None;
        let mut done = 0;
        loop {
            let (due, took) = self.timed();
            let Some(Due::Scene(_, scene)) = due else { continue };
            done += u64::from(at.replace(scene.at) != Some(scene.at));
            if done > rounds {
                return spent;
            }
            spent += took;
            black_box(scene);
        }
    }

    fn timed(&mut self) -> (Option<Due>, Duration) {
        self.now = self.now.max(self.room.next_deadline());
        let clock = medley::media::Clock::new();
        let due = self.room.advance(self.now);
        let took = clock.now().since(MediaTime::ZERO);
        black_box(self.room.take_events());
        (due, took)
    }
}

fn mixes(c: &mut Criterion) {
    let plain = AudioSettings::default();
    let agc = AudioSettings { agc: true, ..plain };
    let denoised = AudioSettings { noise_suppression: true, ..agc };
    for (name, people, peak, audio) in [
        ("9 talkers", 9, 0.09, plain),
        ("9 talkers, limited", 9, 0.5, plain),
        ("25 people, 16 mixed", 25, 0.05, plain),
        ("9 talkers, automatic gain", 9, 0.09, agc),
        ("9 talkers, automatic gain and noise suppression", 9, 0.09, denoised),
    ] {
        let mut meeting = Meeting::of(people, peak, RoomSettings { audio, ..RoomSettings::default() });
        c.bench_function(&format!("room/mix/{name}"), |b| {
            b.iter_custom(|rounds| meeting.time(rounds, |due| matches!(due, Due::Mixes(_))));
        });
    }
}

fn scenes(c: &mut Criterion) {
    let views: Vec<(&str, &str)> = ["main", "b", "c", "d", "e"]
        .into_iter()
        .zip(["{}", r#"{"template": "speaker"}"#, r#"{"template": "pip"}"#, r#"{"template": "strip"}"#, r#"{"template": "stacked"}"#])
        .collect();
    let own = RoomSettings { max_self_views: 9, ..settings(&[("main", r#"{"self_view": "hidden"}"#)]) };
    for (name, people, settings) in [
        ("grid of 9", 9, settings(&[("main", "{}")])),
        ("grid of 25", 25, settings(&[("main", "{}")])),
        ("grid of 25 with 100 people", 100, settings(&[("main", "{}")])),
        ("speaker of 25", 25, settings(&[("main", r#"{"template": "speaker"}"#)])),
        ("five views of 9", 9, settings(&views)),
        ("9 without themselves", 9, own),
    ] {
        let mut meeting = Meeting::of(people, 0.1, settings);
        c.bench_function(&format!("room/scene/{name}"), |b| b.iter_custom(|rounds| meeting.time_pictures(rounds)));
    }
}

/// A transition of 9 tiles that never comes to rest.
fn motion(c: &mut Criterion) {
    let layouts = [layout("{}"), layout(r#"{"template": "one-plus-seven"}"#)];
    let mut meeting = Meeting::of(9, 0.1, settings(&[("main", "{}")]));
    let mut turns = layouts.iter().cycle();
    c.bench_function("room/scene/9 tiles in motion", |b| {
        b.iter_custom(|rounds| {
            let mut spent = Duration::ZERO;
            for first in (0..rounds).step_by(6) {
                let layout = turns.next().expect("a cycle").clone();
                meeting.room.handle(Command::Arrange { view: ShortName::main(), layout, at: None });
                spent += meeting.time_pictures(6.min(rounds - first));
            }
            spent
        });
    });
}

criterion_group!(benches, mixes, scenes, motion);
criterion_main!(benches);
