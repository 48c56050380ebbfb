//! When an output gives a room up that is there for outputs alone: pure, one for each output.
//!
//! In: the times of what the room gives; whether the room would be there without outputs. Out: whether it is over. Never: the end of a
//! room that an admin keeps, or of one that people come back to within its patience.

use std::time::Duration;

use crate::media::MediaTime;

/// How long an output stays after everybody has left.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// From one look at the room to the next.
const LOOK: Duration = Duration::from_secs(1);

/// Since when a room is there for outputs alone.
#[derive(Debug)]
pub(super) struct Held {
    patience: Duration,
    looked: Option<MediaTime>,
    alone_since: Option<MediaTime>,
}

impl Held {
    /// Of an output that stays for so long after everybody has left.
    pub(super) fn patient_for(patience: Duration) -> Self {
        Self { patience, looked: None, alone_since: None }
    }

    /// Whether it is over at `now`; looks at the room about once a second.
    pub(super) fn is_over(&mut self, now: MediaTime, is_held: impl FnOnce() -> bool) -> bool {
        if self.looked.is_some_and(|looked| now.since(looked) < LOOK) {
            return false;
        }
        self.looked = Some(now);
        self.alone_since = if is_held() { None } else { self.alone_since.or(Some(now)) };
        self.alone_since.is_some_and(|since| now.since(since) >= self.patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second at which it is over, of 200.
    fn over(is_held: impl Fn(u64) -> bool) -> Option<u64> {
        let mut held = Held::patient_for(PATIENCE);
        let tenths = (0..2000u64).find(|n| held.is_over(MediaTime::from_millis(100 * n), || is_held(n / 10)));
        tenths.map(|tenths| tenths / 10)
    }

    #[test]
    fn an_output_alone_gives_up_after_its_patience_and_no_sooner() {
        assert_eq!(over(|second| second < 20), Some(50));
        assert_eq!(over(|_| true), None);
    }

    #[test]
    fn whoever_comes_back_in_time_finds_it_there() {
        assert_eq!(over(|second| !(20..49).contains(&second)), None);
        assert_eq!(over(|second| second < 20 || second == 45), Some(76));
    }

    #[test]
    fn the_room_is_looked_at_once_a_second() {
        let (mut held, mut looks) = (Held::patient_for(PATIENCE), 0);
        for n in 0..100 {
            held.is_over(MediaTime::from_millis(100 * n), || {
                looks += 1;
                true
            });
        }
        assert_eq!(looks, 10);
    }
}
