//! How a room's views are arranged: applied, rehearsed, told.

use std::sync::Arc;

use super::settings::no_room;
use super::{AdminError, ETag, Precondition};
use crate::layout::{Layout, LayoutSpec};
use crate::media::{MediaTime, RoomName, ViewName};
use crate::rooms::directory::{Entry, Prepared};
use crate::rooms::rehearsal::Rehearsal;
use crate::rooms::resolve::resolve_layout;
use crate::rooms::spec::RoomSpec;
use crate::rooms::tell::{self, Told};
use crate::rooms::{Rooms, ViewReport};

impl Rooms {
    /// A view's layout as applied; its tag is that of the layout alone.
    ///
    /// # Errors
    /// Where there is no such room or view.
    pub async fn layout(&self, room: &RoomName, view: &ViewName) -> Result<(ViewReport, ETag), AdminError> {
        let told = self.told(room)?;
        told.check_view(view)?;
        Ok((told.view(view, told.status().as_deref()), tag(&told.prepared.spec, view)?))
    }

    /// Arranges a view otherwise: at the first tick from room time `at_ms` on, else within two ticks. It is part of the room's settings from here on.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn put_layout(
        &self,
        room: &RoomName,
        view: &ViewName,
        spec: LayoutSpec,
        at_ms: Option<u64>,
        wanted: Precondition,
    ) -> Result<(ViewReport, ETag), AdminError> {
        let (name, of_view) = (room.clone(), view.clone());
        let at = at_ms.map(|at_ms| MediaTime::ZERO + std::time::Duration::from_millis(at_ms));
        let (_, told) = self.write(move |rooms| rooms.arrange(&name, &of_view, spec, at, &wanted)).await?;
        let status = told.settled().await;
        Ok((told.view(view, status.as_deref()), tag(&told.prepared.spec, view)?))
    }

    fn arrange(
        &self,
        room: &RoomName,
        view: &ViewName,
        layout: LayoutSpec,
        at: Option<MediaTime>,
        wanted: &Precondition,
    ) -> Result<(super::Outcome, Told), AdminError> {
        let prepared = self.rearranged(room, view, layout)?;
        let at = at.filter(|at| *at > self.clock.now());
        let may = |directory: &crate::rooms::directory::Directory| {
            let entry = directory.entries.get(room).ok_or_else(|| no_room(room))?;
            wanted.check(Some(&tag(&entry.prepared.spec, view)?))
        };
        self.keep_room(room, prepared, may, |entry, prepared| apply(entry, view, prepared, at))
    }

    /// A room's settings with another layout of one view; errors name the field in the layout.
    fn rearranged(&self, room: &RoomName, view: &ViewName, layout: LayoutSpec) -> Result<Prepared, AdminError> {
        let (current, library) = {
            let directory = self.directory.lock();
            let entry = directory.entries.get(room).ok_or_else(|| no_room(room))?;
            (entry.prepared.clone(), directory.library.clone())
        };
        let resolved = resolve_layout("", &layout, &library)?;
        let mut spec = RoomSpec::clone(&current.spec);
        *spec.layout_mut(view).ok_or_else(|| tell::no_view(view, &current))? = layout;
        let mut settings = current.settings;
        settings.views.get_mut(view).expect("settings have the views of their specification").layout = resolved;
        Ok(Prepared { spec: Arc::new(spec), settings })
    }

    /// What [`Self::put_layout`] would give, for the people who are there now.
    ///
    /// # Errors
    /// As there.
    pub async fn check_layout(&self, room: &RoomName, view: &ViewName, spec: LayoutSpec) -> Result<ViewReport, AdminError> {
        let prepared = self.rearranged(room, view, spec)?;
        let status = self.told(room).ok().and_then(|told| told.status()).unwrap_or_default();
        let (settings, rehearsed) = (prepared.settings.clone(), view.clone());
        let played = tokio::task::spawn_blocking(move || Rehearsal::with(settings, &status).view(&rehearsed)).await;
        let shown = played.ok().flatten().ok_or_else(|| AdminError::Conflict("the layout could not be tried out; send it again".into()))?;
        Ok(tell::view(view, &shown))
    }
}

/// At once, or stored only and told to the live room for later.
fn apply(entry: &mut Entry, view: &ViewName, prepared: Prepared, at: Option<MediaTime>) {
    let (Some(at), Some(live)) = (at, entry.live.clone()) else { return entry.change(prepared) };
    let layout = |prepared: &Prepared| -> Option<Arc<Layout>> { Some(prepared.settings.views.get(view)?.layout.clone()) };
    let (before, after) = (layout(&entry.prepared), layout(&prepared));
    entry.prepared = prepared;
    if let (Some(before), Some(after)) = (before, after) {
        live.schedule(view, before, after, at);
    }
}

fn tag(spec: &RoomSpec, view: &ViewName) -> Result<ETag, AdminError> {
    let (_, layout) = spec.view(view).ok_or_else(|| AdminError::NotFound(format!("view {view}")))?;
    Ok(ETag::of_json(layout))
}
