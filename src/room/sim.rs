//! A room on virtual time, with tones for voices: what people in it see and hear.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::limiter::{CEILING, LOOK_AHEAD};
use super::tone::{Tone, amplitude_of};
use super::*;
use crate::media::{BLOCK_PERIOD, BLOCK_SAMPLES, Block, Cell, Heard, MediaTime, SAMPLE_RATE, Source};

/// A room, its people's ears and what they have heard.
struct Sim {
    room: Room,
    now: MediaTime,
    mixes: Vec<MixSet>,
    scenes: Vec<Scene>,
    events: Vec<Event>,
}

/// A voice: the tone while `speaks` says so for the n-th 20 ms of the room's time.
struct Mouth<F> {
    tone: Tone,
    speaks: F,
}

impl<F: FnMut(u64) -> bool + Send> SoundSource for Mouth<F> {
    fn pull(&mut self, now: MediaTime, into: &mut Block) -> Heard {
        let n = now.as_millis() / 20;
        *into = if (self.speaks)(n) { self.tone.block(n) } else { Block::SILENCE };
        Heard::Decoded
    }
}

fn always(_: u64) -> bool {
    true
}

fn never(_: u64) -> bool {
    false
}

impl Sim {
    fn new(settings: RoomSettings) -> Self {
        Self { room: Room::new(settings, MediaTime::ZERO), now: MediaTime::ZERO, mixes: vec![], scenes: vec![], events: vec![] }
    }

    fn join(&mut self, id: u32, tone: Tone, speaks: impl FnMut(u64) -> bool + Send + 'static) {
        let sound = Some(Box::new(Mouth { tone, speaks }) as Box<dyn SoundSource>);
        self.room.handle(Command::Join { id: ParticipantId(id), name: format!("P{id}").into(), sound });
    }

    /// Lets time pass, deadline by deadline.
    fn run(&mut self, span: Duration) -> &mut Self {
        let end = self.now + span;
        while self.room.next_deadline() < end {
            self.now = self.room.next_deadline();
            self.catch_up();
        }
        self.now = end;
        self
    }

    fn seconds(&mut self, seconds: u64) -> &mut Self {
        self.run(Duration::from_secs(seconds))
    }

    /// Does what is due, without letting time pass.
    fn catch_up(&mut self) {
        while let Some(due) = self.room.advance(self.now) {
            match due {
                Due::Mixes(mixes) => self.mixes.push(mixes),
                Due::Scene(scene) => self.scenes.push(scene),
            }
            self.events.extend(self.room.take_events());
        }
    }

    fn listeners(&self) -> Vec<f32> {
        self.mixes.iter().flat_map(|mixes| mixes.listeners.0).collect()
    }

    /// What one person hears: the own mix while there is one, else the listeners'.
    fn heard_by(&self, id: u32) -> Vec<f32> {
        self.mixes.iter().flat_map(|mixes| heard(mixes, ParticipantId(id)).0).collect()
    }

    fn speakers(&self) -> Vec<Option<u32>> {
        let changed = |event: &Event| match event {
            Event::SpeakerChanged(id) => Some(id.map(|id| id.0)),
            _ => None,
        };
        self.events.iter().filter_map(changed).collect()
    }

    fn last_cells(&self) -> &[Cell] {
        &self.scenes.last().expect("time has passed").cells
    }
}

fn heard(mixes: &MixSet, id: ParticipantId) -> &Block {
    mixes.talkers.iter().find(|(talker, _)| *talker == id).map_or(&mixes.listeners, |(_, block)| block)
}

fn shown(cells: &[Cell]) -> Vec<u32> {
    let id = |cell: &Cell| match cell.source {
        Source::Participant { id, .. } => id.0,
        Source::Slate => 0,
    };
    cells.iter().map(id).collect()
}

/// The sound's last second, in which each of our tones has whole periods.
fn last_second(sound: &[f32]) -> &[f32] {
    &sound[sound.len() - SAMPLE_RATE as usize..]
}

/// The strongest departure of a sound from what a sum of our low tones could do from one sample to the next: a click.
///
/// A third difference makes a 500 Hz tone 12 000 times weaker, and a step hardly at all.
fn click(sound: &[f32]) -> f32 {
    sound.windows(4).map(|w| (w[3] - 3.0 * w[2] + 3.0 * w[1] - w[0]).abs()).fold(0.0, f32::max)
}

fn decibels(ratio: f64) -> f64 {
    20.0 * ratio.max(1e-12).log10()
}

