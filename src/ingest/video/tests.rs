//! Pictures through the real codec, packetized as RFC 6184 has it, on lines that lose.

use super::*;
use crate::codec::{AccessUnit, Keyframe, VideoEncoder, VideoSettings};
use crate::ingest::pool::tests::settle;
use crate::media::{Clock, Frame, Picture};

const PERIOD: Duration = Duration::from_millis(33);
const SPS: u8 = 7;
const PPS: u8 = 8;

#[test]
fn a_moving_picture_comes_through_each_as_soon_as_its_marker_is_there() {
    let mut call = Call::new(320, 180);
    for _ in 0..30 {
        let sent = call.send(Keyframe::Auto, |_| true);
        let shown = call.shown().expect("a picture with each unit");
        assert_eq!(shown.at, call.now);
        assert!(psnr(&sent, &shown.frame) > 30.0, "{}", psnr(&sent, &shown.frame));
    }
    assert_eq!(call.requests(), 0);
}

#[test]
fn a_loss_holds_the_last_good_picture_and_asks_until_a_keyframe_comes() {
    let mut call = Call::new(320, 180);
    (0..5).for_each(|_| drop(call.send(Keyframe::Auto, |_| true)));
    let good = call.now;
    call.send(Keyframe::Auto, |n| n > 0);
    for _ in 0..45 {
        call.send(Keyframe::Auto, |_| true);
        assert_eq!(call.shown().map(|picture| picture.at), Some(good));
    }
    assert_eq!(call.requests(), 2);
    call.send(Keyframe::Force, |_| true);
    assert_eq!(call.shown().map(|picture| picture.at), Some(call.now));
    (0..40).for_each(|_| drop(call.send(Keyframe::Auto, |_| true)));
    assert_eq!((call.requests(), call.errors()), (0, 0));
}

#[test]
fn what_comes_is_counted_and_so_is_what_never_came() {
    let mut call = Call::new(320, 180);
    (0..5).for_each(|_| drop(call.send(Keyframe::Auto, |_| true)));
    let (packets, bytes) = (call.kept.len() as u64, call.kept.iter().map(|packet| packet.payload.len() as u64).sum());
    let traffic = call.intake.traffic();
    assert_eq!((traffic.packets(), traffic.bytes(), traffic.lost()), (packets, bytes, 0));
    assert_eq!((traffic.pictures(), traffic.size()), (5, (320, 180)));
    call.send(Keyframe::Auto, |n| n > 0);
    (0..20).for_each(|_| drop(call.send(Keyframe::Auto, |_| true)));
    assert_eq!((traffic.packets(), traffic.lost(), traffic.pictures()), (call.kept.len() as u64 - 1, 1, 5));
}

#[test]
fn a_retransmission_in_time_costs_no_picture_and_no_request() {
    let mut call = Call::new(320, 180);
    (0..5).for_each(|_| drop(call.send(Keyframe::Auto, |_| true)));
    let before = call.sequence;
    call.send(Keyframe::Auto, |n| n > 0);
    call.send(Keyframe::Auto, |_| true);
    let missing = call.kept.iter().find(|packet| packet.sequence == before).cloned().unwrap();
    let arrival = call.now + Duration::from_millis(20);
    call.intake.push(RtpPacket { arrival, ..missing });
    settle(&call.pool);
    // The later of the two units was complete before, but waited for the earlier.
    assert_eq!(call.shown().map(|picture| picture.at), Some(call.now));
    assert_eq!((call.requests(), call.errors()), (0, 0));
}

#[test]
fn a_sender_met_in_the_middle_is_asked_at_once() {
    let mut call = Call::new(320, 180);
    (0..3).for_each(|_| drop(call.encode(Keyframe::Auto)));
    call.send(Keyframe::Auto, |_| true);
    assert!(call.shown().is_none());
    assert_eq!(call.requests(), 1);
    call.send(Keyframe::Force, |_| true);
    assert!(call.shown().is_some());
}

#[test]
fn nobody_is_asked_before_anything_came() {
    let mut call = Call::new(320, 180);
    (0..100).for_each(|_| call.pass(PERIOD));
    assert_eq!(call.requests(), 0);
}

