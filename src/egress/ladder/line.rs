//! What a line has room for beside sound: pure.
//!
//! In: the estimate of a line, and what it loses. Out: bits a second for pictures. Never: a guess where nothing is known; such a line has
//! room for everything.

use std::time::Duration;

use crate::media::{MediaTime, SentTraffic};

/// What sound takes with all its headers, in bits a second: it goes first.
const SOUND_BPS: f64 = 60_000.0;
/// The part of the rest that pictures are encoded at. What is left is for headers, retransmissions, keyframes, and an estimate that is
/// a little too high.
const PICTURES: f64 = 0.8;
/// A line that is said to lose more than this is reckoned as losing this.
const MOST_LOST: f64 = 0.5;

/// Over how long losses are averaged: one report tells of a second or less.
const LOSS_OVER: Duration = Duration::from_secs(2);

/// What is known of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Line {
    /// What it takes, in bits a second; `None` before it is known.
    pub estimate_bps: Option<f64>,
    /// The part of what is sent over it that is lost, 0 to 1.
    pub loss: f64,
}

impl Line {
    /// The bits a second that pictures may take; infinitely many before anything is known.
    pub fn room_bps(self) -> f64 {
        self.estimate_bps.map_or(f64::INFINITY, |estimate| ((estimate - SOUND_BPS) * PICTURES * self.kept()).max(0.0))
    }

    /// The same, if nothing were lost.
    pub(super) fn room_without_loss_bps(self) -> f64 {
        Self { loss: 0.0, ..self }.room_bps()
    }

    /// What its estimate would have to be to have that room.
    pub(super) fn estimate_for(self, room_bps: f64) -> f64 {
        room_bps / PICTURES / self.kept() + SOUND_BPS
    }

    /// What is lost is sent again: its share of the line is gone.
    fn kept(self) -> f64 {
        1.0 - self.loss.clamp(0.0, MOST_LOST)
    }
}

/// Looks at a line's figures several times a second.
#[derive(Debug, Default)]
pub struct Lookout {
    last: Option<(MediaTime, f64)>,
}

impl Lookout {
    /// The line as its figures are, its losses averaged.
    pub fn look(&mut self, now: MediaTime, traffic: &SentTraffic) -> Line {
        let told = traffic.loss().map_or(0.0, |loss| f64::from(loss).clamp(0.0, 1.0));
        let (at, before) = self.last.unwrap_or((now, told));
        let weight = (-now.since(at).as_secs_f64() / LOSS_OVER.as_secs_f64()).exp();
        let loss = told + (before - told) * weight;
        self.last = Some((now, loss));
        Line { estimate_bps: traffic.estimate_bps.get(), loss }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_goes_first_and_what_is_lost_takes_its_share_twice() {
        let line = |estimate_bps, loss| Line { estimate_bps: Some(estimate_bps), loss }.room_bps();
        assert_eq!([line(1_060_000.0, 0.0), line(1_060_000.0, 0.25), line(1_060_000.0, 1.0)], [800_000.0, 600_000.0, 400_000.0]);
        assert_eq!([line(60_000.0, 0.0), line(0.0, 0.0)], [0.0, 0.0]);
        assert_eq!(Line::default().room_bps(), f64::INFINITY);
    }

    #[test]
    fn what_is_asked_of_the_line_gives_that_room() {
        for loss in [0.0, 0.1, 0.9] {
            let line = Line { estimate_bps: None, loss };
            let enough = Line { estimate_bps: Some(line.estimate_for(750_000.0)), loss };
            assert!((enough.room_bps() - 750_000.0).abs() < 1.0, "{loss}");
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
}
