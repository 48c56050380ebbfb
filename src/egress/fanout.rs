//! From one thread that encodes to any number of tasks that send: one bounded queue for each.
//!
//! In: what was encoded, once. Out: to each receiver what its own queue keeps for it. Never: a wait for a receiver; what a
//! queue does when it is full is its own matter, and whoever stalls loses only what is theirs.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

/// What waits for one receiver.
pub(super) trait Queue: Send {
    /// What is taken.
    type Item;
    /// Takes the next.
    fn take(&mut self) -> Option<Self::Item>;
    /// Whether nothing waits.
    fn is_empty(&self) -> bool;
}

/// All receivers of one rendition, or of one room's sound.
#[derive(Debug)]
pub(super) struct Fanout<Q>(Mutex<Receivers<Q>>);

#[derive(Debug)]
struct Receivers<Q> {
    inboxes: BTreeMap<u64, Arc<Inbox<Q>>>,
    next_id: u64,
    closed: bool,
}

#[derive(Debug)]
struct Inbox<Q> {
    state: Mutex<Waiting<Q>>,
    arrived: Notify,
}

#[derive(Debug)]
struct Waiting<Q> {
    queue: Q,
    closed: bool,
}

impl<Q> Default for Fanout<Q> {
    fn default() -> Self {
        Self(Mutex::new(Receivers { inboxes: BTreeMap::new(), next_id: 0, closed: false }))
    }
}

impl<Q: Queue> Fanout<Q> {
    /// One more receiver, with its empty queue; it gets nothing where the fan-out is closed.
    pub(super) fn subscribe(self: &Arc<Self>, queue: Q) -> Receiver<Q> {
        self.enter(self.0.lock(), queue)
    }

    /// One more receiver; `None` where the fan-out is closed.
    pub(super) fn subscribe_if_open(self: &Arc<Self>, queue: Q) -> Option<Receiver<Q>> {
        let receivers = self.0.lock();
        (!receivers.closed).then(|| self.enter(receivers, queue))
    }

    fn enter(self: &Arc<Self>, mut receivers: MutexGuard<'_, Receivers<Q>>, queue: Q) -> Receiver<Q> {
        let state = Mutex::new(Waiting { queue, closed: receivers.closed });
        let inbox = Arc::new(Inbox { state, arrived: Notify::new() });
        let id = receivers.next_id;
        receivers.next_id += 1;
        receivers.inboxes.insert(id, inbox.clone());
        Receiver { id, inbox, fanout: self.clone() }
    }

    /// Whether nobody receives.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many receive.
    pub(super) fn len(&self) -> usize {
        self.0.lock().inboxes.len()
    }

    /// Closes it where nobody receives, so that nobody can come in between; whether it did.
    pub(super) fn close_unless_received(&self) -> bool {
        let mut receivers = self.0.lock();
        receivers.closed |= receivers.inboxes.is_empty();
        receivers.closed
    }

    /// Whether nobody gets anything any more.
    pub(super) fn is_closed(&self) -> bool {
        self.0.lock().closed
    }

    /// Whether it is so for any receiver.
    pub(super) fn any(&self, is_so: impl Fn(&Q) -> bool) -> bool {
        self.0.lock().inboxes.values().any(|inbox| is_so(&inbox.state.lock().queue))
    }

    /// Visits each receiver's queue, in order of subscription, and wakes those for whom something waits.
    pub(super) fn each(&self, mut visit: impl FnMut(&mut Q)) {
        for inbox in self.0.lock().inboxes.values() {
            let mut state = inbox.state.lock();
            visit(&mut state.queue);
            if !state.queue.is_empty() {
                inbox.arrived.notify_one();
            }
        }
    }

    /// Ends it for everybody, now and later: what waits is still taken.
    fn close(&self) {
        let mut receivers = self.0.lock();
        receivers.closed = true;
        for inbox in receivers.inboxes.values() {
            inbox.state.lock().closed = true;
            inbox.arrived.notify_one();
        }
    }
}

