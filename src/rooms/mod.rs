//! The directory of rooms: what they are to be, a live room's threads, seats, and what admins do.
//!
//! In: wishes to take a seat; settings, templates and images from admins. Out: seats (both ends of somebody's media), reports,
//! canvases. Never: media work, or a wait for a thread or a disk while the directory is locked.
//!
//! | File | What it does |
//! | --- | --- |
//! | `spec`, `resolve` | settings as JSON; the rules that only the whole can tell |
//! | `library` | templates and images by name |
//! | `directory` | which rooms there are, set up how |
//! | `opening` | what is kept, read at the start |
//! | `live`, `stage` | a room that somebody is in; what becomes of what it gives |
//! | `easel`, `screens` | the compositor's thread; encoders of scenes, and who receives which |
//! | `quality` | what a receiver gets, and why no more |
//! | `seat`, `occupants`, `lines` | one session's media; who is there; what goes over their lines |
//! | `onlooker` | canvases for whoever makes something else of them |
//! | `overhearing` | what everybody sends, as it comes, for whoever records it |
//! | `talk` | the messages of the data channel |
//! | `admin` | everything that admins do |
//! | `report`, `tell`, `happenings` | what the API tells; filled in; events |
//! | `rehearsal` | how a layout would look |

mod admin;
mod demands;
mod directory;
mod easel;
mod happenings;
mod library;
mod lines;
mod live;
mod occupants;
mod onlooker;
mod opening;
mod overhearing;
mod quality;
mod rehearsal;
mod report;
mod resolve;
mod screens;
mod seat;
pub mod spec;
mod stage;
pub mod talk;
mod tell;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::compositor::{self, Fonts};
use crate::egress::fitting;
use crate::ingest::Pool;
use crate::media::{Clock, RoomName, ViewName};
use crate::metrics::Metrics;
use crate::store::Store;
pub use admin::{AdminError, ETag, Outcome, Precondition};
use directory::{Directory, Entry};
pub use library::{Library, StoredImage};
use live::Live;
use occupants::Admitted;
pub use onlooker::Onlooker;
pub use opening::OpenError;
pub use overhearing::{Overhearing, Overt};
pub use quality::Quality;
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
    me: Weak<Self>,
    settings: RoomsSettings,
    clock: Clock,
    /// The wall clock at the clock's origin.
    origin: jiff::Timestamp,
    metrics: Metrics,
    pool: Arc<Pool>,
    store: Store,
    directory: Mutex<Directory>,
    /// Held by the one write that is under way.
    writing: Arc<tokio::sync::Mutex<()>>,
}

impl Rooms {
    /// The rooms that are kept; others are made on demand. Reads and decodes files: not for an async thread.
    ///
    /// # Errors
    /// Where the data directory cannot be used, or the settings that rooms start as break a rule.
    pub fn new(settings: RoomsSettings, clock: Clock, metrics: Metrics) -> Result<Arc<Self>, OpenError> {
        let store = Store::open(settings.data_dir.clone())?;
        let directory = Mutex::new(opening::read(&store, settings.room.clone())?);
        let pool = Pool::start(settings.decode_threads, clock, metrics.clone());
        let now = jiff::Timestamp::now();
        let origin = now.checked_sub(clock.now().since(crate::media::MediaTime::ZERO)).unwrap_or(now);
        let writing = Arc::default();
        Ok(Arc::new_cyclic(|me| Self { me: me.clone(), settings, clock, origin, metrics, pool, store, directory, writing }))
    }

    /// Takes a seat; makes the room where there is none and rooms are made on demand. Leaving is dropping the seat.
    ///
    /// # Errors
    /// Why there is no seat; nothing is changed then.
    pub fn join(self: &Arc<Self>, name: &RoomName, wish: Wish) -> Result<Seat, JoinError> {
        let (live, admitted) = self.admit(name, &wish)?;
        Ok(live.seat(self, wish, admitted))
    }

