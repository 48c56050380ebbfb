//! Who is shown where more people are there than the layout has places.
//!
//! In: joins, leaves, when each spoke last. Out: the people in order, of whom the first `capacity` are shown.
//! Whoever is hidden and speaks takes the place of the one shown who has been silent longest; nobody else moves.

use std::time::Duration;

use crate::media::{MediaTime, ParticipantId};

/// How much later than one who is shown a hidden person must have spoken: two who take turns do not swap places all the time.
const CLEARLY_LATER: Duration = Duration::from_secs(2);

/// Everybody in the room, in join order but for those who swapped places to be shown.
#[derive(Debug, Default)]
pub(super) struct Cast(Vec<ParticipantId>);

impl Cast {
    /// Takes the last place.
    pub(super) fn join(&mut self, id: ParticipantId) {
        self.0.push(id);
    }

    /// Gives a place up; all behind it move up.
    pub(super) fn leave(&mut self, id: ParticipantId) {
        self.0.retain(|other| *other != id);
    }

    /// Those who are shown, in order.
    pub(super) fn shown(&self, capacity: usize) -> &[ParticipantId] {
        &self.0[..capacity.min(self.0.len())]
    }

    /// Lets those who spoke last in, and the active speaker in any case.
    pub(super) fn admit(&mut self, capacity: usize, active: Option<ParticipantId>, spoke_at: impl Fn(ParticipantId) -> Option<MediaTime>) {
        if capacity == 0 || self.0.len() <= capacity {
            return;
        }
        for hidden in capacity..self.0.len() {
            let candidate = self.0[hidden];
            let silent_longest = (0..capacity).min_by_key(|n| spoke_at(self.0[*n])).expect("a layout shows somebody");
            let since = spoke_at(self.0[silent_longest]);
            if Some(candidate) == active || later(spoke_at(candidate), since) {
                self.0.swap(hidden, silent_longest);
            }
        }
    }
}

fn later(spoke: Option<MediaTime>, than: Option<MediaTime>) -> bool {
    match (spoke, than) {
        (Some(spoke), Some(than)) => spoke > than + CLEARLY_LATER,
        (spoke, than) => spoke.is_some() && than.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn cast(count: u32) -> Cast {
        Cast((1..=count).map(ParticipantId).collect())
    }

    fn shown(cast: &Cast, capacity: usize) -> Vec<u32> {
        cast.shown(capacity).iter().map(|id| id.0).collect()
    }

    fn admit(cast: &mut Cast, capacity: usize, spoke: &[(u32, u64)]) {
        let spoke: BTreeMap<u32, u64> = spoke.iter().copied().collect();
        cast.admit(capacity, None, |id| spoke.get(&id.0).map(|s| MediaTime::from_millis(s * 1000)));
    }

    #[test]
    fn a_hidden_speaker_takes_the_place_of_who_was_silent_longest() {
        let mut cast = cast(5);
        admit(&mut cast, 3, &[(1, 9), (2, 4), (3, 8), (5, 10)]);
        assert_eq!(shown(&cast, 3), [1, 5, 3]);
    }

    #[test]
    fn those_who_never_spoke_go_before_those_who_did() {
        let mut cast = cast(4);
        admit(&mut cast, 2, &[(1, 1), (4, 1)]);
        assert_eq!(shown(&cast, 2), [1, 4]);
    }

    #[test]
    fn people_who_take_turns_do_not_swap_places() {
        let mut cast = cast(3);
        admit(&mut cast, 2, &[(1, 10), (2, 10), (3, 11)]);
        assert_eq!(shown(&cast, 2), [1, 2]);
    }

    #[test]
    fn the_active_speaker_is_shown_in_any_case() {
        let mut cast = cast(3);
        cast.admit(2, Some(ParticipantId(3)), |_| Some(MediaTime::ZERO));
        assert!(shown(&cast, 2).contains(&3));
    }

    #[test]
    fn a_leaver_makes_room_and_the_rest_keep_their_order() {
        let mut cast = cast(4);
        cast.leave(ParticipantId(2));
        assert_eq!(shown(&cast, 3), [1, 3, 4]);
    }
}
