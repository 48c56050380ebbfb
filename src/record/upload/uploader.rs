//! What uploads recordings: a thread with a small runtime of its own, so that neither a slow disk nor a large file takes a turn from calls.
//!
//! In: recordings that ended, those that an earlier run left. Out: each of them at its place, one at a time. Never: two at once.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::errand::Errand;
use super::{Place, UploadState};
use crate::record::{Manifest, Recordings};

/// When what was given up is tried again.
const AGAIN: Duration = Duration::from_secs(3600);

/// What uploads. Dropping it ends it within a request; the next start goes on.
#[derive(Debug)]
pub struct Uploader {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Uploader {
    /// Begins with what is kept and not there yet, and goes on with each that ends.
    ///
    /// # Errors
    /// Where the system has no thread for it.
    pub fn start(recordings: Arc<Recordings>, place: Place) -> io::Result<Self> {
        let (stop, mut stopped) = watch::channel(false);
        let runtime = runtime::Builder::new_current_thread().enable_all().max_blocking_threads(2).build()?;
        let run = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = upload_all(&recordings, &place, AGAIN) => {}
                    _ = stopped.wait_for(|stop| *stop) => {}
                }
            });
            // A name that is being looked up is not waited for.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("uploads".into()).spawn(run)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Uploader {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that uploads broke off");
        }
    }
}

/// Until it is dropped. What was given up is tried again each `again`, however many end in between.
pub(super) async fn upload_all(recordings: &Recordings, place: &Place, again: Duration) {
    let mut finished = recordings.finished();
    let mut rounds = tokio::time::interval(again);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_again = tokio::select! {
            biased;
            // The first at once
            _ = rounds.tick() => true,
            woken = finished.recv() => match woken {
                Err(RecvError::Closed) => return,
                // One that was missed is found by looking at all of them, as any other
                _ => false,
            },
        };
        let due = recordings.ended(|manifest| is_due(manifest, is_again, place.deletes_local));
        for (id, entry) in &due {
            entry.uploads(|report| {
                // What is there already stays where it went
                if report.state != UploadState::Done {
                    report.to = place.told(id);
                }
            });
        }
        for (id, entry) in due {
            Errand { recordings, place, id, entry }.run().await;
        }
    }
}

/// Whether something of it is to be done.
fn is_due(manifest: &Manifest, is_again: bool, deletes_local: bool) -> bool {
    let Some(report) = &manifest.upload else { return !manifest.files.is_empty() };
    match report.state {
        UploadState::Waiting | UploadState::Uploading => !manifest.files.is_empty(),
        UploadState::Failed => is_again,
        UploadState::Done => deletes_local && !report.is_local_deleted,
    }
}
