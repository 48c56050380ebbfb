//! WAV: PCM of the usual kinds in a RIFF file.
//!
//! In: the file. Out: its sound, a piece at a time. Never: trust in its lengths: some writers leave them 0 or at their largest, and what is
//! there counts.

use bytes::{Buf, Bytes};
use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::codecs::audio::well_known as kinds;

use super::decode::Decoder;
use super::rate::{To48k, length};
use super::source::Source;
use super::{CodedSound, ContainerError, Media, SoundStream, malformed};

/// Frames that are read at a time.
const FRAMES: usize = 1024;
/// Chunks that may stand before the samples.
const MOST_CHUNKS: usize = 1000;

/// What the `fmt ` chunk says.
struct Format {
    kind: AudioCodecId,
    channels: u16,
    rate: u32,
    frame: usize,
}

/// PCM, one piece after the other.
struct Wav {
    source: Source,
    decoder: Decoder,
    to_48k: To48k,
    frame: usize,
    at: u64,
    ends: u64,
    taken: u64,
    mono: Vec<f32>,
}

pub(super) fn open(source: Source) -> Result<Media, ContainerError> {
    let (format, begins, ends) = chunks(&source)?;
    let frames = (ends - begins) / format.frame as u64;
    if frames == 0 {
        return Err(malformed("it holds no samples"));
    }
    let decoder = Decoder::pcm(format.kind, format.rate, format.channels)?;
    let to_48k = To48k::new(format.rate)?;
    let duration = length(frames, format.rate);
    let ends = begins + frames * format.frame as u64;
    let sound = Wav { source, decoder, to_48k, frame: format.frame, at: begins, ends, taken: 0, mono: Vec::new() };
    Ok(Media { pictures: None, sound: Some(Box::new(sound)), duration })
}

impl SoundStream for Wav {
    fn next(&mut self) -> Result<Option<CodedSound>, ContainerError> {
        loop {
            if let Some(sound) = self.to_48k.next() {
                return Ok(Some(sound));
            }
            if self.at >= self.ends {
                if self.to_48k.finish() {
                    continue;
                }
                return Ok(None);
            }
            let count = (self.ends - self.at).min((FRAMES * self.frame) as u64) as usize;
            let bytes = self.source.bytes(self.at, count)?;
            self.at += count as u64;
            self.mono.clear();
            self.decoder.decode(&bytes, &mut self.mono)?;
            let at = length(self.taken, self.decoder.rate());
            self.taken += self.mono.len() as u64;
            self.to_48k.push(at, &self.mono);
        }
    }
}

/// The format, and where the samples begin and end.
fn chunks(source: &Source) -> Result<(Format, u64, u64), ContainerError> {
    const HEAD: u64 = 12;
    let (mut at, mut format) = (HEAD, None);
    for _ in 0..MOST_CHUNKS {
        let mut head = source.at_most(at, 8)?;
        if head.len() < 8 {
            break;
        }
        let kind = head.split_to(4);
        let (begins, size) = (at + 8, u64::from(head.get_u32_le()));
        match &kind[..] {
            b"fmt " => format = Some(read_format(source.at_most(begins, size.min(64) as usize)?)?),
            b"data" => {
                let format = format.ok_or_else(|| malformed("its samples come before their format"))?;
                // Streams are written before their length is known
                let size = if size == 0 { u64::MAX } else { size };
                return Ok((format, begins, begins.saturating_add(size).min(source.length())));
            }
            _ => {}
        }
        at = begins + size + size % 2;
    }
    Err(malformed("it has no data chunk"))
}

fn read_format(mut fmt: Bytes) -> Result<Format, ContainerError> {
    const EXTENSIBLE: u16 = 0xfffe;
    if fmt.len() < 16 {
        return Err(malformed("its fmt chunk is too short"));
    }
    let extended = fmt.get(24..26).map(|mut tag| tag.get_u16_le());
    let tag = match fmt.get_u16_le() {
        EXTENSIBLE => extended.ok_or_else(|| malformed("its fmt chunk is too short"))?,
        tag => tag,
    };
    let (channels, rate) = (fmt.get_u16_le(), fmt.get_u32_le());
    fmt.advance(4);
    let (frame, bits) = (usize::from(fmt.get_u16_le()), fmt.get_u16_le());
    let kind = match (tag, bits) {
        (1, 8) => kinds::CODEC_ID_PCM_U8,
        (1, 16) => kinds::CODEC_ID_PCM_S16LE,
        (1, 24) => kinds::CODEC_ID_PCM_S24LE,
        (1, 32) => kinds::CODEC_ID_PCM_S32LE,
        (3, 32) => kinds::CODEC_ID_PCM_F32LE,
        (3, 64) => kinds::CODEC_ID_PCM_F64LE,
        (6, 8) => kinds::CODEC_ID_PCM_ALAW,
        (7, 8) => kinds::CODEC_ID_PCM_MULAW,
        _ => return Err(ContainerError::Codec(format!("WAV sound of format {tag:#x} with {bits} bits"))),
    };
    if frame != usize::from(channels) * usize::from(bits / 8) || frame == 0 {
        return Err(malformed(format!("{channels} channels of {bits} bits are not {frame} bytes")));
    }
    Ok(Format { kind, channels, rate, frame })
}
