//! Uploaded files that can be played: kept, listed, lent to players, forgotten.
//!
//! In: uploads that were looked into. Out: reports, and where a file lies for whoever plays it. A file is on the disk when it is told of:
//! its bytes synced under another name, renamed, the folder synced. Never: a file that is removed or replaced while it plays, or a wait
//! for the disk of whoever asks what there is.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;
use tempfile::{NamedTempFile, TempDir};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::inspect::{Findings, Reach, UnfitError, inspect};
use super::upload::Upload;
use crate::container::{ContainerError, Media};
use crate::media::ShortName;

/// What files of ours end with, what those end with that are not whole yet, and those that could not be read.
const KEPT: &str = "media";
pub(super) const TEMPORARY: &str = ".tmp";
const BROKEN: &str = "media.broken";
/// Uploads at once.
const UPLOADS: usize = 4;
/// Files at most.
const MOST_FILES: usize = 1000;

/// Bounds on uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLimits {
    /// Bytes of a file at most.
    pub max_bytes: u64,
    /// Bytes of all files at most.
    pub max_total_bytes: u64,
}

impl Default for FileLimits {
    fn default() -> Self {
        Self { max_bytes: 256 << 20, max_total_bytes: 4 << 30 }
    }
}

/// How large pictures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PictureSize {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

/// A file that can be played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FileReport {
    /// Its name.
    pub name: ShortName,
    /// Its length.
    pub bytes: u64,
    /// How long it plays.
    pub duration_ms: u64,
    /// How large its pictures are; null where it has none.
    pub video: Option<PictureSize>,
    /// Whether it has sound.
    pub audio: bool,
    /// How many players play it.
    pub players: usize,
}

/// Why a file is not kept, told or forgotten.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is not there.
    #[error("there is no file {0}; GET /v1/files lists those there are")]
    NotFound(ShortName),
    /// It cannot be played.
    #[error(transparent)]
    Unfit(#[from] UnfitError),
    /// It is too long.
    #[error("the file is longer than {0} bytes; send a shorter one, or encode it smaller")]
    TooLong(u64),
    /// There is no room for it.
    #[error("there is no room for the file: {0}; delete others first")]
    NoRoom(String),
    /// A player plays it.
    #[error("the file {0} is playing; stop its players first")]
    Playing(ShortName),
    /// It is being replaced or removed.
    #[error("the file {0} is being replaced or removed; try again in a while")]
    Changing(ShortName),
    /// Too many uploads are under way.
    #[error("{UPLOADS} uploads are under way already; send it again in a while")]
    Busy,
    /// The disk did not take it.
    #[error("the file could not be kept, and nothing was changed: the server's disk says {0}")]
    Disk(io::ErrorKind),
}

impl From<io::Error> for FileError {
    /// Who asked is told the reason; where on the disk, only who runs the server.
    fn from(error: io::Error) -> Self {
        tracing::error!(%error, "the folder of files does not do a write; it is refused");
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoRoom("the server's disk is full".into()),
            kind => Self::Disk(kind),
        }
    }
}

impl From<ContainerError> for FileError {
    fn from(error: ContainerError) -> Self {
        Self::Unfit(error.into())
    }
}

/// All uploaded files.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
    /// Goes with the server, where there is no data directory.
    _temporary: Option<TempDir>,
    limits: FileLimits,
    pub(super) shelf: Mutex<Shelf>,
    /// Held by whoever replaces or removes a file, who waits for the disk.
    writing: Mutex<()>,
    uploads: Arc<Semaphore>,
}

/// What there is, by name.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) files: BTreeMap<ShortName, FileReport>,
    /// Bytes of uploads that are under way.
    coming: u64,
    /// The file that is being replaced or removed.
    changing: Option<ShortName>,
}

impl Shelf {
    fn bytes(&self) -> u64 {
        self.coming + self.files.values().map(|file| file.bytes).sum::<u64>()
    }

