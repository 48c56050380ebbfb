//! One participant's intake: RTP packets in, pictures that are due and 20 ms sound blocks out.
//!
//! Pictures: source → reorder → depacketize → assemble → keyframe gate → [`Pool`] → presenter → reel.
//! Sound: source → jitter buffer → decoder, pulled by the room's driver.
//! Both as they came: a [`Wire`] to whoever overhears them.
//!
//! Never: a wait, a clock of its own, or a codec call on the caller's thread for pictures (the pool's threads decode).

mod arrivals;
mod assemble;
mod audio;
mod delay;
mod depacketize;
mod drift;
mod follow;
mod freezes;
mod glide;
mod interarrival;
mod jitter;
mod keyframe;
mod layer;
mod layers;
mod limit;
mod nack;
mod pace;
mod parameters;
mod playout;
mod pool;
mod presenting;
mod reorder;
mod round_trip;
mod source;
mod stretch;
mod switch;
mod sync;
mod video;
mod wall;
mod wire;

use std::sync::Arc;

pub use assemble::{Assembled, Assembler, ReceivedUnit};
pub use audio::AudioIntake;
pub use pool::Pool;
pub use presenting::Timing;
pub use source::{Placed, Source};
pub use sync::LipSync;
pub use video::VideoIntake;
pub use wire::{Coded, Ear, Earpiece, Overheard, Wire, ear};

/// What an intake asks of the sender; `peer` turns it into RTCP, to the stream of the layer (by its place in the offer).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feedback {
    /// Decoding needs a fresh keyframe (PLI). Already rate-limited.
    KeyframeNeeded {
        /// Of this layer.
        layer: u8,
    },
    /// These packets are missing and can still be used (NACK, RFC 4585 §6.2.1). Already bounded.
    Resend {
        /// Of this layer.
        layer: u8,
        /// Their sequence numbers, oldest first.
        sequences: Vec<u16>,
    },
    /// All that they send may have so many bits a second, sound not counted (REMB, or a message to our page).
    Limit {
        /// Bits a second.
        bps: u32,
        /// The largest picture that is of use, in pixels: its width and height.
        size: (u32, u32),
    },
}
