//! The values that flow: time, pictures, sound, scenes, packets and the names of things.
//!
//! Floor 0: plain data, no thread, no clock (but for [`Clock`], which drivers hold), no codec.

mod bounded;
mod demand;
mod frame;
mod gauge;
mod image;
mod names;
mod packet;
mod reel;
mod scene;
mod sound;
mod time;
mod traffic;

pub use bounded::{OutOfRange, Within};
pub use demand::{Demand, Need};
pub use frame::{Composite, Frame, FrameSizeError, Picture};
pub use gauge::{Count, Reading};
pub use image::Image;
pub use names::{NameError, ParticipantId, RoomName, RoomNameError, ShortName, ViewName, unfit_to_show};
pub use packet::{EncodedPicture, EncodedSound, RtpPacket, SenderReport};
pub use reel::Reel;
pub use scene::{Border, Canvas, Cell, Fit, Label, LowerThird, Overlay, Rect, Rgb, Scene, Source};
pub use sound::{BLOCK_PERIOD, BLOCK_SAMPLES, Block, Heard, MixSet, SAMPLE_RATE, SoundSource};
pub use time::{Clock, MediaTime};
pub use traffic::{Meter, SentTraffic, Traffic};
