//! Bots: real WebRTC participants which judge what the server sends them.
//!
//! In: a server's URL. Out: a [`Report`] of what participants see and hear there. Never: a shortcut past the network, or a
//! line of code shared with the server's own WebRTC; these are `str0m`, an independent stack.
//!
//! The way of what a bot sends: [`picture`] (with a [`mark`]) and [`sound`] → `sender` (a thread: encodes) → `peer` (a task:
//! the session) → `wire` (its socket, with its [`mod@line`] before it). The way of what it receives: `wire` → `peer` → [`judge`]
//! (a thread: decodes, sees, hears) → [`Report`]. [`grid`] has bots live through bad lines. [`wall`] is the time that all of them share, `own_clock` a bot's own.

mod bot;
pub mod files;
pub mod grid;
mod http;
pub mod judge;
pub mod line;
pub mod mark;
mod offer;
mod own_clock;
mod peer;
pub mod picture;
mod relocation;
mod run;
mod sender;
pub mod sound;
mod spending;
mod usage;
pub mod wall;
mod wire;

#[cfg(test)]
mod adapting;
#[cfg(test)]
mod echo;

pub use bot::{Asks, Bot, BotSettings, JoinError, Show, Speech};
pub use http::HttpError;
pub use judge::{BotReport, Report};
pub use peer::PeerError;
pub use run::{BotsError, BotsOptions, run, run_telling};