#[test]
fn the_size_may_change_in_the_middle() {
    let mut call = Call::new(320, 180);
    (0..3).for_each(|_| drop(call.send(Keyframe::Auto, |_| true)));
    for (width, height) in [(640, 360), (160, 90), (320, 180)] {
        call.encoder = encoder(width, height);
        (call.width, call.height) = (width, height);
        let sent = call.send(Keyframe::Auto, |_| true);
        let shown = call.shown().unwrap().frame;
        assert_eq!((shown.width(), shown.height()), (width, height));
        assert!(psnr(&sent, &shown) > 30.0);
    }
    assert_eq!((call.requests(), call.errors()), (0, 0));
}

#[test]
fn parameter_sets_from_the_offer_serve_a_stream_without_any() {
    let mut call = Call::new(320, 180);
    let (_, mut first) = call.encode(Keyframe::Force);
    let is_set = |nal: &Bytes| [SPS, PPS].contains(&(nal[0] & 0x1f));
    let sets = first.nal_units.iter().filter(|nal| is_set(nal)).cloned().collect();
    first.nal_units.retain(|nal| !is_set(nal));
    call.deliver(&first, |_| true);
    assert!(call.shown().is_none());
    call.intake.parameter_sets(sets);
    call.deliver(&first, |_| true);
    assert!(call.shown().is_some());
}

#[test]
fn the_picture_of_a_sender_that_stopped_is_forgotten_after_five_seconds_and_comes_back() {
    let mut call = Call::new(320, 180);
    call.send(Keyframe::Auto, |_| true);
    call.pass(FORGET_AFTER - Duration::from_millis(1));
    assert!(call.shown().is_some());
    call.pass(Duration::from_millis(1));
    assert!(call.shown().is_none());
    call.send(Keyframe::Auto, |_| true);
    assert!(call.shown().is_some());
}

#[test]
fn a_picture_that_stands_still_is_marked_where_something_is_missing_or_nothing_comes() {
    let mut call = Call::new(320, 180);
    call.intake.never_ask_again();
    (0..5).for_each(|_| drop(call.send(Keyframe::Auto, |_| true)));
    call.send(Keyframe::Auto, |n| n > 0);
    let mut marked = Vec::new();
    for _ in 0..60 {
        call.send(Keyframe::Auto, |_| true);
        marked.push(call.picture.is_stalled());
    }
    let after = marked.iter().position(|marked| *marked).unwrap();
    assert!((29..=32).contains(&after) && marked[after..].iter().all(|marked| *marked), "{after}");
    call.send(Keyframe::Force, |_| true);
    call.pass(Duration::from_millis(10));
    assert!(!call.picture.is_stalled());
    call.pass(Duration::from_millis(1900));
    assert!(!call.picture.is_stalled(), "a screen that stands still");
    call.pass(Duration::from_millis(100));
    assert!(call.picture.is_stalled());
    call.pass(FORGET_AFTER);
    assert!(call.shown().is_none() && !call.picture.is_stalled());
}

#[test]
fn a_missing_packet_is_asked_for_on_its_own_stream_and_counted() {
    let mut call = Call::new(320, 180);
    (0..5).for_each(|_| drop(call.send(Keyframe::Auto, |_| true)));
    let missing = call.sequence;
    call.send(Keyframe::Auto, |n| n > 0);
    call.send(Keyframe::Auto, |_| true);
    let due = call.intake.next_deadline().expect("something is missing");
    assert!(due <= call.now + Duration::from_millis(10));
    call.intake.advance(due);
    assert_eq!(call.feedback.try_recv(), Ok(Feedback::Resend { layer: 0, sequences: vec![missing] }));
    assert_eq!(call.intake.traffic().requested.get(), 1);
    assert!(call.metrics.text().contains("medley_retransmissions_requested_total{media=\"Video\"} 1"));
}

