//! One stream on lines that lose, reorder and go black, in virtual time: sender, both ways of the line, and what is shown.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::ingest::freezes::Freezes;
use crate::ingest::presenting::Presenter;
use crate::media::{Frame, Reel};

const ONE_WAY: Duration = Duration::from_millis(25);
const PERIOD: Duration = Duration::from_nanos(33_333_333);
const MINUTES: u64 = 2;

#[test]
fn on_a_clean_line_every_picture_shows_and_nothing_is_asked() {
    let call = Call::on(Line { jitter: Duration::from_micros(200), ..Line::default() }).run();
    assert!(call.fps() > 29.9 && call.frozen() == 0.0, "{call}");
    assert_eq!((call.requests, call.keyframes, call.counts.traffic.delay_ms.get().unwrap() < 3.0), (0, 0, true), "{call}");
}

#[test]
fn at_five_percent_loss_each_way_pictures_hardly_ever_freeze() {
    let call = Call::on(Line { loss: 0.05, ..Line::default() }).run();
    assert!(call.fps() >= 29.0 && call.frozen() <= 0.003, "{call}");
    call.asks_within_bounds();
}

#[test]
fn at_ten_percent_loss_each_way_they_freeze_less_than_one_part_in_a_hundred() {
    let call = Call::on(Line { loss: 0.1, ..Line::default() }).run();
    assert!(call.fps() >= 28.0 && call.frozen() <= 0.01, "{call}");
    call.asks_within_bounds();
}

#[test]
fn at_twenty_percent_loss_each_way_they_still_move() {
    let call = Call::on(Line { loss: 0.2, ..Line::default() }).run();
    assert!(call.fps() >= 22.0 && call.frozen() <= 0.04, "{call}");
    call.asks_within_bounds();
    assert!(call.counts.traffic.lost() <= 40, "given up less than once in ten seconds: {call}");
}

#[test]
fn reordering_jitter_and_duplicates_cost_no_request() {
    let line = Line { jitter: Duration::from_millis(8), copies: 0.1, ..Line::default() };
    let call = Call::on(line).run();
    // The very first packet may be overtaken: nobody knows that there was one
    assert!(call.requests == 0 && call.keyframes <= 1 && call.fps() > 29.5, "{call}");
}

#[test]
fn after_a_black_out_of_two_seconds_the_picture_is_back_within_half_a_second() {
    for seed in 0..5 {
        let black = MediaTime::from_millis(10_000 + 7 * seed)..MediaTime::from_millis(12_000 + 7 * seed);
        let call = Call::on(Line { black: Some(black.clone()), loss: 0.01, seed, ..Line::default() }).run();
        let back = call.shown.iter().find(|at| **at > black.end).unwrap();
        assert!(back.since(black.end) < Duration::from_millis(500), "{:?} {call}", back.since(black.end));
        assert!(call.keyframes <= 4, "{call}");
    }
}

#[test]
fn a_sender_that_does_not_resend_is_asked_for_keyframes_at_most_twice_a_second() {
    let mut call = Call::on(Line { loss: 0.005, ..Line::default() });
    call.layer.never_ask_again();
    let call = call.run();
    assert!(call.requests == 0 && call.keyframes > 30, "{call}");
    assert!(call.asked_at.windows(3).all(|asks| asks[2].since(asks[0]) >= Duration::from_secs(1)), "{call}");
    assert!(call.fps() > 10.0, "{call}");
}

/// A line, the same each way.
#[derive(Clone)]
struct Line {
    loss: f64,
    jitter: Duration,
    copies: f64,
    black: Option<std::ops::Range<MediaTime>>,
    seed: u64,
}

impl Default for Line {
    fn default() -> Self {
        Self { loss: 0.0, jitter: Duration::from_millis(2), copies: 0.0, black: None, seed: 1 }
    }
}

