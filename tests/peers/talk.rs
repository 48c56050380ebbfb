//! The data channel against an independent stack: what is told, what is said, and what it costs those who misuse it.

use std::time::Duration;

use medley::peer::{Answer, Purpose};
use serde_json::{Value, json};
use str0m::channel::ChannelConfig;
use str0m::media::Direction;

use crate::PATIENCE;
use crate::client::{Client, run_both};
use crate::room::Room;

impl Client {
    /// All that was told of a type, in order.
    fn told_of(&self, kind: &str) -> Vec<&Value> {
        self.told.iter().filter(|message| message["type"] == kind).collect()
    }

    /// The newest of a type; null for none.
    fn newest(&self, kind: &str) -> Value {
        self.told_of(kind).last().map_or(Value::Null, |message| (*message).clone())
    }

    fn is_open(&self) -> bool {
        self.channels.iter().any(|(_, label)| label == "medley")
    }

    fn send_bytes(&mut self, binary: bool, bytes: &[u8]) -> bool {
        let Some((id, _)) = self.channels.iter().find(|(_, label)| label == "medley").cloned() else { return false };
        self.rtc.channel(id).is_some_and(|mut channel| channel.write(binary, bytes).unwrap_or(false))
    }

    fn say(&mut self, message: &Value) {
        assert!(self.send_bytes(false, message.to_string().as_bytes()));
    }
}

async fn talker(room: &Room, direction: Direction, purpose: Purpose) -> (Client, Answer) {
    let (mut client, answer) = room.join_with(direction, purpose, &["medley"], str::to_owned).await;
    assert!(answer.sdp.contains("webrtc-datachannel\r\n") && answer.sdp.contains("a=sctp-port:5000"), "{}", answer.sdp);
    client.run(PATIENCE, |client| client.is_open() && !client.newest("hello").is_null()).await;
    (client, answer)
}

#[tokio::test]
async fn who_opens_the_channel_is_told_who_is_where_and_what_is_said() {
    let room = Room::open().await;
    let (mut alice, _) = talker(&room, Direction::SendRecv, Purpose::Join).await;
    let hello = alice.newest("hello");
    assert_eq!((&hello["participant"], &hello["room"], &hello["version"]), (&json!("p1"), &json!("room"), &json!(1)));
    assert!(hello["timestamp_offset"].is_u64(), "{hello}");
    let (mut bob, _) = talker(&room, Direction::SendRecv, Purpose::Join).await;
    run_both(&mut alice, &mut bob, PATIENCE, |alice, bob| {
        [alice, bob].iter().all(|client| client.newest("roster")["people"].as_array().is_some_and(|people| people.len() == 2))
            && [alice, bob].iter().all(|client| client.newest("tiles")["cells"].as_array().is_some_and(|cells| cells.len() == 2))
    })
    .await;
    let roster = alice.newest("roster");
    assert_eq!((&roster["people"][0]["id"], &roster["people"][1]["name"]), (&json!("p1"), &json!("Someone")));
    let map = bob.newest("tiles");
    assert_eq!((&map["width"], &map["height"], &map["view"]), (&json!(320), &json!(180), &json!("main")));
    let [one, other] = [&map["cells"][0], &map["cells"][1]];
    assert!(one["width"].as_u64() >= Some(2) && one["x"] != other["x"] && one["participant"] != other["participant"], "{map}");

    alice.say(&json!({ "type": "chat", "text": "<i>Hi</i>" }));
    run_both(&mut alice, &mut bob, PATIENCE, |alice, bob| [alice, bob].iter().all(|client| !client.newest("chat").is_null())).await;
    let chat = bob.newest("chat");
    assert_eq!((&chat["from"], &chat["name"], &chat["text"]), (&json!("p1"), &json!("Someone"), &json!("<i>Hi</i>")));
    run_both(&mut alice, &mut bob, PATIENCE, |alice, bob| [alice, bob].iter().all(|client| !client.newest("quality").is_null())).await;
    assert_eq!((&bob.newest("quality")["rendition"], &bob.newest("quality")["height"]), (&json!("only"), &json!(180)));
    let (mut late, _) = talker(&room, Direction::RecvOnly, Purpose::Whep).await;
    late.run(PATIENCE, |late| late.newest("chat") == chat && !late.newest("tiles").is_null()).await;
}

#[tokio::test]
async fn a_session_without_the_channel_and_one_that_restarts_ice_go_on_as_ever() {
    let room = Room::open().await;
    let (mut plain, answer) = room.join(Direction::SendRecv, Purpose::Join, str::to_owned).await;
    assert!(!answer.sdp.contains("application"));
    plain.run(PATIENCE, |client| client.pictures > 3).await;
    let (mut alice, answer) = talker(&room, Direction::SendRecv, Purpose::Join).await;
    let fragment = alice.begin_ice_restart();
    let restarted = room.peers.patch(&answer.session, &fragment, Some("*")).await.unwrap().expect("a restart is answered");
    alice.finish_ice_restart(&answer.sdp, &restarted.sdp);
    alice.run(PATIENCE, |_| room.is_connected(&answer.session)).await;
    alice.say(&json!({ "type": "chat", "text": "still here" }));
    alice.run(PATIENCE, |alice| alice.newest("chat")["text"] == "still here").await;
}

