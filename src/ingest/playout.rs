//! When a picture is to be shown, so that pictures keep the rhythm in which they were made though some of their packets come late.
//!
//! In: each picture's RTP time and when it was there, whole and in order. Out: the moment from which it is to be shown: late by as
//! much as hardly any picture of the last seconds was, and by nothing on a line that keeps time. Never: a wait beyond
//! [`MAX_DELAY`], or a jump of the delay that would itself be seen as a freeze.

use std::time::Duration;

use crate::media::MediaTime;

/// Pictures wait for this long at most, whatever the line does.
pub(super) const MAX_DELAY: Duration = Duration::from_millis(250);
/// Of all pictures, the part that may come later than the delay.
const TOLERATED: f64 = 0.03;
/// Pictures that count: eight seconds of them.
const MEMORY: f64 = 240.0;
/// How finely lateness is told apart, in ticks.
const STEP: i64 = 10 * MILLISECOND;
const STEPS: usize = 64;
/// The delay grows and shrinks by so much a picture at most, in ticks.
const GROWTH: i64 = 30 * MILLISECOND;
const SHRINKAGE: i64 = MILLISECOND;
/// For how long the quickest picture counts as such: twice, so that clocks may drift apart.
const WINDOW: Duration = Duration::from_secs(5);
/// A picture that is off by more was made by another clock.
const OTHER_CLOCK: i64 = 2000 * MILLISECOND;
/// RTP ticks in a millisecond.
const MILLISECOND: i64 = 90;

/// When to show a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    /// When it would have been there, had it come as quickly as the quickest.
    pub(super) prompt: MediaTime,
    /// When it is due by the rhythm in which it was made; it may be there later.
    pub(super) planned: MediaTime,
}

/// The rhythm of one stream.
#[derive(Debug)]
pub(super) struct Playout {
    /// The last RTP time, and the same without wrapping.
    last: Option<(u32, i64)>,
    /// The least of arrival less RTP time, in ticks: in the last whole window, and in this one.
    least: [i64; 2],
    window: MediaTime,
    /// How often pictures were late by so many steps; sums to 1.
    late: [f64; STEPS],
    seen: f64,
    delay: i64,
}

impl Default for Playout {
    fn default() -> Self {
        Self { last: None, least: [i64::MAX; 2], window: MediaTime::ZERO, late: [0.0; STEPS], seen: 0.0, delay: 0 }
    }
}

impl Playout {
    /// Takes a picture that is there at `ready`.
    pub(super) fn schedule(&mut self, timestamp: u32, ready: MediaTime) -> Schedule {
        let (ready_ticks, rtp) = (ticks(ready), self.unwrap(timestamp));
        let transit = ready_ticks - rtp;
        if self.least() != i64::MAX && (transit - self.least()).abs() > OTHER_CLOCK {
            self.least = [i64::MAX; 2];
        }
        self.note_transit(transit, ready);
        let late = transit - self.least();
        self.note_lateness(late);
        let wanted = self.wanted().min(MAX_DELAY.as_millis() as i64 * MILLISECOND);
        self.delay = wanted.clamp(self.delay - SHRINKAGE, self.delay + GROWTH);
        let prompt = ready - duration(late);
        Schedule { prompt, planned: prompt + duration(self.delay) }
    }

    /// Another stream begins: its RTP times have nothing to do with those before.
    pub(super) fn restart(&mut self) {
        (self.last, self.least) = (None, [i64::MAX; 2]);
    }

    fn unwrap(&mut self, timestamp: u32) -> i64 {
        let rtp = self.last.map_or(0, |(last, rtp)| rtp + i64::from(timestamp.wrapping_sub(last) as i32));
        self.last = Some((timestamp, rtp));
        rtp
    }

    fn least(&self) -> i64 {
        self.least[0].min(self.least[1])
    }

