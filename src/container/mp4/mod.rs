//! MP4 (ISO/IEC 14496-12): written in parts as it comes, read as a whole.

mod write;

pub use write::{Part, PictureTrack, Sample, SoundTrack, Tracks, header, length_prefixed, part};

/// Ticks a second of picture tracks.
pub const PICTURE_CLOCK: u32 = 90_000;
/// Ticks a second of sound tracks.
pub const SOUND_CLOCK: u32 = 48_000;
