//! The judges: what a bot makes of the mix that comes back.

mod filter;
mod hearing;
pub mod measure;
pub mod report;
mod sight;

pub use hearing::Hearing;
pub use report::{BotReport, PicturesReport, Report, Scrutiny, SentReport, SoundReport, TileReport, ToneReport};
pub use sight::Sight;
