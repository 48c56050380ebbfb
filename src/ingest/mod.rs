//! One participant's intake: RTP packets in, newest picture and 20 ms sound blocks out.
//!
//! Never: a wait, a clock of its own, or a codec call on the caller's thread for pictures (the pool's threads decode).

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::flow::Latest;
use crate::media::{Clock, MediaTime, Picture, RtpPacket, SoundSource};
use crate::metrics::Metrics;

/// What an intake asks of the sender; `peer` turns it into RTCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feedback {
    /// Decoding needs a fresh keyframe (PLI). Already rate-limited.
    KeyframeNeeded,
}

/// The threads that decode everybody's pictures; one sender's pictures stay in order.
#[derive(Debug)]
pub struct Pool {}

impl Pool {
    /// Starts `threads` decoding threads; they end when the last handle is dropped.
    pub fn start(_threads: usize, _clock: Clock, _metrics: Metrics) -> Arc<Self> {
        unimplemented!()
    }
}

/// Where a peer puts a sender's video packets. One task owns it.
#[derive(Debug)]
pub struct VideoIntake {}

impl VideoIntake {
    /// An intake, where its newest picture shows, and what it asks of the sender.
    pub fn open(_pool: &Arc<Pool>, _metrics: Metrics) -> (Self, Arc<Latest<Picture>>, mpsc::Receiver<Feedback>) {
        unimplemented!()
    }

    /// Takes SPS and PPS given in the offer (RFC 6184 §8.1, `sprop-parameter-sets`).
    pub fn parameter_sets(&mut self, _nal_units: Vec<Bytes>) {
        unimplemented!()
    }

    /// Takes one packet, in whatever order and however often it comes.
    pub fn push(&mut self, _packet: RtpPacket) {
        unimplemented!()
    }

    /// Lets time pass: gives up on missing packets, asks again for a keyframe, forgets the picture of a sender that stopped.
    /// To be called at least every 50 ms.
    pub fn advance(&mut self, _now: MediaTime) {
        unimplemented!()
    }
}

/// Where a peer puts a sender's sound packets.
#[derive(Debug)]
pub struct AudioIntake {}

impl AudioIntake {
    /// An intake, and the sound that the room's driver pulls from it.
    pub fn open(_metrics: Metrics) -> (Self, Box<dyn SoundSource>) {
        unimplemented!()
    }

    /// Takes one packet, in whatever order and however often it comes.
    pub fn push(&mut self, _packet: RtpPacket) {
        unimplemented!()
    }
}
