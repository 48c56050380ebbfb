//! How a layout would look: a room without threads, with people who only stand there.
//!
//! In: settings, people. Out: the cells, or the scene. Never: anything that those in a real room notice.

use std::sync::Arc;
use std::time::Duration;

use crate::compositor::Strangers;
use crate::media::{
    BLOCK_SAMPLES, Block, Frame, Heard, MediaTime, ParticipantId, Picture, Reel, SAMPLE_RATE, Scene, SoundSource, ViewName,
};
use crate::room::{AudioSettings, Change, Command, Due, Joining, PersonStatus, Room, RoomSettings, RoomStatus, Source, ViewStatus};

/// How long the rehearsal lasts on its own clock: by then the one who is to speak is the active speaker.
const LASTS: Duration = Duration::from_secs(3);

/// A room on a clock of its own.
pub(super) struct Rehearsal(Room);

/// Whoever has the word, or has not.
struct Voice {
    speaks: bool,
}

impl SoundSource for Voice {
    fn pull(&mut self, now: MediaTime, into: &mut Block) -> Heard {
        if !self.speaks {
            *into = Block::SILENCE;
            return Heard::Idle;
        }
        let first = now.as_millis() as usize * SAMPLE_RATE as usize / 1000;
        let turns = |n: usize| ((first + n) % SAMPLE_RATE as usize) as f32 * 220.0 / SAMPLE_RATE as f32;
        *into = Block(std::array::from_fn::<_, BLOCK_SAMPLES, _>(|n| 0.3 * (turns(n) * std::f32::consts::TAU).sin()));
        Heard::Decoded
    }
}

impl Rehearsal {
    /// Nobody is there yet.
    pub(super) fn of(settings: RoomSettings) -> Self {
        // Nobody hears it: how voices are treated costs time and shows nowhere
        Self(Room::new(RoomSettings { audio: AudioSettings::default(), ..settings }, MediaTime::ZERO))
    }

    /// With the people of a real room.
    pub(super) fn with(settings: RoomSettings, status: &RoomStatus) -> Self {
        let mut rehearsal = Self::of(settings);
        let mut people: Vec<_> = status.people.iter().collect();
        people.sort_by_key(|(id, person)| (person.joined_at, **id));
        for (id, person) in people {
            rehearsal.bring_in(*id, person, status.speaker == Some(*id));
        }
        rehearsal
    }

    /// With made-up people, all of them seen. They send no sound, and are not marked for it.
    pub(super) fn with_strangers(mut settings: RoomSettings, count: usize) -> Self {
        settings.overlays.mute_marks = false;
        let mut rehearsal = Self::of(settings);
        for n in 0..count as u32 {
            let joining = Joining {
                id: ParticipantId(n),
                name: Strangers::name(n).into(),
                source: Source::Camera,
                sound: None,
                picture: Some(picture()),
            };
            rehearsal.0.handle(Command::Join(joining));
        }
        rehearsal
    }

    fn bring_in(&mut self, id: ParticipantId, person: &PersonStatus, speaks: bool) {
        let sound = person.has_audio.then(|| Box::new(Voice { speaks }) as Box<dyn SoundSource>);
        let seen = if person.picture { picture() } else { Arc::default() };
        let picture = person.has_video.then_some(seen);
        self.0.handle(Command::Join(Joining { id, name: person.name.clone(), source: person.source, sound, picture }));
        let change =
            Change { role: Some(person.role.clone()), hidden: Some(person.hidden), pinned: Some(person.pinned), ..Change::default() };
        self.0.handle(Command::Change(id, change));
    }

    /// What a view shows in the end.
    pub(super) fn view(mut self, view: &ViewName) -> Option<ViewStatus> {
        let (end, _) = self.play();
        self.0.status(end).views.remove(view)
    }

    /// The last scene of a view.
    pub(super) fn scene(mut self, view: &ViewName) -> Option<Scene> {
        self.0.handle(Command::Watch(ParticipantId(u32::MAX), view.clone()));
        self.play().1
    }

    /// To the end; when that is, and the last scene that somebody watched.
    fn play(&mut self) -> (MediaTime, Option<Scene>) {
        let (mut now, mut last) = (MediaTime::ZERO, None);
        while now.since(MediaTime::ZERO) < LASTS {
            now = self.0.next_deadline();
            while let Some(due) = self.0.advance(now) {
                last = if let Due::Scene(_, scene) = due { Some(scene) } else { last };
            }
        }
        (now, last)
    }
}

/// Something to see, whatever.
fn picture() -> Arc<Reel> {
    let newest = Arc::<Reel>::default();
    newest.put(MediaTime::ZERO, Picture { frame: Arc::new(Frame::black(16, 16)), at: MediaTime::ZERO });
    newest
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::layout::{self, LayoutSpec};
    use crate::room::View;

    fn person(name: &str, joined_at: u64) -> PersonStatus {
        PersonStatus {
            name: name.into(),
            joined_at: MediaTime::from_millis(joined_at),
            source: Source::Camera,
            role: None,
            muted: false,
            silent: false,
            hidden: false,
            pinned: false,
            gain_db: 0.0,
            speaking: false,
            level_db: -100.0,
            has_audio: true,
            has_video: true,
            picture: true,
        }
    }

    /// Who stands in each region of the spotlight, as rehearsed.
    fn in_the_spotlight(status: &RoomStatus) -> Vec<Option<ParticipantId>> {
        let spec = LayoutSpec::template("spotlight".parse().unwrap());
        let layout = Arc::new(spec.resolve(|name| layout::stock().get(name).cloned()).unwrap());
        let view = View { canvas: crate::media::Canvas::default(), layout };
        let settings = RoomSettings { views: BTreeMap::from([(ViewName::main(), view)]), ..RoomSettings::default() };
        let shown = Rehearsal::with(settings, status).view(&ViewName::main()).unwrap();
        shown.cells.iter().filter(|cell| cell.region.is_some()).map(|cell| cell.participant).collect()
    }

    #[test]
    fn who_has_the_word_has_it_in_the_rehearsal_too() {
        let people = BTreeMap::from([1, 2, 3].map(|n| (ParticipantId(n), person("Ann", u64::from(n)))));
        let mut status = RoomStatus { people, ..RoomStatus::default() };
        for speaker in [1, 2, 3] {
            status.speaker = Some(ParticipantId(speaker));
            assert_eq!(in_the_spotlight(&status), [status.speaker]);
        }
    }

    #[test]
    fn who_is_hidden_is_hidden_in_the_rehearsal_too() {
        let hidden = PersonStatus { hidden: true, ..person("Ann", 1) };
        let people = BTreeMap::from([(ParticipantId(1), hidden), (ParticipantId(2), person("Ben", 2))]);
        let status = RoomStatus { people, ..RoomStatus::default() };
        assert_eq!(in_the_spotlight(&status), [Some(ParticipantId(2))]);
    }
}
