//! One recording among all: as it was written down, and what it is reached by while it is active.
//!
//! In: what its tracks count, a stop. Out: its manifest at any moment, word of its end. Never: a disk.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::upload::UploadReport;
use super::{Manifest, Tally};

/// One recording.
#[derive(Debug)]
pub(super) struct Entry {
    /// As it was last written down.
    kept: Mutex<Manifest>,
    /// There while it is active.
    active: Mutex<Option<Active>>,
}

/// What an active recording is reached by.
#[derive(Debug)]
pub(super) struct Active {
    tally: Arc<Tally>,
    stop: watch::Sender<bool>,
    ended: watch::Sender<bool>,
}

impl Active {
    pub(super) fn new(tally: Arc<Tally>, stop: watch::Sender<bool>) -> Self {
        Self { tally, stop, ended: watch::channel(false).0 }
    }
}

impl Entry {
    pub(super) fn of(manifest: Manifest, active: Option<Active>) -> Self {
        Self { kept: Mutex::new(manifest), active: Mutex::new(active) }
    }

    pub(super) fn is_active(&self) -> bool {
        self.active.lock().is_some()
    }

    /// As it is at this moment.
    pub(super) fn manifest(&self) -> Manifest {
        // Held meanwhile: where it is not active any more, how it ended is written
        let active = self.active.lock();
        let kept = self.kept.lock().clone();
        let Some(counts) = active.as_ref().map(|active| active.tally.counts()) else { return kept };
        let duration_ms = counts.reached.as_millis() as u64;
        Manifest { duration_ms, bytes: counts.bytes, lost: counts.lost, files: counts.files, ..kept }
    }

    /// It has ended so.
    pub(super) fn end(&self, manifest: Manifest) {
        *self.kept.lock() = manifest;
        if let Some(active) = self.active.lock().take() {
            active.ended.send_replace(true);
        }
    }

    /// What is uploaded of it, changed so; gives back how it is then.
    pub(super) fn uploads(&self, change: impl FnOnce(&mut UploadReport)) -> Manifest {
        let mut kept = self.kept.lock();
        change(kept.upload.get_or_insert_default());
        kept.clone()
    }

    /// Stops it; `None` where it is stopped already.
    pub(super) fn stop(&self) -> Option<watch::Receiver<bool>> {
        let active = self.active.lock();
        let active = active.as_ref()?;
        let stops = active.stop.send_if_modified(|stop| !std::mem::replace(stop, true));
        stops.then(|| active.ended.subscribe())
    }

    /// Stops it, and waits for one that is stopped already, too.
    pub(super) fn stop_anyway(&self) -> Option<watch::Receiver<bool>> {
        let active = self.active.lock();
        let active = active.as_ref()?;
        active.stop.send_replace(true);
        Some(active.ended.subscribe())
    }
}
