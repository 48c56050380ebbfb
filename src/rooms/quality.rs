//! What a receiver gets of a room's pictures, and why no more: for itself and for admins.
//!
//! In: the rendition that it is led to, its line's figures. Out: the same as JSON. Never: anything of another receiver.

use serde::Serialize;
use utoipa::ToSchema;

use crate::egress::Why;
use crate::media::{SentTraffic, ShortName};

/// What somebody gets, and why.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Quality {
    /// The rendition; null where they get no pictures.
    pub rendition: Option<ShortName>,
    /// As encoded, in pixels; 0 where they get no pictures.
    pub width: u32,
    /// As encoded, in pixels; 0 where they get no pictures.
    pub height: u32,
    /// Frames a second at most; 0 where they get no pictures.
    pub fps: u32,
    /// What their line takes, in bits a second; null before it is known.
    pub estimate_bps: Option<u64>,
    /// The part of what was sent that their reports call lost, 0 to 1; null before the first report.
    pub loss: Option<f32>,
    /// Round-trip time, in milliseconds; null before it is known.
    pub rtt_ms: Option<f32>,
    /// Why no more than that.
    pub why: Why,
}

impl Quality {
    /// Without pictures.
    pub(super) fn of_line(traffic: &SentTraffic, why: Why) -> Self {
        let estimate_bps = traffic.estimate_bps.get().map(|bps| bps as u64);
        let rtt_ms = traffic.rtt().map(|rtt| rtt.as_micros() as f32 / 1000.0);
        Self { rendition: None, width: 0, height: 0, fps: 0, estimate_bps, loss: traffic.loss(), rtt_ms, why }
    }
}
