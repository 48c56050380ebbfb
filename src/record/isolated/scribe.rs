//! The thread that listens to a room and writes.
//!
//! In: what is overheard, events. Out: files, each part on the disk before the next. Pieces wait in a bounded queue that is looked into
//! ten times a second, so that senders wake nobody. Never: an async thread's time, or a lock that media need.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::broadcast::error::TryRecvError;

use super::log::{Entrance, Log};
use super::person::{Person, Rest};
use crate::media::{MediaTime, ParticipantId, ShortName};
use crate::record::{Ended, PartFile, Take};
use crate::rooms::{Overhearing, RoomEvent};

const EVENTS: &str = "events.jsonl";
/// From one look into the queue to the next.
const LOOK: Duration = Duration::from_millis(100);
/// From one part to the next.
const PART: Duration = Duration::from_secs(1);

/// Writes one recording's isolated tracks.
pub(super) struct Scribe {
    take: Take,
    overhearing: Overhearing,
    people: BTreeMap<ParticipantId, Sheet>,
    log: Log,
    events: Option<PartFile>,
    written: MediaTime,
}

/// One participant.
struct Sheet {
    person: Person,
    /// There once the header is.
    file: Option<PartFile>,
}

/// What happened, as the room's channel gives it.
enum Happened {
    Event(Arc<RoomEvent>),
    Lagged(u64),
}

impl Scribe {
    pub(super) fn new(take: Take, overhearing: Overhearing) -> Self {
        let log = Log::begin(take.room.as_str(), &take.started, &overhearing.settings, take.zero);
        let (people, events, written) = (BTreeMap::new(), None, take.clock.now());
        let mut scribe = Self { take, overhearing, people, log, events, written };
        scribe.begin();
        scribe
    }

