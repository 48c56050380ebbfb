//! One person's pictures and sound, each at its time.

use super::super::camera::{Camera, Pause};
use super::super::damage::Damages;
use super::super::voice::Voice;
use super::*;
use crate::media::{Heard, SoundSource};

fn camera(pictures: VecDeque<CodedPicture>, pause: Pause) -> Camera {
    Camera::new(Box::new(Pictures(pictures, None)), pause, MediaTime::ZERO, Damages::default().of("a.mp4"))
}

fn ms(ms: u64) -> MediaTime {
    MediaTime::from_millis(ms)
}

fn stamp(camera: &mut Camera) -> Option<u32> {
    let frame = camera.picture()?;
    let luma = Luma { width: 160, height: 90, plane: frame.planes()[0] };
    mark::find(luma).first().map(|(_, stamp)| stamp.millis)
}

#[test]
fn the_picture_that_shows_is_the_newest_that_is_due() {
    let mut camera = camera(pictures(1, 2), Pause::Holds);
    let shown = [0, 66, 67, 500, 1000].map(|at| {
        camera.advance(ms(at));
        stamp(&mut camera)
    });
    assert_eq!(shown, [Some(0), Some(0), Some(66), Some(466), Some(1000)]);
}

#[test]
fn somebody_whom_nobody_saw_is_seen_again_at_once() {
    let mut camera = camera(pictures(1, 4), Pause::Holds);
    camera.advance(ms(0));
    assert_eq!(stamp(&mut camera), Some(0));
    (0..220).for_each(|n| camera.advance(ms(n * 15)));
    assert_eq!(camera.waiting(), 5, "what is before the last keyframe is never decoded");
    assert_eq!(stamp(&mut camera), Some(3266));
}

#[test]
fn a_picture_holds_in_a_film_and_is_marked_and_forgotten_where_a_line_was_silent() {
    for (pause, forgets) in [(Pause::Holds, false), (Pause::IsSilence, true)] {
        let mut gap = pictures(1, 1);
        gap.extend(pictures(1, 1).into_iter().map(|picture| CodedPicture { at: picture.at + Duration::from_secs(8), ..picture }));
        let mut camera = camera(gap, pause);
        let presence = camera.presence();
        let told = [0, 2500, 3000, 5900, 6000, 8000].map(|at| {
            camera.advance(ms(at));
            (presence.is_stalled(), presence.is_empty())
        });
        let (marked, gone) = ((forgets, false), (forgets, forgets));
        assert_eq!(told, [(false, false), (false, false), marked, marked, gone, (false, false)], "{pause:?}");
    }
}

#[test]
fn pictures_that_end_in_an_error_end_there_and_it_is_told() {
    let (damages, error) = (Damages::default(), ContainerError::Malformed("a sample lies beyond the end".into()));
    let mut camera = Camera::new(Box::new(Pictures(pictures(1, 1), Some(error))), Pause::Holds, MediaTime::ZERO, damages.of("a.mp4"));
    camera.advance(ms(5000));
    assert!(camera.is_over(ms(5000)) && stamp(&mut camera) == Some(933));
    assert_eq!(damages.list(), ["a.mp4: its pictures end early: the file is malformed: a sample lies beyond the end"]);
}

#[test]
fn pictures_and_sounds_that_cannot_be_decoded_are_told_of() {
    let damages = Damages::default();
    let headless = pictures(1, 2).into_iter().skip(1).collect();
    let mut camera = Camera::new(Box::new(Pictures(headless, None)), Pause::Holds, MediaTime::ZERO, damages.of("a.mp4"));
    let shown = [200, 500, 1200].map(|at| {
        camera.advance(ms(at));
        stamp(&mut camera)
    });
    assert_eq!(shown, [None, None, Some(1200)]);
    assert_eq!(damages.list(), ["a.mp4: not all of its pictures can be decoded: codec error no sequence parameter set yet"]);
    let empty = (0..3).map(|n| CodedSound::Opus { at: Duration::from_millis(20 * n), packet: Default::default() });
    let (mut voice, _) = Voice::open(Box::new(Sounds(empty.collect())), MediaTime::ZERO, damages.of("b.opus"));
    let mut block = Block::SILENCE;
    for n in 0..5 {
        voice.pull(ms(20 * n), &mut block);
    }
    assert_eq!(damages.list()[1..], ["b.opus: not all of its sound can be decoded: codec error empty packet"]);
}

