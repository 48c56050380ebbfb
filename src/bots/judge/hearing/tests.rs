//! What is heard of made-up mixes whose levels, delays and gaps are known.

use super::super::super::sound::Voice;
use super::*;
use crate::media::Block;

const START_US: u64 = 1_700_000_000_123_000;

/// `seconds` of the voices' sum, each with its gain, as blocks with the time of their first samples.
fn mix(voices: &[(u16, f32)], seconds: u64) -> Vec<(u64, Block)> {
    let mut speakers: Vec<_> = voices.iter().map(|&(number, gain)| (Voice::new(number), gain)).collect();
    let block_at = |n: u64| START_US + n * 20_000;
    (0..seconds * 50)
        .map(|n| {
            let mut sum = Block::SILENCE;
            for (voice, gain) in &mut speakers {
                let spoken = voice.speak(Wall::from_micros(block_at(n)));
                sum.0.iter_mut().zip(spoken.0).for_each(|(to, from)| *to += from * *gain);
            }
            (block_at(n), sum)
        })
        .collect()
}

fn heard_after(delay_ms: u64, blocks: &[(u64, Block)]) -> Hearing {
    let mut hearing = Hearing::default();
    for (n, (at, block)) in blocks.iter().enumerate() {
        hearing.hear(&block.0, 7000 + n as u64 * 960, Wall::from_micros(at + delay_ms * 1000));
    }
    hearing
}

#[test]
fn nine_in_a_mix_are_told_apart_with_their_levels_and_delays() {
    let gains: Vec<_> = (1..=9u16).map(|number| (number, 1.0 - 0.08 * f32::from(number))).collect();
    let report = heard_after(57, &mix(&gains, 6)).report();
    assert_eq!(report.keys().copied().collect::<Vec<_>>(), (1..=9).collect::<Vec<_>>());
    for (number, gain) in gains {
        let tone = &report[&number];
        let level = f64::from(20.0 * (0.1 * gain).log10());
        assert!((tone.level_db - level).abs() < 1.0, "tone {number}: {} dB, sent {level}", tone.level_db);
        let delay = tone.delay_ms.unwrap();
        assert!(delay.samples >= 5 && (delay.p50 - 57.0).abs() < 2.0 && (delay.max - 57.0).abs() < 3.0, "tone {number}: {delay:?}");
    }
}

#[test]
fn all_twenty_four_are_told_apart() {
    let all: Vec<_> = Tone::all().map(|tone| (tone.number(), 1.0)).collect();
    let report = heard_after(31, &mix(&all, 4)).report();
    for (number, tone) in &report {
        assert!((tone.level_db + 20.0).abs() < 1.0, "tone {number}: {} dB", tone.level_db);
        assert!((tone.delay_ms.unwrap().p50 - 31.0).abs() < 3.0, "tone {number}: {:?}", tone.delay_ms);
    }
    assert_eq!(report.len(), 24);
}

#[test]
fn a_tone_that_is_not_there_is_far_below_its_neighbours() {
    let others: Vec<_> = (1..=9).filter(|&number| number != 5).map(|number| (number, 1.0)).collect();
    let hearing = heard_after(40, &mix(&others, 6));
    let own = hearing.level_db(Tone::of(5)).unwrap();
    assert!(own < -75.0, "{own} dB");
    assert!(!hearing.report().contains_key(&5));
}

#[test]
fn a_late_packet_is_late_for_whatever_it_holds() {
    let mut hearing = Hearing::default();
    for (n, (at, block)) in mix(&[(1, 1.0)], 8).iter().enumerate() {
        let delay_ms = if n < 200 { 30 } else { 90 };
        hearing.hear(&block.0, n as u64 * 960, Wall::from_micros(at + delay_ms * 1000));
    }
    let delay = hearing.report()[&1].delay_ms.unwrap();
    assert!((delay.max - 90.0).abs() < 3.0 && delay.p50 < 62.0, "{delay:?}");
}

#[test]
fn a_gap_in_the_stream_is_no_pause() {
    let mut hearing = Hearing::default();
    for (n, (at, block)) in mix(&[(1, 1.0)], 6).iter().enumerate() {
        // Blocks 100 to 104 hold full tone; losing them without concealment looks like a pause of its length.
        let place = n as u64 * 960;
        if !(60..65).contains(&(n % 100)) {
            hearing.hear(&block.0, place, Wall::from_micros(at + 30_000));
        }
    }
    let delay = hearing.report()[&1].delay_ms.unwrap();
    assert!((delay.max - 30.0).abs() < 3.0, "{delay:?}");
}

#[test]
fn a_black_out_is_a_gap_of_each_tone_and_pauses_are_none() {
    let mut hearing = Hearing::default();
    let blocks = mix(&[(1, 1.0), (2, 0.5)], 12);
    for (n, (at, block)) in blocks.iter().enumerate().filter(|(n, _)| !(300..400).contains(n)) {
        hearing.hear(&block.0, n as u64 * 960, Wall::from_micros(at + 30_000));
    }
    let (black_from, black_to) = (Wall::from_micros(blocks[300].0 + 30_000), Wall::from_micros(blocks[400].0 + 30_000));
    let gaps = hearing.gaps(Wall::from_micros(blocks[599].0 + 50_000));
    for number in [1, 2] {
        let [gap] = gaps[&number][..] else { panic!("{number}: {:?}", gaps[&number]) };
        let (early, late) = (black_from.ms_since(gap.from), gap.to.ms_since(black_to));
        // A pause may stand at either end.
        assert!((0.0..140.0).contains(&early) && (0.0..140.0).contains(&late), "{number}: {early} {late}");
    }
}

#[test]
fn each_pauses_delay_is_remembered_with_its_time() {
    let hearing = heard_after(57, &mix(&[(3, 1.0)], 6));
    let delays = &hearing.delays()[&3];
    assert!(delays.len() >= 5 && delays.iter().all(|delay| (delay.ms - 57.0).abs() < 2.0), "{delays:?}");
    assert!(delays.windows(2).all(|pair| (pair[1].at.ms_since(pair[0].at) - 1000.0).abs() < 5.0));
}

/// Hears a mix from which `cut` samples were taken out after three seconds.
fn slips_after_a_cut_of(cut: usize) -> Vec<u64> {
    let mut samples: Vec<f32> = mix(&[(1, 1.0), (2, 1.0), (3, 1.0)], 6).iter().flat_map(|(_, block)| block.0).collect();
    samples.drain(150_000..150_000 + cut);
    let mut hearing = Hearing::default();
    for (n, block) in samples.chunks(960).enumerate() {
        hearing.hear(block, n as u64 * 960, Wall::from_micros(START_US + n as u64 * 20_000));
    }
    hearing.report().values().map(|tone| tone.slips).collect()
}

#[test]
fn what_is_cut_out_is_a_slip_and_nothing_else_is() {
    assert_eq!(slips_after_a_cut_of(0), [0, 0, 0]);
    for cut in [120, 331, 960] {
        let slips = slips_after_a_cut_of(cut);
        assert!(slips.contains(&1) && slips.iter().all(|count| *count <= 1), "{cut}: {slips:?}");
    }
}
