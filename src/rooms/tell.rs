//! Fills the reports: what is stored, what the room says of itself, what goes over the lines.
//!
//! In: an entry of the directory, a live room's status. Out: reports. Never: a wait while the directory is locked.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::broadcast;

use super::directory::{Entry, Prepared};
use super::live::Live;
use super::spec::CanvasSpec;
use super::{AdminError, CellReport, PersonReport, RenditionReport, RoomEvent, RoomReport, RoomSummary, Rooms, ViewReport, ViewerReport};
use crate::egress::Load;
use crate::layout::Layout;
use crate::media::{MediaTime, ParticipantId, RoomName, ViewName};
use crate::room::{CellStatus, PersonStatus, RoomStatus, Source, View, ViewStatus};

/// One room, as its entry in the directory was.
pub(super) struct Told {
    pub(super) name: RoomName,
    pub(super) prepared: Prepared,
    pub(super) kept: bool,
    pub(super) live: Option<Arc<Live>>,
    events: broadcast::Sender<Arc<RoomEvent>>,
}

impl Entry {
    pub(super) fn summary(&self, name: &RoomName) -> RoomSummary {
        let counts = self.live.as_ref().map(|live| (live.occupants.people(), live.occupants.sessions()));
        let (participants, sessions) = counts.unwrap_or_default();
        RoomSummary { name: name.to_string(), participants, sessions, kept: self.kept, locked: self.prepared.spec.locked }
    }
}

impl Told {
    pub(super) fn of(name: &RoomName, entry: &Entry) -> Self {
        let Entry { prepared, kept, live, events } = entry;
        Self { name: name.clone(), prepared: prepared.clone(), kept: *kept, live: live.clone(), events: events.clone() }
    }

    /// The live room as it was last told.
    pub(super) fn status(&self) -> Option<Arc<RoomStatus>> {
        self.live.as_ref().map(|live| live.status())
    }

    /// The live room once all that it was told has taken effect.
    pub(super) async fn settled(&self) -> Option<Arc<RoomStatus>> {
        match &self.live {
            Some(live) => live.settled().await,
            None => None,
        }
    }

    pub(super) fn announce(&self, event: RoomEvent) {
        // Nobody listens, most of the time.
        let _ = self.events.send(Arc::new(event));
    }

    /// # Errors
    /// Where the room has no such view.
    pub(super) fn check_view(&self, view: &ViewName) -> Result<(), AdminError> {
        if self.prepared.settings.views.contains_key(view) { Ok(()) } else { Err(no_view(view, &self.prepared)) }
    }

    /// A view as applied; where nobody is there, as it will be.
    pub(super) fn view(&self, name: &ViewName, status: Option<&RoomStatus>) -> ViewReport {
        let applied = status.and_then(|status| status.views.get(name));
        let stored = || ViewStatus::empty(&self.prepared.settings.views[name]);
        view(name, &applied.cloned().unwrap_or_else(stored))
    }

    pub(super) fn room(&self, rooms: &Rooms, status: Option<&RoomStatus>) -> RoomReport {
        let spec = RoomReport {
            name: self.name.to_string(),
            settings: (*self.prepared.spec).clone(),
            canvas: self.prepared.spec.canvas,
            layout: self.view(&ViewName::main(), status),
            views: self.prepared.settings.views.keys().map(|name| (name.clone(), self.view(name, status))).collect(),
            participants: status.map(|status| self.people(rooms, status)).unwrap_or_default(),
            viewers: self.viewers(rooms),
            renditions: self.renditions(),
            max_participants: self.prepared.spec.max_participants.map(|most| most.get()),
            locked: self.prepared.spec.locked,
            sessions: 0,
            kept: self.kept,
            time_ms: 0,
            video_encoders: 0,
            audio_encoders: 0,
        };
        let Some(live) = &self.live else { return spec };
        RoomReport {
            canvas: spec.layout.canvas,
            sessions: live.occupants.sessions(),
            time_ms: rooms.clock.now().as_millis(),
            video_encoders: spec.renditions.iter().map(|rendition| rendition.encoders).sum(),
            audio_encoders: live.audio.encoders(),
            ..spec
        }
    }

    /// In the order in which they came.
    fn people(&self, rooms: &Rooms, status: &RoomStatus) -> Vec<PersonReport> {
        let mut people: Vec<_> = status.people.iter().collect();
        people.sort_by_key(|(id, person)| (person.joined_at, **id));
        people.into_iter().map(|(id, person)| self.person_of(rooms, *id, person, status)).collect()
    }

    /// Somebody, where they are there.
    pub(super) fn person(&self, rooms: &Rooms, id: ParticipantId, status: &RoomStatus) -> Option<PersonReport> {
        status.people.get(&id).map(|person| self.person_of(rooms, id, person, status))
    }

