//! How much longer sound waits because its picture comes later still.
//!
//! In: how much later the picture comes, at each tick. Out: the delay that this adds, in samples. Never: a sudden change, more than
//! [`MOST`], or a delay that stays when its reason has gone.
//!
//! Pictures wait for their sound too, so that from the skew alone nobody sees who is the one that waits: what was added goes away
//! by itself, slowly, until the picture is late again.

use super::delay::MILLISECOND;

/// A picture that comes so much later than its sound is late, in milliseconds (EBU R37 allows 60).
const LATE_MS: f64 = 40.0;
/// A skew of more is a clock set anew, in milliseconds.
const ABSURD_MS: f64 = 5000.0;
/// Share of a tick's skew in the smoothed one: of two seconds.
const SHARE: f64 = 0.01;
/// What is added a tick while the picture is late: 20 ms a second.
const UP: f64 = 0.4 * MILLISECOND as f64;
/// What goes away a tick otherwise: 2 ms a second.
const DOWN: f64 = 0.04 * MILLISECOND as f64;
/// The most that is added.
const MOST: f64 = 200.0 * MILLISECOND as f64;

/// One sender's sound on its way to its picture.
#[derive(Debug, Default)]
pub(super) struct Follow {
    skew_ms: f64,
    added: f64,
}

impl Follow {
    /// Takes how much later than the sound the picture comes; tells the delay to add.
    pub(super) fn tick(&mut self, skew_ms: Option<f64>) -> i64 {
        let skew_ms = skew_ms.filter(|skew| skew.abs() < ABSURD_MS).unwrap_or(0.0);
        self.skew_ms += SHARE * (skew_ms - self.skew_ms);
        let change = if self.skew_ms > LATE_MS { UP } else { -DOWN };
        self.added = (self.added + change).clamp(0.0, MOST);
        self.added as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A_SECOND: usize = 50;

    /// Runs with a picture that comes `late_ms` later than sound that waits for nobody; what is added in the end, in milliseconds.
    fn followed(follow: &mut Follow, late_ms: f64, seconds: usize) -> f64 {
        let mut added = follow.added / MILLISECOND as f64;
        for _ in 0..seconds * A_SECOND {
            added = follow.tick(Some((late_ms - added).max(0.0))) as f64 / MILLISECOND as f64;
        }
        added
    }

    #[test]
    fn sound_follows_a_late_picture_until_nobody_notices_and_no_farther() {
        let added = followed(&mut Follow::default(), 120.0, 30);
        assert!((70.0..95.0).contains(&added), "{added} ms");
        assert_eq!(followed(&mut Follow::default(), 35.0, 60), 0.0);
        assert_eq!(followed(&mut Follow::default(), 3000.0, 60), 200.0);
    }

    #[test]
    fn sound_comes_back_when_its_picture_does() {
        let mut follow = Follow::default();
        followed(&mut follow, 120.0, 30);
        assert_eq!(followed(&mut follow, 0.0, 60), 0.0);
    }

    #[test]
    fn a_clock_set_anew_moves_nothing() {
        let mut follow = Follow::default();
        let skews = std::iter::repeat_n(Some(4e12), 1000).chain([None; 100]);
        assert!(skews.map(|skew| follow.tick(skew)).all(|added| added == 0));
    }
}
