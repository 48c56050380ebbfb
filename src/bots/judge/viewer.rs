//! A viewer as a browser is one: shows pictures in the rhythm in which they were made, late by as much as they have lately been.
//!
//! In: each picture's RTP time and when it was there, decoded. Out: when it is shown. Never: a codec, a clock, a wait on a line
//! that keeps time, or one beyond [`MOST_DELAY_MS`].
//!
//! The delay is the lateness that one picture of fifty exceeded over the last ten seconds. It comes to that within some pictures, and
//! back by a thirtieth of the time. A picture that comes later still is shown when it is there. What stood still for more than a
//! second was out of order and not late: it says nothing about what comes.

use std::collections::VecDeque;
use std::time::Duration;

use crate::media::MediaTime;

/// How long pictures are remembered, and how many of them.
const MEMORY: Duration = Duration::from_secs(10);
const REMEMBERED: usize = 600;
/// The part of the pictures that are to be in time.
const IN_TIME: f64 = 0.98;
/// Where pictures are late by less, nothing waits: the eye does not see it.
const UNSEEN_MS: f64 = 20.0;
const MOST_DELAY_MS: f64 = 300.0;
/// The most that the delay grows and shrinks from one picture to the next.
const GROWTH_MS: f64 = 30.0;
const SHRINKAGE_MS: f64 = 1.0;
/// What stands still for longer, or is late by more, is not jitter.
const OUTAGE: Duration = Duration::from_secs(1);
/// What is not in time again after so long never will be: it is another line, or another clock.
const OTHER_LINE: Duration = Duration::from_secs(3);
const TICKS_A_MS: f64 = 90.0;

/// When a picture is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shown {
    /// The moment.
    pub(super) at: MediaTime,
    /// How long the picture was there before.
    pub(super) waited: Duration,
    /// How late those are that come as fast as the fastest, in milliseconds.
    pub(super) delay_ms: f64,
}

/// Watches one stream of pictures.
#[derive(Debug, Default)]
pub(super) struct Viewer {
    /// The last RTP time, and the same without wrapping.
    newest: Option<(u32, i64)>,
    /// Of the last pictures when they were there, and that less when they were made, in milliseconds.
    transits: VecDeque<(MediaTime, f64)>,
    last_there: Option<MediaTime>,
    last_shown: MediaTime,
    outage: Option<MediaTime>,
    delay_ms: f64,
}

impl Viewer {
    /// Takes the next picture, of this RTP time at 90 kHz, which wraps; it was there at `there`.
    pub(super) fn take(&mut self, timestamp: u32, there: MediaTime) -> Shown {
        let transit_ms = millis(there) - self.unwrapped(timestamp) as f64 / TICKS_A_MS;
        self.note_outage(transit_ms, there);
        if self.outage.is_none() {
            self.remember(transit_ms, there);
        }
        self.delay_ms += (self.wanted_ms() - self.delay_ms).clamp(-SHRINKAGE_MS, GROWTH_MS);
        let waits_ms = self.delay_ms - self.late_ms(transit_ms);
        let planned = there + Duration::from_secs_f64(waits_ms.clamp(0.0, MOST_DELAY_MS) / 1000.0);
        // None overtakes another.
        let at = planned.max(self.last_shown);
        self.last_shown = at;
        Shown { at, waited: at.since(there), delay_ms: self.delay_ms }
    }

    /// An outage lasts until a picture is in time.
    fn note_outage(&mut self, transit_ms: f64, there: MediaTime) {
        let (late_ms, least_ms) = (self.late_ms(transit_ms), OUTAGE.as_secs_f64() * 1000.0);
        let stood_still = self.last_there.replace(there).is_some_and(|last| there.since(last) > OUTAGE);
        if stood_still || late_ms > least_ms {
            self.outage.get_or_insert(there);
        }
        if late_ms <= self.delay_ms.max(UNSEEN_MS) {
            self.outage = None;
        }
        let lasts = self.outage.is_some_and(|since| there.since(since) > OTHER_LINE);
        if lasts || late_ms < -least_ms {
            (self.outage, self.delay_ms) = (None, 0.0);
            self.transits.clear();
        }
    }

    fn remember(&mut self, transit_ms: f64, there: MediaTime) {
        let is_old = |(at, _): &(MediaTime, f64)| there.since(*at) > MEMORY;
        while self.transits.len() == REMEMBERED || self.transits.front().is_some_and(is_old) {
            self.transits.pop_front();
        }
        self.transits.push_back((there, transit_ms));
    }

    /// Later than the fastest of the last pictures; nothing where none is remembered.
    fn late_ms(&self, transit_ms: f64) -> f64 {
        let fastest = self.transits.iter().map(|(_, transit)| *transit).reduce(f64::min);
        transit_ms - fastest.unwrap_or(transit_ms)
    }

    fn wanted_ms(&self) -> f64 {
        let mut transits: Vec<f64> = self.transits.iter().map(|(_, transit)| *transit).collect();
        let rank = (transits.len() as f64 * IN_TIME) as usize;
        if rank >= transits.len() {
            return self.delay_ms;
        }
        let late_ms = self.late_ms(*transits.select_nth_unstable_by(rank, f64::total_cmp).1);
        if late_ms < UNSEEN_MS { 0.0 } else { late_ms.min(MOST_DELAY_MS) }
    }

    /// RFC 3550 §A.1: what differs by less than half the range is that much earlier or later.
    fn unwrapped(&mut self, timestamp: u32) -> i64 {
        let place = self.newest.map_or(0, |(last, place)| place + i64::from(timestamp.wrapping_sub(last) as i32));
        self.newest = Some((timestamp, place));
        place
    }
}

fn millis(at: MediaTime) -> f64 {
    at.as_nanos() as f64 / 1e6
}

#[cfg(test)]
mod tests;
