//! The accept loop: connections within bounds of number and time.
//!
//! In: a listener. Out: requests to the router. Never: a connection that is held open by sending, or reading, nothing.
//! `axum::serve` sets no timer, so that clients who send a header a byte a minute would never be cut.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, body::Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
#[cfg(any(target_os = "android", target_os = "linux"))]
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::outflow::Outflow;
use super::stall::Stallable;
use super::{AppState, router};

/// Bounds on connections and bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A request's header must be whole this long after the connection was made or the last answer was sent; default 10 s.
    /// It is the keep-alive time-out, too.
    pub header: Duration,
    /// A body must be whole this long after its header; default 10 s.
    pub body: Duration,
    /// A client that takes nothing of an answer for this long is cut; default 10 s.
    pub write: Duration,
    /// Requests under way at shutdown are given this long; default 3 s.
    pub drain: Duration,
    /// Connections at once; further ones wait in the listener's backlog; default 1024.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let patience = Duration::from_secs(10);
        Self { header: patience, body: patience, write: patience, drain: Duration::from_secs(3), connections: 1024 }
    }
}

/// Bytes of a connection that wait in the system at most before they are on their way.
#[cfg(any(target_os = "android", target_os = "linux"))]
const UNSENT: u32 = 32 * 1024;
/// How long the loop waits where a connection cannot be accepted (no file descriptors left).
const PAUSE: Duration = Duration::from_millis(50);

/// Serves until `shutdown`, then lets requests under way end within [`Limits::drain`].
pub async fn serve(listener: TcpListener, state: AppState, shutdown: impl Future<Output = ()> + Send) {
    let (limits, broadcast) = (state.limits, state.broadcast.clone());
    let service = TowerToHyperService::new(router(state));
    let seats = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (stream, seat) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &seats) => accepted,
        };
        tokio::spawn(converse(stream, service.clone(), limits, graceful.watcher(), seat));
    }
    drop(listener);
    broadcast.end_all();
    if timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests under way at shutdown were cut");
    }
}

/// The next connection, once there is room for one.
async fn accept(listener: &TcpListener, seats: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    let seat = seats.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, seat),
            Err(error) => pause_after(&error).await,
        }
    }
}

/// Errors of one connection concern nobody else (accept(2)); those of the process pass when others end.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    if matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted) {
        return;
    }
    tracing::warn!(%error, "a connection was not accepted");
    #[expect(clippy::disallowed_methods, reason = "the accept loop would spin while no file descriptor is free")]
    tokio::time::sleep(PAUSE).await;
}

async fn converse(
    stream: TcpStream,
    service: TowerToHyperService<axum::Router>,
    limits: Limits,
    watcher: Watcher,
    seat: OwnedSemaphorePermit,
) {
    // Answers are small and whole: waiting to fill a segment would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended as it began");
        return;
    }
    keep_unsent_short(&stream);
    let outflow = Outflow::default();
    let stream = TokioIo::new(Stallable::new(stream, limits.write, outflow.clone()));
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(outflow.clone());
        service.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_buf_size(64 * 1024)
        .serve_connection(stream, service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
    drop(seat);
}

/// Has the system take no more than this beyond what is on its way: a stream's client who falls behind would have megabytes of old
/// pictures before the newest one otherwise.
fn keep_unsent_short(stream: &TcpStream) {
    #[cfg(any(target_os = "android", target_os = "linux"))]
    if let Err(error) = SockRef::from(stream).set_tcp_notsent_lowat(UNSENT) {
        tracing::debug!(%error, "the system keeps as much unsent as it likes");
    }
    #[cfg(not(any(target_os = "android", target_os = "linux")))]
    let _ = stream;
}
