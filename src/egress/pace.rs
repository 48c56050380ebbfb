//! Which canvases an output of fewer frames a second takes: pure, one for each.
//!
//! In: the times of the canvases. Out: take it or leave it out, evenly. Never: a burst after a pause.

use std::time::Duration;

use crate::media::MediaTime;

/// Tick times are rounded to nanoseconds, so that two ticks of 1/30 s fall short of one of 1/15 s.
const ROUNDING: Duration = Duration::from_micros(100);

/// Takes a number of canvases a second at most.
#[derive(Debug)]
pub struct Pace {
    period: Duration,
    due: Option<MediaTime>,
}

impl Pace {
    /// At most `fps` a second, above 0.
    pub fn new(fps: u32) -> Self {
        Self { period: Duration::from_secs(1) / fps, due: None }
    }

    /// Whether the canvas of `at` is taken.
    pub fn takes(&mut self, at: MediaTime) -> bool {
        let due = self.due.unwrap_or(at);
        if at + ROUNDING < due {
            return false;
        }
        // One that comes late does not delay the next, but a pause is not made up for.
        let is_paused = at.since(due) >= self.period;
        self.due = Some(if is_paused { at } else { due } + self.period);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(canvas_fps: u64, fps: u32, seconds: u64) -> Vec<u64> {
        let mut pace = Pace::new(fps);
        let at = |n: u64| MediaTime::from_nanos(7_777 + n * 1_000_000_000 / canvas_fps);
        (0..seconds * canvas_fps).filter(|n| pace.takes(at(*n))).collect()
    }

    #[test]
    fn every_canvas_is_taken_at_its_own_rate_and_every_second_at_half() {
        for fps in [5, 15, 24, 25, 30, 60] {
            assert_eq!(taken(fps, fps as u32, 20).len() as u64, 20 * fps);
        }
        for (canvas_fps, fps, apart) in [(30, 15, 2), (60, 30, 2), (60, 15, 4), (30, 5, 6)] {
            let taken = taken(canvas_fps, fps, 20);
            assert!(taken.windows(2).all(|two| two[1] - two[0] == apart), "{canvas_fps} to {fps}: {taken:?}");
        }
    }

    #[test]
    fn uneven_ratios_come_out_as_even_as_ticks_allow() {
        for (canvas_fps, fps) in [(30, 20), (30, 25), (25, 15), (60, 24), (24, 23)] {
            let taken = taken(canvas_fps, fps, 20);
            let apart: Vec<_> = taken.windows(2).map(|two| two[1] - two[0]).collect();
            let (least, most) = (apart.iter().min().unwrap(), apart.iter().max().unwrap());
            assert!(most - least <= 1, "{canvas_fps} to {fps}: {apart:?}");
            assert!((taken.len() as i64 - 20 * i64::from(fps)).abs() <= 1, "{canvas_fps} to {fps}: {}", taken.len());
        }
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        let mut pace = Pace::new(10);
        let taken = |pace: &mut Pace, from: u64| (0..10u64).filter(|n| pace.takes(MediaTime::from_millis(from + 33 * n))).count();
        assert_eq!(taken(&mut pace, 0), 3);
        assert_eq!(taken(&mut pace, 60_000), 3);
    }
}
