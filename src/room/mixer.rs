//! The mix: one for all who listen, one without themself for each who is mixed. Plain sums, one limiter per output.
//!
//! In: the sound of those who are mixed, in id order. Out: a [`MixSet`]. Never: who is mixed (that is `talkers`).
//!
//! Somebody who begins to be mixed leaves the listeners' output for an own one, and goes back later. The own limiter
//! starts as a copy of the listeners', and is given up only when the two agree again, so that either way the sound goes on
//! sample by sample.

use std::collections::BTreeMap;
use std::f32::consts::PI;
use std::sync::Arc;

use super::limiter::Limiter;
use crate::media::{BLOCK_SAMPLES, Block, MediaTime, MixSet, ParticipantId};

/// Samples over which somebody comes in: 5 ms, so that the onset that made them a talker is heard.
const FADE_IN: usize = BLOCK_SAMPLES / 4;
/// Blocks for which an own output waits, at most, to agree with the listeners' again: two seconds.
const HAND_BACK_BLOCKS: u32 = 100;

/// One person's sound for this block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) id: ParticipantId,
    pub(super) block: &'a Block,
}

/// All outputs of a room.
#[derive(Debug, Default)]
pub(super) struct Mixer {
    listeners: Limiter,
    own: BTreeMap<ParticipantId, Own>,
}

#[derive(Debug)]
struct Own {
    limiter: Limiter,
    /// Blocks since its owner was last mixed.
    idle: u32,
}

impl Mixer {
    /// Mixes one block of `parts`, which are ordered by id.
    pub(super) fn mix(&mut self, at: MediaTime, parts: &[Part<'_>]) -> MixSet {
        self.open_own(parts);
        let own = |(id, own): (&ParticipantId, &mut Own)| (*id, own.limiter.limited(sum(parts, Some(*id))));
        let talkers = self.own.iter_mut().map(own).collect();
        let listeners = self.listeners.limited(sum(parts, None));
        self.close_own(parts);
        MixSet { at, listeners, talkers }
    }

    /// Closes the own output of somebody who left.
    pub(super) fn leave(&mut self, id: ParticipantId) {
        self.own.remove(&id);
    }

    fn open_own(&mut self, parts: &[Part<'_>]) {
        for part in parts {
            self.own.entry(part.id).or_insert_with(|| Own { limiter: self.listeners.clone(), idle: 0 });
        }
    }

    fn close_own(&mut self, parts: &[Part<'_>]) {
        let listeners = &self.listeners;
        self.own.retain(|id, own| {
            let mixed = parts.iter().any(|part| part.id == *id);
            own.idle = if mixed { 0 } else { own.idle + 1 };
            mixed || (own.idle < HAND_BACK_BLOCKS && !own.limiter.agrees_with(listeners))
        });
    }
}

impl Limiter {
    fn limited(&mut self, mut block: Block) -> Arc<Block> {
        self.process(&mut block);
        Arc::new(block)
    }
}

/// N-1 by direct sums: subtracting somebody from the whole would leave their rounding errors behind.
fn sum(parts: &[Part<'_>], without: Option<ParticipantId>) -> Block {
    let mut sum = Block::SILENCE;
    for part in parts.iter().filter(|part| Some(part.id) != without) {
        for (sum, sample) in sum.0.iter_mut().zip(&part.block.0) {
            *sum += sample;
        }
    }
    sum
}

/// Lets a block come up from nothing within 5 ms.
pub(super) fn fade_in(block: &mut Block) {
    for (n, sample) in block.0[..FADE_IN].iter_mut().enumerate() {
        *sample *= rise(n, FADE_IN);
    }
}

/// Lets a block go down to nothing at its end.
pub(super) fn fade_out(block: &mut Block) {
    for (n, sample) in block.0.iter_mut().enumerate() {
        *sample *= rise(BLOCK_SAMPLES - 1 - n, BLOCK_SAMPLES);
    }
}

/// A raised cosine from 0 (at 0) to nearly 1 (at `of` - 1).
fn rise(n: usize, of: usize) -> f32 {
    0.5 - 0.5 * (PI * n as f32 / of as f32).cos()
}

#[cfg(test)]
mod tests {
    use super::super::limiter::LOOK_AHEAD;
    use super::super::tone::Tone;
    use super::*;

    fn part(id: u32, block: &Block) -> Part<'_> {
        Part { id: ParticipantId(id), block }
    }

    fn own(mixes: &MixSet, id: u32) -> Option<&Arc<Block>> {
        mixes.talkers.iter().find(|(talker, _)| talker.0 == id).map(|(_, block)| block)
    }

    /// One speaks on; the other shouts for ten blocks, and ends there: by block, the mixes.
    fn a_shout_beside_a_voice() -> Vec<MixSet> {
        let mut mixer = Mixer::default();
        let mix = |n: u64| {
            let voice = Tone::peak(413.0, 0.5).block(n);
            let mut shout = Tone::peak(500.0, 3.0).block(n);
            if n == 9 {
                fade_out(&mut shout);
            }
            let parts = [part(1, &voice), part(2, &shout)];
            mixer.mix(MediaTime::ZERO, if n < 10 { &parts } else { &parts[..1] })
        };
        (0..100).map(mix).collect()
    }

    #[test]
    fn an_own_output_is_not_turned_down_by_its_owners_shouting() {
        for (n, mixes) in a_shout_beside_a_voice().iter().enumerate().skip(1) {
            let Some(block) = own(mixes, 2) else { break };
            let voice = Tone::peak(413.0, 0.5).block(n as u64);
            assert_eq!(block.0[LOOK_AHEAD..], voice.0[..BLOCK_SAMPLES - LOOK_AHEAD], "block {n}");
        }
    }

    #[test]
    fn an_own_output_is_handed_back_only_when_the_listeners_sounds_alike() {
        let day = a_shout_beside_a_voice();
        let closed = day.iter().position(|mixes| own(mixes, 2).is_none()).expect("the limiter recovers within two seconds");
        assert!(closed > 12, "closed at block {closed}");
        let last = own(&day[closed - 1], 2).expect("it was open until here");
        let apart = last.0.iter().zip(&day[closed - 1].listeners.0).map(|(own, all)| (own - all).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-3, "{apart}");
    }

    #[test]
    fn a_leavers_output_is_closed_at_once() {
        let mut mixer = Mixer::default();
        let tone = Tone::peak(413.0, 0.5).block(0);
        mixer.mix(MediaTime::ZERO, &[part(1, &tone), part(2, &tone)]);
        mixer.leave(ParticipantId(2));
        assert!(own(&mixer.mix(MediaTime::ZERO, &[part(1, &tone)]), 2).is_none());
    }
}
