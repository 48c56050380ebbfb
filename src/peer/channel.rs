//! The data channel `medley` of one client: messages between it and the room (`rooms::talk`).
//!
//! In: the channels that the client opens, its messages. Out: the room's messages, only as fast as the client takes them. Never: a
//! second channel, a wait that the session's media would feel, or trust in how much a client sends.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::Instrument;
use webrtc::data_channel::{DataChannel, DataChannelEvent};

use crate::media::Clock;
use crate::rooms::talk::{Heard, TalkLine, Verdict};

/// The one channel that is served.
const LABEL: &str = "medley";
/// Channels that may wait to be looked at.
pub(super) const CAPACITY: usize = 16;
/// Channels of one session in all: a page opens one, and another where that was closed.
const MOST: usize = 16;
/// What may be on its way to a client that does not read, in bytes.
pub(super) const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// A channel as the stack gives it.
pub(super) type Opened = Arc<dyn DataChannel>;

/// The task that serves a session's channel. Dropping it ends the task.
#[derive(Debug)]
pub(super) struct Channel(JoinHandle<()>);

impl Channel {
    /// Serves what comes of `opened`. `offset`: see [`TalkLine::open`].
    pub(super) fn serve(opened: mpsc::Receiver<Opened>, line: Arc<TalkLine>, clock: Clock, offset: Option<u32>) -> Self {
        let service = Service { line, clock, offset, current: None, seen: 0 };
        Self(tokio::spawn(service.run(opened).in_current_span()))
    }

    /// Whether the client has opened more channels than anybody needs: each costs the stack memory, so that the session is to end.
    pub(super) fn is_abused(&self) -> bool {
        self.0.is_finished()
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the task works with.
struct Service {
    line: Arc<TalkLine>,
    clock: Clock,
    offset: Option<u32>,
    current: Option<Opened>,
    /// Channels so far.
    seen: usize,
}

/// One thing that happened.
enum Event {
    Opened(Opened),
    Channel(Option<DataChannelEvent>),
    Letter(Arc<str>),
}

impl Service {
    async fn run(mut self, mut opened: mpsc::Receiver<Opened>) {
        while self.seen <= MOST {
            match self.next(&mut opened).await {
                Event::Opened(channel) => self.take(channel).await,
                Event::Channel(Some(DataChannelEvent::OnMessage(message))) => {
                    let heard = if message.is_string { Heard::Text(&message.data) } else { Heard::Binary };
                    if self.line.hear(self.clock.now(), heard) == Verdict::Close {
                        tracing::info!("the client floods its data channel, which is closed");
                        self.close().await;
                    }
                }
                Event::Channel(Some(DataChannelEvent::OnClose) | None) => self.close().await,
                Event::Channel(Some(_)) => {}
                Event::Letter(text) => self.send(&text).await,
            }
        }
        tracing::info!(channels = self.seen, "the client opens ever more data channels");
        self.close().await;
    }

    /// The next thing that happens. Cancel-safe throughout.
    async fn next(&self, opened: &mut mpsc::Receiver<Opened>) -> Event {
        tokio::select! {
            Some(channel) = opened.recv() => Event::Opened(channel),
            event = next_event(self.current.as_deref()) => Event::Channel(event),
            text = next_letter(self.current.as_deref(), &self.line) => Event::Letter(text),
        }
    }

    async fn take(&mut self, channel: Opened) {
        self.seen += 1;
        let label = channel.label().await.unwrap_or_default();
        if self.current.is_some() || label != LABEL {
            tracing::debug!(label = label.chars().take(40).collect::<String>(), "a data channel that nobody serves");
            let _ = channel.close().await;
            return;
        }
        tracing::debug!("data channel open");
        self.line.open(self.clock.now(), self.offset);
        self.current = Some(channel);
    }

    async fn send(&self, text: &str) {
        let Some(channel) = &self.current else { return };
        if let Err(error) = channel.send_text(text).await {
            tracing::debug!(%error, bytes = text.len(), "message not sent");
        }
    }

    async fn close(&mut self) {
        self.line.close();
        if let Some(channel) = self.current.take() {
            // It may be closed already
            let _ = channel.close().await;
        }
    }
}

async fn next_event(channel: Option<&dyn DataChannel>) -> Option<DataChannelEvent> {
    match channel {
        Some(channel) => channel.poll().await,
        None => std::future::pending().await,
    }
}

/// The next message for the client, once it takes one.
async fn next_letter(channel: Option<&dyn DataChannel>, line: &TalkLine) -> Arc<str> {
    let Some(channel) = channel else { return std::future::pending().await };
    if channel.writable().await.is_err() {
        // Its end comes as an event
        return std::future::pending().await;
    }
    line.next().await
}
