//! Everybody in the room, by id and in the order in which they came.

use std::collections::BTreeMap;

use super::cast::Person;
use super::participant::Participant;
use crate::media::ParticipantId;

/// The people of a room.
#[derive(Default)]
pub(super) struct People {
    /// Ordered by id: sums of the same sounds are the same to the bit.
    by_id: BTreeMap<ParticipantId, Participant>,
    /// As they came.
    turns: Vec<ParticipantId>,
}

impl People {
    pub(super) fn join(&mut self, id: ParticipantId, person: Participant) {
        self.by_id.insert(id, person);
        self.turns.push(id);
    }

    pub(super) fn leave(&mut self, id: ParticipantId) -> Option<Participant> {
        self.turns.retain(|other| *other != id);
        self.by_id.remove(&id)
    }

    pub(super) fn get(&self, id: ParticipantId) -> Option<&Participant> {
        self.by_id.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: ParticipantId) -> Option<&mut Participant> {
        self.by_id.get_mut(&id)
    }

    /// By id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ParticipantId, &Participant)> + Clone {
        self.by_id.iter().map(|(id, person)| (*id, person))
    }

    /// By id.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (ParticipantId, &mut Participant)> {
        self.by_id.iter_mut().map(|(id, person)| (*id, person))
    }

    /// As a scene sees them, in the order in which they came.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = Person<'_>> {
        self.turns.iter().filter_map(|id| Some(self.by_id.get(id)?.as_person(*id)))
    }
}

impl Participant {
    fn as_person(&self, id: ParticipantId) -> Person<'_> {
        Person {
            id,
            source: self.source,
            role: self.role.as_ref(),
            pinned: self.pinned,
            hidden: self.hidden,
            picture: self.sight.shown(),
            spoke_at: self.voice.spoke_at(),
        }
    }
}
