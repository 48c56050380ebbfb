//! What waits for one client: of each thing that changes the newest, and what people said, in order.
//!
//! In: messages, from whatever thread. Out: one at a time, as the client takes them. Never: a wait, or more than a handful and
//! [`CHATS`]; what is given up is counted.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::message::ToClient;
use crate::metrics::Metrics;

/// What people say waits in a queue of this length: more than a newcomer is told.
const CHATS: usize = 64;
/// Things of which only the newest counts, first to be sent first.
const KINDS: usize = 7;

/// One client's letters.
#[derive(Debug)]
pub(super) struct Letters {
    waiting: Mutex<Waiting>,
    came: Notify,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct Waiting {
    newest: [Option<Arc<str>>; KINDS],
    chats: VecDeque<Arc<str>>,
}

impl Letters {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self { waiting: Mutex::default(), came: Notify::new(), metrics }
    }

    /// Forgets what waits.
    pub(super) fn clear(&self) {
        *self.waiting.lock() = Waiting::default();
    }

    pub(super) fn put(&self, message: &ToClient) {
        self.put_text(message, message.text());
    }

    /// A message with its text, which others may share.
    pub(super) fn put_text(&self, message: &ToClient, text: Arc<str>) {
        let Some(kind) = kind(message) else { return self.put_chat(text) };
        if self.waiting.lock().newest[kind].replace(text).is_some() {
            self.metrics.count_dropped("talk_outdated");
        }
        self.came.notify_one();
    }

    /// Something that was said; the oldest goes where there is no room.
    pub(super) fn put_chat(&self, text: Arc<str>) {
        let mut waiting = self.waiting.lock();
        if waiting.chats.len() == CHATS {
            waiting.chats.pop_front();
            self.metrics.count_dropped("talk_behind");
        }
        waiting.chats.push_back(text);
        drop(waiting);
        self.came.notify_one();
    }

    /// The next one. Cancel-safe; for one reader.
    pub(super) async fn next(&self) -> Arc<str> {
        loop {
            if let Some(text) = self.waiting.lock().take() {
                return text;
            }
            self.came.notified().await;
        }
    }
}

impl Waiting {
    fn take(&mut self) -> Option<Arc<str>> {
        self.newest.iter_mut().find_map(Option::take).or_else(|| self.chats.pop_front())
    }
}

/// Its place among what only counts in its newest form.
fn kind(message: &ToClient) -> Option<usize> {
    match message {
        ToClient::Hello { .. } => Some(0),
        ToClient::Roster { .. } => Some(1),
        ToClient::Tiles { .. } => Some(2),
        ToClient::Speaker { .. } => Some(3),
        ToClient::Send { .. } => Some(4),
        ToClient::Quality(_) => Some(5),
        ToClient::Error { .. } => Some(6),
        ToClient::Chat { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn send(bps: u32) -> ToClient {
        ToClient::Send { width: 2, height: 2, bps }
    }

    fn next(letters: &Letters) -> Option<Arc<str>> {
        letters.next().now_or_never()
    }

    #[test]
    fn who_does_not_read_gets_the_newest_of_what_changes_and_the_last_of_what_was_said() {
        let metrics = Metrics::default();
        let letters = Letters::new(metrics.clone());
        (0..100).for_each(|n| letters.put(&send(n)));
        (0..100).for_each(|n| letters.put_chat(n.to_string().into()));
        assert_eq!(next(&letters), Some(send(99).text()));
        assert_eq!(next(&letters).as_deref(), Some("36"));
        assert_eq!(std::iter::from_fn(|| next(&letters)).count(), 63);
        let text = metrics.text();
        assert!(text.contains("reason=\"talk_outdated\"} 99") && text.contains("reason=\"talk_behind\"} 36"), "{text}");
    }

    #[test]
    fn a_letter_wakes_who_waits_for_it() {
        let letters = Letters::new(Metrics::default());
        let mut waiting = Box::pin(letters.next());
        assert_eq!(waiting.as_mut().now_or_never(), None);
        letters.put(&send(1));
        assert!(waiting.now_or_never().is_some());
    }
}
