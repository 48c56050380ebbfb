//! The jitter buffer on virtual lines: clean, jittery, lossy, silent, stalled and hostile ones.

use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::line::{Line, Tick, WITH_FEC, WITHOUT_FEC, jitter};
use super::*;

/// What has no sound in it.
const DTX: &[u8] = &[0x48];

#[test]
fn on_a_clean_line_nothing_is_concealed_and_the_target_is_20_ms_at_any_phase() {
    for phase in 0..20 {
        let heard = Line::steady(1500).delayed(|n| jitter(n, 300)).pulled(phase * 1000, 1500);
        let first = heard.first_decode();
        assert!(heard.ticks[first..1480].iter().all(|tick| *tick == Tick::Decoded), "phase {phase}");
        assert_eq!(heard.target, 20 * MILLISECOND, "phase {phase}");
        let waited = heard.waited.iter().max().unwrap();
        assert!(*waited <= 22_500, "phase {phase}: {waited} µs");
    }
}

#[test]
fn arrivals_just_around_the_tick_do_not_make_it_swing() {
    for spread in [500, 1500, 3000] {
        let heard = Line::steady(3000).delayed(|n| 10_000 + jitter(n, spread)).pulled(10_000 + spread as u64 / 2, 3000);
        assert!(heard.concealed() <= 2, "±{spread} µs: {}", heard.concealed());
        assert!(heard.cuts <= 1, "±{spread} µs: {}", heard.cuts);
    }
}

#[test]
fn a_jittery_line_is_followed_within_its_jitter() {
    for (spread_ms, most_concealed, most_waited_ms) in [(30, 40, 125), (60, 60, 185), (100, 120, 245)] {
        let heard = Line::steady(3000).delayed(|n| 150_000 + jitter(n, spread_ms * 1000)).pulled(7000, 3000);
        assert!(heard.concealed() <= most_concealed, "±{spread_ms} ms: {} concealed", heard.concealed());
        let waited = heard.waited.iter().max().unwrap() / 1000;
        assert!(waited <= most_waited_ms, "±{spread_ms} ms: {waited} ms");
    }
}

#[test]
fn the_delay_goes_back_to_20_ms_once_the_line_is_calm_again() {
    let storm = |n: usize| if (500..1000).contains(&n) { 60_000 + jitter(n, 60_000) } else { 60_000 };
    let heard = Line::steady(3500).delayed(storm).pulled(5000, 3500);
    assert!(heard.waited[1500..].iter().all(|waited| *waited <= 60_000));
    assert!(heard.waited[3000..].iter().all(|waited| *waited <= 26_500));
    assert_eq!(heard.target, 20 * MILLISECOND);
    assert!(heard.ticks[1100..3400].iter().all(|tick| *tick == Tick::Decoded));
}

#[test]
fn a_single_stall_conceals_no_longer_than_it_lasts_and_leaves_no_lag_behind() {
    let stall = |n: usize| if (500..505).contains(&n) { (505 - n as i64) * 20_000 } else { 0 };
    let heard = Line::steady(3000).delayed(stall).pulled(5000, 3000);
    assert!(heard.concealed() <= 6, "{}", heard.concealed());
    assert!(heard.waited[1000..].iter().all(|waited| *waited <= 50_000));
    assert!(heard.waited[2500..].iter().all(|waited| *waited <= 26_500));
    assert_eq!(heard.mishaps.lost, 0);
}

#[test]
fn a_single_lost_packet_is_recovered_and_the_next_one_costs_nothing_more() {
    let line = Line::steady(900).payload(WITH_FEC).without(|n| [300, 400, 500].contains(&n));
    let heard = line.pulled(5000, 900);
    assert_eq!(heard.count(Tick::Recovered), 3);
    assert_eq!(heard.concealed(), 1);
    assert_eq!(heard.mishaps.lost, 3);
}

