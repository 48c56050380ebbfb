//! What goes out: one H.264 encode per rendition, K+1 Opus encodes per room, fanned out to whoever receives them.
//!
//! Never: an encode that nobody receives, or a receiver that delays another.

use std::sync::Arc;

use crate::codec::VideoSettings;
use crate::media::{Clock, Composite, EncodedPicture, EncodedSound, MixSet, ParticipantId};
use crate::metrics::Metrics;

/// One rendition: a worker thread that encodes the newest canvas while somebody receives it.
#[derive(Debug)]
pub struct VideoEgress {}

impl VideoEgress {
    /// Starts the worker; it ends when this is dropped.
    pub fn start(_settings: VideoSettings, _clock: Clock, _metrics: Metrics) -> Self {
        unimplemented!()
    }

    /// Offers the newest canvas; replaces one that was not yet encoded (counted). Never blocks.
    pub fn offer(&self, _composite: Composite) {
        unimplemented!()
    }

    /// One more receiver; a keyframe is asked for on its behalf.
    pub fn subscribe(&self) -> VideoSubscription {
        unimplemented!()
    }
}

/// One receiver's pictures. Dropping it unsubscribes.
#[derive(Debug)]
pub struct VideoSubscription {}

impl VideoSubscription {
    /// The next picture; the first is a keyframe, and so is the first after this receiver fell behind. `None` at the end.
    /// Cancel-safe.
    pub async fn next(&mut self) -> Option<Arc<EncodedPicture>> {
        unimplemented!()
    }

    /// Asks for a keyframe (PLI or FIR from the receiver); coalesced to at most two a second for the rendition.
    pub fn request_keyframe(&self) {
        unimplemented!()
    }
}

/// A room's sound: one encoder for all who listen, one for each talker.
#[derive(Debug)]
pub struct AudioEgress {}

impl AudioEgress {
    /// Starts the worker; it ends when this is dropped.
    pub fn start(_clock: Clock, _metrics: Metrics) -> Self {
        unimplemented!()
    }

    /// Takes one tick's mixes; gives them up (counted) where the worker is more than 100 ms behind. Never blocks.
    pub fn deliver(&self, _mixes: MixSet) {
        unimplemented!()
    }

    /// One more receiver: gets the mix without `own` while they talk, the listeners' mix otherwise.
    pub fn subscribe(&self, _own: Option<ParticipantId>) -> AudioSubscription {
        unimplemented!()
    }
}

/// One receiver's sound. Dropping it unsubscribes.
#[derive(Debug)]
pub struct AudioSubscription {}

impl AudioSubscription {
    /// The next 20 ms; `None` at the end. Cancel-safe.
    pub async fn next(&mut self) -> Option<Arc<EncodedSound>> {
        unimplemented!()
    }
}
