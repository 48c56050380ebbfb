//! The judges behind the real codecs: what a sender and a mixing server do to marks and tones before they are judged.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::codec::h264::{Decoder, Encoder};
use crate::codec::opus::{AudioDecoder, AudioEncoder, Prediction};
use crate::codec::{Keyframe, VideoDecoder, VideoEncoder, VideoSettings};
use crate::media::{Block, Frame, MediaTime};

use super::super::files::annex_b;
use super::super::picture::{Painter, Sketch};
use super::super::sound::{Tone, Voice};
use super::super::wall::{Epoch, Wall};
use super::{BotReport, Evidence, Examiner, Hearing, Scrutiny, Sight, Witness};

const START_US: u64 = 1_700_000_000_377_000;

struct Line {
    encoder: Encoder,
    decoder: Decoder,
}

impl Line {
    fn new(width: u32, height: u32, bitrate_bps: u32) -> Self {
        let settings = VideoSettings { width, height, fps: 30, bitrate_bps };
        Self { encoder: Encoder::new(settings).unwrap(), decoder: Decoder::new() }
    }

    fn pass(&mut self, frame: &Frame, at: MediaTime) -> Arc<Frame> {
        let unit = self.encoder.encode(frame, at, Keyframe::Auto).unwrap().unwrap();
        self.decoder.decode(&annex_b(unit.nal_units.iter().map(|nal| &nal[..]))).unwrap().unwrap()
    }
}

/// Puts `frame` into `canvas` at `(left, top)`, area-averaged to `width × height`.
fn place(canvas: &mut Frame, frame: &Frame, (left, top): (u32, u32), (width, height): (u32, u32)) {
    let (from_width, from_height, to_width) = (frame.width(), frame.height(), canvas.width());
    let source = frame.planes()[0];
    let luma = &mut canvas.planes_mut()[0];
    for y in 0..height {
        for x in 0..width {
            let points = (0..9).map(|n| ((3 * x + n % 3) * from_width / (3 * width), (3 * y + n / 3) * from_height / (3 * height)));
            let sum: u32 = points.map(|(x, y)| u32::from(source[(y * from_width + x) as usize])).sum();
            luma[((top + y) * to_width + left + x) as usize] = (sum / 9) as u8;
        }
    }
}

/// Passes pictures of `side × side` senders through their own encoders, a grid and the server's encoder at `bitrate_bps`.
fn grid_through_codecs(side: u32, bitrate_bps: u32) -> Sight {
    let (width, height) = ((1280 / side) & !1, (720 / side) & !1);
    let mut senders: Vec<_> = (1..=side * side).map(|n| (Painter::new(n as u16, 640, 360), Line::new(640, 360, 500_000))).collect();
    let mut server = Line::new(1280, 720, bitrate_bps);
    let mut sight = Sight::new(Sketch::of(640, 360));
    let mut canvas = Frame::filled(1280, 720, [22, 128, 130]);
    for n in 0..12 {
        let at = MediaTime::from_millis(n * 33);
        let wall = |ms| Wall::from_micros(START_US + (n * 33 + ms) * 1000);
        for (index, (painter, line)) in senders.iter_mut().enumerate() {
            let frame = line.pass(painter.draw(at, wall(0)), at);
            place(&mut canvas, &frame, (index as u32 % side * width, index as u32 / side * height), (width, height));
        }
        sight.see(&server.pass(&canvas, at), at, wall(44), Duration::ZERO);
    }
    sight
}

#[test]
fn nine_tiles_read_after_two_encoders() {
    let report = grid_through_codecs(3, 2_500_000).report(MediaTime::from_millis(11 * 33));
    assert_eq!(report.keys().copied().collect::<Vec<_>>(), (1..=9).collect::<Vec<_>>());
    for (number, tile) in report {
        assert!(tile.seen_ratio > 0.95, "{number}: {tile:?}");
        assert!((tile.delay_ms.unwrap().max - 44.0).abs() <= 1.0, "{number}: {tile:?}");
        assert!(tile.width.abs_diff(426) <= 4 && tile.height.abs_diff(240) <= 4, "{number}: {tile:?}");
    }
}

#[test]
fn twenty_five_tiles_read_at_a_low_bitrate() {
    let report = grid_through_codecs(5, 900_000).report(MediaTime::from_millis(11 * 33));
    assert_eq!(report.len(), 25);
    let seen = report.values().map(|tile| tile.seen_ratio).sum::<f64>() / 25.0;
    assert!(seen > 0.9, "{seen}");
    assert!(report.values().all(|tile| tile.delay_ms.unwrap().max < 44.0 + 70.0));
}

struct SoundLine {
    encoder: AudioEncoder,
    decoder: AudioDecoder,
}

impl SoundLine {
    fn new() -> Self {
        Self { encoder: AudioEncoder::new().unwrap(), decoder: AudioDecoder::new().unwrap() }
    }

    fn pass(&mut self, block: &Block) -> Block {
        let mut heard = Block::SILENCE;
        let packet = self.encoder.encode(block, Prediction::Allowed).unwrap();
        assert_eq!(self.decoder.decode(&packet, &mut heard.0).unwrap(), heard.0.len());
        heard
    }
}

/// Eight seconds of these talkers through their encoders, a sum and the server's encoder, heard 60 ms after it was said.
fn mix_through_codecs(numbers: &[u16]) -> Hearing {
    mix_at(&numbers.iter().map(|&number| (number, 1.0)).collect::<Vec<_>>())
}