    fn admit(&self, name: &RoomName, wish: &Wish) -> Result<(Arc<Live>, Admitted), JoinError> {
        let mut directory = self.directory.lock();
        directory.check_join(name, wish, self.settings.max_sessions, self.settings.on_demand)?;
        let entry = directory.entry(name);
        let Entry { prepared, events, live, .. } = entry;
        let live = live.get_or_insert_with(|| Arc::new(Live::start(name, prepared, events.clone(), self))).clone();
        let admitted = live.admit(wish, prepared)?;
        directory.sessions += usize::from(!wish.is_output);
        Ok((live, admitted))
    }

    /// Gives a seat up; a room's threads end with its last seat, and so does a room that no admin made.
    fn leave(&self, live: &Arc<Live>, is_output: bool) {
        let mut directory = self.directory.lock();
        directory.sessions -= usize::from(!is_output);
        let this = |there: &Arc<Live>| Arc::ptr_eq(there, live);
        let name = live.name();
        let Some(entry) = directory.entries.get_mut(name).filter(|entry| entry.live.as_ref().is_some_and(this)) else { return };
        if !live.occupants.is_empty() {
            return;
        }
        entry.live = None;
        if !entry.kept {
            let _ = entry.events.send(Arc::new(RoomEvent::plain(self.clock.now(), "closed")));
            directory.entries.remove(name);
        }
    }

    /// Whether anybody who takes part is in a room.
    pub fn has_people(&self, name: &RoomName) -> bool {
        self.directory.lock().entries.get(name).and_then(|entry| entry.live.as_ref()).is_some_and(|live| live.occupants.people() > 0)
    }

    /// What is too much for a wish, where every rendition of its view is: height and frames a second of the lowest one.
    ///
    /// # Errors
    /// Where it could not come in, be the server and the room ever so empty.
    pub fn beyond(&self, name: &RoomName, wish: &Wish) -> Result<Option<(u32, u32)>, JoinError> {
        let directory = self.directory.lock();
        directory.check_join(name, wish, usize::MAX, self.settings.on_demand)?;
        let prepared = directory.prepared(name);
        let view = wish.view.clone().unwrap_or_else(ViewName::main);
        let canvas = prepared.settings.views.get(&view).expect("the view was checked under the same lock").canvas;
        let ladder = prepared.spec.ladder();
        if fitting(canvas, &ladder, wish.max_height, wish.max_fps).is_some() {
            return Ok(None);
        }
        let sent = ladder.iter().map(|rendition| (rendition.height.min(canvas.height), rendition.fps.min(canvas.fps)));
        Ok(sent.min())
    }

    /// Whether a room would be there without the server's own outputs: an admin keeps it, or somebody's session is in it.
    pub fn is_held(&self, name: &RoomName) -> bool {
        let directory = self.directory.lock();
        let held = |entry: &Entry| entry.kept || entry.live.as_ref().is_some_and(|live| live.occupants.sessions() > 0);
        directory.entries.get(name).is_some_and(held)
    }

    /// Whether there is such a room: kept, or live.
    pub fn exists(&self, name: &RoomName) -> bool {
        self.directory.lock().entries.contains_key(name)
    }

    /// All rooms, kept and live, by name.
    pub fn list(&self) -> Vec<RoomSummary> {
        self.directory.lock().entries.iter().map(|(name, entry)| entry.summary(name)).collect()
    }

    /// Takes no more sessions from here on.
    pub fn drain(&self) {
        self.directory.lock().draining = true;
    }

    /// Whether the server is draining.
    pub fn is_draining(&self) -> bool {
        self.directory.lock().draining
    }

    /// The wall clock at the media line's beginning.
    pub fn epoch(&self) -> jiff::Timestamp {
        self.origin
    }

    /// What names are written with.
    pub fn fonts(&self) -> Arc<Fonts> {
        self.settings.fonts.clone()
    }
}
