//! The loop: the room is told what happens, and what it gives is filmed. The only clock is the room's own next deadline.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::call::Call;
use super::cast::Cast;
use super::film::Film;
use super::script::{Deed, Entrance, Templates};
use super::studio::{Shot, Studio};
use super::{Made, Plan, Progress, RenderError};
use crate::layout::stock;
use crate::media::{Canvas, MediaTime, ParticipantId, ViewName};
use crate::room::{Change, Command, Due, Room, RoomSettings};

/// Whoever the film is for: no participant has this id.
const AUDIENCE: ParticipantId = ParticipantId(u32::MAX);

/// Makes a call again, into a file. `watch` is told of each picture, and may end the film there; what is filmed by then can be played.
///
/// # Errors
/// See [`RenderError`]; what was filmed before can be played, too.
pub fn render(call: Call, plan: &Plan, out: &Path, watch: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<Made, RenderError> {
    if call.is_empty() {
        return Err(RenderError::Nothing(call.damages.list().join("; ")));
    }
    let canvas = canvas(plan);
    let (of, damages) = (call.duration(), call.damages.clone());
    let mut stage = Stage::set(call, plan, canvas)?;
    let studio = Studio::open(plan, canvas, Film::create(out, canvas)?)?;
    let stopped = stage.play(&studio, &mut |at| watch(Progress { at, of })).is_break();
    let takes = studio.close()?;
    Ok(Made { length: takes.length, pictures: takes.pictures, stopped, damage: damages.list() })
}

/// What is filmed.
fn canvas(plan: &Plan) -> Canvas {
    plan.room.views.get(&ViewName::main()).map_or_else(Canvas::default, |view| view.canvas)
}

/// The room, those in it, and what is to come.
struct Stage {
    call: Call,
    room: Room,
    cast: Cast,
    acts: VecDeque<(MediaTime, Act)>,
}

/// A deed, as the stage takes it.
enum Act {
    Join(Entrance),
    Leave(ParticipantId),
    Tell(Command),
}

/// What is to be done about a deed, with the templates as they are then; settings that nobody checked change nothing.
fn act(at: MediaTime, deed: Deed, canvas: Canvas, templates: &mut Templates) -> Result<Option<(MediaTime, Act)>, RenderError> {
    let act = match deed {
        Deed::Join(entrance) => Act::Join(entrance),
        Deed::Leave(id) => Act::Leave(id),
        Deed::Change(id, change) => Act::Tell(Command::Change(id, change)),
        Deed::Template(name, template) => {
            templates.insert(name, template);
            return Ok(None);
        }
        Deed::Arrange(spec) => {
            let layout = spec.resolve(|name| templates.get(name).or_else(|| stock().get(name)).cloned());
            let layout = layout.map_err(|source| RenderError::Layout { at: at.since(MediaTime::ZERO), source })?;
            Act::Tell(Command::Arrange { view: ViewName::main(), layout: Arc::new(layout), at: None })
        }
        Deed::Configure(settings) => Act::Tell(Command::Configure(filmed(*settings, canvas))),
        Deed::Settings(_) => return Ok(None),
    };
    Ok(Some((at, act)))
}

/// Settings with the film's canvas, whatever the room's came to be, and no view that is not filmed.
fn filmed(mut settings: RoomSettings, canvas: Canvas) -> RoomSettings {
    settings.views.retain(|name, _| *name == ViewName::main());
    let views = settings.views.values_mut();
    views.for_each(|view| view.canvas = Canvas { background: view.canvas.background, ..canvas });
    settings
}

impl Stage {
    fn set(mut call: Call, plan: &Plan, canvas: Canvas) -> Result<Self, RenderError> {
        let mut room = Room::new(filmed(plan.room.clone(), canvas), MediaTime::ZERO);
        room.handle(Command::Watch(AUDIENCE, ViewName::main()));
        let (deeds, mut templates) = (std::mem::take(&mut call.deeds), call.templates().clone());
        let acts = deeds.into_iter().filter_map(|(at, deed)| act(at, deed, canvas, &mut templates).transpose());
        let acts = acts.collect::<Result<_, _>>()?;
        let cast = Cast::new(call.damages.clone());
        Ok(Self { call, room, cast, acts })
    }

    /// To the end, or until `watch` breaks it.
    fn play(&mut self, studio: &Studio, watch: &mut dyn FnMut(Duration) -> ControlFlow<()>) -> ControlFlow<()> {
        loop {
            let now = self.room.next_deadline();
            self.act(now);
            if self.acts.is_empty() && self.cast.is_over(now) {
                return ControlFlow::Continue(());
            }
            let shot = match self.room.advance(now) {
                Some(Due::Mixes(mixes)) => Shot::Mix(mixes),
                Some(Due::Scene(_, scene)) => {
                    watch(scene.at.since(MediaTime::ZERO))?;
                    let shown = self.cast.shown_in(&scene);
                    Shot::Scene(Box::new(scene), shown)
                }
                None => continue,
            };
            self.room.take_events();
            // A studio that takes nothing more says why when it is closed
            if !studio.take(shot) {
                return ControlFlow::Continue(());
            }
        }
    }

    /// Does what is due.
    fn act(&mut self, now: MediaTime) {
        self.cast.advance(now);
        for id in self.cast.through(now) {
            self.leave(id);
        }
        while self.acts.front().is_some_and(|(at, _)| *at <= now) {
            match self.acts.pop_front().expect("there is a first one").1 {
                Act::Join(entrance) => self.join(entrance, now),
                Act::Leave(id) => self.leave(id),
                Act::Tell(command) => self.room.handle(command),
            }
        }
    }

    fn join(&mut self, entrance: Entrance, now: MediaTime) {
        let (id, change) = (entrance.id, entrance.change.clone());
        let footage = self.call.footage.remove(&id);
        let joining = self.cast.enter(entrance, footage, now);
        self.cast.advance(now);
        self.room.handle(Command::Join(joining));
        if change != Change::default() {
            self.room.handle(Command::Change(id, change));
        }
    }

    fn leave(&mut self, id: ParticipantId) {
        self.cast.leave(id);
        self.room.handle(Command::Leave(id));
    }
}
