//! Somebody's pictures on their way to being shown: the one that shows, and the few to come.
//!
//! In: pictures, each with the moment from which it shows. Out: the newest that is due at any moment. Never: more than
//! [`MAX_TO_COME`] that are not due yet, or a wait but for the lock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::{MediaTime, Picture};

/// Pictures to come at most: a quarter of a second at 30 a second.
const MAX_TO_COME: usize = 8;

/// Somebody's pictures.
#[derive(Debug, Default)]
pub struct Reel {
    /// In the order in which they came; the first shows, or is the first to show.
    pictures: Mutex<VecDeque<(MediaTime, Picture)>>,
    stalled: AtomicBool,
}

impl Reel {
    /// Adds the next picture, which shows from this moment on. Where too many are to come, it takes the place of the last of them:
    /// those before it stay, so that something is due again and again.
    pub fn put(&self, from: MediaTime, picture: Picture) {
        let mut pictures = self.pictures.lock();
        if pictures.len() > MAX_TO_COME {
            pictures.pop_back();
        }
        pictures.push_back((from, picture));
    }

    /// Forgets them all.
    pub fn clear(&self) {
        self.pictures.lock().clear();
    }

    /// The newest picture that is due at `now`; the first, where none is yet. What came before it is forgotten.
    pub fn at(&self, now: MediaTime) -> Option<Picture> {
        let mut pictures = self.pictures.lock();
        if let Some(due) = pictures.iter().rposition(|(from, _)| *from <= now) {
            pictures.drain(..due);
        }
        pictures.front().map(|(_, picture)| picture.clone())
    }

    /// Whether there is any.
    pub fn is_empty(&self) -> bool {
        self.pictures.lock().is_empty()
    }

    /// Notes whether what shows stands still though it should move.
    pub fn note_stalled(&self, stalled: bool) {
        self.stalled.store(stalled, Ordering::Relaxed);
    }

    /// Whether what shows stands still though it should move.
    pub fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::media::Frame;

    const AT: fn(u64) -> MediaTime = MediaTime::from_millis;

    fn put(reel: &Reel, from: u64) {
        reel.put(AT(from), Picture { frame: Arc::new(Frame::black(16, 16)), at: AT(from) });
    }

    fn shown(reel: &Reel, at: u64) -> Option<u64> {
        reel.at(AT(at)).map(|picture| picture.at.as_millis())
    }

    #[test]
    fn the_newest_picture_that_is_due_shows_and_the_first_at_once() {
        let reel = Reel::default();
        assert_eq!((shown(&reel, 0), reel.is_empty()), (None, true));
        [100, 133, 166].into_iter().for_each(|from| put(&reel, from));
        assert_eq!([50, 132, 133, 120, 400].map(|at| shown(&reel, at).unwrap()), [100, 100, 133, 133, 166]);
        reel.clear();
        assert_eq!(shown(&reel, 500), None);
    }

    #[test]
    fn a_picture_that_overtakes_others_is_the_newest() {
        let reel = Reel::default();
        [100, 300, 200].into_iter().for_each(|from| put(&reel, from));
        assert_eq!([150, 250, 350].map(|at| shown(&reel, at).unwrap()), [100, 200, 200]);
    }

    #[test]
    fn those_to_come_are_bounded_and_what_is_due_never_stops() {
        let reel = Reel::default();
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..1000 {
            put(&reel, 10 * n + 250);
            assert!(reel.pictures.lock().len() <= MAX_TO_COME + 1);
            seen.insert(shown(&reel, 10 * n).unwrap());
        }
        assert!(seen.len() > 200, "{} of a thousand pictures at 100 a second", seen.len());
    }
}
