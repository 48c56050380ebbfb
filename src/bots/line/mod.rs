//! The line between a bot and the server, made as bad as it is to be.
//!
//! In: [`LineSettings`], datagrams and the present time. Out: the datagrams with the times at which they are due, and counts
//! of what became of them. The same seed and the same datagrams at the same times give the same line. Never: a socket, a
//! clock, or a difference between media, DTLS and STUN: all of them pass, as on a real line.

pub mod counts;
mod lag;
mod losses;
mod passage;
pub mod profile;
pub mod settings;

pub use counts::{LineReport, Tally, WayReport};
pub use passage::Passage;
pub use profile::Profile;
pub use settings::{Blackout, Change, Jitter, LineSettings, Loss, Move, Order, Queue, Rate, Relocation, Reordering, Schedule, Shape, Way};
