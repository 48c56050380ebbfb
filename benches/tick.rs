//! What a whole room costs for each picture it sends, from access units to access units, sound included: the real codecs and
//! compositor, on virtual time and one thread.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use medley::codec::h264::{Decoder, Encoder};
use medley::codec::opus::{AudioDecoder, AudioEncoder, Prediction};
use medley::codec::{Keyframe, VideoDecoder, VideoEncoder, VideoSettings};
use medley::compositor::cpu::CpuCompositor;
use medley::compositor::{Compositor, Fonts, Pictures};
use medley::layout::{Layout, LayoutSpec, stock};
use medley::media::{Block, Composite, Frame, Heard, MediaTime, MixSet, ParticipantId, SAMPLE_RATE, Scene, SoundSource, ViewName};
use medley::room::{Command, Due, Joining, Room, RoomSettings, Source};

// `scenes` finds the types of pictures at `crate::media`, there as here.
use medley::media;

#[expect(dead_code, reason = "the codecs' bench takes the rest of it")]
#[path = "../src/codec/scenes.rs"]
mod scenes;

/// Pictures before a sender's stream begins anew.
const PICTURES: u32 = 30;
const FORTY_MS: Duration = Duration::from_millis(40);

/// A sender's sound: its packets over and over, decoded as they are pulled.
struct Voice {
    decoder: AudioDecoder,
    packets: Vec<Bytes>,
    next: usize,
}

impl Voice {
    fn new(hertz: f32) -> Self {
        let mut encoder = AudioEncoder::new().expect("an encoder");
        let sample = |n: usize| 0.09 * (std::f32::consts::TAU * hertz * n as f32 / SAMPLE_RATE as f32).sin();
        let block = Block(std::array::from_fn(sample));
        let packets = (0..25).map(|_| encoder.encode(&block, Prediction::Allowed).expect("a block is encoded")).collect();
        Self { decoder: AudioDecoder::new().expect("a decoder"), packets, next: 0 }
    }
}

impl SoundSource for Voice {
    fn pull(&mut self, _now: MediaTime, into: &mut Block) -> Heard {
        self.next = (self.next + 1) % self.packets.len();
        self.decoder.decode(&self.packets[self.next], &mut into.0).expect("our own packet");
        Heard::Decoded
    }
}

/// A sender's pictures: their access units over and over.
struct Camera {
    decoder: Decoder,
    units: Vec<Vec<u8>>,
    next: usize,
}

impl Camera {
    fn new(first: u32) -> Self {
        let mut encoder = Encoder::new(VideoSettings { width: 640, height: 360, fps: 30, bitrate_bps: 800_000 }).expect("an encoder");
        let mut unit = |n: u32| {
            let (frame, at) = (scenes::moving(640, 360, first + n), MediaTime::from_millis(u64::from(n) * 100 / 3));
            let unit = encoder.encode(&frame, at, Keyframe::Auto).expect("a picture is encoded").expect("none is skipped");
            unit.nal_units.iter().flat_map(|nal_unit| [&[0, 0, 0, 1], nal_unit.as_ref()].concat()).collect()
        };
        Self { decoder: Decoder::new(), units: (0..PICTURES).map(&mut unit).collect(), next: 0 }
    }

    fn shoot(&mut self) -> Arc<Frame> {
        let unit = &self.units[self.next % self.units.len()];
        self.next += 1;
        self.decoder.decode(unit).expect("our own stream").expect("a picture a unit")
    }
}

struct Newest(Vec<Arc<Frame>>);

impl Pictures for Newest {
    fn picture(&self, id: ParticipantId) -> Option<Arc<Frame>> {
        self.0.get(id.0 as usize - 1).cloned()
    }
}

/// Everything that a room's threads own.
struct Meeting {
    room: Room,
    cameras: Vec<Camera>,
    compositor: CpuCompositor,
    video: Encoder,
    audio: Vec<AudioEncoder>,
    /// Pictures shown in motion.
    shown: usize,
}

impl Meeting {
    fn of(people: u32) -> Self {
        let mut room = Room::new(RoomSettings::default(), MediaTime::ZERO);
        for n in 1..=people {
            let sound: Option<Box<dyn SoundSource>> = Some(Box::new(Voice::new(50.0 * (5 + n) as f32)));
            let (id, name) = (ParticipantId(n), format!("Guest {n}").into());
            room.handle(Command::Join(Joining { id, name, source: Source::Camera, sound, picture: None }));
            room.handle(Command::Watch(id, ViewName::main()));
        }
        let settings = VideoSettings { width: 1280, height: 720, fps: 30, bitrate_bps: 2_500_000 };
        Self {
            room,
            cameras: (0..people).map(|n| Camera::new(n * 7)).collect(),
            compositor: CpuCompositor::new(Fonts::embedded()),
            video: Encoder::new(settings).expect("an encoder"),
            audio: (0..=people).map(|_| AudioEncoder::new().expect("an encoder")).collect(),
            shown: 0,
        }
    }

    /// One picture's time, with the audio ticks that fall into it: 5 to 3 pictures.
    fn tick(&mut self) {
        loop {
            let now = self.room.next_deadline();
            let due = self.room.advance(now);
            black_box(self.room.take_events());
            match due {
                Some(Due::Mixes(mixes)) => self.speak(&mixes),
                Some(Due::Scene(_, scene)) => return self.show(&scene),
                None => {}
            }
        }
    }

    /// The same while all tiles are on their way: every sixth picture, the arrangement is another.
    fn tick_in_motion(&mut self, layouts: &[Arc<Layout>; 2]) {
        if self.shown.is_multiple_of(6) {
            let layout = layouts[self.shown / 6 % 2].clone();
            self.room.handle(Command::Arrange { view: ViewName::main(), layout, at: None });
        }
        self.shown += 1;
        self.tick();
    }

    fn speak(&mut self, mixes: &MixSet) {
        let blocks = std::iter::once(&mixes.listeners).chain(mixes.talkers.iter().map(|(_, block)| block));
        for (encoder, block) in self.audio.iter_mut().zip(blocks) {
            black_box(encoder.encode(block, Prediction::Allowed).expect("a block is encoded"));
        }
    }

    fn show(&mut self, scene: &Scene) {
        let pictures = Newest(self.cameras.iter_mut().map(Camera::shoot).collect());
        self.compositor.submit(scene, &pictures).expect("the CPU is not lost");
        let Composite { frame, at } = self.compositor.take(FORTY_MS).expect("the CPU is not lost").expect("a canvas at once");
        black_box(self.video.encode(&frame, at, Keyframe::Auto).expect("the canvas has the encoder's size"));
    }
}

fn ticks(c: &mut Criterion) {
    for people in [4, 9] {
        let mut meeting = Meeting::of(people);
        c.bench_function(&format!("tick/room of {people}, all talking"), |b| b.iter(|| meeting.tick()));
    }
}

fn motion(c: &mut Criterion) {
    let layout = |name: &str| {
        let spec = LayoutSpec::template(name.parse().expect("a name"));
        Arc::new(spec.resolve(|name| stock().get(name).cloned()).expect("a stock template"))
    };
    let layouts = [layout("one-plus-seven"), layout("grid")];
    let mut meeting = Meeting::of(9);
    c.bench_function("tick/room of 9, all talking, all in motion", |b| b.iter(|| meeting.tick_in_motion(&layouts)));
}

criterion_group!(benches, ticks, motion);
criterion_main!(benches);
