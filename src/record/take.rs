//! What the tracks of one recording share, and how each of them ends.
//!
//! A track is an async function that takes a [`Take`] and ends when `stop` becomes true, when the room ends, or by itself with a reason;
//! it gives back when all that it had is on the disk. Media go to a thread of its own through a bounded queue; no disk on async threads.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use super::Tally;
use crate::media::{Clock, MediaTime, RoomName};
use crate::metrics::Metrics;
use crate::rooms::Rooms;

/// One recording, as its tracks are given it. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Take {
    /// All rooms.
    pub rooms: Arc<Rooms>,
    /// The one that is recorded.
    pub room: RoomName,
    /// Where its files are to be; it is there.
    pub folder: Arc<Path>,
    /// The recording's time 0.
    pub zero: MediaTime,
    /// When it began on the wall clock, RFC 3339 in UTC.
    pub started: Arc<str>,
    /// Nothing of this moment or later is recorded, but for a mix, whose time begins with its first picture.
    pub until: MediaTime,
    /// The same, as it was asked for.
    pub max_seconds: u32,
    /// Real time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Metrics,
    /// What is written.
    pub tally: Arc<Tally>,
    /// Becomes true when the recording ends: a track writes what it has, and gives back.
    pub stop: watch::Receiver<bool>,
}

impl Take {
    /// Waits until the recording ends. Cancel-safe.
    pub async fn stopped(&mut self) {
        // An error means that nobody can stop it any more: it is over, too.
        drop(self.stop.wait_for(|stop| *stop).await);
    }
}

/// How a track, or a whole recording, ended. Of several, the worst counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// It was stopped, or the room has ended.
    Complete,
    /// It became as long or as large as it may: which, in words.
    LimitReached(String),
    /// It cannot go on: why.
    Failed(String),
}

impl Ended {
    /// What is said of a track that panicked.
    pub(super) fn broken() -> Self {
        Self::Failed("a fault of the server's own broke it off".into())
    }
}

/// Runs what writes a track on a thread of its own, from the call on: it blocks as long as the recording lasts, and the runtime's threads
/// are for what is short. Gives how it ended; dropping that does not end it.
pub(super) fn on_its_own_thread(name: &'static str, write: impl FnOnce() -> Ended + Send + 'static) -> impl Future<Output = Ended> {
    let (tell, told) = oneshot::channel();
    let writing = std::thread::Builder::new().name(name.into()).spawn(move || {
        // Nobody waits for it any more, where the server has ended.
        let _ = tell.send(write());
    });
    if let Err(error) = writing {
        tracing::error!(%error, thread = name, "the system has no thread for a recording");
    }
    async move { told.await.unwrap_or_else(|_| Ended::broken()) }
}