#[test]
fn what_the_decoder_refuses_is_counted_and_asked_for_again_at_most_twice_a_second() {
    let mut call = Call::new(320, 180);
    let (_, keyframe) = call.encode(Keyframe::Force);
    let damaged: Vec<_> = keyframe.nal_units.iter().map(|nal| if nal[0] & 0x1f == 5 { cut(nal) } else { nal.clone() }).collect();
    call.deliver(&AccessUnit { nal_units: damaged, keyframe: true }, |_| true);
    (0..60).for_each(|_| drop(call.send(Keyframe::Auto, |_| true)));
    assert!(call.errors() >= 1);
    assert!((2..=4).contains(&call.requests()));
    call.send(Keyframe::Force, |_| true);
    assert_eq!(call.shown().map(|picture| picture.at), Some(call.now));
}

#[test]
fn whom_nobody_sees_is_overheard_without_a_decode_and_shown_again_with_a_keyframe() {
    let mut call = Call::new(320, 180);
    (0..5).for_each(|_| drop(call.send(Keyframe::Auto, |_| true)));
    let (ear, mut heard) = crate::ingest::ear();
    call.intake.wire().plug(crate::media::ParticipantId(1), &ear);
    call.intake.demand().set(Need::Unseen);
    call.pass(PERIOD);
    assert_eq!(call.requests(), 1, "whoever begins to listen needs a keyframe");
    let decoded = call.intake.traffic().pictures();
    (0..60).for_each(|n| drop(call.send(if n == 2 { Keyframe::Force } else { Keyframe::Auto }, |_| true)));
    assert_eq!((call.intake.traffic().pictures(), call.requests()), (decoded, 0));
    assert_eq!(std::iter::from_fn(|| heard.take()).count(), 60);
    call.intake.demand().set(Need::Seen { width: 320, height: 180 });
    call.send(Keyframe::Auto, |_| true);
    assert_eq!((call.intake.traffic().pictures(), call.requests()), (decoded, 1));
    call.send(Keyframe::Force, |_| true);
    assert_eq!(call.shown().map(|picture| picture.at), Some(call.now));
    assert_eq!((std::iter::from_fn(|| heard.take()).count(), call.errors()), (2, 0));
    drop(heard);
    call.intake.demand().set(Need::Unseen);
    (0..10).for_each(|_| drop(call.send(Keyframe::Auto, |_| true)));
    assert!(call.intake.layers.is_paused(), "where nobody listens, nothing is received");
}

#[test]
fn a_picture_that_was_missing_for_a_moment_is_overheard_too() {
    let mut call = Call::new(320, 180);
    let (ear, mut heard) = crate::ingest::ear();
    call.intake.wire().plug(crate::media::ParticipantId(1), &ear);
    (0..3).for_each(|_| drop(call.send(Keyframe::Auto, |_| true)));
    let before = call.sequence;
    call.send(Keyframe::Auto, |n| n > 0);
    let missing = call.kept.iter().find(|packet| packet.sequence == before).cloned().unwrap();
    call.intake.push(RtpPacket { arrival: call.now + Duration::from_millis(20), resent: true, ..missing });
    let overheard: Vec<_> = std::iter::from_fn(|| heard.take()).collect();
    assert_eq!((overheard.len(), overheard[3].arrival), (4, call.now + Duration::from_millis(20)));
}

/// A sender, the line, and the intake under test.
struct Call {
    pool: Arc<Pool>,
    metrics: Metrics,
    intake: VideoIntake,
    picture: Arc<Reel>,
    feedback: mpsc::Receiver<Feedback>,
    encoder: h264::Encoder,
    width: u32,
    height: u32,
    number: u32,
    sequence: u16,
    now: MediaTime,
    /// Every packet, lost or not.
    kept: Vec<RtpPacket>,
}

impl Call {
    fn new(width: u32, height: u32) -> Self {
        let metrics = Metrics::default();
        let pool = Pool::start(1, Clock::new(), metrics.clone());
        let (intake, picture, feedback) = VideoIntake::open(&pool, metrics.clone(), Arc::default());
        let (encoder, now) = (encoder(width, height), MediaTime::from_millis(1000));
        Self { pool, metrics, intake, picture, feedback, encoder, width, height, number: 0, sequence: 65_500, now, kept: vec![] }
    }

    /// Encodes the next picture and delivers those of its packets that `arrives` lets through.
    fn send(&mut self, keyframe: Keyframe, arrives: impl Fn(usize) -> bool) -> Frame {
        let (frame, unit) = self.encode(keyframe);
        self.deliver(&unit, arrives);
        frame
    }

