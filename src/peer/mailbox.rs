//! Where the port puts a session's datagrams and the session's stack takes them from.
//!
//! In: datagrams, from the port's receiving task. Out: the same, to the stack; and when the peer was last heard of. Bounded.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use parking_lot::{Mutex, MutexGuard};

use super::flights::{Flights, HANDSHAKE};
use super::whereabouts::Whereabouts;
use crate::media::MediaTime;

/// Datagrams that may wait: more than a second of a camera at 2.5 Mb/s.
const CAPACITY: usize = 512;
/// RFC 8446 §5.1, RFC 7983 §7: the first byte of a DTLS record that carries an alert, such as the sender's farewell.
const DTLS_ALERT: u8 = 21;

/// One session's mailbox.
#[derive(Debug)]
pub(super) struct Mailbox {
    id: u64,
    /// One queue for each address family, because the stack has a socket for each.
    queues: [Queue; 2],
    last_heard: AtomicU64,
    whereabouts: Mutex<Whereabouts>,
    alerted: AtomicBool,
    flights: Mutex<Flights>,
    /// The client's last nomination, until it has been repeated.
    nomination: Mutex<Option<(SocketAddr, Bytes)>>,
    nudged: AtomicBool,
    /// The stack's task has ended, whatever the reason.
    stopped: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    datagrams: Mutex<VecDeque<(SocketAddr, Bytes)>>,
    waker: AtomicWaker,
}

/// Which of a session's two sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    /// The family of an address.
    pub(super) fn of(address: SocketAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

impl Mailbox {
    /// An empty mailbox of the session `id`, unique for the port's lifetime.
    pub(super) fn new(id: u64) -> Self {
        Self {
            id,
            queues: Default::default(),
            last_heard: AtomicU64::new(0),
            whereabouts: Mutex::default(),
            alerted: AtomicBool::new(false),
            flights: Mutex::default(),
            nomination: Mutex::default(),
            nudged: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        }
    }

    /// Whose it is.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Puts one datagram in; `false` where it is full and the datagram is given up.
    pub(super) fn put(&self, datagram: &[u8], from: SocketAddr) -> bool {
        if datagram.first() == Some(&DTLS_ALERT) {
            self.alerted.store(true, Ordering::Relaxed);
        }
        if datagram.first() == Some(&HANDSHAKE) && self.flights.lock().has_all_of(datagram) {
            return true;
        }
        let queue = &self.queues[Family::of(from) as usize];
        let mut datagrams = queue.datagrams.lock();
        if datagrams.len() == CAPACITY {
            return false;
        }
        datagrams.push_back((from, Bytes::copy_from_slice(datagram)));
        drop(datagrams);
        queue.waker.wake();
        true
    }

    /// Keeps a check that nominates its path, which the stack forgets where it has not checked that path itself yet.
    pub(super) fn keep_nomination(&self, datagram: &[u8], from: SocketAddr) {
        *self.nomination.lock() = Some((from, Bytes::copy_from_slice(datagram)));
    }

    /// Puts the kept check in again after a reply from its path, once: the path is nominated when our own check of it
    /// succeeds (RFC 8445 §7.3.1.5), and the stack would wait for the client to repeat itself.
    pub(super) fn repeat_nomination(&self, from: SocketAddr) {
        let kept = self.nomination.lock().take_if(|(path, _)| *path == from);
        if let Some((from, datagram)) = kept {
            self.put(&datagram, from);
        }
    }

    /// Wakes the stack's task, which looks for what is to be sent only when something comes in: it is given an empty
    /// datagram, which it ignores.
    pub(super) fn nudge(&self) {
        self.nudged.store(true, Ordering::Release);
        self.queues.iter().for_each(|queue| queue.waker.wake());
    }

    /// Notes that nobody takes anything out any more.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether nobody takes anything out any more.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// The next datagram of a family, or a wake-up when there is one. One task polls each family.
    pub(super) fn poll_take(&self, family: Family, cx: &mut Context<'_>) -> Poll<(SocketAddr, Bytes)> {
        if let Some(next) = self.take(family) {
            return Poll::Ready(next);
        }
        self.queues[family as usize].waker.register(cx.waker());
        // One may have come between the look and the registration
        self.take(family).map_or(Poll::Pending, Poll::Ready)
    }

    fn take(&self, family: Family) -> Option<(SocketAddr, Bytes)> {
        let datagram = self.queues[family as usize].datagrams.lock().pop_front();
        let nobody = SocketAddr::from(([0; 4], 0));
        datagram.or_else(|| self.nudged.swap(false, Ordering::Acquire).then_some((nobody, Bytes::new())))
    }

    /// Where the client is.
    pub(super) fn whereabouts(&self) -> MutexGuard<'_, Whereabouts> {
        self.whereabouts.lock()
    }

    /// The client was heard where it is known to be.
    pub(super) fn note_heard(&self, now: MediaTime) {
        self.last_heard.store(now.as_nanos(), Ordering::Relaxed);
    }

    /// When the peer was last heard of; the origin where it never was.
    pub(super) fn last_heard(&self) -> MediaTime {
        MediaTime::from_nanos(self.last_heard.load(Ordering::Relaxed))
    }

    /// Whether a DTLS alert came since the last time this was asked.
    pub(super) fn take_alert(&self) -> bool {
        self.alerted.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_mailbox_gives_up_the_newest() {
        let mailbox = Mailbox::new(1);
        let from = SocketAddr::from(([192, 0, 2, 1], 9));
        let taken = (0..CAPACITY + 5).filter(|n| mailbox.put(&[*n as u8], from)).count();
        assert_eq!(taken, CAPACITY);
    }

    #[test]
    fn a_nomination_comes_again_after_the_reply_from_its_path_and_only_then() {
        let mailbox = Mailbox::new(1);
        let [path, other] = [1, 2].map(|port| SocketAddr::from(([192, 0, 2, 1], port)));
        mailbox.keep_nomination(b"nomination", path);
        mailbox.repeat_nomination(other);
        mailbox.repeat_nomination(path);
        mailbox.repeat_nomination(path);
        let datagrams: Vec<_> = mailbox.queues[Family::V4 as usize].datagrams.lock().drain(..).collect();
        assert_eq!(datagrams, [(path, Bytes::from_static(b"nomination"))]);
    }

    #[test]
    fn nudges_wake_the_stack_once_with_an_empty_datagram() {
        let mailbox = Mailbox::new(1);
        mailbox.nudge();
        mailbox.nudge();
        assert!(mailbox.take(Family::V6).is_some_and(|(_, datagram)| datagram.is_empty()));
        assert!(mailbox.take(Family::V4).is_none());
    }

    #[test]
    fn an_alert_is_noticed_once() {
        let mailbox = Mailbox::new(1);
        mailbox.put(&[DTLS_ALERT, 254, 253], SocketAddr::from(([192, 0, 2, 1], 9)));
        mailbox.note_heard(MediaTime::from_millis(3));
        assert!(mailbox.take_alert() && !mailbox.take_alert());
        assert_eq!(mailbox.last_heard(), MediaTime::from_millis(3));
    }
}
