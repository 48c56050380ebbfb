//! HLS (RFC 8216, draft-pantos-hls-rfc8216bis) with low-latency parts: the mix as files that any number of clients fetch.
//!
//! In: a room's pictures and sounds as any viewer gets them; requests for a playlist or a file. Out: a playlist made once a part, and
//! bytes made once, for all clients. Never: an encode of its own, a file whose content changes, or a stream that nobody asks for.
//!
//! A stream has a media playlist and no multivariant one: there is one variant, and what it is stands in its initialization section, which
//! goes along when the room's canvas changes; `CODECS` and `RESOLUTION` of a multivariant playlist would be those of its beginning. Players
//! read it there: Chromium's (which takes segments alone, no parts, and starts three from the end), Safari's, hls.js.
//!
//! | File | What it does |
//! | --- | --- |
//! | `segmenter`, `sounds` | pictures and sounds → parts of segments; pure |
//! | `window` | the segments that there are; pure |
//! | `playlist` | what is told of them; pure |
//! | `wanted` | what a blocking request waits for; pure |
//! | `stream` | one room's view within bounds: its driver, and who waits for it |
//! | `directory` | which streams there are; begun by a request, ended 30 s after the last |
//! | `rules` | a strict reader that holds playlists against the standards |

mod directory;
mod playlist;
pub mod rules;
mod segmenter;
#[cfg(test)]
mod sim;
mod sounds;
mod stream;
mod wanted;
mod window;

pub use directory::{Hls, HlsError, Key};
pub use stream::Shown;
pub use wanted::Wanted;

/// Ticks of pictures in a millisecond.
const MS: u64 = crate::container::mp4::PICTURE_CLOCK as u64 / 1000;
/// The Part Target Duration: ten pictures of 30 a second, in ticks; no part is longer.
const PART: u64 = 334 * MS;
/// The Target Duration in seconds, which segments are rounded to: one whose keyframe comes late has half a second.
const TARGET_SECONDS: u64 = 2;
/// Whole segments that the first playlist has: players without parts begin three from the end. Chromium's then seeks a target duration
/// ahead, and gives up for good where nothing is there; so the three are longer together.
const TO_BEGIN: u64 = 3;
