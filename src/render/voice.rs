//! One person's sound, out of a stream of coded pieces.
//!
//! In: Opus packets or samples with their times, and the moment. Out: 20 ms blocks for the room's ticks, each sample at its time.
//! Never: a jitter buffer's delay: what is to come is known, so that a lost packet is told from a pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::damage::Damage;
use crate::codec::opus::{AudioDecoder, MAX_PACKET_SAMPLES, packet_samples};
use crate::container::{CodedSound, SoundStream};
use crate::media::{BLOCK_SAMPLES, Block, Heard, MediaTime, SAMPLE_RATE, SoundSource};

/// Sound whose time is off by less goes on where the sound before it ends: clocks are rounded, and drift. 20 ms.
const IN_STEP: u64 = BLOCK_SAMPLES as u64;
/// Longer gaps are pauses that the sender made, and not losses.
const LONGEST_LOSS: u64 = MAX_PACKET_SAMPLES as u64;
/// What libopus conceals and recovers is a multiple of it: 2.5 ms.
const GRAIN: u64 = 120;
/// Packets that end so long before what is wanted are not decoded: a decoder is in step after 80 ms.
const PRE_ROLL: u64 = SAMPLE_RATE as u64 * 80 / 1000;
/// Sound after a pause begins within 5 ms.
const FADE_IN: usize = 240;
/// Below −80 dBFS nothing is being sent: a muted microphone.
const MUTED: f32 = 1e-4;

/// Somebody's sound.
pub(super) struct Voice {
    stream: Box<dyn SoundStream>,
    next: Option<CodedSound>,
    /// Where the stream's zero lies.
    begins: MediaTime,
    decoder: AudioDecoder,
    decoded: Box<[f32; MAX_PACKET_SAMPLES]>,
    /// What sounds next, and where its first sample lies on the stream's line.
    ready: Vec<f32>,
    place: u64,
    /// Whether what was made ready last is sound, and no pause.
    sounding: bool,
    over: Arc<AtomicBool>,
    damage: Damage,
}

impl Voice {
    /// Sound whose zero is at `begins`; what is given beside it says when there is no more to come.
    pub(super) fn open(stream: Box<dyn SoundStream>, begins: MediaTime, damage: Damage) -> (Self, Arc<AtomicBool>) {
        let over = Arc::<AtomicBool>::default();
        let mut voice = Self {
            stream,
            next: None,
            begins,
            decoder: AudioDecoder::new().expect("libopus refuses a decoder for want of memory only"),
            decoded: Box::new([0.0; MAX_PACKET_SAMPLES]),
            ready: Vec::with_capacity(2 * MAX_PACKET_SAMPLES),
            place: 0,
            sounding: false,
            over: over.clone(),
            damage,
        };
        voice.next = voice.read();
        (voice, over)
    }

    fn read(&mut self) -> Option<CodedSound> {
        self.stream.next().unwrap_or_else(|error| {
            self.damage.note(format_args!("its sound ends early: {error}"));
            None
        })
    }

    fn end(&self) -> u64 {
        self.place + self.ready.len() as u64
    }

    /// Forgets what lies before `from`.
    fn skip_to(&mut self, from: u64) {
        let passed = from.saturating_sub(self.place).min(self.ready.len() as u64);
        self.ready.drain(..passed as usize);
        self.place = self.place.max(from);
        while let Some(next) = self.next.take_if(|next| place_of(next) + length_of(next) + PRE_ROLL < from) {
            drop(next);
            self.next = self.read();
        }
    }

    /// Makes ready what sounds before `until`; gives the least original of what it is made of.
    fn fill(&mut self, until: u64) -> Heard {
        let mut heard = if self.sounding && !self.ready.is_empty() { Heard::Decoded } else { Heard::Idle };
        while self.end() < until {
            let made = self.make(until);
            heard = if rank(made) > rank(heard) { made } else { heard };
        }
        heard
    }

    /// One step: what was lost, a pause, or the next piece.
    fn make(&mut self, until: u64) -> Heard {
        let Some(next) = self.next.take() else { return self.pause(until) };
        let (at, end) = (place_of(&next), self.end());
        let missing = at.saturating_sub(end);
        let is_loss = self.sounding && missing <= LONGEST_LOSS && matches!(next, CodedSound::Opus { .. });
        if missing >= IN_STEP && !is_loss {
            self.next = Some(next);
            return self.pause(at.min(until));
        }
        if !self.sounding && missing > 0 {
            // Nothing has sounded that it could go on from: it begins where it says
            self.ready.resize(self.ready.len() + missing as usize, 0.0);
        }
        let made = if missing >= IN_STEP && self.sounding { self.make_up(&next, missing) } else { Heard::Decoded };
        let early = end.saturating_sub(at);
        self.sound(&next, if early >= IN_STEP || !self.sounding { early as usize } else { 0 });
        self.next = self.read();
        made
    }

