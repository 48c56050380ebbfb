//! Where a peer puts a sender's sound packets, and the sound that the room's driver pulls from them.
//!
//! In: RTP packets on the peer's task. Out: 20 ms blocks on the driver's thread. The lock between the two is held for
//! the jitter buffer's own work only, never while decoding.
//! Never: a wait, or a click where sound begins, ends or is made up (each is faded).

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;

use super::LipSync;
use super::glide::Glide;
use super::jitter::{JitterBuffer, MAX_CONCEALED, Step};
use super::pace::Piece;
use super::stretch;
use super::wall::wall_nanos;
use super::wire::Wire;
use crate::codec::opus::{AudioDecoder, MAX_PACKET_SAMPLES};
use crate::media::{BLOCK_SAMPLES, Block, Clock, Heard, MediaTime, RtpPacket, SAMPLE_RATE, SenderReport, SoundSource, Traffic};
use crate::metrics::{ByMedia, Media, Metrics};

mod counts;
#[cfg(test)]
mod tests;

use counts::Counts;

/// Sound begins within 5 ms.
const FADE_IN: usize = 240;
/// Concealments in a row at full level; from there to [`MAX_CONCEALED`] they fade out.
const CONCEALED_IN_FULL: u32 = 3;
/// Below −50 dBFS nobody hears a block more or less.
const QUIET: f32 = 0.003;
/// Below −80 dBFS nothing is being sent: a muted microphone.
const MUTED: f32 = 1e-4;
/// Packets looked at for a block: two blocks of the shortest there are, and as many that cannot be decoded.
const MAX_STEPS: usize = 32;

/// Where a peer puts a sender's sound packets.
pub struct AudioIntake {
    buffer: Arc<Mutex<JitterBuffer>>,
    traffic: Arc<Traffic>,
    received: Counter,
    received_bytes: Counter,
    wire: Arc<Wire>,
    /// For the wire: when what it hears was captured.
    report: Option<SenderReport>,
}

impl AudioIntake {
    /// An intake, and the sound that the room's driver pulls from it.
    pub fn open(metrics: Metrics, sync: Arc<LipSync>) -> (Self, Box<dyn SoundSource>) {
        let buffer = Arc::<Mutex<JitterBuffer>>::default();
        let (traffic, by_audio) = (Arc::<Traffic>::default(), ByMedia { media: Media::Audio });
        let received = metrics.packets_received.get_or_create(&by_audio).clone();
        let received_bytes = metrics.bytes_received.get_or_create(&by_audio).clone();
        let sound = Sound {
            buffer: buffer.clone(),
            decoder: AudioDecoder::new().expect("libopus refuses a decoder for want of memory only"),
            decoded: Box::new([0.0; MAX_PACKET_SAMPLES]),
            ready: Vec::with_capacity(2 * BLOCK_SAMPLES + MAX_PACKET_SAMPLES),
            glide: Glide::new(),
            gain: 0.0,
            quiet: true,
            counts: Counts::of(&metrics, traffic.clone()),
            sync,
            stopwatch: Clock::new(),
            metrics,
        };
        (Self { buffer, traffic, received, received_bytes, wire: Arc::default(), report: None }, Box::new(sound))
    }

    /// What comes, counted.
    pub fn traffic(&self) -> Arc<Traffic> {
        self.traffic.clone()
    }

    /// What comes, for whoever overhears it.
    pub fn wire(&self) -> Arc<Wire> {
        self.wire.clone()
    }

    /// Takes what the sender says of the stream's clock.
    pub fn note_report(&mut self, report: SenderReport) {
        self.report = (report.ntp != 0).then_some(report);
        self.buffer.lock().note_report(report);
    }

    /// Takes one packet, in whatever order and however often it comes.
    pub fn push(&mut self, packet: RtpPacket) {
        if packet.resent {
            self.traffic.count_repeated(packet.payload.len());
        } else {
            self.received.inc();
            self.traffic.count_packet(packet.payload.len());
        }
        self.received_bytes.inc_by(packet.payload.len() as u64);
        let report = self.report.filter(|report| report.ssrc == packet.ssrc);
        self.wire.sound(&packet, |timestamp| wall_nanos(&report?, timestamp, SAMPLE_RATE));
        self.buffer.lock().push(packet);
    }
}

impl fmt::Debug for AudioIntake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AudioIntake")
    }
}

/// One sender's decoded sound.
struct Sound {
    buffer: Arc<Mutex<JitterBuffer>>,
    decoder: AudioDecoder,
    decoded: Box<[f32; MAX_PACKET_SAMPLES]>,
    /// Samples that are due next.
    ready: Vec<f32>,
    glide: Glide,
    /// What the last of them was scaled by.
    gain: f32,
    /// The last block was.
    quiet: bool,
    counts: Counts,
    sync: Arc<LipSync>,
    /// Measures how long decoding takes, and nothing else.
    stopwatch: Clock,
    metrics: Metrics,
}