#[test]
fn a_talker_hears_the_others_alike_and_themself_90_db_below() {
    let mut sim = Sim::new(RoomSettings::default());
    let tones = [(1, 400.0), (2, 500.0), (3, 700.0)];
    for (id, hertz) in tones {
        sim.join(id, Tone::db(hertz, -20.0), always);
    }
    sim.seconds(3);
    for (id, own) in tones {
        let sound = sim.heard_by(id);
        let levels: BTreeMap<u32, f64> = tones.iter().map(|(id, hertz)| (*id, amplitude_of(*hertz, last_second(&sound)))).collect();
        for (other, hertz) in tones.iter().filter(|(_, hertz)| *hertz != own) {
            assert!(decibels(levels[other] / (0.1 * 2f64.sqrt())).abs() < 0.01, "{hertz} Hz for p{id}");
            assert!(decibels(levels[&id] / levels[other]) < -90.0, "p{id} hears themself");
        }
    }
}

#[test]
fn there_is_one_mix_more_than_talkers() {
    let mut sim = Sim::new(RoomSettings::default());
    for id in 1..=8 {
        sim.join(id, Tone::db(300.0 + 50.0 * f64::from(id), -20.0), if id <= 2 { always } else { never });
    }
    sim.seconds(2);
    let talkers: Vec<_> = sim.mixes.last().unwrap().talkers.iter().map(|(id, _)| id.0).collect();
    assert_eq!(talkers, [1, 2]);
}

#[test]
fn an_onset_is_heard_in_its_very_block() {
    let mut sim = Sim::new(RoomSettings::default());
    sim.join(1, Tone::db(500.0, -20.0), |n| n >= 50);
    sim.seconds(2);
    let from = 50 * BLOCK_SAMPLES + LOOK_AHEAD;
    let sound = sim.listeners();
    assert!(sound[..from].iter().all(|s| *s == 0.0));
    let block = &sound[from..from + BLOCK_SAMPLES];
    assert!(amplitude_of(500.0, &block[BLOCK_SAMPLES / 4..]) > 0.1);
}

#[test]
fn two_who_shout_are_turned_down_without_clipping_and_each_hears_the_other_whole() {
    let mut sim = Sim::new(RoomSettings::default());
    sim.join(1, Tone::peak(400.0, 0.85), always);
    sim.join(2, Tone::peak(500.0, 0.85), always);
    sim.join(3, Tone::peak(700.0, 0.85), never);
    sim.seconds(3);
    let all = sim.heard_by(3);
    assert!(all.iter().all(|s| s.abs() <= CEILING));
    let levels = [400.0, 500.0].map(|hertz| amplitude_of(hertz, last_second(&all)));
    assert!(levels.iter().all(|level| (0.42..0.6).contains(level)), "{levels:?}");
    assert!(amplitude_of(1300.0, last_second(&all)) < 0.01, "the sum is clipped or wrapped");
    // A talker's own output holds one voice, which needs no limiting, however loud the others' sum is.
    let other = amplitude_of(500.0, last_second(&sim.heard_by(1)));
    assert!((other - 0.85).abs() < 1e-3, "{other}");
}

#[test]
fn coming_going_and_renaming_click_for_nobody() {
    let mut sim = Sim::new(RoomSettings::default());
    sim.join(1, Tone::db(250.0, -20.0), always);
    sim.join(2, Tone::db(300.0, -20.0), |n| n / 40 % 3 == 0);
    sim.join(3, Tone::db(350.0, -20.0), never);
    sim.seconds(1).room.handle(Command::Rename(ParticipantId(1), "Ada".into()));
    sim.run(Duration::from_millis(730)).join(4, Tone::db(413.0, -20.0), always);
    sim.seconds(2).room.handle(Command::Leave(ParticipantId(4)));
    sim.run(Duration::from_millis(510)).room.handle(Command::Leave(ParticipantId(2)));
    sim.seconds(3);
    for (id, sound) in [1, 3].map(|id| (id, sim.heard_by(id))) {
        // A cut of a tone at −20 dBFS is a click of up to 0.14; the second voice's own beginnings and ends, at
        // zero crossings, are kinks of 0.0056.
        assert!(click(&sound) < 0.006, "p{id} hears a click of {}", click(&sound));
    }
}

#[test]
fn a_place_in_the_mix_changes_hands_without_a_click() {
    let mut sim = Sim::new(RoomSettings { max_talkers: 1, ..RoomSettings::default() });
    sim.join(1, Tone::db(413.0, -20.0), always);
    sim.seconds(2).join(2, Tone::db(377.0, -10.0), always);
    sim.join(3, Tone::db(500.0, -10.0), never);
    sim.seconds(2);
    let sound = sim.heard_by(3);
    assert!(amplitude_of(413.0, last_second(&sound)) < 1e-3);
    assert!(click(&sound[BLOCK_SAMPLES..]) < 0.002, "{}", click(&sound[BLOCK_SAMPLES..]));
}