#[tokio::test]
async fn what_is_malformed_is_answered_with_what_to_send_instead() {
    let room = Room::open().await;
    let (mut alice, _) = talker(&room, Direction::SendRecv, Purpose::Join).await;
    let malformed: [(bool, &[u8], &str); 5] = [
        (true, b"\x00\x01", "binary"),
        (false, b"\xff\xfe", "no UTF-8"),
        (false, b"Hello", r#"{"type": "chat""#),
        (false, br#"{"type": "dance"}"#, "expected `chat`"),
        (false, br#"{"type": "chat", "text": ""}"#, "1 to 2000"),
    ];
    for (binary, bytes, words) in malformed {
        assert!(alice.send_bytes(binary, bytes));
        alice.run(PATIENCE, |alice| alice.newest("error")["message"].as_str().is_some_and(|said| said.contains(words))).await;
    }
    assert!(alice.is_open());
}

#[tokio::test]
async fn a_flood_costs_its_sender_the_channel_and_nobody_else_anything() {
    let room = Room::open().await;
    let (mut alice, answer) = talker(&room, Direction::SendRecv, Purpose::Join).await;
    let (mut bob, _) = talker(&room, Direction::SendRecv, Purpose::Join).await;
    let (mut sent, tiny) = (0, br#"{"type": "chat", "text": "x"}"#);
    let flood = async {
        while sent < 10_000 && alice.is_open() {
            while sent < 10_000 && alice.send_bytes(false, tiny) {
                sent += 1;
            }
            let enough = alice.sounds + 1;
            alice.run(PATIENCE, |alice| alice.sounds >= enough || !alice.is_open()).await;
        }
        alice.run(PATIENCE, |alice| !alice.is_open()).await;
    };
    let heard = bob.sounds;
    tokio::join!(flood, bob.run(PATIENCE * 2, |bob| bob.sounds > heard + 50 && bob.told_of("chat").len() >= 10));
    assert!(bob.told_of("chat").len() < 30 && bob.is_open(), "{}", bob.told_of("chat").len());
    assert!(room.dropped("talk_flood") >= 900 && room.peers.state(&answer.session).is_ok(), "{}", room.dropped("talk_flood"));
    let (pictures, sounds) = (alice.pictures, alice.sounds);
    alice.run(PATIENCE, |alice| alice.pictures > pictures && alice.sounds > sounds + 20).await;
}

#[tokio::test]
async fn messages_longer_than_we_take_cost_their_sender_only() {
    let room = Room::open().await;
    let (mut bob, _) = talker(&room, Direction::SendRecv, Purpose::Join).await;
    // More than the answer says that we take, more than the stack's buffer for one message, and more than its window
    for length in [20_000, 100_000, 130_000] {
        let (mut alice, answer) = talker(&room, Direction::SendRecv, Purpose::Join).await;
        let text = "x".repeat(length - 100);
        alice.send_bytes(false, json!({ "type": "chat", "text": text }).to_string().as_bytes());
        let sounds = alice.sounds;
        run_both(&mut alice, &mut bob, PATIENCE, |alice, _| alice.sounds > sounds + 60).await;
        assert!(room.is_connected(&answer.session) && alice.told_of("chat").is_empty(), "{length}");
        let fault = alice.newest("error");
        assert!(length > 20_000 || fault["message"].as_str().is_some_and(|said| said.contains("at most 16384")), "{fault}");
        alice.close().await;
    }
    bob.say(&json!({ "type": "chat", "text": "all is well" }));
    bob.run(PATIENCE, |bob| bob.newest("chat")["text"] == "all is well").await;
}

#[tokio::test]
async fn other_channels_are_closed_and_ever_more_of_them_end_the_session() {
    let room = Room::open().await;
    let (mut alice, answer) = room.join_with(Direction::SendRecv, Purpose::Join, &["medley", "medley", "files"], str::to_owned).await;
    alice.run(PATIENCE, |alice| alice.channels.len() == 1 && alice.is_open() && !alice.newest("roster").is_null()).await;
    assert_eq!(alice.told_of("hello").len(), 1);
    for n in 0..200 {
        alice.rtc.direct_api().create_data_channel(ChannelConfig { label: format!("{n}"), ..ChannelConfig::default() });
    }
    alice.run(PATIENCE, |_| room.peers.state(&answer.session).is_err()).await;
    room.within(Duration::from_secs(1), "the session is counted", || room.ended("failed") == 1).await;
}
