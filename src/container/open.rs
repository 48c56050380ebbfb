//! A file of any kind that is known here, as coded pictures and sounds in order.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use super::source::Source;
use super::{ReadAt, annex_b, mp4, ogg, wav};

/// Bytes of one picture that are taken.
pub(super) const MOST_PICTURE: usize = 16 << 20;

/// Why a file cannot be read; nothing in it names a path.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It is none of the kinds that are known.
    #[error("the file is neither WAV, Ogg/Opus, MP4 nor an H.264 byte stream")]
    Unknown,
    /// It is cut off, or says of itself what cannot be.
    #[error("the file is malformed: {0}")]
    Malformed(String),
    /// It is whole, and there is nothing in it.
    #[error("the file holds neither pictures nor sound")]
    Empty,
    /// It holds what is not spoken here.
    #[error("the file holds {0}, which is not played here; use H.264 with Opus, AAC-LC or PCM")]
    Codec(String),
}

pub(super) fn malformed(what: impl Into<String>) -> ContainerError {
    ContainerError::Malformed(what.into())
}

/// A picture as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodedPicture {
    /// When it is shown, from the file's beginning on.
    pub at: Duration,
    /// NAL units without start codes, in order; SPS and PPS first in a keyframe, wherever the file has them.
    pub nal_units: Vec<Bytes>,
    /// Whether a decoder can start here.
    pub keyframe: bool,
}

/// A piece of sound as it stands in a file.
#[derive(Clone, Debug, PartialEq)]
pub enum CodedSound {
    /// An Opus packet.
    Opus {
        /// When its first sample is heard, from the file's beginning on. Packets that begin before it, as the decoder's pre-skip does, are
        /// left out.
        at: Duration,
        /// The packet.
        packet: Bytes,
    },
    /// Samples, decoded: one channel at 48 kHz, full scale ±1.
    Samples {
        /// When the first is heard.
        at: Duration,
        /// The samples.
        samples: Vec<f32>,
    },
}

/// Pictures in the order in which they are decoded, without reordering: files with B-pictures are refused.
pub trait PictureStream: Send {
    /// The next; `None` at the end.
    ///
    /// # Errors
    /// Where the file says what cannot be.
    fn next(&mut self) -> Result<Option<CodedPicture>, ContainerError>;
}

/// Sound in order.
pub trait SoundStream: Send {
    /// The next; `None` at the end.
    ///
    /// # Errors
    /// Where the file says what cannot be.
    fn next(&mut self) -> Result<Option<CodedSound>, ContainerError>;
}

/// A file that is being read.
pub struct Media {
    /// Its pictures, where it has any.
    pub pictures: Option<Box<dyn PictureStream>>,
    /// Its sound, where it has any.
    pub sound: Option<Box<dyn SoundStream>>,
    /// How long it is; where nothing says so, as far as it was looked at.
    pub duration: Duration,
}

impl Media {
    /// Opens a file by what is in it, not by its name.
    ///
    /// # Errors
    /// Where it cannot be read, or holds nothing that is played here.
    pub fn open(path: &Path) -> Result<Self, ContainerError> {
        Self::read(std::fs::File::open(path)?)
    }

    /// The same for what is open, or in memory.
    ///
    /// # Errors
    /// As of [`Media::open`].
    pub fn read(from: impl ReadAt + 'static) -> Result<Self, ContainerError> {
        let source = Source::new(from)?;
        let head = source.at_most(0, 12)?;
        match (head.get(..4), head.get(4..8), head.get(8..12)) {
            (Some(b"RIFF"), _, Some(b"WAVE")) => wav::open(source),
            (Some(b"OggS"), ..) => ogg::open(&source),
            (_, Some(b"ftyp" | b"moov" | b"styp" | b"free" | b"wide" | b"skip" | b"mdat"), _) => mp4::open(&source),
            (Some([0, 0, 1, _] | [0, 0, 0, 1]), ..) => annex_b::open(&source),
            _ => Err(ContainerError::Unknown),
        }
    }
}

impl std::fmt::Debug for Media {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Media").field("pictures", &self.pictures.is_some()).field("sound", &self.sound.is_some()).finish_non_exhaustive()
    }
}
