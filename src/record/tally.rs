//! What a recording's tracks have written, as they write it.
//!
//! In: files that begin and grow, times that are reached. Out: the same, for the manifest. Never: more bytes than the recording may have.

use std::time::Duration;

use parking_lot::Mutex;

use super::RecordedFile;

/// Shared by a recording's tracks and by whoever asks how far it is.
#[derive(Debug)]
pub struct Tally {
    max_bytes: u64,
    counts: Mutex<Counts>,
}

/// What is on the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// In the order in which they were begun.
    pub files: Vec<RecordedFile>,
    /// Of all files.
    pub bytes: u64,
    /// The end of what is written: the mix's length, or on the recording's line.
    pub reached: Duration,
    /// Pictures and sounds that a disk too slow did not take.
    pub lost: u64,
}

/// The recording is as large as it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is as large as it may be: {0} bytes")]
pub struct Full(pub u64);

impl Tally {
    /// Of a recording that may have so many bytes.
    pub fn new(max_bytes: u64) -> Self {
        Self { max_bytes, counts: Mutex::default() }
    }

    /// A file begins: `begins` after the recording's zero its own time is 0.
    pub fn begin(&self, name: &str, begins: Duration) {
        let file = RecordedFile { name: name.to_owned(), bytes: 0, begins_ms: begins.as_millis() as u64 };
        self.counts.lock().files.push(file);
    }

    /// A file is about to grow by so much.
    ///
    /// # Errors
    /// Where the recording would become too large; nothing is to be written then.
    pub fn claim(&self, bytes: u64) -> Result<(), Full> {
        let mut counts = self.counts.lock();
        if counts.bytes + bytes > self.max_bytes {
            return Err(Full(self.max_bytes));
        }
        counts.bytes += bytes;
        Ok(())
    }

    /// What was claimed for a file is on the disk.
    pub fn grew(&self, name: &str, bytes: u64) {
        if let Some(file) = self.counts.lock().files.iter_mut().find(|file| file.name == name) {
            file.bytes += bytes;
        }
    }

    /// What was claimed is not on the disk and will not be.
    pub fn give_back(&self, bytes: u64) {
        self.counts.lock().bytes -= bytes;
    }

    /// Everything to this point of the recording's line is on the disk, of one track at least.
    pub fn reach(&self, at: Duration) {
        let mut counts = self.counts.lock();
        counts.reached = counts.reached.max(at);
    }

    /// So many pictures or sounds are lost because the disk is too slow.
    pub fn lose(&self, count: u64) {
        self.counts.lock().lost += count;
    }

    /// What there is.
    pub fn counts(&self) -> Counts {
        self.counts.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_share_the_bytes_and_none_gets_more() {
        let tally = Tally::new(100);
        tally.begin("mixed.mp4", Duration::ZERO);
        tally.begin("p1.mp4", Duration::from_millis(1500));
        assert_eq!((tally.claim(60), tally.claim(41)), (Ok(()), Err(Full(100))));
        tally.grew("mixed.mp4", 60);
        assert_eq!(tally.claim(40), Ok(()));
        tally.give_back(40);
        assert_eq!(tally.claim(30), Ok(()));
        tally.grew("p1.mp4", 30);
        let counts = tally.counts();
        assert_eq!((counts.bytes, counts.files[0].bytes, counts.files[1].bytes, counts.files[1].begins_ms), (90, 60, 30, 1500));
    }
}
