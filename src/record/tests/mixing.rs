//! What the mix's file holds.

use super::*;
use crate::container::mp4;

/// A file of them; how many parts it has.
fn file(path: &Path, pictures: &[EncodedPicture], sounds: &[EncodedSound]) -> usize {
    let (bytes, ends) = film(pictures, sounds);
    std::fs::write(path, bytes).unwrap();
    ends.len() - 1
}

/// Within a tick of the picture clock.
fn near(a: Duration, b: Duration) -> bool {
    a.abs_diff(b) <= Duration::from_nanos(1_000_000_000 / u64::from(mp4::SOUND_CLOCK))
}

#[test]
fn pictures_and_sounds_are_in_the_file_at_their_times() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mixed.mp4");
    let zero = MediaTime::from_millis(7_003);
    let (pictures, sounds) = (pictures(90, 30, (160, 90), zero), sounds(160, MediaTime::from_millis(6_910)));
    assert_eq!(file(&path, &pictures, &sounds), 4, "a part each second, and what is left");
    let (seen, heard, duration) = content(&path);
    assert_eq!(seen.len(), pictures.len());
    for (seen, sent) in seen.iter().zip(&pictures) {
        assert!(near(seen.at, sent.at.since(zero)) && seen.keyframe == sent.keyframe, "{:?} for {:?}", seen.at, sent.at);
        assert_eq!(seen.nal_units, sent.nal_units);
    }
    let kept: Vec<_> = sounds.iter().filter(|sound| sound.at >= zero).collect();
    assert_eq!(heard.len(), kept.len(), "what is from before the first picture is left out");
    // A reader leaves out the decoder's pre-skip
    let shift = at_of(&heard[5]).abs_diff(kept[5].at.since(zero));
    assert!(shift <= Duration::from_millis(7), "{shift:?}");
    assert!(heard.windows(2).all(|two| near(at_of(&two[1]) - at_of(&two[0]), Duration::from_millis(20))));
    assert!(duration >= Duration::from_millis(2980) && duration <= Duration::from_millis(3120), "{duration:?}");
}

#[test]
fn a_gap_is_a_long_sample_and_what_comes_after_is_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mixed.mp4");
    let zero = MediaTime::from_millis(1000);
    let (before, after) = (pictures(15, 30, (160, 90), zero), pictures(30, 30, (160, 90), zero + Duration::from_millis(3500)));
    let mut sounds = sounds(225, zero);
    sounds.drain(50..125);
    file(&path, &[before, after].concat(), &sounds);
    let (seen, heard, _) = content(&path);
    assert!(near(seen[15].at, Duration::from_millis(3500)) && seen[15].keyframe, "{:?}", seen[15].at);
    let pause = at_of(&heard[50]) - at_of(&heard[49]);
    assert!(near(pause, Duration::from_millis(20 + 75 * 20)), "{pause:?}");
}

#[test]
fn another_size_in_between_brings_its_parameter_sets_and_the_file_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mixed.mp4");
    let zero = MediaTime::ZERO;
    let (small, large) = (pictures(30, 30, (160, 90), zero), pictures(30, 30, (320, 180), zero + Duration::from_secs(1)));
    file(&path, &[small.clone(), large.clone()].concat(), &sounds(100, zero));
    let (seen, ..) = content(&path);
    assert_eq!((seen.len(), &seen[0].nal_units, &seen[30].nal_units), (60, &small[0].nal_units, &large[0].nal_units));
    let mut decoder = h264::Decoder::new();
    let mut sizes = Vec::new();
    for picture in &seen {
        let annex_b: Vec<u8> = picture.nal_units.iter().flat_map(|unit| [&[0, 0, 0, 1], unit.as_ref()].concat()).collect();
        let frame = crate::codec::VideoDecoder::decode(&mut decoder, &annex_b).unwrap();
        sizes.extend(frame.map(|frame| frame.width()));
    }
    assert_eq!((sizes[0], sizes.last()), (160, Some(&320)));
}

#[test]
fn a_picture_of_a_moment_that_was_shown_comes_right_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mixed.mp4");
    let mut pictures = pictures(10, 10, (160, 90), MediaTime::from_millis(500));
    // As after a turn to another encoder
    pictures[5].at = pictures[4].at;
    pictures[6].at = pictures[3].at;
    file(&path, &pictures, &sounds(50, MediaTime::from_millis(500)));
    let (seen, ..) = content(&path);
    assert!(seen.windows(2).all(|two| two[0].at < two[1].at) && near(seen[7].at, Duration::from_millis(700)), "{:?}", seen[7].at);
}

#[test]
fn what_is_no_keyframe_begins_no_film() {
    let second = &pictures(2, 30, (160, 90), MediaTime::ZERO)[1];
    assert!(Film::begin(second).is_err());
}
