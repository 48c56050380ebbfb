//! Rooms as admins set them up: made, replaced, ended, looked at.

use std::sync::Arc;

use tokio::sync::broadcast;

use super::{AdminError, ETag, Outcome, Precondition};
use crate::compositor;
use crate::media::{Frame, RoomName, ViewName};
use crate::rooms::directory::{Directory, Prepared};
use crate::rooms::live::Live;
use crate::rooms::rehearsal::Rehearsal;
use crate::rooms::spec::RoomSpec;
use crate::rooms::tell::Told;
use crate::rooms::{RoomEvent, RoomReport, Rooms};
use crate::store::Shelf;

/// Rooms that are kept at most.
const MOST_ROOMS: usize = 10_000;

impl Rooms {
    /// A room that is kept or live, with the tag of its settings.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn room(&self, name: &RoomName) -> Result<(RoomReport, ETag), AdminError> {
        let told = self.told(name)?;
        Ok((told.room(self, told.status().as_deref()), told.prepared.tag()))
    }

    /// Makes a room, or replaces its settings. A live one goes over to them within two ticks.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn put_room(&self, name: &RoomName, spec: RoomSpec, wanted: Precondition) -> Result<(Outcome, RoomReport, ETag), AdminError> {
        let room = name.clone();
        let work = move |rooms: &Self| {
            let prepared = Prepared::of(spec, &rooms.directory.lock().library.clone())?;
            rooms.keep_room(
                &room,
                prepared,
                |directory| wanted.check(directory.tag(&room).as_ref()),
                |entry, prepared| entry.change(prepared),
            )
        };
        let (outcome, told) = self.write(work).await?;
        told.announce(RoomEvent::plain(self.clock.now(), "settings"));
        let status = told.settled().await;
        Ok((outcome, told.room(self, status.as_deref()), told.prepared.tag()))
    }

    /// Ends a room: every session is closed, its settings are forgotten.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn delete_room(&self, name: &RoomName, wanted: Precondition) -> Result<(), AdminError> {
        let room = name.clone();
        self.write(move |rooms| {
            let (tag, kept) = {
                let directory = rooms.directory.lock();
                (directory.tag(&room), directory.entries.get(&room).is_some_and(|entry| entry.kept))
            };
            let tag = tag.ok_or_else(|| no_room(&room))?;
            wanted.check(Some(&tag))?;
            if kept {
                rooms.store.forget(Shelf::Rooms, room.as_str())?;
            }
            let Some(entry) = rooms.directory.lock().entries.remove(&room) else { return Ok(()) };
            let _ = entry.events.send(Arc::new(RoomEvent::plain(rooms.clock.now(), "closed")));
            entry.live.iter().for_each(|live| live.occupants.dismiss_all());
            Ok(())
        })
        .await
    }

    /// What happens in a room from here on; ends with the room. 256 wait at most, older ones are given up (the receiver is told).
    ///
    /// # Errors
    /// Where there is no such room.
    pub fn events(&self, room: &RoomName) -> Result<broadcast::Receiver<Arc<RoomEvent>>, AdminError> {
        self.directory.lock().entries.get(room).map(|entry| entry.events.subscribe()).ok_or_else(|| no_room(room))
    }

    /// What a view's canvas shows; where nobody watches it, it is drawn for this. The slate where nobody is there.
    ///
    /// # Errors
    /// Where there is no such room or view; `NotYet` where it is not drawn in time.
    pub async fn canvas(&self, room: &RoomName, view: &ViewName) -> Result<Arc<Frame>, AdminError> {
        let told = self.told(room)?;
        told.check_view(view)?;
        let Some(live) = &told.live else { return self.slate(told.prepared, view.clone()).await };
        let late = || AdminError::NotYet(format!("room {room} is drawing its first picture of the view {view}; try again"));
        Live::glance(live, view).await.ok_or_else(late)
    }

    async fn slate(&self, prepared: Prepared, view: ViewName) -> Result<Arc<Frame>, AdminError> {
        let fonts = self.fonts();
        let drawn = tokio::task::spawn_blocking(move || {
            let scene = Rehearsal::of(prepared.settings).scene(&view)?;
            compositor::still(&scene, &compositor::Strangers, fonts).ok()
        });
        drawn.await.ok().flatten().map(Arc::new).ok_or_else(|| AdminError::NotYet("the slate could not be drawn; try again".into()))
    }

    /// Keeps a room on disk, then in memory: `apply` puts the settings into its entry. In a write's turn only.
    pub(super) fn keep_room(
        &self,
        name: &RoomName,
        prepared: Prepared,
        may: impl FnOnce(&Directory) -> Result<(), AdminError>,
        apply: impl FnOnce(&mut crate::rooms::directory::Entry, Prepared),
    ) -> Result<(Outcome, Told), AdminError> {
        {
            let directory = self.directory.lock();
            may(&directory)?;
            let is_kept = directory.entries.get(name).is_some_and(|entry| entry.kept);
            if !is_kept && directory.kept() >= MOST_ROOMS {
                return Err(AdminError::Full(format!("{MOST_ROOMS} rooms are kept; delete one first")));
            }
        }
        let json = serde_json::to_vec_pretty(&*prepared.spec).expect("settings are JSON");
        self.store.keep(Shelf::Rooms, name.as_str(), &json)?;
        let mut directory = self.directory.lock();
        let outcome = Outcome::of(directory.entries.contains_key(name));
        let entry = directory.entry(name);
        entry.kept = true;
        apply(entry, prepared);
        Ok((outcome, Told::of(name, entry)))
    }

    /// A room as it is told of.
    pub(super) fn told(&self, name: &RoomName) -> Result<Told, AdminError> {
        self.directory.lock().entries.get(name).map(|entry| Told::of(name, entry)).ok_or_else(|| no_room(name))
    }
}

impl Directory {
    /// The tag of a room's settings, where it is there.
    fn tag(&self, name: &RoomName) -> Option<ETag> {
        self.entries.get(name).map(|entry| entry.prepared.tag())
    }
}

pub(super) fn no_room(name: &RoomName) -> AdminError {
    AdminError::NotFound(format!("room {name}"))
}
