//! One participant's intake: RTP packets in, newest picture and 20 ms sound blocks out.
//!
//! Pictures: source → reorder → depacketize → assemble → keyframe gate → [`Pool`] → newest picture.
//! Sound: source → jitter buffer → decoder, pulled by the room's driver.
//!
//! Never: a wait, a clock of its own, or a codec call on the caller's thread for pictures (the pool's threads decode).

mod arrivals;
mod assemble;
mod audio;
mod delay;
mod depacketize;
mod jitter;
mod keyframe;
mod parameters;
mod pool;
mod reorder;
mod source;
mod video;

use std::sync::Arc;

pub use assemble::{Assembled, Assembler, ReceivedUnit};
pub use audio::AudioIntake;
pub use pool::Pool;
pub use video::VideoIntake;

/// What an intake asks of the sender; `peer` turns it into RTCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feedback {
    /// Decoding needs a fresh keyframe (PLI). Already rate-limited.
    KeyframeNeeded,
}
