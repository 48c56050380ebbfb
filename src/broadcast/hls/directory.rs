//! Which streams there are: one a room, view and bounds, begun by the first request and ended after the last.
//!
//! In: requests. Out: playlists, files, or why not. Never: a stream beyond the room's end but to say so, one that keeps a room which
//! nobody else is in, two alike, or more than [`MOST`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;

use super::stream::{Shown, Stream};
use super::wanted::Wanted;
use crate::broadcast::held::Held;
use crate::media::{Clock, RoomName, ViewName};
use crate::metrics::Metrics;
use crate::rooms::{JoinError, Rooms, Seat, Wish};

/// A stream ends when nobody has asked for anything of it, or nobody else has been in its room, for this long; one that has ended is
/// told of for as long.
const IDLE: Duration = Duration::from_secs(30);
/// From one look at whether anybody asked to the next.
const LOOK: Duration = Duration::from_secs(1);
/// Streams at once: each keeps an encoder at work, and what is listed in memory.
const MOST: usize = 64;
/// The same of one room: its views, each within several bounds.
const MOST_IN_A_ROOM: usize = 16;

/// Why there is no playlist, or no file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HlsError {
    /// The room gives none.
    #[error(transparent)]
    Room(#[from] JoinError),
    /// There are as many streams as there may be.
    #[error("{MOST} streams are sent as HLS, or {MOST_IN_A_ROOM} of one room, and no more can be")]
    TooMany,
    /// Every rendition of the view is; the lowest has this height, and so many pictures a second.
    #[error("the lowest rendition is {0}p{1}, more than max_height or max_fps allow")]
    Beyond(u32, u32),
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

/// What a client wants to see. Clients that want the same share it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The room.
    pub room: RoomName,
    /// Its view.
    pub view: ViewName,
    /// The tallest picture that is wanted, in pixels; `None` for any.
    pub max_height: Option<u32>,
    /// Pictures a second at most; `None` for any.
    pub max_fps: Option<u32>,
}

impl Key {
    fn wish(&self) -> Wish {
        let (view, max_height, max_fps) = (Some(self.view.clone()), self.max_height, self.max_fps);
        Wish { view, max_height, max_fps, receives_video: true, receives_audio: true, is_output: true, ..Wish::default() }
    }
}

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

    /// The same with streams that end when nobody has asked for anything of them, or nobody else has been there, for so long.
    pub fn ending_after(idle: Duration, rooms: Arc<Rooms>, clock: Clock, metrics: Metrics) -> Self {
        Self(Arc::new(Shared { rooms, clock, metrics, idle, streams: Mutex::default() }))
    }

    /// The playlist of a room's view, once it has what is wanted; begins the stream where there is none. Waits, within bounds.
    ///
    /// # Errors
    /// Where there is no such room or view, none of its renditions is within bounds, or what is wanted does not come.
    pub async fn playlist(&self, key: Key, wanted: Option<Wanted>) -> Result<Arc<Shown>, HlsError> {
        let stream = self.stream(key)?;
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
            let found = streams.iter().find(|(key, there)| key.room == *room && there.is(stream)).map(|(_, there)| there.clone());
            found.inspect(|stream| stream.touch(self.0.clock.now()))
        };
        found.ok_or(HlsError::NoSuchFile)?.file(name).await
    }

    /// Ends all streams; whoever waits for one is told.
    pub fn shut_down(&self) {
        self.0.streams.lock().values().for_each(|stream| stream.close());
    }

    /// The stream of a key; one that has ended is begun anew where the room is there again, and not for outputs alone.
    fn stream(&self, key: Key) -> Result<Arc<Stream>, HlsError> {
        let now = self.0.clock.now();
        let mut streams = self.0.streams.lock();
        let there = streams.get(&key).cloned().inspect(|stream| stream.touch(now));
        if let Some(stream) = there.as_ref().filter(|stream| !stream.has_ended() || !self.0.rooms.is_held(&key.room)) {
            return Ok(stream.clone());
        }
        let in_room = streams.keys().filter(|there| there.room == key.room).count();
        if there.is_none() && (in_room >= MOST_IN_A_ROOM || streams.len() >= MOST) {
            return Err(HlsError::TooMany);
        }
        // Where there is no other, the one that has ended says so
        let seat = match self.0.seat(&key) {
            Ok(seat) => seat,
            Err(error) => return there.ok_or(error),
        };
        let stream = Arc::new(Stream::new(self.0.rooms.epoch(), now));
        streams.insert(key.clone(), stream.clone());
        let (shared, driven) = (self.0.clone(), stream.clone());
        tokio::spawn(async move {
            let held = Held::patient_for(shared.idle);
            tokio::select! {
                () = driven.run(seat, &shared.rooms, held, &shared.metrics) => {}
                () = shared.until_idle(&key, &driven) => driven.end(),
            }
            shared.until_idle(&key, &driven).await;
        });
        Ok(stream)
    }
}

