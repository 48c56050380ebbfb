//! A room's talk without a room: who is told what, and when.

use futures_util::FutureExt;
use serde_json::Value;

use super::*;
use crate::media::{Canvas, Cell, Fit, Rect, Source, ViewName};
use crate::room::PersonStatus;

struct Client {
    line: TalkLine,
}

impl Client {
    fn of(talk: &Arc<Talk>, id: u32) -> Self {
        let line = TalkLine::new(talk, ParticipantId(id), format!("Guest {id}").into());
        line.open(MediaTime::from_millis(7), None);
        Self { line }
    }

    /// All that waits for it.
    fn told(&self) -> Vec<Value> {
        let next = || self.line.next().now_or_never().map(|text| serde_json::from_str(&text).unwrap());
        std::iter::from_fn(next).collect()
    }

    fn types(&self) -> Vec<String> {
        self.told().iter().map(|message| message["type"].as_str().unwrap().to_owned()).collect()
    }

    fn say(&self, text: &str) {
        let message = json!({ "type": "chat", "text": text }).to_string();
        assert_eq!(self.line.hear(MediaTime::from_millis(9), Heard::Text(message.as_bytes())), Verdict::Stays);
    }
}

fn talk() -> (Arc<Talk>, broadcast::Receiver<Arc<RoomEvent>>) {
    let (events, happening) = broadcast::channel(8);
    (Arc::new(Talk::new("room".parse().unwrap(), events, Metrics::default())), happening)
}

fn key() -> SceneKey {
    SceneKey { view: ViewName::main(), without: None }
}

fn scene(at_ms: u64, x: u32) -> Scene {
    let mut scene = Scene::empty(Canvas::default(), MediaTime::from_millis(at_ms));
    let source = Source::Participant { id: ParticipantId(1), name: "Ann".into() };
    let rect = Rect { x, y: 0, width: 64, height: 36 };
    scene.cells.push(Cell {
        source,
        rect,
        fit: Fit::Cover,
        z: 0,
        opacity: 1.0,
        corner_radius: 0,
        border: None,
        label: None,
        stalled: false,
    });
    scene
}

fn routed(talk: &Talk, ids: &[u32]) {
    talk.routes(Arc::new(ids.iter().map(|id| (ParticipantId(*id), key())).collect()));
}

fn status(names: &[&str]) -> Arc<RoomStatus> {
    let person = |name: &&str| PersonStatus {
        name: (*name).into(),
        joined_at: MediaTime::ZERO,
        source: crate::room::Source::Camera,
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
    };
    let people = (1..).map(ParticipantId).zip(names.iter().map(person)).collect();
    Arc::new(RoomStatus { people, ..RoomStatus::default() })
}

#[test]
fn a_map_is_told_when_it_changes_and_ten_times_a_second_at_most() {
    let (talk, _events) = talk();
    let client = Client::of(&talk, 1);
    routed(&talk, &[1]);
    client.told();
    let told = |at_ms, x| {
        talk.scene(&key(), &scene(at_ms, x));
        client.told().first().map(|map| map["cells"][0]["x"].as_u64().unwrap())
    };
    assert_eq!(told(1000, 0), Some(0));
    assert_eq!([told(1033, 0), told(1200, 0)], [None, None], "nothing has changed");
    assert_eq!([told(1233, 2), told(1266, 4), told(1300, 6), told(1333, 8)], [Some(2), None, None, Some(8)], "in a transition");
    assert_eq!([told(1366, 10), told(1400, 10), told(1433, 10)], [None, None, Some(10)], "the last place of all is told");
}

#[test]
fn who_comes_to_another_picture_is_told_its_map_at_once() {
    let (talk, _events) = talk();
    let [ann, ben] = [1, 2].map(|id| Client::of(&talk, id));
    routed(&talk, &[1]);
    talk.scene(&key(), &scene(1000, 6));
    assert!(ann.types().contains(&"tiles".into()) && !ben.types().contains(&"tiles".into()));
    routed(&talk, &[1, 2]);
    assert_eq!((ann.types(), ben.types()), (vec![], vec!["tiles".to_owned()]));
    drop((ann, ben));
    let late = Client::of(&talk, 2);
    assert!(!late.types().contains(&"tiles".into()), "an old map is not told");
}

