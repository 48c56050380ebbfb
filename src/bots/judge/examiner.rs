//! Decodes what one bot receives, on a thread of its own, and shows it to the witness.
//!
//! In: access units with the moment their last packet arrived, Opus packets. Out: notes, and requests for a keyframe
//! where a picture cannot be decoded. Never: a playout delay of sound in what it tells: sound waits for what is missing, and counts as
//! heard when it arrived. How long pictures wait is the witness's, which has a viewer.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use crate::codec::h264::Decoder;
use crate::codec::opus::{AudioDecoder, MAX_PACKET_SAMPLES, has_fec, packet_samples};
use crate::codec::{DecodeError, VideoDecoder};
use crate::media::{MediaTime, SAMPLE_RATE};

use super::super::wall::Wall;
use super::listener::{Act, Listener, Packet};
use super::witness::{Fill, Witness};

/// Something received.
#[derive(Debug)]
pub enum Evidence {
    /// An access unit in Annex B form.
    Picture {
        /// Its bytes.
        annex_b: Arc<[u8]>,
        /// Whether a decoder can start here.
        keyframe: bool,
        /// Whether packets are missing before it.
        interrupted: bool,
        /// Its RTP time at 90 kHz; wraps.
        timestamp: u32,
        /// When its last packet arrived.
        at: MediaTime,
    },
    /// An Opus packet; they are given in the order in which they arrive.
    Sound {
        /// Its bytes.
        packet: Arc<[u8]>,
        /// Its RTP time at 48 kHz; wraps.
        timestamp: u32,
        /// When it arrived.
        at: MediaTime,
    },
}

/// Decodes for one bot.
pub struct Examiner<Ask> {
    witness: Arc<Witness>,
    ask_keyframe: Ask,
    pictures: Decoder,
    /// Whether nothing can be decoded before the next keyframe.
    blind: bool,
    sound: AudioDecoder,
    listener: Listener,
    samples: Box<[f32; MAX_PACKET_SAMPLES]>,
}

impl<Ask: Fn()> Examiner<Ask> {
    /// Reports to `witness`; calls `ask_keyframe` whenever it needs one.
    ///
    /// # Errors
    /// Where there is no memory for a decoder.
    pub fn new(witness: Arc<Witness>, ask_keyframe: Ask) -> Result<Self, DecodeError> {
        let samples = Box::new([0.0; MAX_PACKET_SAMPLES]);
        Ok(Self {
            witness,
            ask_keyframe,
            pictures: Decoder::new(),
            blind: true,
            sound: AudioDecoder::new()?,
            listener: Listener::default(),
            samples,
        })
    }

    /// Examines until the session is gone.
    pub fn run(mut self, evidence: &Receiver<Evidence>) {
        while let Ok(evidence) = evidence.recv() {
            self.examine(evidence);
        }
    }

    /// Examines one thing.
    pub fn examine(&mut self, evidence: Evidence) {
        match evidence {
            Evidence::Picture { annex_b, keyframe, interrupted, timestamp, at } => {
                self.listen(at);
                self.blind = (self.blind || interrupted) && !keyframe;
                if self.blind {
                    (self.ask_keyframe)();
                } else {
                    self.look(&annex_b, timestamp, at);
                }
            }
            Evidence::Sound { packet, timestamp, at } => {
                match packet_samples(&packet) {
                    Ok(samples) => self.listener.take(Packet { bytes: packet, timestamp, samples: samples as u64, at }),
                    Err(_) => self.witness.sound_refused(),
                }
                self.listen(at);
            }
        }
    }

    /// A picture is there when its last packet has arrived and it is decoded; time spent waiting for this thread is not the
    /// server's.
    fn look(&mut self, annex_b: &[u8], timestamp: u32, at: MediaTime) {
        let began = self.witness.epoch().now();
        let decoded = self.pictures.decode(annex_b);
        let took = self.witness.epoch().now().since(began);
        match decoded {
            Ok(Some(frame)) => self.witness.picture_decoded(&frame, timestamp, at + took),
            Ok(None) => {}
            Err(_) => {
                self.witness.picture_refused();
                self.blind = true;
                (self.ask_keyframe)();
            }
        }
    }

    /// Plays what is due by `now`.
    fn listen(&mut self, now: MediaTime) {
        while let Some(act) = self.listener.act(now) {
            match act {
                Act::Decode { packet, place } => self.decode(&packet, place),
                Act::Recover { next, place, samples } if has_fec(&next.bytes) => self.fill(&next, place, samples, Fill::Recovered),
                Act::Recover { next, place, samples } | Act::MakeUp { next, place, samples } => {
                    self.fill(&next, place, samples, Fill::MadeUp);
                }
                Act::Skip { samples } => self.witness.sound_filled(Fill::MadeUp, millis_of(samples)),
            }
        }
        self.witness.sound_waits(self.listener.wait_ms(), self.listener.take_ran_dry_ms());
    }

    fn decode(&mut self, packet: &Packet, place: u64) {
        let heard = self.witness.epoch().wall(packet.at);
        match self.sound.decode(&packet.bytes, &mut self.samples[..]) {
            Ok(count) => self.witness.sound_decoded(&self.samples[..count], place, heard),
            Err(_) => self.witness.sound_refused(),
        }
    }

    /// Fills a gap before `next`; it would have been heard that much before it.
    fn fill(&mut self, next: &Packet, place: u64, missing: u64, how: Fill) {
        // Opus makes up multiples of 2.5 ms; a gap that is none ends as a new beginning of the stream.
        let samples = &mut self.samples[..missing as usize / 120 * 120];
        let made = match how {
            Fill::Recovered => self.sound.recover(&next.bytes, samples),
            Fill::MadeUp => self.sound.conceal(samples),
        };
        let before_next = Duration::from_secs(missing) / SAMPLE_RATE;
        let missed_at = self.witness.epoch().wall(next.at).as_micros().saturating_sub(before_next.as_micros() as u64);
        if let Ok(count) = made {
            self.witness.sound_decoded(&self.samples[..count], place, Wall::from_micros(missed_at));
        }
        self.witness.sound_filled(how, millis_of(missing));
    }
}

fn millis_of(samples: u64) -> f64 {
    samples as f64 * 1000.0 / f64::from(SAMPLE_RATE)
}