impl Shared {
    fn seat(&self, key: &Key) -> Result<Seat, HlsError> {
        let wish = key.wish();
        match self.rooms.beyond(&key.room, &wish)? {
            Some((height, fps)) => Err(HlsError::Beyond(height, fps)),
            None => Ok(self.rooms.join(&key.room, wish)?),
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::tests::{Studio, room};

    fn key(name: &str) -> Key {
        Key { room: room(name), view: ViewName::main(), max_height: None, max_fps: None }
    }

    fn hls(studio: &Studio, idle: Duration) -> Hls {
        Hls::ending_after(idle, studio.rooms.clone(), studio.clock, studio.metrics.clone())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_stream_too_many_is_refused_until_another_has_ended() {
        let studio = Studio::with(&["a"]).await;
        let of_others: Vec<_> = (0..MOST).map(|n| key(&format!("r{n}"))).collect();
        let of_the_room: Vec<_> = (0..MOST_IN_A_ROOM as u32).map(|n| Key { max_fps: Some(30 + n), ..key("a") }).collect();
        for keys in [of_others, of_the_room] {
            let hls = hls(&studio, IDLE);
            for key in &keys {
                let stream = Arc::new(Stream::new(studio.rooms.epoch(), studio.clock.now()));
                hls.0.streams.lock().insert(key.clone(), stream);
            }
            assert_eq!(hls.playlist(key("a"), None).await.err(), Some(HlsError::TooMany));
            hls.0.streams.lock().remove(&keys[0]);
            assert!(hls.stream(key("a")).is_ok());
        }
    }

    #[tokio::test]
    async fn a_room_that_everybody_has_left_is_not_kept_for_those_who_watch_it() {
        let studio = Studio::with(&[]).await;
        let hls = hls(&studio, Duration::from_millis(100));
        let guest = studio.rooms.join(&room("a"), Wish { receives_audio: true, ..Wish::default() }).unwrap();
        let stream = hls.stream(key("a")).unwrap();
        drop(guest);
        while !stream.has_ended() {
            stream.touch(studio.clock.now());
            tokio::task::yield_now().await;
        }
        assert!(!studio.rooms.exists(&room("a")));
    }

    #[tokio::test]
    async fn a_stream_that_has_ended_is_begun_anew_for_more_than_another_output() {
        let studio = Studio::with(&[]).await;
        let hls = hls(&studio, IDLE);
        let guest = || studio.rooms.join(&room("a"), Wish { receives_audio: true, ..Wish::default() }).unwrap();
        let first = guest();
        let ended = hls.stream(key("a")).unwrap();
        ended.end();
        let _onlooker = studio.rooms.look_on(&room("a"), None).unwrap();
        drop(first);
        assert!(Arc::ptr_eq(&hls.stream(key("a")).unwrap(), &ended));
        let _again = guest();
        assert!(!hls.stream(key("a")).unwrap().has_ended());
    }
}
