//! Who is in a room, and who speaks.
//!
//! In: the room as it is. Out: the two messages. Never: a level, which changes all the time.

use super::message::{Person, ToClient};
use crate::media::ParticipantId;
use crate::room::{PersonStatus, RoomStatus, Source};

/// A message of this many people stays below what any client takes (64 KiB).
const MOST: usize = 200;

/// Everybody, in the order in which they came.
pub(super) fn people(status: &RoomStatus) -> ToClient {
    let mut people: Vec<_> = status.people.iter().collect();
    people.sort_by_key(|(id, person)| (person.joined_at, **id));
    let more = people.len().saturating_sub(MOST);
    ToClient::Roster { people: people.into_iter().take(MOST).map(|(id, told)| person(*id, told)).collect(), more }
}

/// Who speaks.
pub(super) fn speaker(status: &RoomStatus) -> ToClient {
    let speaking = status.people.iter().filter(|(_, person)| person.speaking).take(MOST).map(|(id, _)| id.to_string());
    ToClient::Speaker { active: status.speaker.map(|id| id.to_string()), speaking: speaking.collect() }
}

fn person(id: ParticipantId, person: &PersonStatus) -> Person {
    Person {
        id: id.to_string(),
        name: person.name.to_string(),
        role: person.role.as_ref().map(ToString::to_string),
        source: match person.source {
            Source::Camera => "camera",
            Source::Screen => "screen",
        },
        muted: person.muted || person.silent,
        hidden: person.hidden,
        picture: person.picture,
    }
}
