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
use super::arrivals::Mishaps;
use super::jitter::{JitterBuffer, MAX_CONCEALED, Step};
use crate::codec::opus::{AudioDecoder, MAX_PACKET_SAMPLES};
use crate::media::{BLOCK_SAMPLES, Block, Clock, Heard, MediaTime, RtpPacket, SenderReport, SoundSource, Traffic};
use crate::metrics::{ByMedia, ByReason, Media, Metrics};

#[cfg(test)]
mod tests;

/// Sound begins within 5 ms.
const FADE_IN: usize = 240;
/// Concealments in a row at full level; from there to [`MAX_CONCEALED`] they fade out.
const CONCEALED_IN_FULL: u32 = 3;
/// Two blocks become one over 10 ms in their middle.
const FOLD: usize = 480;
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
            gain: 0.0,
            quiet: true,
            counts: Counts::of(&metrics, traffic.clone()),
            sync,
            stopwatch: Clock::new(),
            metrics,
        };
        (Self { buffer, traffic, received, received_bytes }, Box::new(sound))
    }

    /// What comes, counted.
    pub fn traffic(&self) -> Arc<Traffic> {
        self.traffic.clone()
    }

    /// Takes what the sender says of the stream's clock.
    pub fn note_report(&mut self, _report: SenderReport) {
        // Owner: sound
    }

    /// Takes one packet, in whatever order and however often it comes.
    pub fn push(&mut self, packet: RtpPacket) {
        self.received.inc();
        self.received_bytes.inc_by(packet.payload.len() as u64);
        self.traffic.count_packet(packet.payload.len());
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
        let folds = self.buffer.lock().folds(now, self.ready.len(), self.quiet);
        let heard = self.fill(now, if folds { 2 * BLOCK_SAMPLES } else { BLOCK_SAMPLES });
        if folds {
            self.fold();
        }
        into.0.copy_from_slice(&self.ready[..BLOCK_SAMPLES]);
        self.ready.drain(..BLOCK_SAMPLES);
        if heard != Heard::Idle {
            self.metrics.observe_decode(Media::Audio, self.stopwatch.now().since(began));
        }
        let mishaps = self.buffer.lock().mishaps();
        // Owner: sound
        self.sync.hear(None);
        self.counts.note(heard, mishaps);
        let level = into.rms();
        self.quiet = level < QUIET;
        if heard == Heard::Decoded && level < MUTED { Heard::Idle } else { heard }
    }
}

impl Sound {
    /// Brings at least `samples` in; tells the least original of what they are made of.
    fn fill(&mut self, now: MediaTime, samples: usize) -> Heard {
        let mut heard = if self.ready.is_empty() { Heard::Idle } else { Heard::Decoded };
        for _ in 0..MAX_STEPS {
            if self.ready.len() >= samples {
                return heard;
            }
            let step = self.buffer.lock().next(now, self.ready.len(), self.quiet);
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
            Step::Stretch => {
                self.conceal(BLOCK_SAMPLES, 1.0);
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

    /// Two blocks become one: it begins as the first and ends as the second.
    fn fold(&mut self) {
        let (first, second) = self.ready.split_at_mut(BLOCK_SAMPLES);
        let begin = (BLOCK_SAMPLES - FOLD) / 2;
        for n in 0..BLOCK_SAMPLES {
            let share = (n.saturating_sub(begin) as f32 / FOLD as f32).min(1.0);
            second[n] = first[n] * (1.0 - share) + second[n] * share;
        }
        self.ready.drain(..BLOCK_SAMPLES);
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

/// Where a sender's losses are counted.
struct Counts {
    traffic: Arc<Traffic>,
    lost: Counter,
    concealed: Counter,
    recovered: Counter,
    late: Counter,
    behind: Counter,
    malformed: Counter,
}

impl Counts {
    fn of(metrics: &Metrics, traffic: Arc<Traffic>) -> Self {
        let dropped = |reason| metrics.dropped.get_or_create(&ByReason { reason }).clone();
        Self {
            traffic,
            lost: metrics.packets_lost.get_or_create(&ByMedia { media: Media::Audio }).clone(),
            concealed: metrics.blocks_concealed.clone(),
            recovered: metrics.blocks_recovered.clone(),
            late: dropped("sound_late"),
            behind: dropped("sound_behind"),
            malformed: dropped("sound_malformed"),
        }
    }

    fn note(&self, heard: Heard, mishaps: Mishaps) {
        self.lost.inc_by(mishaps.lost);
        self.traffic.count_lost(mishaps.lost);
        self.late.inc_by(mishaps.late);
        self.behind.inc_by(mishaps.behind);
        self.malformed.inc_by(mishaps.malformed);
        match heard {
            Heard::Concealed => drop(self.concealed.inc()),
            Heard::Recovered => drop(self.recovered.inc()),
            Heard::Decoded | Heard::Idle => {}
        }
    }
}
