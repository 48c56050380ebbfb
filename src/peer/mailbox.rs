//! Where the port puts a session's datagrams and the session's stack takes them from.
//!
//! In: datagrams, from the port's receiving task. Out: the same, to the stack; and when the peer was last heard of. Bounded.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

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
    alerted: AtomicBool,
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
        Self { id, queues: Default::default(), last_heard: AtomicU64::new(0), alerted: AtomicBool::new(false) }
    }

    /// Whose it is.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Puts one datagram in; `false` where it is full and the datagram is given up.
    pub(super) fn put(&self, datagram: &[u8], from: SocketAddr, now: MediaTime) -> bool {
        self.last_heard.store(now.as_nanos(), Ordering::Relaxed);
        if datagram.first() == Some(&DTLS_ALERT) {
            self.alerted.store(true, Ordering::Relaxed);
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

    /// The next datagram of a family, or a wake-up when there is one. One task polls each family.
    pub(super) fn poll_take(&self, family: Family, cx: &mut Context<'_>) -> Poll<(SocketAddr, Bytes)> {
        let queue = &self.queues[family as usize];
        if let Some(next) = queue.datagrams.lock().pop_front() {
            return Poll::Ready(next);
        }
        queue.waker.register(cx.waker());
        // One may have come between the look and the registration
        queue.datagrams.lock().pop_front().map_or(Poll::Pending, Poll::Ready)
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
        let taken = (0..CAPACITY + 5).filter(|n| mailbox.put(&[*n as u8], from, MediaTime::ZERO)).count();
        assert_eq!(taken, CAPACITY);
    }

    #[test]
    fn an_alert_is_noticed_once() {
        let mailbox = Mailbox::new(1);
        mailbox.put(&[DTLS_ALERT, 254, 253], SocketAddr::from(([192, 0, 2, 1], 9)), MediaTime::from_millis(3));
        assert!(mailbox.take_alert() && !mailbox.take_alert());
        assert_eq!(mailbox.last_heard(), MediaTime::from_millis(3));
    }
}
