//! Boxes (ISO/IEC 14496-12 §4.2): what each is, and where it ends.
//!
//! In: a file, or a box's content. Out: the boxes in it, one after the other. Never: a box that is longer than what it is in, or one that
//! does not lead on.

use bytes::{Buf, Bytes};

use crate::container::source::Source;
use crate::container::{ContainerError, malformed};

/// A box's type.
pub(super) type Kind = [u8; 4];

/// Boxes of a whole file that are looked at: those of two days in parts of a third of a second.
const MOST_BOXES: u32 = 2_000_000;
/// Of what is read as a whole: the tables of some two million samples.
const MOST_BYTES: u64 = 64 << 20;

/// A type as it can be shown.
pub(super) fn name(kind: Kind) -> String {
    kind.escape_ascii().to_string()
}

/// A box of a file; only its header was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outline {
    pub(super) kind: Kind,
    /// Where its header begins.
    pub(super) begins: u64,
    /// Where its content begins.
    pub(super) content: u64,
    pub(super) ends: u64,
}

impl Outline {
    /// What is in it.
    pub(super) fn read(&self, source: &Source) -> Result<Bytes, ContainerError> {
        let length = self.ends - self.content;
        if length > MOST_BYTES {
            return Err(malformed(format!("its {} box is longer than {MOST_BYTES} bytes", name(self.kind))));
        }
        source.bytes(self.content, length as usize)
    }
}

/// Goes through a file's own boxes by their headers.
#[derive(Clone)]
pub(super) struct Outlines {
    source: Source,
    at: u64,
    seen: u32,
}

impl Outlines {
    pub(super) fn new(source: &Source) -> Self {
        Self { source: source.clone(), at: 0, seen: 0 }
    }

    /// The next; `None` at the end. What is cut off is an error, and so is all after it.
    pub(super) fn next(&mut self) -> Result<Option<Outline>, ContainerError> {
        if self.at >= self.source.length() {
            return Ok(None);
        }
        self.seen += 1;
        if self.seen > MOST_BOXES {
            return Err(malformed(format!("it has more than {MOST_BOXES} boxes")));
        }
        let head = self.source.at_most(self.at, 16)?;
        let left = self.source.length() - self.at;
        let (kind, header, length) = read_header(&head, left)?;
        let begins = self.at;
        self.at += length;
        Ok(Some(Outline { kind, begins, content: begins + header, ends: self.at }))
    }
}

/// The boxes within a box.
#[derive(Clone, Debug, Default)]
pub(super) struct Boxes(Bytes);

impl Boxes {
    pub(super) fn new(content: Bytes) -> Self {
        Self(content)
    }

    /// The next and its content; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(Kind, Bytes)>, ContainerError> {
        // QuickTime ends some lists with four zeros
        if self.0.len() < 8 {
            return Ok(None);
        }
        let (kind, header, length) = read_header(&self.0, self.0.len() as u64)?;
        let mut content = self.0.split_to(length as usize);
        content.advance(header as usize);
        Ok(Some((kind, content)))
    }

    /// The content of the first of a kind.
    pub(super) fn find(mut self, wanted: &Kind) -> Result<Option<Bytes>, ContainerError> {
        while let Some((kind, content)) = self.next()? {
            if kind == *wanted {
                return Ok(Some(content));
            }
        }
        Ok(None)
    }

    /// The content of the first of a kind that has to be there.
    pub(super) fn need(self, wanted: &Kind) -> Result<Bytes, ContainerError> {
        self.find(wanted)?.ok_or_else(|| malformed(format!("it has no {} box", name(*wanted))))
    }
}

/// Type, length of the header and length of the whole, at most `left`.
fn read_header(bytes: &[u8], left: u64) -> Result<(Kind, u64, u64), ContainerError> {
    let mut rest = bytes;
    let short = |_| malformed("its last box is cut off");
    let length = rest.try_get_u32().map_err(short)?;
    let kind = rest.try_get_u32().map_err(short)?.to_be_bytes();
    let (header, length) = match length {
        0 => (8, left),
        1 => (16, rest.try_get_u64().map_err(short)?),
        length => (8, length.into()),
    };
    if length < header || length > left {
        return Err(malformed(format!("its {} box claims {length} bytes where there are {left}", name(kind))));
    }
    Ok((kind, header, length))
}
