//! Whether what an answer gave has left: for bodies that give the newest of something, and nothing while the last is on its way.
//!
//! In: pieces for one client; the word that a connection has nothing left to write. Out: a body. Never: a piece asked for while another
//! is on its way: hyper takes up to 64 KiB from a body before any of it is written, and pictures would grow old in there.

use std::convert::Infallible;

use axum::body::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::watch;

/// What one client is given, piece by piece.
pub(super) trait Pieces: Send {
    /// The next; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Option<Bytes>> + Send;

    /// The one that was given last is out.
    fn is_out(&mut self) {}
}

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

    /// The pieces as a body takes them: each is asked for when the one before is out.
    pub(super) fn paced<P: Pieces>(self, pieces: P) -> impl Stream<Item = Result<Bytes, Infallible>> {
        let paced = Paced { out: self.0.subscribe(), pieces, is_first: true };
        unfold(paced, async |mut paced| Some((Ok(paced.next().await?), paced)))
    }
}

/// Pieces, and where they wait.
struct Paced<P> {
    out: watch::Receiver<()>,
    pieces: P,
    /// None was given yet.
    is_first: bool,
}

impl<P: Pieces> Paced<P> {
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::take(&mut self.is_first) {
            // Where the connection has gone there is nobody left to wait
            let _ = self.out.changed().await;
            self.pieces.is_out();
        }
        let piece = self.pieces.next().await?;
        // It is not out before the next time that everything is
        self.out.mark_unchanged();
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    struct Endless;

    impl Pieces for Endless {
        async fn next(&mut self) -> Option<Bytes> {
            Some(Bytes::from_static(b"x"))
        }
    }

    #[test]
    fn a_piece_is_given_when_the_last_is_out_and_what_was_out_before_says_nothing() {
        let outflow = Outflow::default();
        let mut body = pin!(outflow.clone().paced(Endless));
        let mut is_given = || body.as_mut().poll_next(&mut Context::from_waker(Waker::noop())).is_ready();
        outflow.is_out();
        assert!(is_given() && !is_given());
        outflow.is_out();
        assert!(is_given() && !is_given());
    }
}