enum Event {
    /// The sender makes a picture.
    Shutter,
    /// The canvas is drawn.
    Draw,
    /// A packet reaches the server.
    Media(RtpPacket),
    /// A request reaches the sender.
    Asked(Feedback),
    Tick,
}

struct Call {
    line: Line,
    random: StdRng,
    now: MediaTime,
    events: BTreeMap<(MediaTime, u64), Event>,
    number: u64,
    layer: Layer,
    counts: Counts,
    reel: Arc<Reel>,
    presenter: Presenter,
    sent: Vec<RtpPacket>,
    keyframe_due: bool,
    /// When the picture that is shown changed.
    shown: Vec<MediaTime>,
    showing: MediaTime,
    lost: u64,
    requests: u64,
    keyframes: u64,
    asked_at: Vec<MediaTime>,
}

impl Call {
    fn on(line: Line) -> Self {
        let counts = Counts::of(&Metrics::default());
        let reel = Arc::<Reel>::default();
        let presenter = Presenter::new(reel.clone(), counts.traffic.clone(), Arc::default());
        let random = StdRng::seed_from_u64(line.seed);
        let mut call = Self {
            line,
            random,
            now: MediaTime::ZERO,
            events: BTreeMap::new(),
            number: 0,
            layer: Layer::new(0, counts.clone()),
            counts,
            reel,
            presenter,
            sent: vec![],
            keyframe_due: true,
            shown: vec![],
            showing: MediaTime::ZERO,
            lost: 0,
            requests: 0,
            keyframes: 0,
            asked_at: vec![],
        };
        call.at(MediaTime::from_millis(100), Event::Shutter);
        call.at(MediaTime::from_millis(120), Event::Draw);
        call.at(MediaTime::from_millis(100), Event::Tick);
        call
    }

