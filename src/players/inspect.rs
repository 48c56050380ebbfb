//! Whether a file can be played: read to its end when it comes in, and decoded at its beginning.
//!
//! In: an opened file. Out: what it holds, or why it is not played. Never: a decode of all of it, or trust in what it says of its length.

use std::time::Duration;

use super::score::{LONGEST, MAX_PICTURE};
use crate::codec::opus::{AudioDecoder, MAX_PACKET_SAMPLES};
use crate::codec::{DecodeError, VideoDecoder, h264};
use crate::container::{CodedPicture, CodedSound, ContainerError, Media, PictureStream, SoundStream};
use crate::media::SAMPLE_RATE;

/// Pictures that are decoded; the first of them must be one that a decoder can start at.
const PICTURES_DECODED: usize = 10;
/// Packets of sound that are decoded.
const SOUNDS_DECODED: usize = 100;
/// Sound that costs a decode to read is read so far.
const SAMPLES_READ: Duration = Duration::from_secs(60);
/// The shortest.
const SHORTEST: Duration = Duration::from_millis(20);

/// Why a file is not played.
#[derive(Debug, thiserror::Error)]
pub enum UnfitError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] ContainerError),
    /// Its pictures cannot be decoded.
    #[error("the file's pictures cannot be decoded: {0}; send H.264 without B-pictures, from a keyframe on")]
    Pictures(DecodeError),
    /// None of the first is a whole picture.
    #[error("none of the file's first {PICTURES_DECODED} pictures can be shown; send H.264 from a keyframe on")]
    NoPicture,
    /// Its sound cannot be decoded.
    #[error("the file's sound cannot be decoded: {0}")]
    Sound(DecodeError),
    /// One of its pictures is too large.
    #[error("a picture of the file has {0} bytes; at most {MAX_PICTURE} are played")]
    TooLarge(usize),
    /// It holds hardly anything.
    #[error("the file lasts {} ms; send one of 20 ms or more", .0.as_millis())]
    TooShort(Duration),
    /// It lasts too long, or says so.
    #[error("the file goes on for longer than 24 hours; cut it")]
    TooLong,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Findings {
    pub(super) duration: Duration,
    /// Of its pictures, in pixels.
    pub(super) size: Option<(u32, u32)>,
    pub(super) has_sound: bool,
}

/// How far a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// To its end: it comes from anybody.
    Whole,
    /// As far as it is decoded: it was read to its end before it was kept.
    Beginning,
}

/// Looks into a file.
///
/// # Errors
/// Why it is not played.
pub(super) fn inspect(media: Media, reach: Reach) -> Result<Findings, UnfitError> {
    let pictures = media.pictures.map(|pictures| watch(pictures, reach)).transpose()?.flatten();
    let sound = media.sound.map(|sounds| listen(sounds, reach)).transpose()?.flatten();
    let walked = pictures.map(|(_, end)| end).max(sound).unwrap_or_default();
    let duration = walked.max(media.duration);
    let size = pictures.map(|(size, _)| size);
    if duration < SHORTEST || (size.is_none() && sound.is_none()) {
        return Err(UnfitError::TooShort(walked));
    }
    Ok(Findings { duration: within(duration)?, size, has_sound: sound.is_some() })
}

/// The pictures' size, and when the last one begins.
type Watched = ((u32, u32), Duration);

/// What the pictures are; `None` where there are none.
fn watch(mut pictures: Box<dyn PictureStream>, reach: Reach) -> Result<Option<Watched>, UnfitError> {
    let (mut decoder, mut size, mut seen, mut end) = (h264::Decoder::new(), None, 0, Duration::ZERO);
    while let Some(picture) = pictures.next()? {
        let bytes = picture.nal_units.iter().map(|nal_unit| nal_unit.len()).sum();
        if bytes > MAX_PICTURE {
            return Err(UnfitError::TooLarge(bytes));
        }
        if seen < PICTURES_DECODED {
            let shown = decoder.decode(&annex_b(&picture)).map_err(UnfitError::Pictures)?;
            size = size.or(shown.map(|frame| (frame.width(), frame.height())));
        }
        seen += 1;
        end = within(end.max(picture.at))?;
        if reach == Reach::Beginning && seen >= PICTURES_DECODED {
            break;
        }
    }
    match (size, seen) {
        (None, 0) => Ok(None),
        (None, _) => Err(UnfitError::NoPicture),
        (Some(size), _) => Ok(Some((size, end))),
    }
}

/// When the sound ends, as far as it was read; `None` where there is none.
fn listen(mut sounds: Box<dyn SoundStream>, reach: Reach) -> Result<Option<Duration>, UnfitError> {
    let mut decoder = AudioDecoder::new().map_err(UnfitError::Sound)?;
    let (mut scratch, mut heard, mut end) = (vec![0.0; MAX_PACKET_SAMPLES], 0, None::<Duration>);
    while let Some(sound) = sounds.next()? {
        let (at, samples) = match sound {
            CodedSound::Opus { at, packet } if heard < SOUNDS_DECODED => {
                (at, decoder.decode(&packet, &mut scratch).map_err(UnfitError::Sound)?)
            }
            CodedSound::Opus { at, packet } => (at, crate::codec::opus::packet_samples(&packet).map_err(UnfitError::Sound)?),
            CodedSound::Samples { at, .. } if at >= SAMPLES_READ => break,
            CodedSound::Samples { at, samples } => (at, samples.len()),
        };
        heard += 1;
        let lasts = Duration::from_secs_f64(samples as f64 / f64::from(SAMPLE_RATE));
        end = Some(within(end.unwrap_or_default().max(at.saturating_add(lasts)))?);
        if reach == Reach::Beginning && heard >= SOUNDS_DECODED {
            break;
        }
    }
    Ok(end)
}

fn within(end: Duration) -> Result<Duration, UnfitError> {
    if end <= LONGEST { Ok(end) } else { Err(UnfitError::TooLong) }
}

fn annex_b(picture: &CodedPicture) -> Vec<u8> {
    picture.nal_units.iter().flat_map(|nal_unit| [&[0, 0, 0, 1], nal_unit.as_ref()].concat()).collect()
}
