//! What is left of a fragmented file that nobody ended.
//!
//! In: a file, as a crash left it. Out: up to where it can be played, and how long that is. Never: a look at what its samples hold.

use std::time::Duration;

use super::boxes::Outlines;
use super::read::Movie;
use crate::container::source::Source;
use crate::container::{ContainerError, ReadAt};

/// Bytes up to the end of the last part of which all is there, at least up to the end of the header; 0 where that is not whole. Cut there, a
/// file is as if it had been ended. Boxes after one that was never written, or is none of those that are written here, do not count.
///
/// # Errors
/// Where the file cannot be read.
pub fn whole_parts(from: impl ReadAt + 'static) -> Result<u64, ContainerError> {
    let source = Source::new(from)?;
    let mut outlines = Outlines::new(&source);
    let (mut whole, mut awaited) = (0, false);
    loop {
        let outline = match outlines.next() {
            Ok(Some(outline)) => outline,
            Err(ContainerError::Io(error)) => return Err(error.into()),
            _ => return Ok(whole),
        };
        match &outline.kind {
            b"moov" => whole = outline.ends,
            b"moof" => awaited = whole > 0,
            b"mdat" if awaited => (whole, awaited) = (outline.ends, false),
            b"ftyp" | b"styp" | b"sidx" | b"free" => {}
            _ => return Ok(whole),
        }
    }
}

/// How long an MP4 file is, by its samples' times; its last part need not be whole.
///
/// # Errors
/// Where it cannot be read or is malformed.
pub fn duration(from: impl ReadAt + 'static) -> Result<Duration, ContainerError> {
    Movie::open(&Source::new(from)?)?.survey()
}
