//! A room with real threads, and what lies in the folder afterwards.

use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, mpsc};

use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};

use super::file::read;
use super::{picture, sound};
use crate::compositor::{Choice, Fonts};
use crate::layout::Template;
use crate::media::{Clock, MediaTime, RoomName, RtpPacket, ShortName, ViewName};
use crate::metrics::Metrics;
use crate::record::isolated::scribe::Scribe;
use crate::record::{Ended, Take, Tally};
use crate::rooms::{Precondition, RoomEvent, Rooms, RoomsSettings, Seat, Wish};

fn room() -> RoomName {
    "standup".parse().unwrap()
}

fn short(name: &str) -> ShortName {
    name.parse().unwrap()
}

struct Call {
    rooms: Arc<Rooms>,
    events: broadcast::Receiver<Arc<RoomEvent>>,
    clock: Clock,
    _first: Seat,
}

impl Call {
    async fn begin() -> Self {
        let room_spec = serde_json::from_value(json!({ "canvas": { "width": 320, "height": 180, "fps": 10 } })).unwrap();
        let (compositor, fonts, clock) = (Choice::Cpu, Fonts::embedded(), Clock::new());
        let settings =
            RoomsSettings { room: room_spec, data_dir: None, on_demand: true, max_sessions: 20, decode_threads: 1, compositor, fonts };
        let rooms = tokio::task::spawn_blocking(move || Rooms::new(settings, clock, Metrics::default())).await.unwrap().unwrap();
        let first = rooms.join(&room(), Wish { receives_audio: true, ..Wish::default() }).unwrap();
        let events = rooms.events(&room()).unwrap();
        Self { rooms, events, clock, _first: first }
    }

    /// Somebody comes in, and is there when this returns.
    async fn join(&mut self, name: &str) -> Seat {
        let seat = self.rooms.join(&room(), Wish { name: name.into(), sends_video: true, sends_audio: true, ..Wish::default() }).unwrap();
        self.until("joined").await;
        seat
    }

    async fn until(&mut self, kind: &str) {
        while self.events.recv().await.unwrap().event != kind {}
    }

    /// Stores a template under a name; its title is all that is its own.
    async fn put_template(&self, name: &str, title: &str) {
        let all = json!({ "id": "all", "left": 0, "top": 0, "width": 1, "height": 1, "tiles": 9 });
        let template: Template = serde_json::from_value(json!({ "title": title, "arrangements": [{ "regions": [all] }] })).unwrap();
        self.rooms.put_template(&short(name), template, Precondition::None).await.unwrap();
    }

    /// Arranges the room in a template.
    async fn arrange(&self, name: &str) {
        let layout = serde_json::from_value(json!({ "template": name })).unwrap();
        self.rooms.put_layout(&room(), &ViewName::main(), layout, None, Precondition::None).await.unwrap();
    }

    fn take(&self, folder: &Path, max_bytes: u64) -> Take {
        let zero = self.clock.now();
        Take {
            rooms: self.rooms.clone(),
            room: room(),
            folder: folder.into(),
            zero,
            started: "2026-11-23T10:00:00Z".into(),
            until: zero + std::time::Duration::from_secs(3600),
            max_seconds: 3600,
            clock: self.clock,
            metrics: Metrics::default(),
            tally: Arc::new(Tally::new(max_bytes)),
            stop: watch::channel(false).1,
        }
    }

    async fn scribe(&self, take: &Take) -> Scribe {
        Scribe::new(take.clone(), self.rooms.overhear(&room()).await.unwrap())
    }
}

/// Two seconds of somebody, all at once.
fn send(seat: &mut Seat, now: MediaTime) {
    for n in 0..100u64 {
        let arrival = now + std::time::Duration::from_millis(20 * n);
        let packet = |sequence: u16, timestamp: u32, marker: bool, payload| RtpPacket {
            sequence,
            timestamp,
            marker,
            ssrc: 7,
            layer: 0,
            resent: false,
            payload,
            arrival,
        };
        seat.audio_in.as_mut().unwrap().push(packet(n as u16, n as u32 * 960, false, sound(n)));
        let nal_units = if n % 2 == 0 { picture(n / 2) } else { vec![] };
        for (at, nal) in nal_units.iter().enumerate() {
            // The first picture takes three packets
            let sequence = if n == 0 { at as u16 } else { n as u16 / 2 + 2 };
            seat.video_in.as_mut().unwrap().push(packet(sequence, n as u32 * 1800, at + 1 == nal_units.len(), nal.clone()));
        }
    }
}

async fn run(scribe: Scribe) -> Ended {
    let (goes_on, ends) = mpsc::channel::<Infallible>();
    drop(goes_on);
    tokio::task::spawn_blocking(move || scribe.run(&ends)).await.unwrap()
}