    fn note_transit(&mut self, transit: i64, now: MediaTime) {
        if now.since(self.window) >= WINDOW {
            self.least = [self.least[1], transit];
            self.window = now;
        }
        self.least[1] = self.least[1].min(transit);
    }

    fn note_lateness(&mut self, late: i64) {
        self.seen = (self.seen + 1.0).min(MEMORY);
        let share = 1.0 / self.seen;
        self.late.iter_mut().for_each(|part| *part *= 1.0 - share);
        self.late[((late / STEP) as usize).min(STEPS - 1)] += share;
    }

    /// The lateness that hardly any picture exceeds, in ticks.
    fn wanted(&self) -> i64 {
        let mut beyond = 0.0;
        let first_too_rare = self.late.iter().rposition(|part| {
            beyond += part;
            beyond > TOLERATED
        });
        match first_too_rare {
            // Within a step of the quickest nothing need wait
            None | Some(0) => 0,
            Some(step) => (step as i64 + 1) * STEP,
        }
    }
}

fn ticks(at: MediaTime) -> i64 {
    (i128::from(at.as_nanos()) * 90_000 / 1_000_000_000) as i64
}

fn duration(ticks: i64) -> Duration {
    Duration::from_nanos((i128::from(ticks.max(0)) * 1_000_000_000 / 90_000) as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The waits that pictures get, made 33 ms apart and late by so many milliseconds.
    fn waits(playout: &mut Playout, from: u64, late: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let wait = |(n, late): (usize, u64)| {
            let made = (from + n as u64) * 33;
            let ready = MediaTime::from_millis(5000 + made + late);
            let Schedule { prompt, planned } = playout.schedule((made as u32 * 90).wrapping_sub(90_000), ready);
            assert!(prompt <= ready && planned <= ready + MAX_DELAY);
            planned.max(ready).since(prompt).as_millis() as u64
        };
        late.into_iter().enumerate().map(wait).collect()
    }

    #[test]
    fn on_a_line_that_keeps_time_nothing_waits() {
        assert!(waits(&mut Playout::default(), 0, (0..300).map(|n| n % 9)).into_iter().all(|wait| wait <= 8));
    }

    #[test]
    fn where_some_pictures_are_late_all_are_shown_in_their_rhythm_and_again_at_once_when_it_has_passed() {
        let mut playout = Playout::default();
        let late = waits(&mut playout, 0, (0..600).map(|n| if n % 5 == 0 { 72 } else { 0 }));
        assert!(late[60..].iter().all(|wait| *wait == 80), "{late:?}");
        let after = waits(&mut playout, 600, (0..1200).map(|_| 0));
        assert!(after[0] >= 79 && after[1100..].iter().all(|wait| *wait == 0));
        assert!(after.windows(2).all(|pair| pair[1] + 2 >= pair[0]), "it shrinks unseen");
    }

    #[test]
    fn clocks_that_drift_apart_make_nobody_wait() {
        for ppm in [-200i64, 200] {
            let mut playout = Playout::default();
            let wait = |n: i64| {
                let ready = MediaTime::from_nanos((n * 33_000_000 * (1_000_000 + ppm) / 1_000_000) as u64);
                let shown = playout.schedule((n * 33 * 90) as u32, ready);
                shown.planned.since(ready)
            };
            let most = (0..36_000).map(wait).max().unwrap();
            assert!(most <= Duration::from_millis(3), "{most:?} at {ppm} ppm");
        }
    }

    proptest! {
        #[test]
        fn hostile_clocks_hold_nothing_beyond_the_bound(times in prop::collection::vec((any::<u32>(), 0u64..5_000), 1..200)) {
            let (mut playout, mut now) = (Playout::default(), MediaTime::ZERO);
            for (timestamp, later) in times {
                now += Duration::from_millis(later);
                let shown = playout.schedule(timestamp, now);
                prop_assert!(shown.prompt <= now && shown.planned <= now + MAX_DELAY);
            }
        }
    }
}