    /// What packets before `next` held: the last of it from that one's FEC, what is before from nothing.
    fn make_up(&mut self, next: &CodedSound, missing: u64) -> Heard {
        let CodedSound::Opus { packet, .. } = next else { return Heard::Idle };
        let missing = missing / GRAIN * GRAIN;
        let recovered = missing.min(length_of(next)) / GRAIN * GRAIN;
        let (before, last) = ((missing - recovered) as usize, recovered as usize);
        if before > 0 {
            let made = self.decoder.conceal(&mut self.decoded[..before]).unwrap_or(0);
            self.ready.extend_from_slice(&self.decoded[..made]);
        }
        let made = self.decoder.recover(packet, &mut self.decoded[..last]).unwrap_or(0);
        self.ready.extend_from_slice(&self.decoded[..made]);
        if before > 0 { Heard::Concealed } else { Heard::Recovered }
    }

    /// Silence up to `until`; what sounded before dies away in it.
    fn pause(&mut self, until: u64) -> Heard {
        let silence = until.saturating_sub(self.end()) as usize;
        if std::mem::take(&mut self.sounding) {
            let dying = silence.min(BLOCK_SAMPLES) / GRAIN as usize * GRAIN as usize;
            let made = if dying > 0 { self.decoder.conceal(&mut self.decoded[..dying]).unwrap_or(0) } else { 0 };
            let fading = self.decoded[..made].iter().enumerate().map(|(n, sample)| sample * (1.0 - n as f32 / made as f32));
            self.ready.extend(fading);
            self.ready.resize(self.ready.len() + silence - made, 0.0);
        } else {
            self.ready.resize(self.ready.len() + silence, 0.0);
        }
        Heard::Idle
    }

    /// The piece itself, without its first samples.
    fn sound(&mut self, piece: &CodedSound, without: usize) {
        let made = match piece {
            CodedSound::Opus { packet, .. } => match self.decoder.decode(packet, &mut self.decoded[..]) {
                Ok(made) => &self.decoded[..made],
                Err(error) => {
                    self.damage.note(format_args!("not all of its sound can be decoded: {error}"));
                    &[][..]
                }
            },
            CodedSound::Samples { samples, .. } => samples,
        };
        let made = &made[without.min(made.len())..];
        if made.is_empty() {
            return;
        }
        let begins = self.ready.len();
        self.ready.extend_from_slice(made);
        if !std::mem::replace(&mut self.sounding, true) {
            let first = self.ready[begins..].iter_mut().take(FADE_IN).enumerate();
            first.for_each(|(n, sample)| *sample *= n as f32 / FADE_IN as f32);
        }
    }
}

impl SoundSource for Voice {
    fn pull(&mut self, now: MediaTime, into: &mut Block) -> Heard {
        let from = samples(now.since(self.begins));
        self.skip_to(from);
        let heard = self.fill(from + BLOCK_SAMPLES as u64);
        into.0.copy_from_slice(&self.ready[..BLOCK_SAMPLES]);
        self.over.store(self.next.is_none() && self.ready.len() == BLOCK_SAMPLES, Ordering::Relaxed);
        if heard == Heard::Decoded && into.rms() < MUTED { Heard::Idle } else { heard }
    }
}

fn place_of(sound: &CodedSound) -> u64 {
    match sound {
        CodedSound::Opus { at, .. } | CodedSound::Samples { at, .. } => samples(*at),
    }
}

/// In samples; one that cannot be read has none.
fn length_of(sound: &CodedSound) -> u64 {
    match sound {
        CodedSound::Opus { packet, .. } => packet_samples(packet).unwrap_or(0) as u64,
        CodedSound::Samples { samples, .. } => samples.len() as u64,
    }
}

/// The next sample to a time.
fn samples(time: Duration) -> u64 {
    ((time.as_nanos() * u128::from(SAMPLE_RATE) + 500_000_000) / 1_000_000_000) as u64
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
