//! The one UDP port of all sessions: who a datagram is for, and the way out.
//!
//! In: datagrams from anybody. Out: each in the mailbox of its session. A session is known by the ICE user name fragment
//! that we gave it (the part before the colon in a check's USERNAME, RFC 8445 §7.2.2), then by the addresses its checks came
//! from. Never: work for a datagram of nobody beyond a look-up and a count.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::net::UdpSocket;

use super::mailbox::Mailbox;
use super::stun::{self, Stun};
use crate::media::Clock;
use crate::metrics::Metrics;

/// What the kernel holds for us while the receiving task does not run: a burst of keyframes from everybody.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;
/// Longer ones are cut by the kernel; ours and every peer's fit an Ethernet frame.
const MAX_DATAGRAM_BYTES: usize = 2048;
/// Datagrams taken before other tasks get a turn.
const BURST: usize = 64;
/// Addresses one session may come from; the oldest is forgotten.
const ADDRESSES_PER_SESSION: usize = 8;
/// ICE sessions of one session: the running one and the one before a restart, whose checks may still be on their way.
const UFRAGS_PER_SESSION: usize = 2;
/// Checks of ours that one session may leave unanswered; the oldest is forgotten.
const CHECKS_PER_SESSION: usize = 64;

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
        if let Some(Stun::Request { transaction, .. }) = stun::read(contents) {
            self.table.lock().expect_reply(transaction, mailbox);
        }
        match self.socket.try_send_to(contents, self.on_wire(to)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.metrics.count_dropped("media_socket_full"),
            Err(error) => tracing::trace!(%error, %to, "media socket"),
        }
    }

    fn deliver(&self, datagram: &[u8], from: SocketAddr) {
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        let stun = stun::read(datagram);
        let Some(mailbox) = self.table.lock().route(stun.as_ref(), from) else {
            self.metrics.datagrams_unknown.inc();
            return;
        };
        if !mailbox.put(datagram, from, self.clock.now()) {
            self.metrics.count_dropped("session_behind");
        }
        match stun {
            Some(Stun::Request { nominates: true, .. }) => mailbox.keep_nomination(datagram, from),
            Some(Stun::Reply { .. }) => mailbox.repeat_nomination(from, self.clock.now()),
            _ => {}
        }
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

    /// Checks that name `ufrag` come here from now on.
    pub(super) fn listen_for(&self, ufrag: &str) {
        self.wire.table.lock().listen_for(ufrag, &self.mailbox);
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

/// Who is where.
#[derive(Debug, Default)]
struct Table {
    by_ufrag: HashMap<String, Arc<Mailbox>>,
    by_address: HashMap<SocketAddr, Arc<Mailbox>>,
    by_transaction: HashMap<[u8; 12], Arc<Mailbox>>,
    held: HashMap<u64, Held>,
}

/// A session's entries in the table, oldest first.
#[derive(Debug, Default)]
struct Held {
    ufrags: VecDeque<String>,
    addresses: VecDeque<SocketAddr>,
    transactions: VecDeque<[u8; 12]>,
}

impl Table {
    fn listen_for(&mut self, ufrag: &str, mailbox: &Arc<Mailbox>) {
        self.by_ufrag.insert(ufrag.to_owned(), mailbox.clone());
        let ufrags = &mut self.held.entry(mailbox.id()).or_default().ufrags;
        ufrags.retain(|known| known != ufrag);
        ufrags.push_back(ufrag.to_owned());
        let Some(oldest) = (ufrags.len() > UFRAGS_PER_SESSION).then(|| ufrags.pop_front()).flatten() else { return };
        self.by_ufrag.remove(&oldest);
    }

    fn route(&mut self, stun: Option<&Stun<'_>>, from: SocketAddr) -> Option<Arc<Mailbox>> {
        match stun {
            Some(Stun::Request { ufrag, .. }) => {
                let mailbox = self.by_ufrag.get((*ufrag)?)?.clone();
                self.learn(from, &mailbox);
                Some(mailbox)
            }
            // A reply comes from where the check went, which need not be an address that has checked us yet
            Some(Stun::Reply { transaction }) => self.by_transaction.remove(transaction),
            _ => self.by_address.get(&from).cloned(),
        }
    }

    /// The session is (also) at `address` now; whoever was there before has moved away.
    fn learn(&mut self, address: SocketAddr, mailbox: &Arc<Mailbox>) {
        let Some(held) = self.held.get_mut(&mailbox.id()) else { return };
        let before = self.by_address.insert(address, mailbox.clone());
        if before.is_some_and(|before| before.id() == mailbox.id()) {
            return;
        }
        held.addresses.retain(|known| *known != address);
        held.addresses.push_back(address);
        let Some(oldest) = (held.addresses.len() > ADDRESSES_PER_SESSION).then(|| held.addresses.pop_front()).flatten() else { return };
        remove_if_of(&mut self.by_address, &oldest, mailbox.id());
    }

    fn expect_reply(&mut self, transaction: [u8; 12], mailbox: &Arc<Mailbox>) {
        let Some(held) = self.held.get_mut(&mailbox.id()) else { return };
        self.by_transaction.insert(transaction, mailbox.clone());
        held.transactions.push_back(transaction);
        let Some(oldest) = (held.transactions.len() > CHECKS_PER_SESSION).then(|| held.transactions.pop_front()).flatten() else { return };
        self.by_transaction.remove(&oldest);
    }

    fn forget(&mut self, id: u64) {
        let Some(held) = self.held.remove(&id) else { return };
        for ufrag in &held.ufrags {
            self.by_ufrag.remove(ufrag);
        }
        for address in &held.addresses {
            remove_if_of(&mut self.by_address, address, id);
        }
        for transaction in &held.transactions {
            self.by_transaction.remove(transaction);
        }
    }
}

fn remove_if_of(map: &mut HashMap<SocketAddr, Arc<Mailbox>>, address: &SocketAddr, id: u64) {
    if map.get(address).is_some_and(|mailbox| mailbox.id() == id) {
        map.remove(address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn request(ufrag: &str) -> Vec<u8> {
        stun::tests::request([7; 12], Some(&format!("{ufrag}:theirs")))
    }

    fn table_with(ufrags: &[&str]) -> (Table, Vec<Arc<Mailbox>>) {
        let mut table = Table::default();
        let mailboxes: Vec<_> = (0..).zip(ufrags).map(|(id, _)| Arc::new(Mailbox::new(id))).collect();
        for (ufrag, mailbox) in ufrags.iter().zip(&mailboxes) {
            table.listen_for(ufrag, mailbox);
        }
        (table, mailboxes)
    }

    fn routed(table: &mut Table, datagram: &[u8], from: SocketAddr) -> Option<u64> {
        table.route(stun::read(datagram).as_ref(), from).map(|mailbox| mailbox.id())
    }

    #[test]
    fn media_follow_the_address_that_a_check_with_our_ufrag_came_from() {
        let (mut table, _) = table_with(&["alice", "bob"]);
        let media = [0x80; 40];
        assert_eq!(routed(&mut table, &media, at(1)), None);
        assert_eq!(routed(&mut table, &request("bob"), at(1)), Some(1));
        assert_eq!(routed(&mut table, &media, at(1)), Some(1));
        assert_eq!(routed(&mut table, &media, at(2)), None);
    }

    #[test]
    fn an_address_moves_to_the_session_whose_check_comes_from_it() {
        let (mut table, _) = table_with(&["alice", "bob"]);
        routed(&mut table, &request("alice"), at(1));
        routed(&mut table, &request("bob"), at(1));
        assert_eq!(routed(&mut table, &[0x80; 40], at(1)), Some(1));
        table.forget(0);
        assert_eq!(routed(&mut table, &[0x80; 40], at(1)), Some(1));
    }

    #[test]
    fn a_reply_finds_the_session_that_asked_once() {
        let (mut table, mailboxes) = table_with(&["alice"]);
        table.expect_reply([9; 12], &mailboxes[0]);
        let reply = stun::tests::reply([9; 12]);
        assert_eq!(routed(&mut table, &reply, at(5)), Some(0));
        assert_eq!(routed(&mut table, &reply, at(5)), None);
    }

    #[test]
    fn a_session_leaves_nothing_behind_and_holds_a_bounded_number_of_addresses() {
        let (mut table, mailboxes) = table_with(&["alice"]);
        for port in 0..100 {
            routed(&mut table, &request("alice"), at(port));
            table.expect_reply([port as u8; 12], &mailboxes[0]);
            table.listen_for(&format!("restart {port}"), &mailboxes[0]);
            table.listen_for("alice", &mailboxes[0]);
        }
        assert_eq!((table.by_address.len(), table.by_transaction.len()), (ADDRESSES_PER_SESSION, CHECKS_PER_SESSION));
        assert_eq!(table.by_ufrag.len(), UFRAGS_PER_SESSION);
        table.forget(0);
        assert!(table.by_ufrag.is_empty() && table.by_address.is_empty() && table.by_transaction.is_empty() && table.held.is_empty());
    }

    #[test]
    fn unknown_user_names_and_checks_without_one_reach_nobody() {
        let (mut table, _) = table_with(&["alice"]);
        assert_eq!(routed(&mut table, &request("mallory"), at(1)), None);
        assert_eq!(routed(&mut table, &stun::tests::request([1; 12], None), at(1)), None);
        assert!(table.by_address.is_empty());
    }

    #[test]
    fn a_hundred_thousand_random_datagrams_reach_nobody_and_leave_nothing() {
        use rand::rngs::StdRng;
        use rand::{Rng, RngCore, SeedableRng};
        let (mut table, _) = table_with(&["alice"]);
        routed(&mut table, &request("alice"), at(1));
        let mut random = StdRng::seed_from_u64(5);
        let mut datagram = [0; 300];
        for _ in 0..100_000 {
            let length = random.random_range(0..datagram.len());
            random.fill_bytes(&mut datagram[..length]);
            let from = SocketAddr::from((random.random::<[u8; 4]>(), random.random()));
            assert_eq!(routed(&mut table, &datagram[..length], from), None);
        }
        assert_eq!((table.by_address.len(), table.by_transaction.len(), table.held.len()), (1, 0, 1));
    }
}
