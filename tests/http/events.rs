//! A room's events as a client reads them.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::server::{Server, start, until};

/// A stream of events, and what came of it so far.
struct Events {
    stream: TcpStream,
    text: String,
}

impl Events {
    async fn open(server: &Server, room: &str) -> Self {
        let mut stream = TcpStream::connect(server.addr).await.unwrap();
        let request = format!("GET /v1/rooms/{room}/events HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut events = Self { stream, text: String::new() };
        events.read_to("\r\n\r\n").await;
        assert!(events.text.starts_with("HTTP/1.1 200") && events.text.contains("content-type: text/event-stream"), "{}", events.text);
        events
    }

    /// Reads until what came has `mark` in it.
    async fn read_to(&mut self, mark: &str) {
        let reading = async {
            while !self.text.contains(mark) {
                let mut bytes = [0; 4096];
                let read = self.stream.read(&mut bytes).await.unwrap();
                assert!(read > 0, "the stream ended before {mark:?}: {}", self.text);
                self.text += std::str::from_utf8(&bytes[..read]).unwrap();
            }
        };
        timeout(Duration::from_secs(10), reading).await.unwrap_or_else(|_| panic!("no {mark:?} in {}", self.text));
    }

    /// The data of the first event of this name.
    async fn next(&mut self, name: &str) -> Value {
        let mark = format!("event: {name}\ndata: ");
        self.read_to(&mark).await;
        let begin = self.text.find(&mark).unwrap() + mark.len();
        self.text.drain(..begin);
        self.read_to("\n").await;
        serde_json::from_str(self.text.lines().next().unwrap()).unwrap()
    }
}

#[tokio::test]
async fn what_happens_in_a_room_is_told_until_it_ends() {
    let server = start().await;
    server.ask("PUT", "/v1/rooms/a", "", b"").await;
    let mut events = Events::open(&server, "a").await;
    server.join("a").await;
    let joined = events.next("joined").await;
    assert_eq!((joined["event"].clone(), joined["participant"].clone()), (json!("joined"), json!("p1")));
    server.send("PATCH", "/v1/rooms/a/participants/p1", &json!({ "muted": true })).await;
    assert_eq!(events.next("muted").await["participant"], "p1");
    server.send("PUT", "/v1/rooms/a/layout", &json!({ "template": "speaker" })).await;
    assert_eq!(events.next("layout").await["view"], "main");
    assert_eq!(server.ask("DELETE", "/v1/rooms/a/participants/p1", "", b"").await.status, 204);
    assert_eq!(events.next("left").await["participant"], "p1");
    server.ask("DELETE", "/v1/rooms/a", "", b"").await;
    // The last chunk of a body that is sent in chunks (RFC 9112 §7.1).
    events.read_to("\r\n0\r\n\r\n").await;
}

#[tokio::test]
async fn a_rooms_admins_are_told_when_it_is_recorded_and_no_more() {
    let server = start().await;
    server.ask("PUT", "/v1/rooms/a", "", b"").await;
    let mut events = Events::open(&server, "a").await;
    let started = server.ask("POST", "/v1/rooms/a/recordings", "", b"").await.json();
    let told = events.next("recording").await["detail"].clone();
    assert_eq!(told, json!({ "id": started["id"], "state": "active", "reason": null }));
    server.ask("POST", &format!("/v1/recordings/{}/stop", started["id"].as_str().unwrap()), "", b"").await;
    assert_eq!(events.next("recording").await["detail"]["state"], "complete");
}

#[tokio::test]
async fn streams_of_a_room_are_bounded_and_those_that_end_make_place() {
    let server = start().await;
    server.ask("PUT", "/v1/rooms/a", "", b"").await;
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(Events::open(&server, "a").await);
    }
    let refused = server.get("/v1/rooms/a/events").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("10")));
    drop(open);
    until("a place is given back", async || server.get("/v1/rooms/a/events").await.status == 200).await;
    assert_eq!(server.get("/v1/rooms/none/events").await.status, 404);
}
