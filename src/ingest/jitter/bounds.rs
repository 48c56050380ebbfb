//! What the jitter buffer must reach on bad lines: loss with FEC, bursts, jitter, black-outs.

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::line::{Line, Tick, WITH_FEC};

/// A minute and a half.
const PACKETS: usize = 4500;

fn random(seed: u64, share: f64) -> Vec<bool> {
    let mut random = StdRng::seed_from_u64(seed);
    (0..PACKETS).map(|_| random.random_bool(share)).collect()
}

#[test]
fn random_loss_is_concealed_no_more_than_twice_in_a_row_explains() {
    for (loss, most) in [(0.05, 0.01), (0.1, 0.025), (0.2, 0.07), (0.3, 0.12)] {
        for seed in 1..4 {
            let lost = random(seed, loss);
            let heard = Line::steady(PACKETS).payload(WITH_FEC).without(|n| lost[n]).pulled(5000, PACKETS);
            let concealed = heard.concealed() as f64 / PACKETS as f64;
            assert!(concealed <= most, "{loss}: {concealed}");
            assert!(heard.mean_delay_ms() <= 60.0, "{loss}: {} ms", heard.mean_delay_ms());
        }
    }
}

#[test]
fn bursts_cost_themselves_less_their_last_packet() {
    let mut random = StdRng::seed_from_u64(9);
    let mut bursts = vec![false; PACKETS];
    for at in (100..PACKETS - 10).step_by(60) {
        bursts[at..at + random.random_range(1..6)].fill(true);
    }
    let lost = bursts.iter().filter(|lost| **lost).count();
    let last = bursts.windows(2).filter(|pair| pair[0] && !pair[1]).count();
    let heard = Line::steady(PACKETS).payload(WITH_FEC).without(|n| bursts[n]).pulled(5000, PACKETS);
    assert!(heard.count(Tick::Recovered) >= last - 4, "{} of {last}", heard.count(Tick::Recovered));
    assert!(heard.concealed() <= lost - last + 8, "{} of {lost}", heard.concealed());
}

#[test]
fn jitter_of_200_ms_either_way_is_mastered_within_5_s_and_forgotten_within_30_s() {
    for seed in 1..4 {
        let mut random = StdRng::seed_from_u64(seed);
        let delays: Vec<i64> = (0..PACKETS).map(|n| if n < 2000 { random.random_range(0..=400_000) } else { 200_000 }).collect();
        let heard = Line::steady(PACKETS).payload(WITH_FEC).delayed(|n| delays[n]).pulled(7000, PACKETS);
        let concealed = heard.ticks[250..2000].iter().filter(|tick| **tick == Tick::Concealed).count();
        assert!(concealed as f64 <= 0.03 * 1750.0, "{concealed} of 1750");
        assert!(heard.waited_from(2010 + 1500).all(|waited| waited < 100_000));
        assert!(heard.ticks[2020..4400].iter().all(|tick| *tick == Tick::Decoded));
    }
}

#[test]
fn after_a_black_out_of_2_s_sound_is_back_at_once_without_leftover_delay() {
    for phase in [0, 5000, 12_000, 19_000] {
        let heard = Line::steady(2000).payload(WITH_FEC).without(|n| (500..600).contains(&n)).pulled(phase, 1990);
        let back = heard.ticks[600..].iter().position(|tick| *tick == Tick::Decoded);
        assert!(back.is_some_and(|ticks| ticks <= 3), "{back:?} ticks");
        assert!(heard.waited_from(600).all(|waited| waited <= 50_000));
    }
}
