//! People in a live room: told of, changed, sent out.

use std::sync::Arc;

use super::AdminError;
use crate::media::{ParticipantId, RoomName, unfit_to_show};
use crate::room::{Change, Command};
use crate::rooms::live::Live;
use crate::rooms::resolve::invalid;
use crate::rooms::tell::Told;
use crate::rooms::{PersonReport, Rooms};

/// The longest display name, in characters.
const LONGEST_NAME: usize = 64;
const LEAST_GAIN_DB: f32 = -60.0;
const MOST_GAIN_DB: f32 = 20.0;

impl Rooms {
    /// One person.
    ///
    /// # Errors
    /// Where there is no such room or person.
    pub async fn person(&self, room: &RoomName, id: ParticipantId) -> Result<PersonReport, AdminError> {
        let told = self.told(room)?;
        let status = told.status().ok_or_else(|| nobody(room, id))?;
        told.person(self, id, &status).ok_or_else(|| nobody(room, id))
    }

    /// Changes something about somebody.
    ///
    /// # Errors
    /// Where there is no such room or person; `Invalid` for a value out of range, `Conflict` for a name that is taken.
    pub async fn change(&self, room: &RoomName, id: ParticipantId, change: Change) -> Result<PersonReport, AdminError> {
        check(&change)?;
        let (told, live) = self.told_live(room, id)?;
        let settled = live.settled().await.filter(|status| status.people.contains_key(&id));
        settled.ok_or_else(|| nobody(room, id))?;
        if let Some(name) = &change.name
            && !live.occupants.rename(id, name, told.prepared.spec.unique_names)
        {
            return Err(AdminError::Conflict(format!("somebody in room {room} is called {name:?} already, and names are unique there")));
        }
        let status = live.ask(Command::Change(id, change)).await.ok_or_else(|| nobody(room, id))?;
        told.person(self, id, &status).ok_or_else(|| nobody(room, id))
    }

    /// Sends somebody out: their session is closed.
    ///
    /// # Errors
    /// Where there is no such room or person.
    pub async fn remove(&self, room: &RoomName, id: ParticipantId) -> Result<(), AdminError> {
        let (_, live) = self.told_live(room, id)?;
        if live.occupants.dismiss(id) { Ok(()) } else { Err(nobody(room, id)) }
    }

    fn told_live(&self, room: &RoomName, id: ParticipantId) -> Result<(Told, Arc<Live>), AdminError> {
        let told = self.told(room)?;
        let live = told.live.clone().ok_or_else(|| nobody(room, id))?;
        Ok((told, live))
    }
}

fn check(change: &Change) -> Result<(), AdminError> {
    if let Some(gain) = change.gain_db.filter(|gain| !(LEAST_GAIN_DB..=MOST_GAIN_DB).contains(gain)) {
        return Err(invalid("gain_db", format!("{gain} is out of range; send a number from {LEAST_GAIN_DB} to {MOST_GAIN_DB}")));
    }
    let Some(name) = &change.name else { return Ok(()) };
    let length = name.chars().count();
    if name.trim().is_empty() || length > LONGEST_NAME {
        return Err(invalid("name", format!("has {length} characters; send 1 to {LONGEST_NAME} that can be seen")));
    }
    if name.chars().any(unfit_to_show) {
        return Err(invalid("name", "holds control characters; send letters, digits, spaces and signs"));
    }
    Ok(())
}

fn nobody(room: &RoomName, id: ParticipantId) -> AdminError {
    AdminError::NotFound(format!("participant {id} in room {room}"))
}
