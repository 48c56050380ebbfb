//! What a room tells of itself.

use super::cast::{Cast, Person};
use super::floorplan::Floorplan;
use super::{PersonStatus, RoomStatus, View, ViewStatus};
use crate::media::ParticipantId;

impl RoomStatus {
    /// What a view that is set up so would show the people who are here: a trial that changes nothing.
    pub fn rehearse(&self, view: &View) -> ViewStatus {
        let mut people: Vec<(&ParticipantId, &PersonStatus)> = self.people.iter().collect();
        people.sort_by_key(|(_, person)| person.joined_at);
        let people = people.into_iter().map(|(id, person)| Person::told(*id, person));
        let standing = Cast::default().place(view, &mut Floorplan::default(), people, self.speaker);
        ViewStatus::of(view, &standing)
    }
}
