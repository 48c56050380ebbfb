//! Keeps repeated DTLS handshake flights from the stack (RFC 6347 §4.2.4).
//!
//! The stack forgets its own timer with whatever handshake message comes. Where a flight of ours is lost, the peer repeats the one before
//! it; the stack, which has that already, would then never repeat ours, and the handshake ends in nothing. Without the repetition its
//! timer repeats ours.
//!
//! In: datagrams. Out: whether one says nothing but what was said before. Never: a judgement of what is encrypted, or of a ClientHello:
//! the stack drops one that comes before it is ready.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// RFC 6347 §4.1: type, version, epoch, sequence number, length.
const RECORD_HEADER: usize = 13;
/// The first byte of a datagram that may be such a flight.
pub(super) const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const CHANGE_CIPHER_SPEC: u8 = 20;
/// Fragments that are remembered; a handshake with a long chain of certificates has some forty.
const REMEMBERED: usize = 256;

/// The handshake messages that one peer has sent.
#[derive(Debug, Default)]
pub(super) struct Flights(BTreeSet<u64>);

impl Flights {
    /// Whether the datagram holds handshake messages only, each of which has come before.
    pub(super) fn has_all_of(&mut self, datagram: &[u8]) -> bool {
        let Some(messages) = plain_handshake(datagram) else { return false };
        let mut is_repeated = true;
        for message in messages {
            let mut hasher = DefaultHasher::new();
            message.hash(&mut hasher);
            let is_known = self.0.contains(&hasher.finish());
            if !is_known && self.0.len() < REMEMBERED {
                self.0.insert(hasher.finish());
            }
            is_repeated &= is_known;
        }
        is_repeated
    }
}

/// Whether a datagram is part of a flight (RFC 6347 §4.2.4): one that is lost costs a second, and the stack tries eight times.
pub(super) fn is_part_of_one(datagram: &[u8]) -> bool {
    matches!(datagram.first(), Some(&(HANDSHAKE | CHANGE_CIPHER_SPEC)))
}

/// The messages of a datagram that is nothing but handshake in the clear.
fn plain_handshake(mut datagram: &[u8]) -> Option<Vec<&[u8]>> {
    let mut messages = Vec::new();
    while !datagram.is_empty() {
        let (header, rest) = datagram.split_at_checked(RECORD_HEADER)?;
        let epoch = u16::from_be_bytes([header[3], header[4]]);
        let length = usize::from(u16::from_be_bytes([header[11], header[12]]));
        let (message, rest) = rest.split_at_checked(length)?;
        if header[0] != HANDSHAKE || epoch != 0 || message.first().is_none_or(|kind| *kind == CLIENT_HELLO) {
            return None;
        }
        messages.push(message);
        datagram = rest;
    }
    (!messages.is_empty()).then_some(messages)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(kind: u8, epoch: u8, number: u8, message: &[u8]) -> Vec<u8> {
        let mut record = vec![kind, 254, 253, 0, epoch, 0, 0, 0, 0, 0, number, 0, message.len() as u8];
        record.extend(message);
        record
    }

    #[test]
    fn handshake_messages_are_part_of_a_flight_encrypted_or_not_and_media_are_not() {
        assert!(
            [record(HANDSHAKE, 0, 0, &[1]), record(HANDSHAKE, 1, 0, &[9; 8]), record(20, 0, 1, &[1])].iter().all(|d| is_part_of_one(d))
        );
        assert!([&[0x80, 111][..], &[0, 1], &[23, 254, 253], &[21, 254, 253], &[]].iter().all(|datagram| !is_part_of_one(datagram)));
    }

    #[test]
    fn a_flight_that_comes_again_is_known_whatever_its_records_are_numbered() {
        let mut flights = Flights::default();
        let flight = |number| [record(HANDSHAKE, 0, number, &[2, 7]), record(HANDSHAKE, 0, number + 1, &[11, 8])].concat();
        assert!(!flights.has_all_of(&flight(0)));
        assert!(flights.has_all_of(&flight(2)));
        let longer = [flight(4), record(HANDSHAKE, 0, 6, &[12, 9])].concat();
        assert!(!flights.has_all_of(&longer), "a part of it is new");
        assert!(flights.has_all_of(&longer));
    }

    #[test]
    fn a_client_hello_and_what_is_encrypted_or_no_handshake_always_pass() {
        let mut flights = Flights::default();
        let last = [record(HANDSHAKE, 0, 0, &[16, 1]), record(20, 0, 1, &[1]), record(HANDSHAKE, 1, 0, &[9; 8])].concat();
        for datagram in [record(HANDSHAKE, 0, 0, &[CLIENT_HELLO, 3]), last, record(21, 0, 0, &[2, 40]), Vec::new()] {
            assert_eq!([(); 3].map(|()| flights.has_all_of(&datagram)), [false; 3]);
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_once_passes_and_little_is_kept(
            datagrams in proptest::collection::btree_set(proptest::collection::vec(any::<u8>(), 0..40), 0..400),
        ) {
            let mut flights = Flights::default();
            for (n, datagram) in datagrams.iter().enumerate() {
                prop_assert!(!flights.has_all_of(&record(HANDSHAKE, 0, n as u8, &[&[2], &datagram[..]].concat())));
                flights.has_all_of(datagram);
            }
            prop_assert!(flights.0.len() <= REMEMBERED);
        }
    }
}
