//! How sound comes to another delay: by pieces cut out or put in, or by its speed.
//!
//! In: at each tick, how the delay stands to what is needed. Out: what is done about it. Never: a piece in a voice for what can wait.
//!
//! A tick decodes whole packets, so the moment at which a packet must have come moves by whole packets only: of all delays those are
//! best at which nothing decoded is left over. The way there goes fast while far too much waits, or packets are about to come too
//! late; the rest of it by a speed that nobody hears.

use std::time::Duration;

use super::delay::MILLISECOND;
use super::glide::MOST_PPM;
use super::stretch::{LEAST, MOST, Manner};
use crate::media::{BLOCK_SAMPLES, MediaTime};

/// The margin must exceed a packet by so much before the delay is made less, so that it does not swing.
const SLACK: i64 = 4 * MILLISECOND;
/// With less than this packets are about to come too late.
const PRESSING: i64 = -MILLISECOND;
/// What the speed is changed for.
const NOTABLE: i64 = MILLISECOND;
/// What is near enough, in samples: a tick takes no more off.
const NEAR: i64 = 8;
/// A change of speed: this at least.
const LEAST_PPM: i64 = 200;
/// So many blocks too many are worse than any seam.
const FAR: i64 = 3 * BLOCK_SAMPLES as i64;
/// In silence a surplus stays this long.
const SILENT_PATIENCE: Duration = Duration::from_millis(100);
/// In a voice, before the first piece is cut.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same where far too much waits.
const FAR_PATIENCE: Duration = Duration::from_millis(300);
/// Between two pieces in a voice.
const APART: Duration = Duration::from_millis(40);
/// How like itself a voice must be at a seam, and where it is pressing or far too much waits.
const ALIKE: Manner = Manner::Alike(0.85);
const HARDLY_ALIKE: Manner = Manner::Alike(0.6);

/// How the delay stands at a tick that decodes, in samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// By how much the last packet that the tick decodes has waited longer than it need have.
    pub(super) margin: i64,
    /// By how much the margin will soon be less.
    pub(super) shrinks: i64,
    /// What is decoded and left over after it: delay that helps nothing.
    pub(super) waste: i64,
    /// A packet, or a block where that is less.
    pub(super) grid: i64,
    /// What sounds is too quiet for a seam to be heard.
    pub(super) quiet: bool,
}

/// A piece to be cut out or put in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Piece {
    /// None.
    Keep,
    /// One of so many samples at most is cut out.
    Cut(usize, Manner),
    /// One of so many samples at most is put in.
    Insert(usize, Manner),
}

/// One sender's way to another delay.
#[derive(Debug, Default)]
pub(super) struct Pace {
    ppm: i32,
    surplus_since: Option<MediaTime>,
    last_piece: MediaTime,
}

impl Pace {
    /// By how much faster than it was sent sound is to be played, in millionths.
    pub(super) fn ppm(&self) -> i32 {
        self.ppm
    }

    /// As at the start: nothing is being played, or nobody knows how the delay stands.
    pub(super) fn rest(&mut self) {
        (self.ppm, self.surplus_since) = (0, None);
    }

    /// What to do at a tick.
    pub(super) fn advise(&mut self, now: MediaTime, standing: Standing) -> Piece {
        let excess = standing.excess();
        self.ppm = speed(excess, self.ppm);
        if excess < LEAST as i64 {
            self.surplus_since = None;
        }
        let piece = if excess > 0 { self.cut(now, excess, standing) } else { self.insert(now, excess.saturating_neg(), standing) };
        if piece != Piece::Keep {
            self.last_piece = now;
        }
        piece
    }

    fn cut(&mut self, now: MediaTime, excess: i64, standing: Standing) -> Piece {
        if excess < LEAST as i64 {
            return Piece::Keep;
        }
        let (most, waited) = (excess.min(MOST as i64) as usize, now.since(*self.surplus_since.get_or_insert(now)));
        if standing.quiet {
            return if waited >= SILENT_PATIENCE { Piece::Cut(most, Manner::Quiet) } else { Piece::Keep };
        }
        let (patience, manner) = if excess >= FAR { (FAR_PATIENCE, HARDLY_ALIKE) } else { (PATIENCE, ALIKE) };
        let due = waited >= patience && now.since(self.last_piece) >= APART;
        if due && excess >= standing.grid + LEAST as i64 { Piece::Cut(most, manner) } else { Piece::Keep }
    }

    fn insert(&mut self, now: MediaTime, lacking: i64, standing: Standing) -> Piece {
        let most = lacking.min(MOST as i64) as usize;
        if most < LEAST {
            return Piece::Keep;
        }
        if standing.quiet {
            return Piece::Insert(most, Manner::Quiet);
        }
        let due = standing.margin < PRESSING && now.since(self.last_piece) >= APART;
        // A voice's period may be longer than what is lacking: too much goes again.
        if due { Piece::Insert(MOST, HARDLY_ALIKE) } else { Piece::Keep }
    }
}

