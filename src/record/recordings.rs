//! All recordings of a server: those that are active, and those that are kept.
//!
//! In: wishes to start, stop and remove; names. Out: manifests, files that a manifest names, word of those that have ended. Never: a wait
//! for a disk while the list is locked.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::entry::Entry;
use super::shelf::{Shelf, ShelfError};
use super::{Ended, Manifest, RecordError, RecordingId, RecordingSettings, State, Take, disk};
use crate::media::{Clock, RoomName};
use crate::metrics::Metrics;
use crate::rooms::Rooms;

/// Recordings in one answer.
const PAGE: usize = 50;
/// Ended recordings whose word waits for one receiver.
const ENDED: usize = 64;
/// How long a stop waits for the disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// All recordings.
#[derive(Debug)]
pub struct Recordings {
    me: Weak<Self>,
    pub(super) settings: RecordingSettings,
    pub(super) rooms: Arc<Rooms>,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) shelf: Shelf,
    pub(super) entries: Mutex<BTreeMap<RecordingId, Arc<Entry>>>,
    pub(super) finished: broadcast::Sender<Arc<Manifest>>,
}

/// Some recordings, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The recordings.
    pub recordings: Vec<Manifest>,
    /// What the next page begins after; `None` at the end.
    pub next: Option<RecordingId>,
}

/// A file that a recording has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Where it is.
    pub path: PathBuf,
    /// What a copy of it is called, so that it is told from those of other recordings.
    pub called: String,
    /// How much of it is there: whole parts.
    pub bytes: u64,
}

impl Recordings {
    /// Those that are kept, recovered where a crash cut them off. Reads files: not for an async thread.
    ///
    /// # Errors
    /// Where the folder cannot be used.
    pub fn open(settings: RecordingSettings, rooms: Arc<Rooms>, clock: Clock, metrics: Metrics) -> Result<Arc<Self>, ShelfError> {
        let shelf = Shelf::open(settings.folder.clone())?;
        if !shelf.is_lasting() {
            tracing::info!(folder = %shelf.folder().display(), "recordings are gone when the server ends: there is no data_dir");
        }
        let kept = shelf.load()?.into_iter().map(|manifest| (manifest.id.clone(), Arc::new(Entry::of(manifest, None))));
        let entries = Mutex::new(kept.collect());
        let finished = broadcast::channel(ENDED).0;
        Ok(Arc::new_cyclic(|me| Self { me: me.clone(), settings, rooms, clock, metrics, shelf, entries, finished }))
    }

    pub(super) fn me(&self) -> Arc<Self> {
        self.me.upgrade().expect("whoever calls holds the recordings")
    }

    /// A recording has ended, and all that it has is on the disk.
    pub(super) async fn end(&self, entry: &Arc<Entry>, take: &Take, ended: Ended) {
        let mut manifest = entry.manifest();
        (manifest.state, manifest.reason) = match ended {
            Ended::Complete => (State::Complete, None),
            Ended::LimitReached(which) => (State::LimitReached, Some(which)),
            Ended::Failed(why) => (State::Failed, Some(why)),
        };
        let Manifest { id, state, reason, duration_ms, bytes, .. } = &manifest;
        tracing::info!(%id, room = %take.room, ?state, ?reason, duration_ms, bytes, "recording ended");
        let (me, last) = (self.me(), manifest.clone());
        let written = tokio::task::spawn_blocking(move || me.shelf.finish(&last)).await;
        if let Ok(Err(error)) = written {
            tracing::error!(%error, "how a recording ended cannot be written down; the next start will take it for one that was cut off");
        }
        entry.end(manifest.clone());
        self.metrics.recordings.dec();
        self.announce(&manifest);
        // Nobody listens, where nothing is uploaded.
        let _ = self.finished.send(Arc::new(manifest));
    }

    pub(super) fn announce(&self, manifest: &Manifest) {
        let Ok(room) = manifest.room.parse() else { return };
        let detail = serde_json::json!({ "id": manifest.id, "state": manifest.state, "reason": manifest.reason });
        self.rooms.announce(&room, "recording", detail);
    }

