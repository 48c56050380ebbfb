//! The NAL units of a byte stream, one after the other (ITU-T H.264 §B.1).
//!
//! In: the file. Out: NAL units without start codes. Never: more in memory than the largest that is taken and a piece.

use bytes::{Buf, Bytes, BytesMut};

use crate::codec::h264;
use crate::container::source::Source;
use crate::container::{ContainerError, MOST_PICTURE, malformed};

/// Bytes that are read at a time.
const PIECE: usize = 64 << 10;

/// Goes through a file's NAL units.
pub(super) struct NalUnits {
    source: Source,
    at: u64,
    held: BytesMut,
    /// Of what is held, so much has no start code in it.
    searched: usize,
    /// Whether what is held begins within a NAL unit.
    within: bool,
}

impl NalUnits {
    pub(super) fn new(source: &Source) -> Self {
        Self { source: source.clone(), at: 0, held: BytesMut::new(), searched: 0, within: false }
    }

    /// Where in the file it is, all that was given out being before it.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The next; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, ContainerError> {
        loop {
            let unit = match h264::start_code(&self.held[self.searched..]) {
                Some((ends, after)) => self.cut(self.searched + ends, after - ends),
                None if self.read()? => continue,
                None if self.held.is_empty() => return Ok(None),
                None => self.cut(self.held.len(), 0),
            };
            if !unit.is_empty() {
                return Ok(Some(unit));
            }
        }
    }

    /// Takes what is before a start code, without the zeros at its end; nothing where it is before the first.
    fn cut(&mut self, ends: usize, start_code: usize) -> Bytes {
        let unit = self.held.split_to(ends).freeze();
        self.held.advance(start_code);
        self.searched = 0;
        let was_within = std::mem::replace(&mut self.within, true);
        let length = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        if was_within { unit.slice(..length) } else { Bytes::new() }
    }

    /// Holds a piece more; `false` at the end of the file.
    fn read(&mut self) -> Result<bool, ContainerError> {
        // A start code may begin with the last two bytes
        self.searched = self.held.len().saturating_sub(2);
        if self.held.len() > MOST_PICTURE {
            return Err(malformed(format!("a NAL unit of more than {MOST_PICTURE} bytes")));
        }
        let piece = self.source.at_most(self.at, PIECE)?;
        self.at += piece.len() as u64;
        self.held.extend_from_slice(&piece);
        Ok(!piece.is_empty())
    }
}
