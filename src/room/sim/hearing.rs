//! What is heard: who is mixed, how loud, and that nothing clicks.

use std::collections::BTreeMap;

use super::super::limiter::{CEILING, LOOK_AHEAD};
use super::super::tone::{Tone, amplitude_of};
use super::*;
use crate::media::{BLOCK_PERIOD, BLOCK_SAMPLES, Block, SAMPLE_RATE};

impl Sim {
    fn listeners(&self) -> Vec<f32> {
        self.mixes.iter().flat_map(|mixes| mixes.listeners.0).collect()
    }

    /// What one person hears: the own mix while there is one, else the listeners'.
    fn heard_by(&self, id: u32) -> Vec<f32> {
        self.mixes.iter().flat_map(|mixes| heard(mixes, ParticipantId(id)).0).collect()
    }
}

fn heard(mixes: &MixSet, id: ParticipantId) -> &Block {
    mixes.talkers.iter().find(|(talker, _)| *talker == id).map_or(&mixes.listeners, |(_, block)| block)
}

fn rename(sim: &mut Sim, id: u32, name: &str) {
    sim.change(id, Change { name: Some(name.into()), ..Change::default() });
}

fn max_talkers(most: usize) -> RoomSettings {
    RoomSettings { audio: AudioSettings { max_talkers: most, ..AudioSettings::default() }, ..RoomSettings::default() }
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
    rename(sim.seconds(1), 1, "Ada");
    sim.millis(730).join(4, Tone::db(413.0, -20.0), always);
    sim.seconds(2).leave(4);
    sim.millis(510).leave(2);
    sim.seconds(3);
    for (id, sound) in [1, 3].map(|id| (id, sim.heard_by(id))) {
        // A cut of a tone at −20 dBFS is a click of up to 0.14; the second voice's own beginnings and ends, at
        // zero crossings, are kinks of 0.0056.
        assert!(click(&sound) < 0.006, "p{id} hears a click of {}", click(&sound));
    }
}

#[test]
fn a_place_in_the_mix_changes_hands_without_a_click() {
    let mut sim = Sim::new(max_talkers(1));
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
    rename(sim.seconds(1), 3, "Grace");
    sim.seconds(1).leave(3);
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
    let mut sim = Sim::new(max_talkers(2));
    for (id, level) in [(1, -40.0), (2, -20.0), (3, -30.0)] {
        sim.join(id, Tone::db(100.0 * f64::from(id), level), always);
    }
    sim.seconds(2);
    let talkers: Vec<_> = sim.mixes.last().unwrap().talkers.iter().map(|(id, _)| id.0).collect();
    assert_eq!(talkers, [2, 3]);
    assert!(amplitude_of(100.0, last_second(&sim.heard_by(1))) < 1e-6);
}

#[test]
fn an_empty_room_shows_its_slate_and_sounds_silent() {
    let mut sim = Sim::new(RoomSettings::default());
    sim.seconds(1);
    assert_eq!((sim.scenes.len(), sim.mixes.len()), (30, 50));
    assert!(sim.scenes.iter().all(|(_, scene)| shown(&scene.cells) == [0]));
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
    sim.leave(9).pin(9, true).arrange("none", template("speaker"), None);
    rename(&mut sim, 9, "Nobody");
    sim.seconds(2);
    assert_eq!((sim.events.as_slice(), sim.shown()), (&[][..], vec![1]));
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
        sim.room.handle(Command::Join(Joining { sound: Some(sound), ..joining(id) }));
    }
    sim.seconds(2);
    assert!((amplitude_of(400.0, last_second(&sim.listeners())) - 0.1 * 2f64.sqrt()).abs() < 1e-4);
}

