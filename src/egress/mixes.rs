//! Who hears which mix, and the sound that waits for each: pure, one queue for each receiver.
//!
//! In: who talks, tick by tick; encoded sound. Out: which mixes are needed and who comes to them; what a receiver sends.
//! Never: more than a fifth of a second of sound for a receiver that stalls.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::fanout::Queue;
use crate::media::{Block, EncodedSound, MixSet, ParticipantId, SentTraffic};

/// Packets kept for a receiver: 200 ms.
const CAPACITY: usize = 10;
/// A tick's share of what a line reports in the loss that is expected of it: where it gets worse, half a second; where it gets
/// better, ten, since a lull is no cure.
const WORSE: f32 = 0.04;
const BETTER: f32 = 0.002;

/// One of a tick's mixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mix {
    /// Everyone who talks.
    Listeners,
    /// Everyone but one.
    Without(ParticipantId),
}

/// The blocks of one tick.
pub(super) fn blocks(mixes: &MixSet) -> BTreeMap<Mix, Arc<Block>> {
    let without = mixes.talkers.iter().map(|(id, block)| (Mix::Without(*id), block.clone()));
    std::iter::once((Mix::Listeners, mixes.listeners.clone())).chain(without).collect()
}

/// What a receiver does at a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It goes on with the same mix.
    Stays,
    /// It has heard nothing yet.
    Joins,
    /// It comes from another mix.
    Comes {
        /// What it heard until the tick before.
        from: Mix,
    },
}

/// One receiver's sound.
#[derive(Debug)]
pub(super) struct SoundQueue {
    own: Option<ParticipantId>,
    hears: Option<Mix>,
    waiting: VecDeque<Arc<EncodedSound>>,
    line: Arc<SentTraffic>,
    /// The part of the packets that the line is expected to lose, 0 to 1.
    loss: f32,
}

impl SoundQueue {
    /// For a receiver that is to hear everyone but `own`, over a line that this is known of.
    pub(super) fn new(own: Option<ParticipantId>, line: Arc<SentTraffic>) -> Self {
        Self { own, hears: None, waiting: VecDeque::new(), line, loss: 0.0 }
    }

    /// The part of the packets that the line is expected to lose, 0 to 1.
    pub(super) fn loss(&self) -> f32 {
        self.loss
    }

    /// Puts the receiver on the mix for it at this tick.
    pub(super) fn turn(&mut self, mixes: &BTreeMap<Mix, Arc<Block>>) -> (Mix, Turn) {
        let reported = self.line.loss().unwrap_or(0.0).clamp(0.0, 1.0);
        self.loss += (reported - self.loss) * if reported > self.loss { WORSE } else { BETTER };
        let mix = self.own.map(Mix::Without).filter(|mix| mixes.contains_key(mix)).unwrap_or(Mix::Listeners);
        let turn = match self.hears.replace(mix) {
            None => Turn::Joins,
            Some(before) if before == mix => Turn::Stays,
            Some(from) => Turn::Comes { from },
        };
        (mix, turn)
    }

    /// Takes in its mix's packet of this tick; gives up its oldest where too many wait. Whether one was given up.
    pub(super) fn offer(&mut self, sounds: &BTreeMap<Mix, Arc<EncodedSound>>) -> bool {
        let Some(sound) = self.hears.and_then(|mix| sounds.get(&mix)) else {
            return false;
        };
        let full = self.waiting.len() == CAPACITY;
        if full {
            self.waiting.pop_front();
        }
        self.waiting.push_back(sound.clone());
        full
    }
}

impl Queue for SoundQueue {
    type Item = Arc<EncodedSound>;

    fn take(&mut self) -> Option<Self::Item> {
        self.waiting.pop_front()
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::MediaTime;

    fn talking(ids: &[u32]) -> BTreeMap<Mix, Arc<Block>> {
        let silence = Arc::new(Block::SILENCE);
        let talkers = ids.iter().map(|id| (ParticipantId(*id), silence.clone())).collect();
        blocks(&MixSet { at: MediaTime::ZERO, listeners: silence.clone(), talkers })
    }

    fn sound(tick: u64) -> BTreeMap<Mix, Arc<EncodedSound>> {
        BTreeMap::from([(Mix::Listeners, Arc::new(EncodedSound { payload: Bytes::new(), at: MediaTime::from_millis(20 * tick) }))])
    }

    #[test]
    fn who_talks_hears_the_mix_without_themself_and_who_stops_the_listeners() {
        let mut queue = SoundQueue::new(Some(ParticipantId(3)), Arc::default());
        let own = Mix::Without(ParticipantId(3));
        assert_eq!(queue.turn(&talking(&[])), (Mix::Listeners, Turn::Joins));
        assert_eq!(queue.turn(&talking(&[1])), (Mix::Listeners, Turn::Stays));
        assert_eq!(queue.turn(&talking(&[1, 3])), (own, Turn::Comes { from: Mix::Listeners }));
        assert_eq!(queue.turn(&talking(&[3])), (own, Turn::Stays));
        assert_eq!(queue.turn(&talking(&[1])), (Mix::Listeners, Turn::Comes { from: own }));
    }

    #[test]
    fn a_viewer_hears_everyone_whoever_talks() {
        let mut queue = SoundQueue::new(None, Arc::default());
        assert_eq!(queue.turn(&talking(&[1, 2])), (Mix::Listeners, Turn::Joins));
        assert_eq!(queue.turn(&talking(&[])), (Mix::Listeners, Turn::Stays));
    }

    #[test]
    fn one_that_stalls_keeps_the_newest_fifth_of_a_second() {
        let mut queue = SoundQueue::new(None, Arc::default());
        queue.turn(&talking(&[]));
        let given_up = (0..25).filter(|tick| queue.offer(&sound(*tick))).count();
        assert_eq!(given_up, 15);
        let ticks: Vec<_> = std::iter::from_fn(|| queue.take()).map(|sound| sound.at.as_millis() / 20).collect();
        assert_eq!(ticks, (15..25).collect::<Vec<_>>());
    }

    #[test]
    fn a_line_that_gets_worse_counts_within_a_second_and_one_that_gets_better_after_a_while() {
        let line = Arc::<SentTraffic>::default();
        let mut queue = SoundQueue::new(None, line.clone());
        let mut after = |ticks| {
            (0..ticks).for_each(|_| assert_eq!(queue.turn(&talking(&[])).0, Mix::Listeners));
            queue.loss()
        };
        assert_eq!(after(50), 0.0);
        line.note_loss(0.2);
        assert!((0.15..0.2).contains(&after(50)));
        line.note_loss(0.0);
        assert!((0.13..0.17).contains(&after(50)));
        assert!(after(2000) < 0.02);
    }

    #[test]
    fn one_without_a_turn_yet_gets_nothing() {
        let mut queue = SoundQueue::new(None, Arc::default());
        assert!(!queue.offer(&sound(0)));
        assert!(queue.is_empty());
    }
}
