//! A room without clock, thread, socket or codec: commands in; scenes, mixes, routes and events out.
//!
//! [`Room`] is pure: it is told what time it is. [`Driver`] is the one thread that gives it real time.
//!
//! | File | What it does |
//! | --- | --- |
//! | `state` | the room itself: commands, what is due, events, what it tells of itself |
//! | `clock` | when ticks are due |
//! | `people`, `participant`, `sight`, `glow` | who is there: what an admin says of them, their picture, the edge round who speaks |
//! | `views`, `view`, `plan`, `routes` | which pictures are drawn, how each is arranged and when, and for whom |
//! | `cast`, `fill`, `floorplan`, `cells` | who is shown and where, and what their cell says of them |
//! | `sound` | what is heard, every 20 ms |
//! | `strip`, `denoise`, `agc` | what is done to one voice before it is mixed |
//! | `voice`, `talkers`, `active` | who talks, who is mixed, who is the active speaker |
//! | `mixer`, `limiter` | the sums, and keeping them below full scale |
//! | `inbox`, `driver` | commands on their way, real time |

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::layout::Layout;
use crate::media::{Canvas, Image, LowerThird, MediaTime, MixSet, ParticipantId, Rect, Reel, Scene, ShortName, SoundSource, ViewName};

mod active;
mod agc;
mod cast;
mod cells;
mod clock;
mod denoise;
mod driver;
mod fill;
mod floorplan;
mod glow;
mod inbox;
mod limiter;
mod mixer;
mod participant;
mod people;
mod plan;
mod routes;
mod sight;
#[cfg(test)]
mod sim;
mod sound;
mod state;
mod strip;
mod talkers;
#[cfg(test)]
mod tone;
mod view;
mod views;
mod voice;

pub use driver::Driver;
pub use state::{Due, Event, Room};

/// How a room is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomSettings {
    /// The pictures there are; always with [`ShortName::main`].
    pub views: BTreeMap<ViewName, View>,
    /// What is painted beside and over people, in all views.
    pub overlays: Overlays,
    /// How people are heard.
    pub audio: AudioSettings,
    /// Scenes that leave their own receiver out, at most, in all views; 0 to 64, default 4. The rest get the shared one.
    pub max_self_views: usize,
}

/// One picture of a room: its size and its arrangement.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Size, rate and background.
    pub canvas: Canvas,
    /// Who stands where.
    pub layout: Arc<Layout>,
}

/// What is painted beside and over people.
#[derive(Clone, Debug, PartialEq)]
pub struct Overlays {
    /// Fills the background.
    pub backdrop: Option<Arc<Image>>,
    /// A logo in a corner.
    pub logo: Option<Logo>,
    /// A band of text.
    pub lower_third: Option<LowerThird>,
    /// Whether a mark stands on those who send no sound, or were muted; default true.
    pub mute_marks: bool,
    /// Whether an edge that follows the voice stands round those who speak; default true.
    pub speaking_marks: bool,
}

/// A logo: as wide as a part of the canvas, at one of nine positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Logo {
    /// The image.
    pub image: Arc<Image>,
    /// 0 left, 1 middle, 2 right.
    pub column: u8,
    /// 0 top, 1 middle, 2 bottom.
    pub row: u8,
    /// As a part of the canvas's width, above 0 to 1.
    pub width: f32,
    /// 0 to 1.
    pub opacity: f32,
}

/// How people are heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioSettings {
    /// Talkers mixed at most, loudest first; 1 to 32, default 16.
    pub max_talkers: usize,
    /// Whether quiet voices are raised and loud ones lowered, slowly; default false.
    pub agc: bool,
    /// Whether steady noise is taken out of each voice; default false.
    pub noise_suppression: bool,
}

impl Default for Overlays {
    fn default() -> Self {
        Self { backdrop: None, logo: None, lower_third: None, mute_marks: true, speaking_marks: true }
    }
}

impl Default for AudioSettings {
    fn default() -> Self {
        Self { max_talkers: 16, agc: false, noise_suppression: false }
    }
}

impl Default for RoomSettings {
    fn default() -> Self {
        let main = View { canvas: Canvas::default(), layout: Arc::default() };
        Self {
            views: BTreeMap::from([(ViewName::main(), main)]),
            overlays: Overlays::default(),
            audio: AudioSettings::default(),
            max_self_views: 4,
        }
    }
}

/// What somebody's pictures show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// Themself.
    #[default]
    Camera,
    /// Their screen: goes before cameras.
    Screen,
}

