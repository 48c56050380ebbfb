//! One pass after another.

use super::*;
use crate::codec::opus::AudioDecoder;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn times(cues: &[Cue], of: impl Fn(&Cue) -> bool) -> Vec<Duration> {
    cues.iter().filter(|cue| of(cue)).map(|cue| cue.at).collect()
}

fn heard(cues: &[Cue]) -> Vec<f32> {
    let (mut decoder, mut samples) = (AudioDecoder::new().unwrap(), Vec::new());
    for packet in cues.iter().filter_map(packet) {
        let mut block = [0.0; BLOCK_SAMPLES];
        assert_eq!(decoder.decode(packet, &mut block).unwrap(), BLOCK_SAMPLES);
        samples.extend(block);
    }
    samples
}

#[test]
fn samples_that_are_no_whole_blocks_are_heard_without_a_seam_however_often_they_play() {
    // 990 whole periods in 49.5 blocks
    let tape = Tape::default().with_samples(1000.0, 47_520);
    let cues = cues(&mut tape.score(Passes::Endless), 400);
    assert!(times(&cues, |_| true).into_iter().zip(0..).all(|(at, n)| at == MS(20 * n)));
    let samples = heard(&cues);
    for (n, block) in samples.chunks_exact(BLOCK_SAMPLES).enumerate().skip(3) {
        assert!((0.4..0.6).contains(&level(block, 1000.0)), "block {n}: {}", level(block, 1000.0));
    }
    // A seam of another phase would be one of 0.05 and more
    let click = samples[3000..].windows(4).map(|w| (w[3] - 3.0 * w[2] + 3.0 * w[1] - w[0]).abs()).fold(0.0, f32::max);
    assert!(click < 0.02, "{click}");
}

#[test]
fn opus_packets_are_passed_on_as_they_are_and_follow_each_other_over_the_seam() {
    let tape = Tape::default().with_opus(440.0, 25);
    let cues = cues(&mut tape.score(Passes::Endless), 80);
    assert!(times(&cues, |_| true).into_iter().zip(0..).all(|(at, n)| at == MS(20 * n)));
    let CodedSound::Opus { packet: first, .. } = &tape.sounds[0] else { unreachable!() };
    assert!([0, 25, 50].into_iter().all(|n| packet(&cues[n]) == Some(first)));
    assert_eq!((cues[24].position, cues[25].position), (MS(480), MS(0)));
}

#[test]
fn pictures_begin_anew_with_the_sound() {
    let tape = Tape::default().with_pictures(10, 10, [120, 90, 160]).with_opus(440.0, 48);
    let cues = cues(&mut tape.score(Passes::Endless), 3 * 58);
    let pictures = times(&cues, is_picture);
    assert_eq!(pictures[..12], [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 960, 1060].map(MS));
    assert_eq!(times(&cues, |cue| !is_picture(cue))[48], MS(960));
    assert!(cues.iter().all(|cue| cue.position < MS(960)));
}

#[test]
fn sound_that_ends_long_before_the_pictures_waits_for_them() {
    let opus = Tape::default().with_pictures(20, 10, [120, 90, 160]).with_opus(440.0, 10);
    let samples = Tape::default().with_pictures(20, 10, [120, 90, 160]).with_samples(1000.0, 9600);
    let sounds = |tape: &Tape| times(&cues(&mut tape.score(Passes::Endless), 140), |cue| !is_picture(cue));
    assert_eq!(sounds(&opus)[9..12], [180, 2000, 2020].map(MS));
    assert!(sounds(&samples).into_iter().zip(0..).all(|(at, n)| at == MS(20 * n)), "the gap is silence");
    let quiet = heard(&cues(&mut samples.score(Passes::Endless), 140));
    assert!(quiet[30 * BLOCK_SAMPLES..80 * BLOCK_SAMPLES].iter().all(|sample| sample.abs() < 1e-3));
}

#[test]
fn one_pass_ends_with_the_last_of_its_samples() {
    let tape = Tape::default().with_samples(1000.0, 2000);
    let mut score = tape.score(Passes::One);
    assert_eq!(times(&cues(&mut score, 10), |_| true), [0, 20, 40].map(MS));
    assert!(score.next().unwrap().is_none());
}

#[test]
fn a_gap_in_a_file_stays_one() {
    let mut tape = Tape::default().with_opus(440.0, 6);
    if let CodedSound::Opus { at, .. } = &mut tape.sounds[3] {
        *at = MS(500);
    }
    let cues = cues(&mut tape.score(Passes::One), 10);
    assert_eq!(times(&cues, |_| true), [0, 20, 40, 500, 520, 540].map(MS));
}

#[test]
fn a_picture_that_stands_still_is_sent_each_second_and_can_be_shown_each_time() {
    let tape = Tape { duration: MS(4500), ..Tape::default().with_pictures(1, 25, [120, 90, 160]) };
    let cues = cues(&mut tape.score(Passes::Endless), 12);
    let expected = [0, 1000, 2000, 3000, 4000, 4500, 5500, 6500, 7500, 8500, 9000, 10_000];
    assert_eq!(times(&cues, is_picture), expected.map(MS));
    let mut decoder = crate::codec::h264::Decoder::new();
    let annex_b: Vec<u8> = tape.pictures[0].nal_units.iter().flat_map(|nal| [&[0, 0, 0, 1], nal.as_ref()].concat()).collect();
    for _ in 0..3 {
        assert!(crate::codec::VideoDecoder::decode(&mut decoder, &annex_b).unwrap().is_some());
    }
}

#[test]
fn a_file_that_is_hardly_anything_is_not_opened_all_the_time() {
    let opened = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let (tape, count) = (Tape::default().with_opus(440.0, 1), opened.clone());
    let open = move || {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(tape.media())
    };
    let mut score = Score::open(Box::new(open), Passes::Endless).unwrap();
    assert_eq!(cues(&mut score, 50).last().unwrap().at, MS(4900));
    assert!(opened.load(std::sync::atomic::Ordering::Relaxed) <= 51);
}
