//! A whole server on free loopback ports, for tests that speak to it over the network.

use std::net::{Ipv4Addr, SocketAddr};

use medley::http::{Access, AppState, Check, IceServers, Limits, Readiness, Snapshots, serve};
use medley::media::{Canvas, Clock};
use medley::metrics::Metrics;
use medley::peer::{PeerConfig, Peers};
use medley::room::{Layout, RoomSettings};
use medley::rooms::Rooms;
use tokio::net::TcpListener;
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
    let settings = RoomSettings { canvas, layout: Layout::Grid, max_talkers: 8 };
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