/// What a room is told.
pub enum Command {
    /// Somebody who sends picture or sound comes in.
    Join(Joining),
    /// They go.
    Leave(ParticipantId),
    /// An admin changes something about them.
    Change(ParticipantId, Change),
    /// The room is set up otherwise; takes effect at each view's next tick. Views that are gone are no longer drawn.
    Configure(RoomSettings),
    /// One view is arranged otherwise: at the first tick at or after `at`, at the next where that is past or `None`.
    Arrange {
        /// The view; one that there is not changes nothing.
        view: ViewName,
        /// How.
        layout: Arc<Layout>,
        /// When, on the room's line (see [`RoomStatus::at`]).
        at: Option<MediaTime>,
    },
    /// Somebody (who takes part or only watches) receives a view from here on; one that there is not is `main`.
    Watch(ParticipantId, ViewName),
    /// They receive no picture any more. A leave does not imply it.
    Unwatch(ParticipantId),
}

/// Somebody who comes in.
pub struct Joining {
    /// Their id, fresh in this room.
    pub id: ParticipantId,
    /// Their display name.
    pub name: Arc<str>,
    /// What their pictures show.
    pub source: Source,
    /// Their sound, where they send any.
    pub sound: Option<Box<dyn SoundSource>>,
    /// Their newest picture, where they send any; empty while there is none to show.
    pub picture: Option<Arc<Reel>>,
}

/// What an admin changes about somebody; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// Display name.
    pub name: Option<Arc<str>>,
    /// Role, or none.
    pub role: Option<Option<ShortName>>,
    /// Their sound is not mixed.
    pub muted: Option<bool>,
    /// Their picture is not shown.
    pub hidden: Option<bool>,
    /// Their sound is made louder or quieter, −60 to +20 dB.
    pub gain_db: Option<f32>,
    /// They stand in regions for `pinned`, and before others elsewhere.
    pub pinned: Option<bool>,
}

/// Which picture: a view, as everybody gets it or without one person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SceneKey {
    /// The view.
    pub view: ViewName,
    /// Who is left out of it; `None` is the shared one.
    pub without: Option<ParticipantId>,
}

/// Which picture each receiver gets. Two views that are set up alike share one; who is not visible needs none without them.
pub type Routes = BTreeMap<ParticipantId, SceneKey>;

/// A room as it is: made anew after each batch of commands and ten times a second. What the API tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoomStatus {
    /// When it was made, on the server's line (the same as scenes' `at`).
    pub at: MediaTime,
    /// Commands handled so far.
    pub handled: u64,
    /// Everybody, by id.
    pub people: BTreeMap<ParticipantId, PersonStatus>,
    /// The active speaker.
    pub speaker: Option<ParticipantId>,
    /// What each view shows, or goes over to.
    pub views: BTreeMap<ViewName, ViewStatus>,
    /// Who receives what.
    pub routes: Arc<Routes>,
}

/// One person as the room knows them.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonStatus {
    /// Display name.
    pub name: Arc<str>,
    /// When they came.
    pub joined_at: MediaTime,
    /// What their pictures show.
    pub source: Source,
    /// Their role.
    pub role: Option<ShortName>,
    /// Muted by an admin.
    pub muted: bool,
    /// They send no sound at all, or none for two seconds.
    pub silent: bool,
    /// Hidden by an admin.
    pub hidden: bool,
    /// Pinned by an admin.
    pub pinned: bool,
    /// In decibels.
    pub gain_db: f32,
    /// Whether they talk.
    pub speaking: bool,
    /// Peak level in dBFS, −100 to 0.
    pub level_db: f32,
    /// Whether they send sound.
    pub has_audio: bool,
    /// Whether they send pictures.
    pub has_video: bool,
    /// Whether there is a picture of them right now.
    pub picture: bool,
}

/// What a view shows, or goes over to.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewStatus {
    /// Its size.
    pub canvas: Canvas,
    /// Its layout.
    pub layout: Arc<Layout>,
    /// The shared scene's cells, once in place; in paint order.
    pub cells: Vec<CellStatus>,
    /// People who are heard and not shown for want of a place.
    pub more: u32,
}

/// A place and who stands there.
#[derive(Clone, Debug, PartialEq)]
pub struct CellStatus {
    /// The region; `None` for the slate and for a "+N" beside the regions.
    pub region: Option<ShortName>,
    /// Who; `None` for the slate and "+N".
    pub participant: Option<ParticipantId>,
    /// Where.
    pub rect: Rect,
    /// Paint order.
    pub z: i32,
}

/// Who takes what a room gives. Called on the driver's thread: must never block.
pub trait Stage: Send {
    /// Who receives what from here on; before the first scene of a key that is new.
    fn routes(&mut self, routes: Arc<Routes>);
    /// The scene of a video tick; only of keys that somebody is routed to.
    fn scene(&mut self, key: &SceneKey, scene: Scene);
    /// The mixes of an audio tick.
    fn mixes(&mut self, mixes: MixSet);
    /// What happened.
    fn event(&mut self, at: MediaTime, event: &Event);
    /// The room as it is, as often as it is told.
    fn status(&mut self, _status: &Arc<RoomStatus>) {}
}