impl SoundSource for Sound {
    fn pull(&mut self, now: MediaTime, into: &mut Block) -> Heard {
        let began = self.stopwatch.now();
        let (piece, ppm) = self.advice(now);
        let needed = self.glide.set(ppm);
        let more = if let Piece::Cut(most, _) = piece { most } else { 0 };
        let heard = self.fill(now, needed + more);
        match piece {
            Piece::Cut(most, manner) if heard == Heard::Decoded => drop(stretch::shorten(&mut self.ready, most, manner)),
            Piece::Insert(most, manner) if heard == Heard::Decoded => drop(stretch::lengthen(&mut self.ready, most, manner)),
            _ => {}
        }
        self.glide.play(&mut self.ready, &mut into.0, ppm);
        if heard != Heard::Idle {
            self.metrics.observe_decode(Media::Audio, self.stopwatch.now().since(began));
        }
        self.tell(now, heard);
        let level = into.rms();
        self.quiet = level < QUIET;
        if heard == Heard::Decoded && level < MUTED { Heard::Idle } else { heard }
    }
}

impl Sound {
    /// What this tick does to come to another delay, and the speed in millionths.
    fn advice(&self, now: MediaTime) -> (Piece, i32) {
        let mut buffer = self.buffer.lock();
        (buffer.advise(now, self.ready.len(), self.quiet, self.sync.skew_ms()), buffer.ppm())
    }

    /// Tells everybody how the block of `now` came about.
    fn tell(&mut self, now: MediaTime, heard: Heard) {
        let mut buffer = self.buffer.lock();
        let mishaps = buffer.mishaps();
        let (delay, lateness) = (buffer.delay(now, self.ready.len()), buffer.lateness(now, self.ready.len()));
        let jitter = buffer.jitter();
        drop(buffer);
        self.sync.hear(lateness);
        self.counts.note(heard, mishaps);
        self.counts.time(delay, jitter);
    }

    /// Brings at least `samples` in; tells the least original of what they are made of.
    fn fill(&mut self, now: MediaTime, samples: usize) -> Heard {
        let mut heard = if self.ready.is_empty() { Heard::Idle } else { Heard::Decoded };
        for _ in 0..MAX_STEPS {
            if self.ready.len() >= samples {
                return heard;
            }
            let step = self.buffer.lock().next(now);
            let made = self.run(&step);
            heard = if rank(made) > rank(heard) { made } else { heard };
        }
        self.ready.resize(self.ready.len().max(samples), 0.0);
        heard
    }

    fn run(&mut self, step: &Step) -> Heard {
        match step {
            Step::Decode(packet) => {
                let made = self.decoder.decode(packet, &mut self.decoded[..]);
                self.append(made.unwrap_or(0), 1.0, FADE_IN);
                Heard::Decoded
            }
            Step::Last(packet) => {
                let made = self.decoder.decode(packet, &mut self.decoded[..]).unwrap_or(0);
                self.append(made, 0.0, made);
                Heard::Idle
            }
            Step::Recover { next, samples } => {
                let made = self.decoder.recover(next, &mut self.decoded[..*samples]);
                self.append(made.unwrap_or(0), 1.0, FADE_IN);
                Heard::Recovered
            }
            Step::Conceal { samples, run } => {
                let faded = run.saturating_sub(CONCEALED_IN_FULL) as f32 / (MAX_CONCEALED - CONCEALED_IN_FULL) as f32;
                self.conceal(*samples, (1.0 - faded).min(self.gain));
                Heard::Concealed
            }
            Step::Idle => {
                self.idle();
                Heard::Idle
            }
        }
    }

    fn conceal(&mut self, samples: usize, gain: f32) {
        let made = self.decoder.conceal(&mut self.decoded[..samples]).unwrap_or(0);
        self.append(made, gain, made);
    }

    /// Silence; what sounded until here fades into it.
    fn idle(&mut self) {
        if self.gain > 0.0 {
            self.conceal(BLOCK_SAMPLES, 0.0);
        } else {
            self.ready.resize(self.ready.len() + BLOCK_SAMPLES, 0.0);
        }
    }

    /// Takes over decoded samples, on the way to `gain` within the first `ramp` of them.
    fn append(&mut self, samples: usize, gain: f32, ramp: usize) {
        let decoded = &self.decoded[..samples];
        let from = std::mem::replace(&mut self.gain, gain);
        if from == 1.0 && gain == 1.0 {
            self.ready.extend_from_slice(decoded);
            return;
        }
        let at = |n: usize| from + (gain - from) * (n as f32 / ramp.max(1) as f32).min(1.0);
        self.ready.extend(decoded.iter().enumerate().map(|(n, sample)| sample * at(n)));
    }
}

/// How far from what was sent.
fn rank(heard: Heard) -> u8 {
    match heard {
        Heard::Idle => 0,
        Heard::Decoded => 1,
        Heard::Recovered => 2,
        Heard::Concealed => 3,
    }
}
