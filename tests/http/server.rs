//! A server on free loopback ports whose state the test can reach, and a client that sends any bytes at all.

use std::net::{Ipv4Addr, SocketAddr};

use medley::compositor::{Choice, Fonts};
use medley::http::{Access, AppState, Check, IceServers, Limits, Readiness, Snapshots, serve};
use medley::media::{Canvas, Clock};
use medley::metrics::Metrics;
use medley::peer::{PeerConfig, Peers};
use medley::room::{Layout, RoomSettings};
use medley::rooms::{Rooms, RoomsSettings};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

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
    let (clock, metrics, canvas) = (Clock::new(), Metrics::default(), Canvas::default());
    let room = RoomSettings { canvas, layout: Layout::Grid, max_talkers: 8 };
    let (compositor, fonts) = (Choice::Cpu, Fonts::new(None));
    let settings = RoomsSettings { room, max_bps: 2_500_000, max_sessions: 4, decode_threads: 1, compositor, fonts };
    let mut state = AppState {
        rooms: Rooms::new(settings, clock, metrics.clone()),
        peers: Peers::open(PeerConfig { udp: loopback, advertise: vec![] }, clock, metrics.clone()).await.unwrap(),
        metrics,
        readiness: Readiness::default(),
        access: Access::Open,
        ice_servers: IceServers::default(),
        canvas,
        snapshots: Snapshots::default(),
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
    /// Sends bytes as they are and reads to the end.
    pub(crate) async fn exchange(&self, request: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        // A server that refuses a body early may close before all of it is written.
        let _ = stream.write_all(request).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole response head");
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
}
