//! A file that grows in whole parts: what is in it can be played at any moment.
//!
//! In: parts. Out: the same on the disk, synced, and counted. Never: half a part that stays, where the disk still does anything.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Ended, Take, Tally, disk};
use crate::metrics::Metrics;

/// One file of a recording. Blocks: not for an async thread.
#[derive(Debug)]
pub struct PartFile {
    file: File,
    name: String,
    path: PathBuf,
    tally: Arc<Tally>,
    metrics: Metrics,
    /// Its length to the end of the last part.
    whole: u64,
}

impl PartFile {
    /// Makes an empty file, and tells the tally of it; `begins` after the recording's zero its own time is 0.
    ///
    /// # Errors
    /// Where the disk does not make it.
    pub fn create(take: &Take, name: &str, begins: Duration) -> Result<Self, Ended> {
        let path = take.folder.join(name);
        let made = OpenOptions::new().append(true).create_new(true).open(&path);
        let file = made.map_err(|error| failed(&path, &error))?;
        take.tally.begin(name, begins);
        Ok(Self { file, name: name.to_owned(), path, tally: take.tally.clone(), metrics: take.metrics.clone(), whole: 0 })
    }

    /// Adds a part, which is on the disk when this returns; `reached` is where it ends: of the mix on its own line, which
    /// is its length, else on the recording's.
    ///
    /// # Errors
    /// Where the recording would be too large, or the disk does not take it: the file then ends with the part before.
    pub fn append(&mut self, part: &[u8], reached: Duration) -> Result<(), Ended> {
        let bytes = part.len() as u64;
        self.tally.claim(bytes).map_err(|full| Ended::LimitReached(full.to_string()))?;
        if let Err(error) = self.file.write_all(part).and_then(|()| self.file.sync_data()) {
            self.tally.give_back(bytes);
            if let Err(error) = self.file.set_len(self.whole) {
                tracing::error!(path = %self.path.display(), %error, "what was written half cannot be cut off");
            }
            return Err(failed(&self.path, &error));
        }
        self.whole += bytes;
        self.metrics.recorded_bytes.inc_by(bytes);
        self.tally.grew(&self.name, bytes);
        self.tally.reach(reached);
        Ok(())
    }
}

/// Who asked is told why; where on the disk, only who runs the server.
fn failed(path: &std::path::Path, error: &std::io::Error) -> Ended {
    tracing::error!(path = %path.display(), %error, "a recording's file cannot be written");
    Ended::Failed(disk::refusal(error))
}
