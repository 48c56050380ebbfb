//! Where a session's client is: as the stack believes, and in truth, which differ where a NAT has given the client another port or
//! address and neither end's ICE knows it.
//!
//! In: where datagrams come from and where the stack sends them. Out: the addresses to show the stack and to send to, and a check
//! to be sent to an address where the client may be. The client is there when it answers that check with its own password: what
//! it says need not be believed, and nobody without that password takes a session over. Never: a move while the client is heard
//! where it was.

use std::net::SocketAddr;
use std::time::Duration;

use super::check::Keys;
use crate::media::MediaTime;

/// Silence at the known address after which media from another one are a reason to look there: sound comes every 20 ms.
const PATIENCE_WITH_MEDIA: Duration = Duration::from_millis(250);
/// The same for a check alone, which clients with several networks send from all of them; a client answers ours every second.
const PATIENCE_WITH_CHECKS: Duration = Duration::from_millis(1300);
/// How often another address is tried; the answer may be lost.
const TRY_AGAIN: Duration = Duration::from_millis(100);
/// Tries whose answers may still be on their way.
const TRIALS: usize = 16;

/// A client's addresses.
#[derive(Debug, Default)]
pub(super) struct Whereabouts {
    keys: Option<Keys>,
    /// Where the stack sends what is no STUN, and so believes the client to be.
    home: Option<SocketAddr>,
    /// Where the client is instead.
    away: Option<SocketAddr>,
    heard: MediaTime,
    trials: Vec<Trial>,
}

/// A check that was sent to an address.
#[derive(Clone, Copy, Debug)]
struct Trial {
    to: SocketAddr,
    transaction: [u8; 12],
    at: MediaTime,
}

/// From where a datagram comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// From where the client is known to be; the stack is shown this address.
    Known(SocketAddr),
    /// From elsewhere; the stack believes the client to be here.
    Elsewhere(SocketAddr),
}

/// Why the client may be elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Media of its streams.
    Media,
    /// A check.
    Check,
}

impl Whereabouts {
    /// A new ICE session: the stack begins to look for the client.
    pub(super) fn renew(&mut self, keys: Keys) {
        *self = Self { keys: Some(keys), ..Self::default() };
    }

    /// The stack sends something to `to`; gives where it is to go.
    pub(super) fn sends(&mut self, to: SocketAddr, is_stun: bool, now: MediaTime) -> SocketAddr {
        if !is_stun && self.home != Some(to) {
            (self.home, self.away, self.heard) = (Some(to), None, now);
        }
        self.away.filter(|_| self.home == Some(to)).unwrap_or(to)
    }

    /// Something came from `from`.
    pub(super) fn hears(&mut self, from: SocketAddr, now: MediaTime) -> Standing {
        match self.home {
            Some(home) if from != self.away.unwrap_or(home) => Standing::Elsewhere(home),
            home => {
                self.heard = now;
                Standing::Known(home.unwrap_or(from))
            }
        }
    }