    fn run(mut self) -> Self {
        while self.now < MediaTime::from_millis(MINUTES * 60_000) {
            let due = self.layer.next_deadline().map(|due| due.max(self.now));
            let next = self.events.first_key_value().map(|((at, _), _)| *at).unwrap();
            if let Some(due) = due.filter(|due| *due < next) {
                assert!(due > self.now || self.now == MediaTime::ZERO, "time stands still");
                self.now = due;
                self.serve();
                continue;
            }
            let ((at, _), event) = self.events.pop_first().unwrap();
            self.now = at;
            self.happen(event);
        }
        self
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Shutter => self.shoot(),
            Event::Draw => self.draw(),
            Event::Media(packet) => {
                self.layer.push(RtpPacket { arrival: self.now, ..packet });
                self.serve();
            }
            Event::Asked(Feedback::KeyframeNeeded { .. }) => self.keyframe_due = true,
            Event::Asked(Feedback::Resend { sequences, .. }) => sequences.into_iter().for_each(|sequence| self.resend(sequence)),
            Event::Asked(Feedback::Limit { .. }) => {}
            Event::Tick => {
                self.serve();
                self.at(self.now + Duration::from_millis(40), Event::Tick);
            }
        }
    }

    fn shoot(&mut self) {
        self.at(self.now + PERIOD, Event::Shutter);
        let keyframe = std::mem::take(&mut self.keyframe_due);
        let pieces = if keyframe { 30 } else { self.random.random_range(4..=8) };
        let mut payloads: Vec<Bytes> = vec![];
        if keyframe {
            payloads.push(Bytes::from_static(&[0x67, 0x42, 0xc0, 0x1f, 0x80]));
            payloads.push(Bytes::from_static(&[0x68, 0x80]));
        }
        let kind = if keyframe { 5 } else { 1 };
        payloads.extend((0..pieces).map(|n| fragment(kind, n == 0, n + 1 == pieces)));
        let (last, timestamp) = (payloads.len() - 1, self.now.rtp(90_000).wrapping_sub(1_000_000));
        for (n, payload) in payloads.into_iter().enumerate() {
            let (sequence, marker) = ((self.sent.len() as u16).wrapping_sub(300), n == last);
            let packet = RtpPacket { sequence, timestamp, marker, ssrc: 9, layer: 0, resent: false, payload, arrival: self.now };
            self.sent.push(packet.clone());
            self.carry(Duration::from_micros(300) * n as u32, Event::Media(packet));
        }
    }

    fn resend(&mut self, sequence: u16) {
        let found = self.sent.iter().rev().take(2000).find(|packet| packet.sequence == sequence).cloned();
        self.carry(Duration::ZERO, Event::Media(RtpPacket { resent: true, ..found.expect("only what was sent is asked for") }));
    }

    /// Over the line, or not.
    fn carry(&mut self, later: Duration, event: Event) {
        let leaves = self.now + later;
        let black = self.line.black.as_ref().is_some_and(|black| black.contains(&leaves));
        if black || self.random.random_bool(self.line.loss) {
            self.lost += u64::from(matches!(event, Event::Media(_)));
            return;
        }
        let jitter = self.line.jitter.mul_f64(self.random.random());
        if let (Event::Media(packet), true) = (&event, self.random.random_bool(self.line.copies)) {
            self.at(leaves + ONE_WAY + jitter * 2, Event::Media(packet.clone()));
        }
        self.at(leaves + ONE_WAY + jitter, event);
    }

    fn serve(&mut self) {
        while let Some(unit) = self.layer.poll(self.now) {
            self.presenter.show(Arc::new(Frame::black(16, 16)), unit.timing, unit.arrival, self.now);
        }
        while let Some(wish) = self.layer.wish(self.now, false) {
            self.counts.asked(&wish);
            match &wish {
                Feedback::Resend { sequences, .. } => self.requests += sequences.len() as u64,
                _ => {
                    self.keyframes += 1;
                    self.asked_at.push(self.now);
                }
            }
            self.carry(Duration::ZERO, Event::Asked(wish));
        }
    }

    fn draw(&mut self) {
        self.at(self.now + PERIOD, Event::Draw);
        let Some(picture) = self.reel.at(self.now) else { return };
        if picture.at != std::mem::replace(&mut self.showing, picture.at) {
            self.shown.push(self.now);
        }
    }

    fn at(&mut self, at: MediaTime, event: Event) {
        self.number += 1;
        self.events.insert((at, self.number), event);
    }

    fn fps(&self) -> f64 {
        self.shown.len() as f64 / self.now.since(self.shown[0]).as_secs_f64()
    }

    /// The part of the time that the picture stood still.
    fn frozen(&self) -> f64 {
        let mut freezes = Freezes::default();
        let frozen: Duration = self.shown.iter().filter_map(|at| freezes.note(*at, false)).sum();
        frozen.as_secs_f64() / self.now.since(self.shown[0]).as_secs_f64()
    }

    fn asks_within_bounds(&self) {
        assert!(self.requests as f64 <= 1.4 * self.lost as f64, "{self}");
        assert!(self.asked_at.windows(3).all(|asks| asks[2].since(asks[0]) >= Duration::from_secs(1)), "{self}");
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let traffic = &self.counts.traffic;
        let (recovered, late, given_up) = (traffic.recovered.get(), traffic.late.get(), traffic.lost());
        let delay = traffic.delay_ms.get().unwrap_or_default();
        write!(f, "{:.1} fps, {:.2} % frozen, {} lost, {} requests, ", self.fps(), 100.0 * self.frozen(), self.lost, self.requests)?;
        write!(f, "{recovered} recovered, {late} late, {given_up} given up, {} keyframes asked, {delay:.0} ms", self.keyframes)
    }
}

fn fragment(kind: u8, first: bool, last: bool) -> Bytes {
    let edges = if first { 0x80 } else { 0 } | if last { 0x40 } else { 0 };
    Bytes::copy_from_slice(&[0x7c, edges | kind, if first { 0x80 } else { 7 }, 7])
}
