//! Whether there is a picture of somebody.
//!
//! In: their newest picture, looked for every 20 ms. Out: whether they can be shown, and when that changes for good.

use std::sync::Arc;
use std::time::Duration;

use crate::media::{MediaTime, Reel};

/// A picture that is gone for less is waited for: nobody changes places for a hiccup.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is known of somebody's pictures.
#[derive(Default)]
pub(super) struct Sight {
    newest: Option<Arc<Reel>>,
    seen: Seen,
    stalled: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Seen {
    #[default]
    Never,
    There,
    /// Gone since.
    Missing(MediaTime),
    /// Gone for longer than [`PATIENCE`].
    Stalled,
}

impl Sight {
    pub(super) fn new(newest: Option<Arc<Reel>>) -> Self {
        let seen = if newest.as_ref().is_some_and(|newest| !newest.is_empty()) { Seen::There } else { Seen::Never };
        Self { newest, seen, stalled: false }
    }

    /// Whether they send pictures at all.
    pub(super) fn sends(&self) -> bool {
        self.newest.is_some()
    }

    /// Whether there is a picture at this very moment.
    pub(super) fn present(&self) -> bool {
        self.newest.as_ref().is_some_and(|newest| !newest.is_empty())
    }

    /// Whether they are to be shown with a picture: there is one, or was a moment ago.
    pub(super) fn shown(&self) -> bool {
        matches!(self.seen, Seen::There | Seen::Missing(_))
    }

    /// Looks for a picture; gives whether they stall, in that it stands still or is gone, (`true`) or come again (`false`), where that
    /// is new.
    pub(super) fn look(&mut self, at: MediaTime) -> Option<bool> {
        let before = self.seen;
        self.seen = match (self.present(), before) {
            (true, _) => Seen::There,
            (false, Seen::There) => Seen::Missing(at),
            (false, Seen::Missing(since)) if at.since(since) >= PATIENCE => Seen::Stalled,
            (false, seen) => seen,
        };
        let stalled = match self.seen {
            Seen::There => self.newest.as_ref().is_some_and(|newest| newest.is_stalled()),
            Seen::Stalled => true,
            Seen::Never | Seen::Missing(_) => self.stalled,
        };
        let is_new = std::mem::replace(&mut self.stalled, stalled) != stalled;
        is_new.then_some(stalled)
    }

    /// Whether their picture stands still though it should move, or is gone.
    pub(super) fn stalled(&self) -> bool {
        self.stalled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Frame, Picture};

    #[test]
    fn a_picture_stalls_once_it_is_gone_for_a_second_and_comes_again() {
        let newest = Arc::new(Reel::default());
        let picture = || Picture { frame: Arc::new(Frame::black(16, 16)), at: MediaTime::ZERO };
        let mut sight = Sight::new(Some(newest.clone()));
        let mut look = |ms: u64| (sight.look(MediaTime::from_millis(ms)), sight.shown());
        assert_eq!(look(5000), (None, false), "who never sent a picture does not stall");
        newest.put(MediaTime::ZERO, picture());
        assert_eq!(look(5020), (None, true));
        newest.clear();
        assert_eq!([look(6000), look(6980), look(7000)], [(None, true), (None, true), (Some(true), false)]);
        newest.put(MediaTime::ZERO, picture());
        assert_eq!([look(9000), look(9020)], [(Some(false), true), (None, true)]);
        newest.note_stalled(true);
        assert_eq!([look(9040), look(9060)], [(Some(true), true), (None, true)], "it is still shown");
        newest.clear();
        assert_eq!([look(9080), look(11_000)], [(None, true), (None, false)], "and stalls but once");
    }
}
