//! Sound through the real codec: whole, lost, stopped, muted and hostile.

use std::f32::consts::TAU;
use std::time::Duration;

use bytes::Bytes;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;
use crate::codec::opus::{AudioEncoder, Prediction, has_fec};

#[test]
fn a_tone_on_a_clean_line_comes_out_whole() {
    let heard = Line::new(tones(200)).pulled(200);
    assert!(heard.kinds[1..195].iter().all(|kind| *kind == Heard::Decoded));
    let level = rms(&heard.samples[48_000..144_000]);
    assert!((level - 0.25 / 2f32.sqrt()).abs() < 0.01, "{level}");
    assert!(heard.steepest() < 1.5 * STEEPEST, "{}", heard.steepest());
}

#[test]
fn a_single_lost_packet_of_a_voice_is_recovered() {
    let packets = voice(300);
    let lost = (150..299).find(|n| has_fec(&packets[n + 1])).expect("a voice is protected");
    let heard = Line::new(packets).without(lost..lost + 1).pulled(300);
    assert_eq!((heard.count(Heard::Recovered), heard.count(Heard::Concealed)), (1, 1));
    assert!(heard.metric("medley_blocks_recovered_total 1") && heard.metric("medley_blocks_concealed_total 1"));
    assert!(heard.metric("medley_packets_lost_total{media=\"Audio\"} 1"));
    assert_eq!((heard.traffic.packets(), heard.traffic.lost()), (299, 1));
    assert_eq!((heard.traffic.blocks_recovered.get(), heard.traffic.blocks_concealed.get()), (1, 1));
    assert!((295..=300).contains(&heard.traffic.blocks.get()));
    assert!(heard.traffic.jitter_ms.get().is_some_and(|jitter| jitter < 0.1));
    assert!(heard.traffic.delay_ms.get().is_some_and(|delay| (14.0..40.0).contains(&delay)));
    assert!(heard.metric("medley_sound_delay_seconds_count 6"));
}

#[test]
fn at_five_percent_loss_nearly_all_of_a_voice_is_recovered() {
    let packets = voice(1000);
    let protected = (20..999).step_by(20).filter(|n| has_fec(&packets[n + 1])).count();
    let heard = (20..999).step_by(20).fold(Line::new(packets), |line, n| line.without(n..n + 1)).pulled(1000);
    assert!(protected > 20);
    assert_eq!(heard.count(Heard::Recovered), protected);
    assert!(heard.count(Heard::Concealed) <= 49 - protected + 2, "{}", heard.count(Heard::Concealed));
}

#[test]
fn a_lost_packet_makes_no_click() {
    let heard = Line::new(tones(200)).without(100..101).without(150..152).pulled(200);
    assert!(heard.steepest() < 3.0 * STEEPEST, "{} against {STEEPEST}", heard.steepest());
}

#[test]
fn a_sender_that_vanishes_fades_out_and_is_idle() {
    let heard = Line::new(tones(200)).without(100..200).pulled(200);
    assert_eq!(heard.count(Heard::Concealed), MAX_CONCEALED as usize);
    assert!(heard.kinds[112..].iter().all(|kind| *kind == Heard::Idle));
    assert!(heard.samples[112 * BLOCK_SAMPLES..].iter().all(|sample| *sample == 0.0));
    assert!(heard.steepest() < 2.0 * STEEPEST, "{}", heard.steepest());
}

#[test]
fn a_sender_in_dtx_goes_silent_without_a_click_and_comes_back() {
    let mut packets = tones(300);
    // A packet of its header alone holds no sound (RFC 6716 §3.2.1, §2.1.9).
    packets[100].truncate(1);
    let heard = Line::new(packets).unsent(101..200).pulled(295);
    assert_eq!(heard.count(Heard::Concealed), 0);
    assert!(heard.kinds[103..198].iter().all(|kind| *kind == Heard::Idle));
    assert!(heard.kinds[203..].iter().all(|kind| *kind == Heard::Decoded));
    assert!(heard.steepest() < 2.0 * STEEPEST, "{}", heard.steepest());
}

#[test]
fn a_muted_microphone_is_idle() {
    let mut encoder = AudioEncoder::new().unwrap();
    let packets = (0..100).map(|_| encoder.encode(&Block::SILENCE, Prediction::Allowed).unwrap()).collect();
    let heard = Line::new(packets).pulled(100);
    assert_eq!(heard.count(Heard::Idle), 100);
}

