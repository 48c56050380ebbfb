//! Opus in Ogg (RFC 3533, RFC 7845): written as it comes, from any point on; read from anybody's files.

mod write;

pub use write::Writer;

/// What the first packet begins with (RFC 7845 §5.1).
const HEAD: &[u8; 8] = b"OpusHead";
/// What the second begins with (§5.2).
const TAGS: &[u8; 8] = b"OpusTags";
