//! What rooms there are: those that admins made, and those that somebody is in.
//!
//! In: settings, joins, leaves. Out: a room's settings, its live part. Never: a file, or a wait.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::broadcast;

use super::library::Library;
use super::live::Live;
use super::spec::RoomSpec;
use super::{AdminError, ETag, JoinError, RoomEvent, Wish};
use crate::media::{RoomName, ViewName};
use crate::room::RoomSettings;

/// Events that wait for one receiver at most.
const EVENTS: usize = 256;

/// All rooms, and what they are made of.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) entries: BTreeMap<RoomName, Entry>,
    pub(super) library: Arc<Library>,
    /// What rooms start as.
    pub(super) defaults: Prepared,
    /// Outputs are none: those who make them bound them.
    pub(super) sessions: usize,
    pub(super) draining: bool,
}

/// Settings as they are told, and as a room's threads take them.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) spec: Arc<RoomSpec>,
    pub(super) settings: RoomSettings,
}

impl Prepared {
    /// # Errors
    /// Where the settings break a rule.
    pub(super) fn of(spec: RoomSpec, library: &Library) -> Result<Self, AdminError> {
        let settings = spec.resolve(library)?;
        Ok(Self { spec: Arc::new(spec), settings })
    }

    pub(super) fn tag(&self) -> ETag {
        ETag::of_json(&*self.spec)
    }

    /// The view that a wish means.
    fn check_view(&self, view: Option<&ViewName>) -> Result<(), JoinError> {
        let Some(view) = view.filter(|view| !self.settings.views.contains_key(view)) else { return Ok(()) };
        let names: Vec<_> = self.settings.views.keys().map(ViewName::as_str).collect();
        Err(JoinError::NoSuchView(view.clone(), names.join(", ")))
    }
}

/// One room.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) prepared: Prepared,
    /// Whether an admin made it: it stays when nobody is in it.
    pub(super) kept: bool,
    /// Its threads, while somebody is in it.
    pub(super) live: Option<Arc<Live>>,
    pub(super) events: broadcast::Sender<Arc<RoomEvent>>,
}

impl Entry {
    pub(super) fn new(prepared: Prepared, kept: bool) -> Self {
        Self { prepared, kept, live: None, events: broadcast::channel(EVENTS).0 }
    }
}

impl Directory {
    pub(super) fn new(library: Library, defaults: Prepared) -> Self {
        Self { entries: BTreeMap::new(), library: Arc::new(library), defaults, sessions: 0, draining: false }
    }

    /// Whether somebody may come in with this wish: all that does not depend on who is there.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check_join(&self, name: &RoomName, wish: &Wish, most: usize, on_demand: bool) -> Result<(), JoinError> {
        if self.draining {
            return Err(JoinError::Draining);
        }
        let prepared = match self.entries.get(name) {
            Some(entry) => &entry.prepared,
            None if on_demand && !wish.is_output && !wish.is_sent => &self.defaults,
            None => return Err(JoinError::NoSuchRoom(name.clone())),
        };
        if prepared.spec.locked && !wish.is_output && !wish.is_sent {
            return Err(JoinError::Locked(name.clone()));
        }
        prepared.check_view(wish.view.as_ref())?;
        if self.sessions >= most && !wish.is_output { Err(JoinError::Full(most)) } else { Ok(()) }
    }

    /// A room that is there, or one that starts as all do.
    pub(super) fn entry(&mut self, name: &RoomName) -> &mut Entry {
        let defaults = &self.defaults;
        self.entries.entry(name.clone()).or_insert_with(|| Entry::new(defaults.clone(), false))
    }

    /// What a room is set up as: a room that is not there, as all start.
    pub(super) fn prepared(&self, name: &RoomName) -> &Prepared {
        self.entries.get(name).map_or(&self.defaults, |entry| &entry.prepared)
    }

    /// How many rooms are kept.
    pub(super) fn kept(&self) -> usize {
        self.entries.values().filter(|entry| entry.kept).count()
    }

    /// A room that uses something, by name; "the rooms made on demand" where those do.
    pub(super) fn user(&self, uses: impl Fn(&RoomSpec) -> bool) -> Option<String> {
        let room = self.entries.iter().find(|(_, entry)| uses(&entry.prepared.spec)).map(|(name, _)| format!("room {name}"));
        room.or_else(|| uses(&self.defaults.spec).then(|| "what rooms start as (the section [room] of the configuration)".into()))
    }

    /// The rooms that use something, set up anew with another library; `None` stands for what rooms start as.
    ///
    /// # Errors
    /// Where one of them cannot be set up with it.
    pub(super) fn anew(
        &self,
        library: &Library,
        uses: impl Fn(&RoomSpec) -> bool,
    ) -> Result<Vec<(Option<RoomName>, Prepared)>, AdminError> {
        let defaults = std::iter::once((None, &self.defaults));
        let rooms = self.entries.iter().map(|(name, entry)| (Some(name.clone()), &entry.prepared));
        let users = defaults.chain(rooms).filter(|(_, prepared)| uses(&prepared.spec));
        users.map(|(name, prepared)| Ok((name, Prepared::of(RoomSpec::clone(&prepared.spec), library)?))).collect()
    }

    /// Takes another library, and sets the rooms up anew that use what changed.
    ///
    /// # Errors
    /// Where one of them cannot be set up with it; nothing is changed then.
    pub(super) fn take_library(&mut self, library: Library, uses: impl Fn(&RoomSpec) -> bool) -> Result<(), AdminError> {
        let anew = self.anew(&library, uses)?;
        self.library = Arc::new(library);
        for (name, prepared) in anew {
            let Some(name) = name else {
                self.defaults = prepared;
                continue;
            };
            self.entries.get_mut(&name).expect("the rooms were listed under the same lock").change(prepared);
        }
        Ok(())
    }
}

impl Entry {
    /// Takes other settings; a live room goes over to them.
    pub(super) fn change(&mut self, prepared: Prepared) {
        self.prepared = prepared;
        if let Some(live) = &self.live {
            live.configure(&self.prepared);
        }
    }
}
