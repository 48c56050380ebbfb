//! What a room itself costs, on virtual time: its audio tick, its scene, and the grid's arithmetic.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use medley::media::{Block, Heard, MediaTime, ParticipantId, SAMPLE_RATE, SoundSource};
use medley::room::{Command, Due, Layout, Room, RoomSettings, grid};

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

/// A room on virtual time.
struct Meeting {
    room: Room,
    now: MediaTime,
}

impl Meeting {
    fn of(people: u32, peak: f32, layout: Layout) -> Self {
        let mut room = Room::new(RoomSettings { layout, ..RoomSettings::default() }, MediaTime::ZERO);
        for id in 1..=people {
            let sound: Box<dyn SoundSource> = Box::new(Tone::new(50.0 * (4 + id) as f32, peak));
            room.handle(Command::Join { id: ParticipantId(id), name: format!("Guest {id}").into(), sound: Some(sound) });
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
            self.now = self.room.next_deadline();
            let clock = medley::media::Clock::new();
            let due = self.room.advance(self.now);
            let took = clock.now().since(MediaTime::ZERO);
            if due.as_ref().is_some_and(&kind) {
                spent += took;
                done += 1;
            }
            black_box(due);
        }
        black_box(self.room.take_events());
        spent
    }
}

fn mixes(c: &mut Criterion) {
    for (name, people, peak) in [("9 talkers", 9, 0.09), ("9 talkers, limited", 9, 0.5), ("25 people, 16 mixed", 25, 0.05)] {
        let mut meeting = Meeting::of(people, peak, Layout::Grid);
        c.bench_function(&format!("room/mix/{name}"), |b| {
            b.iter_custom(|rounds| meeting.time(rounds, |due| matches!(due, Due::Mixes(_))));
        });
    }
}

fn scenes(c: &mut Criterion) {
    for (name, people, layout) in [("grid of 9", 9, Layout::Grid), ("grid of 25", 25, Layout::Grid), ("speaker of 25", 25, Layout::Speaker)]
    {
        let mut meeting = Meeting::of(people, 0.1, layout);
        c.bench_function(&format!("room/scene/{name}"), |b| {
            b.iter_custom(|rounds| meeting.time(rounds, |due| matches!(due, Due::Scene(_))));
        });
    }
}

fn grids(c: &mut Criterion) {
    for count in [9, 25, 50] {
        c.bench_function(&format!("room/grid/{count}"), |b| b.iter(|| grid::solve(black_box(1280), black_box(720), count)));
    }
}

criterion_group!(benches, mixes, scenes, grids);
criterion_main!(benches);