/// The sending end, held by the thread that encodes: receivers end with it, even where it panics.
#[derive(Debug)]
pub(super) struct Publisher<Q: Queue>(pub(super) Arc<Fanout<Q>>);

impl<Q: Queue> Drop for Publisher<Q> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The receiving end. Dropping it unsubscribes.
#[derive(Debug)]
pub(super) struct Receiver<Q: Queue> {
    id: u64,
    inbox: Arc<Inbox<Q>>,
    fanout: Arc<Fanout<Q>>,
}

impl<Q: Queue> Receiver<Q> {
    /// The next item, waiting for it; `None` at the end. Cancel-safe: an item is taken only where it is given back.
    pub(super) async fn next(&mut self) -> Option<Q::Item> {
        loop {
            {
                let mut state = self.inbox.state.lock();
                let item = state.queue.take();
                if item.is_some() || state.closed {
                    return item;
                }
            }
            // An arrival between the look above and this wait has left its permit.
            self.inbox.arrived.notified().await;
        }
    }

    /// Where it gets everything from.
    pub(super) fn fanout(&self) -> Arc<Fanout<Q>> {
        self.fanout.clone()
    }

    /// Tells the queue something.
    pub(super) fn tell(&self, tell: impl FnOnce(&mut Q)) {
        tell(&mut self.inbox.state.lock().queue);
    }
}

impl<Q: Queue> Drop for Receiver<Q> {
    fn drop(&mut self) {
        self.fanout.0.lock().inboxes.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use pollster::block_on;

    use super::*;

    #[derive(Debug, Default)]
    struct Numbers(VecDeque<u32>);

    impl Queue for Numbers {
        type Item = u32;
        fn take(&mut self) -> Option<u32> {
            self.0.pop_front()
        }
        fn is_empty(&self) -> bool {
            self.0.is_empty()
        }
    }

    #[test]
    fn everybody_gets_everything_from_their_subscription_on() {
        let publisher = Publisher(Arc::new(Fanout::<Numbers>::default()));
        let mut first = publisher.0.subscribe(Numbers::default());
        publisher.0.each(|queue| queue.0.push_back(1));
        let mut second = publisher.0.subscribe(Numbers::default());
        publisher.0.each(|queue| queue.0.push_back(2));
        drop(publisher);
        assert_eq!([block_on(first.next()), block_on(first.next()), block_on(first.next())], [Some(1), Some(2), None]);
        assert_eq!([block_on(second.next()), block_on(second.next())], [Some(2), None]);
    }

    #[test]
    fn one_that_waits_is_woken_by_an_arrival_and_by_the_end() {
        let publisher = Publisher(Arc::new(Fanout::<Numbers>::default()));
        let mut receiver = publisher.0.subscribe(Numbers::default());
        let waiter = std::thread::spawn(move || [block_on(receiver.next()), block_on(receiver.next())]);
        publisher.0.each(|queue| queue.0.push_back(7));
        drop(publisher);
        assert_eq!(waiter.join().unwrap(), [Some(7), None]);
    }

    #[test]
    fn one_that_leaves_is_forgotten_and_one_that_comes_too_late_is_told_so() {
        let publisher = Publisher(Arc::new(Fanout::<Numbers>::default()));
        drop(publisher.0.subscribe(Numbers::default()));
        assert!(publisher.0.is_empty());
        let fanout = publisher.0.clone();
        drop(publisher);
        assert_eq!(block_on(fanout.subscribe(Numbers::default()).next()), None);
    }

    #[test]
    fn it_closes_for_want_of_receivers_only_while_there_are_none() {
        let fanout = Arc::new(Fanout::<Numbers>::default());
        let receiver = fanout.subscribe_if_open(Numbers::default());
        assert!(receiver.is_some() && !fanout.close_unless_received());
        drop(receiver);
        assert!(fanout.close_unless_received());
        assert!(fanout.subscribe_if_open(Numbers::default()).is_none(), "nobody comes in after that");
    }
}
