//! Notices that a line is dead for a while: packets leave and no word comes back.
//!
//! In: packets that leave, feedback. Out: whether the line is dead, and which packets fell into that time. Never: a verdict on a receiver
//! that has given no feedback yet, or one for longer than [`BELIEVED`]: then it is the feedback that is missing.

use std::time::Duration;

use crate::media::MediaTime;

/// How long no word may come, besides round trips: receivers report every quarter of a second at least.
const PATIENCE: Duration = Duration::from_millis(450);
const MAX_ROUND_TRIP: Duration = Duration::from_millis(400);
const BELIEVED: Duration = Duration::from_secs(6);

/// One line's silence.
#[derive(Debug, Default)]
pub(super) struct Outage {
    has_heard: bool,
    /// The first packet that left after the last word.
    unanswered: Option<MediaTime>,
    /// The last outage.
    was: Option<(MediaTime, MediaTime)>,
}

impl Outage {
    /// A packet leaves.
    pub(super) fn leave(&mut self, now: MediaTime) {
        self.unanswered.get_or_insert(now);
    }

    /// Word that something came; whether that ends an outage.
    pub(super) fn hear(&mut self, round_trip: Duration, now: MediaTime) -> bool {
        let ends = self.is_on(round_trip, now);
        let since = self.unanswered.take().unwrap_or(now);
        if ends {
            self.was = Some((since, now));
        }
        self.has_heard = true;
        ends
    }

    /// Whether any feedback has come yet.
    pub(super) fn has_heard(&self) -> bool {
        self.has_heard
    }

    /// Whether the line is dead.
    pub(super) fn is_on(&self, round_trip: Duration, now: MediaTime) -> bool {
        let patience = PATIENCE + 2 * round_trip.min(MAX_ROUND_TRIP);
        self.has_heard && self.unanswered.is_some_and(|since| (patience..BELIEVED).contains(&now.since(since)))
    }

    /// Whether a packet fell into the last one.
    pub(super) fn took(&self, left: MediaTime) -> bool {
        self.was.is_some_and(|(since, until)| (since..=until).contains(&left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_after_word_is_an_outage_until_the_next_word() {
        let (mut outage, trip, ms) = (Outage::default(), Duration::from_millis(50), MediaTime::from_millis);
        outage.leave(ms(0));
        assert!(!outage.is_on(trip, ms(3000)), "nothing has been heard yet");
        assert!(!outage.hear(trip, ms(3000)));
        assert!(!outage.is_on(trip, ms(5000)), "nothing was sent since");
        outage.leave(ms(5000));
        assert!(!outage.is_on(trip, ms(5500)) && outage.is_on(trip, ms(5600)));
        assert!(outage.hear(trip, ms(7000)) && !outage.is_on(trip, ms(7000)));
        assert!(outage.took(ms(5000)) && outage.took(ms(7000)) && !outage.took(ms(7001)));
        outage.leave(ms(8000));
        assert!(!outage.is_on(trip, ms(15_000)), "nothing will come any more");
    }
}