/// The same with a gain for each talker, which the server applies.
fn mix_at(gains: &[(u16, f32)]) -> Hearing {
    let mut talkers: Vec<_> = gains.iter().map(|&(number, gain)| (Voice::new(number), SoundLine::new(), gain)).collect();
    let mut server = SoundLine::new();
    let mut hearing = Hearing::default();
    for n in 0..400 {
        let wall = |ms| Wall::from_micros(START_US + (n * 20 + ms) * 1000);
        let mut mix = Block::SILENCE;
        for (voice, line, gain) in &mut talkers {
            let heard = line.pass(&voice.speak(wall(0)));
            mix.0.iter_mut().zip(heard.0).for_each(|(sum, sample)| *sum += sample * *gain);
        }
        hearing.hear(&server.pass(&mix).0, n * 960, wall(60));
        if n == 50 {
            hearing.begin();
        }
    }
    hearing
}

#[test]
fn eight_tones_read_after_two_encoders_and_the_ninth_is_not_there() {
    let others: Vec<u16> = (1..=9).filter(|&number| number != 4).collect();
    let hearing = mix_through_codecs(&others);
    let report = hearing.report();
    for &number in &others {
        let tone = &report[&number];
        // Opus as speech takes up to 2 dB from a tone among eight; what the judge itself may add is tested without it.
        assert!((tone.level_db + 20.0).abs() < 3.0, "tone {number}: {} dB", tone.level_db);
        // Each encoder looks 6.5 ms ahead (RFC 6716 §2.1.4 and libopus).
        let delay = tone.delay_ms.unwrap();
        assert!(delay.samples >= 6 && (delay.p50 - 73.0).abs() < 3.0, "tone {number}: {delay:?}");
        assert_eq!(report[&number].slips, 0, "tone {number}");
    }
    let own = hearing.level_db(Tone::of(4)).unwrap();
    assert!(own + 20.0 < -40.0, "{own} dB");
}

#[test]
fn among_three_others_a_tone_that_is_not_there_is_50_db_below_and_a_leak_shows() {
    let hearing = mix_through_codecs(&[1, 2, 3]);
    let own = hearing.level_db(Tone::of(4)).unwrap();
    assert!(own + 20.0 < -50.0, "{own} dB");
    let leaking = mix_at(&[(1, 1.0), (2, 1.0), (3, 1.0), (4, 0.01)]).level_db(Tone::of(4)).unwrap();
    assert!((leaking + 60.0).abs() < 3.0, "{leaking} dB");
}

#[test]
fn after_an_interruption_the_examiner_asks_for_a_keyframe_and_waits() {
    let asked = Mutex::new(0);
    let witness = Arc::new(Witness::new(Epoch::new(), Scrutiny::Full, Sketch::of(640, 360)));
    let mut examiner = Examiner::new(witness.clone(), || *asked.lock() += 1).unwrap();
    let mut painter = Painter::new(1, 640, 360);
    let mut encoder = Line::new(640, 360, 500_000).encoder;
    for n in 0..12u64 {
        let at = witness.epoch().now();
        let force = if n == 9 { Keyframe::Force } else { Keyframe::Auto };
        let unit = encoder.encode(painter.draw(at, witness.epoch().wall(at)), at, force).unwrap().unwrap();
        let annex_b = annex_b(unit.nal_units.iter().map(|nal| &nal[..])).into();
        if n != 6 {
            examiner.examine(Evidence::Picture { annex_b, keyframe: unit.keyframe, interrupted: n == 7, timestamp: at.rtp(90_000), at });
        }
    }
    // Pictures 7 and 8 cannot be decoded; 9 can.
    assert_eq!(*asked.lock(), 2);
    assert!(witness.epoch().now() > MediaTime::ZERO);
}

#[test]
fn a_lost_sound_packet_is_recovered_and_harms_no_figure() {
    let witness =
        Arc::new(Witness::new(Epoch::beginning_at(Wall::from_micros(1_700_000_000_000_000)), Scrutiny::Full, Sketch::of(640, 360)));
    // Tone 1 pauses as each second begins; packets are lost at 260 and 760 ms.
    let mut examiner = Examiner::new(witness.clone(), || {}).unwrap();
    let mut voice = Voice::new(1);
    let mut encoder = AudioEncoder::new().unwrap();
    for n in 0..150u64 {
        let at = MediaTime::from_millis(n * 20);
        let packet = encoder.encode(&voice.speak(witness.epoch().wall(at)), Prediction::Allowed).unwrap();
        if n % 25 != 13 {
            examiner.examine(Evidence::Sound { packet: packet[..].into(), timestamp: 7 + n as u32 * 960, at });
        }
    }
    let mut report = BotReport { number: 1, ..BotReport::default() };
    witness.report(&mut report, MediaTime::ZERO);
    assert_eq!(report.sound.recovered_ms + report.sound.concealed_ms, 6.0 * 20.0);
    assert!(report.sound.recovered_ms >= 3.0 * 20.0, "{:?}", report.sound);
    assert_eq!(report.sound.heard_ms, 150.0 * 20.0);
    assert!((report.tones[&1].level_db + 20.0).abs() < 1.0, "{:?}", report.tones);
    let delay = report.tones[&1].delay_ms.unwrap();
    assert!(delay.samples >= 2 && delay.max < 12.0, "{delay:?}");
}
