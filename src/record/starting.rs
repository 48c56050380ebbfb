//! How a recording begins: what is asked for is checked, a seat taken, a folder made, its tracks set to work.
//!
//! In: a room and a wish. Out: a recording that is active, or why there is none. Never: a part of it left where it is refused.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::entry::{Active, Entry};
use super::recordings::storage;
use super::running::Running;
use super::term::Term;
use super::{Manifest, RecordError, RecordingId, RecordingSpec, Recordings, State, Take, Tally, disk, isolated, mixed};
use crate::media::{RoomName, ShortName, ViewName};
use crate::rooms::{JoinError, RoomReport, Seat, Wish};

impl Recordings {
    /// Starts a recording; to be called in a task that goes on though its client hangs up.
    ///
    /// # Errors
    /// Why there is none; nothing is left of it then.
    pub async fn start(&self, room: &RoomName, spec: RecordingSpec) -> Result<Manifest, RecordError> {
        let bounds = spec.bounds(&self.settings)?;
        if self.rooms.is_draining() {
            return Err(JoinError::Draining.into());
        }
        let (report, _) = self.rooms.room(room).await?;
        check(&report, &spec)?;
        let seat = spec.tracks.has_mix().then(|| self.rooms.join(room, viewer(&spec))).transpose()?;
        let manifest = manifest(room, spec, bounds);
        let (tally, (stop, stopped)) = (Arc::new(Tally::new(manifest.max_bytes)), watch::channel(false));
        let entry = Arc::new(Entry::of(manifest.clone(), Some(Active::new(tally.clone(), stop.clone()))));
        self.enter(&entry)?;
        let folder = self.make_folder(&manifest).await.inspect_err(|_| drop(self.entries.lock().remove(&manifest.id)))?;
        let zero = self.clock.now();
        let take = Take {
            rooms: self.rooms.clone(),
            room: room.clone(),
            folder: folder.into(),
            zero,
            started: manifest.start.as_str().into(),
            until: zero + Duration::from_secs(manifest.max_seconds.into()),
            max_seconds: manifest.max_seconds,
            clock: self.clock,
            metrics: self.metrics.clone(),
            tally,
            stop: stopped,
        };
        let tracks = tracks(&take, seat, &manifest);
        let term = Term::new(take.until, manifest.max_seconds, self.settings.min_free_bytes);
        tracing::info!(id = %manifest.id, %room, tracks = ?manifest.tracks, "recording");
        self.metrics.recordings.inc();
        self.announce(&manifest);
        tokio::spawn(Running { entry, take, term, tracks, stop }.run(self.me()));
        Ok(manifest)
    }

    /// Takes a place among those that are active.
    fn enter(&self, entry: &Arc<Entry>) -> Result<(), RecordError> {
        let mut entries = self.entries.lock();
        let most = self.settings.max_active.get() as usize;
        if entries.values().filter(|entry| entry.is_active()).count() >= most {
            return Err(RecordError::TooMany(most));
        }
        entries.insert(entry.manifest().id, entry.clone());
        Ok(())
    }

    async fn make_folder(&self, manifest: &Manifest) -> Result<PathBuf, RecordError> {
        let (me, manifest) = (self.me(), manifest.clone());
        let made = tokio::task::spawn_blocking(move || {
            let free = disk::free(me.shelf.folder()).map_err(|error| RecordError::Storage(error.kind().to_string()))?;
            if let Some(shortage) = disk::shortage(free, me.settings.min_free_bytes) {
                return Err(RecordError::DiskFull(shortage));
            }
            me.shelf.begin(&manifest).map_err(storage)
        });
        made.await.unwrap_or_else(|_| Err(RecordError::Storage("the write broke off".into())))
    }
}

/// As a recording begins.
fn manifest(room: &RoomName, spec: RecordingSpec, (max_seconds, max_bytes): (u32, u64)) -> Manifest {
    let now = jiff::Timestamp::now();
    Manifest {
        id: RecordingId::new(now),
        room: room.to_string(),
        state: State::Active,
        reason: None,
        tracks: spec.tracks,
        view: spec.view.unwrap_or_else(ViewName::main),
        rendition: spec.rendition,
        start: format!("{now:.3}"),
        duration_ms: 0,
        bytes: 0,
        lost: 0,
        max_seconds,
        max_bytes,
        files: Vec::new(),
        upload: None,
    }
}

/// Sets to work what is recorded.
fn tracks(take: &Take, seat: Option<Seat>, manifest: &Manifest) -> JoinSet<super::Ended> {
    let mut tracks = JoinSet::new();
    if let Some(seat) = seat {
        tracks.spawn(mixed::record(take.clone(), seat));
    }
    if manifest.tracks.has_isolated() {
        tracks.spawn(isolated::record(take.clone()));
    }
    tracks
}

/// Whether the room has what is to be recorded.
fn check(room: &RoomReport, spec: &RecordingSpec) -> Result<(), RecordError> {
    let names = |names: Vec<&ShortName>| names.into_iter().map(ShortName::as_str).collect::<Vec<_>>().join(", ");
    if let Some(view) = spec.view.as_ref().filter(|view| !room.views.contains_key(view)) {
        return Err(JoinError::NoSuchView(view.clone(), names(room.views.keys().collect())).into());
    }
    let renditions: Vec<_> = room.settings.renditions.iter().map(|rendition| &rendition.name).collect();
    match spec.rendition.as_ref().filter(|rendition| !renditions.contains(rendition)) {
        Some(rendition) => Err(RecordError::NoSuchRendition(rendition.clone(), names(renditions))),
        None => Ok(()),
    }
}

/// What a recording of the mix wants of its room: what any viewer gets.
fn viewer(spec: &RecordingSpec) -> Wish {
    let (view, rendition) = (spec.view.clone(), spec.rendition.clone());
    Wish { view, rendition, receives_video: true, receives_audio: true, is_output: true, ..Wish::default() }
}
