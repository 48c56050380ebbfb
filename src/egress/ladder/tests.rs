//! Receivers on lines whose estimates are played: virtual time, in steps of a tenth of a second.

use proptest::prelude::*;

use super::*;

const LADDER: [Rendition; 3] = [
    Rendition { height: 720, fps: 30, max_bps: 2_500_000, min_bps: 600_000 },
    Rendition { height: 360, fps: 30, max_bps: 800_000, min_bps: 200_000 },
    Rendition { height: 180, fps: 15, max_bps: 200_000, min_bps: 50_000 },
];
const HIGH: Option<usize> = Some(0);
const MID: Option<usize> = Some(1);
const LOW: Option<usize> = Some(2);

/// How a line's estimate comes about.
#[derive(Clone, Copy, PartialEq)]
enum Estimate {
    /// Of an estimator that probes: it finds room up to what is asked of it within a second, and sees an overload at once.
    Probing,
    /// REMB of a receiver that hears next to nothing: no more than half again of what comes, told once a second, and nobody probes.
    Remb,
}

struct Played {
    climber: Climber,
    /// As it was told last.
    estimate_bps: f64,
    kind: Estimate,
    first: usize,
    moves: Vec<(u64, Move)>,
}

struct Scene {
    receivers: Vec<Played>,
    follows: [Follow; 3],
    bitrates: [u32; 3],
    /// In tenths of a second.
    now: u64,
}

impl Scene {
    fn of(count: usize) -> Self {
        let receiver = |_| Played { climber: Climber::default(), estimate_bps: 300e3, kind: Estimate::Probing, first: 0, moves: vec![] };
        Self { receivers: (0..count).map(receiver).collect(), follows: Default::default(), bitrates: [0; 3], now: 0 }
    }

    /// One step with these estimates.
    fn step(&mut self, lines: &[Line]) {
        let now = MediaTime::from_millis(100 * self.now);
        let mut members = Vec::new();
        for (receiver, line) in self.receivers.iter_mut().zip(lines) {
            let within = (receiver.first..3).collect();
            members.push(Member { climber: &mut receiver.climber, line: *line, within, is_bounded: receiver.first > 0 });
        }
        let (moves, slowest) = settle(now, &LADDER, &mut members);
        for (receiver, to) in self.receivers.iter_mut().zip(moves) {
            receiver.moves.extend(to.map(|to| (self.now, to)));
        }
        for (n, slowest) in slowest.into_iter().enumerate() {
            self.bitrates[n] = self.follows[n].bitrate_bps(now, slowest, LADDER[n]);
        }
        self.now += 1;
    }

    /// Seconds on lines that take that much, with estimates that come of what is sent.
    fn play(&mut self, seconds: u64, capacities: &[f64]) {
        for _ in 0..10 * seconds {
            let lines: Vec<_> = (0..).zip(capacities).map(|(receiver, capacity)| self.estimated(receiver, *capacity)).collect();
            self.step(&lines);
        }
    }

    fn estimated(&mut self, receiver: usize, capacity: f64) -> Line {
        let (tells, receiver) = (self.now.is_multiple_of(10), &mut self.receivers[receiver]);
        let pictures = receiver.climber.rendition().map_or(0.0, |rendition| f64::from(self.bitrates[rendition]));
        let before = receiver.estimate_bps;
        if receiver.kind == Estimate::Remb {
            let sent = 15e3 + pictures;
            receiver.estimate_bps = if tells { capacity.min(1.5 * sent + 10e3) } else { before };
            return known(line::unprobed(receiver.estimate_bps, sent));
        }
        let sent = 60e3 + pictures;
        let probed = receiver.climber.wanted_bps().filter(|_| tells).unwrap_or(0.0);
        let grown = (before * 1.008).min(1.5 * sent + 10e3).max(before.min(capacity)).max(probed.min(0.95 * capacity));
        receiver.estimate_bps = if sent > capacity || before > capacity { 0.9 * capacity } else { grown };
        known(receiver.estimate_bps)
    }

    fn on(&self) -> Vec<Option<usize>> {
        self.receivers.iter().map(|receiver| receiver.climber.rendition()).collect()
    }

    /// Seconds until it is there; at most `most`.
    fn until(&mut self, rendition: Option<usize>, most: u64, capacity: f64) -> f64 {
        let begin = self.now;
        while self.on()[0] != rendition && self.now < begin + 10 * most {
            let line = self.estimated(0, capacity);
            self.step(&[line]);
        }
        (self.now - begin) as f64 / 10.0
    }
}

fn known(estimate_bps: f64) -> Line {
    Line { estimate_bps: Some(estimate_bps), loss: 0.0 }
}

fn lossy(estimate_bps: f64) -> Line {
    Line { loss: 0.2, ..known(estimate_bps) }
}

