//! The HTTP contract over loopback: what is refused and why, what is told, and how long a silent client is borne.

#![expect(clippy::unwrap_used, reason = "a helper of a test panics where the test would")]

mod admin;
mod bodies;
mod connections;
mod disk;
mod documented;
mod durable;
mod events;
mod fuzz;
mod hls;
mod images;
mod players;
mod recordings;
mod refusals;
mod server;
mod sessions;
mod streams;
mod told;

/// `printf %s open-sesame | sha256sum`
const KEY_LINE: &str = "sha256:d7ecdf25eaf3deba0f2628771dbdd22d4138ab6cf38f91ed02a2ca0dec7c8ab7";
const SDP: &str = "Content-Type: application/sdp\r\n";
const FRAGMENT: &str = "Content-Type: application/trickle-ice-sdpfrag\r\n";
const JSON: &str = "Content-Type: application/json\r\n";
