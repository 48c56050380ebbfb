//! A file on its way in.
//!
//! In: its bytes, piece by piece. Out: a kept file, once it is whole and was looked into. Given up at any point, it leaves nothing.
//! Never: all of it in memory, or a write on the async runtime's threads.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use tempfile::NamedTempFile;
use tokio::sync::OwnedSemaphorePermit;

use super::files::{FileError, FileReport, Files};
use crate::media::ShortName;

/// An upload that is under way. Dropping it gives it up.
#[derive(Debug)]
pub struct Upload {
    name: ShortName,
    /// There but while a piece is being written.
    file: Option<NamedTempFile>,
    room: Room,
    _turn: OwnedSemaphorePermit,
}

/// Room on the disk, until the file is kept or given up.
#[derive(Debug)]
struct Room {
    files: Arc<Files>,
    bytes: u64,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.files.release(self.bytes);
    }
}

impl Upload {
    pub(super) fn new(files: Arc<Files>, name: ShortName, file: NamedTempFile, turn: OwnedSemaphorePermit) -> Self {
        Self { name, file: Some(file), room: Room { files, bytes: 0 }, _turn: turn }
    }

    /// How many bytes have come.
    pub fn bytes(&self) -> u64 {
        self.room.bytes
    }

    /// Writes the next piece.
    ///
    /// # Errors
    /// Where the file becomes too long, or the disk does not take it; the upload is over then.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), FileError> {
        let more = piece.len() as u64;
        self.room.files.reserve(more, self.room.bytes)?;
        self.room.bytes += more;
        let mut file = self.file.take().ok_or_else(broken_off)?;
        let written = tokio::task::spawn_blocking(move || file.write_all(&piece).map(|()| file));
        self.file = Some(written.await.map_err(io::Error::other)??);
        Ok(())
    }

    /// Looks into the whole file and keeps it; whether one of that name was there. It is carried through though nobody waits for it.
    ///
    /// # Errors
    /// Where it cannot be played or kept.
    pub async fn finish(mut self) -> Result<(bool, FileReport), FileError> {
        let file = self.file.take().ok_or_else(broken_off)?;
        let kept = tokio::task::spawn_blocking(move || self.room.files.keep(&self.name, file));
        kept.await.map_err(io::Error::other)?
    }
}

fn broken_off() -> io::Error {
    io::Error::other("a write broke off")
}