    fn person_of(&self, rooms: &Rooms, id: ParticipantId, person: &PersonStatus, status: &RoomStatus) -> PersonReport {
        let (received, sent) = self.live.as_ref().map(|live| live.lines(id, rooms.clock.now())).unwrap_or_default();
        PersonReport {
            id: id.to_string(),
            name: person.name.to_string(),
            role: person.role.clone(),
            source: match person.source {
                Source::Camera => "camera",
                Source::Screen => "screen",
            },
            joined_at: rooms.wall_clock(person.joined_at),
            muted: person.muted,
            silent: person.silent,
            hidden: person.hidden,
            pinned: person.pinned,
            gain_db: person.gain_db,
            speaking: person.speaking,
            active_speaker: status.speaker == Some(id),
            level_db: (person.level_db * 10.0).round() / 10.0,
            picture: person.picture,
            received,
            sent,
        }
    }

    fn viewers(&self, rooms: &Rooms) -> Vec<ViewerReport> {
        let report = |live: &Live, id: ParticipantId| ViewerReport { id: id.to_string(), sent: live.lines(id, rooms.clock.now()).1 };
        self.live.iter().flat_map(|live| live.occupants.viewers().into_iter().map(|id| report(live, id))).collect()
    }

    /// Those of `main`, and those of other views that somebody receives.
    fn renditions(&self) -> Vec<RenditionReport> {
        let mut loads: BTreeMap<ViewName, Vec<Load>> = BTreeMap::new();
        for (key, of_scene) in self.live.iter().flat_map(|live| live.screens.loads()) {
            match loads.get_mut(&key.view) {
                Some(of_view) => of_view.iter_mut().zip(of_scene).for_each(|(all, one)| add(all, one)),
                None => drop(loads.insert(key.view, of_scene)),
            }
        }
        let views = self.prepared.settings.views.iter();
        views.flat_map(|(name, view)| self.renditions_of(name, view, loads.get(name).map_or(&[], Vec::as_slice))).collect()
    }

    fn renditions_of(&self, name: &ViewName, view: &View, loads: &[Load]) -> Vec<RenditionReport> {
        let report = |(n, rendition): (usize, &super::spec::RenditionSpec)| {
            let load = loads.get(n).copied();
            let height = rendition.height.get().min(view.canvas.height);
            let width = f64::from(view.canvas.width) * f64::from(height) / f64::from(view.canvas.height);
            let width = (width / 2.0).round() as u32 * 2;
            RenditionReport {
                view: name.clone(),
                rendition: rendition.clone(),
                width: load.map_or(width, |load| load.width),
                viewers: load.map_or(0, |load| load.viewers),
                encoders: load.map_or(0, |load| load.encoders),
                bitrate_bps: load.map_or(0, |load| load.bitrate_bps),
                target_bps: load.map_or(rendition.max_bps.get(), |load| load.target_bps),
                keyframes: load.map_or(0, |load| load.keyframes),
            }
        };
        let is_main = *name == ViewName::main();
        self.prepared.spec.renditions.iter().enumerate().map(report).filter(|report| is_main || report.viewers > 0).collect()
    }
}

/// Scenes without one person cost encoders of their own; the bitrate is one encoder's.
fn add(all: &mut Load, one: Load) {
    all.viewers += one.viewers;
    all.encoders += one.encoders;
    all.bitrate_bps = all.bitrate_bps.max(one.bitrate_bps);
    all.target_bps = all.target_bps.max(one.target_bps);
    all.keyframes += one.keyframes;
}

impl Rooms {
    /// RFC 3339 in UTC, to the millisecond.
    fn wall_clock(&self, at: MediaTime) -> String {
        let time = self.origin.checked_add(at.since(MediaTime::ZERO)).unwrap_or(self.origin);
        format!("{time:.3}")
    }
}

impl ViewStatus {
    /// The slate of an empty room.
    fn empty(view: &View) -> Self {
        let slate = CellStatus { region: None, participant: None, rect: Layout::whole(view.canvas.width, view.canvas.height), z: 0 };
        Self { canvas: view.canvas, layout: view.layout.clone(), cells: vec![slate], more: 0 }
    }
}

/// A view, as told.
pub(super) fn view(name: &ViewName, shown: &ViewStatus) -> ViewReport {
    ViewReport {
        view: name.clone(),
        layout: shown.layout.spec().clone(),
        canvas: CanvasSpec::from(shown.canvas),
        cells: shown.cells.iter().map(cell).collect(),
        more: shown.more,
    }
}

fn cell(cell: &CellStatus) -> CellReport {
    let participant = cell.participant.map(|id| id.to_string());
    let crate::media::Rect { x, y, width, height } = cell.rect;
    CellReport { region: cell.region.clone(), participant, x, y, width, height, z: cell.z }
}

/// A room has no such view.
pub(super) fn no_view(view: &ViewName, prepared: &Prepared) -> AdminError {
    let names: Vec<_> = prepared.settings.views.keys().map(ViewName::as_str).collect();
    AdminError::NotFound(format!("view {view}; the room has {}", names.join(", ")))
}