#[test]
fn the_same_day_twice_is_the_same_to_the_bit() {
    let day = || {
        let mut sim = Sim::new(RoomSettings { views: settings(layout(r#"{"template": "speaker"}"#)).views, ..max_talkers(3) });
        for id in 1..=9 {
            sim.join(id, Tone::peak(150.0 * f64::from(id), 0.4), move |n| (n + 17 * u64::from(id)) % 200 < 90);
        }
        sim.seconds(4).leave(4);
        sim.seconds(1).arrange("main", layout("{}"), None);
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

#[test]
fn who_is_muted_fades_and_is_neither_mixed_nor_the_active_speaker() {
    let mut sim = Sim::new(RoomSettings::default());
    sim.join(1, Tone::db(250.0, -20.0), always);
    sim.join(2, Tone::db(300.0, -20.0), never);
    sim.seconds(2);
    assert_eq!(sim.speakers(), [Some(1)]);
    sim.mute(1, true).seconds(3);
    assert_eq!(sim.speakers(), [Some(1), None]);
    let sound = sim.heard_by(2);
    assert!(last_second(&sound).iter().all(|sample| *sample == 0.0));
    assert!(click(&sound[BLOCK_SAMPLES..]) < 0.001, "{}", click(&sound));
    let after_100_ms = 2 * SAMPLE_RATE as usize + 5 * BLOCK_SAMPLES;
    assert!(sound[after_100_ms..].iter().all(|sample| *sample == 0.0));
    let status = &sim.status().people[&ParticipantId(1)];
    assert!(status.muted && !status.speaking && !status.silent);
    sim.mute(1, false).seconds(2);
    assert!((amplitude_of(250.0, last_second(&sim.heard_by(2))) - 0.1 * 2f64.sqrt()).abs() < 1e-3);
}

#[test]
fn a_gain_is_heard_by_everybody_within_its_bounds() {
    for (asked, expected) in [(6.0, 6.0), (-12.0, -12.0), (-100.0, -60.0), (99.0, 20.0), (f32::NAN, 0.0)] {
        let mut sim = Sim::new(RoomSettings::default());
        sim.join(1, Tone::db(400.0, -40.0), |n| n != 3);
        sim.change(1, Change { gain_db: Some(asked), ..Change::default() });
        sim.seconds(3);
        let level = decibels(amplitude_of(400.0, last_second(&sim.listeners())) / 2f64.sqrt());
        // A voice of -100 dBFS is none: nobody who talks.
        let heard = if expected == -60.0 { level < -120.0 } else { (level - (-40.0 + expected)).abs() < 0.1 };
        assert!(heard, "{asked} dB gives {level} dBFS");
        assert_eq!(f64::from(sim.status().people[&ParticipantId(1)].gain_db), expected);
    }
}

#[test]
fn automatic_gain_makes_people_alike_in_the_mix() {
    let audio = AudioSettings { agc: true, ..AudioSettings::default() };
    let mut sim = Sim::new(RoomSettings { audio, ..RoomSettings::default() });
    for (id, level) in [(1, -32.0), (2, -14.0), (3, -23.0)] {
        sim.join(id, Tone::db(100.0 * f64::from(id), level), always);
    }
    sim.seconds(8);
    for hertz in [100.0, 200.0, 300.0] {
        let level = decibels(amplitude_of(hertz, last_second(&sim.listeners())) / 2f64.sqrt());
        assert!((level - -23.0).abs() < 0.5, "{hertz} Hz is at {level} dBFS");
    }
}

#[test]
fn noise_suppression_turned_on_in_a_running_room_takes_noise_out_of_a_voice() {
    struct Noisy;
    impl SoundSource for Noisy {
        fn pull(&mut self, now: MediaTime, into: &mut Block) -> Heard {
            *into = super::super::tone::noise(now.as_millis() / 20, -35.0);
            Heard::Decoded
        }
    }
    let mut sim = Sim::new(RoomSettings::default());
    sim.room.handle(Command::Join(Joining { sound: Some(Box::new(Noisy)), ..joining(1) }));
    let level = |sim: &Sim| decibels(f64::from(last_second(&sim.listeners()).iter().map(|s| s * s).sum::<f32>() / 48_000.0).sqrt());
    let before = level(sim.seconds(2));
    let audio = AudioSettings { noise_suppression: true, ..AudioSettings::default() };
    sim.room.handle(Command::Configure(RoomSettings { audio, ..RoomSettings::default() }));
    let after = level(sim.seconds(3));
    assert!((before - -35.0).abs() < 0.5 && after < -50.0, "{before} dBFS comes to {after}");
}
