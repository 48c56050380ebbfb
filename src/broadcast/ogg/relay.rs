//! One room's mix on its way from the room to all clients: an async task that moves packets.
//!
//! In: a seat's sound. Out: packets, a page's at a time. Never: a copy, a codec call, or a place in a room that nobody listens to.

use std::sync::Arc;

use tokio::sync::{broadcast, watch};

use super::{IN_A_PAGE, Packets, Shared};
use crate::broadcast::ended;
use crate::broadcast::held::{Held, PATIENCE};
use crate::media::EncodedSound;
use crate::rooms::Seat;

/// What the task holds.
pub(super) struct Relay {
    shared: Arc<Shared>,
    seat: Seat,
    channel: broadcast::Sender<Packets>,
    ending: watch::Receiver<bool>,
    held: Held,
    /// Of the page to come.
    waiting: Vec<bytes::Bytes>,
}

impl Relay {
    pub(super) fn new(shared: Arc<Shared>, seat: Seat, channel: broadcast::Sender<Packets>) -> Self {
        let (ending, held) = (shared.ending.subscribe(), Held::patient_for(PATIENCE));
        Self { shared, seat, channel, ending, held, waiting: Vec::with_capacity(IN_A_PAGE) }
    }

    /// Goes on until nobody listens, the room ends, or all streams are to.
    pub(super) async fn run(mut self) {
        while let Some(sound) = self.next().await {
            let is_held = || self.shared.rooms.is_held(&self.seat.room);
            if self.held.is_over(sound.at, is_held) || self.shared.forget_unless_heard(&self.seat.room, &self.channel) {
                break;
            }
            self.waiting.push(sound.payload.clone());
            if let Ok(packets) = Packets::try_from(std::mem::take(&mut self.waiting)).map_err(|few| self.waiting = few) {
                // Where nobody listens, the next packet ends it
                let _ = self.channel.send(packets);
            }
        }
        self.shared.forget(&self.seat.room, &self.channel);
    }

    async fn next(&mut self) -> Option<Arc<EncodedSound>> {
        let sounds = self.seat.audio_out.as_mut()?;
        tokio::select! {
            biased;
            () = ended(&mut self.ending) => None,
            _ = self.seat.dismissed.wait_for(|dismissed| *dismissed) => None,
            sound = sounds.next() => sound,
        }
    }
}