#[test]
fn before_anything_is_known_everybody_gets_the_best_within_their_bounds() {
    let mut scene = Scene::of(3);
    (scene.receivers[1].first, scene.receivers[2].first) = (1, 3);
    scene.step(&[Line::default(); 3]);
    assert_eq!(scene.on(), [HIGH, MID, None]);
    let why: Vec<_> = scene.receivers.iter().map(|receiver| receiver.climber.why()).collect();
    assert_eq!(why, [Why::Full, Why::Bounds, Why::Bounds]);
    assert_eq!(scene.bitrates, [2_500_000, 800_000, 200_000]);
}

#[test]
fn a_line_that_falls_to_a_sixth_is_followed_at_once_and_up_again_within_twenty_seconds() {
    for kind in [Estimate::Probing, Estimate::Remb] {
        let mut scene = Scene::of(1);
        scene.receivers[0].kind = kind;
        scene.play(60, &[3e6]);
        assert_eq!((scene.on(), scene.receivers[0].climber.why()), (vec![HIGH], Why::Full));
        let down = scene.until(MID, 5, 0.5e6);
        assert!(down <= 2.0, "down after {down} s");
        scene.play(20, &[0.5e6]);
        assert_eq!((scene.on(), scene.receivers[0].climber.why()), (vec![MID], Why::Line));
        assert!((200_000..400_000).contains(&scene.bitrates[1]), "{:?}", scene.bitrates);
        let up = scene.until(HIGH, 60, 3e6);
        assert!((5.0..=20.0).contains(&up), "up after {up} s");
        scene.play(20, &[3e6]);
        assert!(scene.bitrates[0] > 1_800_000, "{:?}", scene.bitrates);
        let downs = scene.receivers[0].moves.iter().filter(|(_, to)| *to == Move::Down).count();
        assert!(downs <= 2, "{:?}", scene.receivers[0].moves);
    }
}

#[test]
fn a_line_that_nobody_probes_is_climbed_from_the_lowest_rung_too() {
    let mut scene = Scene::of(1);
    scene.receivers[0].kind = Estimate::Remb;
    scene.play(30, &[0.25e6]);
    assert_eq!(scene.on(), [LOW]);
    scene.play(10, &[1e3]);
    assert_eq!(scene.on(), [None]);
    let up = scene.until(HIGH, 120, 4e6);
    assert!(up < 60.0, "{up} s, {:?}", scene.receivers[0].moves);
}

#[test]
fn an_estimate_that_begins_low_is_followed_up_within_seconds() {
    let mut scene = Scene::of(1);
    let up = scene.until(HIGH, 1, 4e6);
    assert!(up < 0.2 || scene.until(HIGH, 10, 4e6) < 6.0);
    scene.play(20, &[4e6]);
    assert_eq!(scene.on(), [HIGH]);
}

#[test]
fn one_slow_line_among_three_fast_ones_costs_the_others_nothing() {
    for slow in [0.2e6, 0.3e6, 0.5e6, 1.0e6, 1.5e6] {
        let mut scene = Scene::of(4);
        let fast = [5e6; 3];
        scene.play(20, &[&fast[..], &[5e6]].concat());
        assert_eq!((scene.on(), scene.bitrates[0]), (vec![HIGH; 4], 2_500_000));
        for second in 0..120 {
            scene.play(1, &[&fast[..], &[slow]].concat());
            assert_eq!((&scene.on()[..3], scene.bitrates[0]), (&[HIGH; 3][..], 2_500_000), "{slow} at {second} s");
        }
        let expected = if slow < 0.4e6 { LOW } else { MID };
        assert_eq!(scene.on()[3], expected, "{slow}");
        assert!(scene.receivers[3].moves.len() <= 3, "{slow}: {:?}", scene.receivers[3].moves);
    }
}

#[test]
fn a_line_that_is_a_little_slower_is_waited_for() {
    let mut scene = Scene::of(2);
    scene.play(30, &[5e6, 2.4e6]);
    assert_eq!(scene.on(), [HIGH; 2]);
    assert!((1_400_000..2_100_000).contains(&scene.bitrates[0]), "{:?}", scene.bitrates);
}

#[test]
fn a_fast_line_among_slow_ones_is_no_reason_to_send_them_down() {
    let mut scene = Scene::of(4);
    scene.play(60, &[5e6, 1.2e6, 1.2e6, 1.2e6]);
    assert_eq!(scene.on(), [HIGH; 4]);
}

#[test]
fn who_loses_much_gets_what_can_be_sent_twice_and_is_told_why() {
    let mut scene = Scene::of(1);
    scene.step(&[lossy(650e3)]);
    assert_eq!((scene.on(), scene.receivers[0].climber.why()), (vec![MID], Why::Line));
    scene.step(&[lossy(0.85e6)]);
    assert_eq!((scene.on(), scene.receivers[0].climber.why()), (vec![MID], Why::Loss));
    scene.step(&[lossy(290e3)]);
    assert_eq!(scene.on(), [LOW]);
}

