//! What a line takes: the estimate of one receiver's bandwidth.
//!
//! In: what became of packets (TWCC); where that is not told, the receiver's loss and limit (RR, REMB); what probes proved. Out: bits a
//! second, and whether the line was full of late. Never: a fall because little is sent, or a rise far above what has come through.
//!
//! The stack's own estimator (`rtc::interceptor::Gcc`) is not used: it halves the rate of a line that loses a fifth at random every
//! other second, climbs by 60 kb/s each second after its first fall, notices a queue only where it grows by 12 ms between two groups
//! of packets, and rises without evidence.

mod delay;
mod delivered;
mod loss;

use std::time::Duration;

use self::delay::{QueueDelay, Reading};
use self::delivered::Delivered;
use self::loss::{Advice, LossWatch};
use super::ledger::Fate;
use crate::media::MediaTime;

/// Before anything is known: the best pictures at once, since a line that cannot take them shows it within the first moment.
pub(super) const INITIAL_BPS: f64 = 3_000_000.0;
/// Sound alone needs about as much.
pub(super) const MIN_BPS: f64 = 60_000.0;
/// More is of no use to anybody.
pub(super) const MAX_BPS: f64 = 10_000_000.0;

/// Of what comes through, where the line is full: what stands in its queue drains meanwhile.
const BACK_OFF: f64 = 0.85;
/// The same where the queue is long.
const BACK_OFF_FAR: f64 = 0.7;
const LONG_QUEUE_US: i64 = 150_000;
/// Of what the line takes: who sends less may send things twice.
const LITTLE_SHARE: f64 = 0.7;
/// A line that loses more than this is full, whatever its queue says: no line is used that loses as much by itself.
const FLOODED: f64 = 0.45;
/// Where little is sent, what comes through says little: the first step takes no more than this off. A queue that stands all the same has
/// told what the line takes.
const SMALL_STEP: f64 = 0.7;
/// How long a fall takes to show, besides the round trip.
const SETTLES: Duration = Duration::from_millis(250);
/// After so many falls in a row the queue is somebody else's.
const NOT_OURS: u32 = 7;
/// Growth a second; and near where the line was full of late.
const GROWTH: f64 = 1.1;
const GROWTH_WITHOUT_PROBES: f64 = 1.15;
const CAREFUL_GROWTH: f64 = 1.03;
/// How long a full line is remembered.
const REMEMBERED: Duration = Duration::from_secs(10);
/// What little growth is left where nothing comes through, in bits a second.
const LITTLE: f64 = 30_000.0;
/// Growth ends this far above what has come through; the second where no probe can prove more.
const REACH: f64 = 1.1;
const REACH_WITHOUT_PROBES: f64 = 2.5;

/// One line's estimate.
#[derive(Debug)]
pub(super) struct Estimator {
    bps: f64,
    delay: QueueDelay,
    delivered: Delivered,
    loss: LossWatch,
    reach: f64,
    growth: f64,
    grown_at: MediaTime,
    /// The last time that the line was full, and what came through.
    full: Option<(MediaTime, f64)>,
    /// No further fall before.
    settles_at: MediaTime,
    /// Falls since the queue was last empty.
    falls: u32,
    /// The receiver tells what became of each packet.
    is_told: bool,
    is_little_sent: bool,
    /// What the receiver says it takes.
    limit_bps: f64,
}

impl Estimator {
    /// Of a line that can be probed, or not.
    pub(super) fn new(can_probe: bool) -> Self {
        Self {
            bps: INITIAL_BPS,
            delay: QueueDelay::default(),
            delivered: Delivered::default(),
            loss: LossWatch::default(),
            reach: if can_probe { REACH } else { REACH_WITHOUT_PROBES },
            growth: if can_probe { GROWTH } else { GROWTH_WITHOUT_PROBES },
            grown_at: MediaTime::ZERO,
            full: None,
            settles_at: MediaTime::ZERO,
            falls: 0,
            is_told: false,
            is_little_sent: false,
            limit_bps: MAX_BPS,
        }
    }

    /// The estimate, in bits a second on the wire.
    pub(super) fn bps(&self) -> f64 {
        self.bps.min(self.limit_bps)
    }

    /// Whether anything has told what the line takes.
    pub(super) fn is_known(&self) -> bool {
        self.is_told || self.bps() < INITIAL_BPS
    }

    /// Whether the line was full within this time.
    pub(super) fn was_full(&self, within: Duration, now: MediaTime) -> bool {
        self.full.is_some_and(|(at, _)| now.since(at) < within)
    }

    /// Whether it is being found out whose losses are.
    pub(super) fn is_trying(&self) -> bool {
        self.loss.is_trying()
    }

    /// The part that is lost, 0 to 1, as far as packets tell.
    pub(super) fn loss(&self) -> Option<f64> {
        self.delivered.loss()
    }

