//! A receiver's pictures, from one encoder after another.
//!
//! In: feeds that the room turns it to. Out: pictures that a decoder can follow: those of the feed in use, until the coming one's
//! first keyframe is there. Never: a picture without its reference, or a gap while the coming feed has nothing yet.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::video::{Encoder, Feed};
use crate::media::EncodedPicture;

#[cfg(test)]
mod tests;

/// A receiver's end (the peer's) and the switch (the room's).
pub fn subscription() -> (VideoSubscription, Turnout) {
    let points = Arc::<Points>::default();
    (VideoSubscription { current: None, coming: None, has_begun: false, points: points.clone() }, Turnout(points))
}

/// What the two ends share.
#[derive(Debug, Default)]
struct Points {
    state: Mutex<Turn>,
    turned: Notify,
}

#[derive(Debug, Default)]
struct Turn {
    /// What the receiver has not taken over yet.
    next: Option<Next>,
    /// Where the feed in use comes from.
    in_use: Option<Encoder>,
    /// The receiver or the switch has gone.
    closed: bool,
}

#[derive(Debug)]
enum Next {
    To(Feed),
    /// The same, and nothing of the feed in use until then.
    Only(Feed),
    /// Nothing, until it is turned to a feed again.
    Nothing,
    /// The feed in use is the one: whatever was coming is called off.
    Stay,
}

/// The room's end of a subscription: where its pictures come from. Dropping it leaves the receiver what it has.
#[derive(Debug)]
pub struct Turnout(Arc<Points>);

impl Turnout {
    /// Turns the receiver to a feed: from its next keyframe on. Until then the old one goes on. One from the encoder that is in use
    /// already changes nothing, but calls off a turn that is under way.
    pub fn turn_to(&self, feed: Feed) {
        self.turn(feed, Next::To);
    }

    /// Turns the receiver to a feed, and from the old one at once: for a line that the old one is far too much for. What was sent of it
    /// would wait before the new one's keyframe.
    pub fn drop_to(&self, feed: Feed) {
        self.turn(feed, Next::Only);
    }

    /// Sends the receiver nothing until it is turned to a feed again.
    pub fn pause(&self) {
        let mut turn = self.0.state.lock();
        if !turn.closed {
            turn.next = Some(Next::Nothing);
            drop(turn);
            self.0.turned.notify_one();
        }
    }

    fn turn(&self, feed: Feed, next: impl FnOnce(Feed) -> Next) {
        let mut turn = self.0.state.lock();
        // A feed that nobody takes over would keep an encoder at work
        if turn.closed {
            return;
        }
        // One beside that in use is given up here and not by the receiver: until then it would ask for a keyframe
        let stays = turn.in_use.as_ref().is_some_and(|encoder| feed.is_from(encoder));
        turn.next = Some(if stays { Next::Stay } else { next(feed) });
        drop(turn);
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
    /// It has had pictures.
    has_begun: bool,
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
                Came::FromComing(Some(keyframe)) if self.change_over() => return Some(keyframe),
                Came::FromComing(_) => self.coming = None,
                Came::FromCurrent(Some(picture)) => return Some(picture),
                Came::FromCurrent(None) => self.leave_current(),
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
        let (next, closed) = (turn.next.take(), turn.closed);
        drop(turn);
        match next {
            Some(Next::Stay) => self.coming = None,
            Some(Next::To(feed)) => self.expect(feed),
            Some(Next::Only(feed)) => {
                self.leave_current();
                self.expect(feed);
            }
            Some(Next::Nothing) => {
                self.leave_current();
                self.coming = None;
            }
            None => {}
        }
        closed
    }

    /// Waits for a feed's keyframe from here on.
    fn expect(&mut self, feed: Feed) {
        // The one that has waited longer may have its keyframe already
        if self.coming.as_ref().is_none_or(|coming| !feed.is_from(&coming.encoder())) {
            self.coming = Some(feed);
        }
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

    /// Whether it changes to the coming feed; not, where that was called off in the meantime.
    fn change_over(&mut self) -> bool {
        let mut turn = self.points.state.lock();
        if matches!(turn.next, Some(Next::Stay)) {
            turn.next = None;
            return false;
        }
        turn.in_use = self.coming.as_ref().map(Feed::encoder);
        drop(turn);
        self.current = self.coming.take();
        let has_begun = std::mem::replace(&mut self.has_begun, true);
        if let (true, Some(current)) = (has_begun, &self.current) {
            current.switches.inc();
        }
        true
    }

    fn leave_current(&mut self) {
        self.current = None;
        self.points.state.lock().in_use = None;
    }
}

impl Drop for VideoSubscription {
    fn drop(&mut self) {
        let mut turn = self.points.state.lock();
        turn.closed = true;
        (turn.next, turn.in_use) = (None, None);
    }
}

async fn next_of(feed: &mut Option<Feed>) -> Option<Arc<EncodedPicture>> {
    match feed {
        Some(feed) => feed.next().await,
        None => std::future::pending().await,
    }
}
