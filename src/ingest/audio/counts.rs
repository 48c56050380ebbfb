//! Where a sender's sound is counted: with what comes from them, and in the server's metrics.
//!
//! In: where each block came from, what went wrong, how long it waited. Out: totals and readings. Never: a name.

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;

use crate::ingest::arrivals::Mishaps;
use crate::ingest::delay::MILLISECOND;
use crate::media::{Heard, Traffic};
use crate::metrics::{ByMedia, ByReason, Media, Metrics};

/// Blocks between two entries of the histogram of delays: a second.
const BLOCKS_AN_ENTRY: u32 = 50;

/// One sender's counters.
pub(super) struct Counts {
    traffic: Arc<Traffic>,
    lost: Counter,
    concealed: Counter,
    recovered: Counter,
    late: Counter,
    behind: Counter,
    malformed: Counter,
    delays: Histogram,
    /// Since the last entry.
    blocks: u32,
}

impl Counts {
    pub(super) fn of(metrics: &Metrics, traffic: Arc<Traffic>) -> Self {
        let dropped = |reason| metrics.dropped.get_or_create(&ByReason { reason }).clone();
        Self {
            traffic,
            lost: metrics.packets_lost.get_or_create(&ByMedia { media: Media::Audio }).clone(),
            concealed: metrics.blocks_concealed.clone(),
            recovered: metrics.blocks_recovered.clone(),
            late: dropped("sound_late"),
            behind: dropped("sound_behind"),
            malformed: dropped("sound_malformed"),
            delays: metrics.sound_delay_seconds.clone(),
            blocks: 0,
        }
    }

    /// Counts a block, and what went wrong until it was made.
    pub(super) fn note(&self, heard: Heard, mishaps: Mishaps) {
        self.lost.inc_by(mishaps.lost);
        self.traffic.count_lost(mishaps.lost);
        self.late.inc_by(mishaps.late);
        self.traffic.late.add(mishaps.late);
        self.behind.inc_by(mishaps.behind);
        self.malformed.inc_by(mishaps.malformed);
        self.traffic.blocks.add(u64::from(heard != Heard::Idle));
        match heard {
            Heard::Concealed => {
                self.concealed.inc();
                self.traffic.blocks_concealed.add(1);
            }
            Heard::Recovered => {
                self.recovered.inc();
                self.traffic.blocks_recovered.add(1);
            }
            Heard::Decoded | Heard::Idle => {}
        }
    }

    /// Notes the delay of what arrives first, and the jitter, in samples.
    pub(super) fn time(&mut self, delay: Option<i64>, jitter: f64) {
        let ms = |samples: f64| samples / MILLISECOND as f64;
        self.traffic.jitter_ms.set(ms(jitter));
        let Some(delay) = delay else { return };
        let delay_ms = ms(delay as f64);
        self.traffic.delay_ms.set(delay_ms);
        self.blocks += 1;
        if self.blocks == BLOCKS_AN_ENTRY {
            self.delays.observe(delay_ms / 1000.0);
            self.blocks = 0;
        }
    }
}
