//! The room itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::active::ActiveSpeaker;
use super::cast::Cast;
use super::clock::Ticks;
use super::layout::Shown;
use super::mixer::{Mixer, Part};
use super::participant::Participant;
use super::{Command, Layout, RoomSettings, talkers};
use crate::media::{BLOCK_PERIOD, MediaTime, MixSet, ParticipantId, Scene, SoundSource};

/// Sound that is due is caught up with; after a longer pause than this, nobody wants to hear what was missed.
const LONGEST_CATCH_UP: Duration = Duration::from_secs(1);
/// Audio ticks a second.
const AUDIO_RATE: u32 = (1_000 / BLOCK_PERIOD.as_millis()) as u32;

/// People, what they sound like, and how they are arranged. Never a clock, a thread, a socket or a codec.
pub struct Room {
    settings: RoomSettings,
    audio: Ticks,
    video: Ticks,
    /// Ordered by id: sums of the same sounds are the same to the bit.
    people: BTreeMap<ParticipantId, Participant>,
    /// Those who left while they were mixed: heard for one more block, in which they fade.
    leaving: BTreeMap<ParticipantId, Participant>,
    cast: Cast,
    active: ActiveSpeaker,
    mixer: Mixer,
    events: Vec<Event>,
}

/// What a tick gives.
#[derive(Clone, Debug)]
pub enum Due {
    /// An audio tick's mixes.
    Mixes(MixSet),
    /// A video tick's scene.
    Scene(Scene),
}

/// What happened, for logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody came.
    Joined(ParticipantId, Arc<str>),
    /// Somebody went.
    Left(ParticipantId),
    /// Somebody is called otherwise.
    Renamed(ParticipantId, Arc<str>),
    /// Another is the active speaker; nobody, where they left.
    SpeakerChanged(Option<ParticipantId>),
    /// The picture is arranged otherwise.
    LayoutChanged(Layout),
    /// So many pictures were not made, because the room was late.
    PicturesSkipped(u64),
    /// So many 20 ms blocks were not mixed, because the room stood still for more than a second.
    BlocksSkipped(u64),
}

impl Room {
    /// An empty room whose first ticks are due at `start`.
    pub fn new(settings: RoomSettings, start: MediaTime) -> Self {
        Self {
            audio: Ticks::new(start, AUDIO_RATE),
            video: Ticks::new(start, settings.canvas.fps),
            settings,
            people: BTreeMap::new(),
            leaving: BTreeMap::new(),
            cast: Cast::default(),
            active: ActiveSpeaker::default(),
            mixer: Mixer::default(),
            events: Vec::new(),
        }
    }

    /// Takes a command. One about somebody who is not there, or a join of somebody who is, changes nothing.
    pub fn handle(&mut self, command: Command) {
        match command {
            Command::Join { id, name, sound } => self.join(id, name, sound),
            Command::Leave(id) => self.leave(id),
            Command::Rename(id, name) => self.rename(id, name),
            Command::SetLayout(layout) => self.set_layout(layout),
        }
    }

    /// When [`Self::advance`] has something to do next.
    pub fn next_deadline(&self) -> MediaTime {
        self.audio.due().min(self.video.due())
    }

    /// What is due by `now`, one thing at a time until there is nothing more; sound first.
    ///
    /// Where the room is late, all blocks that are due come one after the other (up to a second of them), and of the
    /// pictures only the newest.
    pub fn advance(&mut self, now: MediaTime) -> Option<Due> {
        if self.audio.due() <= now {
            return Some(Due::Mixes(self.audio_tick(now)));
        }
        (self.video.due() <= now).then(|| Due::Scene(self.video_tick(now)))
    }

    /// What happened since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    fn join(&mut self, id: ParticipantId, name: Arc<str>, sound: Option<Box<dyn SoundSource>>) {
        if self.people.contains_key(&id) {
            return;
        }
        self.leaving.remove(&id);
        self.people.insert(id, Participant::new(name.clone(), sound));
        self.cast.join(id);
        self.events.push(Event::Joined(id, name));
    }

    fn leave(&mut self, id: ParticipantId) {
        let Some(person) = self.people.remove(&id) else { return };
        if person.mixed() {
            self.leaving.insert(id, person);
        } else {
            self.mixer.leave(id);
        }
        self.cast.leave(id);
        self.events.push(Event::Left(id));
        if self.active.leave(id) {
            self.events.push(Event::SpeakerChanged(None));
        }
    }

    fn rename(&mut self, id: ParticipantId, name: Arc<str>) {
        let Some(person) = self.people.get_mut(&id) else { return };
        person.name = name.clone();
        self.events.push(Event::Renamed(id, name));
    }

    fn set_layout(&mut self, layout: Layout) {
        if self.settings.layout != layout {
            self.settings.layout = layout;
            self.events.push(Event::LayoutChanged(layout));
        }
    }

    fn audio_tick(&mut self, now: MediaTime) -> MixSet {
        if now.since(self.audio.due()) > LONGEST_CATCH_UP {
            let skipped = self.audio.skip_to_newest(now);
            self.events.push(Event::BlocksSkipped(skipped));
        }
        let at = self.audio.take();
        self.people.values_mut().chain(self.leaving.values_mut()).for_each(|person| person.pull(at));
        self.watch_speaker(at);
        let mixes = self.mix(at);
        std::mem::take(&mut self.leaving).into_keys().for_each(|id| self.mixer.leave(id));
        mixes
    }

    fn watch_speaker(&mut self, at: MediaTime) {
        let before = self.active.current();
        self.active.weigh(at, self.people.iter().map(|(id, person)| (*id, &person.voice)));
        if self.active.current() != before {
            self.events.push(Event::SpeakerChanged(self.active.current()));
        }
    }

    fn mix(&mut self, at: MediaTime) -> MixSet {
        let candidates = self.people.iter().filter_map(|(id, person)| person.as_talker(*id));
        let chosen = talkers::choose(self.settings.max_talkers, candidates);
        let everybody = self.people.iter_mut().chain(&mut self.leaving);
        let mut parts: Vec<Part<'_>> =
            everybody.filter_map(|(id, person)| person.enter_mix(chosen.contains(id)).map(|block| Part { id: *id, block })).collect();
        parts.sort_by_key(|part| part.id);
        self.mixer.mix(at, &parts)
    }

    fn video_tick(&mut self, now: MediaTime) -> Scene {
        let skipped = self.video.skip_to_newest(now);
        if skipped > 0 {
            self.events.push(Event::PicturesSkipped(skipped));
        }
        let at = self.video.take();
        let (canvas, layout) = (self.settings.canvas, self.settings.layout);
        let capacity = layout.capacity();
        self.cast.admit(capacity, self.active.current(), |id| self.people.get(&id).and_then(|person| person.voice.spoke_at()));
        let shown = self.cast.shown(capacity).iter().map(|id| self.shown(*id)).collect();
        Scene { canvas, at, cells: layout.cells(canvas, shown, self.active.current()) }
    }

    fn shown(&self, id: ParticipantId) -> Shown {
        let person = self.people.get(&id).expect("the cast holds only people who are there");
        let speaking = self.active.current() == Some(id) && person.voice.talking();
        Shown { id, name: person.name.clone(), muted: person.muted(), speaking }
    }
}
