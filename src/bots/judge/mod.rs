//! The judges: what a bot makes of the mix that comes back.
//!
//! In: encoded pictures and sound with their arrival. Out: a [`BotReport`]. Never: knowledge of the server under test; what
//! is judged is what a participant could see and hear. A recording of the mix is judged by a [`Screening`].

mod examiner;
mod filter;
mod hearing;
mod history;
mod listener;
pub mod measure;
mod report;
mod screening;
mod sight;
mod slips;
#[cfg(test)]
mod through_codecs;
mod viewer;
mod witness;

pub use examiner::{Evidence, Examiner};
pub use hearing::Hearing;
pub use history::{DelayAt, Gap, History, back_after_ms};
pub use report::{BotReport, PicturesReport, Report, Scrutiny, SentReport, SoundReport, TileReport, ToneReport};
pub use screening::{FilmReport, FilmedReport, Place, Screening};
pub use sight::Sight;
pub use witness::Witness;