#[test]
fn a_lost_packet_without_fec_is_concealed_once_and_adds_no_delay() {
    let heard = Line::steady(900).without(|n| n % 50 == 49).pulled(5000, 895);
    assert_eq!((heard.concealed(), heard.count(Tick::Recovered), heard.mishaps.lost), (17, 0, 17));
    assert!(heard.waited.iter().all(|waited| *waited <= 26_000));
}

#[test]
fn of_a_burst_the_last_packet_is_recovered_and_the_rest_concealed() {
    let line = Line::steady(600).payload(WITH_FEC).without(|n| n == 100 || (300..304).contains(&n));
    let heard = line.pulled(5000, 590);
    assert_eq!((heard.count(Tick::Recovered), heard.mishaps.lost), (2, 5));
    assert!(heard.concealed() <= 5, "{}", heard.concealed());
}

#[test]
fn reordered_and_doubled_packets_are_played_once_in_order() {
    let line = Line::steady(600).delayed(|n| if n % 7 == 3 { 45_000 } else { 0 }).doubled(|n| n % 5 == 0);
    let heard = line.pulled(5000, 600);
    let late = heard.decoded.windows(2).filter(|pair| pair[1] != pair[0] + 1).count();
    assert!(heard.decoded.is_sorted_by(|a, b| a < b));
    assert!(late <= 5 && heard.concealed() <= 5, "{late} {}", heard.concealed());
}

#[test]
fn a_sender_in_dtx_is_idle_and_neither_concealed_nor_lost() {
    // WebRTC's senders: one packet without sound, then nothing but a refresh every 400 ms and the like after it.
    let silent = |n: usize| (300..700).contains(&n);
    let line = (300..700).step_by(20).fold(Line::steady(1000), |line, n| line.map(n, DTX).map(n + 19, WITHOUT_FEC));
    let line = line.filtered(move |n| !silent(n) || n % 20 == 0 || n % 20 == 19);
    let heard = line.pulled(5000, 990);
    assert_eq!((heard.concealed(), heard.mishaps), (0, Mishaps::default()));
    assert!(heard.count(Tick::Idle) > 350);
    assert_eq!(heard.decoded.len(), 300 + 20 + 290);
}

#[test]
fn a_sender_that_just_stops_fades_out_and_is_idle_until_it_speaks_again() {
    let heard = Line::steady(1000).filtered(|n| !(300..700).contains(&n)).pulled(5000, 990);
    assert_eq!(heard.concealed(), MAX_CONCEALED as usize);
    assert_eq!(heard.mishaps, Mishaps::default());
    assert!(heard.ticks[720..980].iter().all(|tick| *tick == Tick::Decoded));
}

#[test]
fn an_outage_is_idle_counts_its_losses_and_the_sound_comes_back_without_lag() {
    let heard = Line::steady(1000).without(|n| (300..400).contains(&n)).pulled(5000, 990);
    assert_eq!((heard.concealed(), heard.mishaps.lost), (MAX_CONCEALED as usize, 100));
    assert!(heard.waited.iter().all(|waited| *waited <= 26_000));
}

#[test]
fn a_backlog_that_comes_at_once_is_not_played_out() {
    let stall = |n: usize| if (300..400).contains(&n) { (400 - n as i64) * 20_000 } else { 0 };
    let heard = Line::steady(3000).delayed(stall).pulled(5000, 3000);
    assert!(heard.mishaps.behind > 60);
    assert!(heard.waited[1000..].iter().all(|waited| *waited <= 50_000));
    assert!(heard.waited[2500..].iter().all(|waited| *waited <= 26_500));
}

#[test]
fn a_room_that_was_not_pulled_for_a_while_catches_up() {
    let mut line = Line::steady(2500);
    line.pause = Some((300, 60));
    let heard = line.pulled(5000, 2500);
    assert!(heard.mishaps.behind > 0);
    assert!(heard.waited[500..].iter().all(|waited| *waited <= 50_000));
    assert!(heard.waited[2000..].iter().all(|waited| *waited <= 26_500));
}

