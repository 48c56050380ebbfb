//! Ogg (RFC 3533) with Opus (RFC 7845).

mod write;

pub use write::{End, Writer};