#[test]
fn an_estimate_that_swings_moves_nobody_more_than_a_few_times_a_minute() {
    for period in [10, 30, 65, 100, 150] {
        let mut scene = Scene::of(1);
        (0..50).for_each(|_| scene.step(&[known(5e6)]));
        for minute in 0..5 {
            let before = scene.receivers[0].moves.len();
            for tenth in 0..600 {
                scene.step(&[known(if tenth / period % 2 == 0 { 0.5e6 } else { 3e6 })]);
            }
            let moves = scene.receivers[0].moves.len() - before;
            assert!(moves <= if minute == 0 { 8 } else { 4 }, "{moves} in minute {minute} at {period}");
        }
    }
}

#[test]
fn a_climb_that_fails_is_tried_again_later_and_later() {
    let mut scene = Scene::of(1);
    (0..200).for_each(|_| scene.step(&[known(500e3)]));
    let mut waits = Vec::new();
    for _ in 0..6 {
        let fell = scene.now;
        while scene.on() != [HIGH] {
            scene.step(&[known(3e6)]);
        }
        waits.push((scene.now - fell) / 10);
        (0..20).for_each(|_| scene.step(&[known(3e6)]));
        scene.step(&[known(500e3)]);
    }
    assert_eq!(waits, [5, 10, 20, 40, 40, 40]);
}

#[test]
fn a_line_that_takes_sound_alone_keeps_it_and_sees_a_picture_now_and_then() {
    let mut scene = Scene::of(1);
    (0..19).for_each(|_| scene.step(&[known(90e3)]));
    assert_eq!(scene.on(), [LOW], "a moment is no reason");
    (0..10).for_each(|_| scene.step(&[known(90e3)]));
    assert_eq!((scene.on(), scene.receivers[0].climber.why()), (vec![None], Why::SoundOnly));
    let with_pictures = (0..6000).filter(|_| {
        scene.step(&[known(90e3)]);
        scene.on() == [LOW]
    });
    assert!((300..600).contains(&with_pictures.count()));
    (0..450).for_each(|_| scene.step(&[known(250e3)]));
    assert_eq!((scene.on(), scene.receivers[0].climber.why()), (vec![LOW], Why::Line));
}

#[test]
fn what_is_worth_probing_for_leads_to_the_next_rung_and_is_not_asked_for_in_vain() {
    let mut scene = Scene::of(1);
    scene.step(&[known(300e3)]);
    let wanted = scene.receivers[0].climber.wanted_bps().unwrap();
    assert_eq!(scene.on(), [LOW]);
    (0..60).for_each(|_| scene.step(&[known(wanted)]));
    assert_eq!(scene.on(), [MID]);
    scene.step(&[known(250e3)]);
    assert_eq!((scene.on(), scene.receivers[0].climber.wanted_bps()), (vec![LOW], None), "it has just been tried");
    (0..60).for_each(|_| scene.step(&[known(250e3)]));
    assert_eq!(scene.receivers[0].climber.wanted_bps(), Some(wanted));
    (0..500).for_each(|_| scene.step(&[known(9e6)]));
    assert_eq!((scene.on(), scene.receivers[0].climber.wanted_bps()), (vec![HIGH], None));
}

proptest! {
    #[test]
    fn everybody_has_a_rendition_within_bounds_that_their_line_takes_where_there_is_one(
        steps in proptest::collection::vec((proptest::collection::vec((40e3..6e6, 0.0..0.6), 4), 1u64..40), 1..40),
        bounds in proptest::array::uniform4(0usize..4),
    ) {
        let mut scene = Scene::of(4);
        scene.receivers.iter_mut().zip(bounds).for_each(|(receiver, first)| receiver.first = first);
        for (lines, times) in steps {
            let lines: Vec<_> = lines.into_iter().map(|(estimate, loss)| Line { loss, ..known(estimate) }).collect();
            for _ in 0..times {
                scene.step(&lines);
                for (receiver, line) in scene.receivers.iter().zip(&lines) {
                    let Some(rendition) = receiver.climber.rendition() else {
                        prop_assert!(receiver.first == 3 || receiver.climber.why() == Why::SoundOnly);
                        continue;
                    };
                    prop_assert!(rendition >= receiver.first);
                    prop_assert!(rendition == 2 || f64::from(LADDER[rendition].min_bps) <= line.room_bps());
                }
                for (rendition, bitrate) in LADDER.iter().zip(scene.bitrates) {
                    prop_assert!((rendition.min_bps..=rendition.max_bps).contains(&bitrate));
                }
            }
        }
    }
}
