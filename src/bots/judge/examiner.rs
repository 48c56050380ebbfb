//! Decodes what one bot receives, on a thread of its own, and shows it to the witness.
//!
//! In: access units and Opus packets with the moment their last packet arrived. Out: notes, and requests for a keyframe
//! where a picture cannot be decoded. Never: a playout buffer; sound is heard in the order in which it comes.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use crate::codec::h264::Decoder;
use crate::codec::opus::{AudioDecoder, MAX_PACKET_SAMPLES, has_fec};
use crate::codec::{DecodeError, VideoDecoder};
use crate::media::{BLOCK_SAMPLES, MediaTime, SAMPLE_RATE};

use super::super::wall::Wall;
use super::witness::Witness;

/// Gaps up to 200 ms are concealed; beyond that the stream starts over.
const MOST_CONCEALED: u64 = 9600;

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
        /// When its last packet arrived.
        at: MediaTime,
    },
    /// An Opus packet.
    Sound {
        /// Its bytes.
        packet: Arc<[u8]>,
        /// Its RTP time at 48 kHz, without wrapping.
        place: u64,
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
    next_place: Option<u64>,
    samples: Box<[f32; MAX_PACKET_SAMPLES]>,
}

impl<Ask: Fn()> Examiner<Ask> {
    /// Reports to `witness`; calls `ask_keyframe` whenever it needs one.
    ///
    /// # Errors
    /// Where there is no memory for a decoder.
    pub fn new(witness: Arc<Witness>, ask_keyframe: Ask) -> Result<Self, DecodeError> {
        let samples = Box::new([0.0; MAX_PACKET_SAMPLES]);
        Ok(Self { witness, ask_keyframe, pictures: Decoder::new(), blind: true, sound: AudioDecoder::new()?, next_place: None, samples })
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
            Evidence::Picture { annex_b, keyframe, interrupted, at } => {
                self.blind = (self.blind || interrupted) && !keyframe;
                if self.blind {
                    (self.ask_keyframe)();
                } else {
                    self.look(&annex_b, at);
                }
            }
            Evidence::Sound { packet, place, at } => self.listen(&packet, place, at),
        }
    }

    /// A picture is there when its last packet has arrived and it is decoded; time spent waiting for this thread is not the
    /// server's.
    fn look(&mut self, annex_b: &[u8], at: MediaTime) {
        let began = self.witness.epoch().now();
        let decoded = self.pictures.decode(annex_b);
        let took = self.witness.epoch().now().since(began);
        match decoded {
            Ok(Some(frame)) => self.witness.picture_decoded(&frame, at + took),
            Ok(None) => {}
            Err(_) => {
                self.witness.picture_refused();
                self.blind = true;
                (self.ask_keyframe)();
            }
        }
    }

    fn listen(&mut self, packet: &[u8], place: u64, at: MediaTime) {
        let heard = self.witness.epoch().wall(at);
        if let Some(missing) =
            self.next_place.and_then(|next| place.checked_sub(next)).filter(|missing| (1..=MOST_CONCEALED).contains(missing))
        {
            self.conceal(packet, place - missing, missing, heard);
        }
        match self.sound.decode(packet, &mut self.samples[..]) {
            Ok(count) => {
                self.witness.sound_decoded(&self.samples[..count], place, heard);
                self.next_place = Some(place + count as u64);
            }
            Err(_) => self.witness.sound_refused(),
        }
    }

    /// Fills a gap block by block, the last one from the following packet's in-band FEC where it has some.
    fn conceal(&mut self, next: &[u8], from: u64, missing: u64, heard: Wall) {
        let (mut place, end) = (from, from + missing);
        while place < end {
            // Opus conceals multiples of 2.5 ms; a gap that is none ends as a new beginning of the stream.
            let length = (end - place).min(BLOCK_SAMPLES as u64) as usize / 120 * 120;
            if length == 0 {
                return;
            }
            let is_last = place + length as u64 == end;
            let samples = &mut self.samples[..length];
            let made = if is_last && has_fec(next) { self.sound.recover(next, samples) } else { self.sound.conceal(samples) };
            if made.is_err() {
                return;
            }
            let before_next = Duration::from_secs(end - place) / SAMPLE_RATE;
            let missed_at = Wall::from_micros(heard.as_micros().saturating_sub(before_next.as_micros() as u64));
            self.witness.sound_decoded(&self.samples[..length], place, missed_at);
            self.witness.concealed(length as f64 * 1000.0 / f64::from(SAMPLE_RATE));
            place += length as u64;
        }
    }
}
