//! Files that play into rooms: what was uploaded, and who plays it where.
//!
//! In: uploads from anybody who may make them, wishes of admins. Out: one more participant for each play, whose packets come as those of
//! a client would. Never: a file that was not looked into before it was kept, a room that waits for a disk, or a queue without a bound.
//!
//! | File | What it does |
//! | --- | --- |
//! | `files`, `upload` | uploaded files: kept, listed, forgotten; how one comes in |
//! | `inspect` | whether a file can be played, found out by decoding some of it |
//! | `score`, `sounds`, `stills` | a file as packets with their times, pass after pass without a gap |
//! | `reading` | the thread that reads ahead |
//! | `scheduler` | which packets are due; pure |
//! | `playing` | one player's task: real time, the seat, the end |
//! | `troupe` | which players there are |

mod files;
mod inspect;
mod playing;
mod reading;
mod scheduler;
mod score;
mod sounds;
mod stills;
#[cfg(test)]
mod tests;
mod troupe;
mod upload;

pub use files::{FileError, FileLimits, FileReport, Files, PictureSize};
pub use inspect::UnfitError;
pub use troupe::{PlayError, PlayWish, PlayerId, PlayerReport, PlayerState, Players};
pub use upload::Upload;
