//! WebRTC sessions: one task each, all on one UDP port. The only place that names the `webrtc` crate.
//!
//! In: offers that were checked, a seat in a room, datagrams. Out: answers; packets into the seat's intakes and out of
//! its subscriptions. Never: a codec call, or trust in a peer's SDP.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::media::Clock;
use crate::metrics::Metrics;
use crate::rooms::Seat;

/// What the client came for; decides which directions an offer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `POST /v1/rooms/{room}/join`: each line as offered.
    Join,
    /// WHIP (RFC 9725): only contributes.
    Whip,
    /// WHEP: only watches.
    Whep,
}

/// An offer that was found fit for the WebRTC stack.
#[derive(Clone, Debug)]
pub struct Offer {
    /// What the client will send and receive after the check: (sends, receives).
    pub audio: Option<(bool, bool)>,
    /// The same for video.
    pub video: Option<(bool, bool)>,
    /// Why a medium that was offered is left out, for the `Medley-Notice` response header and the log.
    pub notice: Option<String>,
}

/// Why an offer is refused (422).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OfferError(pub String);

/// Checks an offer before the stack sees it.
///
/// # Errors
/// With a sentence that says what is wrong with this offer and what to send instead.
pub fn check(_sdp: &str, _purpose: Purpose) -> Result<Offer, OfferError> {
    unimplemented!()
}

/// How sessions reach the network.
#[derive(Clone, Debug)]
pub struct PeerConfig {
    /// The one UDP port; port 0 takes a free one.
    pub udp: SocketAddr,
    /// Addresses written into answers in place of the local ones.
    pub advertise: Vec<IpAddr>,
}

/// All sessions of this server.
#[derive(Debug)]
pub struct Peers {}

/// An accepted session.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Unguessable (at least 128 bits), URL-safe; the right to change or end the session.
    pub session: String,
    /// The SDP answer with all server candidates.
    pub sdp: String,
    /// A strong entity tag, quoted.
    pub etag: String,
}

/// Why there is no session, or why it was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// No session has this id.
    #[error("no such session; it ended or never was")]
    Unknown,
    /// The stack refused the offer or fragment (422).
    #[error("{0}")]
    Refused(String),
    /// The entity tag names another ICE session (412).
    #[error("the entity tag {0} is not the session's current one")]
    Stale(String),
}

/// A session as `GET` shows it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct SessionState {
    /// `connecting` or `connected`.
    pub state: &'static str,
    /// The room's name.
    pub room: String,
    /// The participant's public id.
    pub participant: String,
    /// The strong entity tag, quoted.
    pub etag: String,
}

impl Peers {
    /// Opens the UDP port.
    ///
    /// # Errors
    /// Where the address cannot be bound.
    pub async fn open(_config: PeerConfig, _clock: Clock, _metrics: Metrics) -> std::io::Result<Arc<Self>> {
        unimplemented!()
    }

    /// The address media arrives at.
    pub fn local_addr(&self) -> SocketAddr {
        unimplemented!()
    }

    /// Answers a checked offer and runs the session until it ends; its seat is given up then.
    ///
    /// # Errors
    /// [`PeerError::Refused`] where the stack finds fault with the offer.
    pub async fn answer(self: &Arc<Self>, _offer: Offer, _seat: Seat) -> Result<Answer, PeerError> {
        unimplemented!()
    }

    /// Trickled candidates or an ICE restart (RFC 8840 fragment). A restart answers with a fragment and a new tag.
    ///
    /// # Errors
    /// As [`PeerError`] says; the session is unchanged then.
    pub async fn patch(&self, _session: &str, _fragment: &str, _if_match: Option<&str>) -> Result<Option<Answer>, PeerError> {
        unimplemented!()
    }

    /// Ends a session; whether there was one.
    pub async fn close(&self, _session: &str) -> bool {
        unimplemented!()
    }

    /// A session's state.
    pub fn state(&self, _session: &str) -> Option<SessionState> {
        unimplemented!()
    }

    /// Ends every session in order and takes no more.
    pub async fn shut_down(&self) {
        unimplemented!()
    }
}
