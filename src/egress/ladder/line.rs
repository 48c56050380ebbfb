//! What a line has room for beside sound: pure.
//!
//! In: the estimate of a line, and what it loses. Out: bits a second for pictures. Never: a guess where nothing is known; such a line has
//! room for everything.

use std::time::Duration;

use crate::media::{MediaTime, Meter, SentTraffic};

/// What sound takes with all its headers, in bits a second: it goes first.
const SOUND_BPS: f64 = 60_000.0;
/// The part of the rest that pictures are encoded at. What is left is for keyframes, and for an estimate that is
/// a little too high.
const PICTURES: f64 = 0.8;
/// A line that is said to lose more than this is reckoned as losing this.
const MOST_LOST: f64 = 0.5;

/// An estimate above this multiple of what is sent says nothing of the line's end,
const OPEN: f64 = 1.35;
/// and is taken for so much more.
const MORE: f64 = 1.5;
/// Over how long losses are averaged: one report tells of a second or less.
const LOSS_OVER: Duration = Duration::from_secs(2);

/// What is known of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Line {
    /// What it takes of sound and pictures, in bits a second: what retransmissions need is off already. `None` before it is known.
    pub estimate_bps: Option<f64>,
    /// The part of what is sent over it that is lost, 0 to 1.
    pub loss: f64,
}

impl Line {
    /// The bits a second that pictures may take; infinitely many before anything is known.
    pub fn room_bps(self) -> f64 {
        self.estimate_bps.map_or(f64::INFINITY, |estimate| ((estimate - SOUND_BPS) * PICTURES).max(0.0))
    }

    /// The same, if nothing were lost.
    pub(super) fn room_without_loss_bps(self) -> f64 {
        Self { estimate_bps: self.estimate_bps.map(|estimate| estimate / self.kept()), ..self }.room_bps()
    }

    /// What the whole line would have to take to have that room.
    pub(super) fn whole_for(self, room_bps: f64) -> f64 {
        (room_bps / PICTURES + SOUND_BPS) / self.kept()
    }

    /// What is lost is sent again: its share of the line goes to nothing new.
    fn kept(self) -> f64 {
        1.0 - self.loss.clamp(0.0, MOST_LOST)
    }
}

/// What an estimate stands for where nobody probes: it cannot be much more than what is sent (REMB's and GCC's stay below one and a half
/// times that), so that one well above it is no bound of the line's but asks for more to be sent.
pub(super) fn unprobed(estimate_bps: f64, sent_bps: f64) -> f64 {
    if estimate_bps > OPEN * sent_bps { estimate_bps * MORE } else { estimate_bps }
}

/// Looks at a line's figures several times a second.
#[derive(Debug, Default)]
pub struct Lookout {
    last: Option<(MediaTime, f64)>,
    bytes: Meter,
}

impl Lookout {
    /// The line as its figures are, its losses averaged.
    pub fn look(&mut self, now: MediaTime, traffic: &SentTraffic) -> Line {
        let told = traffic.loss().map_or(0.0, |loss| f64::from(loss).clamp(0.0, 1.0));
        let (at, before) = self.last.unwrap_or((now, told));
        let weight = (-now.since(at).as_secs_f64() / LOSS_OVER.as_secs_f64()).exp();
        let loss = told + (before - told) * weight;
        self.last = Some((now, loss));
        let is_probed = traffic.probed_bytes.get() > 0;
        self.bytes.note(now, traffic.bytes());
        let sent_bps = 8.0 * self.bytes.per_second(now);
        Line { estimate_bps: traffic.estimate_bps.get().map(|bps| if is_probed { bps } else { unprobed(bps, sent_bps) }), loss }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_goes_first_and_then_a_fifth() {
        let line = |estimate_bps| Line { estimate_bps: Some(estimate_bps), loss: 0.0 }.room_bps();
        assert_eq!([line(1_060_000.0), line(60_000.0), line(0.0)], [800_000.0, 0.0, 0.0]);
        assert_eq!(Line::default().room_bps(), f64::INFINITY);
    }

    #[test]
    fn what_is_asked_of_the_line_gives_that_room_when_what_is_sent_again_is_off() {
        for loss in [0.0, 0.1, 0.9f64] {
            let whole = Line { loss, ..Line::default() }.whole_for(750_000.0);
            let line = Line { estimate_bps: Some(whole * (1.0 - loss.min(MOST_LOST))), loss };
            assert!((line.room_bps() - 750_000.0).abs() < 1.0, "{loss}");
            assert!(loss == 0.0 || line.room_without_loss_bps() > 800_000.0, "{loss}");
        }
    }

    #[test]
    fn one_bad_report_among_good_ones_is_not_taken_at_its_word() {
        let (mut lookout, traffic) = (Lookout::default(), SentTraffic::default());
        let mut loss_at = |ms, told| {
            traffic.note_loss(told);
            lookout.look(MediaTime::from_millis(ms), &traffic).loss
        };
        let losses = [loss_at(0, 0.0), loss_at(100, 0.5), loss_at(600, 0.5), loss_at(1100, 0.0), loss_at(10_000, 0.2)];
        assert!(losses[2] < 0.15 && losses[3] < losses[2] && (losses[4] - 0.2).abs() < 0.01, "{losses:?}");
    }

    #[test]
    fn an_estimate_that_only_mirrors_what_is_sent_counts_for_more_where_nobody_probes() {
        let estimated = |sent_a_tenth: usize, is_probed: bool| {
            let (mut lookout, traffic) = (Lookout::default(), SentTraffic::default());
            traffic.estimate_bps.set(300e3);
            traffic.probed_bytes.add(u64::from(is_probed));
            let lines = (0..20).map(|tenth| {
                traffic.count_packet(sent_a_tenth);
                lookout.look(MediaTime::from_millis(100 * tenth), &traffic)
            });
            lines.last().and_then(|line| line.estimate_bps)
        };
        assert_eq!([estimated(2500, false), estimated(3500, false), estimated(2500, true)], [Some(450e3), Some(300e3), Some(300e3)]);
    }
}
