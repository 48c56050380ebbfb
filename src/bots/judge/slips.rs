//! Finds where something was cut out of a tone or put into it: its phase jumps.
//!
//! In: the phase of a tone every 5 ms. Out: how often it jumped. Never: a slip for a tone that is a little too high or too low,
//! as one that is resampled is, or in the edge of a pause.

use std::f64::consts::{PI, TAU};

use crate::media::SAMPLE_RATE;

/// Readings whose mean is taken, against codecs' noise.
const MEAN_OF: usize = 4;
/// Readings from one mean to the next: each is taken over 20 ms, and no two means share a sample.
const APART: usize = MEAN_OF + 3;
/// Readings that three means span.
const SPAN: usize = 2 * APART + MEAN_OF;
/// Samples between two readings.
const HOP: f64 = 240.0;
/// A jump that is smaller is a codec's noise, and hardly heard.
const LEAST_JUMP: f64 = 1.0;

/// Follows one tone.
#[derive(Clone, Debug, Default)]
pub(super) struct Slips {
    /// The last phases, each less what a steady tone would have turned since the first reading.
    phases: [f64; SPAN],
    /// Steady readings so far in a row.
    steady: usize,
    readings: u64,
    count: u64,
}

impl Slips {
    /// Takes the next reading; the tone was `steady` or in a pause.
    pub(super) fn note(&mut self, phase: f32, hertz: f64, steady: bool) {
        self.readings += 1;
        self.steady = if steady { self.steady + 1 } else { 0 };
        let turned = (hertz * HOP / f64::from(SAMPLE_RATE) * self.readings as f64).fract() * TAU;
        self.phases.rotate_left(1);
        self.phases[SPAN - 1] = f64::from(phase) - turned;
        if self.steady >= SPAN && self.jump().abs() > LEAST_JUMP {
            self.count += 1;
            self.steady = 0;
        }
    }

    /// How much farther the phase came from the second mean to the third than from the first to the second: what a wrong pitch
    /// adds is the same in both.
    fn jump(&self) -> f64 {
        let [before, between, after] = [0, APART, 2 * APART].map(|from| mean(&self.phases[from..from + MEAN_OF]));
        wrapped(wrapped(after - between) - wrapped(between - before))
    }

    /// The stream started over: what comes does not join what was.
    pub(super) fn restart(&mut self) {
        self.steady = 0;
    }

    /// Jumps so far.
    pub(super) fn count(&self) -> u64 {
        self.count
    }
}

/// Of angles that lie near each other.
fn mean(angles: &[f64]) -> f64 {
    angles[0] + angles.iter().map(|angle| wrapped(angle - angles[0])).sum::<f64>() / angles.len() as f64
}

/// Within half a turn of zero.
fn wrapped(angle: f64) -> f64 {
    (angle + PI).rem_euclid(TAU) - PI
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slips found in two seconds of a tone at `actual` Hz that should be at `hertz`, with a jump in the middle.
    fn found(hertz: f64, actual: f64, jump: f64) -> u64 {
        let mut slips = Slips::default();
        for n in 0..400 {
            let phase = TAU * actual * HOP / 48_000.0 * f64::from(n) + if n < 200 { 0.0 } else { jump };
            slips.note(wrapped(phase) as f32, hertz, true);
        }
        slips.count()
    }

    #[test]
    fn a_jump_counts_once_and_a_wrong_pitch_does_not() {
        assert_eq!(found(709.0, 709.0, 0.0), 0);
        assert_eq!(found(709.0, 709.0, 2.0), 1);
        assert_eq!(found(709.0, 709.0 * 1.0002, 0.0), 0);
        assert_eq!(found(1904.0, 1904.0 * 1.01, 0.0), 0);
        assert_eq!(found(1904.0, 1904.0 * 1.01, -1.5), 1);
    }
}
