//! A receiver's pictures, from one encoder after another.
//!
//! In: feeds that the room turns it to. Out: pictures that a decoder can follow: those of the feed in use, until the coming one's
//! first keyframe is there. Never: a picture without its reference, or a gap while the coming feed has nothing yet.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::video::{Encoder, Feed};
use crate::media::EncodedPicture;

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
        let mut turn = self.0.state.lock();
        // A feed that nobody takes over would keep an encoder at work
        if turn.closed {
            return;
        }
        // One beside that in use is given up here and not by the receiver: until then it would ask for a keyframe
        let stays = turn.in_use.as_ref().is_some_and(|encoder| feed.is_from(encoder));
        turn.next = Some(if stays { Next::Stay } else { Next::To(feed) });
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
            // The one that has waited longer may have its keyframe already
            Some(Next::To(feed)) if self.coming.as_ref().is_some_and(|coming| feed.is_from(&coming.encoder())) => {}
            Some(Next::To(feed)) => self.coming = Some(feed),
            None => {}
        }
        closed
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
        self.current.iter().filter(|_| has_begun).for_each(|feed| drop(feed.switches.inc()));
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::FutureExt;
    use prometheus_client::metrics::counter::Counter;
    use proptest::prelude::*;

    use super::*;
    use crate::egress::fanout::{Fanout, Publisher};
    use crate::egress::pictures::PictureQueue;
    use crate::media::MediaTime;

    /// Stands for an encoder: the test says when it makes pictures. Dropping it ends its feeds.
    struct Fake {
        name: u8,
        publisher: Publisher<PictureQueue>,
        number: u64,
        switches: Counter,
    }

    impl Fake {
        fn new(name: u8) -> Self {
            Self { name, publisher: Publisher(Arc::default()), number: 0, switches: Counter::default() }
        }

        fn feed(&self) -> Feed {
            Feed { pictures: self.publisher.0.subscribe(PictureQueue::default()), switches: self.switches.clone() }
        }

        fn wants_keyframe(&self) -> bool {
            self.publisher.0.any(PictureQueue::wants_keyframe)
        }

        fn make(&mut self, keyframe: bool) {
            let payloads = vec![Bytes::from(vec![self.name])];
            let picture = Arc::new(EncodedPicture { payloads, at: MediaTime::ZERO, keyframe, number: self.number });
            self.number += 1;
            self.publisher.0.each(|queue| {
                queue.offer(&picture);
            });
        }

        fn receivers(&self) -> usize {
            Fanout::len(&self.publisher.0)
        }
    }

    /// From which encoder the next picture is, where there is one by now, and its number and whether it is a keyframe.
    fn now(pictures: &mut VideoSubscription) -> Option<(u8, u64, bool)> {
        let picture = pictures.next().now_or_never()?.expect("it goes on while there is a turnout");
        Some((picture.payloads[0][0], picture.number, picture.keyframe))
    }

    fn ended(pictures: &mut VideoSubscription) -> bool {
        matches!(pictures.next().now_or_never(), Some(None))
    }

    /// A receiver that follows the first of two encoders.
    fn following() -> (VideoSubscription, Turnout, Fake, Fake) {
        let (mut pictures, turnout) = subscription();
        let (mut one, two) = (Fake::new(1), Fake::new(2));
        turnout.turn_to(one.feed());
        one.make(true);
        assert_eq!(now(&mut pictures), Some((1, 0, true)));
        (pictures, turnout, one, two)
    }

    #[test]
    fn a_receiver_waits_for_its_first_turn_and_for_that_feeds_keyframe() {
        let (mut pictures, turnout) = subscription();
        let mut one = Fake::new(1);
        assert_eq!(now(&mut pictures), None);
        turnout.turn_to(one.feed());
        one.make(false);
        assert_eq!(now(&mut pictures), None);
        one.make(true);
        assert_eq!(now(&mut pictures), Some((1, 1, true)));
    }

    #[test]
    fn one_that_waits_is_woken_by_a_turn() {
        let (mut pictures, turnout) = subscription();
        let mut one = Fake::new(1);
        let feed = one.feed();
        one.make(true);
        let waiter = std::thread::spawn(move || pollster::block_on(pictures.next()).unwrap().number);
        turnout.turn_to(feed);
        assert_eq!(waiter.join().unwrap(), 0);
    }

    #[test]
    fn the_old_feed_goes_on_until_the_new_ones_keyframe_is_there() {
        let (mut pictures, turnout, mut one, mut two) = following();
        turnout.turn_to(two.feed());
        one.make(false);
        two.make(false);
        assert_eq!([now(&mut pictures), now(&mut pictures)], [Some((1, 1, false)), None]);
        assert!(two.wants_keyframe() && !one.wants_keyframe());
        one.make(false);
        two.make(true);
        two.make(false);
        assert_eq!([now(&mut pictures), now(&mut pictures)], [Some((2, 1, true)), Some((2, 2, false))]);
        assert_eq!((one.receivers(), two.receivers()), (0, 1), "it has left the old one");
        assert_eq!((one.switches.get(), two.switches.get()), (0, 1));
    }

    #[test]
    fn turning_back_before_the_keyframe_changes_nothing() {
        let (mut pictures, turnout, mut one, mut two) = following();
        turnout.turn_to(two.feed());
        assert_eq!(now(&mut pictures), None);
        turnout.turn_to(one.feed());
        two.make(true);
        one.make(false);
        assert_eq!([now(&mut pictures), now(&mut pictures)], [Some((1, 1, false)), None]);
        assert_eq!((one.receivers(), two.receivers()), (1, 0));
    }

    #[test]
    fn being_turned_to_the_encoder_in_use_costs_nobody_a_keyframe() {
        let (mut pictures, turnout, mut one, _two) = following();
        turnout.turn_to(one.feed());
        assert!(!one.wants_keyframe(), "not even before the receiver looks");
        one.make(false);
        assert_eq!(now(&mut pictures), Some((1, 1, false)));
    }

    #[test]
    fn a_keyframe_is_not_followed_where_the_turn_was_called_off_just_before() {
        let (mut pictures, turnout, mut one, mut two) = following();
        turnout.turn_to(two.feed());
        assert_eq!(now(&mut pictures), None);
        two.make(true);
        let came = pictures.wait().now_or_never();
        turnout.turn_to(one.feed());
        assert!(matches!(came, Some(Came::FromComing(Some(_)))) && !pictures.change_over());
        one.make(false);
        pictures.coming = None;
        assert_eq!(now(&mut pictures), Some((1, 1, false)));
    }

    #[test]
    fn where_the_old_encoder_ends_the_receiver_waits_for_the_new_one() {
        let (mut pictures, turnout, one, mut two) = following();
        drop(one);
        assert_eq!(now(&mut pictures), None);
        turnout.turn_to(two.feed());
        two.make(true);
        assert_eq!(now(&mut pictures), Some((2, 0, true)));
    }

    #[test]
    fn where_the_coming_encoder_ends_the_receiver_stays() {
        let (mut pictures, turnout, mut one, two) = following();
        turnout.turn_to(two.feed());
        drop(two);
        one.make(false);
        assert_eq!(now(&mut pictures), Some((1, 1, false)));
    }

    #[test]
    fn a_wish_for_a_keyframe_goes_to_the_feed_in_use() {
        let (pictures, _turnout, one, _two) = following();
        pictures.request_keyframe();
        assert!(one.wants_keyframe());
    }

    #[test]
    fn it_ends_with_its_feed_where_nobody_can_turn_it_any_more() {
        let (mut pictures, turnout, mut one, _two) = following();
        drop(turnout);
        one.make(false);
        assert_eq!(now(&mut pictures), Some((1, 1, false)));
        drop(one);
        assert!(ended(&mut pictures));
        let (mut never_turned, turnout) = subscription();
        drop(turnout);
        assert!(ended(&mut never_turned));
    }

    #[test]
    fn a_receiver_that_has_gone_keeps_no_encoder_at_work() {
        let (pictures, turnout, one, two) = following();
        turnout.turn_to(two.feed());
        drop(pictures);
        assert_eq!((one.receivers(), two.receivers()), (0, 0));
        turnout.turn_to(two.feed());
        assert_eq!(two.receivers(), 0);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Turn(usize),
        /// A keyframe where one is wanted, and sometimes where none is.
        Make(usize, bool),
        Take,
        Ask,
        /// Its encoder is given up; another takes its place.
        End(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            2 => (0usize..3).prop_map(Step::Turn),
            10 => (0usize..3, prop::bool::weighted(0.1)).prop_map(|(which, keyframe)| Step::Make(which, keyframe)),
            8 => Just(Step::Take),
            1 => Just(Step::Ask),
            1 => (0usize..3).prop_map(Step::End),
        ]
    }

    proptest! {
        #[test]
        fn whatever_comes_between_what_is_taken_can_be_decoded(steps in prop::collection::vec(step(), 1..400), answers in any::<bool>()) {
            let (mut pictures, turnout) = subscription();
            let mut encoders = [0, 1, 2].map(Fake::new);
            let (mut names, mut last, mut aim) = (3.., None, None);
            let take = |pictures: &mut VideoSubscription, last: &mut Option<(u8, u64)>| -> Result<Option<u8>, TestCaseError> {
                let Some((name, number, keyframe)) = now(pictures) else { return Ok(None) };
                prop_assert!(keyframe || *last == number.checked_sub(1).map(|before| (name, before)));
                *last = Some((name, number));
                Ok(Some(name))
            };
            for step in steps {
                match step {
                    Step::Turn(which) => {
                        turnout.turn_to(encoders[which].feed());
                        aim = Some(which);
                    }
                    Step::Make(which, keyframe) => {
                        let wanted = answers && encoders[which].wants_keyframe();
                        encoders[which].make(keyframe || wanted);
                    }
                    Step::Take => {
                        take(&mut pictures, &mut last)?;
                    }
                    Step::Ask => pictures.request_keyframe(),
                    Step::End(which) => {
                        encoders[which] = Fake::new(names.next().unwrap());
                        aim = aim.filter(|aim| *aim != which);
                    }
                }
            }
            // Whatever happened, it gets to where it was turned last.
            let Some(aim) = aim else { return Ok(()) };
            while take(&mut pictures, &mut last)?.is_some() {}
            encoders[aim].make(true);
            prop_assert_eq!(take(&mut pictures, &mut last)?, Some(encoders[aim].name));
            prop_assert!((0..3).all(|which| encoders[which].receivers() == usize::from(which == aim)));
        }
    }
}