#[test]
fn twenty_minutes_of_clocks_that_drift_apart_go_by_without_a_slip() {
    for (drift_ppm, jitter_ms) in [(-200, 0), (200, 0), (-200, 5), (200, 5)] {
        let drifted = |n: usize| 400_000 + n as i64 * 20_000 * drift_ppm / 1_000_000 + jitter(n, jitter_ms * 1000);
        let heard = Line::steady(60_000).delayed(drifted).pulled(5000, 60_000);
        let pieces = (heard.cuts, heard.inserts);
        assert!(heard.concealed() <= 1 && pieces.0 + pieces.1 <= 2, "{drift_ppm} ppm: {} {pieces:?}", heard.concealed());
        let (least, most) = heard.spread_ms(1000);
        assert!(most - least < 40.0, "{drift_ppm} ppm, ±{jitter_ms} ms: {least} to {most} ms");
    }
}

#[test]
fn in_silence_the_lag_is_gained_before_a_packet_comes_too_late_and_lost_within_a_moment() {
    let mut line = Line::steady(30_000).delayed(|n| n as i64 * 4);
    line.quiet = true;
    let heard = line.pulled(5000, 30_000);
    assert!((4..20).contains(&heard.inserts), "{}", heard.inserts);
    assert_eq!(heard.concealed(), 0);
    let mut line = Line::steady(500).delayed(|n| if n < 3 { 60_000 } else { 0 });
    line.quiet = true;
    let heard = line.pulled(5000, 490);
    assert!(heard.cuts > 0 && heard.waited[320..].iter().all(|waited| *waited <= 26_000));
}

#[test]
fn sequence_and_timestamp_wrap_unheard() {
    let mut line = Line::steady(400);
    (line.sequence, line.timestamp) = (65_500, u32::MAX - 50 * 960);
    let heard = line.pulled(5000, 390);
    assert_eq!((heard.concealed(), heard.decoded.len()), (0, 390));
}

#[test]
fn packets_of_every_duration_are_played_whole() {
    // 2.5, 5, 10, 20 ms of CELT, 40 and 60 ms of SILK, twice 60 ms.
    for (toc, samples) in [(0xe0, 120), (0xe8, 240), (0xf0, 480), (0xf8, 960), (0x50, 1920), (0x58, 2880), (0x59, 5760)] {
        let mut line = Line::steady(2000 * 960 / samples);
        line.samples = samples;
        for (n, packet) in line.packets.iter_mut().enumerate() {
            (packet.payload, packet.sent_us) = (vec![toc, 0, 0, 0, 0], n as u64 * samples as u64 * 1000 / 48);
        }
        let heard = line.pulled(5000, 1950);
        assert_eq!(heard.concealed(), 0, "{samples}");
        assert!(heard.decoded.windows(2).all(|pair| pair[1] == pair[0] + 1), "{samples}");
        let most = 22_500 + samples as u64 * 1000 / 48;
        assert!(heard.waited.iter().all(|waited| *waited <= most), "{samples}: {:?}", heard.waited.iter().max());
    }
}

#[test]
fn another_stream_takes_over_at_once() {
    let mut line = Line::steady(600);
    line.packets[300..].iter_mut().for_each(|p| p.ssrc = 9);
    line.packets[300..].iter_mut().enumerate().for_each(|(n, p)| p.number = Some((40_000 + n as u16, 7 + n as u32 * 960)));
    let heard = line.pulled(5000, 590);
    assert!(heard.concealed() <= 2, "{}", heard.concealed());
    assert!(heard.decoded.len() >= 588, "{}", heard.decoded.len());
}

#[test]
fn a_timestamp_that_jumps_costs_no_more_than_a_moment() {
    for jump in [1 << 30, 3 << 30, 96_000, u32::MAX - 96_000] {
        let mut line = Line::steady(600);
        let number = |n: usize| Some((n as u16, jump.wrapping_add(n as u32 * 960)));
        line.packets[300..].iter_mut().enumerate().for_each(|(n, p)| p.number = number(n + 300));
        let heard = line.pulled(5000, 590);
        assert_eq!((heard.decoded.len() + heard.concealed() >= 588, heard.concealed() <= 2), (true, true), "{jump}");
        assert!(heard.waited[400..].iter().all(|waited| *waited <= 26_000), "{jump}");
    }
}