    fn check_idle(&self, name: &ShortName) -> Result<(), FileError> {
        let playing = self.files.get(name).is_some_and(|file| file.players > 0);
        if playing { Err(FileError::Playing(name.clone())) } else { Ok(()) }
    }

    fn check_place(&self, name: &ShortName) -> Result<(), FileError> {
        let full = self.files.len() >= MOST_FILES && !self.files.contains_key(name);
        if full { Err(FileError::NoRoom(format!("there are {MOST_FILES} files"))) } else { Ok(()) }
    }
}

/// The right to replace or remove a file, which is lent to nobody meanwhile.
pub(super) struct Change<'a> {
    shelf: &'a Mutex<Shelf>,
    _turn: MutexGuard<'a, ()>,
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.shelf.lock().changing = None;
    }
}

impl Files {
    /// The files that are kept in `files` below the data directory; in a folder that goes with the server where there is none. Reads
    /// files: not for an async thread.
    ///
    /// # Errors
    /// Where the folder cannot be made or read.
    pub fn open(data_dir: Option<&Path>, limits: FileLimits) -> io::Result<Arc<Self>> {
        let temporary = data_dir.is_none().then(|| tempfile::Builder::new().prefix("medley-files-").tempdir()).transpose()?;
        let folder = match (&temporary, data_dir) {
            (None, Some(data_dir)) => data_dir.join("files"),
            (temporary, _) => temporary.as_ref().map(|folder| folder.path().to_owned()).unwrap_or_default(),
        };
        fs::create_dir_all(&folder)?;
        let files = found(&folder)?.into_iter().map(|file| (file.name.clone(), file)).collect();
        let (shelf, writing) = (Mutex::new(Shelf { files, ..Shelf::default() }), Mutex::default());
        Ok(Arc::new(Self { folder, _temporary: temporary, limits, shelf, writing, uploads: Arc::new(Semaphore::new(UPLOADS)) }))
    }

    /// All files, by name.
    pub fn list(&self) -> Vec<FileReport> {
        self.shelf.lock().files.values().cloned().collect()
    }

    /// One file.
    ///
    /// # Errors
    /// Where it is not there.
    pub fn get(&self, name: &ShortName) -> Result<FileReport, FileError> {
        self.shelf.lock().files.get(name).cloned().ok_or_else(|| FileError::NotFound(name.clone()))
    }

    /// Begins an upload; of so many bytes, where that is known.
    ///
    /// # Errors
    /// Where it cannot be taken.
    pub async fn receive(self: &Arc<Self>, name: &ShortName, length: Option<u64>) -> Result<Upload, FileError> {
        let turn = self.uploads.clone().try_acquire_owned().map_err(|_| FileError::Busy)?;
        self.shelf.lock().check_idle(name)?;
        self.reserve(length.unwrap_or(0), 0).map(|()| self.release(length.unwrap_or(0)))?;
        let folder = self.folder.clone();
        let made = tokio::task::spawn_blocking(move || tempfile::Builder::new().suffix(TEMPORARY).tempfile_in(folder));
        let file = made.await.map_err(io::Error::other)??;
        Ok(Upload::new(self.clone(), name.clone(), file, turn))
    }

    /// Takes room for more of an upload that has so many bytes already.
    ///
    /// # Errors
    /// Where it becomes too long, or there is no room for it.
    pub(super) fn reserve(&self, more: u64, before: u64) -> Result<(), FileError> {
        if before.saturating_add(more) > self.limits.max_bytes {
            return Err(FileError::TooLong(self.limits.max_bytes));
        }
        let mut shelf = self.shelf.lock();
        if shelf.bytes().saturating_add(more) > self.limits.max_total_bytes {
            return Err(FileError::NoRoom(format!("all files together may have {} bytes", self.limits.max_total_bytes)));
        }
        shelf.coming += more;
        Ok(())
    }

    /// Gives back the room that an upload took.
    pub(super) fn release(&self, bytes: u64) {
        self.shelf.lock().coming -= bytes;
    }

