//! A room on virtual time, with tones for voices: what people in it see and hear.

use std::sync::Arc;
use std::time::Duration;

use super::tone::Tone;
use super::*;
use crate::layout::LayoutSpec;
use crate::media::{Block, Cell, Frame, Heard, MediaTime, Picture, Source as Shown};

mod arranging;
mod hearing;
mod marks;
mod motion;
mod placing;
mod views;

/// A room, its people's ears and what they have heard and seen.
struct Sim {
    room: Room,
    now: MediaTime,
    mixes: Vec<MixSet>,
    scenes: Vec<(SceneKey, Scene)>,
    events: Vec<Event>,
}

/// A voice: the tone while `speaks` says so for the n-th 20 ms of the room's time.
struct Mouth<F> {
    tone: Tone,
    speaks: F,
}

impl<F: FnMut(u64) -> bool + Send> SoundSource for Mouth<F> {
    fn pull(&mut self, now: MediaTime, into: &mut Block) -> Heard {
        let n = now.as_millis() / 20;
        *into = if (self.speaks)(n) { self.tone.block(n) } else { Block::SILENCE };
        Heard::Decoded
    }
}

fn always(_: u64) -> bool {
    true
}

fn never(_: u64) -> bool {
    false
}

/// Somebody who watches and does not take part.
const VIEWER: ParticipantId = ParticipantId(1000);

fn joining(id: u32) -> Joining {
    Joining { id: ParticipantId(id), name: format!("P{id}").into(), source: Source::Camera, sound: None, picture: None }
}

fn name(text: &str) -> ShortName {
    text.parse().unwrap()
}

fn view(text: &str) -> SceneKey {
    SceneKey { view: name(text), without: None }
}

fn layout(json: &str) -> Arc<Layout> {
    let spec: LayoutSpec = serde_json::from_str(json).unwrap();
    Arc::new(spec.resolve(|name| crate::layout::stock().get(name).cloned()).unwrap())
}