#[test]
fn padding_is_no_loss() {
    let mut line = Line::steady(300);
    (100..103).for_each(|n| line.packets[n].payload.clear());
    line.packets[100..].iter_mut().enumerate().for_each(|(n, p)| {
        let time = (100 + n as u32).saturating_sub(103) + 100;
        p.number = Some((100 + n as u16, time * 960));
        p.sent_us = u64::from(time) * 20_000;
    });
    let heard = line.pulled(5000, 280);
    assert_eq!((heard.concealed(), heard.mishaps), (0, Mishaps::default()));
}

#[test]
fn packets_that_are_no_opus_are_counted_and_their_place_is_concealed() {
    let heard = Line::steady(300).map(100, &[0xff, 0xff, 0xff]).pulled(5000, 280);
    assert_eq!((heard.mishaps.malformed, heard.concealed()), (1, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Each packet at most once and in order; those that came in time are not lost; no more waits than may.
    #[test]
    fn order_holds_on_any_line(
        fates in prop::collection::vec((0i64..120_000, 0u8..20, any::<bool>()), 50..400),
        phase in 0u64..20_000,
        sequence: u16,
        timestamp: u32,
    ) {
        let delays: Vec<i64> = fates.iter().map(|fate| fate.0).collect();
        let mut line = Line::steady(fates.len())
            .delayed(|n| delays[n])
            .without(|n| fates[n].1 == 0)
            .doubled(|n| fates[n].1 == 1);
        (line.sequence, line.timestamp) = (sequence, timestamp);
        line.packets.iter_mut().zip(&fates).for_each(|(packet, fate)| packet.payload = if fate.2 { WITH_FEC } else { WITHOUT_FEC }.into());
        let heard = line.pulled(phase, fates.len() + 20);
        prop_assert!(heard.decoded.is_sorted_by(|a, b| a < b), "{:?}", heard.decoded);
        let arrived = fates.iter().filter(|fate| fate.1 > 0).count();
        prop_assert!(heard.decoded.len() <= arrived);
        prop_assert!(heard.decoded.len() + heard.mishaps.late as usize + heard.mishaps.behind as usize >= arrived);
    }
}

#[test]
fn after_a_hundred_thousand_hostile_packets_each_step_is_one_the_codec_can_take() {
    let mut random = StdRng::seed_from_u64(4);
    let mut buffer = JitterBuffer::default();
    let mut now = MediaTime::ZERO;
    for n in 0..100_000u64 {
        let mut payload: Vec<u8> = (0..random.random_range(0..12)).map(|_| random.random()).collect();
        if random.random() {
            payload.splice(.., WITH_FEC.iter().copied());
        }
        buffer.push(RtpPacket {
            sequence: if random.random_ratio(1, 30) { random.random() } else { n as u16 },
            timestamp: if random.random_ratio(1, 30) { random.random() } else { n as u32 * 960 },
            ssrc: u32::from(random.random_ratio(1, 200)),
            layer: 0,
            resent: false,
            marker: random.random(),
            payload: payload.into(),
            arrival: now + Duration::from_millis(random.random_range(0..50)),
        });
        if random.random_ratio(9, 10) {
            now += Duration::from_millis(20);
            buffer.advise(now, random.random_range(0..2000), random.random(), Some(random.random_range(-300.0..300.0)));
            let step = buffer.next(now);
            if let Step::Conceal { samples, .. } | Step::Recover { samples, .. } = step {
                assert!((120..=opus::MAX_PACKET_SAMPLES).contains(&samples) && samples % 120 == 0, "{samples}");
            }
        }
    }
}
