//! A connectivity check of our own (RFC 8445 §7.2.4), and who has signed a check or its answer.
//!
//! In: both sides' credentials. Out: a STUN request; whether a message was made with the password that it must be made with.
//! Never: a password in a message.

use aws_lc_rs::hmac;

use super::stun::{BINDING_REQUEST, BINDING_SUCCESS, HEADER_BYTES, MAGIC_COOKIE, USERNAME, attributes};
use super::transport::IceCredentials;

const PRIORITY: u16 = 0x0024;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const FINGERPRINT: u16 = 0x8028;
const ICE_CONTROLLED: u16 = 0x8029;
const SHA1_BYTES: usize = 20;
const ATTRIBUTE_HEAD_BYTES: usize = 4;
/// RFC 8489 §14.7
const FINGERPRINT_MASK: u32 = 0x5354_554e;
/// RFC 8445 §5.1.2.1: peer-reflexive, the best of its kind, the first component.
const REFLEXIVE_PRIORITY: u32 = (110 << 24) | (65_535 << 8) | 255;

/// Both sides' ICE credentials.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) ours: IceCredentials,
    pub(super) theirs: IceCredentials,
}

impl Keys {
    /// A check of the client: who answers it knows the client's password. We are the controlled side, which nominates nothing.
    pub(super) fn request(&self, transaction: [u8; 12], tie_breaker: u64) -> Vec<u8> {
        let mut message = [&BINDING_REQUEST.to_be_bytes()[..], &[0, 0], &MAGIC_COOKIE, &transaction].concat();
        put(&mut message, USERNAME, format!("{}:{}", self.theirs.ufrag, self.ours.ufrag).as_bytes());
        put(&mut message, PRIORITY, &REFLEXIVE_PRIORITY.to_be_bytes());
        put(&mut message, ICE_CONTROLLED, &tie_breaker.to_be_bytes());
        set_length(&mut message, ATTRIBUTE_HEAD_BYTES + SHA1_BYTES);
        let signature = hmac::sign(&key(&self.theirs), &message);
        put(&mut message, MESSAGE_INTEGRITY, signature.as_ref());
        set_length(&mut message, ATTRIBUTE_HEAD_BYTES + 4);
        let fingerprint = crc32(&message) ^ FINGERPRINT_MASK;
        put(&mut message, FINGERPRINT, &fingerprint.to_be_bytes());
        message
    }

    /// Whether a request was made by somebody who knows our password (RFC 8445 §7.2.2: requests are signed with the receiver's).
    pub(super) fn signed_request(&self, datagram: &[u8]) -> bool {
        is_signed(datagram, BINDING_REQUEST, &self.ours)
    }

    /// Whether an answer was made by somebody who knows the client's password (RFC 8489 §9.1.4: with that of the request).
    pub(super) fn signed_answer(&self, datagram: &[u8]) -> bool {
        is_signed(datagram, BINDING_SUCCESS, &self.theirs)
    }
}

fn is_signed(datagram: &[u8], kind: u16, by: &IceCredentials) -> bool {
    let Some((header, body)) = datagram.split_at_checked(HEADER_BYTES) else { return false };
    let Some((at, signature)) = attributes(body).find(|(_, kind, _)| *kind == MESSAGE_INTEGRITY).map(|(at, _, value)| (at, value)) else {
        return false;
    };
    if header[..2] != kind.to_be_bytes() || signature.len() != SHA1_BYTES {
        return false;
    }
    // RFC 8489 §14.5: what stands before it is signed, with a length that ends behind it.
    let mut signed = [header, &body[..at]].concat();
    set_length(&mut signed, ATTRIBUTE_HEAD_BYTES + SHA1_BYTES);
    hmac::verify(&key(by), &signed, signature).is_ok()
}

fn key(credentials: &IceCredentials) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, credentials.pwd.as_bytes())
}

fn put(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend(kind.to_be_bytes());
    message.extend((value.len() as u16).to_be_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
    set_length(message, 0);
}

/// Of the whole message, with so many bytes that follow.
fn set_length(message: &mut [u8], following: usize) {
    let length = (message.len() - HEADER_BYTES + following) as u16;
    message[2..4].copy_from_slice(&length.to_be_bytes());
}

/// ITU-T V.42 §8.1.1.6.2, as RFC 8489 §14.7 wants it.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()));
    !bytes.iter().fold(u32::MAX, step)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::super::stun::{self, Stun};
    use super::*;

    pub(in super::super) fn keys() -> Keys {
        let of = |ufrag: &str, pwd: &str| IceCredentials { ufrag: ufrag.into(), pwd: pwd.repeat(22) };
        Keys { ours: of("ours", "a"), theirs: of("theirs", "b") }
    }

    /// What the client answers to a check.
    pub(in super::super) fn answer(keys: &Keys, transaction: [u8; 12]) -> Vec<u8> {
        let mut message = [&BINDING_SUCCESS.to_be_bytes()[..], &[0, 0], &MAGIC_COOKIE, &transaction].concat();
        sign(&mut message, &keys.theirs);
        message
    }

    /// The client's own check.
    pub(in super::super) fn client_request(keys: &Keys) -> Vec<u8> {
        let mut message = stun::tests::request([5; 12], Some("ours:theirs"));
        sign(&mut message, &keys.ours);
        message
    }

    fn sign(message: &mut Vec<u8>, by: &IceCredentials) {
        set_length(message, ATTRIBUTE_HEAD_BYTES + SHA1_BYTES);
        let signature = hmac::sign(&key(by), message);
        put(message, MESSAGE_INTEGRITY, signature.as_ref());
    }

    #[test]
    fn the_crc_is_the_standards() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn our_check_is_for_the_client_and_signed_with_its_password() {
        let keys = keys();
        let request = keys.request([7; 12], 1);
        assert_eq!(stun::read(&request), Some(Stun::Request { transaction: [7; 12], ufrag: Some("theirs"), nominates: false }));
        let theirs = Keys { ours: keys.theirs.clone(), theirs: keys.ours.clone() };
        assert!(theirs.signed_request(&request) && !keys.signed_request(&request));
    }

    #[test]
    fn signatures_hold_for_the_whole_message_and_one_password_only() {
        let keys = keys();
        let (answer, request) = (answer(&keys, [3; 12]), client_request(&keys));
        assert!(keys.signed_answer(&answer) && keys.signed_request(&request));
        assert!(!keys.signed_request(&answer) && !keys.signed_answer(&request));
        for (whole, is_answer) in [(answer, true), (request, false)] {
            for at in 0..whole.len() {
                let mut forged = whole.clone();
                forged[at] ^= 1;
                let taken = if is_answer { keys.signed_answer(&forged) } else { keys.signed_request(&forged) };
                // The length is not signed as it stands, but as it must be; whoever delivers the message checks it.
                assert!(!taken || (2..4).contains(&at), "byte {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(!keys().signed_answer(&bytes));
            let shaped = [&BINDING_SUCCESS.to_be_bytes()[..], &[0, 0], &MAGIC_COOKIE, &[0; 12], &bytes].concat();
            prop_assert!(!keys().signed_answer(&shaped));
        }
    }
}
