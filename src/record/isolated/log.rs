//! The log of events: one JSON value a line. Pure.
//!
//! In: the room when the recording began, its events. Out: lines, the first of which says what is recorded; then what there was at the
//! beginning, as events at 0; then events as the API tells them, with `at_ms` on the recording's line in place of `time_ms`, and with
//! all that is known of whoever comes. A `template` that does not come with the server stands before what is first arranged in it, and
//! again when it is another. A log and its files make the call again. Never: somebody who comes twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::layout::{Template, stock};
use crate::media::{MediaTime, ParticipantId, ShortName};
use crate::room::{PersonStatus, RoomStatus, Source};
use crate::rooms::RoomEvent;
use crate::rooms::spec::RoomSpec;

/// The version of what is written.
const MEDLEY: u32 = 1;

/// What is written down of a room.
#[derive(Debug)]
pub(super) struct Log {
    zero: MediaTime,
    there: BTreeSet<String>,
    /// Those that were told, as they were told last.
    templates: BTreeMap<ShortName, Arc<Template>>,
    lines: String,
}

/// What is known of somebody who comes.
#[derive(Clone, Debug)]
pub(super) struct Entrance {
    pub(super) source: Source,
    /// Where what they send is written.
    pub(super) file: String,
}

impl Log {
    /// A log whose first line this makes.
    pub(super) fn begin(room: &str, started: &str, settings: &RoomSpec, zero: MediaTime) -> Self {
        let mut log = Self { zero, there: BTreeSet::new(), templates: BTreeMap::new(), lines: String::new() };
        log.line(&json!({ "medley": MEDLEY, "room": room, "started": started, "settings": settings }));
        log
    }

    /// What there is at the beginning; `file` tells where what somebody sends is written.
    pub(super) fn present(&mut self, status: &RoomStatus, file: impl Fn(ParticipantId) -> Option<String>) {
        for (view, shown) in &status.views {
            let named = shown.layout.spec().template.as_ref();
            named.into_iter().for_each(|name| self.template(self.zero.as_millis(), name, shown.layout.template()));
            self.line(&json!({ "at_ms": 0, "event": "layout", "view": view, "detail": shown.layout.spec() }));
        }
        let mut people: Vec<_> = status.people.iter().collect();
        people.sort_by_key(|(id, person)| (person.joined_at, **id));
        for (id, person) in people {
            self.there.insert(id.to_string());
            let mut line = json!({ "at_ms": 0, "event": "joined", "participant": id.to_string(), "detail": detail(person) });
            name_file(&mut line, file(*id));
            self.line(&line);
        }
        if let Some(speaker) = status.speaker {
            self.line(&json!({ "at_ms": 0, "event": "speaker", "participant": speaker.to_string() }));
        }
    }

    /// A template that something is arranged in from here on. Nothing where it comes with the server, or was told as it is.
    pub(super) fn template(&mut self, time_ms: u64, name: &ShortName, template: &Arc<Template>) {
        if stock().contains_key(name) || self.templates.get(name) == Some(template) {
            return;
        }
        self.templates.insert(name.clone(), template.clone());
        self.line(&json!({ "at_ms": self.since(time_ms), "event": "template", "detail": { "name": name, "template": **template } }));
    }

    /// Something that happened; `entrance` is what is known of somebody who comes.
    pub(super) fn event(&mut self, event: &RoomEvent, entrance: Option<Entrance>) {
        let about = event.participant.clone().unwrap_or_default();
        // What happened while the recording began may be among what there was then
        let heard_of = match event.event {
            "joined" => !self.there.insert(about),
            "left" => !self.there.remove(&about),
            _ => false,
        };
        if heard_of {
            return;
        }
        let (source, file) = entrance.map(|entrance| (source(entrance.source), entrance.file)).unzip();
        let mut line = json!({ "at_ms": self.since(event.time_ms), "event": event.event });
        note(&mut line, "participant", event.participant.as_ref().map(|id| json!(id)));
        note(&mut line, "view", event.view.as_ref().map(|view| json!(view)));
        let mut detail = event.detail.clone();
        source.iter().for_each(|source| drop(detail.insert("source".into(), json!(source))));
        note(&mut line, "detail", (!detail.is_empty()).then_some(Value::Object(detail)));
        name_file(&mut line, file);
        self.line(&line);
    }

