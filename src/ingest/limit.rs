//! How much a sender is asked to send at most: what its tile needs, raised at once and lowered once it has stayed lower. Pure.

use std::time::Duration;

use super::Feedback;
use crate::media::MediaTime;

/// A need must have stayed lower for so long: tiles grow and shrink with whoever speaks.
const LOWERED_AFTER: Duration = Duration::from_secs(3);
/// A tenth of a bit a pixel, at 30 pictures a second: what H.264 takes for a face before a wall.
const BITS_A_PIXEL_SECOND: u64 = 3;
/// Bounds of one picture stream, in bits a second.
const LEAST: u64 = 100_000;
const MOST: u64 = 2_500_000;

/// Bits a second that pictures of this size are worth.
pub(super) fn bitrate_for((width, height): (u32, u32)) -> u32 {
    let pixels = u64::from(width) * u64::from(height);
    pixels.saturating_mul(BITS_A_PIXEL_SECOND).clamp(LEAST, MOST) as u32
}

/// What was asked of a sender last.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    asked: Option<(u32, (u32, u32))>,
    /// Since when less would do.
    lower: Option<MediaTime>,
}

impl Limiter {
    /// What to ask at `now`, where that is something else; `needed` is what would do.
    pub(super) fn due(&mut self, now: MediaTime, needed: (u32, (u32, u32))) -> Option<Feedback> {
        let raises = self.asked.is_none_or(|(bps, size)| needed.0 > bps || needed.1.0 > size.0 || needed.1.1 > size.1);
        if self.asked == Some(needed) {
            self.lower = None;
            return None;
        }
        if !raises && now.since(*self.lower.get_or_insert(now)) < LOWERED_AFTER {
            return None;
        }
        (self.asked, self.lower) = (Some(needed), None);
        Some(Feedback::Limit { bps: needed.0, size: needed.1 })
    }

    /// Asks again: what was asked was not heard.
    pub(super) fn forget(&mut self) {
        self.asked = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: (u32, (u32, u32)) = (2_500_000, (1280, 720));
    const SMALL: (u32, (u32, u32)) = (172_800, (320, 180));

    fn limit((bps, size): (u32, (u32, u32))) -> Option<Feedback> {
        Some(Feedback::Limit { bps, size })
    }

    fn at(ms: u64) -> MediaTime {
        MediaTime::from_millis(ms)
    }

    #[test]
    fn more_is_asked_for_at_once_and_less_once_it_has_stayed_less() {
        let mut limiter = Limiter::default();
        assert_eq!(limiter.due(at(0), SMALL), limit(SMALL));
        assert_eq!(limiter.due(at(40), LARGE), limit(LARGE));
        assert_eq!([limiter.due(at(80), SMALL), limiter.due(at(3000), SMALL)], [None, None]);
        assert_eq!(limiter.due(at(3080), SMALL), limit(SMALL));
        assert_eq!(limiter.due(at(9000), SMALL), None);
    }

    #[test]
    fn a_need_that_comes_and_goes_lowers_nothing() {
        let mut limiter = Limiter::default();
        limiter.due(at(0), LARGE);
        for ms in (0..20_000).step_by(40) {
            let needed = if ms % 2000 < 1900 { SMALL } else { LARGE };
            assert_eq!(limiter.due(at(ms), needed), None, "at {ms} ms");
        }
    }

    #[test]
    fn a_picture_is_worth_what_its_size_is_within_bounds() {
        let sizes = [(1, 1), (320, 180), (640, 360), (1280, 720), (u32::MAX, u32::MAX)];
        assert_eq!(sizes.map(bitrate_for), [100_000, 172_800, 691_200, 2_500_000, 2_500_000]);
    }
}
