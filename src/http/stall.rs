//! A stream that gives up where its peer takes nothing for too long: the slow-read counterpart of a header time-out.
//!
//! hyper has time-outs for what is read but none for what is written.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::outflow::Outflow;

/// A stream whose writes fail where none gets through for `patience`, and which tells when all that it was given is out.
pub(super) struct Stallable<S> {
    stream: S,
    patience: Duration,
    outflow: Outflow,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> Stallable<S> {
    pub(super) fn new(stream: S, patience: Duration, outflow: Outflow) -> Self {
        Self { stream, patience, outflow, waiting: None }
    }

    /// Passes on what a write came to; the wait begins with the first that is pending and ends with any that is not.
    fn within_patience<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let patience = self.patience;
        #[expect(clippy::disallowed_methods, reason = "the connection's driver: a time-out, not a pause")]
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(waiting.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stallable<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stallable<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, from);
        self.within_patience(cx, written)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, from);
        self.within_patience(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() {
            self.outflow.is_out();
        }
        self.within_patience(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.within_patience(cx, shut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_reader_that_takes_nothing_is_cut() {
        let (near, _far) = tokio::io::duplex(16);
        let error = Stallable::new(near, Duration::from_millis(5), Outflow::default()).write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_reader_that_takes_a_little_at_a_time_is_served() {
        let (near, mut far) = tokio::io::duplex(16);
        let mut near = Stallable::new(near, Duration::from_secs(10), Outflow::default());
        let writing = tokio::spawn(async move { near.write_all(&[7; 64]).await });
        let mut taken = [0; 64];
        far.read_exact(&mut taken).await.unwrap();
        writing.await.unwrap().unwrap();
        assert_eq!(taken, [7; 64]);
    }
}
