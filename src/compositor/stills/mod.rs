//! Still images: what admins upload, and pictures of canvases.
//!
//! In: PNG or JPEG bytes from anybody, or a [`Frame`](crate::media::Frame). Out: a [`media::Image`](crate::media::Image), or PNG or
//! JPEG bytes. Never: a pixel decoded before the image's size is known and allowed; a URL.

mod decode;
mod encode;

pub use decode::decode;
pub use encode::{encode_jpeg, encode_png};

/// The longest side of an image, in pixels; so it has 16 megapixels (2²⁴) at most.
pub const MAX_SIDE: u32 = 4096;

/// The longest file, in bytes: 8 MiB.
pub const MAX_BYTES: usize = 8 << 20;

/// The file formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StillKind {
    /// PNG; of an animated one the still picture that every reader shows.
    Png,
    /// JPEG; turned upright where it says how it lies.
    Jpeg,
}

impl StillKind {
    /// The media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }
}

/// Why a file is no image for us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StillError {
    /// Longer than [`MAX_BYTES`].
    #[error("the file has {0} bytes: send at most 8 MiB")]
    TooLong(usize),
    /// Of another format, whatever its name or media type says.
    #[error("the file is neither a PNG nor a JPEG: send one of these")]
    Unknown,
    /// A side is longer than [`MAX_SIDE`].
    #[error("image is {width}x{height}: send at most 4096 pixels a side")]
    TooLarge {
        /// Width by its header, in pixels.
        width: u32,
        /// Height by its header, in pixels.
        height: u32,
    },
    /// It would take more memory than an image of the largest size does.
    #[error("the image takes too much memory to decode: send a smaller one, without metadata")]
    TooCostly,
    /// Truncated or damaged.
    #[error("the {0} cannot be decoded ({1}): save the image again and send the whole file")]
    Broken(&'static str, String),
}
