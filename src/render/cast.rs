//! Those who are there, with what they send.
//!
//! In: who comes and goes, and the moment. Out: what the room is told, and their pictures. Never: a picture decoded of somebody whom
//! the scene does not show.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::call::{Footage, Kind};
use super::camera::{Camera, Pause};
use super::damage::Damages;
use super::script::Entrance;
use super::voice::Voice;
use crate::compositor::Pictures;
use crate::media::{Frame, MediaTime, ParticipantId, Scene, SoundSource, Source};
use crate::room::Joining;

/// Everybody who is there.
pub(super) struct Cast {
    members: BTreeMap<ParticipantId, Member>,
    damages: Damages,
}

/// What one of them sends.
struct Member {
    camera: Option<Camera>,
    /// Says when their sound is over; the sound itself is the room's.
    sound_over: Option<Arc<AtomicBool>>,
    kind: Kind,
}

/// The pictures of those whom one scene shows.
#[derive(Debug, Default)]
pub(super) struct Shown(BTreeMap<ParticipantId, Arc<Frame>>);

impl Cast {
    pub(super) fn new(damages: Damages) -> Self {
        Self { members: BTreeMap::new(), damages }
    }

    /// Somebody comes: what the room is told of them.
    pub(super) fn enter(&mut self, entrance: Entrance, footage: Option<Footage>, now: MediaTime) -> Joining {
        let Entrance { id, name, source, .. } = entrance;
        let Some(Footage { media, kind, file }) = footage else { return Joining { id, name, source, sound: None, picture: None } };
        let damage = self.damages.of(&file);
        let (begins, pause) = match kind {
            Kind::Recorded => (MediaTime::ZERO, Pause::IsSilence),
            Kind::Film => (now, Pause::Holds),
        };
        let camera = media.pictures.map(|stream| Camera::new(stream, pause, begins, damage.clone()));
        let (sound, sound_over) = media.sound.map(|stream| Voice::open(stream, begins, damage)).unzip();
        let (sound, picture) = (sound.map(|voice| Box::new(voice) as Box<dyn SoundSource>), camera.as_ref().map(Camera::presence));
        self.members.insert(id, Member { camera, sound_over, kind });
        Joining { id, name, source, sound, picture }
    }

    pub(super) fn leave(&mut self, id: ParticipantId) {
        self.members.remove(&id);
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, now: MediaTime) {
        self.members.values_mut().filter_map(|member| member.camera.as_mut()).for_each(|camera| camera.advance(now));
    }

    /// Whose film is over.
    pub(super) fn through(&self, now: MediaTime) -> Vec<ParticipantId> {
        let through = self.members.iter().filter(|(_, member)| member.kind == Kind::Film && member.is_over(now));
        through.map(|(id, _)| *id).collect()
    }

    /// Whether nobody has anything to come.
    pub(super) fn is_over(&self, now: MediaTime) -> bool {
        self.members.values().all(|member| member.is_over(now))
    }

    /// What this scene shows of them.
    pub(super) fn shown_in(&mut self, scene: &Scene) -> Shown {
        let mut shown = BTreeMap::new();
        for cell in &scene.cells {
            let Source::Participant { id, .. } = &cell.source else { continue };
            let camera = self.members.get_mut(id).and_then(|member| member.camera.as_mut());
            shown.extend(camera.and_then(Camera::picture).map(|frame| (*id, frame)));
        }
        Shown(shown)
    }
}

impl Member {
    fn is_over(&self, now: MediaTime) -> bool {
        let silent = self.sound_over.as_ref().is_none_or(|over| over.load(Ordering::Relaxed));
        silent && self.camera.as_ref().is_none_or(|camera| camera.is_over(now))
    }
}

impl Pictures for Shown {
    fn picture(&self, id: ParticipantId) -> Option<Arc<Frame>> {
        self.0.get(&id).cloned()
    }
}
