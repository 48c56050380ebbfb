//! The values that flow: time, pictures, sound, scenes, packets and the names of things.
//!
//! Floor 0: plain data, no thread, no clock (but for [`Clock`], which drivers hold), no codec.

mod frame;
mod names;
mod packet;
mod scene;
mod sound;
mod time;

pub use frame::{Composite, Frame, FrameSizeError, Picture};
pub use names::{ParticipantId, RoomName, RoomNameError};
pub use packet::{EncodedPicture, EncodedSound, RtpPacket};
pub use scene::{Border, Canvas, Cell, Fit, Label, Rect, Rgb, Scene, Source};
pub use sound::{BLOCK_PERIOD, BLOCK_SAMPLES, Block, Heard, MixSet, SAMPLE_RATE, SoundSource};
pub use time::{Clock, MediaTime};
