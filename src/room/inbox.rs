//! Commands on their way to a driver.
//!
//! None may be given up: a lost leave would show somebody for ever. The queue is bounded all the same: a seat sends one
//! join and one leave, and where a newer command makes one that waits pointless, it takes that one's part and goes to the end.

use std::mem::take;

use parking_lot::{Condvar, Mutex};

use super::plan::MOST;
use super::{Change, Command};
use crate::media::{Clock, MediaTime};

/// The commands that wait for a room's next tick.
#[derive(Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Default)]
struct State {
    commands: Vec<Command>,
    /// Commands left so far, those that a newer one has replaced too.
    left: u64,
    stop: bool,
}

/// What a room has to take.
pub(super) struct Batch {
    pub(super) commands: Vec<Command>,
    /// Commands left so far, with these.
    pub(super) left: u64,
}

impl Inbox {
    /// Leaves a command, and gives its number. Never blocks, and wakes nobody: it takes effect at the next tick.
    pub(super) fn send(&self, command: Command) -> u64 {
        let mut state = self.state.lock();
        state.push(command);
        state.left += 1;
        state.left
    }

    /// Ends the wait, now and for ever.
    pub(super) fn stop(&self) {
        self.state.lock().stop = true;
        self.stopped.notify_all();
    }

    /// Waits until `deadline`, then takes all commands; `None` once stopped.
    pub(super) fn wait_until(&self, deadline: MediaTime, clock: &Clock) -> Option<Batch> {
        let mut state = self.state.lock();
        let deadline = clock.instant(deadline);
        while !state.stop && !self.stopped.wait_until(&mut state, deadline).timed_out() {}
        (!state.stop).then(|| Batch { commands: take(&mut state.commands), left: state.left })
    }

    /// The commands that no tick took.
    pub(super) fn rest(&self) -> Vec<Command> {
        take(&mut self.state.lock().commands)
    }
}

impl State {
    fn push(&mut self, mut command: Command) {
        self.commands.retain_mut(|waiting| !command.supersedes(waiting));
        self.bound_plans(&command);
        self.commands.push(command);
    }

    /// More arrangements than the room lets wait for one view: the last is given up, as the room would.
    fn bound_plans(&mut self, command: &Command) {
        let Command::Arrange { view, .. } = command else { return };
        let same = |waiting: &Command| matches!(waiting, Command::Arrange { view: other, .. } if other == view);
        if self.commands.iter().filter(|waiting| same(waiting)).count() >= MOST
            && let Some(last) = self.commands.iter().rposition(same)
        {
            self.commands.remove(last);
        }
    }
}

impl Command {
    /// Whether `waiting` need not be told any more; takes over what of it still counts.
    fn supersedes(&mut self, waiting: &mut Self) -> bool {
        match (self, waiting) {
            (Self::Change(id, newer), Self::Change(other, older)) if id == other => {
                newer.add_to(take(older));
                true
            }
            (Self::Configure(_), Self::Configure(_)) => true,
            (Self::Arrange { view, at, .. }, Self::Arrange { view: other, at: waits_for, .. }) => view == other && *at <= *waits_for,
            (Self::Watch(id, _) | Self::Unwatch(id), Self::Watch(other, _) | Self::Unwatch(other)) => id == other,
            _ => false,
        }
    }
}

impl Change {
    fn add_to(&mut self, older: Self) {
        let newer = take(self);
        *self = Self {
            name: newer.name.or(older.name),
            role: newer.role.or(older.role),
            muted: newer.muted.or(older.muted),
            hidden: newer.hidden.or(older.hidden),
            gain_db: newer.gain_db.or(older.gain_db),
            pinned: newer.pinned.or(older.pinned),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::media::{ParticipantId, ViewName};

    fn rename(id: u32, name: String) -> Command {
        Command::Change(ParticipantId(id), Change { name: Some(name.into()), ..Change::default() })
    }

    fn waiting(inbox: &Inbox) -> Vec<Command> {
        inbox.wait_until(MediaTime::ZERO, &Clock::new()).unwrap().commands
    }

    #[test]
    fn a_newer_change_takes_over_what_still_counts_of_one_that_waits() {
        let inbox = Inbox::default();
        inbox.send(Command::Change(ParticipantId(0), Change { muted: Some(true), ..Change::default() }));
        for n in 0..1000 {
            inbox.send(rename(n % 3, format!("name {n}")));
            inbox.send(Command::Watch(ParticipantId(n % 2), ViewName::main()));
        }
        let waiting = waiting(&inbox);
        assert_eq!(waiting.len(), 5);
        let told = |change: &Change| change.name.as_deref() == Some("name 999") && change.muted == Some(true);
        assert!(waiting.iter().any(|c| matches!(c, Command::Change(ParticipantId(0), change) if told(change))));
    }

    #[test]
    fn every_command_has_a_number_and_a_batch_says_up_to_which_it_goes() {
        let inbox = Inbox::default();
        assert_eq!([1, 1, 2].map(|id| inbox.send(rename(id, "Ada".into()))), [1, 2, 3]);
        let batch = inbox.wait_until(MediaTime::ZERO, &Clock::new()).unwrap();
        assert_eq!((batch.commands.len(), batch.left), (2, 3));
    }

    #[test]
    fn of_arrangements_those_for_an_earlier_time_go_on_waiting_and_they_are_bounded() {
        let inbox = Inbox::default();
        let layout = Arc::new(crate::layout::Layout::default());
        let arrange = |at: Option<u64>| {
            inbox.send(Command::Arrange { view: ViewName::main(), layout: layout.clone(), at: at.map(MediaTime::from_millis) });
        };
        [500, 900, 700].into_iter().for_each(|at| arrange(Some(at)));
        let times: Vec<_> = waiting(&inbox).iter().map(|c| if let Command::Arrange { at, .. } = c { *at } else { None }).collect();
        assert_eq!(times, [Some(MediaTime::from_millis(500)), Some(MediaTime::from_millis(700))]);
        (0..1000).for_each(|at| arrange(Some(at)));
        assert_eq!(waiting(&inbox).len(), MOST);
        (0..5).for_each(|at| arrange(Some(at)));
        arrange(None);
        assert_eq!(waiting(&inbox).len(), 1);
    }

    #[test]
    fn once_stopped_there_is_nothing_to_wait_for() {
        let (inbox, clock) = (Inbox::default(), Clock::new());
        inbox.stop();
        assert!(inbox.wait_until(clock.now() + std::time::Duration::from_secs(3600), &clock).is_none());
    }
}