#[test]
fn a_newcomer_is_told_who_is_there_and_the_rest_only_what_changes() {
    let (talk, _events) = talk();
    talk.status(&status(&["Ann"]));
    let ann = Client::of(&talk, 1);
    assert_eq!(ann.types(), ["hello", "roster", "speaker"]);
    talk.status(&status(&["Ann"]));
    assert_eq!(ann.types(), [""; 0]);
    talk.status(&status(&["Ann", "Ben"]));
    let told = ann.told();
    assert_eq!((told.len(), &told[0]["people"][1]["name"], &told[0]["people"][1]["id"]), (1, &json!("Ben"), &json!("p2")));
}

#[test]
fn what_is_said_goes_to_all_who_listen_to_admins_and_to_those_who_come_later() {
    let (talk, mut events) = talk();
    talk.status(&status(&["Ann"]));
    let (ann, viewer) = (Client::of(&talk, 1), Client::of(&talk, 9));
    [&ann, &viewer].iter().for_each(|client| drop(client.told()));
    ann.say("<b>hello</b>");
    viewer.say("hi");
    let said = ann.told();
    assert_eq!(
        said[0],
        json!({ "type": "chat", "id": 9, "from": "p1", "name": "Ann", "viewer": false, "text": "<b>hello</b>", "at_ms": 9 })
    );
    assert_eq!((&said[1]["name"], &said[1]["viewer"]), (&json!("Guest 9"), &json!(true)));
    let event = events.try_recv().unwrap();
    assert_eq!((event.event, event.participant.as_deref(), &event.detail["text"]), ("chat", Some("p1"), &json!("<b>hello</b>")));
    let late = Client::of(&talk, 3).told();
    assert_eq!((&late[0]["said"], &said[1]["id"]), (&json!(10), &json!(10)));
    assert_eq!(late[late.len() - 2..], said, "who comes later reads it too");
}

#[test]
fn the_last_fifty_are_remembered() {
    let (talk, _events) = talk();
    for n in 0..60 {
        talk.say(ParticipantId(1), "Ann", n.to_string(), MediaTime::ZERO);
    }
    let late = Client::of(&talk, 3).told();
    let texts: Vec<_> = late.iter().filter(|told| told["type"] == "chat").map(|told| told["text"].as_str().unwrap()).collect();
    assert_eq!((texts.len(), texts[0], texts[49]), (50, "10", "59"));
}

#[test]
fn what_to_send_at_most_is_told_once_and_again_on_a_new_channel() {
    let (talk, _events) = talk();
    let client = Client::of(&talk, 1);
    client.told();
    (0..3).for_each(|_| client.line.limit(300_000, (320, 180)));
    assert_eq!(client.told(), [json!({ "type": "send", "width": 320, "height": 180, "bps": 300_000 })]);
    client.line.close();
    client.line.limit(500_000, (640, 360));
    assert!(client.told().is_empty(), "nobody is told who has closed it");
    client.line.open(MediaTime::ZERO, None);
    assert!(client.told().iter().any(|told| told["bps"] == 500_000));
}

#[test]
fn what_somebody_gets_is_told_when_it_changes_and_once_a_second_at_most() {
    let (talk, _events) = talk();
    let client = Client::of(&talk, 1);
    client.told();
    let told = |at_ms, height| {
        let of = |id: ParticipantId| {
            (id.0 == 1).then(|| Quality { height, ..Quality::of_line(&crate::media::SentTraffic::default(), crate::egress::Why::Line) })
        };
        talk.tell_qualities(MediaTime::from_millis(at_ms), of);
        client.told().first().map(|quality| (quality["height"].as_u64().unwrap(), quality["why"].clone()))
    };
    assert_eq!(told(1000, 720), Some((720, json!("line"))));
    assert_eq!([told(1500, 360), told(2000, 720), told(3000, 360)], [None, None, Some((360, json!("line")))]);
}
