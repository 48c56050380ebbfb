//! The folder of all recordings: a folder for each, with its manifest and its files.
//!
//! In: manifests. Out: the same after a restart; what a crash left of an active one, cut to what can be played. Never: a path made of
//! what a request says, or a folder that is not a recording's touched.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{Manifest, RecordingId, State, recover};
use crate::media::RoomName;
use crate::store::{self, StoreError};

const MANIFEST: &str = "manifest.json";
/// Bytes that are there so that a full disk still takes the word of how the recording ended.
const RESERVE: &str = "reserve";
const RESERVED: usize = 64 * 1024;
/// What folders are called that are being removed; no recording is called so.
const GONE: &str = ".gone-";

/// Where recordings are kept.
#[derive(Debug)]
pub(super) struct Shelf {
    folder: PathBuf,
    /// Removed with the server, where nobody said where to keep recordings.
    _temporary: Option<tempfile::TempDir>,
}

/// What the disk did not do.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {error}", path = path.display())]
pub struct ShelfError {
    /// The file or folder.
    path: PathBuf,
    /// What the system says.
    pub(super) error: io::Error,
}

impl Shelf {
    /// Makes the folder where it is not there; without one, a temporary folder.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub(super) fn open(folder: Option<PathBuf>) -> Result<Self, ShelfError> {
        if let Some(folder) = folder {
            fs::create_dir_all(&folder).map_err(at(&folder))?;
            return Ok(Self { folder, _temporary: None });
        }
        let made = tempfile::Builder::new().prefix("medley-recordings-").tempdir();
        let temporary = made.map_err(at(&std::env::temp_dir()))?;
        Ok(Self { folder: temporary.path().to_owned(), _temporary: Some(temporary) })
    }

    /// Whether what is kept outlives the server.
    pub(super) fn is_lasting(&self) -> bool {
        self._temporary.is_none()
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of one recording.
    pub(super) fn folder_of(&self, id: &RecordingId) -> PathBuf {
        self.folder.join(id.as_str())
    }

    /// All recordings there are. Those that a crash cut off are recovered; what cannot be read is reported and left as it is.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub(super) fn load(&self) -> Result<Vec<Manifest>, ShelfError> {
        let listed = fs::read_dir(&self.folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut manifests = Vec::new();
        for entry in listed.map_err(at(&self.folder))? {
            let name = entry.file_name().into_string().unwrap_or_default();
            if name.starts_with(GONE) {
                let removed = fs::remove_dir_all(entry.path());
                tracing::warn!(path = %entry.path().display(), ?removed, "a removal was broken off; it is carried through");
            }
            let Ok(id) = name.parse() else { continue };
            match self.read(&id) {
                Ok(manifest) => manifests.push(manifest),
                Err(error) => tracing::error!(%error, "a recording cannot be read; it is left as it is"),
            }
        }
        Ok(manifests)
    }

    fn read(&self, id: &RecordingId) -> Result<Manifest, ShelfError> {
        let path = self.folder_of(id).join(MANIFEST);
        let wrong = |reason: String| at(&path)(io::Error::new(io::ErrorKind::InvalidData, reason));
        let text = fs::read(&path).map_err(at(&path))?;
        let mut manifest: Manifest = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        let is_ours = manifest.room.parse::<RoomName>().is_ok() && manifest.files.iter().all(|file| recover::is_ours(&file.name));
        if manifest.id != *id || !is_ours {
            return Err(wrong("it is another recording's, or names a room or files that no recording has".into()));
        }
        if manifest.state == State::Active {
            recover::recover(&self.folder_of(id), &mut manifest).map_err(at(&path))?;
            tracing::warn!(%id, state = ?manifest.state, duration_ms = manifest.duration_ms, "a recording was cut off; it is recovered");
            self.finish(&manifest)?;
        }
        Ok(manifest)
    }

    /// Makes the folder of a recording that begins.
    ///
    /// # Errors
    /// Where the disk does not take it; nothing is left then.
    pub(super) fn begin(&self, manifest: &Manifest) -> Result<PathBuf, ShelfError> {
        let folder = self.folder_of(&manifest.id);
        fs::create_dir(&folder).map_err(at(&folder))?;
        let reserve = folder.join(RESERVE);
        let begun = fs::write(&reserve, [0; RESERVED]).map_err(at(&reserve)).and_then(|()| self.keep(manifest));
        let begun = begun.and_then(|()| File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(at(&self.folder)));
        if let Err(error) = begun {
            // Where this fails as well, the next start finds a recording without files.
            let _ = fs::remove_dir_all(&folder);
            return Err(error);
        }
        Ok(folder)
    }

    /// Writes down how far a recording is.
    ///
    /// # Errors
    /// Where the disk does not take it; what was written down before still is.
    pub(super) fn keep(&self, manifest: &Manifest) -> Result<(), ShelfError> {
        let text = serde_json::to_vec_pretty(manifest).expect("a manifest of strings and numbers is JSON");
        let written = store::replace(&self.folder_of(&manifest.id).join(MANIFEST), &text);
        written.map_err(|error| match error {
            StoreError::File { path, error } => ShelfError { path, error },
            StoreError::Name(name) => ShelfError { path: name.into(), error: io::ErrorKind::InvalidInput.into() },
        })
    }

    /// Writes down how a recording ended.
    ///
    /// # Errors
    /// Where the disk does not take even that; the next start then takes it for one that a crash cut off.
    pub(super) fn finish(&self, manifest: &Manifest) -> Result<(), ShelfError> {
        // One that is not there any more has made its room already.
        let _ = fs::remove_file(self.folder_of(&manifest.id).join(RESERVE));
        self.keep(manifest)
    }

    /// Removes a recording: at once from sight, then from the disk.
    ///
    /// # Errors
    /// Where the disk does not do it; it is still there then.
    pub(super) fn remove(&self, id: &RecordingId) -> Result<(), ShelfError> {
        let (folder, gone) = (self.folder_of(id), self.folder.join(format!("{GONE}{id}")));
        fs::rename(&folder, &gone).map_err(at(&folder))?;
        if let Err(error) = fs::remove_dir_all(&gone) {
            tracing::error!(path = %gone.display(), %error, "a removed recording is still on the disk; the next start tries again");
        }
        Ok(())
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ShelfError {
    let path = path.to_owned();
    move |error| ShelfError { path, error }
}
