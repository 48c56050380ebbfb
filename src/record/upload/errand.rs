//! The upload of one recording: its files in order, then its manifest, each until it is there or is given up.
//!
//! In: a recording that has ended, a place. Out: its files there; in its manifest, how far that is. Never: a recording written down
//! that somebody has removed, or a file removed here before all of them are there.

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::fault::Fault;
use super::place::{Sending, piece_of};
use super::{FileUpload, Place, UploadReport, UploadState};
use crate::record::entry::Entry;
use crate::record::{Manifest, RecordingId, Recordings};

const MANIFEST: &str = "manifest.json";
/// Tries of one file in a round; the waits between them double, from two seconds to a minute.
const TRIES: u32 = 7;
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// One recording, and where it goes.
pub(super) struct Errand<'a> {
    pub(super) recordings: &'a Recordings,
    pub(super) place: &'a Place,
    pub(super) id: RecordingId,
    pub(super) entry: Arc<Entry>,
}

/// What is sent under one name.
struct Source {
    name: String,
    bytes: u64,
    from: From,
}

/// Where it is read.
enum From {
    Disk(PathBuf),
    Memory(Bytes),
}

impl Errand<'_> {
    /// Until all of it is there, or a file is given up.
    pub(super) async fn run(&self) {
        if self.is_gone() {
            return;
        }
        let sources = self.sources();
        let names: Vec<_> = sources.iter().map(|source| source.name.clone()).collect();
        let to = self.place.told(&self.id);
        if self.entry.manifest().upload.is_none_or(|report| report.state != UploadState::Done) {
            self.note(|report| *report = UploadReport::of(to, names.iter().map(String::as_str), std::mem::take(report)));
            for source in &sources {
                if !self.deliver(source).await {
                    self.note(|report| report.state = UploadState::Failed);
                    return;
                }
            }
            self.note(|report| report.state = UploadState::Done);
            tracing::info!(id = %self.id, to = self.place.told(&self.id), "a recording is uploaded");
        }
        if self.place.deletes_local && !self.is_gone() {
            self.delete_local(&sources);
        }
    }

    /// Its files, and its manifest without what is said of uploads.
    fn sources(&self) -> Vec<Source> {
        let manifest = Manifest { upload: None, ..self.entry.manifest() };
        let text = Bytes::from(serde_json::to_vec_pretty(&manifest).expect("a manifest of strings and numbers is JSON"));
        let folder = self.recordings.shelf.folder_of(&self.id);
        let file = |file: crate::record::RecordedFile| {
            let from = From::Disk(folder.join(&file.name));
            Source { name: file.name, bytes: file.bytes, from }
        };
        let last = Source { name: MANIFEST.to_owned(), bytes: text.len() as u64, from: From::Memory(text) };
        manifest.files.into_iter().map(file).chain([last]).collect()
    }

    /// Tries until a file is there; false where it is given up.
    async fn deliver(&self, source: &Source) -> bool {
        for tries in 1..=TRIES {
            self.note_file(source, |file| (file.state, file.tries) = (UploadState::Uploading, tries));
            let tried = self.carry(source).await;
            let Err(fault) = tried else {
                self.note_file(source, |file| (file.state, file.error, file.multipart) = (UploadState::Done, None, None));
                return true;
            };
            self.recordings.metrics.upload_failures.inc();
            tracing::warn!(id = %self.id, file = source.name, tries, error = fault.text, "an upload did not come to its end");
            self.note_file(source, |file| file.error = Some(fault.text));
            if fault.is_lasting || tries == TRIES {
                break;
            }
            wait(tries).await;
        }
        self.note_file(source, |file| file.state = UploadState::Failed);
        false
    }

    /// One try. What is there in its size already is not sent again: files of a recording that has ended do not change.
    async fn carry(&self, source: &Source) -> Result<(), Fault> {
        let key = format!("{}/{}", self.id, source.name);
        self.clear(source, &key).await;
        if self.place.size(&key).await? == Some(source.bytes) {
            return Ok(());
        }
        let sending = self.place.begin(&key, source.bytes).await?;
        if let Some(multipart) = sending.multipart() {
            // Before the first part, so that whatever happens the next start knows what to remove.
            self.note_file(source, |file| file.multipart = Some(multipart));
        }
        if let Err(fault) = self.send(source, sending).await {
            self.clear(source, &key).await;
            return Err(fault);
        }
        match self.place.size(&key).await? {
            Some(bytes) if bytes == source.bytes => Ok(()),
            there => Err(Fault::passing(format!("of {} bytes, {} are there", source.bytes, there.unwrap_or(0)))),
        }
    }

    /// Reads a piece, sends it, and so on.
    async fn send(&self, source: &Source, mut sending: Sending) -> Result<(), Fault> {
        let mut reader = source.open()?;
        let mut left = source.bytes;
        while left > 0 {
            if self.is_gone() {
                return Err(Fault::lasting("the recording was removed"));
            }
            let mut piece = vec![0; left.min(piece_of(source.bytes)) as usize];
            reader.read_exact(&mut piece).map_err(|error| Fault::here(&error))?;
            let bytes = piece.len() as u64;
            sending.piece(piece.into()).await?;
            self.recordings.metrics.uploaded_bytes.inc_by(bytes);
            left -= bytes;
        }
        sending.finish().await
    }

    /// Removes what an earlier try left half sent; what the store keeps nevertheless is said, and is its owner's to remove where the
    /// next try cannot.
    async fn clear(&self, source: &Source, key: &str) {
        let report = self.entry.manifest().upload;
        let file = report.and_then(|report| report.files.into_iter().find(|file| file.name == source.name));
        let Some(multipart) = file.and_then(|file| file.multipart) else { return };
        match self.place.forget(key, &multipart).await {
            Ok(()) => tracing::info!(key, "what was half sent is removed; it begins anew"),
            Err(fault) => {
                tracing::warn!(key, multipart, error = fault.text, "parts of a broken-off upload may still be in the store");
                if !fault.is_lasting {
                    return;
                }
            }
        }
        self.note_file(source, |file| file.multipart = None);
    }

    fn is_gone(&self) -> bool {
        self.recordings.entry(&self.id).is_err()
    }

    fn note_file(&self, source: &Source, change: impl FnOnce(&mut FileUpload)) {
        self.note(|report| {
            if let Some(file) = report.files.iter_mut().find(|file| file.name == source.name) {
                change(file);
            }
        });
    }

    /// Writes down how far it is.
    fn note(&self, change: impl FnOnce(&mut UploadReport)) {
        let manifest = self.entry.uploads(change);
        if self.is_gone() {
            return;
        }
        if let Err(error) = self.recordings.shelf.keep(&manifest) {
            tracing::warn!(%error, "how far an upload is cannot be written down");
        }
    }

    /// All of it is there: the server's copy goes, but for the manifest.
    fn delete_local(&self, sources: &[Source]) {
        for source in sources {
            let From::Disk(path) = &source.from else { continue };
            match fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::error!(path = %path.display(), %error, "an uploaded file cannot be removed here");
                    return;
                }
                _ => {}
            }
        }
        self.note(|report| report.is_local_deleted = true);
    }
}

impl Source {
    fn open(&self) -> Result<Box<dyn Read>, Fault> {
        match &self.from {
            From::Disk(path) => Ok(Box::new(File::open(path).map_err(|error| Fault::here(&error))?)),
            From::Memory(bytes) => Ok(Box::new(std::io::Cursor::new(bytes.clone()))),
        }
    }
}

/// Before the next try.
async fn wait(tries: u32) {
    let long = (FIRST_WAIT * 2u32.pow(tries - 1)).min(Duration::from_secs(60));
    // Nothing comes: it is the wait that ends.
    let _ = tokio::time::timeout(long, std::future::pending::<()>()).await;
}
