//! Who holds a seat in one room, and what goes over their lines.
//!
//! In: seats taken and given up; time. Out: names in use, rates, and the word that sends somebody out. Never: who is seen or heard
//! (the room knows that).

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::lines::{Inward, Outward, tenths};
use super::{JoinError, Received, Sent, Wish};
use crate::media::{MediaTime, ParticipantId, RoomName, SentTraffic, Traffic, ViewName};
use crate::metrics::{Media, Metrics};

/// All seats of one room, by the public ids of those who hold them.
#[derive(Debug, Default)]
pub(super) struct Occupants(Mutex<Seats>);

#[derive(Debug, Default)]
struct Seats {
    last_id: u32,
    taken: BTreeMap<ParticipantId, Occupant>,
}

/// Who holds a seat: a session, or an output.
#[derive(Debug)]
struct Occupant {
    /// The display name, where they take part.
    name: Option<Arc<str>>,
    /// It is an output of the server's own.
    is_output: bool,
    /// The view they receive.
    view: Option<ViewName>,
    dismissal: watch::Sender<bool>,
    sent: Outward,
    video: Option<Inward>,
    audio: Option<Inward>,
}

/// What who comes in has from the start.
pub(super) struct Admitted {
    pub(super) id: ParticipantId,
    pub(super) name: Arc<str>,
    pub(super) dismissed: watch::Receiver<bool>,
    pub(super) sent: Arc<SentTraffic>,
}

/// What must be so among those who are there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) most: Option<usize>,
    pub(super) unique_names: bool,
}

impl Occupants {
    /// One more who takes a seat.
    ///
    /// # Errors
    /// Where the rules forbid it.
    pub(super) fn admit(&self, room: &RoomName, wish: &Wish, rules: Rules) -> Result<Admitted, JoinError> {
        let mut seats = self.0.lock();
        let id = ParticipantId(seats.last_id + 1);
        let name: Arc<str> = if wish.name.is_empty() { format!("Guest {}", id.0).into() } else { wish.name.as_str().into() };
        if wish.takes_part() {
            seats.check(room, &name, rules)?;
        }
        seats.last_id += 1;
        let (dismissal, dismissed) = watch::channel(false);
        let occupant = Occupant {
            name: wish.takes_part().then(|| name.clone()),
            is_output: wish.is_output,
            view: None,
            dismissal,
            sent: Outward::default(),
            video: None,
            audio: None,
        };
        let sent = occupant.sent.totals.clone();
        seats.taken.insert(id, occupant);
        Ok(Admitted { id, name, dismissed, sent })
    }

    /// What comes from somebody.
    pub(super) fn receives_from(&self, id: ParticipantId, video: Option<Arc<Traffic>>, audio: Option<Arc<Traffic>>) {
        if let Some(occupant) = self.0.lock().taken.get_mut(&id) {
            (occupant.video, occupant.audio) = (video.map(Inward::new), audio.map(Inward::new));
        }
    }

    /// The view that somebody is sent.
    pub(super) fn watches(&self, id: ParticipantId, view: ViewName) {
        if let Some(occupant) = self.0.lock().taken.get_mut(&id) {
            occupant.view = Some(view);
        }
    }

    pub(super) fn leave(&self, id: ParticipantId) {
        self.0.lock().taken.remove(&id);
    }

    /// Takes another name for somebody; whether it is free, or need not be.
    pub(super) fn rename(&self, id: ParticipantId, name: &Arc<str>, unique: bool) -> bool {
        let mut seats = self.0.lock();
        if unique && seats.has_name(name, Some(id)) {
            return false;
        }
        if let Some(occupant) = seats.taken.get_mut(&id).filter(|occupant| occupant.name.is_some()) {
            occupant.name = Some(name.clone());
        }
        true
    }

    /// Tells somebody to go; whether they are there.
    pub(super) fn dismiss(&self, id: ParticipantId) -> bool {
        self.0.lock().taken.get(&id).map(|occupant| occupant.dismissal.send_replace(true)).is_some()
    }

    pub(super) fn dismiss_all(&self) {
        for occupant in self.0.lock().taken.values() {
            occupant.dismissal.send_replace(true);
        }
    }

    /// All sessions; outputs are none.
    pub(super) fn sessions(&self) -> usize {
        self.0.lock().taken.values().filter(|occupant| !occupant.is_output).count()
    }

    /// Whether nobody holds a seat, no output either.
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().taken.is_empty()
    }

    /// Those who are seen or heard.
    pub(super) fn people(&self) -> usize {
        self.0.lock().people()
    }

    /// Those who are neither seen nor heard, in the order in which they came; outputs are none of them.
    pub(super) fn viewers(&self) -> Vec<ParticipantId> {
        let seats = self.0.lock();
        let only_watches = |occupant: &Occupant| occupant.name.is_none() && !occupant.is_output;
        seats.taken.iter().filter(|(_, occupant)| only_watches(occupant)).map(|(id, _)| *id).collect()
    }

    /// Reads all totals, for the rates and for the server's figures; to be called at an even pace.
    pub(super) fn sample(&self, now: MediaTime, metrics: &Metrics) {
        for occupant in self.0.lock().taken.values_mut() {
            occupant.sample(now);
            occupant.observe(now, metrics);
        }
    }

    /// What comes from somebody, and what goes to them but for its rendition.
    pub(super) fn lines(&self, id: ParticipantId, now: MediaTime) -> (Received, Sent) {
        let mut seats = self.0.lock();
        let Some(occupant) = seats.taken.get_mut(&id) else { return Default::default() };
        occupant.sample(now);
        (occupant.received(now), occupant.sent(now))
    }
}

