//! A file's sound as Opus packets on one line, pass after pass.
//!
//! In: Opus packets, passed on as they are, or samples, encoded in blocks of 20 ms. Out: packets, each beginning where the one before ends;
//! a gap in the file is a gap between packets, or silence among samples. Never: a block that ends with a pass: what is left of it goes on
//! with the next.

use std::time::Duration;

use bytes::Bytes;

use super::score::{LONGEST, ScoreError, UNSEEN};
use crate::codec::opus::{AudioEncoder, Prediction, packet_samples};
use crate::container::{CodedSound, SoundStream};
use crate::media::{BLOCK_SAMPLES, Block, SAMPLE_RATE};

/// Times that are off by no more are rounding, or an encoder's lead-in: one block.
const IN_LINE: u64 = BLOCK_SAMPLES as u64;

/// An Opus packet and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sound {
    /// When its first sample is heard, from the beginning of the play on.
    pub(super) at: Duration,
    pub(super) lasts: Duration,
    pub(super) packet: Bytes,
}

/// One file's sound.
#[derive(Default)]
pub(super) struct Sounds {
    stream: Option<Box<dyn SoundStream>>,
    /// Where this pass began, and where the next packet begins, in samples.
    began: u64,
    next: u64,
    /// When the file ends, pictures and all.
    until: u64,
    encoder: Option<AudioEncoder>,
    /// Samples that are not encoded yet: first these, then so many of silence, then those.
    pending: Vec<f32>,
    silence: u64,
    coming: Vec<f32>,
}

impl Sounds {
    /// Begins a pass, at this time from the beginning of the play on; the file lasts so long.
    pub(super) fn begin(&mut self, stream: Option<Box<dyn SoundStream>>, at: Duration, duration: Duration) {
        (self.stream, self.began, self.until) = (stream, samples_of(at), samples_of(at + duration));
    }

    /// Where the sound of this pass ends by now, from the pass's beginning on.
    pub(super) fn end(&self) -> Duration {
        duration_of((self.next + self.pending.len() as u64).saturating_sub(self.began))
    }

    /// The next packet; `None` at the end of the pass.
    ///
    /// # Errors
    /// Where the file says what cannot be.
    pub(super) fn next(&mut self) -> Result<Option<Sound>, ScoreError> {
        loop {
            if let Some(block) = self.block() {
                return self.encode(&block).map(Some);
            }
            let Some(stream) = &mut self.stream else { return Ok(None) };
            match stream.next()? {
                None => self.end_stream(),
                Some(CodedSound::Opus { at, packet }) => return self.pass_on(at, packet).map(Some),
                Some(CodedSound::Samples { at, samples }) => {
                    let gap = self.place(at)?.saturating_sub(self.next + self.pending.len() as u64);
                    (self.silence, self.coming) = (gap, samples);
                }
            }
        }
    }

    /// The last packet, after the last pass: what is left of a block, and silence.
    ///
    /// # Errors
    /// Where it cannot be encoded.
    pub(super) fn finish(&mut self) -> Result<Option<Sound>, ScoreError> {
        if self.pending.is_empty() {
            return Ok(None);
        }
        self.silence = (BLOCK_SAMPLES - self.pending.len()) as u64;
        let block = self.block().expect("silence fills the block");
        self.encode(&block).map(Some)
    }

    /// Where a piece begins: in line with what was before, but for a real gap. What is said to begin earlier goes on as well.
    fn place(&self, at: Duration) -> Result<u64, ScoreError> {
        if at > LONGEST {
            return Err(ScoreError::TooLong);
        }
        let (said, line) = (self.began + samples_of(at), self.next + self.pending.len() as u64);
        Ok(if said > line + IN_LINE { said } else { line })
    }

    /// Where samples end and the pictures go on for long, silence follows: what is left of a block is not to wait until the next pass.
    fn end_stream(&mut self) {
        self.stream = None;
        let left = self.until.saturating_sub(self.next + self.pending.len() as u64);
        if (self.encoder.is_some() || !self.pending.is_empty()) && duration_of(left) >= UNSEEN {
            self.silence = left;
        }
    }

    fn pass_on(&mut self, at: Duration, packet: Bytes) -> Result<Sound, ScoreError> {
        let samples = packet_samples(&packet).map_err(ScoreError::Sound)? as u64;
        let begins = self.place(at)?;
        self.next = begins + samples;
        Ok(Sound { at: duration_of(begins), lasts: duration_of(samples), packet })
    }

    /// The next whole block of what is pending, of silence, and of what comes after it.
    fn block(&mut self) -> Option<Block> {
        let wanted = BLOCK_SAMPLES.saturating_sub(self.pending.len());
        let silent = self.silence.min(wanted as u64);
        self.pending.resize(self.pending.len() + silent as usize, 0.0);
        self.silence -= silent;
        if self.silence == 0 {
            self.pending.append(&mut self.coming);
        }
        let samples: [f32; BLOCK_SAMPLES] = self.pending.get(..BLOCK_SAMPLES)?.try_into().expect("a slice of a block's length");
        self.pending.drain(..BLOCK_SAMPLES);
        Some(Block(samples.map(|sample| if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 })))
    }

    fn encode(&mut self, block: &Block) -> Result<Sound, ScoreError> {
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            none => none.insert(AudioEncoder::new()?),
        };
        let packet = encoder.encode(block, Prediction::Allowed)?;
        let at = duration_of(self.next);
        self.next += BLOCK_SAMPLES as u64;
        Ok(Sound { at, lasts: duration_of(BLOCK_SAMPLES as u64), packet })
    }
}

fn samples_of(at: Duration) -> u64 {
    ((at.as_nanos() * u128::from(SAMPLE_RATE) + 500_000_000) / 1_000_000_000) as u64
}

fn duration_of(samples: u64) -> Duration {
    Duration::from_nanos((u128::from(samples) * 1_000_000_000 / u128::from(SAMPLE_RATE)) as u64)
}