    /// Until nobody holds the other end of `ends`, or it cannot go on. Blocks.
    pub(super) fn run(mut self, ends: &Receiver<Infallible>) -> Ended {
        loop {
            let rest = match ends.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => Rest::Follows,
                _ => Rest::None,
            };
            let now = self.take.clock.now();
            let looked = self.listen(now);
            let is_due = rest == Rest::None || now.since(self.written) >= PART;
            let written = looked.and_then(|()| if is_due { self.write(now, rest) } else { Ok(()) });
            match written {
                Err(ended) => return ended,
                Ok(()) if rest == Rest::None => return Ended::Complete,
                Ok(()) => {}
            }
        }
    }

    fn begin(&mut self) {
        let status = self.overhearing.status.clone();
        let now = self.take.zero;
        status.people.keys().for_each(|id| drop(self.meet(*id, now)));
        let people = &self.people;
        self.log.present(&status, |id| people.contains_key(&id).then(|| file_of(id)));
        // What is to be arranged later stands in the settings already
        let settings = self.overhearing.settings.clone();
        self.note_templates(now.as_millis(), settings.templates());
    }

    /// Makes a place for somebody who has none; nobody whose file is closed is met again.
    fn meet(&mut self, id: ParticipantId, now: MediaTime) -> Option<Entrance> {
        let overt = self.overhearing.person(id)?;
        let zero = self.take.zero;
        let new = || Sheet { person: Person::new(overt.video.is_some(), overt.audio.is_some(), zero, now), file: None };
        self.people.entry(id).or_insert_with(new);
        Some(Entrance { source: overt.source, file: file_of(id) })
    }

    /// Takes what waits. What happened is taken first and noted last: of whoever is told to have gone, all that they sent is here then.
    fn listen(&mut self, now: MediaTime) -> Result<(), Ended> {
        let happened: Vec<_> = std::iter::from_fn(|| self.happened()).collect();
        while let Some(overheard) = self.overhearing.heard.take() {
            let is_new = !self.people.contains_key(&overheard.from);
            if overheard.arrival >= self.take.until || (is_new && self.meet(overheard.from, now).is_none()) {
                continue;
            }
            if let Some(sheet) = self.people.get_mut(&overheard.from) {
                sheet.person.take(overheard);
            }
        }
        self.count_dropped();
        happened.into_iter().try_for_each(|happened| self.note(happened, now))
    }

    fn happened(&mut self) -> Option<Happened> {
        match self.overhearing.events.try_recv() {
            Ok(event) => Some(Happened::Event(event)),
            Err(TryRecvError::Lagged(lost)) => Some(Happened::Lagged(lost)),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }

    fn count_dropped(&mut self) {
        let given_up: u64 = self.people.values_mut().map(|sheet| sheet.person.take_given_up()).sum();
        let dropped = given_up + self.overhearing.heard.take_dropped();
        if dropped > 0 {
            self.take.tally.lose(dropped);
            self.take.metrics.count_dropped_by("recording_behind", dropped);
        }
    }

    fn note(&mut self, happened: Happened, now: MediaTime) -> Result<(), Ended> {
        let event = match happened {
            Happened::Lagged(lost) => {
                self.log.lagged(now, lost);
                return Ok(());
            }
            Happened::Event(event) => event,
        };
        if event.time_ms >= self.take.until.as_millis() {
            return Ok(());
        }
        let about = event.participant.as_deref().and_then(|id| id.strip_prefix('p')?.parse().ok().map(ParticipantId));
        match (event.event, about) {
            ("joined", Some(id)) => {
                let entrance = self.meet(id, now);
                self.log.event(&event, entrance);
            }
            ("left", Some(id)) => {
                self.log.event(&event, None);
                return self.finish(id, now);
            }
            ("settings", _) => {
                let settings = self.overhearing.settings_now();
                self.note_templates(event.time_ms, settings.templates());
                self.log.settings(&event, &settings);
            }
            ("layout", _) => {
                let named = event.detail.get("template").and_then(|name| name.as_str()?.parse().ok());
                self.note_templates(event.time_ms, named.as_ref());
                self.log.event(&event, None);
            }
            _ => self.log.event(&event, None),
        }
        Ok(())
    }

    /// Notes the templates of these names as they are.
    fn note_templates<'a>(&mut self, time_ms: u64, names: impl IntoIterator<Item = &'a ShortName>) {
        for name in names {
            let template = self.overhearing.template(name);
            template.iter().for_each(|template| self.log.template(time_ms, name, template));
        }
    }

    /// Writes the end of somebody's file.
    fn finish(&mut self, id: ParticipantId, now: MediaTime) -> Result<(), Ended> {
        self.overhearing.forget(id);
        let Some(mut sheet) = self.people.remove(&id) else { return Ok(()) };
        sheet.grow(&self.take, id, now, Rest::None)
    }

    fn write(&mut self, now: MediaTime, rest: Rest) -> Result<(), Ended> {
        self.written = now;
        self.write_log()?;
        self.people.iter_mut().try_for_each(|(id, sheet)| sheet.grow(&self.take, *id, now, rest))
    }

    fn write_log(&mut self) -> Result<(), Ended> {
        let lines = self.log.take();
        if lines.is_empty() {
            return Ok(());
        }
        if self.events.is_none() {
            self.events = Some(PartFile::create(&self.take, EVENTS, Duration::ZERO)?);
        }
        self.events.iter_mut().try_for_each(|events| events.append(lines.as_bytes(), Duration::ZERO))
    }
}

impl Sheet {
    fn grow(&mut self, take: &Take, id: ParticipantId, now: MediaTime, rest: Rest) -> Result<(), Ended> {
        let grown = self.person.grow(now, rest).map_err(|error| Ended::Failed(format!("{}: {error}", file_of(id))))?;
        let Some(grown) = grown else { return Ok(()) };
        if self.file.is_none() {
            self.file = Some(PartFile::create(take, &file_of(id), Duration::ZERO)?);
        }
        self.file.iter_mut().try_for_each(|file| file.append(&grown.bytes, grown.reached))
    }
}

fn file_of(id: ParticipantId) -> String {
    format!("{id}.mp4")
}
