//! One client's end of a room's talk.
//!
//! In: that the channel is open or closed, what the client says. Out: what it is told, one message at a time. Never: a word of
//! somebody who has not opened the channel.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::Talk;
use super::ear::{Ear, Heard, Understood};
use super::letters::Letters;
use super::message::{FromClient, ToClient, VERSION};
use crate::media::{MediaTime, ParticipantId};
use crate::metrics::Metrics;

/// What is to become of a channel after a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stays.
    Stays,
    /// The client floods it: it is to be closed.
    Close,
}

/// One client's line.
#[derive(Debug)]
pub struct TalkLine {
    talk: Weak<Talk>,
    id: ParticipantId,
    name: Arc<str>,
    letters: Arc<Letters>,
    ear: Mutex<Ear>,
    metrics: Metrics,
    /// What the client need send at most, as it was last said.
    limit: Mutex<Option<ToClient>>,
}

impl TalkLine {
    pub(in crate::rooms) fn new(talk: &Arc<Talk>, id: ParticipantId, name: Arc<str>) -> Self {
        let metrics = talk.metrics.clone();
        let (letters, ear, limit) = (Arc::new(Letters::new(metrics.clone())), Mutex::default(), Mutex::default());
        Self { talk: Arc::downgrade(talk), id, name, letters, ear, metrics, limit }
    }

    /// The client has opened the channel. `offset`: what its pictures' RTP timestamps have more than the room's time.
    pub fn open(&self, now: MediaTime, offset: Option<u32>) {
        let Some(talk) = self.talk.upgrade() else { return };
        let hello = ToClient::Hello {
            participant: self.id.to_string(),
            room: talk.room.to_string(),
            version: VERSION,
            time_ms: now.as_millis(),
            timestamp_offset: offset,
            said: talk.said(),
        };
        *self.ear.lock() = Ear::default();
        talk.enter(self.id, &hello, &self.letters);
        self.limit.lock().iter().for_each(|limit| self.letters.put(limit));
    }

    /// The channel is closed.
    pub fn close(&self) {
        if let Some(talk) = self.talk.upgrade() {
            talk.leave(self.id);
        }
    }

    /// The next message for the client. Cancel-safe; for one reader.
    pub async fn next(&self) -> Arc<str> {
        self.letters.next().await
    }

    /// Takes what the client says.
    pub fn hear(&self, now: MediaTime, heard: Heard<'_>) -> Verdict {
        let understood = self.ear.lock().hear(now, heard);
        match understood {
            Understood::Wish(FromClient::Chat { text }) => {
                self.talk.upgrade().iter().for_each(|talk| talk.say(self.id, &self.name, text.clone(), now));
            }
            Understood::Fault(message) => self.letters.put(&ToClient::Error { message }),
            Understood::Dropped => self.metrics.count_dropped("talk_flood"),
            Understood::Enough => return Verdict::Close,
        }
        Verdict::Stays
    }

    /// Says what the client need send at most: bits a second, and the size of its largest tile.
    pub fn limit(&self, bps: u32, (width, height): (u32, u32)) {
        let message = ToClient::Send { width, height, bps };
        let mut limit = self.limit.lock();
        if limit.as_ref() != Some(&message) {
            if self.talk.upgrade().is_some_and(|talk| talk.listens(self.id)) {
                self.letters.put(&message);
            }
            *limit = Some(message);
        }
    }
}

impl Drop for TalkLine {
    fn drop(&mut self) {
        self.close();
    }
}
