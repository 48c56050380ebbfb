//! A server on free loopback ports whose state the test can reach, and a client that sends any bytes at all.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use medley::broadcast::Broadcast;
use medley::broadcast::hls::Hls;
use medley::compositor::{Choice, Fonts};
use medley::http::{Access, AppState, Check, IceServers, Limits, Previews, Readiness, Snapshots, Streams, serve};
use medley::media::{Clock, Within};
use medley::metrics::Metrics;
use medley::peer::{PeerConfig, Peers};
use medley::players::{FileLimits, Files, Players};
use medley::record::{RecordingSettings, Recordings};
use medley::rooms::spec::RoomSpec;
use medley::rooms::{Rooms, RoomsSettings};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::{JSON, SDP};

/// A running server; it is told to stop when this is dropped.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) state: AppState,
    pub(crate) serving: JoinHandle<()>,
    pub(crate) stop: oneshot::Sender<()>,
}

/// A server in development mode.
pub(crate) async fn start() -> Server {
    start_with(|_| ()).await
}

/// A server whose state `change` has altered.
pub(crate) async fn start_with(change: impl FnOnce(&mut AppState)) -> Server {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (clock, metrics) = (Clock::new(), Metrics::default());
    let settings = RoomsSettings {
        room: RoomSpec::default(),
        data_dir: None,
        on_demand: true,
        max_sessions: 6,
        decode_threads: 1,
        compositor: Choice::Cpu,
        fonts: Fonts::new(None),
    };
    let recording = RecordingSettings { max_active: Within::of(3), ..RecordingSettings::default() };
    let files = Files::open(None, FileLimits { max_bytes: 4 << 20, max_total_bytes: 6 << 20 }).unwrap();
    let rooms = Rooms::new(settings, clock, metrics.clone()).unwrap();
    let mut state = AppState {
        recordings: Recordings::open(recording, rooms.clone(), clock, metrics.clone()).unwrap(),
        players: Players::new(rooms.clone(), files, clock, metrics.clone()),
        broadcast: Broadcast::new(rooms.clone(), clock, metrics.clone()),
        hls: Hls::new(rooms.clone(), clock, metrics.clone()),
        rooms,
        peers: Peers::open(PeerConfig { udp: loopback, advertise: vec![] }, clock, metrics.clone()).await.unwrap(),
        metrics,
        readiness: Readiness::default(),
        access: Access::Open,
        ice_servers: IceServers::default(),
        snapshots: Snapshots::default(),
        previews: Previews::default(),
        streams: Streams::default(),
        clock,
        limits: Limits::default(),
    };
    [Check::Compositor, Check::Udp, Check::Draining].into_iter().for_each(|check| state.readiness.pass(check));
    change(&mut state);
    let listener = TcpListener::bind(loopback).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(serve(listener, state.clone(), async {
        let _ = stopped.await;
    }));
    Server { addr, state, serving, stop }
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name));
        self.head.lines().find(named).map(|line| line[name.len() + 1..].trim())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }
}

impl Server {
    /// Sends bytes as they are and reads to the end; of a stream without an end, its head.
    pub(crate) async fn exchange(&self, request: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        // A server that refuses a body early may close before all of it is written.
        let _ = stream.write_all(request).await;
        let mut bytes = Vec::new();
        while !is_head_of_stream(&bytes) && stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {}
        let end = end_of_head(&bytes).expect("a whole response head");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        Reply { status: head[9..12].parse().unwrap(), body: bytes[end + 4..].to_vec(), head }
    }

    /// One request with further header lines.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Reply {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        self.exchange(&[head.as_bytes(), body].concat()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, "", b"").await
    }

    /// A request with a JSON body.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.ask(method, path, JSON, body.to_string().as_bytes()).await
    }

    /// Somebody who sends and receives, once the room shows them; their session's URL. No media is ever sent.
    pub(crate) async fn join(&self, room: &str) -> String {
        let made = self.ask("POST", &format!("/v1/rooms/{room}/join?name=Ann"), SDP, offer("sendrecv").as_bytes()).await;
        assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
        let shown = async || self.get(&format!("/v1/rooms/{room}/layout")).await.json()["cells"][0]["participant"].is_string();
        until("the room shows who has joined", shown).await;
        made.header("location").unwrap().to_owned()
    }
}

/// Looks again and again, within reason, until it is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let mut glances = tokio::time::interval(Duration::from_millis(5));
    let looking = async {
        while !is_so().await {
            glances.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), looking).await.unwrap_or_else(|_| panic!("not so: {what}"));
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n")
}

fn is_head_of_stream(bytes: &[u8]) -> bool {
    let Some(head) = end_of_head(bytes).and_then(|end| std::str::from_utf8(&bytes[..end]).ok()) else { return false };
    ["text/event-stream", "multipart/x-mixed-replace", "audio/ogg"].into_iter().any(|endless| head.contains(endless))
}

/// An offer of sound and picture.
pub(crate) fn offer(direction: &str) -> String {
    let ice = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijklmn\r\na=setup:actpass\r\n";
    let fingerprint = format!("a=fingerprint:sha-256 {}\r\n", ["AB"; 32].join(":"));
    let media = |kind: &str, payload_type: u8, mid: u8, codec: &str| {
        format!(
            "m={kind} 9 UDP/TLS/RTP/SAVPF {payload_type}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na={direction}\r\na=rtcp-mux\r\n{codec}\r\n"
        )
    };
    let audio = media("audio", 111, 0, "a=rtpmap:111 opus/48000/2");
    let video = media("video", 102, 1, "a=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=1;profile-level-id=42e01f");
    format!("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n{ice}{fingerprint}{audio}{video}")
}
