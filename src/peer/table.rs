//! Who is where: which session a datagram is for.
//!
//! In: what a datagram says and where it comes from. Out: its session's mailbox. What one session holds here is bounded.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use super::mailbox::Mailbox;
use super::stun::Stun;

/// Addresses one session may come from; the oldest is forgotten.
const ADDRESSES_PER_SESSION: usize = 8;
/// ICE sessions of one session: the running one and the one before a restart, whose checks may still be on their way.
const UFRAGS_PER_SESSION: usize = 2;
/// Checks of ours that one session may leave unanswered; the oldest is forgotten.
const CHECKS_PER_SESSION: usize = 64;
/// Streams by which one session is known: sound, layers of pictures and their repetitions.
const STREAMS_PER_SESSION: usize = 16;

/// Who is where.
#[derive(Debug, Default)]
pub(super) struct Table {
    by_ufrag: HashMap<String, Arc<Mailbox>>,
    by_address: HashMap<SocketAddr, Arc<Mailbox>>,
    by_transaction: HashMap<[u8; 12], Arc<Mailbox>>,
    /// By the streams that came from known addresses: a client whose address changes is known by them until it is found again.
    by_stream: HashMap<u32, Arc<Mailbox>>,
    held: HashMap<u64, Held>,
}

/// A session's entries in the table, oldest first.
#[derive(Debug, Default)]
struct Held {
    ufrags: VecDeque<String>,
    addresses: VecDeque<SocketAddr>,
    transactions: VecDeque<[u8; 12]>,
    streams: VecDeque<u32>,
}

impl Table {
    pub(super) fn listen_for(&mut self, ufrag: &str, mailbox: &Arc<Mailbox>) {
        self.by_ufrag.insert(ufrag.to_owned(), mailbox.clone());
        let ufrags = &mut self.held.entry(mailbox.id()).or_default().ufrags;
        ufrags.retain(|known| known != ufrag);
        ufrags.push_back(ufrag.to_owned());
        let Some(oldest) = (ufrags.len() > UFRAGS_PER_SESSION).then(|| ufrags.pop_front()).flatten() else { return };
        self.by_ufrag.remove(&oldest);
    }

    pub(super) fn route(&mut self, stun: Option<&Stun<'_>>, datagram: &[u8], from: SocketAddr) -> Option<Arc<Mailbox>> {
        match stun {
            Some(Stun::Request { ufrag, .. }) => {
                let mailbox = self.by_ufrag.get((*ufrag)?)?.clone();
                self.learn(from, &mailbox);
                Some(mailbox)
            }
            // A reply comes from where the check went, which need not be an address that has checked us yet
            Some(Stun::Reply { transaction }) => self.by_transaction.remove(transaction),
            _ => self.route_media(datagram, from),
        }
    }

    fn route_media(&mut self, datagram: &[u8], from: SocketAddr) -> Option<Arc<Mailbox>> {
        let stream = stream_of(datagram);
        let Some(mailbox) = self.by_address.get(&from).cloned() else {
            return self.by_stream.get(&stream?).cloned();
        };
        if let Some(stream) = stream {
            self.learn_stream(stream, &mailbox);
        }
        Some(mailbox)
    }

    /// Whoever sent a stream first keeps it: another one's claim is a mistake or a lie.
    fn learn_stream(&mut self, stream: u32, mailbox: &Arc<Mailbox>) {
        let Entry::Vacant(vacant) = self.by_stream.entry(stream) else { return };
        let Some(held) = self.held.get_mut(&mailbox.id()) else { return };
        vacant.insert(mailbox.clone());
        held.streams.push_back(stream);
        let Some(oldest) = (held.streams.len() > STREAMS_PER_SESSION).then(|| held.streams.pop_front()).flatten() else { return };
        self.by_stream.remove(&oldest);
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

    pub(super) fn expect_reply(&mut self, transaction: [u8; 12], mailbox: &Arc<Mailbox>) {
        let Some(held) = self.held.get_mut(&mailbox.id()) else { return };
        self.by_transaction.insert(transaction, mailbox.clone());
        held.transactions.push_back(transaction);
        let Some(oldest) = (held.transactions.len() > CHECKS_PER_SESSION).then(|| held.transactions.pop_front()).flatten() else { return };
        self.by_transaction.remove(&oldest);
    }

    pub(super) fn forget(&mut self, id: u64) {
        let Some(held) = self.held.remove(&id) else { return };
        for ufrag in &held.ufrags {
            self.by_ufrag.remove(ufrag);
        }
        for address in &held.addresses {
            remove_if_of(&mut self.by_address, address, id);
        }
        for stream in &held.streams {
            self.by_stream.remove(stream);
        }
        for transaction in &held.transactions {
            self.by_transaction.remove(transaction);
        }
    }
}

/// The stream that an SRTP or SRTCP packet belongs to (RFC 3550 §5.1, §6.4.1); both leave it in clear.
fn stream_of(datagram: &[u8]) -> Option<u32> {
    let (first, second) = (*datagram.first()?, *datagram.get(1)?);
    if !(128..192).contains(&first) {
        return None;
    }
    // RFC 5761 §4
    let at = if (192..224).contains(&second) { 4 } else { 8 };
    Some(u32::from_be_bytes(datagram.get(at..at + 4)?.try_into().ok()?))
}

fn remove_if_of(map: &mut HashMap<SocketAddr, Arc<Mailbox>>, address: &SocketAddr, id: u64) {
    if map.get(address).is_some_and(|mailbox| mailbox.id() == id) {
        map.remove(address);
    }
}

#[cfg(test)]
mod tests {
    use super::super::stun;
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
        table.route(stun::read(datagram).as_ref(), datagram, from).map(|mailbox| mailbox.id())
    }

    #[test]
    fn media_follow_the_address_that_a_check_with_our_ufrag_came_from() {
        let (mut table, _) = table_with(&["alice", "bob"]);
        let media = [0x80; 40];
        assert_eq!(routed(&mut table, &media, at(1)), None);
        assert_eq!(routed(&mut table, &request("bob"), at(1)), Some(1));
        assert_eq!(routed(&mut table, &media, at(1)), Some(1));
        assert_eq!(routed(&mut table, &[0x81; 40], at(2)), None);
    }

    #[test]
    fn a_stream_is_known_wherever_it_comes_from_and_belongs_to_who_sent_it_first() {
        let (mut table, _) = table_with(&["alice", "bob"]);
        routed(&mut table, &request("alice"), at(1));
        routed(&mut table, &request("bob"), at(2));
        let rtp = |stream: u32| [&[0x80, 0x60, 0, 1, 0, 0, 0, 1][..], &stream.to_be_bytes(), &[0; 20]].concat();
        let rtcp = |stream: u32| [&[0x80, 201, 0, 1][..], &stream.to_be_bytes(), &[0; 20]].concat();
        assert_eq!(routed(&mut table, &rtp(7), at(3)), None);
        assert_eq!((routed(&mut table, &rtp(7), at(1)), routed(&mut table, &rtp(7), at(2))), (Some(0), Some(1)));
        assert_eq!((routed(&mut table, &rtp(7), at(3)), routed(&mut table, &rtcp(7), at(3))), (Some(0), Some(0)));
        (0..100).for_each(|stream| drop(routed(&mut table, &rtp(stream), at(2))));
        assert_eq!(table.by_stream.len(), 1 + STREAMS_PER_SESSION);
        table.forget(0);
        table.forget(1);
        assert!(table.by_stream.is_empty());
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
