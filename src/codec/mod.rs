//! Codecs: H.264 (`openh264`) and Opus (libopus) behind small traits; pictures as JPEG (libjpeg-turbo).
//!
//! In: access units and packets from the network, frames and blocks from the room. Out: the other of the two.
//! Never: a thread of its own, a clock, or trust in a peer's bytes (the SPS is parsed and bounded first).

pub mod h264;
pub mod jpeg;
pub mod opus;
#[cfg(test)]
pub(crate) mod scenes;
pub mod sps;

use std::sync::Arc;

use bytes::Bytes;

use crate::media::{Frame, MediaTime};

/// Whether the next picture must be one that a receiver can start at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyframe {
    /// An IDR picture with SPS and PPS before it.
    Force,
    /// Whatever the encoder finds best.
    Auto,
}

/// What an encoder is to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoSettings {
    /// Width in pixels, even.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// Frames a second at most.
    pub fps: u32,
    /// Target, in bits a second.
    pub bitrate_bps: u32,
}

/// An access unit as the encoder gave it.
#[derive(Clone, Debug)]
pub struct AccessUnit {
    /// NAL units without start codes, in order; SPS and PPS first in a keyframe.
    pub nal_units: Vec<Bytes>,
    /// Whether a receiver can start here.
    pub keyframe: bool,
}

/// Decodes one sender's video.
pub trait VideoDecoder: Send {
    /// Decodes an access unit in Annex B form (ITU-T H.264 Annex B); `None` where it holds no whole picture.
    ///
    /// # Errors
    /// Where the bytes are no valid picture; the decoder then needs a keyframe and stays usable.
    fn decode(&mut self, access_unit: &[u8]) -> Result<Option<Arc<Frame>>, DecodeError>;
}

/// Encodes one rendition.
pub trait VideoEncoder: Send {
    /// Encodes a picture of the settings' size; `None` where rate control skipped it.
    ///
    /// # Errors
    /// Where the picture has another size or the codec fails.
    fn encode(&mut self, frame: &Frame, at: MediaTime, keyframe: Keyframe) -> Result<Option<AccessUnit>, EncodeError>;

    /// Changes the target bitrate from the next picture on.
    ///
    /// # Errors
    /// Where the codec refuses it.
    fn set_bitrate(&mut self, bitrate_bps: u32) -> Result<(), EncodeError>;
}

/// Why an access unit gave no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The sequence parameter set is malformed or out of the bounds that are decoded.
    #[error("sequence parameter set refused: {0}")]
    Parameters(String),
    /// The codec met bits it cannot decode, or lacks a reference picture.
    #[error("codec error {0}")]
    Codec(String),
}

/// Why a picture or block was not encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The picture's size is not the encoder's.
    #[error("picture of {got_width}x{got_height} given to an encoder of {width}x{height}")]
    Size {
        /// The encoder's width.
        width: u32,
        /// The encoder's height.
        height: u32,
        /// The picture's width.
        got_width: u32,
        /// The picture's height.
        got_height: u32,
    },
    /// The codec refused.
    #[error("codec error {0}")]
    Codec(String),
}
