//! Which streams there are: one a room and view, begun by the first request and ended after the last.
//!
//! In: requests. Out: playlists, files, or why not. Never: a stream beyond the room's end but to say so, or two of one view.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;

use super::stream::{Shown, Stream};
use super::wanted::Wanted;
use crate::media::{Clock, RoomName, ViewName};
use crate::metrics::Metrics;
use crate::rooms::{JoinError, Rooms, Wish};

/// A stream ends when nobody has asked for anything of it for this long, and one that has ended is told of for as long.
const IDLE: Duration = Duration::from_secs(30);
/// From one look at whether anybody asked to the next.
const LOOK: Duration = Duration::from_secs(1);

/// Why there is no playlist, or no file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HlsError {
    /// The room gives none.
    #[error(transparent)]
    Room(#[from] JoinError),
    /// It does not come in time.
    #[error("there is nothing to play yet")]
    NotYet,
    /// It is not waited for.
    #[error("the playlist is not nearly there")]
    TooFar,
    /// It is no file of the stream, or not any more.
    #[error("there is no such file, or not any more")]
    NoSuchFile,
}

type Key = (RoomName, ViewName);

/// All HLS streams of this server. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Hls(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    rooms: Arc<Rooms>,
    clock: Clock,
    metrics: Metrics,
    idle: Duration,
    streams: Mutex<BTreeMap<Key, Arc<Stream>>>,
}

impl Hls {
    /// No stream yet.
    pub fn new(rooms: Arc<Rooms>, clock: Clock, metrics: Metrics) -> Self {
        Self::ending_after(IDLE, rooms, clock, metrics)
    }

    /// The same with streams that end when nobody has asked for anything of them for so long.
    pub fn ending_after(idle: Duration, rooms: Arc<Rooms>, clock: Clock, metrics: Metrics) -> Self {
        Self(Arc::new(Shared { rooms, clock, metrics, idle, streams: Mutex::default() }))
    }

    /// The playlist of a room's view, once it has what is wanted; begins the stream where there is none. Waits, within bounds.
    ///
    /// # Errors
    /// Where there is no such room or view, or what is wanted does not come.
    pub async fn playlist(&self, room: &RoomName, view: &ViewName, wanted: Option<Wanted>) -> Result<Arc<Shown>, HlsError> {
        let stream = self.stream((room.clone(), view.clone()))?;
        let shown = stream.playlist(wanted).await;
        // Whoever was kept waiting has asked until then
        stream.touch(self.0.clock.now());
        shown
    }

    /// A file that a playlist of the room names; the part that is made next is waited for.
    ///
    /// # Errors
    /// Where there is no such file, or not any more.
    pub async fn file(&self, room: &RoomName, stream: &str, name: &str) -> Result<Bytes, HlsError> {
        let found = {
            let streams = self.0.streams.lock();
            let found = streams.iter().find(|((of, _), there)| of == room && there.is(stream)).map(|(_, there)| there.clone());
            found.inspect(|stream| stream.touch(self.0.clock.now()))
        };
        found.ok_or(HlsError::NoSuchFile)?.file(name).await
    }

    /// Ends all streams; whoever waits for one is told.
    pub fn shut_down(&self) {
        self.0.streams.lock().values().for_each(|stream| stream.close());
    }

    /// The stream of a view; one that has ended is begun anew where the room is there again.
    fn stream(&self, key: Key) -> Result<Arc<Stream>, HlsError> {
        let now = self.0.clock.now();
        let mut streams = self.0.streams.lock();
        let there = streams.get(&key).cloned().inspect(|stream| stream.touch(now));
        if let Some(stream) = there.as_ref().filter(|stream| !stream.has_ended()) {
            return Ok(stream.clone());
        }
        let (receives_video, receives_audio, is_output) = (true, true, true);
        let wish = Wish { view: Some(key.1.clone()), receives_video, receives_audio, is_output, ..Wish::default() };
        // Where there is no other, the one that has ended says so
        let seat = match self.0.rooms.join(&key.0, wish) {
            Ok(seat) => seat,
            Err(error) => return there.ok_or(HlsError::Room(error)),
        };
        let stream = Arc::new(Stream::new(self.0.rooms.epoch(), now));
        streams.insert(key.clone(), stream.clone());
        let (shared, driven) = (self.0.clone(), stream.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = driven.run(seat, shared.metrics.clone()) => {}
                () = shared.until_idle(&key, &driven) => driven.end(),
            }
            shared.until_idle(&key, &driven).await;
        });
        Ok(stream)
    }
}

impl Shared {
    /// Waits until nobody has asked for a while; nobody finds the stream from then on.
    async fn until_idle(&self, key: &Key, stream: &Arc<Stream>) {
        let mut looks = tokio::time::interval(LOOK.min(self.idle));
        while !self.forgets(key, stream) {
            looks.tick().await;
        }
    }

    /// Forgets a stream that nobody asks for; whether it did. Requests note that they ask under the same lock.
    fn forgets(&self, key: &Key, stream: &Arc<Stream>) -> bool {
        let mut streams = self.streams.lock();
        if !stream.is_idle(self.clock.now(), self.idle) {
            return false;
        }
        if streams.get(key).is_some_and(|there| Arc::ptr_eq(there, stream)) {
            streams.remove(key);
        }
        true
    }
}
