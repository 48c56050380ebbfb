//! The directory of rooms: starts a room's threads, hands out seats, ends rooms that nobody is in.
//!
//! In: wishes to take a seat. Out: seats (both ends of somebody's media), snapshots, the list.
//! Never: media work, or a wait for a thread while the directory is locked.

mod admin;
mod live;
mod report;
mod seat;
pub mod spec;
mod stage;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::compositor::{self, Fonts};
use crate::ingest::Pool;
use crate::media::{Clock, RoomName};
use crate::metrics::Metrics;
pub use admin::{AdminError, ETag, Outcome, Precondition};
use live::Live;
pub use report::*;
pub use seat::{JoinError, Seat, Wish};

/// How the rooms of a server are set up.
#[derive(Clone, Debug)]
pub struct RoomsSettings {
    /// What every room starts as.
    pub room: spec::RoomSpec,
    /// Where rooms, templates and images are kept; `None` keeps them in memory only.
    pub data_dir: Option<std::path::PathBuf>,
    /// Whether a join makes a room that is not there; default true.
    pub on_demand: bool,
    /// Sessions there may be at once, in all rooms; default 500.
    pub max_sessions: usize,
    /// Decoding threads; default one for each core.
    pub decode_threads: usize,
    /// Which compositor draws.
    pub compositor: compositor::Choice,
    /// What names are written with.
    pub fonts: Arc<Fonts>,
}

/// All rooms of this server.
#[derive(Debug)]
pub struct Rooms {
    settings: RoomsSettings,
    clock: Clock,
    metrics: Metrics,
    pool: Arc<Pool>,
    directory: Mutex<Directory>,
}

#[derive(Debug, Default)]
struct Directory {
    rooms: BTreeMap<RoomName, Arc<Live>>,
    sessions: usize,
    draining: bool,
}

impl Rooms {
    /// No room yet; rooms are made on demand.
    pub fn new(settings: RoomsSettings, clock: Clock, metrics: Metrics) -> Arc<Self> {
        let pool = Pool::start(settings.decode_threads, clock, metrics.clone());
        Arc::new(Self { settings, clock, metrics, pool, directory: Mutex::default() })
    }

    /// Takes a seat; makes the room where there is none. Leaving is dropping the seat.
    ///
    /// # Errors
    /// Where the server is full or draining.
    pub fn join(self: &Arc<Self>, name: &RoomName, wish: Wish) -> Result<Seat, JoinError> {
        let live = self.admit(name)?;
        Ok(live.seat(self, wish))
    }

    fn admit(&self, name: &RoomName) -> Result<Arc<Live>, JoinError> {
        let mut directory = self.directory.lock();
        if directory.draining {
            return Err(JoinError::Draining);
        }
        if directory.sessions >= self.settings.max_sessions {
            return Err(JoinError::Full(self.settings.max_sessions));
        }
        directory.sessions += 1;
        let live = directory.rooms.entry(name.clone()).or_insert_with(|| self.open_room(name));
        live.count_in();
        Ok(live.clone())
    }

    fn open_room(&self, name: &RoomName) -> Arc<Live> {
        tracing::info!(room = %name, "room opened");
        self.metrics.rooms.inc();
        Arc::new(Live::start(name.clone(), &self.settings, self.pool.clone(), self.clock, self.metrics.clone()))
    }

    /// Gives a seat up; the room ends with its last session. Called by the seat's drop, maybe on an async task:
    /// the last handle of a room goes to a thread of its own.
    fn leave(&self, live: Arc<Live>) {
        let mut directory = self.directory.lock();
        directory.sessions -= 1;
        if live.count_out() > 0 {
            drop(live);
            return;
        }
        let listed = directory.rooms.remove(live.name());
        drop(directory);
        tracing::info!(room = %live.name(), "room closed");
        self.metrics.rooms.dec();
        live::end(live, listed);
    }

    /// Whether there is such a room.
    pub fn exists(&self, name: &RoomName) -> bool {
        self.directory.lock().rooms.contains_key(name)
    }

    /// The live rooms, by name.
    pub fn list(&self) -> Vec<RoomSummary> {
        self.directory.lock().rooms.values().map(|live| live.summary()).collect()
    }

    /// Takes no more sessions from here on.
    pub fn drain(&self) {
        self.directory.lock().draining = true;
    }

    /// Whether the server is draining.
    pub fn is_draining(&self) -> bool {
        self.directory.lock().draining
    }

    /// What names are written with.
    pub fn fonts(&self) -> Arc<Fonts> {
        self.settings.fonts.clone()
    }
}