    /// Whether far less is sent than the line takes, as packets tell.
    pub(super) fn is_little_sent(&self) -> bool {
        self.is_little_sent
    }

    /// Takes what became of packets.
    pub(super) fn note(&mut self, fates: &[Fate], round_trip: Duration, now: MediaTime) {
        self.is_told |= fates.iter().any(|fate| fate.came.is_some());
        self.limit_bps = MAX_BPS;
        let mut last = None;
        for fate in fates {
            self.delivered.note(fate);
            let reading = fate.came.and_then(|came| self.delay.note(fate.left, came));
            if let Some(reading) = reading {
                self.react(reading, round_trip, now);
                last = Some(reading);
            }
        }
        self.weigh_losses(round_trip, now);
        self.is_little_sent = self.delivered.sent_rate() < LITTLE_SHARE * self.bps();
        if last.is_some_and(|reading| reading.is_idle) && !self.loss.is_trying() {
            self.grow(now);
        }
    }

    /// A time in which nothing came is over: its losses say nothing about how much the line takes.
    pub(super) fn resume(&mut self, now: MediaTime) {
        self.delivered.forget_losses(now);
    }

    /// A probe proved that the line takes this.
    pub(super) fn prove(&mut self, bps: f64) {
        self.bps = self.bps.max(bps).min(MAX_BPS);
    }

    /// Takes the loss of a receiver report, 0 to 1, where nothing better is told.
    pub(super) fn note_reported_loss(&mut self, loss: f64) {
        if self.is_told {
            return;
        }
        // As draft-ietf-rmcat-gcc-02 §6 does it: these come about once a second
        let factor = match loss {
            ..0.02 => 1.05,
            ..=0.1 => 1.0,
            _ => 1.0 - 0.5 * loss,
        };
        self.bps = (self.bps * factor).clamp(5.0 * MIN_BPS, INITIAL_BPS);
    }

    /// Takes what the receiver says it takes (REMB), where nothing better is told.
    pub(super) fn note_limit(&mut self, bps: f64) {
        if !self.is_told && bps.is_finite() {
            self.limit_bps = bps.clamp(MIN_BPS, MAX_BPS);
        }
    }

    fn react(&mut self, reading: Reading, round_trip: Duration, now: MediaTime) {
        if reading.is_idle {
            self.falls = 0;
        }
        if !reading.is_congested || now < self.settles_at {
            return;
        }
        self.fall(if reading.wait_us > LONG_QUEUE_US { BACK_OFF_FAR } else { BACK_OFF }, round_trip, now);
        self.falls += 1;
        if self.falls >= NOT_OURS {
            self.delay.accept();
            self.falls = 0;
        }
    }

    fn fall(&mut self, factor: f64, round_trip: Duration, now: MediaTime) {
        let delivered = self.came_through(self.delivered.rate());
        let is_unsure = self.falls == 0 && self.delivered.sent_rate() < 0.5 * self.bps;
        let step = if is_unsure { SMALL_STEP * self.bps } else { 0.0 };
        self.bps = self.bps.min((delivered * factor).max(step)).max(MIN_BPS);
        self.full = Some((now, delivered));
        // Such a step changes nothing of what is sent: there is nothing to wait for but another look
        self.settles_at = now + round_trip + if is_unsure { SETTLES / 2 } else { SETTLES };
        self.grown_at = now;
        self.loss.call_off();
    }

    fn weigh_losses(&mut self, round_trip: Duration, now: MediaTime) {
        let Some(loss) = self.delivered.loss() else { return };
        if loss > FLOODED + self.loss.own() && now >= self.settles_at {
            self.fall(BACK_OFF, round_trip, now);
            return self.delivered.forget_losses(now);
        }
        if self.was_full(SETTLES * 6, now) {
            return;
        }
        match self.loss.note(loss, self.delivered.rate(), self.bps, round_trip, now) {
            Advice::Stay => {}
            Advice::Fall(bps) => self.bps = self.bps.min(bps.max(MIN_BPS)),
            Advice::Restore(bps) => self.bps = self.bps.max(bps),
        }
    }

    fn grow(&mut self, now: MediaTime) {
        let passed = now.since(self.grown_at).min(Duration::from_millis(500));
        self.grown_at = now;
        let is_near = self.full.is_some_and(|(at, delivered)| now.since(at) < REMEMBERED && self.bps > 0.8 * delivered);
        let growth = if is_near { CAREFUL_GROWTH } else { self.growth };
        let bound = (self.came_through(self.delivered.peak()) * self.reach + LITTLE).max(self.bps);
        self.bps = (self.bps * growth.powf(passed.as_secs_f64())).min(bound).min(MAX_BPS);
    }

    /// What is lost whatever is sent does not tell against the line: it came as far as its queue.
    fn came_through(&self, delivered_bps: f64) -> f64 {
        delivered_bps / (1.0 - self.loss.own().min(0.5))
    }
}
