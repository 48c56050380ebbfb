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
        (Command::Configure(_), _) => discriminant(newer) == discriminant(waiting),
        _ => false,
    }
}