impl Standing {
    /// The way to the best delay: down where it is more than nothing, up where it is less.
    fn excess(self) -> i64 {
        let (margin, grid) = (self.margin.saturating_sub(self.shrinks), self.grid.max(1));
        match margin {
            ..PRESSING => self.waste.saturating_sub(grid.saturating_mul((margin / -grid).saturating_add(1))),
            PRESSING..SLACK if self.waste > grid / 2 => self.waste - grid,
            _ => self.waste.saturating_add(grid * (margin.saturating_sub(SLACK) / grid).max(0)),
        }
    }
}

/// The speed for this way, where it was `before`. Up it is taken to its end: until there only the delay has grown, not the margin.
fn speed(excess: i64, before: i32) -> i32 {
    let begins = if before > 0 { NEAR } else { NOTABLE };
    match excess {
        ..0 => -MOST_PPM,
        excess if excess <= begins => 0,
        excess => excess.saturating_mul(2).clamp(LEAST_PPM, MOST_PPM.into()) as i32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(margin_ms: i64, waste_ms: i64) -> Standing {
        Standing { margin: margin_ms * MILLISECOND, shrinks: 0, waste: waste_ms * MILLISECOND, grid: 960, quiet: false }
    }

    fn excess_ms(margin_ms: i64, waste_ms: i64) -> i64 {
        standing(margin_ms, waste_ms).excess() / MILLISECOND
    }

    #[test]
    fn the_best_delay_leaves_nothing_over_and_a_margin_below_a_packet() {
        for margin in -1..24 {
            assert_eq!(excess_ms(margin, 0), 0, "{margin} ms");
        }
        assert_eq!([excess_ms(24, 0), excess_ms(44, 3), excess_ms(10, 7)], [20, 43, 7]);
        assert_eq!([excess_ms(-2, 0), excess_ms(-2, 15), excess_ms(-21, 0)], [-20, -5, -40]);
    }

    #[test]
    fn on_the_way_up_it_does_not_turn_back_as_soon_as_it_may() {
        assert_eq!(excess_ms(2, 15), -5);
        assert_eq!(excess_ms(2, 5), 5);
    }

    #[test]
    fn a_block_too_many_goes_by_pieces_and_the_rest_of_it_by_speed() {
        let (mut pace, mut excess, mut pieces, mut ticks) = (Pace::default(), 70 * MILLISECOND, 0, 0);
        while excess > NEAR && ticks < 3000 {
            let (over, waste) = (excess / 960 * 960, excess % 960);
            let at = standing((SLACK + over) / MILLISECOND, 0);
            if let Piece::Cut(most, _) = pace.advise(MediaTime::from_millis(20 * ticks), Standing { waste, ..at }) {
                (excess, pieces) = (excess - most.min(340) as i64, pieces + 1);
            }
            excess -= i64::from(pace.ppm() >= 500 || ticks % 2 == 0);
            ticks += 1;
        }
        assert!((6..=8).contains(&pieces), "{pieces}");
        assert!((100..2000).contains(&ticks), "{ticks}");
        pace.advise(MediaTime::from_millis(20 * ticks), standing(5, 0));
        assert_eq!(pace.ppm(), 0);
    }

    #[test]
    fn what_the_speed_has_begun_upwards_it_ends() {
        let (mut pace, mut waste) = (Pace::default(), 0);
        let soon = |waste| Standing { shrinks: 5 * MILLISECOND, waste, ..standing(1, 0) };
        while waste < 960 {
            assert_eq!(pace.advise(MediaTime::ZERO, soon(waste)), Piece::Keep);
            assert_eq!(pace.ppm(), -MOST_PPM, "{waste} samples are left over");
            waste += 1;
        }
        pace.advise(MediaTime::ZERO, Standing { shrinks: 5 * MILLISECOND, ..standing(21, 0) });
        assert_eq!(pace.ppm(), 0);
    }

    #[test]
    fn what_cannot_wait_is_put_in_at_once_and_what_can_in_silence() {
        let now = MediaTime::from_millis(1000);
        assert_eq!(Pace::default().advise(now, standing(-3, 0)), Piece::Insert(MOST, HARDLY_ALIKE));
        let soon = Standing { shrinks: 5 * MILLISECOND, ..standing(1, 0) };
        let mut pace = Pace::default();
        assert_eq!((pace.advise(now, soon), pace.ppm()), (Piece::Keep, -MOST_PPM));
        assert_eq!(pace.advise(now, Standing { quiet: true, ..soon }), Piece::Insert(MOST, Manner::Quiet));
    }
}
