//! Arrangements of one view that wait for their time.
//!
//! One that is asked for takes the place of those that wait for its own time or a later one: what was asked for last is what
//! stays. Those that wait for an earlier time come first, and then it. At most [`MOST`] wait; a further one takes the last's place.

use std::sync::Arc;

use crate::layout::Layout;
use crate::media::MediaTime;

/// Arrangements that wait for one view at most.
pub(super) const MOST: usize = 16;

/// What waits, in the order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan(Vec<(MediaTime, Arc<Layout>)>);

impl Plan {
    /// Lets a layout wait for `at`.
    pub(super) fn put(&mut self, at: MediaTime, layout: Arc<Layout>) {
        self.0.retain(|(waiting, _)| *waiting < at);
        self.0.truncate(MOST - 1);
        self.0.push((at, layout));
    }

    /// The newest that is due by `now`.
    pub(super) fn take_due(&mut self, now: MediaTime) -> Option<Arc<Layout>> {
        let due = self.0.iter().take_while(|(at, _)| *at <= now).count();
        self.0.drain(..due).next_back().map(|(_, layout)| layout)
    }

    /// What it comes to in the end; `None` where nothing waits.
    pub(super) fn last(&self) -> Option<&Arc<Layout>> {
        self.0.last().map(|(_, layout)| layout)
    }

    /// Gives everything up.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
