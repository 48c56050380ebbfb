//! WebRTC sessions: one task each, all on one UDP port. The only place that names the `webrtc` crate.
//!
//! In: offers that were checked, a seat in a room, datagrams. Out: answers; packets into the seat's intakes and out of
//! its subscriptions. Never: a codec call, or trust in a peer's SDP.

mod answer;
mod association;
mod backlog;
mod channel;
mod check;
mod codecs;
mod directory;
mod downlink;
mod farewells;
mod flights;
mod fragment;
mod interceptors;
mod interfaces;
mod mailbox;
mod offer;
mod opening;
mod outbox;
mod pacing;
mod port;
mod reception;
mod redundant;
mod sdp;
mod sending;
mod session;
mod simulcast;
mod socket;
mod stack;
mod stun;
mod table;
mod transport;
mod uplink;
mod whereabouts;

use std::net::{IpAddr, SocketAddr};

pub use directory::Peers;
pub use offer::{Offer, check};

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

/// Why an offer is refused (422).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OfferError(pub String);

/// How sessions reach the network.
#[derive(Clone, Debug)]
pub struct PeerConfig {
    /// The one UDP port; port 0 takes a free one.
    pub udp: SocketAddr,
    /// Addresses written into answers in place of the local ones.
    pub advertise: Vec<IpAddr>,
}

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
    /// An admin removed the client from the room, or ended the room (410, for a minute).
    #[error("an admin removed this client from the room, or ended the room")]
    Removed,
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
