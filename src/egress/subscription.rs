//! A receiver's pictures, from one encoder after another.
//!
//! In: feeds that the room turns it to. Out: pictures that a decoder can follow: those of the feed in use, until the coming one's
//! first keyframe is there. Never: a picture without its reference, or a gap while the coming feed has nothing yet.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::video::Feed;
use crate::media::EncodedPicture;

/// A receiver's end (the peer's) and the switch (the room's).
pub fn subscription() -> (VideoSubscription, Turnout) {
    let points = Arc::<Points>::default();
    (VideoSubscription { current: None, coming: None, points: points.clone() }, Turnout(points))
}

/// What the two ends share.
#[derive(Debug, Default)]
struct Points {
    state: Mutex<Turn>,
    turned: Notify,
}

#[derive(Debug, Default)]
struct Turn {
    /// Turned to, and not yet taken over by the receiver.
    feed: Option<Feed>,
    /// The receiver or the switch has gone.
    closed: bool,
}

/// The room's end of a subscription: where its pictures come from. Dropping it leaves the receiver what it has.
#[derive(Debug)]
pub struct Turnout(Arc<Points>);

impl Turnout {
    /// Turns the receiver to a feed: from its next keyframe on. Until then the old one goes on. One from the encoder that is in use
    /// already changes nothing, but calls off a turn that is under way.
    pub fn turn_to(&self, feed: Feed) {
        let mut turn = self.0.state.lock();
        // Nobody would take a feed over from here on, and it would keep an encoder at work
        let given_up = if turn.closed { Some(feed) } else { turn.feed.replace(feed) };
        drop(turn);
        drop(given_up);
        self.0.turned.notify_one();
    }
}

impl Drop for Turnout {
    fn drop(&mut self) {
        self.0.state.lock().closed = true;
        self.0.turned.notify_one();
    }
}

/// One receiver's pictures. Dropping it unsubscribes.
#[derive(Debug)]
pub struct VideoSubscription {
    current: Option<Feed>,
    coming: Option<Feed>,
    points: Arc<Points>,
}

/// What came of waiting.
enum Came {
    Turn,
    FromComing(Option<Arc<EncodedPicture>>),
    FromCurrent(Option<Arc<EncodedPicture>>),
}

impl VideoSubscription {
    /// The next picture; the first is a keyframe, and so is the first after a turn and the first after this receiver fell behind.
    /// `None` at the end: no feed is left, and nobody can turn it to another. Cancel-safe.
    ///
    /// After a turn, a picture may be of the same tick as the one before, or of an earlier one.
    pub async fn next(&mut self) -> Option<Arc<EncodedPicture>> {
        loop {
            let is_last = self.take_turn();
            if is_last && self.current.is_none() && self.coming.is_none() {
                return None;
            }
            match self.wait().await {
                Came::Turn => {}
                Came::FromComing(Some(keyframe)) => {
                    self.change_over();
                    return Some(keyframe);
                }
                Came::FromComing(None) => self.coming = None,
                Came::FromCurrent(Some(picture)) => return Some(picture),
                Came::FromCurrent(None) => self.current = None,
            }
        }
    }

    /// Asks for a keyframe (PLI or FIR from the receiver); coalesced to at most two a second for each rendition.
    pub fn request_keyframe(&self) {
        self.current.iter().chain(&self.coming).for_each(Feed::request_keyframe);
    }

    /// Takes over what it was turned to; whether that was the last time.
    fn take_turn(&mut self) -> bool {
        let mut turn = self.points.state.lock();
        let (feed, closed) = (turn.feed.take(), turn.closed);
        drop(turn);
        if let Some(feed) = feed {
            self.coming = self.turned(feed);
        }
        closed
    }

    /// What is coming, where it was turned to `feed`.
    fn turned(&mut self, feed: Feed) -> Option<Feed> {
        if self.current.as_ref().is_some_and(|current| current.is_beside(&feed)) {
            return None;
        }
        // The one that has waited longer may have its keyframe already
        self.coming.take().filter(|coming| coming.is_beside(&feed)).or(Some(feed))
    }

    /// Cancel-safe: whatever comes is either given back or stays where it is.
    async fn wait(&mut self) -> Came {
        tokio::select! {
            biased;
            () = self.points.turned.notified() => Came::Turn,
            picture = next_of(&mut self.coming) => Came::FromComing(picture),
            picture = next_of(&mut self.current) => Came::FromCurrent(picture),
        }
    }

    fn change_over(&mut self) {
        let left = std::mem::replace(&mut self.current, self.coming.take());
        if let Some(left) = left {
            left.metrics.video_switches.inc();
        }
    }
}

impl Drop for VideoSubscription {
    fn drop(&mut self) {
        let mut turn = self.points.state.lock();
        turn.closed = true;
        let feed = turn.feed.take();
        drop(turn);
        drop(feed);
    }
}

async fn next_of(feed: &mut Option<Feed>) -> Option<Arc<EncodedPicture>> {
    match feed {
        Some(feed) => feed.next().await,
        None => std::future::pending().await,
    }
}
