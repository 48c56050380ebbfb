//! A canvas as an image file.
//!
//! In: I420, BT.601 limited range. Out: PNG or JPEG. Takes milliseconds: never on an async thread.

use bytes::Bytes;

use crate::codec::EncodeError;
use crate::codec::jpeg::JpegEncoder;
use crate::compositor::stills;
use crate::media::Frame;

const JPEG_QUALITY: u8 = 85;

/// What an image is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Format {
    Png,
    Jpeg,
}

impl Format {
    /// Its media type.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }
}

/// The frame as a file.
///
/// # Errors
/// Where the codec has no memory for it.
pub(super) fn encode(frame: &Frame, format: Format) -> Result<Bytes, EncodeError> {
    match format {
        Format::Png => Ok(stills::encode_png(frame).into()),
        Format::Jpeg => JpegEncoder::new(JPEG_QUALITY)?.encode(frame),
    }
}