/// What is heard of somebody from a moment on, block by block.
fn listen(sounds: VecDeque<CodedSound>, from: u64, blocks: u64) -> (Vec<f32>, Vec<Heard>, bool) {
    let (mut voice, over) = Voice::open(Box::new(Sounds(sounds)), MediaTime::ZERO, Damages::default().of("a.mp4"));
    let (mut samples, mut how) = (Vec::new(), Vec::new());
    for n in 0..blocks {
        let mut block = Block::SILENCE;
        how.push(voice.pull(ms(from + 20 * n), &mut block));
        samples.extend_from_slice(&block.0);
    }
    (samples, how, over.load(std::sync::atomic::Ordering::Relaxed))
}

fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32).sqrt()
}

/// A bot's tone.
fn tone(blocks: u64) -> VecDeque<CodedSound> {
    let mut sounds = sounds(1, blocks.div_ceil(50), |_| true);
    sounds.truncate(blocks as usize);
    sounds
}

#[test]
fn a_lost_packet_is_recovered_and_several_are_made_up() {
    let lossy = |lost: std::ops::Range<usize>| {
        let mut sounds = tone(40);
        sounds.drain(lost);
        listen(sounds, 0, 40)
    };
    let (whole, how, _) = listen(tone(40), 0, 40);
    assert!(how.iter().all(|heard| *heard == Heard::Decoded));
    let (samples, how, _) = lossy(20..21);
    assert_eq!(how.iter().filter(|heard| **heard == Heard::Recovered).count(), 1);
    let apart: Vec<f32> = samples.iter().zip(&whole).map(|(a, b)| a - b).collect();
    assert!(rms(&apart[25 * 960..]) < 0.3 * rms(&whole[25 * 960..]), "what comes after is where it was");
    let (samples, how, _) = lossy(20..24);
    assert!(how.contains(&Heard::Concealed) && rms(&samples[21 * 960..22 * 960]) > 0.0);
}

#[test]
fn a_pause_is_silence_and_sound_goes_on_at_its_time() {
    let mut sounds = tone(50);
    sounds.drain(20..40);
    let (samples, how, _) = listen(sounds, 0, 50);
    assert!(how[22..40].iter().all(|heard| *heard == Heard::Idle) && rms(&samples[22 * 960..40 * 960]) < 1e-6);
    assert_eq!((how[19], how[40]), (Heard::Decoded, Heard::Decoded));
    assert!(rms(&samples[41 * 960..]) > 0.02);
}

#[test]
fn whoever_comes_later_is_heard_from_there_and_what_comes_twice_once() {
    let (whole, ..) = listen(tone(50), 0, 50);
    let (late, ..) = listen(tone(50), 400, 30);
    let apart: Vec<f32> = late.iter().zip(&whole[20 * 960..]).map(|(a, b)| a - b).collect();
    assert!(rms(&apart[10 * 960..]) < 0.2 * rms(&whole[30 * 960..]));
    let mut twice = tone(50);
    for again in [twice[10].clone(), twice[11].clone(), twice[12].clone()] {
        twice.insert(13, again);
    }
    let (samples, how, over) = listen(twice, 0, 50);
    assert!(over && how[49] == Heard::Decoded && samples.len() == whole.len());
}

#[test]
fn samples_are_heard_as_they_are() {
    let ramp = |first: usize| (0..2400).map(|n| ((first + n) as f32 / 48_000.0).sin()).collect::<Vec<_>>();
    let pieces = (0..10).map(|n| CodedSound::Samples { at: Duration::from_millis(50 * n as u64), samples: ramp(2400 * n) });
    let (samples, how, over) = listen(pieces.collect(), 0, 25);
    assert!(over && how.iter().skip(1).all(|heard| *heard == Heard::Decoded));
    assert!(samples.iter().enumerate().skip(240).all(|(n, sample)| (sample - (n as f32 / 48_000.0).sin()).abs() < 1e-6));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_times_a_file_gives_every_block_is_whole(
        pieces in proptest::collection::vec((0u64..3000, 0usize..4, proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40)), 0..40),
    ) {
        let good = tone(4);
        let piece = |(at, kind, bytes): (u64, usize, Vec<u8>)| {
            let at = Duration::from_millis(at);
            match (kind, &good[kind.min(3)]) {
                (0, _) => CodedSound::Samples { at, samples: vec![0.1; 37 * bytes.len()] },
                (1, _) => CodedSound::Opus { at, packet: bytes.into() },
                (_, CodedSound::Opus { packet, .. }) => CodedSound::Opus { at, packet: packet.clone() },
                _ => unreachable!("the tone is Opus"),
            }
        };
        let (samples, ..) = listen(pieces.into_iter().map(piece).collect(), 0, 160);
        proptest::prop_assert_eq!(samples.len(), 160 * BLOCK_SAMPLES);
    }
}
