//! Files that say what cannot be.

use proptest::prelude::*;

use super::*;
use crate::players::inspect::{Reach, UnfitError, inspect};
use crate::players::score::ScoreError;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn refused(tape: &Tape) -> UnfitError {
    inspect(tape.media(), Reach::Whole).unwrap_err()
}

#[test]
fn what_is_whole_is_told_with_its_size_and_length() {
    let found = inspect(Tape::default().with_pictures(20, 10, [120, 90, 160]).with_opus(440.0, 30).media(), Reach::Whole).unwrap();
    assert_eq!((found.size, found.has_sound, found.duration), (Some((320, 180)), true, Duration::from_secs(2)));
    let found = inspect(Tape::default().with_samples(440.0, 48_000).media(), Reach::Whole).unwrap();
    assert_eq!((found.size, found.has_sound, found.duration.as_millis()), (None, true, 1000));
}

#[test]
fn what_cannot_be_decoded_is_refused_by_what_it_is() {
    let film = Tape::default().with_pictures(5, 10, [120, 90, 160]);
    let mut late = film.clone();
    late.pictures.pop_front();
    assert!(matches!(refused(&late), UnfitError::Pictures(_)));
    let mut noise = film.clone();
    noise.pictures[0].nal_units = vec![Bytes::from_static(&[0x65, 1, 2, 3])];
    assert!(matches!(refused(&noise), UnfitError::Pictures(_)));
    let mut hollow = film.clone();
    hollow.pictures.iter_mut().for_each(|picture| picture.nal_units.retain(|nal| nal[0] & 0x1f >= 7));
    assert!(matches!(refused(&hollow), UnfitError::NoPicture));
    let mut huge = film.clone();
    huge.pictures[3].nal_units = vec![vec![0x65; 5 << 20].into()];
    assert!(matches!(refused(&huge), UnfitError::TooLarge(_)));
    let no_opus = CodedSound::Opus { at: Duration::ZERO, packet: Bytes::new() };
    assert!(matches!(refused(&Tape { sounds: [no_opus].into(), ..Tape::default() }), UnfitError::Sound(_)));
    assert!(matches!(refused(&Tape { duration: DAY, ..Tape::default() }), UnfitError::TooShort(_)));
    assert!(matches!(refused(&Tape { duration: 2 * DAY, ..film.clone() }), UnfitError::TooLong));
    let mut far = film;
    far.pictures[4].at = 2 * DAY;
    assert!(matches!(refused(&far), UnfitError::TooLong));
}

#[test]
fn a_file_of_nothing_ends_at_once_also_where_it_is_to_play_for_ever() {
    let mut score = Tape::default().score(Passes::Endless);
    assert!(matches!(score.next(), Err(ScoreError::Empty)));
}

fn any_time() -> impl Strategy<Value = Duration> {
    prop_oneof![(0..100u64).prop_map(Duration::from_millis), any::<u64>().prop_map(Duration::from_nanos), Just(Duration::MAX)]
}

fn any_sound() -> impl Strategy<Value = CodedSound> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..20);
    let opus = prop_oneof![Just(vec![0xf8, 0, 0]), bytes];
    let samples = proptest::collection::vec(prop_oneof![-2f32..2.0, Just(f32::NAN), Just(f32::INFINITY)], 0..3000);
    prop_oneof![
        (any_time(), opus).prop_map(|(at, packet)| CodedSound::Opus { at, packet: packet.into() }),
        (any_time(), samples).prop_map(|(at, samples)| CodedSound::Samples { at, samples }),
    ]
}

fn any_picture() -> impl Strategy<Value = CodedPicture> {
    let nal_units = proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..3000).prop_map(Bytes::from), 0..4);
    (any_time(), nal_units, any::<bool>()).prop_map(|(at, nal_units, keyframe)| CodedPicture { at, nal_units, keyframe })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_a_file_says_its_cues_are_in_order_and_nothing_breaks(
        pictures in proptest::collection::vec(any_picture(), 0..6),
        sounds in proptest::collection::vec(any_sound(), 0..6),
        duration in any_time(),
        endless in any::<bool>(),
    ) {
        let tape = Tape { pictures: pictures.into(), sounds: sounds.into(), duration };
        let _ = inspect(tape.media(), Reach::Whole);
        let mut score = tape.score(if endless { Passes::Endless } else { Passes::One });
        let (mut last_picture, mut last_sound) = (None, None);
        for _ in 0..300 {
            let Ok(Some(cue)) = score.next() else { break };
            let last = if is_picture(&cue) { &mut last_picture } else { &mut last_sound };
            prop_assert!(last.is_none_or(|last| last < cue.at), "{:?} after {:?}", cue.at, last);
            *last = Some(cue.at);
        }
    }
}