#[test]
fn less_lag_is_come_to_without_a_click() {
    // The first 300 packets come up to 80 ms late, the others at once: the lag has to shrink while the tone goes on to 880.
    let mut line = Line::new(encoded(900, |t| if t < 17.6 { AMPLITUDE * (TAU * HERTZ * t).sin() } else { 0.0 }));
    line.packets.iter_mut().enumerate().take(300).for_each(|(n, p)| p.arrival += Duration::from_millis(n as u64 * 37 % 80));
    let heard = line.pulled(900);
    let end = |block: &[f32]| rms(block) > 0.05;
    let ends = |samples: &[f32]| samples.chunks(BLOCK_SAMPLES).rposition(end);
    assert_eq!(ends(&heard.samples), Some(880));
    assert!(heard.kinds[320..880].iter().all(|kind| *kind == Heard::Decoded));
    let calm = &heard.samples[320 * BLOCK_SAMPLES..870 * BLOCK_SAMPLES];
    assert!(steepest(calm) < 1.2 * STEEPEST, "{}", steepest(calm));
}

#[test]
fn it_is_told_how_much_later_than_the_senders_wall_clock_sound_is_heard() {
    let line = Line::new(tones(100)).reporting();
    let sync = line.sync.clone();
    line.pulled(100);
    // Each packet's first sample is heard 20 ms after it was made.
    assert_eq!(sync.sound(), Some(20_000_000 - 1_000_000_000_000));
    let line = Line::new(tones(100)).reporting().without(20..100);
    let sync = line.sync.clone();
    line.pulled(100);
    assert_eq!(sync.sound(), None, "of one who is silent nothing is heard");
}

#[test]
fn sound_waits_for_a_picture_that_comes_much_later() {
    let tones = tones(250);
    let line = Line::new(tones.iter().cycle().take(1500).cloned().collect()).reporting();
    let sync = line.sync.clone();
    let picture = 170_000_000 - 1_000_000_000_000;
    sync.show(Some(picture));
    let heard = line.pulled(1490);
    let skew = sync.skew_ms().unwrap();
    assert!((-10.0..60.0).contains(&skew), "{skew} ms");
    assert!(heard.kinds[2..].iter().all(|kind| *kind == Heard::Decoded));
    assert!(heard.steepest() < 1.5 * STEEPEST, "{}", heard.steepest());
}

#[test]
fn nothing_is_heard_of_a_sender_that_has_sent_nothing() {
    let (_intake, mut sound) = AudioIntake::open(Metrics::default(), Arc::default());
    let mut block = Block([1.0; BLOCK_SAMPLES]);
    assert_eq!(sound.pull(MediaTime::from_millis(20), &mut block), Heard::Idle);
    assert_eq!(block, Block::SILENCE);
}

#[test]
fn a_hundred_thousand_hostile_packets_give_finite_sound() {
    let mut random = StdRng::seed_from_u64(3);
    let (mut intake, mut sound) = AudioIntake::open(Metrics::default(), Arc::default());
    let (mut now, mut block) = (MediaTime::ZERO, Block::SILENCE);
    let real = voice(50);
    for n in 0..100_000u64 {
        let mut payload: Vec<u8> = (0..random.random_range(0..40)).map(|_| random.random()).collect();
        if random.random_ratio(1, 4) {
            payload = real[n as usize % real.len()].to_vec();
            payload.truncate(random.random_range(0..=payload.len()));
        }
        let stray = random.random_ratio(1, 40);
        intake.push(RtpPacket {
            sequence: if stray { random.random() } else { n as u16 },
            timestamp: if stray { random.random() } else { n as u32 * 960 },
            ssrc: u32::from(random.random_ratio(1, 300)),
            layer: 0,
            resent: false,
            marker: false,
            payload: payload.into(),
            arrival: now,
        });
        if random.random_ratio(1, 2) {
            now += Duration::from_millis(20);
            sound.pull(now, &mut block);
            assert!(block.0.iter().all(|sample| sample.is_finite()));
        }
    }
}

/// A packet each 20 ms from 5 ms on; ticks come at whole 20 ms.
struct Line {
    packets: Vec<RtpPacket>,
    sync: Arc<LipSync>,
    report: Option<SenderReport>,
}

