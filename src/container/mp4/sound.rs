//! The sound of an MP4 file: Opus packets as they are, AAC decoded.
//!
//! In: where its samples lie. Out: packets, or samples at 48 kHz. Never: what the edit list leaves out.

use std::time::Duration;

use super::read::Samples;
use super::tables::Located;
use super::track::Line;
use crate::container::decode::Decoder;
use crate::container::rate::To48k;
use crate::container::source::Source;
use crate::container::{CodedSound, ContainerError, SoundStream, malformed};

/// Bytes of one packet that are taken: above 48 Opus frames, or AAC of 8 channels.
const MOST_BYTES: u32 = 64 << 10;

fn read(source: &Source, sample: &Located) -> Result<bytes::Bytes, ContainerError> {
    if sample.size > MOST_BYTES {
        return Err(malformed(format!("a sound of {} bytes, and {MOST_BYTES} are taken", sample.size)));
    }
    source.bytes(sample.place, sample.size as usize)
}

/// Opus packets, one after the other.
pub(super) struct OpusSound {
    source: Source,
    samples: Samples,
    line: Line,
}

impl OpusSound {
    pub(super) fn new(source: Source, samples: Samples, line: Line) -> Self {
        Self { source, samples, line }
    }
}

impl SoundStream for OpusSound {
    fn next(&mut self) -> Result<Option<CodedSound>, ContainerError> {
        while let Some(sample) = self.samples.next()? {
            let Some(at) = self.line.at(sample.at).filter(|_| sample.size > 0) else { continue };
            return Ok(Some(CodedSound::Opus { at, packet: read(&self.source, &sample)? }));
        }
        Ok(None)
    }
}

/// AAC, decoded as it is asked for.
pub(super) struct AacSound {
    source: Source,
    samples: Samples,
    line: Line,
    decoder: Decoder,
    to_48k: To48k,
    mono: Vec<f32>,
}

impl AacSound {
    pub(super) fn new(source: Source, samples: Samples, line: Line, config: &[u8]) -> Result<Self, ContainerError> {
        let decoder = Decoder::aac(config)?;
        let to_48k = To48k::new(decoder.rate())?;
        Ok(Self { source, samples, line, decoder, to_48k, mono: Vec::new() })
    }

    /// Decodes one packet and passes on what of it is not before the file's beginning.
    fn decode(&mut self, sample: &Located) -> Result<(), ContainerError> {
        self.mono.clear();
        self.decoder.decode(&read(&self.source, sample)?, &mut self.mono)?;
        let begins = self.line.nanos(sample.at);
        let before = (-begins).max(0) * i128::from(self.decoder.rate()) / 1_000_000_000;
        // The last one's duration says how much of it is padding
        let lasts = u64::from(sample.duration) * u64::from(self.decoder.rate()) / u64::from(self.line.clock);
        self.mono.truncate(lasts.min(self.mono.len() as u64) as usize);
        let heard = self.mono.get(usize::try_from(before).unwrap_or(usize::MAX)..).unwrap_or_default();
        self.to_48k.push(Duration::from_nanos(begins.max(0) as u64), heard);
        Ok(())
    }
}

impl SoundStream for AacSound {
    fn next(&mut self) -> Result<Option<CodedSound>, ContainerError> {
        loop {
            if let Some(sound) = self.to_48k.next() {
                return Ok(Some(sound));
            }
            match self.samples.next()? {
                Some(sample) => self.decode(&sample)?,
                None if self.to_48k.finish() => {}
                None => return Ok(None),
            }
        }
    }
}
