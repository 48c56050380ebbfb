//! The mix as one file, `mixed.mp4`: fragmented MP4, H.264 and Opus, a part each second.
//!
//! In: a viewer's pictures and sound. Out: the file, as it grows. Never: an encode of its own, or a wait of the room for the disk: what
//! a slow disk does not take in time is given up, counted, and said.

pub(super) mod film;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Sender};
use tokio::time::MissedTickBehavior;

use super::take::on_its_own_thread;
use super::term::too_long;
use super::{Ended, Take};
use crate::egress::VideoSubscription;
use crate::media::{EncodedPicture, EncodedSound, MediaTime};
use crate::rooms::Seat;

/// What waits for the disk at most: about five seconds.
const WAITING: usize = 400;
/// A player can start at a keyframe only.
const KEYFRAMES: Duration = Duration::from_secs(10);
/// How long a room may take to its first picture.
const FIRST_PICTURE: Duration = Duration::from_secs(10);

/// What goes to the disk.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Picture(Arc<EncodedPicture>),
    Sound(Arc<EncodedSound>),
}

/// Records until it is stopped, the room ends, or the file is as long or as large as it may be.
pub(super) async fn record(take: Take, seat: Seat) -> Ended {
    let (to, items) = mpsc::channel(WAITING);
    let writer = writer::Writer::new(take.clone());
    let writing = on_its_own_thread("record-mixed", move || writer.run(items));
    let fed = Feed::new(take, to).run(seat).await;
    fed.max(writing.await)
}

/// Moves what comes into the queue; does nothing else.
pub(super) struct Feed {
    pub(super) take: Take,
    pub(super) to: Sender<Item>,
    /// The disk did not take a picture: those after it are of no use before a keyframe.
    is_behind: bool,
    /// From where on nothing is recorded: as long as it may be, from the first picture on.
    until: Option<MediaTime>,
}

impl Feed {
    pub(super) fn new(take: Take, to: Sender<Item>) -> Self {
        Self { take, to, is_behind: false, until: None }
    }

    async fn run(mut self, mut seat: Seat) -> Ended {
        let (Some(mut video), Some(mut audio)) = (seat.video_out.take(), seat.audio_out.take()) else {
            return Ended::Failed("the room gives no pictures or no sound".into());
        };
        let mut keyframes = tokio::time::interval(KEYFRAMES);
        keyframes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let nothing_yet = tokio::time::timeout(FIRST_PICTURE, std::future::pending::<()>());
        tokio::pin!(nothing_yet);
        loop {
            let ended = tokio::select! {
                () = self.take.stopped() => Some(Ended::Complete),
                () = sent_out(&mut seat) => Some(Ended::Complete),
                // It says itself why it has ended
                () = self.to.closed() => Some(Ended::Complete),
                picture = video.next() => self.picture(picture, &video),
                sound = audio.next() => self.sound(sound),
                _ = keyframes.tick() => {
                    video.request_keyframe();
                    None
                }
                _ = &mut nothing_yet, if self.until.is_none() => Some(Ended::Failed("the room gave no picture within ten seconds".into())),
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
    }

    /// One more picture, or none any more; whether it ends here.
    fn picture(&mut self, picture: Option<Arc<EncodedPicture>>, video: &VideoSubscription) -> Option<Ended> {
        let Some(picture) = picture else { return Some(Ended::Complete) };
        match self.take_picture(picture) {
            Ok(true) => video.request_keyframe(),
            Ok(false) => {}
            Err(ended) => return Some(ended),
        }
        None
    }

    /// Takes a picture; whether a keyframe is needed after it.
    ///
    /// # Errors
    /// Where it is of the recording's end or later.
    pub(super) fn take_picture(&mut self, picture: Arc<EncodedPicture>) -> Result<bool, Ended> {
        let most = Duration::from_secs(self.take.max_seconds.into());
        if picture.at >= *self.until.get_or_insert(picture.at + most) {
            return Err(too_long(self.take.max_seconds));
        }
        if self.is_behind && !picture.keyframe {
            self.lose();
            return Ok(false);
        }
        self.is_behind = !self.offer(Item::Picture(picture));
        Ok(self.is_behind)
    }

    /// The same of sound.
    fn sound(&mut self, sound: Option<Arc<EncodedSound>>) -> Option<Ended> {
        let Some(sound) = sound else { return Some(Ended::Complete) };
        if self.until.is_some_and(|until| sound.at >= until) {
            return Some(too_long(self.take.max_seconds));
        }
        self.offer(Item::Sound(sound));
        None
    }

    /// Whether the queue takes it.
    fn offer(&self, item: Item) -> bool {
        match self.to.try_send(item) {
            Err(TrySendError::Full(_)) => {
                self.lose();
                false
            }
            // Nobody writes any more: that is seen at once
            Err(TrySendError::Closed(_)) | Ok(()) => true,
        }
    }

    fn lose(&self) {
        self.take.tally.lose(1);
        self.take.metrics.count_dropped("recording_behind");
    }
}

async fn sent_out(seat: &mut Seat) {
    // An error means that the room is gone.
    drop(seat.dismissed.wait_for(|dismissed| *dismissed).await);
}
