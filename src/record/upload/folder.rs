//! Files that go into another folder: written beside their place, synced, then put there by their name.
//!
//! In: pieces. Out: a file that is there whole or not at all. Never: half a file under its own name, or one
//! that was given up under another.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::fault::Fault;

/// A file on its way; nothing of it stays where it is dropped before its end.
#[derive(Debug)]
pub(super) struct Writing {
    file: File,
    temporary: TempPath,
    path: PathBuf,
}

impl Writing {
    /// Begins; what a crash left of an earlier try is written over.
    pub(super) fn begin(path: PathBuf) -> Result<Self, Fault> {
        let folder = path.parent().expect("a recording's file is in the recording's folder");
        let mut temporary = path.clone().into_os_string();
        temporary.push(".part");
        let made = fs::create_dir_all(folder).and_then(|()| {
            let temporary = TempPath::try_from_path(temporary)?;
            Ok((File::create(&temporary)?, temporary))
        });
        let (file, temporary) = made.map_err(|error| Fault::there(&error))?;
        Ok(Self { file, temporary, path })
    }

    pub(super) fn piece(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.file.write_all(bytes).map_err(|error| Fault::there(&error))
    }

    /// It is on the disk under its name when this returns.
    pub(super) fn finish(self) -> Result<(), Fault> {
        let Self { file, temporary, path } = self;
        let folder = path.parent().expect("a recording's file is in the recording's folder");
        let put = file.sync_all().and_then(|()| temporary.persist(&path).map_err(io::Error::from));
        put.and_then(|()| File::open(folder)?.sync_all()).map_err(|error| Fault::there(&error))
    }
}

/// The size of a file that is there.
pub(super) fn size(path: &Path) -> Result<Option<u64>, Fault> {
    match fs::metadata(path) {
        Ok(there) => Ok(Some(there.len()).filter(|_| there.is_file())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::there(&error)),
    }
}
