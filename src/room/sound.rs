//! A room's sound: every 20 ms, what everybody hears.
//!
//! In: the people, each with their sound. Out: mixes; who is the active speaker. Never: pictures.

use std::collections::BTreeMap;
use std::time::Duration;

use super::active::ActiveSpeaker;
use super::clock::Ticks;
use super::mixer::{Mixer, Part};
use super::participant::Participant;
use super::people::People;
use super::{AudioSettings, Event, talkers};
use crate::media::{BLOCK_PERIOD, MediaTime, MixSet, ParticipantId};

/// Sound that is due is caught up with; after a longer pause than this, nobody wants to hear what was missed.
const LONGEST_CATCH_UP: Duration = Duration::from_secs(1);
/// Audio ticks a second.
const AUDIO_RATE: u32 = (1_000 / BLOCK_PERIOD.as_millis()) as u32;

/// All that sounds.
pub(super) struct Sound {
    ticks: Ticks,
    /// Those who left while they were mixed: heard for one more block, in which they fade.
    leaving: BTreeMap<ParticipantId, Participant>,
    active: ActiveSpeaker,
    mixer: Mixer,
}

impl Sound {
    pub(super) fn new(start: MediaTime) -> Self {
        let ticks = Ticks::new(start, AUDIO_RATE);
        Self { ticks, leaving: BTreeMap::new(), active: ActiveSpeaker::default(), mixer: Mixer::default() }
    }

    /// When the next block is due.
    pub(super) fn due(&self) -> MediaTime {
        self.ticks.due()
    }

    /// The active speaker.
    pub(super) fn speaker(&self) -> Option<ParticipantId> {
        self.active.current()
    }

    /// Somebody comes in again under an id that still fades.
    pub(super) fn join(&mut self, id: ParticipantId) {
        self.leaving.remove(&id);
    }

    /// Somebody goes; whoever is mixed fades first.
    pub(super) fn leave(&mut self, id: ParticipantId, person: Participant, events: &mut Vec<Event>) {
        if person.mixed() {
            self.leaving.insert(id, person);
        } else {
            self.mixer.leave(id);
        }
        self.silence(id, events);
    }

    /// Somebody is not the active speaker any more, if they were.
    pub(super) fn silence(&mut self, id: ParticipantId, events: &mut Vec<Event>) {
        if self.active.leave(id) {
            events.push(Event::SpeakerChanged(None));
        }
    }

    /// The block that is due.
    pub(super) fn tick(&mut self, now: MediaTime, people: &mut People, audio: AudioSettings, events: &mut Vec<Event>) -> MixSet {
        if now.since(self.ticks.due()) > LONGEST_CATCH_UP {
            events.push(Event::BlocksSkipped(self.ticks.skip_to_newest(now)));
        }
        let at = self.ticks.take();
        let leaving = self.leaving.values_mut();
        people.iter_mut().map(|(_, person)| person).chain(leaving).for_each(|person| person.pull(at, audio));
        self.watch_speaker(at, people, events);
        let mixes = self.mix(at, people, audio.max_talkers);
        std::mem::take(&mut self.leaving).into_keys().for_each(|id| self.mixer.leave(id));
        mixes
    }

    fn watch_speaker(&mut self, at: MediaTime, people: &mut People, events: &mut Vec<Event>) {
        let before = self.active.current();
        self.active.weigh(at, people.iter().filter(|(_, person)| person.may_speak()).map(|(id, person)| (id, &person.voice)));
        let speaker = self.active.current();
        if speaker != before {
            events.push(Event::SpeakerChanged(speaker));
        }
        for (id, person) in people.iter_mut() {
            let full = person.voice.talking().then_some(0.0).filter(|_| speaker == Some(id));
            person.glow.follow(full.or(person.voice.talking_db()));
        }
    }

    fn mix(&mut self, at: MediaTime, people: &mut People, most: usize) -> MixSet {
        let candidates = people.iter().filter_map(|(id, person)| person.as_talker(id));
        let chosen = talkers::choose(most, candidates);
        let leaving = self.leaving.iter_mut().map(|(id, person)| (*id, person));
        let everybody = people.iter_mut().chain(leaving);
        let mut parts: Vec<Part<'_>> =
            everybody.filter_map(|(id, person)| person.enter_mix(chosen.contains(&id)).map(|block| Part { id, block })).collect();
        parts.sort_by_key(|part| part.id);
        self.mixer.mix(at, &parts)
    }
}
