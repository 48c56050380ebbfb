//! The active speaker: one of those who talk, moved slowly and never by a cough.
//!
//! In: every voice, once a block. Out: who it is. Never: sound.

use std::time::Duration;

use super::voice::Voice;
use crate::media::{MediaTime, ParticipantId};

/// The least time between two changes while the active speaker is there.
const STAY: Duration = Duration::from_secs(2);
/// Blocks for which another must be ahead without a break: 300 ms.
const AHEAD_BLOCKS: u32 = 15;
/// By how much of [`Voice::activity`] one who goes on talking must be outdone: 4 dB for as long.
const MARGIN: f32 = 0.08;

/// Who is the active speaker, and who is about to be.
#[derive(Clone, Debug, Default)]
pub(super) struct ActiveSpeaker {
    current: Option<ParticipantId>,
    since: MediaTime,
    challenger: Option<ParticipantId>,
    ahead: u32,
}

impl ActiveSpeaker {
    /// Whoever it is; stays while nobody talks.
    pub(super) fn current(&self) -> Option<ParticipantId> {
        self.current
    }

    /// Forgets somebody who left; gives whether they were the active speaker.
    pub(super) fn leave(&mut self, id: ParticipantId) -> bool {
        let active = self.current == Some(id);
        if active {
            *self = Self::default();
        }
        active
    }

    /// Weighs everybody's voices (ordered by id) after the block at `at`.
    pub(super) fn weigh<'a>(&mut self, at: MediaTime, voices: impl Iterator<Item = (ParticipantId, &'a Voice)> + Clone) {
        let own = voices.clone().find(|(id, _)| Some(*id) == self.current).map(|(_, voice)| voice);
        let best = best(voices.filter(|(id, _)| Some(*id) != self.current));
        self.challenge(best.filter(|(_, voice)| own.is_none_or(|own| outdoes(voice, own))).map(|(id, _)| id));
        let settled = own.is_none() || (self.ahead >= AHEAD_BLOCKS && at.since(self.since) >= STAY);
        if let Some(challenger) = self.challenger.filter(|_| settled) {
            *self = Self { current: Some(challenger), since: at, ..Self::default() };
        }
    }

    fn challenge(&mut self, challenger: Option<ParticipantId>) {
        self.ahead = if challenger.is_some() && challenger == self.challenger { self.ahead + 1 } else { 1 };
        self.challenger = challenger;
    }
}

/// The most active of those who speak; of equals the one with the lowest id.
fn best<'a>(voices: impl Iterator<Item = (ParticipantId, &'a Voice)>) -> Option<(ParticipantId, &'a Voice)> {
    voices.filter(|(_, voice)| voice.speaks()).reduce(|a, b| if b.1.activity() > a.1.activity() { b } else { a })
}

fn outdoes(voice: &Voice, current: &Voice) -> bool {
    current.silent() || voice.activity() > current.activity() + MARGIN
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::tone::Tone;
    use super::*;
    use crate::media::Block;

    /// Two people at given levels, block by block; gives when the active speaker changed, and to whom.
    #[derive(Default)]
    struct Talk {
        active: ActiveSpeaker,
        voices: BTreeMap<ParticipantId, Voice>,
        block: u64,
        changes: Vec<(u64, u32)>,
    }

    impl Talk {
        fn go_on(&mut self, blocks: u64, levels_db: [Option<f64>; 2]) -> &mut Self {
            for _ in 0..blocks {
                self.one_block(levels_db);
            }
            self
        }

        fn one_block(&mut self, levels_db: [Option<f64>; 2]) {
            let (n, at) = (self.block, MediaTime::from_millis(20 * self.block));
            for (id, level) in (1..).zip(levels_db) {
                let block = level.map_or(Block::SILENCE, |db| Tone::db(300.0, db).block(n));
                self.voices.entry(ParticipantId(id)).or_default().hear(at, &block);
            }
            let before = self.active.current();
            self.active.weigh(at, self.voices.iter().map(|(id, voice)| (*id, voice)));
            if let Some(id) = self.active.current().filter(|id| Some(*id) != before) {
                self.changes.push((n, id.0));
            }
            self.block += 1;
        }

        fn changed_to(&self) -> Vec<u32> {
            self.changes.iter().map(|(_, id)| *id).collect()
        }
    }

    #[test]
    fn the_first_to_speak_is_the_active_speaker_within_half_a_second() {
        let mut talk = Talk::default();
        talk.go_on(25, [None, Some(-20.0)]);
        assert_eq!(talk.changed_to(), [2]);
    }

    #[test]
    fn a_cough_does_not_move_the_active_speaker() {
        let mut talk = Talk::default();
        talk.go_on(200, [Some(-20.0), None]).go_on(15, [Some(-20.0), Some(-3.0)]).go_on(100, [Some(-20.0), None]);
        talk.go_on(100, [None, None]).go_on(15, [None, Some(-3.0)]).go_on(100, [None, None]);
        assert_eq!(talk.changed_to(), [1]);
    }

    #[test]
    fn who_goes_on_when_the_other_stops_becomes_active() {
        let mut talk = Talk::default();
        talk.go_on(200, [Some(-20.0), None]).go_on(100, [None, Some(-20.0)]);
        assert_eq!(talk.changed_to(), [1, 2]);
    }

    #[test]
    fn somebody_as_loud_does_not_take_over_and_somebody_louder_does() {
        let mut talk = Talk::default();
        talk.go_on(200, [Some(-20.0), None]).go_on(500, [Some(-20.0), Some(-20.0)]);
        assert_eq!(talk.changed_to(), [1]);
        talk.go_on(200, [Some(-20.0), Some(-10.0)]);
        assert_eq!(talk.changed_to(), [1, 2]);
    }

    #[test]
    fn changes_are_two_seconds_apart_however_people_talk() {
        let mut talk = Talk::default();
        for _ in 0..20 {
            talk.go_on(35, [Some(-20.0), None]).go_on(35, [None, Some(-6.0)]);
        }
        assert!(talk.changes.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 100), "{:?}", talk.changes);
    }
}
