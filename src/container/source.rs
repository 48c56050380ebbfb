//! The bytes of a file, read where they are asked for.
//!
//! In: a file, or bytes in memory; a place and a length. Out: just those bytes. Never: more in memory than was asked for, or a length
//! that is taken from the file itself without being held against the file's end.

use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::{ContainerError, malformed};

/// What can be read at any place, by several at once.
pub trait ReadAt: Send + Sync {
    /// How many bytes there are.
    ///
    /// # Errors
    /// What the system says.
    fn length(&self) -> io::Result<u64>;

    /// Fills `bytes` with what is at `place`.
    ///
    /// # Errors
    /// What the system says; `UnexpectedEof` where there is less.
    fn read_exact_at(&self, bytes: &mut [u8], place: u64) -> io::Result<()>;
}

impl ReadAt for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    #[cfg(unix)]
    fn read_exact_at(&self, bytes: &mut [u8], place: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, bytes, place)
    }

    #[cfg(windows)]
    fn read_exact_at(&self, mut bytes: &mut [u8], mut place: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let read = std::os::windows::fs::FileExt::seek_read(self, bytes, place)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes = &mut bytes[read..];
            place += read as u64;
        }
        Ok(())
    }
}

impl ReadAt for Bytes {
    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_exact_at(&self, bytes: &mut [u8], place: u64) -> io::Result<()> {
        let here = usize::try_from(place).ok().and_then(|place| self.get(place..)?.get(..bytes.len()));
        bytes.copy_from_slice(here.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// A file with its length when it was opened.
#[derive(Clone)]
pub(super) struct Source {
    from: Arc<dyn ReadAt>,
    length: u64,
}

impl Source {
    pub(super) fn new(from: impl ReadAt + 'static) -> Result<Self, ContainerError> {
        let length = from.length()?;
        Ok(Self { from: Arc::new(from), length })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// So many bytes from a place on; the caller has bounded how many.
    pub(super) fn bytes(&self, place: u64, count: usize) -> Result<Bytes, ContainerError> {
        if place.checked_add(count as u64).is_none_or(|end| end > self.length) {
            return Err(malformed(format!("{count} bytes at {place} lie beyond its end at {}", self.length)));
        }
        let mut bytes = vec![0; count];
        self.from.read_exact_at(&mut bytes, place)?;
        Ok(bytes.into())
    }

    /// As many bytes as there are from a place on, at most `most`.
    pub(super) fn at_most(&self, place: u64, most: usize) -> Result<Bytes, ContainerError> {
        let left = self.length.saturating_sub(place);
        self.bytes(place.min(self.length), left.min(most as u64) as usize)
    }
}
