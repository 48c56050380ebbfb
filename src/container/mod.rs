//! Media in files: MP4 (ISO/IEC 14496-12), Ogg/Opus (RFC 7845), H.264 byte streams (ITU-T H.264 Annex B), WAV.
//!
//! In: coded pictures and sounds with their times, or a file from anybody. Out: the other of the two. Never: trust in what a file says
//! of itself: lengths, counts and offsets are held against the file before anything is made of them.
//!
//! | File | What it does |
//! | --- | --- |
//! | `mp4` | fragmented MP4 as it grows; any MP4 that is read |
//! | `ogg` | Ogg/Opus as it comes, from any point on; any that is read |
//! | `annex_b` | H.264 byte streams |
//! | `wav` | WAV |
//! | `open` | a file of any kind, as coded pictures and sounds in order |
//! | `source` | a file's bytes, read where they are asked for |
//! | `decode`, `rate` | AAC and PCM to one channel; that to 48 kHz |

mod annex_b;
mod decode;
pub mod mp4;
pub mod ogg;
mod open;
mod rate;
mod source;
mod wav;

pub use open::{CodedPicture, CodedSound, ContainerError, Media, PictureStream, SoundStream};
pub use source::ReadAt;

use open::{MOST_PICTURE, malformed};

#[cfg(test)]
mod tests;
