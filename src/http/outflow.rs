//! Whether what an answer gave has left: for bodies that give the newest of something, and nothing while the last is on its way.
//!
//! hyper takes up to 64 KiB from a body before any of it is written: pictures would grow old in there.

use tokio::sync::watch;

/// One connection's, kept by its stream and handed to each request. Cloning shares it.
#[derive(Clone, Debug)]
pub(super) struct Outflow(watch::Sender<()>);

impl Default for Outflow {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl Outflow {
    /// Everything that the connection was given is with the system.
    pub(super) fn is_out(&self) {
        self.0.send_replace(());
    }

    /// For one body.
    pub(super) fn outlet(&self) -> Outlet {
        Outlet(self.0.subscribe())
    }
}

/// What a body waits at.
#[derive(Debug)]
pub(super) struct Outlet(watch::Receiver<()>);

impl Outlet {
    /// Something is about to be given: it is not out before the next time that everything is.
    pub(super) fn give(&mut self) {
        self.0.mark_unchanged();
    }

    /// Waits until what was given last is out. Cancel-safe.
    pub(super) async fn is_out(&mut self) {
        // Where the connection has gone there is nobody left to wait
        let _ = self.0.changed().await;
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn is_ready(outlet: &mut Outlet) -> bool {
        pin!(outlet.is_out()).poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    #[test]
    fn what_was_out_before_says_nothing_of_what_is_given_next() {
        let outflow = Outflow::default();
        let mut outlet = outflow.outlet();
        outflow.is_out();
        outlet.give();
        assert!(!is_ready(&mut outlet));
        outflow.is_out();
        assert!(is_ready(&mut outlet) && !is_ready(&mut outlet));
    }
}
