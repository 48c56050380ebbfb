//! The one UDP port of all sessions: who a datagram is for, and the way out.
//!
//! In: datagrams from anybody. Out: each in the mailbox of its session. A session is known by the ICE user name fragment
//! that we gave it (the part before the colon in a check's USERNAME, RFC 8445 §7.2.2), then by the addresses its checks came
//! from, then by the streams that it has sent (see `whereabouts`). Never: work for a datagram of nobody beyond a look-up and a count.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::net::UdpSocket;

use super::check::Keys;
use super::mailbox::Mailbox;
use super::stun::{self, Stun};
use super::table::Table;
use super::transport::IceCredentials;
use super::whereabouts::{Sign, Standing};
use crate::media::Clock;
use crate::metrics::Metrics;

/// What the kernel holds for us while the receiving task does not run: a burst of keyframes from everybody.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;
/// Longer ones are cut by the kernel; ours and every peer's fit an Ethernet frame.
const MAX_DATAGRAM_BYTES: usize = 2048;
/// Datagrams taken before other tasks get a turn.
const BURST: usize = 64;

/// The port. Its receiving task ends when this is dropped.
#[derive(Debug)]
pub(super) struct Port {
    wire: Arc<Wire>,
    receiving: tokio::task::JoinHandle<()>,
}

/// What sessions and the receiving task share of the port.
#[derive(Debug)]
pub(super) struct Wire {
    socket: UdpSocket,
    local: SocketAddr,
    table: Mutex<Table>,
    clock: Clock,
    metrics: Metrics,
}

impl Port {
    /// Binds the address and starts to receive.
    ///
    /// # Errors
    /// Where the address cannot be bound.
    pub(super) async fn open(address: SocketAddr, clock: Clock, metrics: Metrics) -> io::Result<Self> {
        let socket = UdpSocket::bind(address).await?;
        let options = socket2::SockRef::from(&socket);
        for result in [options.set_recv_buffer_size(SOCKET_BUFFER_BYTES), options.set_send_buffer_size(SOCKET_BUFFER_BYTES)] {
            result.unwrap_or_else(|error| tracing::debug!(%error, "the media socket keeps its buffer size"));
        }
        let local = socket.local_addr()?;
        let wire = Arc::new(Wire { socket, local, table: Mutex::default(), clock, metrics });
        let receiving = tokio::spawn(receive(wire.clone()));
        Ok(Self { wire, receiving })
    }

    /// The side that sessions hold.
    pub(super) fn wire(&self) -> &Arc<Wire> {
        &self.wire
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.receiving.abort();
    }
}

async fn receive(wire: Arc<Wire>) {
    let mut buffer = vec![0; MAX_DATAGRAM_BYTES];
    loop {
        match wire.socket.recv_from(&mut buffer).await {
            Ok((length, from)) => wire.deliver(&buffer[..length], from),
            // An ICMP error for something we sent (Linux reports it here), or a passing shortage
            Err(error) => tracing::trace!(%error, "media socket"),
        }
        for _ in 1..BURST {
            let Ok((length, from)) = wire.socket.try_recv_from(&mut buffer) else { break };
            wire.deliver(&buffer[..length], from);
        }
        tokio::task::yield_now().await;
    }
}

impl Wire {
    /// The bound address.
    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends one datagram; gives it up (counted) where the kernel's buffer is full, as the network would.
    pub(super) fn send(&self, contents: &[u8], to: SocketAddr, mailbox: &Arc<Mailbox>) {
        let stun = stun::read(contents);
        if let Some(Stun::Request { transaction, .. }) = stun {
            self.table.lock().expect_reply(transaction, mailbox);
        }
        let to = mailbox.whereabouts().sends(to, stun.is_some(), self.clock.now());
        self.transmit(contents, to);
    }

    fn transmit(&self, contents: &[u8], to: SocketAddr) {
        match self.socket.try_send_to(contents, self.on_wire(to)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.metrics.count_dropped("media_socket_full"),
            Err(error) => tracing::trace!(%error, %to, "media socket"),
        }
    }

    fn deliver(&self, datagram: &[u8], from: SocketAddr) {
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        let stun = stun::read(datagram);
        let Some(mailbox) = self.table.lock().route(stun.as_ref(), datagram, from) else {
            self.metrics.datagrams_unknown.inc();
            return;
        };
        let Some(from) = self.admit(&mailbox, stun.as_ref(), datagram, from) else { return };
        if !mailbox.put(datagram, from) {
            self.metrics.count_dropped("session_behind");
        }
        match stun {
            Some(Stun::Request { nominates: true, .. }) => mailbox.keep_nomination(datagram, from),
            Some(Stun::Reply { .. }) => mailbox.repeat_nomination(from),
            _ => {}
        }
    }

    /// The address that the stack is shown for a datagram; `None` where it is the answer to a check that the stack knows nothing of.
    fn admit(&self, mailbox: &Arc<Mailbox>, stun: Option<&Stun<'_>>, datagram: &[u8], from: SocketAddr) -> Option<SocketAddr> {
        let now = self.clock.now();
        let mut whereabouts = mailbox.whereabouts();
        if let Some(Stun::Reply { transaction }) = stun
            && whereabouts.has_tried(transaction)
        {
            if whereabouts.finds(datagram, transaction, from, now) {
                mailbox.note_heard(now);
                tracing::info!("a client came to another address");
            }
            return None;
        }
        let home = match whereabouts.hears(from, now) {
            Standing::Known(shown) => {
                mailbox.note_heard(now);
                return Some(shown);
            }
            Standing::Elsewhere(home) => home,
        };
        let sign = match stun {
            None => Some(Sign::Media),
            Some(Stun::Request { .. }) => whereabouts.is_of_client(datagram).then_some(Sign::Check),
            Some(_) => None,
        };
        let transaction = rand::random();
        let check = sign.and_then(|sign| whereabouts.look(from, sign, now, transaction));
        drop(whereabouts);
        if let Some(check) = check {
            self.table.lock().expect_reply(transaction, mailbox);
            self.transmit(&check, from);
        }
        // Media are proof of themselves: the stack takes none without the session's keys.
        Some(if stun.is_none() { home } else { from })
    }

    /// A dual-stack socket speaks of IPv4 addresses as IPv6 ones (RFC 4291 §2.5.5.2).
    fn on_wire(&self, to: SocketAddr) -> SocketAddr {
        match to.ip() {
            IpAddr::V4(ip) if self.local.is_ipv6() => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
            _ => to,
        }
    }
}

/// A session's place at the port, forgotten there when this is dropped.
#[derive(Debug)]
pub(super) struct Berth {
    wire: Arc<Wire>,
    mailbox: Arc<Mailbox>,
}

impl Berth {
    /// For the session that `mailbox` belongs to.
    pub(super) fn new(wire: Arc<Wire>, mailbox: Arc<Mailbox>) -> Self {
        Self { wire, mailbox }
    }

    /// Checks that name our user name fragment come here from now on, and a client that moves is known by its password.
    pub(super) fn listen_for(&self, ours: &IceCredentials, theirs: &IceCredentials) {
        self.mailbox.whereabouts().renew(Keys { ours: ours.clone(), theirs: theirs.clone() });
        self.wire.table.lock().listen_for(&ours.ufrag, &self.mailbox);
    }

    /// Where the session's datagrams come in.
    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }
}

impl Drop for Berth {
    fn drop(&mut self) {
        self.wire.table.lock().forget(self.mailbox.id());
    }
}
