//! When a sender's pictures may be decoded, and when a keyframe is asked for.
//!
//! In: access units and gaps, time. Out: which units are fit for the decoder, and when a request is due.
//! Never: a unit whose references may be missing, or requests closer than [`SPACING`].

use std::time::Duration;

use super::assemble::ReceivedUnit;
use crate::media::MediaTime;

/// Between a request and the next at least: two a second.
const SPACING: Duration = Duration::from_millis(500);
/// From the third request in a row on: whoever does not answer is not pressed.
const PATIENT_SPACING: Duration = Duration::from_secs(1);

/// Lets pictures through from a keyframe on, until something is missing.
#[derive(Debug, Default)]
pub(super) struct KeyframeGate {
    open: bool,
    /// Something came that could not be let through.
    needed: bool,
    asked: Option<MediaTime>,
    in_a_row: u32,
}

impl KeyframeGate {
    /// Whether this unit may be decoded.
    pub(super) fn admits(&mut self, unit: &ReceivedUnit) -> bool {
        if !unit.intact {
            self.shut();
            return false;
        }
        self.open |= unit.keyframe;
        self.needed = !self.open;
        if self.open {
            self.in_a_row = 0;
        }
        self.open
    }

    /// Something is missing: nothing passes before the next keyframe.
    pub(super) fn shut(&mut self) {
        self.open = false;
        self.needed = true;
    }

    /// Whether something came that could not be let through, and no keyframe since.
    pub(super) fn is_needed(&self) -> bool {
        self.needed
    }

    /// Whether to ask for a keyframe at `now`; `decoder_waits` where the decoder itself lacks one.
    pub(super) fn asks(&mut self, now: MediaTime, decoder_waits: bool) -> bool {
        let spacing = if self.in_a_row < 2 { SPACING } else { PATIENT_SPACING };
        if !(self.needed || decoder_waits) || self.asked.is_some_and(|asked| now.since(asked) < spacing) {
            return false;
        }
        self.asked = Some(now);
        self.in_a_row += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: fn(u64) -> MediaTime = MediaTime::from_millis;

    #[test]
    fn nothing_passes_before_the_first_keyframe_and_one_is_asked_for() {
        let mut gate = KeyframeGate::default();
        assert!(!gate.asks(AT(0), false));
        assert!(!gate.admits(&unit(false, true)));
        assert!(gate.asks(AT(0), false));
        assert!(gate.admits(&unit(true, true)) && gate.admits(&unit(false, true)));
        assert!(!gate.asks(AT(5000), false));
    }

    #[test]
    fn a_stream_that_begins_with_a_keyframe_is_not_asked() {
        let mut gate = KeyframeGate::default();
        assert!(gate.admits(&unit(true, true)));
        assert!(!gate.asks(AT(0), false));
    }

    #[test]
    fn after_damage_only_an_intact_keyframe_passes() {
        let mut gate = KeyframeGate::default();
        gate.admits(&unit(true, true));
        assert!(!gate.admits(&unit(false, false)));
        assert!(!gate.admits(&unit(false, true)));
        assert!(!gate.admits(&unit(true, false)));
        assert!(gate.admits(&unit(true, true)));
    }

    #[test]
    fn requests_are_at_most_two_a_second_and_repeated_until_the_keyframe_comes() {
        let mut gate = KeyframeGate::default();
        gate.shut();
        let asked: Vec<u64> = (0..4000).filter(|ms| gate.asks(AT(*ms), false)).collect();
        assert_eq!(asked, [0, 500, 1500, 2500, 3500]);
        gate.admits(&unit(true, true));
        gate.shut();
        let asked: Vec<u64> = (3501..5000).filter(|ms| gate.asks(AT(*ms), false)).collect();
        assert_eq!(asked, [4000, 4500]);
    }

    #[test]
    fn a_decoder_that_waits_asks_too() {
        let mut gate = KeyframeGate::default();
        gate.admits(&unit(true, true));
        assert!(gate.asks(AT(0), true));
        assert!(!gate.asks(AT(499), true));
    }

    fn unit(keyframe: bool, intact: bool) -> ReceivedUnit {
        ReceivedUnit { annex_b: vec![], timestamp: 0, arrival: MediaTime::ZERO, keyframe, intact, timing: Default::default() }
    }
}
