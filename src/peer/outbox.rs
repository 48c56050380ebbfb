//! The way from a session into its stack: packets that leave when the stack's task next looks.
//!
//! In: packets. Out: the same, in order, by the last link of the chain (`interceptors::tap`). Never: a wait; what the stack is too
//! far behind for is dropped and counted.

use std::sync::Arc;

use rtc::interceptor::Packet;
use tokio::sync::mpsc;

use super::mailbox::Mailbox;
use crate::metrics::Metrics;

/// One session's way out.
#[derive(Clone, Debug)]
pub(super) struct Outbox {
    pub(super) packets: mpsc::Sender<Packet>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) metrics: Metrics,
}

impl Outbox {
    /// Puts a packet in; whether there was room. It leaves with the next [`Outbox::send`].
    pub(super) fn put(&self, packet: Packet) -> bool {
        let is_in = self.packets.try_send(packet).is_ok();
        if !is_in {
            self.metrics.count_dropped("stack_behind");
        }
        is_in
    }

    /// Has the stack send what was put in.
    pub(super) fn send(&self) {
        self.mailbox.nudge();
    }
}