/// A template whose people do not glide.
fn template(name: &str) -> Arc<Layout> {
    layout(&format!(r#"{{"template": "{name}", "transition_ms": 0}}"#))
}

/// Regions side by side, each of which shows what it is called after, without gliding.
fn regions(shows: &[&str]) -> Arc<Layout> {
    let region = |(n, shows): (usize, &&str)| {
        format!(r#"{{"id": "r{n}", "left": "{n}/{of}", "top": 0, "width": "1/{of}", "height": 1, "shows": "{shows}"}}"#, of = 8)
    };
    let regions: Vec<String> = shows.iter().enumerate().map(region).collect();
    layout(&format!(r#"{{"regions": [{}], "transition_ms": 0}}"#, regions.join(",")))
}

/// Settings with a main view of this layout.
fn settings(layout: Arc<Layout>) -> RoomSettings {
    with_views(&[("main", layout)])
}

fn with_views(layouts: &[(&str, Arc<Layout>)]) -> RoomSettings {
    let view = |(view, layout): &(&str, Arc<Layout>)| (name(view), View { canvas: Canvas::default(), layout: layout.clone() });
    RoomSettings { views: layouts.iter().map(view).collect(), ..RoomSettings::default() }
}

fn picture() -> Arc<Reel> {
    let newest = Arc::new(Reel::default());
    newest.put(MediaTime::ZERO, Picture { frame: Arc::new(Frame::black(16, 16)), at: MediaTime::ZERO });
    newest
}

impl Sim {
    /// A room whose main view somebody watches.
    fn new(settings: RoomSettings) -> Self {
        let mut room = Room::new(settings, MediaTime::ZERO);
        room.handle(Command::Watch(VIEWER, ShortName::main()));
        Self { room, now: MediaTime::ZERO, mixes: vec![], scenes: vec![], events: vec![] }
    }

    /// A room with so many silent people, some time after they came.
    fn of(people: u32, layout: Arc<Layout>) -> Self {
        let mut sim = Self::new(settings(layout));
        (1..=people).for_each(|id| sim.join(id, Tone::db(300.0, -20.0), never));
        sim.seconds(1);
        sim
    }

    fn join(&mut self, id: u32, tone: Tone, speaks: impl FnMut(u64) -> bool + Send + 'static) {
        let sound = Some(Box::new(Mouth { tone, speaks }) as Box<dyn SoundSource>);
        self.room.handle(Command::Join(Joining { sound, picture: Some(picture()), ..joining(id) }));
    }

    fn share_screen(&mut self, id: u32) -> Arc<Reel> {
        let newest = picture();
        self.room.handle(Command::Join(Joining { source: Source::Screen, picture: Some(newest.clone()), ..joining(id) }));
        newest
    }

    fn leave(&mut self, id: u32) -> &mut Self {
        self.room.handle(Command::Leave(ParticipantId(id)));
        self
    }

    fn change(&mut self, id: u32, change: Change) -> &mut Self {
        self.room.handle(Command::Change(ParticipantId(id), change));
        self
    }

    fn pin(&mut self, id: u32, pinned: bool) -> &mut Self {
        self.change(id, Change { pinned: Some(pinned), ..Change::default() })
    }

    fn hide(&mut self, id: u32) -> &mut Self {
        self.change(id, Change { hidden: Some(true), ..Change::default() })
    }

    fn mute(&mut self, id: u32, muted: bool) -> &mut Self {
        self.change(id, Change { muted: Some(muted), ..Change::default() })
    }

    fn give_role(&mut self, id: u32, role: &str) -> &mut Self {
        self.change(id, Change { role: Some(Some(name(role))), ..Change::default() })
    }

    fn arrange(&mut self, view: &str, layout: Arc<Layout>, at: Option<u64>) -> &mut Self {
        self.room.handle(Command::Arrange { view: name(view), layout, at: at.map(MediaTime::from_millis) });
        self
    }

    fn watch(&mut self, id: u32, view: &str) -> &mut Self {
        self.room.handle(Command::Watch(ParticipantId(id), name(view)));
        self
    }

    /// Lets time pass, deadline by deadline.
    fn run(&mut self, span: Duration) -> &mut Self {
        let end = self.now + span;
        while self.room.next_deadline() < end {
            self.now = self.now.max(self.room.next_deadline());
            self.catch_up();
        }
        self.now = end;
        self
    }

    fn millis(&mut self, millis: u64) -> &mut Self {
        self.run(Duration::from_millis(millis))
    }

    fn seconds(&mut self, seconds: u64) -> &mut Self {
        self.run(Duration::from_secs(seconds))
    }

    /// Does what is due, without letting time pass.
    fn catch_up(&mut self) {
        while let Some(due) = self.room.advance(self.now) {
            self.events.extend(self.room.take_events());
            match due {
                Due::Mixes(mixes) => self.mixes.push(mixes),
                Due::Scene(key, scene) => self.scenes.push((key, scene)),
            }
        }
        self.events.extend(self.room.take_events());
    }

    /// The scenes of one key.
    fn seen(&self, key: &SceneKey) -> Vec<&Scene> {
        self.scenes.iter().filter(|(of, _)| of == key).map(|(_, scene)| scene).collect()
    }

    fn last_cells(&self) -> &[Cell] {
        self.last_cells_of(&view("main"))
    }

    fn last_cells_of(&self, key: &SceneKey) -> &[Cell] {
        &self.seen(key).last().expect("time has passed").cells
    }

    /// Who stands in the main view, as they are painted.
    fn shown(&self) -> Vec<u32> {
        shown(self.last_cells())
    }

    fn status(&self) -> RoomStatus {
        self.room.status(self.now)
    }

    /// Who stands in which region of the main view, by region.
    fn standing(&self) -> Vec<(String, u32)> {
        let views = self.status().views;
        let cells = views[&name("main")].cells.iter();
        let stands = |cell: &CellStatus| Some((cell.region.as_ref()?.to_string(), cell.participant?.0));
        let mut standing: Vec<_> = cells.filter_map(stands).collect();
        standing.sort();
        standing
    }

    /// Which keys are drawn of late: those of the last tenth of a second.
    fn drawn(&self) -> Vec<SceneKey> {
        let mut keys: Vec<_> =
            self.scenes.iter().filter(|(_, scene)| scene.at + Duration::from_millis(100) > self.now).map(|(key, _)| key.clone()).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    fn speakers(&self) -> Vec<Option<u32>> {
        let changed = |event: &Event| match event {
            Event::SpeakerChanged(id) => Some(id.map(|id| id.0)),
            _ => None,
        };
        self.events.iter().filter_map(changed).collect()
    }
}

/// Who stands in cells: 0 is the slate, and 9000 and more the "+N".
fn shown(cells: &[Cell]) -> Vec<u32> {
    let id = |cell: &Cell| match cell.source {
        Shown::Participant { id, .. } | Shown::Placeholder { id, .. } => id.0,
        Shown::Slate => 0,
        Shown::More(more) => 9000 + more,
    };
    cells.iter().map(id).collect()
}
