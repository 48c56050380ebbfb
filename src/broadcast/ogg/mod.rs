//! The listeners' mix as Ogg/Opus (RFC 7845), from wherever a client comes in.
//!
//! In: the packets that every listener gets. Out: a stream for each client, with headers, number and time of its own. Never: a second
//! encode or a second place in the room for a second client, or a queue beyond `WAITING` for a slow one: it misses sound (counted).
//!
//! One stream for all, in which clients come in somewhere, would save each page's checksum, a fiftieth of what its write costs. But
//! page numbers then begin amid nowhere, which readers take for loss, and times with the room's age, which players show as position.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch};

use super::StreamError;
use crate::container::ogg::Writer;
use crate::media::RoomName;
use crate::metrics::Metrics;
use crate::rooms::{Rooms, Wish};

mod relay;
#[cfg(test)]
mod tests;

use relay::Relay;

/// Packets in a page: 40 ms. A page has 27 bytes and one a packet; each is a write.
const IN_A_PAGE: usize = 2;
/// Pages that wait for a client at most: a third of a second.
const WAITING: usize = 8;
/// RFC 7845 §4.2: 80 ms are dropped of what begins amid a stream, until decoders agree with the encoder.
const PRE_SKIP: u16 = 3840;

/// The packets of a page, as everybody gets them.
type Packets = [Bytes; IN_A_PAGE];

/// All mixes that are sent as Ogg. Cloning shares them.
#[derive(Clone, Debug)]
pub struct SoundStreams(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    rooms: Arc<Rooms>,
    metrics: Metrics,
    places: Arc<Semaphore>,
    ending: watch::Sender<bool>,
    channels: Mutex<BTreeMap<RoomName, broadcast::Sender<Packets>>>,
}

/// One client's sound.
#[derive(Debug)]
pub struct SoundStream {
    packets: broadcast::Receiver<Packets>,
    /// Until they have been given.
    headers: Option<Bytes>,
    /// Until the last page has been given.
    writer: Option<Writer>,
    metrics: Metrics,
    _place: OwnedSemaphorePermit,
}

impl SoundStreams {
    pub(super) fn new(rooms: Arc<Rooms>, metrics: Metrics, places: Arc<Semaphore>, ending: watch::Sender<bool>) -> Self {
        Self(Arc::new(Shared { rooms, metrics, places, ending, channels: Mutex::default() }))
    }

    /// One more client; takes a place in the room where nobody listens so yet. To be called on the runtime.
    ///
    /// # Errors
    /// Where there is no such room, or there are as many clients as there may be.
    pub fn open(&self, room: &RoomName) -> Result<SoundStream, StreamError> {
        let place = self.0.places.clone().try_acquire_owned().map_err(|_| StreamError::Full)?;
        let mut channels = self.0.channels.lock();
        let packets = match channels.get(room) {
            Some(channel) => channel.subscribe(),
            None => self.begin(room, &mut channels)?,
        };
        drop(channels);
        Ok(SoundStream::new(packets, rand::random(), self.0.metrics.clone(), place))
    }

    /// The rooms that are sent, and to how many.
    pub fn heard(&self) -> BTreeMap<RoomName, usize> {
        self.0.channels.lock().iter().map(|(room, channel)| (room.clone(), channel.receiver_count())).collect()
    }

    fn begin(
        &self,
        room: &RoomName,
        channels: &mut BTreeMap<RoomName, broadcast::Sender<Packets>>,
    ) -> Result<broadcast::Receiver<Packets>, StreamError> {
        let seat = self.0.rooms.join(room, Wish { receives_audio: true, is_output: true, ..Wish::default() })?;
        let (channel, packets) = broadcast::channel(WAITING);
        channels.insert(room.clone(), channel.clone());
        tokio::spawn(Relay::new(self.0.clone(), seat, channel).run());
        Ok(packets)
    }
}

impl Shared {
    /// Whether nobody listens; whoever comes from here on begins anew then.
    fn forget_unless_heard(&self, room: &RoomName, channel: &broadcast::Sender<Packets>) -> bool {
        let mut channels = self.channels.lock();
        let unheard = channel.receiver_count() == 0;
        if unheard && channels.get(room).is_some_and(|there| there.same_channel(channel)) {
            channels.remove(room);
        }
        unheard
    }

    fn forget(&self, room: &RoomName, channel: &broadcast::Sender<Packets>) {
        let mut channels = self.channels.lock();
        if channels.get(room).is_some_and(|there| there.same_channel(channel)) {
            channels.remove(room);
        }
    }
}

impl SoundStream {
    fn new(packets: broadcast::Receiver<Packets>, serial: u32, metrics: Metrics, place: OwnedSemaphorePermit) -> Self {
        let (writer, headers) = Writer::begin(serial, 1, PRE_SKIP, IN_A_PAGE);
        Self { packets, headers: Some(headers), writer: Some(writer), metrics, _place: place }
    }

    /// The headers, then whatever sound there is that the client has not had; `None` after the last page. Cancel-safe.
    pub async fn next(&mut self) -> Option<Bytes> {
        if let Some(headers) = self.headers.take() {
            return Some(headers);
        }
        let Some(first) = self.receive().await else { return self.writer.take().map(Writer::end) };
        let writer = self.writer.as_mut()?;
        let mut pages = Vec::new();
        let mut next = Some(first);
        while let Some(packets) = next {
            // What is no Opus packet is left out
            pages.extend(packets.iter().filter_map(|packet| writer.push(packet).ok()));
            next = self.packets.try_recv().ok();
        }
        Some(pages.concat().into())
    }

    /// The oldest that still waits.
    async fn receive(&mut self) -> Option<Packets> {
        loop {
            match self.packets.recv().await {
                Ok(packets) => return Some(packets),
                Err(RecvError::Lagged(pages)) => self.metrics.count_dropped_by("ogg_client_behind", pages * IN_A_PAGE as u64),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
