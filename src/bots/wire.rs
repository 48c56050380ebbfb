//! A bot's way to the server: its socket, with its line before it.
//!
//! In: datagrams from the bot's stack and from the socket. Out: the same, when the line lets them through. The bot can come to
//! another socket. Never: a wait for room in the socket; what it does not take is lost.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::net::UdpSocket as AsyncSocket;

use super::line::counts::PayloadTypes;
use super::line::{LineReport, LineSettings, Passage};
use crate::media::MediaTime;

/// Sockets that a bot has left and keeps, so that nobody else comes to their ports.
const LEFT: usize = 8;

/// A datagram and where it goes or comes from.
type Letter = (Vec<u8>, SocketAddr);

/// The bot's end of its line.
pub(super) struct Wire {
    socket: AsyncSocket,
    left: Vec<AsyncSocket>,
    up: Passage<Letter>,
    down: Passage<Letter>,
    types: PayloadTypes,
}

impl Wire {
    /// A line before a socket.
    ///
    /// # Errors
    /// Where the runtime does not take the socket.
    pub(super) fn new(socket: UdpSocket, line: &LineSettings, types: PayloadTypes) -> std::io::Result<Self> {
        let socket = AsyncSocket::from_std(socket)?;
        // The ways differ, or both would lose their nth datagrams.
        let (up, down) = (Passage::new(line.up.clone(), line.seed), Passage::new(line.down.clone(), line.seed ^ u64::MAX));
        Ok(Self { socket, left: Vec::new(), up, down, types })
    }

    /// From here on the line's time runs.
    pub(super) fn lay(&mut self, now: MediaTime) {
        self.up.lay(now);
        self.down.lay(now);
    }

    /// Another line in its place, whose time runs from here on.
    pub(super) fn replace(&mut self, line: LineSettings, now: MediaTime) {
        self.up.replace(line.up, now);
        self.down.replace(line.down, now);
    }

    /// Comes to another port of the same address; what is sent to the old one is lost without a word.
    ///
    /// # Errors
    /// Where the system has no port.
    pub(super) fn move_away(&mut self) -> std::io::Result<SocketAddr> {
        let socket = UdpSocket::bind((self.socket.local_addr()?.ip(), 0))?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        self.left.push(std::mem::replace(&mut self.socket, AsyncSocket::from_std(socket)?));
        let excess = self.left.len().saturating_sub(LEFT);
        self.left.drain(..excess);
        Ok(address)
    }

    /// A datagram from the bot's stack.
    pub(super) fn send(&mut self, datagram: &[u8], to: SocketAddr, now: MediaTime) {
        self.up.put((datagram.to_vec(), to), datagram.len(), self.types.kind(datagram), now);
    }

    /// Sends what has come through the line.
    pub(super) async fn flush(&mut self, now: MediaTime) {
        while let Some((datagram, to)) = self.up.take(now) {
            // What the socket does not take is lost, like any datagram.
            let _ = self.socket.send_to(&datagram, to).await;
        }
    }

    /// Waits for a datagram from the socket. Cancel-safe.
    pub(super) async fn receive(&self, buffer: &mut [u8]) -> std::io::Result<(usize, SocketAddr)> {
        self.socket.recv_from(buffer).await
    }

    /// A datagram from the socket.
    pub(super) fn arrive(&mut self, datagram: &[u8], from: SocketAddr, now: MediaTime) {
        self.down.put((datagram.to_vec(), from), datagram.len(), self.types.kind(datagram), now);
    }

    /// What has come through the line to the bot's stack.
    pub(super) fn take(&mut self, now: MediaTime) -> Option<Letter> {
        self.down.take(now)
    }

    /// When to [`flush`](Self::flush) and [`take`](Self::take) again.
    pub(super) fn due(&self) -> Option<MediaTime> {
        [self.up.due(), self.down.due()].into_iter().flatten().min()
    }

    /// Tells both ways' counts.
    pub(super) fn tell(&self, ledger: &Ledger) {
        let mut told = ledger.now.lock();
        let (up, down) = (told.up.asked_again, told.down.asked_again);
        (told.up, told.down) = (self.up.counts(), self.down.counts());
        (told.up.asked_again, told.down.asked_again) = (up, down);
    }
}

/// What the line did, shared with the report.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    now: Mutex<LineReport>,
    begun: Mutex<LineReport>,
}

impl Ledger {
    /// An empty one.
    pub(super) fn shared() -> Arc<Self> {
        Arc::default()
    }

    /// Writes in it.
    pub(super) fn note(&self, write: impl FnOnce(&mut LineReport)) {
        write(&mut self.now.lock());
    }

    /// The measurement begins here.
    pub(super) fn begin(&self) {
        *self.begun.lock() = *self.now.lock();
    }

    /// What there was since the measurement began.
    pub(super) fn report(&self) -> LineReport {
        let (now, begun) = (*self.now.lock(), *self.begun.lock());
        LineReport { up: now.up.since(&begun.up), down: now.down.since(&begun.down), moves: now.moves - begun.moves, ..now }
    }
}
