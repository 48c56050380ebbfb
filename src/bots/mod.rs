//! Bots: real WebRTC participants on `str0m`, an independent stack, which judge what the server sends them.

pub mod judge;
pub mod mark;
pub mod picture;
pub mod sound;
pub mod wall;