    /// Other settings of the room.
    pub(super) fn settings(&mut self, event: &RoomEvent, settings: &RoomSpec) {
        self.line(&json!({ "at_ms": self.since(event.time_ms), "event": event.event, "detail": settings }));
    }

    /// So many events were missed.
    pub(super) fn lagged(&mut self, now: MediaTime, lost: u64) {
        self.line(&json!({ "at_ms": self.since(now.as_millis()), "event": "lagged", "detail": { "lost": lost } }));
    }

    /// The lines since the last call, each with its end.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.lines)
    }

    fn since(&self, time_ms: u64) -> u64 {
        time_ms.saturating_sub(self.zero.as_millis())
    }

    fn line(&mut self, line: &Value) {
        self.lines.push_str(&line.to_string());
        self.lines.push('\n');
    }
}

fn detail(person: &PersonStatus) -> Value {
    json!({
        "name": &*person.name,
        "source": source(person.source),
        "role": person.role,
        "muted": person.muted,
        "hidden": person.hidden,
        "pinned": person.pinned,
        "gain_db": person.gain_db,
    })
}

fn source(source: Source) -> &'static str {
    match source {
        Source::Camera => "camera",
        Source::Screen => "screen",
    }
}

fn name_file(line: &mut Value, file: Option<String>) {
    note(line, "file", file.map(Value::String));
}

