//! MP4 (ISO/IEC 14496-12): written in parts as it comes, read as a whole.

mod boxes;
mod fragments;
mod pictures;
mod read;
mod recover;
mod sound;
mod tables;
mod track;
mod write;

use super::source::Source;
use super::{ContainerError, Media};

pub use recover::{duration, whole_parts};
pub use write::{Part, PictureTrack, Sample, SoundTrack, Tracks, header, length_prefixed, part};

/// Ticks a second of picture tracks.
pub const PICTURE_CLOCK: u32 = 90_000;
/// Ticks a second of sound tracks.
pub const SOUND_CLOCK: u32 = 48_000;

pub(super) fn open(source: &Source) -> Result<Media, ContainerError> {
    read::Movie::open(source)?.media()
}
