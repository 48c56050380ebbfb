//! The canvas as JPEG pictures one after another, for whatever can show a picture.
//!
//! In: who wants which view at which height and rate. Out: to each the newest picture whenever they are ready for one. Never: a second
//! encode for a second client, a queue for a slow one, or more encoders than `IN_A_ROOM` for one room.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::StreamError;
use super::held::{Held, PATIENCE};
use crate::media::{Clock, RoomName, ViewName};
use crate::metrics::Metrics;
use crate::rooms::Rooms;

mod maker;
mod part;
mod producer;
#[cfg(test)]
mod tests;

pub use part::{BOUNDARY, OPENING, Part};

use maker::Maker;
use producer::{Channel, Producer};

/// Heights, rates and views in which one room is sent at once.
const IN_A_ROOM: usize = 8;
/// The same of all rooms: each is a thread.
const IN_ALL: usize = 32;

/// What a client wants to see. Clients that want the same share it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The room.
    pub room: RoomName,
    /// Its view.
    pub view: ViewName,
    /// The tallest picture that is wanted, in pixels; a smaller canvas is sent as it is.
    pub height: u32,
    /// Pictures a second at most.
    pub fps: u32,
}

/// All canvases that are sent as MJPEG. Cloning shares them.
#[derive(Clone, Debug)]
pub struct PictureStreams(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    rooms: Arc<Rooms>,
    clock: Clock,
    metrics: Metrics,
    /// The wall clock at the clock's origin, in milliseconds since 1970.
    origin: u64,
    places: Arc<Semaphore>,
    ending: watch::Sender<bool>,
    channels: Mutex<BTreeMap<Key, Arc<Channel>>>,
}

/// One client's pictures. Dropping it ends its part in the encoder.
#[derive(Debug)]
pub struct PictureStream {
    parts: watch::Receiver<Option<Part>>,
    metrics: Metrics,
    /// Of the last part.
    number: Option<u64>,
    _place: OwnedSemaphorePermit,
}

impl PictureStreams {
    pub(super) fn new(rooms: Arc<Rooms>, clock: Clock, metrics: Metrics, places: Arc<Semaphore>, ending: watch::Sender<bool>) -> Self {
        let origin = u64::try_from(rooms.epoch().as_millisecond()).unwrap_or(0);
        Self(Arc::new(Shared { rooms, clock, metrics, origin, places, ending, channels: Mutex::default() }))
    }

    /// One more client; begins to encode where nobody sees the same yet.
    ///
    /// # Errors
    /// Where there is no such room or view, or there are as many clients or encoders as there may be.
    pub fn open(&self, key: Key) -> Result<PictureStream, StreamError> {
        let place = self.0.places.clone().try_acquire_owned().map_err(|_| StreamError::Full)?;
        let mut channels = self.0.channels.lock();
        let mut parts = match channels.get(&key) {
            Some(channel) => channel.subscribe(),
            None => self.begin(key, &mut channels)?,
        };
        // Whoever comes in between two pictures is shown the former at once
        parts.mark_changed();
        Ok(PictureStream { parts, metrics: self.0.metrics.clone(), number: None, _place: place })
    }

    /// What is sent, and to how many.
    pub fn watched(&self) -> BTreeMap<Key, usize> {
        self.0.channels.lock().iter().map(|(key, channel)| (key.clone(), channel.receiver_count())).collect()
    }

    fn begin(&self, key: Key, channels: &mut BTreeMap<Key, Arc<Channel>>) -> Result<watch::Receiver<Option<Part>>, StreamError> {
        let in_room = channels.keys().filter(|there| there.room == key.room).count();
        if in_room >= IN_A_ROOM || channels.len() >= IN_ALL {
            return Err(StreamError::TooMany(key.room));
        }
        let onlooker = self.0.rooms.look_on(&key.room, Some(key.view.clone()))?;
        let maker = Maker::new(key.height, key.fps, self.0.origin).map_err(|_| StreamError::Exhausted)?;
        let (channel, parts) = watch::channel(None);
        let (channel, held) = (Arc::new(channel), Held::patient_for(PATIENCE));
        channels.insert(key.clone(), channel.clone());
        let producer = Producer { shared: self.0.clone(), key: key.clone(), channel, onlooker, maker, held };
        if let Err(error) = std::thread::Builder::new().name("mjpeg".into()).spawn(move || producer.run()) {
            tracing::error!(%error, "no thread to encode pictures on");
            channels.remove(&key);
            return Err(StreamError::Exhausted);
        }
        Ok(parts)
    }
}

impl Shared {
    /// Whether nobody watches; whoever comes from here on begins anew then.
    fn forget_unless_watched(&self, key: &Key, channel: &Arc<Channel>) -> bool {
        let mut channels = self.channels.lock();
        let unwatched = channel.receiver_count() == 0;
        if unwatched && channels.get(key).is_some_and(|there| Arc::ptr_eq(there, channel)) {
            channels.remove(key);
        }
        unwatched
    }

    fn forget(&self, key: &Key, channel: &Arc<Channel>) {
        let mut channels = self.channels.lock();
        if channels.get(key).is_some_and(|there| Arc::ptr_eq(there, channel)) {
            channels.remove(key);
        }
    }
}

impl PictureStream {
    /// The newest picture, once there is one that the client has not had; `None` at the end. Cancel-safe.
    pub async fn next(&mut self) -> Option<Part> {
        loop {
            self.parts.changed().await.ok()?;
            let Some(part) = self.parts.borrow_and_update().clone() else { continue };
            let left_out = self.number.map_or(0, |last| part.number - last - 1);
            if left_out > 0 {
                self.metrics.count_dropped_by("mjpeg_client_behind", left_out);
            }
            self.number = Some(part.number);
            return Some(part);
        }
    }
}
