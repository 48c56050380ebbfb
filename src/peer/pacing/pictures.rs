//! The pictures that wait for their turn on one line.
//!
//! In: pictures, how many bytes a tenth of a second takes. Out: their payloads, one at a time; a picture that has begun is finished.
//! Never: a picture whose reference was given up, or a queue of more than a tenth of a second, but for a keyframe and what comes while
//! it passes: where the line is slower than the pictures, the newest are given up until the next keyframe.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::media::{EncodedPicture, MediaTime};

/// What waits.
#[derive(Debug, Default)]
pub(super) struct PictureLine {
    waiting: VecDeque<Waiting>,
    /// Of pictures that are no keyframes, still to leave.
    bytes: usize,
    /// What may wait besides, because a keyframe holds it up: as much as the keyframe itself.
    held_up: usize,
    is_behind: bool,
}

#[derive(Debug)]
struct Waiting {
    picture: Arc<EncodedPicture>,
    since: MediaTime,
    /// The payload that leaves next.
    next: usize,
}

/// One payload on its way out.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) payload: Bytes,
    /// Of its picture.
    pub(super) at: MediaTime,
    pub(super) is_first: bool,
    pub(super) is_last: bool,
    pub(super) keyframe: bool,
    /// Since when its picture has waited.
    pub(super) since: MediaTime,
}

impl Waiting {
    fn rest(&self) -> usize {
        self.picture.payloads[self.next..].iter().map(Bytes::len).sum()
    }
}

impl PictureLine {
    /// Takes a picture where it finds less than `bound` bytes waiting; gives the number of pictures that are lost by it.
    pub(super) fn offer(&mut self, picture: Arc<EncodedPicture>, bound: usize, now: MediaTime) -> usize {
        if picture.payloads.is_empty() {
            return 0;
        }
        let mut lost = 0;
        if picture.keyframe {
            lost = if self.is_behind { self.give_up() } else { 0 };
            self.is_behind = false;
            self.held_up = self.held_up.max(picture.payloads.iter().map(Bytes::len).sum());
        } else if self.is_behind || self.bytes > bound + self.held_up {
            self.is_behind = true;
            return 1;
        }
        let waiting = Waiting { picture, since: now, next: 0 };
        self.bytes += if waiting.picture.keyframe { 0 } else { waiting.rest() };
        self.waiting.push_back(waiting);
        lost
    }

    /// The line is slower than it was: gives up what has not begun where more than `bound` bytes wait, and what has begun where more
    /// than `hopeless` bytes of it are left. Gives the number of pictures that are lost.
    pub(super) fn shorten(&mut self, bound: usize, hopeless: usize) -> usize {
        let all: usize = self.waiting.iter().map(Waiting::rest).sum();
        if all <= bound + self.held_up && all <= hopeless {
            return 0;
        }
        let mut lost = self.give_up();
        if self.waiting.front().is_some_and(|begun| begun.rest() > hopeless) {
            self.waiting.clear();
            (self.bytes, self.held_up) = (0, 0);
            lost += 1;
        }
        self.is_behind |= lost > 0;
        lost
    }

    /// The line is dead: gives up everything. Gives the number of pictures that are lost.
    pub(super) fn clear(&mut self) -> usize {
        let lost = self.waiting.len();
        *self = Self { is_behind: true, ..Self::default() };
        lost
    }

    /// The next payload.
    pub(super) fn take(&mut self) -> Option<Leaving> {
        let front = self.waiting.front_mut()?;
        let picture = &front.picture;
        let payload = picture.payloads[front.next].clone();
        let (is_first, is_last) = (front.next == 0, front.next + 1 == picture.payloads.len());
        let leaving = Leaving { at: picture.at, is_first, is_last, keyframe: picture.keyframe, since: front.since, payload };
        front.next += 1;
        if !leaving.keyframe {
            self.bytes -= leaving.payload.len();
        }
        if is_last {
            self.waiting.pop_front();
        }
        if self.waiting.is_empty() {
            self.held_up = 0;
        }
        Some(leaving)
    }

