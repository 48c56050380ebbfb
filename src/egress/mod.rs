//! What goes out: one H.264 encode per rendition, K+1 Opus encodes per room, fanned out to whoever receives them.
//!
//! Never: an encode that nobody receives, or a receiver that delays another.

mod audio;
mod budget;
mod fanout;
mod keyframe;
mod mixes;
mod packetize;
mod pictures;
mod video;

pub use audio::{AudioEgress, AudioSubscription};
pub use video::{VideoEgress, VideoSubscription};
