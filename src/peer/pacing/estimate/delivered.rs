//! What has come through lately: rates by the receiver's clock, and how much was sent for it.
//!
//! In: the fates of packets. Out: rates, the part that was lost. Never: a rate of a time in which hardly anything came.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::ledger::Fate;
use crate::media::MediaTime;

/// The windows over which rates are taken: the shorter one sees what comes in bursts, the longer one what comes evenly.
const WINDOWS_US: [i64; 2] = [250_000, 600_000];
/// A stream that has just begun is taken to have lasted this long.
const MIN_SPAN_US: i64 = 60_000;
/// How long losses count.
const LOSS_WINDOW: Duration = Duration::from_millis(1500);
/// The highest rate of the last one or two of these is what the line has shown; by the longer window.
const PEAK: Duration = Duration::from_secs(3);
/// Packets remembered: 1.5 s of 10 Mb/s.
const MAX_PACKETS: usize = 2048;
/// Of fewer no part is taken.
const MIN_PACKETS: usize = 20;

/// What has become of the last second's packets.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    /// By arrival.
    came: VecDeque<(i64, u32)>,
    /// By departure.
    fates: VecDeque<(MediaTime, u32, bool)>,
    /// Losses of what left before count no more.
    forgotten: MediaTime,
    peaks: [f64; 2],
    peak_began: MediaTime,
}

impl Delivered {
    /// Takes what became of a packet.
    pub(super) fn note(&mut self, fate: &Fate) {
        self.fates.push_back((fate.left, fate.size, fate.came.is_some()));
        while self.fates.len() > MAX_PACKETS || self.fates.front().is_some_and(|first| fate.left.since(first.0) > LOSS_WINDOW) {
            self.fates.pop_front();
        }
        let Some(came) = fate.came else { return };
        let place = self.came.iter().rposition(|(at, _)| *at <= came).map_or(0, |before| before + 1);
        self.came.insert(place, (came, fate.size));
        let newest = self.came.back().map_or(came, |last| last.0);
        while self.came.len() > MAX_PACKETS || self.came.front().is_some_and(|first| newest.saturating_sub(first.0) > WINDOWS_US[1]) {
            self.came.pop_front();
        }
        self.note_peak(fate.left);
    }

    /// What comes through, in bits a second.
    pub(super) fn rate(&self) -> f64 {
        let (Some(first), Some(last)) = (self.came.front(), self.came.back()) else { return 0.0 };
        let age = last.0.saturating_sub(first.0).max(MIN_SPAN_US);
        WINDOWS_US.map(|window| self.rate_over(window.min(age))).into_iter().fold(0.0, f64::max)
    }

    /// What was sent, in bits a second, over the time in which losses count.
    pub(super) fn sent_rate(&self) -> f64 {
        let (Some(first), Some(last)) = (self.fates.front(), self.fates.back()) else { return 0.0 };
        let span = last.0.since(first.0).max(Duration::from_millis(100));
        self.fates.iter().map(|(_, size, _)| f64::from(*size) * 8.0).sum::<f64>() / span.as_secs_f64()
    }

    /// The highest rate that came through in the last seconds.
    pub(super) fn peak(&self) -> f64 {
        self.peaks[0].max(self.peaks[1])
    }

    /// The part that was lost, 0 to 1; `None` where it is of too few.
    pub(super) fn loss(&self) -> Option<f64> {
        let counted = || self.fates.iter().filter(|(left, ..)| *left >= self.forgotten);
        let (all, lost) = (counted().count(), counted().filter(|(_, _, came)| !came).count());
        (all >= MIN_PACKETS).then(|| lost as f64 / all as f64)
    }

    /// Forgets losses, which belong to a time that is over.
    pub(super) fn forget_losses(&mut self, now: MediaTime) {
        self.forgotten = now;
    }

    fn rate_over(&self, window_us: i64) -> f64 {
        let newest = self.came.back().map_or(0, |last| last.0);
        let recent = self.came.iter().rev().take_while(|(at, _)| newest.saturating_sub(*at) < window_us);
        recent.map(|(_, size)| f64::from(*size) * 8e6).sum::<f64>() / window_us as f64
    }

    fn note_peak(&mut self, now: MediaTime) {
        if now.since(self.peak_began) > PEAK {
            self.peak_began = now;
            self.peaks = [self.peaks[1], 0.0];
        }
        self.peaks[1] = self.peaks[1].max(self.rate_over(WINDOWS_US[1]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_what_comes_through_and_the_loss_what_does_not() {
        let mut delivered = Delivered::default();
        for n in 0..400u64 {
            let came = (n % 4 != 0).then_some(10_000 * n as i64);
            delivered.note(&Fate { left: MediaTime::from_millis(10 * n), size: 1000, came });
        }
        assert!((550e3..660e3).contains(&delivered.rate()), "{}", delivered.rate());
        assert!((780e3..830e3).contains(&delivered.sent_rate()));
        assert!((delivered.loss().unwrap() - 0.25).abs() < 0.01);
        assert!((550e3..660e3).contains(&delivered.peak()));
    }

    #[test]
    fn a_stream_that_pauses_keeps_the_rate_of_its_bursts() {
        let mut delivered = Delivered::default();
        for n in 0..100u64 {
            let at = 1000 * (n / 10) + 10 * (n % 10);
            delivered.note(&Fate { left: MediaTime::from_millis(at), size: 1000, came: Some(1000 * at as i64) });
        }
        assert!(delivered.rate() > 300e3, "{}", delivered.rate());
    }

    #[test]
    fn any_times_of_arrival_are_borne() {
        let mut delivered = Delivered::default();
        for came in [i64::MAX, i64::MIN, 0, 1, i64::MAX - 1, -5] {
            delivered.note(&Fate { left: MediaTime::ZERO, size: u32::MAX, came: Some(came) });
            assert!(delivered.rate().is_finite());
        }
    }
}
