//! One recording that is active: its tracks, watched until all of them have ended.
//!
//! In: tracks at work, looks at the room and at the disk. Out: how it ended, written down. Never: an end with a track still writing.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::MissedTickBehavior;

use super::entry::Entry;
use super::term::{Look, Term};
use super::{Ended, Recordings, Take, disk};

/// From one look at the room and the disk to the next.
const LOOK: Duration = Duration::from_millis(250);

/// What a recording's task holds.
pub(super) struct Running {
    pub(super) entry: Arc<Entry>,
    pub(super) take: Take,
    pub(super) term: Term,
    pub(super) tracks: JoinSet<Ended>,
    /// Ends the tracks.
    pub(super) stop: watch::Sender<bool>,
}

impl Running {
    /// Until it has ended and that is written down.
    pub(super) async fn run(mut self, recordings: Arc<Recordings>) {
        let mut worst = Ended::Complete;
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut files = 0;
        loop {
            let ended = tokio::select! {
                track = self.tracks.join_next() => match track {
                    Some(track) => Some(how(track)),
                    None => break,
                },
                _ = looks.tick() => {
                    files = self.write_down(&recordings, files).await;
                    self.look().await
                }
            };
            if let Some(ended) = ended {
                worst = worst.max(ended);
                self.stop.send_replace(true);
            }
        }
        recordings.end(&self.entry, &self.take, worst).await;
    }

    async fn look(&mut self) -> Option<Ended> {
        let folder = self.take.folder.clone();
        let free = tokio::task::spawn_blocking(move || disk::free(&folder)).await;
        let has_people = self.take.rooms.has_people(&self.take.room);
        self.term.look(Look { now: self.take.clock.now(), has_people, free: free.ok().and_then(Result::ok) })
    }

    /// Writes down which files there are, where there are more than before: after a crash nothing else tells when they began.
    async fn write_down(&self, recordings: &Arc<Recordings>, before: usize) -> usize {
        let manifest = self.entry.manifest();
        let files = manifest.files.len();
        if files > before {
            let recordings = recordings.clone();
            let kept = tokio::task::spawn_blocking(move || recordings.shelf.keep(&manifest)).await;
            if let Ok(Err(error)) = kept {
                tracing::warn!(%error, "how far a recording is cannot be written down");
            }
        }
        files
    }
}

/// A track that panics ends its recording and nothing else.
fn how(track: Result<Ended, JoinError>) -> Ended {
    track.unwrap_or_else(|error| {
        tracing::error!(%error, "a recording's track broke off");
        Ended::broken()
    })
}
