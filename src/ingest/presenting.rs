//! From a decoded picture to the moment from which it shows.
//!
//! In: decoded pictures with the timing of their units, and when the sound of their moment is heard. Out: pictures in a [`Reel`],
//! freezes, delay and skew in the figures. Never: a picture held for longer than [`MAX_DELAY`] after it was decoded.

use std::sync::Arc;

use parking_lot::Mutex;

use super::LipSync;
use super::freezes::Freezes;
use super::playout::MAX_DELAY;
use crate::media::{Frame, MediaTime, Picture, Reel, Traffic};

/// Sound that is said to be later than the bound by more, in nanoseconds, belongs to another clock.
const OTHER_CLOCK: i64 = 2_000_000_000;
/// Of the new skew, the part that counts.
const SKEW_SHARE: f64 = 0.125;

/// When a picture is to be shown, as its stream knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// When it would have been there, had it come as quickly as the quickest.
    pub prompt: MediaTime,
    /// When it is due by the rhythm in which it was made; it may be there later.
    pub planned: MediaTime,
    /// When it was captured, in nanoseconds of its sender's wall clock; `None` before the first report.
    pub captured: Option<i64>,
    /// The sender sent nothing for a while before it.
    pub paused: bool,
}

/// Where one sender's decoded pictures go.
#[derive(Debug, Default)]
pub(super) struct Presenter {
    reel: Arc<Reel>,
    traffic: Arc<Traffic>,
    sync: Arc<LipSync>,
    freezes: Mutex<Freezes>,
}

impl Presenter {
    pub(super) fn new(reel: Arc<Reel>, traffic: Arc<Traffic>, sync: Arc<LipSync>) -> Self {
        Self { reel, traffic, sync, freezes: Mutex::default() }
    }

    /// Takes a picture that was decoded at `now`; `arrival` is its last packet's.
    pub(super) fn show(&self, frame: Arc<Frame>, timing: Timing, arrival: MediaTime, now: MediaTime) {
        let from = self.in_step(timing, now);
        self.traffic.count_picture(frame.width(), frame.height());
        self.reel.put(from, Picture { frame, at: arrival });
        self.traffic.delay_ms.set(from.since(timing.prompt).as_secs_f64() * 1e3);
        if let Some(frozen) = self.freezes.lock().note(from, timing.paused) {
            self.traffic.freezes.add(1);
            self.traffic.frozen_ms.add(frozen.as_millis() as u64);
        }
    }

    /// From when it shows: not before its rhythm, nor before its sound.
    fn in_step(&self, timing: Timing, now: MediaTime) -> MediaTime {
        let limit = now + MAX_DELAY;
        let due = timing.planned.max(now).min(limit);
        // What pictures would be without the sound: else each would wait for the other for ever
        self.sync.show(timing.captured.map(|captured| nanos(timing.planned).saturating_sub(captured)));
        let (Some(captured), Some(sound)) = (timing.captured, self.sync.sound()) else { return due };
        let heard = captured.saturating_add(sound);
        if heard.saturating_sub(nanos(limit)) > OTHER_CLOCK {
            return due;
        }
        let from = due.max(MediaTime::from_nanos(heard.max(0) as u64).min(limit));
        self.note_skew(nanos(from).saturating_sub(heard) as f64 / 1e6);
        from
    }

    fn note_skew(&self, skew_ms: f64) {
        let before = self.traffic.skew_ms.get().unwrap_or(skew_ms);
        self.traffic.skew_ms.set(before + (skew_ms - before) * SKEW_SHARE);
    }
}

fn nanos(at: MediaTime) -> i64 {
    i64::try_from(at.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const WALL: i64 = 3_900_000_000_000_000_000;
    const MS: i64 = 1_000_000;

    fn shown(presenter: &Presenter, timing: Timing, now: MediaTime) -> MediaTime {
        presenter.show(Arc::new(Frame::black(16, 16)), timing, now, now);
        let mut looks = (0..=260).map(|ms| now + Duration::from_millis(ms));
        let is_new = |at: &MediaTime| presenter.reel.at(*at).is_some_and(|picture| picture.at == now);
        looks.find(is_new).expect("shown within the bound")
    }

    /// Pictures 33 ms apart of which each is decoded 20 ms after it was made; the sound is heard so long after that.
    fn skews(sound_ms: impl Fn(u64) -> i64, drift_ppm: i64) -> (Presenter, Vec<i64>) {
        let presenter = Presenter::default();
        let skew = |n: u64| {
            let made = MediaTime::from_nanos(n * 33_333_333);
            let captured = WALL + nanos(made) * (1_000_000 + drift_ppm) / 1_000_000;
            let heard = nanos(made) + sound_ms(n) * MS;
            presenter.sync.hear(Some(heard - captured));
            let now = made + Duration::from_millis(20);
            let timing = Timing { prompt: now, planned: now, captured: Some(captured), paused: false };
            (nanos(shown(&presenter, timing, now)) - heard) / MS
        };
        let skews = (0..3000).map(skew).collect();
        (presenter, skews)
    }

    #[test]
    fn pictures_wait_for_the_sound_of_their_moment() {
        let (presenter, skews) = skews(|_| 150, 0);
        assert!(skews[1..].iter().all(|skew| (-1..=2).contains(skew)), "{:?}", &skews[..20]);
        assert!(presenter.traffic.skew_ms.get().unwrap().abs() < 2.0);
        assert!((presenter.sync.skew_ms().unwrap() + 130.0).abs() < 2.0, "what the sound is told: pictures are ready before it");
        assert_eq!(presenter.traffic.freezes.get(), 0);
    }

    #[test]
    fn they_keep_in_step_while_the_buffer_changes_and_the_clocks_drift_apart() {
        for ppm in [-200, 200] {
            let (_, skews) = skews(|n| 60 + (n as i64 / 10 % 100 - 50).abs(), ppm);
            assert!(skews[1..].iter().all(|skew| (-40..=60).contains(skew)), "{:?}", skews.iter().max());
        }
    }

    #[test]
    fn without_reports_or_sound_nothing_waits() {
        let (presenter, now) = (Presenter::default(), MediaTime::from_millis(1000));
        let timing = Timing { prompt: now, planned: now, captured: None, paused: false };
        assert_eq!(shown(&presenter, timing, now), now);
        presenter.sync.hear(Some(5));
        let now = now + Duration::from_millis(33);
        assert_eq!(shown(&presenter, Timing { planned: now, ..timing }, now), now);
        presenter.sync.hear(None);
        let now = now + Duration::from_millis(33);
        assert_eq!(shown(&presenter, Timing { planned: now, captured: Some(WALL), ..timing }, now), now);
        assert_eq!(presenter.traffic.skew_ms.get(), None);
    }

    proptest! {
        #[test]
        fn wild_reports_hold_no_picture_beyond_the_bound(
            reports in prop::collection::vec((any::<i64>(), any::<i64>(), any::<u64>()), 1..30),
        ) {
            let presenter = Presenter::default();
            for (n, (captured, sound, planned)) in reports.into_iter().enumerate() {
                let now = MediaTime::from_millis(10_000 + 300 * n as u64);
                presenter.sync.hear(Some(sound));
                let planned = MediaTime::from_nanos(planned);
                let from = shown(&presenter, Timing { prompt: now, planned, captured: Some(captured), paused: false }, now);
                prop_assert!(from <= now + MAX_DELAY);
            }
        }
    }
}