    /// One recording.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub fn get(&self, id: &RecordingId) -> Result<Manifest, RecordError> {
        self.entry(id).map(|entry| entry.manifest())
    }

    pub(super) fn entry(&self, id: &RecordingId) -> Result<Arc<Entry>, RecordError> {
        self.entries.lock().get(id).cloned().ok_or_else(|| RecordError::unknown(id))
    }

    /// Some recordings, newest first: of one room, or of all; those after `cursor`.
    pub fn list(&self, room: Option<&RoomName>, cursor: Option<&RecordingId>) -> Page {
        let entries = self.entries.lock();
        let older = entries.iter().rev().filter(|(id, _)| cursor.is_none_or(|cursor| *id < cursor));
        let all = older.map(|(_, entry)| entry.manifest()).filter(|manifest| room.is_none_or(|room| manifest.room == room.as_str()));
        let mut recordings: Vec<_> = all.take(PAGE + 1).collect();
        let more = recordings.len() > PAGE;
        recordings.truncate(PAGE);
        let next = recordings.last().filter(|_| more).map(|manifest| manifest.id.clone());
        Page { recordings, next }
    }

    /// Ends a recording; all of it is on the disk when this returns, unless the disk takes longer than ten seconds.
    ///
    /// # Errors
    /// Where there is none, or it has ended, or somebody else has stopped it already.
    pub async fn stop(&self, id: &RecordingId) -> Result<Manifest, RecordError> {
        let entry = self.entry(id)?;
        let Some(mut ended) = entry.stop() else { return Err(RecordError::over(id, entry.manifest().state)) };
        // One that takes longer ends by itself; it is told as it is.
        let _ = tokio::time::timeout(PATIENCE, ended.wait_for(|ended| *ended)).await;
        Ok(entry.manifest())
    }

    /// Removes a recording and its files; once it is asked for, also where nobody waits for it.
    ///
    /// # Errors
    /// Where there is none, it is active, or the disk does not do it.
    pub async fn remove(&self, id: &RecordingId) -> Result<(), RecordError> {
        let entry = {
            let mut entries = self.entries.lock();
            let entry = entries.get(id).ok_or_else(|| RecordError::unknown(id))?;
            if entry.is_active() {
                return Err(RecordError::Active(id.clone()));
            }
            entries.remove(id).expect("it was found under the same lock")
        };
        let (me, gone) = (self.me(), id.clone());
        let removed = tokio::task::spawn_blocking(move || {
            me.shelf.remove(&gone).inspect_err(|_| drop(me.entries.lock().insert(gone.clone(), entry)))
        });
        match removed.await {
            Ok(removed) => removed.map_err(storage),
            Err(_) => Err(RecordError::Storage("the removal broke off".into())),
        }
    }

    /// A file of a recording, by the name that its manifest has for it.
    ///
    /// # Errors
    /// Where there is none, or not here any more.
    pub fn file(&self, id: &RecordingId, name: &str) -> Result<StoredFile, RecordError> {
        let manifest = self.get(id)?;
        if let Some(upload) = manifest.upload.as_ref().filter(|upload| upload.is_local_deleted) {
            return Err(RecordError::NotFound(format!("recording {id} is not on this server any more: it was uploaded to {}", upload.to)));
        }
        let Some(file) = manifest.file(name) else {
            let names: Vec<_> = manifest.files.iter().map(|file| file.name.as_str()).collect();
            return Err(RecordError::NotFound(format!("recording {id} has no such file; it has {}", names.join(", "))));
        };
        let path = self.shelf.folder_of(id).join(&file.name);
        Ok(StoredFile { path, called: format!("{}-{id}-{name}", manifest.room), bytes: file.bytes })
    }

    /// Tells of each recording that ends from here on, once all of it is on the disk.
    pub fn finished(&self) -> broadcast::Receiver<Arc<Manifest>> {
        self.finished.subscribe()
    }

    /// All that have ended and that `is_due`, oldest first.
    pub(super) fn ended(&self, is_due: impl Fn(&Manifest) -> bool) -> Vec<(RecordingId, Arc<Entry>)> {
        let entries = self.entries.lock();
        let ended = entries.iter().filter(|(_, entry)| !entry.is_active() && is_due(&entry.manifest()));
        ended.map(|(id, entry)| (id.clone(), entry.clone())).collect()
    }

    /// Ends all that are active, for a server that shuts down.
    pub async fn shut_down(&self) {
        let entries: Vec<_> = self.entries.lock().values().cloned().collect();
        let ends: Vec<_> = entries.iter().filter_map(|entry| entry.stop_anyway()).collect();
        let all =
            futures_util::future::join_all(ends.into_iter().map(|mut ended| async move { ended.wait_for(|ended| *ended).await.is_ok() }));
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            tracing::error!("the disk takes too long: the next start recovers what was recorded last");
        }
    }
}

/// Who asked is told the reason; where on the disk, only who runs the server.
pub(super) fn storage(error: ShelfError) -> RecordError {
    tracing::error!(%error, "the folder of recordings does not do a write");
    match error.error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => RecordError::DiskFull(disk::refusal(&error.error)),
        kind => RecordError::Storage(kind.to_string()),
    }
}
