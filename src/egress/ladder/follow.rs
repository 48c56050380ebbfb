//! The bitrate of a rendition's encoder, as the room of its slowest line changes: pure.
//!
//! In: that room, time. Out: bits a second between the rendition's bounds. Never: a slow way down, or a jump up after the first moment.

use crate::egress::Rendition;
use crate::media::MediaTime;

/// The way up: by a fifth each second. The lines' own estimates grow by less where they are not probed.
const UP_A_SECOND: f64 = 1.2;
/// What is told to an encoder differs from what it was told before by more than this part, or is an end of its range.
const STEP: f64 = 0.03;

/// One encoder's bitrate.
#[derive(Debug, Default)]
pub struct Follow {
    /// What it may be, and since when.
    allowed: Option<(MediaTime, f64)>,
    told: u32,
}

impl Follow {
    /// The bitrate from `now` on; `slowest` is the room of its slowest line, and `None` where nobody gets it: then it starts anew.
    pub fn bitrate_bps(&mut self, now: MediaTime, slowest: Option<f64>, rendition: Rendition) -> u32 {
        let (least, most) = (f64::from(rendition.min_bps), f64::from(rendition.max_bps));
        let Some(room) = slowest else {
            *self = Self::default();
            return rendition.max_bps;
        };
        // One whose least is above its most gives its most
        let room = room.max(least).min(most);
        let allowed = match self.allowed {
            Some((since, allowed)) => room.min(allowed * UP_A_SECOND.powf(now.since(since).as_secs_f64())).max(least).min(most),
            None => room,
        };
        self.allowed = Some((now, allowed));
        let told = f64::from(self.told);
        if (allowed - told).abs() > STEP * told || allowed == least || allowed == most {
            self.told = allowed as u32;
        }
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIGH: Rendition = Rendition { height: 720, fps: 30, max_bps: 2_500_000, min_bps: 600_000 };

    #[test]
    fn down_at_once_and_up_by_a_fifth_a_second_within_the_renditions_range() {
        let mut follow = Follow::default();
        let mut at = |ms, room| follow.bitrate_bps(MediaTime::from_millis(ms), Some(room), HIGH);
        assert_eq!([at(0, f64::INFINITY), at(100, 800e3), at(200, 0.0)], [2_500_000, 800_000, 600_000]);
        let climb: Vec<_> = (3..150).map(|tenth| at(100 * tenth, 5e6)).collect();
        assert!(climb.is_sorted() && climb[8] < 750_000 && climb[60] < 2_000_000, "{climb:?}");
        assert_eq!(climb.last(), Some(&2_500_000));
    }

    #[test]
    fn an_estimate_that_trembles_is_not_passed_on() {
        let mut follow = Follow::default();
        let mut at = |ms, room| follow.bitrate_bps(MediaTime::from_millis(ms), Some(room), HIGH);
        let told: Vec<_> = (0..100).map(|n| at(100 * n, if n % 2 == 0 { 1.0e6 } else { 0.99e6 })).collect();
        assert!(told.iter().all(|bps| *bps == told[0]), "{told:?}");
    }

    #[test]
    fn who_comes_first_sets_the_start() {
        let mut follow = Follow::default();
        assert_eq!(follow.bitrate_bps(MediaTime::ZERO, Some(700e3), HIGH), 700_000);
        assert_eq!(follow.bitrate_bps(MediaTime::from_millis(100), None, HIGH), 2_500_000);
        assert_eq!(follow.bitrate_bps(MediaTime::from_millis(200), Some(2e6), HIGH), 2_000_000);
    }
}
