//! Turns between encoders that the test plays itself.

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
        let picture =
            Arc::new(EncodedPicture { payloads, at: MediaTime::ZERO, keyframe, number: self.number, ..EncodedPicture::default() });
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
fn a_receiver_that_drops_to_a_feed_gets_nothing_more_of_the_old_one() {
    let (mut pictures, turnout, mut one, mut two) = following();
    turnout.drop_to(two.feed());
    one.make(true);
    two.make(false);
    assert_eq!(now(&mut pictures), None);
    assert_eq!((one.receivers(), two.wants_keyframe()), (0, true));
    two.make(true);
    assert_eq!(now(&mut pictures), Some((2, 1, true)));
}

#[test]
fn a_paused_receiver_gets_nothing_costs_nobody_a_keyframe_and_comes_back_at_one() {
    let (mut pictures, turnout, mut one, mut two) = following();
    turnout.turn_to(two.feed());
    turnout.pause();
    one.make(false);
    two.make(true);
    assert_eq!(now(&mut pictures), None);
    assert_eq!((one.receivers(), two.receivers()), (0, 0));
    turnout.turn_to(one.feed());
    one.make(false);
    assert_eq!(now(&mut pictures), None);
    one.make(true);
    assert_eq!(now(&mut pictures), Some((1, 3, true)));
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
