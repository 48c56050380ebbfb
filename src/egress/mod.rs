//! What goes out: one H.264 encode per rendition, K+1 Opus encodes per room, fanned out to whoever receives them.
//!
//! Never: an encode that nobody receives, or a receiver that delays another.

mod audio;
mod budget;
mod fanout;
mod keyframe;
mod ladder;
mod mixes;
mod pace;
mod packetize;
mod pictures;
mod rendition;
mod scene;
mod subscription;
mod video;
mod worker;

pub use audio::{AudioEgress, AudioSubscription};
pub use ladder::{Climber, Follow, Line, Lookout, Member, Move, Why, settle};
pub use pace::Pace;
pub use packetize::packetize;
pub use rendition::{Rendition, fitting, within};
pub use scene::{Load, SceneEgress};
pub use subscription::{Turnout, VideoSubscription, subscription};
pub use video::Feed;
