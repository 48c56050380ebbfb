//! Who is mixed: those who talk, and of them the loudest where they are too many.

use std::collections::BTreeSet;

use crate::media::ParticipantId;

/// How much louder, in decibels, a talker must be to take the place of one who is being mixed.
const TAKE_OVER_DB: f32 = 6.0;

/// Somebody who talks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Talker {
    pub(super) id: ParticipantId,
    pub(super) loudness_db: f32,
    /// Whether the last block mixed them.
    pub(super) mixed: bool,
}

/// The `most` loudest.
pub(super) fn choose(most: usize, talkers: impl Iterator<Item = Talker>) -> BTreeSet<ParticipantId> {
    let rank = |t: &Talker| t.loudness_db + if t.mixed { TAKE_OVER_DB } else { 0.0 };
    let mut talkers: Vec<_> = talkers.collect();
    talkers.sort_by(|a, b| rank(b).total_cmp(&rank(a)).then(a.id.cmp(&b.id)));
    talkers.iter().take(most).map(|t| t.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talker(id: u32, loudness_db: f32, mixed: bool) -> Talker {
        Talker { id: ParticipantId(id), loudness_db, mixed }
    }

    fn chosen(most: usize, talkers: &[Talker]) -> Vec<u32> {
        choose(most, talkers.iter().copied()).iter().map(|id| id.0).collect()
    }

    #[test]
    fn the_loudest_are_mixed_and_equals_go_by_id() {
        let talkers = [talker(1, -30.0, false), talker(2, -10.0, false), talker(3, -20.0, false), talker(4, -20.0, false)];
        assert_eq!(chosen(2, &talkers), [2, 3]);
        assert_eq!(chosen(16, &talkers), [1, 2, 3, 4]);
    }

    #[test]
    fn a_place_in_the_mix_changes_hands_only_for_somebody_clearly_louder() {
        assert_eq!(chosen(1, &[talker(1, -20.0, true), talker(2, -15.0, false)]), [1]);
        assert_eq!(chosen(1, &[talker(1, -20.0, true), talker(2, -13.0, false)]), [2]);
    }
}