    /// Looks into a file that has come, and keeps it; whether one of that name was there.
    ///
    /// # Errors
    /// Where it cannot be played or kept; nothing is changed then.
    pub(super) fn keep(&self, name: &ShortName, file: NamedTempFile) -> Result<(bool, FileReport), FileError> {
        let report = report(name, file.path(), Reach::Whole)?;
        file.as_file().sync_all()?;
        let _change = self.change(name)?;
        self.shelf.lock().check_place(name)?;
        file.persist(self.path(name)).map_err(|error| error.error)?;
        let was_there = self.shelf.lock().files.insert(name.clone(), report.clone()).is_some();
        self.sync()?;
        Ok((was_there, report))
    }

    /// Forgets a file. Waits for the disk: not for an async thread.
    ///
    /// # Errors
    /// Where it is not there, or a player plays it.
    pub fn forget(&self, name: &ShortName) -> Result<(), FileError> {
        let _change = self.change(name)?;
        self.get(name)?;
        fs::remove_file(self.path(name))?;
        self.shelf.lock().files.remove(name);
        self.sync()
    }

    /// Lends a file to a player: until that gives it back, it stays as it is.
    ///
    /// # Errors
    /// Where it is not there, or about to be another.
    pub(super) fn lend(self: &Arc<Self>, name: &ShortName) -> Result<Loan, FileError> {
        let mut shelf = self.shelf.lock();
        if shelf.changing.as_ref() == Some(name) {
            return Err(FileError::Changing(name.clone()));
        }
        let file = shelf.files.get_mut(name).ok_or_else(|| FileError::NotFound(name.clone()))?;
        file.players += 1;
        Ok(Loan { files: self.clone(), path: self.path(name), report: file.clone() })
    }

    /// Waits for whoever changes another: not for an async thread.
    ///
    /// # Errors
    /// Where a player plays it.
    pub(super) fn change(&self, name: &ShortName) -> Result<Change<'_>, FileError> {
        let turn = self.writing.lock();
        let mut shelf = self.shelf.lock();
        shelf.check_idle(name)?;
        shelf.changing = Some(name.clone());
        Ok(Change { shelf: &self.shelf, _turn: turn })
    }

    fn path(&self, name: &ShortName) -> PathBuf {
        self.folder.join(format!("{name}.{KEPT}"))
    }

    /// A rename or a removal is on the disk once its folder is (fsync(2)).
    fn sync(&self) -> Result<(), FileError> {
        Ok(File::open(&self.folder)?.sync_all()?)
    }
}

/// A file that is lent to a player.
#[derive(Debug)]
pub(super) struct Loan {
    files: Arc<Files>,
    pub(super) path: PathBuf,
    pub(super) report: FileReport,
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(file) = self.files.shelf.lock().files.get_mut(&self.report.name) {
            file.players -= 1;
        }
    }
}

fn report(name: &ShortName, path: &Path, reach: Reach) -> Result<FileReport, FileError> {
    let bytes = fs::metadata(path)?.len();
    let Findings { duration, size, has_sound } = inspect(Media::open(path)?, reach)?;
    let video = size.map(|(width, height)| PictureSize { width, height });
    Ok(FileReport { name: name.clone(), bytes, duration_ms: duration.as_millis() as u64, video, audio: has_sound, players: 0 })
}

/// The files of a folder. What a broken-off upload left is removed, what cannot be played is set aside.
fn found(folder: &Path) -> io::Result<Vec<FileReport>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if file_name.ends_with(TEMPORARY) {
            let removed = fs::remove_file(&path);
            tracing::warn!(path = %path.display(), ?removed, "an upload was broken off; what it left is removed");
        }
        let Some((name, KEPT)) = file_name.split_once('.') else { continue };
        let Ok(name) = name.parse() else { continue };
        match report(&name, &path, Reach::Beginning) {
            Ok(file) => files.push(file),
            Err(error) => {
                let aside = fs::rename(&path, path.with_extension(BROKEN));
                tracing::error!(path = %path.display(), %error, ?aside, "a kept file cannot be played and is set aside");
            }
        }
    }
    Ok(files)
}