    /// How long the next has waited.
    pub(super) fn age(&self, now: MediaTime) -> Duration {
        self.waiting.front().map_or(Duration::ZERO, |front| now.since(front.since))
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether only a keyframe helps, and there is room for one.
    pub(super) fn lacks_keyframe(&self) -> bool {
        self.is_behind && self.waiting.is_empty()
    }

    /// All that has not begun.
    fn give_up(&mut self) -> usize {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| waiting.next > 0);
        self.bytes = self.waiting.iter().filter(|waiting| !waiting.picture.keyframe).map(Waiting::rest).sum();
        before - self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn picture(number: u64, keyframe: bool, payloads: usize) -> Arc<EncodedPicture> {
        let payloads = vec![Bytes::from_static(&[0; 100]); payloads];
        Arc::new(EncodedPicture { payloads, at: MediaTime::from_millis(33 * number), keyframe, number, ..EncodedPicture::default() })
    }

    fn taken(line: &mut PictureLine) -> Vec<u64> {
        std::iter::from_fn(|| line.take()).filter(|leaving| leaving.is_last).map(|leaving| leaving.at.as_millis() / 33).collect()
    }

    fn offered(pictures: impl IntoIterator<Item = (bool, usize)>) -> (PictureLine, usize) {
        let mut line = PictureLine::default();
        let offered = (0u64..).zip(pictures).map(|(n, (keyframe, payloads))| picture(n, keyframe, payloads));
        let lost = offered.map(|picture| line.offer(picture, 300, MediaTime::ZERO)).sum();
        (line, lost)
    }

    #[test]
    fn a_slow_line_gives_up_the_newest_until_the_next_keyframe() {
        let (mut line, lost) = offered((0..10).map(|_| (false, 2)));
        assert_eq!((lost, line.lacks_keyframe()), (8, false));
        assert_eq!(taken(&mut line), [0, 1]);
        assert!(line.lacks_keyframe());
        assert_eq!(line.offer(picture(10, false, 1), 300, MediaTime::ZERO), 1);
        assert_eq!(line.offer(picture(11, true, 9), 300, MediaTime::ZERO), 0);
        assert_eq!(taken(&mut line), [11]);
    }

    #[test]
    fn what_comes_while_a_large_keyframe_passes_waits_with_it() {
        let (mut line, lost) = offered([(true, 30), (false, 10), (false, 10), (false, 10), (false, 4), (false, 1)]);
        assert_eq!(lost, 1, "a keyframe's size and a tenth of a second");
        assert_eq!(taken(&mut line), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_picture_that_has_begun_is_finished_and_the_rest_makes_place_for_a_keyframe() {
        let (mut line, _) = offered([(false, 2), (false, 3), (false, 3)]);
        assert!(line.take().unwrap().is_first);
        assert_eq!(line.offer(picture(9, true, 1), 300, MediaTime::ZERO), 1);
        assert_eq!(taken(&mut line), [0, 9]);
    }

    #[test]
    fn a_line_that_becomes_slow_keeps_no_old_queue() {
        let (mut line, _) = offered([(true, 50), (false, 20), (false, 20)]);
        line.take();
        assert_eq!(line.shorten(10_000, 10_000), 0);
        assert_eq!(line.shorten(100, 6000), 2, "more than it will finish soon");
        assert_eq!(line.shorten(100, 1000), 1, "the begun one is beyond hope, too");
        assert!(line.lacks_keyframe());
    }

    proptest! {
        #[test]
        fn every_picture_that_leaves_can_be_decoded(
            steps in proptest::collection::vec((prop::bool::weighted(0.1), 1usize..8, 0usize..10, 0u8..40), 1..300),
        ) {
            let (mut line, mut last) = (PictureLine::default(), None);
            let (mut begun, mut expects_first) = (None, true);
            for (number, (keyframe, payloads, takes, event)) in (0u64..).zip(steps) {
                line.offer(picture(number, keyframe || number == 0, payloads), 600, MediaTime::ZERO);
                prop_assert!(line.bytes <= 600 + line.held_up + 800);
                match event {
                    0 => { line.clear(); expects_first = true; }
                    1 => { line.shorten(300, usize::MAX); }
                    _ => {}
                }
                for leaving in std::iter::from_fn(|| line.take()).take(takes) {
                    prop_assert_eq!(leaving.is_first, expects_first);
                    expects_first = leaving.is_last;
                    let number = leaving.at.as_millis() / 33;
                    prop_assert!(leaving.is_first || begun == Some(number));
                    prop_assert!(!leaving.is_first || leaving.keyframe || last == Some(number - 1));
                    begun = Some(number);
                    last = if leaving.is_last { Some(number) } else { last };
                }
            }
        }
    }
}