fn note(line: &mut Value, key: &str, value: Option<Value>) {
    let fields: Option<&mut Map<String, Value>> = line.as_object_mut();
    fields.into_iter().zip(value).for_each(|(fields, value)| drop(fields.insert(key.into(), value)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::LayoutSpec;
    use crate::media::Canvas;
    use crate::room::ViewStatus;

    fn log() -> Log {
        Log::begin("standup", "2026-11-23T10:00:00Z", &RoomSpec::default(), MediaTime::from_millis(5000))
    }

    fn lines(log: &mut Log) -> Vec<Value> {
        log.take().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn person(name: &str, joined_ms: u64) -> PersonStatus {
        PersonStatus {
            name: name.into(),
            joined_at: MediaTime::from_millis(joined_ms),
            source: Source::Screen,
            role: Some("host".parse().unwrap()),
            muted: true,
            silent: false,
            hidden: false,
            pinned: true,
            gain_db: -6.0,
            speaking: false,
            level_db: -100.0,
            has_audio: true,
            has_video: true,
            picture: true,
        }
    }

    /// One region for everybody.
    fn template(title: &str) -> Arc<Template> {
        let all = json!({ "id": "all", "left": 0, "top": 0, "width": 1, "height": 1, "tiles": 9 });
        Arc::new(serde_json::from_value(json!({ "title": title, "arrangements": [{ "regions": [all] }] })).unwrap())
    }

    fn event(event: &'static str, time_ms: u64, participant: Option<&str>, detail: Value) -> RoomEvent {
        let detail = detail.as_object().cloned().unwrap_or_default();
        RoomEvent { event, time_ms, participant: participant.map(str::to_owned), view: None, detail }
    }

    #[test]
    fn the_first_line_says_what_is_recorded_and_the_next_what_there_was() {
        let mut log = log();
        let people = [(ParticipantId(2), person("Ann", 40)), (ParticipantId(1), person("Ben", 60))].into();
        let status = Arc::new(RoomStatus { people, speaker: Some(ParticipantId(1)), ..RoomStatus::default() });
        log.present(&status, |id| (id == ParticipantId(2)).then(|| format!("{id}.mp4")));
        let lines = lines(&mut log);
        assert_eq!(
            (&lines[0]["medley"], &lines[0]["room"], &lines[0]["started"]),
            (&json!(1), &json!("standup"), &json!("2026-11-23T10:00:00Z"))
        );
        assert_eq!(serde_json::from_value::<RoomSpec>(lines[0]["settings"].clone()).unwrap(), RoomSpec::default());
        let detail = |name| json!({ "name": name, "source": "screen", "role": "host", "muted": true, "hidden": false, "pinned": true, "gain_db": -6.0 });
        let wanted = [
            json!({ "at_ms": 0, "event": "joined", "participant": "p2", "detail": detail("Ann"), "file": "p2.mp4" }),
            json!({ "at_ms": 0, "event": "joined", "participant": "p1", "detail": detail("Ben") }),
            json!({ "at_ms": 0, "event": "speaker", "participant": "p1" }),
        ];
        assert_eq!(lines[1..], wanted);
        assert!(log.take().is_empty());
    }

    #[test]
    fn events_are_told_as_the_api_does_on_the_recordings_line() {
        let mut log = log();
        log.take();
        let entrance = Entrance { source: Source::Camera, file: "p3.mp4".into() };
        log.event(&event("joined", 5700, Some("p3"), json!({ "name": "Eve" })), Some(entrance));
        log.event(&event("muted", 4000, Some("p3"), json!({ "muted": true })), None);
        log.settings(&event("settings", 6000, None, json!({})), &RoomSpec::default());
        log.event(&event("left", 7000, Some("p3"), json!({})), None);
        let lines = lines(&mut log);
        let detail = json!({ "name": "Eve", "source": "camera" });
        assert_eq!(lines[0], json!({ "at_ms": 700, "event": "joined", "participant": "p3", "detail": detail, "file": "p3.mp4" }));
        assert_eq!(lines[1], json!({ "at_ms": 0, "event": "muted", "participant": "p3", "detail": { "muted": true } }));
        assert_eq!((&lines[2]["at_ms"], &lines[2]["detail"]["locked"]), (&json!(1000), &json!(false)));
        assert_eq!(lines[3], json!({ "at_ms": 2000, "event": "left", "participant": "p3" }));
    }

    #[test]
    fn a_template_is_told_before_it_is_used_and_again_when_it_is_another_and_a_stock_one_never() {
        let (mut log, mine) = (log(), "mine".parse().unwrap());
        log.take();
        let spec = LayoutSpec::template(ShortName::clone(&mine));
        let layout = Arc::new(spec.resolve(|_| Some(template("First"))).unwrap());
        let view = ViewStatus { canvas: Canvas::default(), layout, cells: vec![], more: 0 };
        let stocked = ViewStatus { layout: Arc::default(), ..view.clone() };
        let views = [(ShortName::main(), view), ("side".parse().unwrap(), stocked)].into();
        log.present(&RoomStatus { views, ..RoomStatus::default() }, |_| None);
        log.template(6000, &mine, &template("First"));
        log.template(7000, &mine, &template("Second"));
        log.template(7000, &"grid".parse().unwrap(), &stock()[&"grid".parse().unwrap()]);
        let lines = lines(&mut log);
        let told: Vec<_> = lines.iter().map(|line| [&line["at_ms"], &line["event"], &line["detail"]["template"]["title"]]).collect();
        let [first, second] = ["First", "Second"].map(|title| json!(title));
        let (template, layout, none) = (json!("template"), json!("layout"), Value::Null);
        let [zero, later] = [0, 2000].map(|ms| json!(ms));
        let wanted = [[&zero, &template, &first], [&zero, &layout, &none], [&zero, &layout, &none], [&later, &template, &second]];
        assert_eq!(told, wanted);
        assert_eq!(lines[0]["detail"]["name"], "mine");
    }

    #[test]
    fn who_was_there_comes_once_and_who_was_not_does_not_leave() {
        let mut log = log();
        let status = RoomStatus { people: [(ParticipantId(1), person("Ann", 0))].into(), ..RoomStatus::default() };
        log.present(&status, |_| None);
        log.take();
        log.event(&event("joined", 5000, Some("p1"), json!({ "name": "Ann" })), None);
        log.event(&event("left", 5000, Some("p9"), json!({})), None);
        log.lagged(MediaTime::from_millis(9000), 3);
        assert_eq!(lines(&mut log), [json!({ "at_ms": 4000, "event": "lagged", "detail": { "lost": 3 } })]);
    }
}
