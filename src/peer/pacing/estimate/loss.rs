//! Whether losses are the line's own or made by what is sent: less is sent for a moment, and where the loss stays it was not ours.
//!
//! In: the part that is lost. Out: at most what came through, for the time of a trial; and whether it is to be kept. Never: a fall for a
//! loss that was there whatever was sent.

use std::time::Duration;

use crate::media::MediaTime;

/// A loss above the line's own that is looked into.
const SUSPECT: f64 = 0.15;
/// How long less is sent, besides the round trip: what was lost before has been forgotten.
const TRIAL: Duration = Duration::from_millis(2000);
/// Where this part of the loss is left it was not ours.
const STAYS: f64 = 0.6;
/// Of what came through, during the trial; but no less than the second part of the estimate.
const LESS: f64 = 0.9;
const LEAST: f64 = 0.6;
/// How fast a lower loss is believed to be the line's own, for each report.
const BELIEF: f64 = 0.005;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Advice {
    /// Nothing.
    Stay,
    /// Send at most this, in bits a second.
    Fall(f64),
    /// The loss is not ours: back to this, in bits a second.
    Restore(f64),
}

/// The losses of one line.
#[derive(Debug, Default)]
pub(super) struct LossWatch {
    /// The part that is lost whatever is sent.
    own: f64,
    trial: Option<Trial>,
}

#[derive(Debug)]
struct Trial {
    ends: MediaTime,
    loss: f64,
    estimate_bps: f64,
}

impl LossWatch {
    /// The part that is lost whatever is sent, 0 to 1.
    pub(super) fn own(&self) -> f64 {
        self.own
    }

    /// Whether less is sent to see whose the loss is.
    pub(super) fn is_trying(&self) -> bool {
        self.trial.is_some()
    }

    /// The line's queue has told that the loss is ours.
    pub(super) fn call_off(&mut self) {
        self.trial = None;
    }

    /// Takes the part that is lost now, and what comes through, in bits a second.
    pub(super) fn note(&mut self, loss: f64, delivered_bps: f64, estimate_bps: f64, round_trip: Duration, now: MediaTime) -> Advice {
        if let Some(trial) = self.trial.take_if(|trial| now >= trial.ends) {
            return self.judge(&trial, loss);
        }
        self.own = self.own.min(self.own + BELIEF * (loss - self.own));
        if self.is_trying() || loss < self.own + SUSPECT {
            return Advice::Stay;
        }
        self.trial = Some(Trial { ends: now + TRIAL + round_trip, loss, estimate_bps });
        Advice::Fall((LESS * delivered_bps).max(LEAST * estimate_bps))
    }

    fn judge(&mut self, trial: &Trial, loss: f64) -> Advice {
        if loss < STAYS * trial.loss {
            return Advice::Stay;
        }
        self.own = loss.min(trial.loss);
        Advice::Restore(trial.estimate_bps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIP: Duration = Duration::from_millis(50);

    fn advised(losses: impl Fn(u64) -> f64) -> Vec<(u64, Advice)> {
        let mut watch = LossWatch::default();
        let advice = (0..100).map(|n| (n, watch.note(losses(n), 1e6, 2e6, TRIP, MediaTime::from_millis(100 * n))));
        advice.filter(|(_, advice)| *advice != Advice::Stay).collect()
    }

    #[test]
    fn a_loss_that_stays_is_the_lines_own() {
        let advice = advised(|n| if n < 10 { 0.0 } else { 0.2 + (n % 3) as f64 * 0.03 });
        assert_eq!(advice, [(10, Advice::Fall(1.2e6)), (31, Advice::Restore(2e6))]);
    }

    #[test]
    fn a_loss_that_ends_when_less_is_sent_was_ours() {
        assert_eq!(advised(|n| if (10..20).contains(&n) { 0.3 } else { 0.01 }), [(10, Advice::Fall(1.2e6))]);
    }

    #[test]
    fn a_small_loss_is_nothing() {
        assert_eq!(advised(|_| 0.1), []);
    }
}
