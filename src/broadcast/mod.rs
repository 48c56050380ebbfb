//! What goes to many, and to devices without WebRTC: HLS, MJPEG, Ogg.
//!
//! In: canvases and the listeners' mix, as one more viewer of a room. Out: bytes that any number of clients are given. Never: work for
//! each client beyond a write, a queue that grows, or a room that lives on for its outputs alone.
//!
//! | File | What it does |
//! | --- | --- |
//! | `hls` | low-latency HLS: files made once, kept for a while |
//! | `mjpeg` | pictures as JPEG, encoded once for all who want them alike |
//! | `ogg` | the mix as Ogg/Opus, from wherever a client comes in |
//! | `held` | ends what keeps a room that nobody else is in |

mod held;
pub mod hls;
pub mod mjpeg;
pub mod ogg;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use self::mjpeg::PictureStreams;
use self::ogg::SoundStreams;
use crate::media::{Clock, RoomName};
use crate::metrics::Metrics;
use crate::rooms::{JoinError, Rooms};

/// Clients of MJPEG and Ogg at once. With the streams of events they leave some of the server's connections to everything else.
const CLIENTS: usize = 512;

/// All streams over plain HTTP. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Broadcast {
    /// The canvases as MJPEG.
    pub pictures: PictureStreams,
    /// The mixes as Ogg/Opus.
    pub sounds: SoundStreams,
    ending: watch::Sender<bool>,
}

/// Why there is no stream.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// There is no such room or view, or the server shuts down.
    #[error(transparent)]
    Room(#[from] JoinError),
    /// There are as many clients as there may be.
    #[error("{CLIENTS} clients watch or listen, and no more can")]
    Full,
    /// Each height, rate and view is an encoder of its own, and the room or the server has as many as there may be.
    #[error("room {0} is sent in as many heights and rates as there may be: take one of those that others take, such as the default")]
    TooMany(RoomName),
    /// The machine gives no more.
    #[error("the machine has nothing left to encode pictures with")]
    Exhausted,
}

impl Broadcast {
    /// No streams yet, of these rooms.
    pub fn new(rooms: Arc<Rooms>, clock: Clock, metrics: Metrics) -> Self {
        let (places, ending) = (Arc::new(Semaphore::new(CLIENTS)), watch::Sender::new(false));
        let pictures = PictureStreams::new(rooms.clone(), clock, metrics.clone(), places.clone(), ending.clone());
        Self { pictures, sounds: SoundStreams::new(rooms, metrics, places, ending.clone()), ending }
    }

    /// Ends every stream: the server shuts down.
    pub fn end_all(&self) {
        self.ending.send_replace(true);
    }
}

/// Waits until all streams are to end.
async fn ended(ending: &mut watch::Receiver<bool>) {
    // Whoever would say so is gone: the server is
    let _ = ending.wait_for(|ending| *ending).await;
}
