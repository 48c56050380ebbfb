//! When a rendition's next picture is a keyframe: pure policy, one per rendition.
//!
//! In: whether anybody wants one, and the time of the picture that is about to be encoded. Out: force it or not.
//! Never: more than two a second, however many ask; or anybody who waits longer than that.

use std::time::Duration;

use crate::codec::Keyframe;
use crate::media::MediaTime;

/// From one forced keyframe to the next: a viewer's losses cost the others at most two a second, and who asks right after
/// one waits this long and no longer (at frame rates that do not divide it, up to one picture longer).
pub(super) const SPACING: Duration = Duration::from_millis(500);

/// Tick times are rounded to nanoseconds, so that 15 ticks of 1/30 s fall short of half a second.
const ROUNDING: Duration = Duration::from_micros(100);

/// Decides for one rendition.
#[derive(Debug, Default)]
pub(super) struct KeyframePolicy {
    last: Option<MediaTime>,
}

impl KeyframePolicy {
    /// Decides on the picture of `at`. All who want a keyframe by then share this one.
    pub(super) fn decide(&mut self, wanted: bool, at: MediaTime) -> Keyframe {
        let due = self.last.is_none_or(|last| at.since(last) + ROUNDING >= SPACING);
        if !wanted || !due {
            return Keyframe::Auto;
        }
        self.begin(at);
        Keyframe::Force
    }

    /// Notes that the picture of `at` is a keyframe anyway: the first of an encoder.
    pub(super) fn begin(&mut self, at: MediaTime) {
        self.last = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The time of picture `n`, as the room's clock rounds it.
    fn tick(n: u64, fps: u64) -> MediaTime {
        MediaTime::from_nanos(7 + n * 1_000_000_000 / fps)
    }

    #[test]
    fn who_asks_first_is_served_with_the_next_picture() {
        let mut policy = KeyframePolicy::default();
        assert_eq!(policy.decide(false, tick(0, 30)), Keyframe::Auto);
        assert_eq!(policy.decide(true, tick(1, 30)), Keyframe::Force);
    }

    #[test]
    fn who_asks_right_after_a_keyframe_gets_one_half_a_second_after_it() {
        for fps in [10, 20, 30, 60] {
            let mut policy = KeyframePolicy::default();
            assert_eq!(policy.decide(true, tick(0, fps)), Keyframe::Force);
            let waited = (1..).find(|n| policy.decide(true, tick(*n, fps)) == Keyframe::Force).unwrap();
            assert_eq!(waited, fps / 2, "{fps} fps");
        }
    }

    #[test]
    fn an_encoders_own_first_keyframe_counts() {
        let mut policy = KeyframePolicy::default();
        policy.begin(tick(0, 30));
        assert_eq!(policy.decide(true, tick(14, 30)), Keyframe::Auto);
        assert_eq!(policy.decide(true, tick(15, 30)), Keyframe::Force);
    }

    proptest! {
        #[test]
        fn never_more_than_two_a_second_and_nobody_waits_longer_than_half(wishes in proptest::collection::vec(any::<bool>(), 1..400)) {
            let mut policy = KeyframePolicy::default();
            let (mut forced, mut waiting_since) = (Vec::<u64>::new(), None);
            for (n, wish) in (0u64..).zip(&wishes) {
                waiting_since = waiting_since.or(wish.then_some(n));
                if policy.decide(waiting_since.is_some(), tick(n, 30)) == Keyframe::Force {
                    forced.push(n);
                    waiting_since = None;
                }
                prop_assert!(waiting_since.is_none_or(|since| n - since < 15));
            }
            prop_assert!(forced.windows(3).all(|three| three[2] - three[0] >= 30), "{:?}", forced);
        }
    }
}