fn lines(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("events.jsonl")).unwrap();
    assert!(text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_there_comes_and_goes_has_a_file_and_a_line_each() {
    let (folder, mut call) = (tempfile::tempdir().unwrap(), Call::begin().await);
    let mut ann = call.join("Ann").await;
    let take = call.take(folder.path(), u64::MAX);
    let scribe = call.scribe(&take).await;
    let mut ben = call.join("Ben").await;
    let now = call.clock.now();
    send(&mut ann, now);
    send(&mut ben, now);
    let gone = ben.participant;
    drop(ben);
    call.until("left").await;
    assert_eq!(run(scribe).await, Ended::Complete);
    for id in [ann.participant, gone] {
        let stored = read(&std::fs::read(folder.path().join(format!("{id}.mp4"))).unwrap());
        assert_eq!((stored.pictures.len(), stored.sounds.len()), (50, 100), "{id}");
        assert_eq!(stored.pictures[7].nal_units, picture(7));
    }
    let lines = lines(folder.path());
    assert_eq!((&lines[0]["medley"], &lines[0]["settings"]["canvas"]["fps"]), (&json!(1), &json!(10)));
    let told = |line: &Value| (line["event"].as_str().unwrap().to_owned(), line["participant"].clone(), line["file"].clone());
    let people: Vec<_> = lines[1..].iter().map(told).filter(|(event, ..)| ["joined", "left"].contains(&event.as_str())).collect();
    let (a, b) = (ann.participant.to_string(), gone.to_string());
    let wanted = [
        ("joined".to_owned(), json!(a), json!(format!("{a}.mp4"))),
        ("joined".to_owned(), json!(b), json!(format!("{b}.mp4"))),
        ("left".to_owned(), json!(b), Value::Null),
    ];
    assert_eq!(people, wanted);
    let counts = take.tally.counts();
    assert_eq!((counts.files.len(), counts.lost), (3, 0));
    assert!(counts.reached.as_millis() >= 2000 && counts.bytes > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_that_are_used_are_written_down_as_they_are_and_can_be_read_again() {
    let (folder, mut call) = (tempfile::tempdir().unwrap(), Call::begin().await);
    call.put_template("mine", "First").await;
    call.put_template("unused", "Unused").await;
    call.arrange("mine").await;
    call.until("layout").await;
    let scribe = call.scribe(&call.take(folder.path(), u64::MAX)).await;
    call.put_template("mine", "Second").await;
    call.until("layout").await;
    call.arrange("speaker").await;
    call.until("layout").await;
    call.put_template("other", "Other").await;
    let spec = serde_json::from_value(json!({ "views": { "side": { "layout": { "template": "other" } } } })).unwrap();
    call.rooms.put_room(&room(), spec, Precondition::None).await.unwrap();
    call.until("layout").await;
    assert_eq!(run(scribe).await, Ended::Complete);
    let told = |line: &Value| match line["event"].as_str()? {
        "template" => Some(line["detail"]["template"]["title"].as_str()?.to_owned()),
        "layout" => Some(format!("in {}", line["detail"]["template"].as_str()?)),
        "settings" => Some("settings".to_owned()),
        _ => None,
    };
    let mut told: Vec<_> = lines(folder.path()).iter().filter_map(told).collect();
    // Other settings and the layout that they bring are told by two threads
    told[5..].sort_unstable();
    assert_eq!(told, ["First", "in mine", "Second", "in mine", "in speaker", "Other", "in grid", "settings"]);
    let read = crate::render::Call::recorded(folder.path()).unwrap();
    let titles = read.templates().iter().map(|(name, template)| (name.as_str(), template.title.as_str()));
    assert_eq!(titles.collect::<Vec<_>>(), [("mine", "First"), ("other", "Other")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_that_may_not_grow_ends_and_says_why() {
    let (folder, mut call) = (tempfile::tempdir().unwrap(), Call::begin().await);
    let mut ann = call.join("Ann").await;
    let take = call.take(folder.path(), 5000);
    let scribe = call.scribe(&take).await;
    send(&mut ann, call.clock.now());
    let ended = run(scribe).await;
    assert!(matches!(ended, Ended::LimitReached(_)), "{ended:?}, {:?}", take.tally.counts());
    assert!(take.tally.counts().bytes <= 5000 && lines(folder.path()).len() > 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_refuses_ends_it_with_a_reason() {
    let (folder, mut call) = (tempfile::tempdir().unwrap(), Call::begin().await);
    let _ann = call.join("Ann").await;
    let take = call.take(&folder.path().join("none"), u64::MAX);
    let scribe = call.scribe(&take).await;
    assert!(matches!(run(scribe).await, Ended::Failed(_)));
}
