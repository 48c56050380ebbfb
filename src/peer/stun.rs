//! As much of STUN (RFC 8489) as it takes to see whom a datagram is for. The WebRTC stack does the rest, and the checking.
//!
//! In: a datagram. Out: what kind of check it is, with the name or number it goes by. Never: trust in it.

pub(super) const HEADER_BYTES: usize = 20;
pub(super) const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
pub(super) const BINDING_REQUEST: u16 = 0x0001;
const BINDING_INDICATION: u16 = 0x0011;
pub(super) const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;
pub(super) const USERNAME: u16 = 0x0006;
const USE_CANDIDATE: u16 = 0x0025;

/// What a STUN message is, for the purpose of delivering it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stun<'a> {
    /// A check.
    Request {
        /// Its number.
        transaction: [u8; 12],
        /// The receiver's user name fragment: what stands before the colon in USERNAME (RFC 8445 §7.2.2).
        ufrag: Option<&'a str>,
        /// Whether the sender wants to use the path it checks (RFC 8445 §7.1.2).
        nominates: bool,
    },
    /// The answer to a check.
    Reply {
        /// The check's number.
        transaction: [u8; 12],
    },
    /// Wants no answer.
    Indication,
}

/// Reads a datagram; nothing where it is no whole STUN binding message.
pub(super) fn read(datagram: &[u8]) -> Option<Stun<'_>> {
    let (header, body) = datagram.split_at_checked(HEADER_BYTES)?;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if header[4..8] != MAGIC_COOKIE || length != body.len() {
        return None;
    }
    let transaction = header[8..20].try_into().ok()?;
    match u16::from_be_bytes([header[0], header[1]]) {
        BINDING_REQUEST => {
            let ufrag = attribute(body, USERNAME).and_then(|name| std::str::from_utf8(name).ok()?.split_once(':')).map(|(ufrag, _)| ufrag);
            Some(Stun::Request { transaction, ufrag, nominates: attribute(body, USE_CANDIDATE).is_some() })
        }
        BINDING_SUCCESS | BINDING_ERROR => Some(Stun::Reply { transaction }),
        BINDING_INDICATION => Some(Stun::Indication),
        _ => None,
    }
}

fn attribute(body: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(body).find(|(_, of, _)| *of == kind).map(|(.., value)| value)
}

/// The attributes of a message's body, up to one that is cut short: where each begins, its kind and its value.
pub(super) fn attributes(body: &[u8]) -> impl Iterator<Item = (usize, u16, &[u8])> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let (begins, head) = (next, body.get(next..)?.get(..4)?);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = body.get(begins + 4..begins + 4 + length)?;
        // RFC 8489 §14: values are padded to a multiple of four bytes
        next = begins + 4 + length.next_multiple_of(4);
        Some((begins, u16::from_be_bytes([head[0], head[1]]), value))
    })
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: u16, transaction: [u8; 12], body: &[u8]) -> Vec<u8> {
        let length = (body.len() as u16).to_be_bytes();
        [&kind.to_be_bytes()[..], &length, &MAGIC_COOKIE, &transaction, body].concat()
    }

    pub(in super::super) fn request(transaction: [u8; 12], username: Option<&str>) -> Vec<u8> {
        let mut body = vec![0x80, 0x22, 0, 3, b'x', b'y', b'z', 0];
        if let Some(name) = username {
            body.extend(USERNAME.to_be_bytes());
            body.extend((name.len() as u16).to_be_bytes());
            body.extend(name.bytes());
            body.resize(body.len().next_multiple_of(4), 0);
        }
        message(BINDING_REQUEST, transaction, &body)
    }

    pub(in super::super) fn nomination(transaction: [u8; 12], username: &str) -> Vec<u8> {
        let plain = request(transaction, Some(username));
        message(BINDING_REQUEST, transaction, &[&plain[HEADER_BYTES..], &USE_CANDIDATE.to_be_bytes(), &[0, 0]].concat())
    }

    pub(in super::super) fn reply(transaction: [u8; 12]) -> Vec<u8> {
        message(BINDING_SUCCESS, transaction, &[])
    }

    #[test]
    fn the_receivers_fragment_stands_before_the_colon() {
        let datagram = request([3; 12], Some("ours:theirs"));
        assert_eq!(read(&datagram), Some(Stun::Request { transaction: [3; 12], ufrag: Some("ours"), nominates: false }));
    }

    #[test]
    fn a_nomination_is_told_from_a_plain_check() {
        assert!(matches!(read(&nomination([3; 12], "ours:theirs")), Some(Stun::Request { nominates: true, ufrag: Some("ours"), .. })));
    }

    #[test]
    fn a_message_cut_short_or_too_long_is_none() {
        let datagram = request([3; 12], Some("ours:theirs"));
        assert_eq!(read(&datagram[..datagram.len() - 1]), None);
        assert_eq!(read(&[&datagram[..], &[0]].concat()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
            let _ = read(&message(BINDING_REQUEST, [0; 12], &bytes));
        }
    }
}