#[derive(Default)]
struct Recording {
    kinds: Vec<Heard>,
    samples: Vec<f32>,
    text: String,
    traffic: Arc<Traffic>,
}

impl Line {
    fn new(payloads: Vec<Bytes>) -> Self {
        let packet = |(n, payload): (usize, Bytes)| RtpPacket {
            sequence: (n as u16).wrapping_sub(20),
            timestamp: (n as u32 * 960).wrapping_sub(48_000),
            ssrc: 5,
            layer: 0,
            resent: false,
            marker: false,
            payload,
            arrival: MediaTime::from_millis(5 + 20 * n as u64),
        };
        Self { packets: payloads.into_iter().enumerate().map(packet).collect(), sync: Arc::default(), report: None }
    }

    /// The sender says that its first packet was made when its wall clock stood at a thousand seconds.
    fn reporting(mut self) -> Self {
        let rtp = self.packets[0].timestamp;
        self.report = Some(SenderReport { ssrc: 5, ntp: 1000 << 32, rtp, arrival: MediaTime::ZERO });
        self
    }

    fn without(mut self, lost: std::ops::Range<usize>) -> Self {
        let numbers: Vec<u16> = lost.map(|n| (n as u16).wrapping_sub(20)).collect();
        self.packets.retain(|packet| !numbers.contains(&packet.sequence));
        self
    }

    /// The sender pauses: the sequence goes on where it left off, the timestamp does not.
    fn unsent(mut self, pause: std::ops::Range<usize>) -> Self {
        let length = pause.len() as u16;
        self.packets.drain(pause.clone());
        self.packets[pause.start..].iter_mut().for_each(|packet| packet.sequence = packet.sequence.wrapping_sub(length));
        self
    }

    fn pulled(mut self, ticks: u64) -> Recording {
        self.packets.sort_by_key(|packet| packet.arrival);
        let metrics = Metrics::default();
        let (mut intake, mut sound) = AudioIntake::open(metrics.clone(), self.sync);
        self.report.into_iter().for_each(|report| intake.note_report(report));
        let mut recording = Recording::default();
        let mut packets = self.packets.into_iter().peekable();
        let mut block = Block::SILENCE;
        for tick in 1..=ticks {
            let now = MediaTime::from_millis(20 * tick);
            while let Some(packet) = packets.next_if(|packet| packet.arrival <= now) {
                intake.push(packet);
            }
            recording.kinds.push(sound.pull(now, &mut block));
            recording.samples.extend_from_slice(&block.0);
        }
        recording.text = metrics.text();
        recording.traffic = intake.traffic();
        recording
    }
}

impl Recording {
    fn count(&self, kind: Heard) -> usize {
        self.kinds.iter().filter(|k| **k == kind).count()
    }

    fn metric(&self, line: &str) -> bool {
        self.text.lines().any(|l| l == line)
    }

    fn steepest(&self) -> f32 {
        steepest(&self.samples)
    }
}

/// Of the test tone.
const AMPLITUDE: f32 = 0.25;
const HERTZ: f32 = 300.0;
/// The tone's own steepest rise from a sample to the next.
const STEEPEST: f32 = AMPLITUDE * TAU * HERTZ / 48_000.0;

fn steepest(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt()
}

fn tones(count: usize) -> Vec<Bytes> {
    encoded(count, |t| AMPLITUDE * (TAU * HERTZ * t).sin())
}

/// Harmonics of 140 Hz that swell four times a second: the encoder takes it for a voice and protects it.
fn voice(count: usize) -> Vec<Bytes> {
    let harmonics = |t: f32| (1..12).map(|h| (TAU * 140.0 * h as f32 * t).sin() / (1 + h) as f32).sum::<f32>();
    encoded(count, |t| 0.5 * harmonics(t) * (TAU * 2.0 * t).sin().powi(2))
}

fn encoded(count: usize, wave: impl Fn(f32) -> f32) -> Vec<Bytes> {
    let mut encoder = AudioEncoder::new().unwrap();
    let block = |n: usize| Block(std::array::from_fn(|i| wave((n * BLOCK_SAMPLES + i) as f32 / 48_000.0)));
    (0..count).map(|n| encoder.encode(&block(n), Prediction::Allowed).unwrap()).collect()
}
