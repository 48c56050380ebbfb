//! The pictures that wait for one receiver: a bounded queue that never loses one from the middle of a group of pictures.
//!
//! In: every picture of the rendition. Out: those that this receiver can decode. Never: more than a third of a second of
//! them, or a picture whose reference was given up.

use std::collections::VecDeque;
use std::sync::Arc;

use super::fanout::Queue;
use crate::media::EncodedPicture;

/// Pictures kept for a receiver: a third of a second at 30 a second, more than a busy machine stalls a task.
pub(super) const CAPACITY: usize = 10;

/// One receiver's pictures.
#[derive(Debug, Default)]
pub(super) struct PictureQueue {
    waiting: VecDeque<Arc<EncodedPicture>>,
    follows: Follows,
    /// The receiver asked for a keyframe itself (PLI or FIR).
    asked: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Follows {
    /// It has had no keyframe yet.
    #[default]
    Nothing,
    /// It has every picture since a keyframe.
    Everything,
    /// It fell behind and lacks some: only a keyframe helps.
    Behind,
}

impl PictureQueue {
    /// Takes in the next picture of the rendition; gives the number of pictures that this receiver loses by it.
    pub(super) fn offer(&mut self, picture: &Arc<EncodedPicture>) -> usize {
        if self.follows == Follows::Everything && self.waiting.len() == CAPACITY {
            self.follows = Follows::Behind;
        }
        if picture.keyframe {
            return self.begin_anew(picture);
        }
        match self.follows {
            Follows::Nothing => 0,
            Follows::Behind => 1,
            Follows::Everything => {
                self.waiting.push_back(picture.clone());
                0
            }
        }
    }

    /// Whether a keyframe is to be made on this receiver's behalf. One that fell behind and still takes nothing has no use
    /// for one: others would pay for it twice a second.
    pub(super) fn wants_keyframe(&self) -> bool {
        self.asked || self.follows != Follows::Everything && self.waiting.is_empty()
    }

    /// The receiver asks for a keyframe.
    pub(super) fn ask(&mut self) {
        self.asked = true;
    }

    /// A receiver that is behind skips to the keyframe; one that keeps up gets what still waits before it.
    fn begin_anew(&mut self, keyframe: &Arc<EncodedPicture>) -> usize {
        self.asked = false;
        let lost = if self.follows == Follows::Behind { self.waiting.drain(..).count() } else { 0 };
        self.follows = Follows::Everything;
        self.waiting.push_back(keyframe.clone());
        lost
    }
}

impl Queue for PictureQueue {
    type Item = Arc<EncodedPicture>;

    fn take(&mut self) -> Option<Self::Item> {
        self.waiting.pop_front()
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::media::MediaTime;

    fn picture(number: u64, keyframe: bool) -> Arc<EncodedPicture> {
        Arc::new(EncodedPicture {
            payloads: Vec::new(),
            at: MediaTime::from_millis(number * 33),
            keyframe,
            number,
            ..EncodedPicture::default()
        })
    }

    fn numbers(queue: &mut PictureQueue) -> Vec<u64> {
        std::iter::from_fn(|| queue.take()).map(|picture| picture.number).collect()
    }

    #[test]
    fn a_newcomer_wants_a_keyframe_and_gets_nothing_before_it() {
        let mut queue = PictureQueue::default();
        assert!(queue.wants_keyframe());
        assert_eq!([queue.offer(&picture(0, false)), queue.offer(&picture(1, true)), queue.offer(&picture(2, false))], [0, 0, 0]);
        assert!(!queue.wants_keyframe());
        assert_eq!(numbers(&mut queue), [1, 2]);
    }

    #[test]
    fn one_that_stalls_keeps_what_it_has_and_forces_nothing_until_it_drains() {
        let mut queue = PictureQueue::default();
        let lost: usize = (0..30).map(|number| queue.offer(&picture(number, number == 0))).sum();
        assert_eq!(lost, 30 - CAPACITY);
        assert!(!queue.wants_keyframe());
        assert_eq!(numbers(&mut queue), (0..CAPACITY as u64).collect::<Vec<_>>());
        assert!(queue.wants_keyframe(), "it drained");
        assert_eq!(queue.offer(&picture(30, false)), 1);
        queue.offer(&picture(31, true));
        assert_eq!(numbers(&mut queue), [31]);
    }

    #[test]
    fn one_that_is_behind_skips_to_a_keyframe_that_others_caused() {
        let mut queue = PictureQueue::default();
        assert_eq!((0..20).map(|number| queue.offer(&picture(number, number == 0))).sum::<usize>(), 20 - CAPACITY);
        assert_eq!(queue.offer(&picture(20, true)), CAPACITY);
        queue.offer(&picture(21, false));
        assert_eq!(numbers(&mut queue), [20, 21]);
    }

    #[test]
    fn asking_is_answered_by_the_next_keyframe() {
        let mut queue = PictureQueue::default();
        queue.offer(&picture(0, true));
        queue.ask();
        queue.offer(&picture(1, false));
        assert!(queue.wants_keyframe());
        queue.offer(&picture(2, true));
        assert!(!queue.wants_keyframe());
        assert_eq!(numbers(&mut queue), [0, 1, 2], "one that keeps up loses nothing by asking");
    }

    proptest! {
        #[test]
        fn what_is_taken_can_always_be_decoded(steps in proptest::collection::vec((prop::bool::weighted(0.05), 0usize..3), 1..300)) {
            let (mut queue, mut last) = (PictureQueue::default(), None);
            for (number, (keyframe, takes)) in (0u64..).zip(steps) {
                queue.offer(&picture(number, keyframe));
                prop_assert!(queue.waiting.len() <= CAPACITY);
                for picture in std::iter::from_fn(|| queue.take()).take(takes) {
                    prop_assert!(picture.keyframe || last == Some(picture.number - 1));
                    last = Some(picture.number);
                }
            }
        }
    }
}