#[test]
fn comings_and_goings_do_not_touch_what_the_others_say() {
    let mut sim = Sim::new(RoomSettings::default());
    sim.join(1, Tone::db(400.0, -20.0), always);
    sim.join(2, Tone::db(400.0, -20.0), never);
    sim.seconds(2).join(3, Tone::db(500.0, -20.0), never);
    sim.seconds(1).room.handle(Command::Rename(ParticipantId(3), "Grace".into()));
    sim.seconds(1).room.handle(Command::Leave(ParticipantId(3)));
    sim.seconds(1);
    let said: Vec<f32> = (0..sim.mixes.len() as u64).flat_map(|n| Tone::db(400.0, -20.0).block(n).0).collect();
    let heard = sim.heard_by(2);
    assert_eq!(heard[LOOK_AHEAD + BLOCK_SAMPLES..], said[BLOCK_SAMPLES..said.len() - LOOK_AHEAD]);
}

#[test]
fn a_listener_who_says_a_word_hears_the_others_go_on_sample_by_sample() {
    let mut sim = Sim::new(RoomSettings::default());
    sim.join(1, Tone::peak(250.0, 0.8), always);
    sim.join(2, Tone::peak(300.0, 0.8), always);
    sim.join(3, Tone::peak(425.0, 0.8), |n| (100..120).contains(&n));
    sim.seconds(6);
    let talked = sim.mixes.iter().filter(|m| m.talkers.iter().any(|(id, _)| id.0 == 3)).count();
    assert!((70..250).contains(&talked), "the own output is open for {talked} blocks");
    let sound = sim.heard_by(3);
    assert!(click(&sound) < 0.001, "{}", click(&sound));
    assert!(amplitude_of(425.0, &sound[102 * BLOCK_SAMPLES..118 * BLOCK_SAMPLES]) < 0.005);
}

#[test]
fn the_loudest_are_mixed_where_more_talk_than_may_be() {
    let mut sim = Sim::new(RoomSettings { max_talkers: 2, ..RoomSettings::default() });
    for (id, level) in [(1, -40.0), (2, -20.0), (3, -30.0)] {
        sim.join(id, Tone::db(100.0 * f64::from(id), level), always);
    }
    sim.seconds(2);
    let talkers: Vec<_> = sim.mixes.last().unwrap().talkers.iter().map(|(id, _)| id.0).collect();
    assert_eq!(talkers, [2, 3]);
    assert!(amplitude_of(100.0, last_second(&sim.heard_by(1))) < 1e-6);
}

#[test]
fn the_active_speaker_moves_with_who_talks_and_is_forgotten_when_they_leave() {
    let mut sim = Sim::new(RoomSettings { layout: Layout::Speaker, ..RoomSettings::default() });
    sim.join(1, Tone::db(300.0, -20.0), |n| n < 200);
    sim.join(2, Tone::db(400.0, -20.0), |n| n >= 200);
    sim.join(3, Tone::db(500.0, -3.0), |n| (100..114).contains(&n));
    sim.seconds(3);
    assert_eq!(shown(sim.last_cells()), [1, 2, 3]);
    sim.seconds(4);
    assert_eq!(sim.speakers(), [Some(1), Some(2)]);
    assert_eq!(shown(sim.last_cells()), [2, 1, 3]);
    assert_eq!(sim.last_cells().iter().map(|cell| cell.border.is_some()).collect::<Vec<_>>(), [true, false, false]);
    sim.room.handle(Command::Leave(ParticipantId(2)));
    sim.seconds(1);
    assert_eq!(sim.speakers(), [Some(1), Some(2), None]);
}

#[test]
fn of_forty_people_25_are_shown_and_a_hidden_one_who_speaks_comes_in() {
    let mut sim = Sim::new(RoomSettings::default());
    for id in 1..=40 {
        sim.join(id, Tone::db(200.0 + 10.0 * f64::from(id), -20.0), move |n| id == 33 && n > 100);
    }
    sim.seconds(2);
    assert_eq!(shown(sim.last_cells()), (1..=25).collect::<Vec<_>>());
    sim.seconds(2);
    let cells = shown(sim.last_cells());
    assert_eq!((cells[0], &cells[1..]), (33, &(2..=25).collect::<Vec<_>>()[..]));
    assert!(amplitude_of(530.0, last_second(&sim.heard_by(40))) > 0.1);
}

