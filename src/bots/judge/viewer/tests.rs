//! What a viewer promises, on virtual time.

use proptest::prelude::*;

use super::super::measure::{Pace, Standstills};
use super::*;

/// Thirty pictures a second.
const PICTURE_MS: u64 = 33;
const BEGUN: MediaTime = MediaTime::from_millis(5000);

/// A picture that was there and was shown.
#[derive(Clone, Copy, Debug)]
struct Seen {
    there: MediaTime,
    shown: Shown,
}

/// Watches pictures made from `first` on, each late by so many milliseconds, or by as much as one before it; `None` is none at all.
fn seen(viewer: &mut Viewer, first: u64, late: impl IntoIterator<Item = Option<u64>>) -> Vec<Seen> {
    let mut before = MediaTime::ZERO;
    let one = |(n, late): (usize, Option<u64>)| {
        let made_ms = (first + n as u64) * PICTURE_MS;
        let there = (BEGUN + Duration::from_millis(made_ms + late?)).max(before);
        before = there;
        let shown = viewer.take((made_ms as u32 * 90).wrapping_sub(90_000), there);
        assert!(shown.at >= there && shown.at == there + shown.waited);
        Some(Seen { there, shown })
    };
    late.into_iter().enumerate().filter_map(one).collect()
}

fn standstills(moments: impl Iterator<Item = MediaTime>) -> Standstills {
    let (mut pace, mut last) = (Pace::default(), MediaTime::ZERO);
    for at in moments {
        pace.note(at);
        last = at;
    }
    pace.standstills(last)
}

fn frozen_as_shown(seen: &[Seen]) -> Standstills {
    standstills(seen.iter().map(|one| one.shown.at))
}

/// Something like chance, the same in each run, below a thousand.
fn draw(n: u64) -> u64 {
    let mixed = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) % 1000
}

/// Packets of a third of the pictures, four each, are lost at 10 %, and come again 80 to 200 ms later.
fn recovered(n: u64) -> Option<u64> {
    Some(if draw(n) < 340 { 80 + draw(n + 7919) * 120 / 1000 } else { 3 })
}

#[test]
fn on_a_line_that_keeps_time_pictures_are_shown_when_they_are_there() {
    let all = seen(&mut Viewer::default(), 0, (0..600).map(|n| Some(draw(n) * 18 / 1000)));
    assert!(all.iter().all(|one| one.shown.at == one.there && one.shown.delay_ms == 0.0));
}

#[test]
fn the_first_picture_is_shown_at_once_however_late_it_is() {
    let all = seen(&mut Viewer::default(), 0, [Some(700), Some(0)]);
    assert_eq!(all[0].shown.waited, Duration::ZERO);
}

#[test]
fn at_10_percent_loss_with_recoveries_of_80_to_200_ms_there_is_hardly_a_freeze() {
    let all = seen(&mut Viewer::default(), 0, (0..1800).map(recovered));
    let as_there = standstills(all.iter().map(|one| one.there));
    let as_shown = frozen_as_shown(&all);
    assert!(as_there.freezes > 20, "without a viewer's delay it freezes: {as_there:?}");
    // 0.6 % of a minute
    assert!(as_shown.frozen_ms < 360.0, "{as_shown:?}");
    let delay_ms = all[1799].shown.delay_ms;
    assert!((150.0..=205.0).contains(&delay_ms), "{delay_ms}");
}

#[test]
fn a_stall_of_500_ms_is_a_freeze_all_the_same() {
    let stalled = |usual: fn(u64) -> Option<u64>| {
        let late = move |n: u64| if (600..615).contains(&n) { Some(500 - (n - 600) * PICTURE_MS) } else { usual(n) };
        frozen_as_shown(&seen(&mut Viewer::default(), 0, (0..900).map(late))[400..])
    };
    let clean = stalled(|_| Some(3));
    assert_eq!((clean.freezes, clean.longest_gap_ms.round()), (1, 530.0));
    let rough = stalled(recovered);
    assert!(rough.freezes >= 1 && rough.longest_gap_ms > 300.0, "{rough:?}");
}

#[test]
fn what_was_black_for_two_seconds_is_shown_as_soon_as_it_is_back() {
    // What was sent last before it comes after it, and all that queued behind that within half a second.
    for first_after in [0u64, 2100, 700] {
        let late = |n: u64| match n {
            0..300 => Some(3),
            300..360 => None,
            _ => Some(first_after.saturating_sub((n - 360) * 50).max(3)),
        };
        let all = seen(&mut Viewer::default(), 0, (0..600).map(late));
        assert!(all.iter().all(|one| one.shown.waited == Duration::ZERO && one.shown.delay_ms == 0.0), "{first_after}");
    }
}

#[test]
fn when_the_line_is_calm_again_the_delay_goes_unseen() {
    let mut viewer = Viewer::default();
    seen(&mut viewer, 0, (0..600).map(recovered));
    let calm = seen(&mut viewer, 600, (0..900).map(|_| Some(3)));
    assert!(calm[0].shown.waited > Duration::from_millis(100) && calm[899].shown.waited == Duration::ZERO);
    assert_eq!(frozen_as_shown(&calm).freezes, 0);
}

#[test]
fn a_line_that_became_longer_for_good_is_not_late() {
    let all = seen(&mut Viewer::default(), 0, (0..1200).map(|n| Some(if n < 300 { 20 } else { 1800 })));
    assert!(all.iter().all(|one| one.shown.waited <= Duration::from_millis(1)), "all late pictures are shown when they are there");
}

#[test]
fn clocks_that_drift_apart_make_nobody_wait() {
    for ppm in [-200i64, 200] {
        let mut viewer = Viewer::default();
        let waited = |n: i64| {
            let there = MediaTime::from_nanos((n * 33_000_000 * (1_000_000 + ppm) / 1_000_000) as u64);
            viewer.take((n * 33 * 90) as u32, there).waited
        };
        assert_eq!((0..9000).map(waited).max(), Some(Duration::ZERO), "{ppm} ppm");
    }
}

proptest! {
    #[test]
    fn no_clock_makes_a_picture_wait_beyond_the_bound_or_overtake(times in prop::collection::vec((any::<u32>(), 0u64..5000), 1..300)) {
        let (mut viewer, mut now, mut before) = (Viewer::default(), MediaTime::ZERO, MediaTime::ZERO);
        for (timestamp, later) in times {
            now += Duration::from_millis(later);
            let shown = viewer.take(timestamp, now);
            prop_assert!(shown.at >= before && shown.at >= now && shown.waited.as_secs_f64() * 1000.0 <= MOST_DELAY_MS + 0.001);
            before = shown.at;
        }
    }
}
