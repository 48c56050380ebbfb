//! How values pass between threads without ever queueing up: newest-wins slots.
//!
//! Bounded queues are the channel crates' own; what they drop is counted by whoever sends (see [`crate::metrics`]).

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// A place for one value between two threads: a newer one replaces one that was not taken.
#[derive(Debug)]
pub struct Slot<T>(Arc<Shared<T>>);

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    value: Option<T>,
    closed: bool,
}

/// What a wait on a [`Slot`] ended with.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken<T> {
    /// A value.
    Value(T),
    /// Nothing came in time.
    TimedOut,
    /// The slot was closed and is empty.
    Closed,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Arc::new(Shared { state: Mutex::new(State { value: None, closed: false }), changed: Condvar::new() }))
    }
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Slot<T> {
    /// Puts a value; gives back the one it replaced, for the sender to count.
    pub fn put(&self, value: T) -> Option<T> {
        let replaced = self.0.state.lock().value.replace(value);
        self.0.changed.notify_one();
        replaced
    }

    /// Takes the value, waiting for one at most `patience`.
    pub fn take(&self, patience: Duration) -> Taken<T> {
        let mut state = self.0.state.lock();
        if state.value.is_none() && !state.closed {
            self.0.changed.wait_while_for(&mut state, |s| s.value.is_none() && !s.closed, patience);
        }
        match state.value.take() {
            Some(value) => Taken::Value(value),
            None if state.closed => Taken::Closed,
            None => Taken::TimedOut,
        }
    }

    /// Ends the slot: whoever waits is woken and told.
    pub fn close(&self) {
        self.0.state.lock().closed = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_value_replaces_one_that_was_not_taken() {
        let slot = Slot::default();
        assert_eq!(slot.put(1), None);
        assert_eq!(slot.put(2), Some(1));
        assert_eq!(slot.take(Duration::ZERO), Taken::Value(2));
        assert_eq!(slot.take(Duration::ZERO), Taken::TimedOut);
    }

    #[test]
    fn closing_wakes_the_waiter_after_the_last_value() {
        let slot = Slot::default();
        let waiter = slot.clone();
        let thread = std::thread::spawn(move || waiter.take(Duration::from_secs(60)));
        slot.close();
        assert_eq!(thread.join().unwrap(), Taken::<u8>::Closed);
        slot.put(3);
        assert_eq!(slot.take(Duration::ZERO), Taken::Value(3));
        assert_eq!(slot.take(Duration::ZERO), Taken::Closed);
    }
}