#[test]
fn who_sends_no_sound_has_the_mute_mark() {
    let mut sim = Sim::new(RoomSettings::default());
    sim.room.handle(Command::Join { id: ParticipantId(1), name: "No microphone".into(), sound: None });
    sim.join(2, Tone::db(300.0, -20.0), never);
    sim.join(3, Tone::db(300.0, -70.0), always);
    let muted = |sim: &Sim| sim.last_cells().iter().map(|cell| cell.label.clone().unwrap().muted).collect::<Vec<_>>();
    sim.seconds(1);
    assert_eq!(muted(&sim), [true, false, false]);
    sim.seconds(2);
    assert_eq!(muted(&sim), [true, true, false]);
}

#[test]
fn an_empty_room_shows_its_slate_and_sounds_silent() {
    let mut sim = Sim::new(RoomSettings::default());
    sim.seconds(1);
    assert_eq!((sim.scenes.len(), sim.mixes.len()), (30, 50));
    assert!(sim.scenes.iter().all(|scene| shown(&scene.cells) == [0]));
    assert!(sim.listeners().iter().all(|s| *s == 0.0));
}

#[test]
fn a_late_room_skips_pictures_and_no_sound() {
    let mut sim = Sim::new(RoomSettings::default());
    sim.join(1, Tone::db(400.0, -20.0), always);
    sim.seconds(1);
    sim.now += Duration::from_millis(500);
    sim.catch_up();
    sim.seconds(1);
    assert!(sim.mixes.windows(2).all(|pair| pair[1].at == pair[0].at + BLOCK_PERIOD));
    assert!(sim.events.contains(&Event::PicturesSkipped(15)), "{:?}", sim.events);
    assert!(click(&sim.listeners()[BLOCK_SAMPLES..]) < 0.001);
}

#[test]
fn after_a_pause_of_seconds_sound_begins_afresh() {
    let mut sim = Sim::new(RoomSettings::default());
    sim.seconds(1);
    sim.now += Duration::from_secs(5);
    sim.catch_up();
    assert!(sim.events.contains(&Event::BlocksSkipped(250)), "{:?}", sim.events);
    assert_eq!(sim.mixes.len(), 51);
    assert!(sim.room.next_deadline() > sim.now);
}

#[test]
fn commands_about_strangers_and_second_joins_change_nothing() {
    let mut sim = Sim::new(RoomSettings::default());
    sim.join(1, Tone::db(400.0, -20.0), always);
    sim.seconds(1).events.clear();
    sim.join(1, Tone::db(500.0, -20.0), always);
    sim.room.handle(Command::Leave(ParticipantId(9)));
    sim.room.handle(Command::Rename(ParticipantId(9), "Nobody".into()));
    sim.seconds(2);
    assert_eq!((sim.events.as_slice(), shown(sim.last_cells())), (&[][..], vec![1]));
    assert!(amplitude_of(500.0, last_second(&sim.listeners())) < 1e-4);
}

#[test]
fn a_sound_that_is_no_number_is_silence() {
    struct Broken(f32);
    impl SoundSource for Broken {
        fn pull(&mut self, _now: MediaTime, into: &mut Block) -> Heard {
            into.0.fill(self.0);
            Heard::Decoded
        }
    }
    let mut sim = Sim::new(RoomSettings::default());
    sim.join(1, Tone::db(400.0, -20.0), always);
    for (id, sample) in (2..).zip([f32::NAN, f32::INFINITY, f32::MAX]) {
        let sound: Box<dyn SoundSource> = Box::new(Broken(sample));
        sim.room.handle(Command::Join { id: ParticipantId(id), name: "Broken".into(), sound: Some(sound) });
    }
    sim.seconds(2);
    assert!((amplitude_of(400.0, last_second(&sim.listeners())) - 0.1 * 2f64.sqrt()).abs() < 1e-4);
}

#[test]
fn the_same_day_twice_is_the_same_to_the_bit() {
    let day = || {
        let mut sim = Sim::new(RoomSettings { layout: Layout::Speaker, max_talkers: 3, ..RoomSettings::default() });
        for id in 1..=9 {
            sim.join(id, Tone::peak(150.0 * f64::from(id), 0.4), move |n| (n + 17 * u64::from(id)) % 200 < 90);
        }
        sim.seconds(4).room.handle(Command::Leave(ParticipantId(4)));
        sim.seconds(1).room.handle(Command::SetLayout(Layout::Grid));
        sim.seconds(3);
        sim
    };
    let (one, other) = (day(), day());
    let outputs = |sim: &Sim| -> Vec<Arc<Block>> {
        let of = |mixes: &MixSet| [vec![mixes.listeners.clone()], mixes.talkers.iter().map(|(_, mix)| mix.clone()).collect()].concat();
        sim.mixes.iter().flat_map(of).collect()
    };
    assert_eq!(one.scenes, other.scenes);
    assert_eq!(one.events, other.events);
    assert!(outputs(&one) == outputs(&other), "mixes differ");
}