impl Seats {
    fn check(&self, room: &RoomName, name: &str, rules: Rules) -> Result<(), JoinError> {
        if let Some(most) = rules.most.filter(|most| self.people() >= *most) {
            return Err(JoinError::RoomFull(room.clone(), most));
        }
        if rules.unique_names && self.has_name(name, None) {
            return Err(JoinError::NameTaken(name.to_owned()));
        }
        Ok(())
    }

    fn people(&self) -> usize {
        self.taken.values().filter(|occupant| occupant.name.is_some()).count()
    }

    /// Names that differ in case alone are the same to whoever reads them.
    fn has_name(&self, name: &str, but_for: Option<ParticipantId>) -> bool {
        let others = self.taken.iter().filter(|(id, _)| Some(**id) != but_for);
        others.filter_map(|(_, occupant)| occupant.name.as_deref()).any(|taken| taken.to_lowercase() == name.to_lowercase())
    }
}

impl Occupant {
    fn sample(&mut self, now: MediaTime) {
        self.sent.sample(now);
        self.video.iter_mut().chain(&mut self.audio).for_each(|inward| inward.sample(now));
    }

    fn observe(&mut self, now: MediaTime, metrics: &Metrics) {
        self.sent.observe(metrics);
        for (inward, media) in [(&mut self.video, Media::Video), (&mut self.audio, Media::Audio)] {
            inward.iter_mut().for_each(|inward| inward.observe(now, media, metrics));
        }
        self.skew_ms().iter().for_each(|skew| metrics.skew_seconds.observe(skew / 1000.0));
    }

    /// Whichever of the two was told.
    fn skew_ms(&self) -> Option<f64> {
        self.video.iter().chain(&self.audio).find_map(Inward::skew_ms)
    }

    fn received(&self, now: MediaTime) -> Received {
        let video = self.video.as_ref().map(|inward| inward.video(now));
        let audio = self.audio.as_ref().map(|inward| inward.audio(now));
        Received { video, audio, skew_ms: self.skew_ms().map(tenths) }
    }

    fn sent(&self, now: MediaTime) -> Sent {
        self.sent.report(self.view.clone(), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rooms::AudioReceived;

    const FREE: Rules = Rules { most: None, unique_names: false };

    fn wish(name: &str) -> Wish {
        Wish { name: name.into(), sends_audio: true, ..Wish::default() }
    }

    fn admit(occupants: &Occupants, name: &str, rules: Rules) -> Result<ParticipantId, JoinError> {
        occupants.admit(&"a".parse().unwrap(), &wish(name), rules).map(|admitted| admitted.id)
    }

    #[test]
    fn viewers_take_no_place_of_people_and_no_name() {
        let (occupants, rules) = (Occupants::default(), Rules { most: Some(1), unique_names: true });
        let viewer = Wish { name: "Ann".into(), receives_video: true, ..Wish::default() };
        let viewer = occupants.admit(&"a".parse().unwrap(), &viewer, rules).unwrap();
        let ann = admit(&occupants, "Ann", rules).unwrap();
        assert!(matches!(admit(&occupants, "Ben", rules), Err(JoinError::RoomFull(_, 1))));
        assert_eq!((occupants.sessions(), occupants.people(), occupants.viewers()), (2, 1, vec![viewer.id]));
        occupants.leave(ann);
        assert!(admit(&occupants, "Ben", rules).is_ok());
    }

    #[test]
    fn where_names_are_unique_neither_a_join_nor_a_new_name_takes_one_twice() {
        let (occupants, rules) = (Occupants::default(), Rules { most: None, unique_names: true });
        let ann = admit(&occupants, "Ann", rules).unwrap();
        assert_eq!(admit(&occupants, "ANN", rules), Err(JoinError::NameTaken("ANN".into())));
        let ben = admit(&occupants, "Ben", rules).unwrap();
        assert!(!occupants.rename(ben, &"ann".into(), true) && occupants.rename(ann, &"ANN".into(), true));
        assert!(occupants.rename(ann, &"Eve".into(), true) && admit(&occupants, "Ann", rules).is_ok());
        assert!(admit(&occupants, "Ann", FREE).is_ok());
    }

    #[test]
    fn who_is_sent_out_is_told_and_nobody_else() {
        let occupants = Occupants::default();
        let room = "a".parse().unwrap();
        let [ann, ben] = ["Ann", "Ben"].map(|name| occupants.admit(&room, &wish(name), FREE).unwrap());
        assert!(occupants.dismiss(ann.id) && !occupants.dismiss(ParticipantId(9)));
        assert!(*ann.dismissed.borrow() && !*ben.dismissed.borrow());
        occupants.dismiss_all();
        assert!(*ben.dismissed.borrow());
    }

    #[test]
    fn rates_are_those_of_the_last_second() {
        let occupants = Occupants::default();
        let ann = occupants.admit(&"a".parse().unwrap(), &wish("Ann"), FREE).unwrap();
        let audio = Arc::<Traffic>::default();
        occupants.receives_from(ann.id, None, Some(audio.clone()));
        for half_second in 0..5 {
            occupants.sample(MediaTime::from_millis(500 * half_second), &Metrics::default());
            (0..25).for_each(|_| audio.count_packet(80));
            (0..10).for_each(|_| ann.sent.count_packet(1000));
        }
        let (received, sent) = occupants.lines(ann.id, MediaTime::from_millis(2500));
        let sound = AudioReceived { bitrate_bps: 32_000, packets: 125, ..AudioReceived::default() };
        assert_eq!(received, Received { video: None, audio: Some(sound), skew_ms: None });
        assert_eq!((sent.bitrate_bps, sent.loss, sent.rtt_ms), (160_000, None, None));
    }
}