    /// Whether the client itself sent a check.
    pub(super) fn is_of_client(&self, request: &[u8]) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.signed_request(request))
    }

    /// The check to send where a sign of the client came from, if it is time for one.
    pub(super) fn look(&mut self, at: SocketAddr, sign: Sign, now: MediaTime, transaction: [u8; 12]) -> Option<Vec<u8>> {
        let patience = match sign {
            Sign::Media => PATIENCE_WITH_MEDIA,
            Sign::Check => PATIENCE_WITH_CHECKS,
        };
        let lately = self.trials.last().is_some_and(|trial| now.since(trial.at) < TRY_AGAIN);
        if now.since(self.heard) < patience || lately {
            return None;
        }
        // Any number will do: it decides only who of two controlling sides gives way.
        let request = self.keys.as_ref()?.request(transaction, 0);
        if self.trials.len() == TRIALS {
            self.trials.remove(0);
        }
        self.trials.push(Trial { to: at, transaction, at: now });
        Some(request)
    }

    /// Whether an answer is to one of these checks, and not to the stack's.
    pub(super) fn has_tried(&self, transaction: &[u8; 12]) -> bool {
        self.trials.iter().any(|trial| trial.transaction == *transaction)
    }

    /// Takes the answer to one of these checks; whether the client has been found there.
    pub(super) fn finds(&mut self, answer: &[u8], transaction: &[u8; 12], from: SocketAddr, now: MediaTime) -> bool {
        let tried = self.trials.iter().any(|trial| trial.transaction == *transaction && trial.to == from);
        let silent = now.since(self.heard) >= PATIENCE_WITH_MEDIA;
        if !tried || !silent || !self.keys.as_ref().is_some_and(|keys| keys.signed_answer(answer)) {
            return false;
        }
        self.away = Some(from).filter(|_| self.home != Some(from));
        self.heard = now;
        self.trials.clear();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::tests::{answer, client_request, keys};
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn ms(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    /// A client that is known at port 1 and was last heard there at 1 s.
    fn settled() -> Whereabouts {
        let mut whereabouts = Whereabouts::default();
        whereabouts.renew(keys());
        assert_eq!(whereabouts.hears(at(9), ms(0)), Standing::Known(at(9)), "anywhere, before the stack has chosen");
        assert_eq!(whereabouts.sends(at(1), false, ms(10)), at(1));
        assert_eq!(whereabouts.hears(at(1), ms(1000)), Standing::Known(at(1)));
        whereabouts
    }

    #[test]
    fn a_client_that_answers_from_another_port_is_there_and_the_stack_does_not_know() {
        let mut whereabouts = settled();
        assert_eq!(whereabouts.hears(at(2), ms(1020)), Standing::Elsewhere(at(1)));
        assert_eq!(whereabouts.look(at(2), Sign::Media, ms(1020), [1; 12]), None, "it was heard a moment ago");
        assert!(whereabouts.look(at(2), Sign::Media, ms(1260), [2; 12]).is_some());
        assert!(whereabouts.has_tried(&[2; 12]) && !whereabouts.has_tried(&[1; 12]));
        assert!(whereabouts.finds(&answer(&keys(), [2; 12]), &[2; 12], at(2), ms(1300)));
        assert_eq!(whereabouts.hears(at(2), ms(1310)), Standing::Known(at(1)));
        assert_eq!((whereabouts.sends(at(1), false, ms(1310)), whereabouts.sends(at(1), true, ms(1310))), (at(2), at(2)));
        assert_eq!(whereabouts.sends(at(3), true, ms(1310)), at(3), "checks of other addresses go there");
    }

    #[test]
    fn a_client_can_move_again_and_back() {
        let mut whereabouts = settled();
        let mut now = 1000;
        for port in [2, 3, 1] {
            now += 300;
            whereabouts.look(at(port), Sign::Media, ms(now), [port as u8; 12]).expect("it is time to look");
            assert!(whereabouts.finds(&answer(&keys(), [port as u8; 12]), &[port as u8; 12], at(port), ms(now)));
            assert_eq!(
                (whereabouts.hears(at(port), ms(now)), whereabouts.sends(at(1), false, ms(now))),
                (Standing::Known(at(1)), at(port))
            );
        }
    }

    #[test]
    fn nobody_without_the_clients_password_takes_its_session_over() {
        let mut whereabouts = settled();
        whereabouts.look(at(2), Sign::Media, ms(2000), [2; 12]).unwrap();
        let mut forged = answer(&keys(), [2; 12]);
        *forged.last_mut().unwrap() ^= 1;
        assert!(!whereabouts.finds(&forged, &[2; 12], at(2), ms(2010)));
        assert!(!whereabouts.finds(&answer(&keys(), [2; 12]), &[2; 12], at(3), ms(2010)), "not where it was tried");
        assert!(!whereabouts.finds(&answer(&keys(), [4; 12]), &[4; 12], at(2), ms(2010)), "never asked");
        assert_eq!(whereabouts.sends(at(1), false, ms(2010)), at(1));
    }

    #[test]
    fn a_client_that_is_still_heard_is_not_moved() {
        let mut whereabouts = settled();
        whereabouts.look(at(2), Sign::Media, ms(1300), [2; 12]).unwrap();
        whereabouts.hears(at(1), ms(1310));
        assert!(!whereabouts.finds(&answer(&keys(), [2; 12]), &[2; 12], at(2), ms(1320)));
    }

    #[test]
    fn a_check_alone_is_a_weaker_sign_and_must_be_the_clients() {
        let mut whereabouts = settled();
        assert!(whereabouts.is_of_client(&client_request(&keys())));
        let mut forged = client_request(&keys());
        *forged.last_mut().unwrap() ^= 1;
        assert!(!whereabouts.is_of_client(&forged));
        assert_eq!(whereabouts.look(at(2), Sign::Check, ms(2000), [1; 12]), None);
        assert!(whereabouts.look(at(2), Sign::Check, ms(2300), [1; 12]).is_some());
    }

    #[test]
    fn tries_are_few_and_what_is_kept_of_them_is_bounded() {
        let mut whereabouts = settled();
        let tries = (0..10_000u64).filter(|n| whereabouts.look(at(2), Sign::Media, ms(2000 + n), [*n as u8; 12]).is_some());
        assert_eq!(tries.count(), 100);
        assert_eq!(whereabouts.trials.len(), TRIALS);
    }

    #[test]
    fn where_the_stack_itself_follows_nothing_is_translated() {
        let mut whereabouts = settled();
        whereabouts.look(at(2), Sign::Media, ms(1300), [2; 12]).unwrap();
        assert!(whereabouts.finds(&answer(&keys(), [2; 12]), &[2; 12], at(2), ms(1310)));
        assert_eq!(whereabouts.sends(at(2), false, ms(1400)), at(2));
        assert_eq!(whereabouts.hears(at(2), ms(1410)), Standing::Known(at(2)));
        assert_eq!(whereabouts.hears(at(1), ms(1410)), Standing::Elsewhere(at(2)));
    }
}
