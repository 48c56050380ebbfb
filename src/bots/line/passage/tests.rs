//! What a line promises, on virtual time.

use proptest::prelude::*;

use super::*;
use crate::bots::line::{Blackout, Change, Jitter, Loss, Reordering, Shape, Way};

/// One that arrived: its number, when it set out, when it came.
type Arrival = (u32, MediaTime, MediaTime);

/// Sends a datagram of `bytes` every `every` for `lasts`, and takes each when it is due.
fn play(schedule: Schedule, seed: u64, bytes: usize, every: Duration, lasts: Duration) -> (Vec<Arrival>, WayReport) {
    let mut passage = Passage::new(schedule, seed);
    passage.lay(MediaTime::ZERO);
    let (mut arrivals, mut sent_at) = (Vec::new(), Vec::new());
    let mut next = MediaTime::ZERO;
    loop {
        let sends = next < MediaTime::ZERO + lasts;
        let Some(now) = [sends.then_some(next), passage.due()].into_iter().flatten().min() else { break };
        while let Some(number) = passage.take(now) {
            arrivals.push((number, sent_at[number as usize], now));
        }
        if sends && now == next {
            passage.put(sent_at.len() as u32, bytes, Kind::Picture, now);
            sent_at.push(now);
            next += every;
        }
    }
    (arrivals, passage.counts())
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn rate_between(arrivals: &[Arrival], bytes: u64, from: u64, to: u64) -> f64 {
    let span = MediaTime::from_millis(from)..MediaTime::from_millis(to);
    let count = arrivals.iter().filter(|(.., at)| span.contains(at)).count() as u64;
    (count * (bytes + HEADER_BYTES) * 8) as f64 / ms(to - from).as_secs_f64()
}

#[test]
fn a_perfect_line_gives_everything_at_once_and_in_order() {
    let (arrivals, counts) = play(Schedule::default(), 1, 100, ms(1), ms(500));
    assert_eq!(arrivals.len(), 500);
    assert!(arrivals.iter().enumerate().all(|(n, &(number, sent, came))| n as u32 == number && sent == came));
    assert_eq!(counts.pictures.gone(), 0);
}

#[test]
fn the_rate_follows_its_schedule_and_what_does_not_fit_is_counted() {
    let at = |seconds, bps| Change { at: Duration::from_secs(seconds), way: Way { rate: Some(Rate::of(bps)), ..Way::default() } };
    let first = Way { rate: Some(Rate::of(3_000_000)), ..Way::default() };
    let schedule = Schedule { first, then: vec![at(10, 500_000), at(20, 3_000_000)], ..Schedule::default() };
    // 4 Mb/s with headers
    let (arrivals, counts) = play(schedule, 1, 972, ms(2), Duration::from_secs(30));
    for (from, to, bps) in [(1_000, 10_000, 3e6), (11_000, 20_000, 5e5), (21_000, 30_000, 3e6)] {
        let rate = rate_between(&arrivals, 972, from, to);
        assert!((rate / bps - 1.0).abs() < 0.02, "{rate} from {from} to {to}");
    }
    assert_eq!(counts.pictures.overflowed + arrivals.len() as u64, 15_000);
    let waited = arrivals.iter().map(|(_, sent, came)| came.since(*sent)).max().unwrap();
    // What waits when the rate falls takes six times as long.
    assert!((ms(1700)..ms(1900)).contains(&waited), "{waited:?}");
}

#[test]
fn nothing_passes_in_a_blackout_and_all_does_after_it() {
    let schedule = Schedule { blackouts: vec![Blackout { at: ms(1000), lasts: ms(2000) }], ..Schedule::default() };
    let (arrivals, counts) = play(schedule, 1, 100, ms(10), Duration::from_secs(5));
    assert_eq!((counts.pictures.blacked_out, arrivals.len()), (200, 300));
    assert!(arrivals.iter().all(|(_, sent, _)| *sent < MediaTime::from_millis(1000) || *sent >= MediaTime::from_millis(3000)));
}

#[test]
fn what_is_held_back_is_overtaken_by_what_follows() {
    let reordering = Reordering { share: 0.1, by: ms(25) };
    let (arrivals, counts) = play(Schedule::constant(Way { reordering, ..Way::default() }), 1, 100, ms(10), Duration::from_secs(20));
    let late = arrivals.iter().filter(|(_, sent, came)| came.since(*sent) == ms(25)).count();
    assert!((140..260).contains(&late), "{late} of 2000");
    assert!(arrivals.windows(2).any(|pair| pair[0].0 > pair[1].0));
    assert_eq!(counts.pictures.arrived, 2000);
}

#[test]
fn a_line_that_is_replaced_keeps_what_is_under_way() {
    let mut passage = Passage::new(Schedule::constant(Way { delay: ms(100), ..Way::default() }), 1);
    passage.put(1, 100, Kind::Sound, MediaTime::ZERO);
    passage.replace(Schedule::default(), MediaTime::from_millis(10));
    passage.put(2, 100, Kind::Sound, MediaTime::from_millis(20));
    assert_eq!(passage.take(MediaTime::from_millis(99)), None, "order is kept");
    assert_eq!((passage.take(MediaTime::from_millis(100)), passage.take(MediaTime::from_millis(100))), (Some(1), Some(2)));
    assert_eq!((passage.counts().sound.arrived, passage.due()), (2, None));
}

#[test]
fn a_schedule_that_repeats_begins_again() {
    let schedule = Schedule { blackouts: vec![Blackout { at: ms(500), lasts: ms(100) }], repeats: Some(ms(1000)), ..Schedule::default() };
    let (_, counts) = play(schedule, 1, 100, ms(10), Duration::from_secs(10));
    assert_eq!(counts.pictures.blacked_out, 100);
}

prop_compose! {
    fn any_way()(
        loss in prop_oneof![
            Just(Loss::None),
            (0.0..1.0).prop_map(Loss::Random),
            (0.0..0.9, 1.0..20.0).prop_map(|(share, mean)| Loss::Bursts { share, mean }),
        ],
        delay in 0u64..300, spread in 0u64..300, period in prop_oneof![Just(0u64), 1u64..500],
        shape in prop_oneof![Just(Shape::Uniform), Just(Shape::Normal), Just(Shape::Tail)],
        order in prop_oneof![Just(Order::Kept), Just(Order::Free)],
        share in 0.0..0.3, by in 0u64..100, duplicated in 0.0..0.5,
        rate in prop::option::of((1_000u64..4_000_000, 0u64..2000)),
    ) -> Way {
        Way {
            loss,
            rate: rate.map(|(bps, queue)| Rate { bps, queue: Queue::Time(ms(queue)) }),
            delay: ms(delay),
            jitter: Jitter { spread: ms(spread), shape, period: ms(period), order },
            reordering: Reordering { share, by: ms(by) },
            duplicated,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_sets_out_arrives_or_is_counted_as_lost(way in any_way(), other in any_way(), seed: u64, bytes in 1usize..1400) {
        let then = vec![Change { at: ms(700), way: other }];
        let schedule = Schedule { first: way, then, blackouts: vec![Blackout { at: ms(300), lasts: ms(50) }], repeats: None };
        let (arrivals, counts) = play(schedule, seed, bytes, ms(3), ms(1500));
        let all = counts.all();
        prop_assert_eq!((all.sent, counts.under_way), (500, 0));
        prop_assert_eq!(all.sent + all.duplicated, all.arrived + all.gone());
        prop_assert_eq!(all.arrived, arrivals.len() as u64);
    }

    #[test]
    fn no_datagram_overtakes_another_where_order_is_kept(way in any_way(), seed: u64) {
        let jitter = Jitter { order: Order::Kept, ..way.jitter };
        let way = Way { jitter, reordering: Reordering::default(), ..way };
        let (arrivals, _) = play(Schedule::constant(way), seed, 300, ms(5), ms(1500));
        prop_assert!(arrivals.is_sorted_by_key(|(number, ..)| *number));
    }

    #[test]
    fn no_second_has_more_than_its_rate(bps in 50_000u64..3_000_000, queue in 0u64..500, seed: u64) {
        let rate = Some(Rate { bps, queue: Queue::Time(ms(queue)) });
        let (arrivals, _) = play(Schedule::constant(Way { rate, ..Way::default() }), seed, 472, ms(1), ms(3000));
        for from in (0..2000).step_by(100) {
            // One datagram more may end within the second
            let bits = rate_between(&arrivals, 472, from, from + 1000);
            prop_assert!(bits <= bps as f64 + 4000.0, "{bits} of {bps}");
        }
        prop_assert!(arrivals.iter().all(|(_, sent, came)| came.since(*sent) <= ms(queue) + Duration::from_secs_f64(2.0 * 4000.0 / bps as f64)));
    }

    #[test]
    fn the_same_seed_gives_the_same_line_and_another_one_another(way in any_way(), seed: u64) {
        let way = Way { loss: Loss::Random(0.5), ..way };
        let play = |seed| play(Schedule::constant(way.clone()), seed, 200, ms(10), ms(2000));
        prop_assert_eq!(play(seed), play(seed));
        prop_assert_ne!(play(seed), play(seed.wrapping_add(1)));
    }
}
