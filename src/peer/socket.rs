//! What the WebRTC stack takes for its own UDP sockets and its runtime: a view of the one port, for one session.
//!
//! In: the stack's calls. Out: datagrams from the session's mailbox, datagrams to the shared socket. Never: a wait to send.

use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime, TokioRuntime, Transmit,
};

use super::flights;
use super::mailbox::{Family, Mailbox};
use super::port::Wire;

/// How long after a part of a handshake flight it leaves once more: bursts of loss are shorter.
const ONCE_MORE: Duration = Duration::from_millis(30);

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The runtime of one session's stack: tokio, with the port in place of sockets of its own.
#[derive(Debug)]
pub(super) struct SessionRuntime {
    wire: Arc<Wire>,
    mailbox: Arc<Mailbox>,
    driver: Arc<OnceLock<AbortHandle>>,
}

/// Ends the stack's task when dropped: the stack itself lets it run on for ever unless it is closed.
#[derive(Debug, Default)]
pub(super) struct Leash(Arc<OnceLock<AbortHandle>>);

impl Drop for Leash {
    fn drop(&mut self) {
        if let Some(driver) = self.0.get() {
            driver.abort();
        }
    }
}

/// Tells the session that the stack's task is no more, however it ended.
struct Obituary(Arc<Mailbox>);

impl Drop for Obituary {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl SessionRuntime {
    /// For the session that `mailbox` belongs to; the stack's task ends with `leash`.
    pub(super) fn new(wire: Arc<Wire>, mailbox: Arc<Mailbox>, leash: &Leash) -> Self {
        Self { wire, mailbox, driver: leash.0.clone() }
    }
}

impl Runtime for SessionRuntime {
    /// The stack has one task, its driver; without servers and TCP candidates it spawns no other.
    fn spawn(&self, driver: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        let obituary = Obituary(self.mailbox.clone());
        let task = tokio::spawn(async move {
            let _obituary = obituary;
            driver.await;
        });
        let _ = self.driver.set(task.abort_handle());
        Box::new(Task(task))
    }

    /// Keeps the address that the stack has bound, as the name of the way there and back, and gives up its socket.
    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let local = socket.local_addr()?;
        Ok(Arc::new(SessionSocket { wire: self.wire.clone(), mailbox: self.mailbox.clone(), local }))
    }

    fn wrap_tcp_listener(&self, _listener: TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn connect_tcp<'a>(&'a self, _remote: SocketAddr) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }

    fn resolve_host<'a>(&'a self, _host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }

    fn now(&self) -> Instant {
        TokioRuntime.now()
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        TokioRuntime.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(future);
    }

    fn yield_now(&self) -> Boxed<'static, ()> {
        TokioRuntime.yield_now()
    }

    fn name(&self) -> &'static str {
        "medley"
    }
}

struct Task(tokio::task::JoinHandle<()>);

impl JoinHandle for Task {
    /// tokio's handles detach when they are dropped.
    fn detach(&self) {}

    fn abort(&self) {
        self.0.abort();
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

#[derive(Debug)]
struct SessionSocket {
    wire: Arc<Wire>,
    mailbox: Arc<Mailbox>,
    local: SocketAddr,
}

impl SessionSocket {
    /// Whoever has the first copy drops the second (RFC 6347 §4.1.2.6).
    #[expect(clippy::disallowed_methods, reason = "a driver: it gives the stack's datagrams real time")]
    fn send_once_more(&self, datagram: Vec<u8>, to: SocketAddr) {
        let (wire, mailbox) = (self.wire.clone(), self.mailbox.clone());
        tokio::spawn(async move {
            tokio::time::sleep(ONCE_MORE).await;
            wire.send(&datagram, to, &mailbox);
        });
    }
}

impl AsyncUdpSocket for SessionSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    /// Never pending: the stack's only task also keeps its timers, and the network loses datagrams as well.
    fn poll_send(&self, _cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        self.wire.send(transmit.contents, transmit.destination, &self.mailbox);
        if flights::is_part_of_one(transmit.contents) {
            self.send_once_more(transmit.contents.to_vec(), transmit.destination);
        }
        Poll::Ready(Ok(transmit.contents.len()))
    }

    fn poll_recv(&self, cx: &mut Context<'_>, buffers: &mut [IoSliceMut<'_>], meta: &mut [RecvMeta]) -> Poll<io::Result<usize>> {
        let (Some(buffer), Some(meta)) = (buffers.first_mut(), meta.first_mut()) else { return Poll::Ready(Ok(0)) };
        let Poll::Ready((from, datagram)) = self.mailbox.poll_take(Family::of(self.local), cx) else { return Poll::Pending };
        let length = datagram.len().min(buffer.len());
        buffer[..length].copy_from_slice(&datagram[..length]);
        *meta = RecvMeta::default();
        meta.addr = from;
        meta.len = length;
        meta.stride = length.max(1);
        Poll::Ready(Ok(1))
    }
}
