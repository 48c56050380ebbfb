//! Commands on their way to a driver.
//!
//! None may be given up: a lost leave would show somebody for ever. The queue is bounded all the same: a seat sends one
//! join and one leave, and a newer name or layout takes the place of one still waiting.

use std::mem::{discriminant, replace, take};

use parking_lot::{Condvar, Mutex};

use super::Command;
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
    stop: bool,
}

impl Inbox {
    /// Leaves a command. Never blocks, and wakes nobody: it takes effect at the next tick.
    pub(super) fn send(&self, command: Command) {
        let commands = &mut self.state.lock().commands;
        match commands.iter_mut().find(|waiting| supersedes(&command, waiting)) {
            Some(waiting) => drop(replace(waiting, command)),
            None => commands.push(command),
        }
    }

    /// Ends the wait, now and for ever.
    pub(super) fn stop(&self) {
        self.state.lock().stop = true;
        self.stopped.notify_all();
    }

    /// Waits until `deadline`, then takes all commands; `None` once stopped.
    pub(super) fn wait_until(&self, deadline: MediaTime, clock: &Clock) -> Option<Vec<Command>> {
        let mut state = self.state.lock();
        let deadline = clock.instant(deadline);
        while !state.stop && !self.stopped.wait_until(&mut state, deadline).timed_out() {}
        (!state.stop).then(|| take(&mut state.commands))
    }
}

fn supersedes(newer: &Command, waiting: &Command) -> bool {
    match (newer, waiting) {
        (Command::Rename(newer, _), Command::Rename(waiting, _)) => newer == waiting,
        (Command::SetLayout(_), _) => discriminant(newer) == discriminant(waiting),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::ParticipantId;
    use crate::room::Layout;

    #[test]
    fn a_newer_name_or_layout_replaces_one_that_waits() {
        let inbox = Inbox::default();
        for n in 0..1000 {
            inbox.send(Command::Rename(ParticipantId(n % 3), format!("name {n}").into()));
            inbox.send(Command::SetLayout(Layout::Speaker));
        }
        let waiting = inbox.wait_until(MediaTime::ZERO, &Clock::new()).unwrap();
        assert_eq!(waiting.len(), 4);
        assert!(waiting.iter().any(|c| matches!(c, Command::Rename(ParticipantId(0), name) if &**name == "name 999")));
    }

    #[test]
    fn once_stopped_there_is_nothing_to_wait_for() {
        let (inbox, clock) = (Inbox::default(), Clock::new());
        inbox.stop();
        assert!(inbox.wait_until(clock.now() + std::time::Duration::from_secs(3600), &clock).is_none());
    }
}