    fn encode(&mut self, keyframe: Keyframe) -> (Frame, AccessUnit) {
        self.number += 1;
        let frame = moving(self.width, self.height, self.number);
        let unit = self.encoder.encode(&frame, self.now, keyframe).unwrap().expect("no picture is skipped at this rate");
        (frame, unit)
    }

    fn deliver(&mut self, unit: &AccessUnit, arrives: impl Fn(usize) -> bool) {
        self.pass(PERIOD);
        let payloads = packetize(&unit.nal_units);
        let count = payloads.len();
        for (n, payload) in payloads.into_iter().enumerate() {
            let packet = RtpPacket {
                sequence: self.sequence,
                timestamp: self.now.rtp(90_000),
                marker: n + 1 == count,
                ssrc: 3,
                layer: 0,
                resent: false,
                payload,
                arrival: self.now,
            };
            self.sequence = self.sequence.wrapping_add(1);
            self.kept.push(packet.clone());
            if arrives(n) {
                self.intake.push(packet);
            }
        }
        settle(&self.pool);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.intake.advance(self.now);
    }

    fn shown(&self) -> Option<Picture> {
        self.picture.at(self.now + Duration::from_millis(40))
    }

    fn requests(&mut self) -> usize {
        let asks = std::iter::from_fn(|| self.feedback.try_recv().ok());
        asks.filter(|feedback| matches!(feedback, Feedback::KeyframeNeeded { .. })).count()
    }

    fn errors(&self) -> u64 {
        self.metrics.decode_errors.get()
    }
}

fn encoder(width: u32, height: u32) -> h264::Encoder {
    h264::Encoder::new(VideoSettings { width, height, fps: 30, bitrate_bps: 2_000_000 }).unwrap()
}

/// Payloads of at most 500 bytes: parameter sets in a STAP-A, what is longer in FU-As.
fn packetize(nal_units: &[Bytes]) -> Vec<Bytes> {
    let (sets, slices): (Vec<_>, Vec<_>) = nal_units.iter().partition(|nal| [SPS, PPS].contains(&(nal[0] & 0x1f)));
    let sized = |nal: &&Bytes| [&(nal.len() as u16).to_be_bytes()[..], nal].concat();
    let aggregate: Vec<u8> = std::iter::once(0x78).chain(sets.iter().flat_map(sized)).collect();
    let mut payloads: Vec<Bytes> = if sets.is_empty() { vec![] } else { vec![aggregate.into()] };
    slices.into_iter().for_each(|nal| payloads.extend(fragments(nal)));
    payloads
}

fn fragments(nal: &Bytes) -> Vec<Bytes> {
    if nal.len() <= 500 {
        return vec![nal.clone()];
    }
    let pieces: Vec<_> = nal[1..].chunks(498).collect();
    let last = pieces.len() - 1;
    let fragment = |(n, piece): (usize, &&[u8])| {
        let edges = if n == 0 { 0x80 } else { 0 } | if n == last { 0x40 } else { 0 };
        [&[nal[0] & 0xe0 | 28, edges | nal[0] & 0x1f], *piece].concat().into()
    };
    pieces.iter().enumerate().map(fragment).collect()
}

/// The first third of a slice, which no decoder can make a picture of.
fn cut(nal: &Bytes) -> Bytes {
    nal.slice(..nal.len() / 3)
}

/// Slanted stripes that move by four pixels a picture.
fn moving(width: u32, height: u32, number: u32) -> Frame {
    let mut frame = Frame::filled(width, height, [0, 110, 140]);
    let [luma, ..] = frame.planes_mut();
    for (at, sample) in luma.iter_mut().enumerate() {
        let (x, y) = (at as u32 % width, at as u32 / width);
        *sample = 40 + ((x + y + 4 * number) % 128).abs_diff(64) as u8 * 2;
    }
    frame
}

fn psnr(a: &Frame, b: &Frame) -> f64 {
    let squares = a.planes()[0].iter().zip(b.planes()[0]).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    let mean = squares.sum::<f64>() / f64::from(a.width() * a.height());
    10.0 * (255.0 * 255.0 / mean.max(1e-3)).log10()
}
