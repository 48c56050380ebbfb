//! Which of a stream's missing packets to ask for again, and when (RFC 4585 §6.2.1).
//!
//! In: what is missing, what came, round trips, time. Out: numbers to be asked for, and how long a missing packet is worth
//! waiting for. Never: a request for what is merely out of order, or a second one before the first can have been answered.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use super::round_trip::RoundTrip;
use crate::media::MediaTime;

/// A packet that others overtook for less than this is not missing; more, where the line was seen to reorder by more.
const REORDERING: Duration = Duration::from_millis(10);
/// The most that a line is granted.
const MAX_REORDERING: Duration = Duration::from_millis(60);
/// Requests for one packet at most.
const MAX_TRIES: u32 = 10;
/// Packets missing at once beyond which a keyframe is the smaller thing to ask for.
const MAX_MISSING: usize = 64;
/// A sender that was silent for so long and then lacks more than [`FEW`] packets keeps them no more, or a line was gone.
const SILENCE: Duration = Duration::from_millis(400);
const FEW: u64 = 8;
/// How long a packet is waited for where it cannot be asked for.
const PATIENCE_WITHOUT: Duration = Duration::from_millis(100);
const MIN_PATIENCE: Duration = Duration::from_millis(150);
/// A keyframe comes no sooner than an answer: where the line is long, one is waited for.
const MAX_PATIENCE: Duration = Duration::from_millis(600);
const MAX_PATIENCE_ON_LONG_LINES: Duration = Duration::from_secs(1);
/// Tries that a packet is worth: at 20 % loss each way, the seventh fails for one packet in thousands.
const WORTH_TRIES: u32 = 7;
/// After so many packets given up and none ever resent, the sender is taken for one that does not resend.
const DEAF_AFTER: u32 = 8;
/// Packets that are remembered once they are given up or were answered.
const REMEMBERED: usize = 512;

/// What became of missing packets, since it was last asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fates {
    /// Came as retransmissions.
    pub(super) recovered: u64,
    /// Came after they were given up.
    pub(super) late: u64,
}

/// One stream's missing packets, by their extended sequence numbers.
#[derive(Debug, Default)]
pub(super) struct Nacks {
    missing: BTreeMap<i64, Missing>,
    given_up: BTreeSet<i64>,
    /// Packets that were asked for and are missing no more, with the last request: a second answer tells that it was too early.
    settled: BTreeMap<i64, MediaTime>,
    trip: RoundTrip,
    /// By how much packets were seen to be overtaken, with a margin; fades with losses that were none.
    overtaken: Duration,
    /// The sender does not resend.
    silenced: bool,
    unanswered: u32,
    fates: Fates,
}

#[derive(Clone, Copy, Debug)]
struct Missing {
    since: MediaTime,
    /// The last request and the one before it.
    asked: [Option<MediaTime>; 2],
    tries: u32,
}

impl Nacks {
    /// The sender offers no retransmission: nothing is asked for.
    pub(super) fn silence(&mut self) {
        self.silenced = true;
    }

    /// Takes a round trip that was measured elsewhere.
    pub(super) fn note_round_trip(&mut self, round_trip: Duration) {
        self.trip.told(round_trip);
    }

    /// These numbers were overtaken at `now`, the packet before them came `silence` ago. Gives whether they are worth waiting for.
    pub(super) fn miss(&mut self, numbers: Range<i64>, silence: Duration, now: MediaTime) -> bool {
        let count = numbers.end.abs_diff(numbers.start);
        if self.missing.len() as u64 + count > MAX_MISSING as u64 || (silence >= SILENCE && count > FEW) {
            self.remember(numbers);
            return false;
        }
        self.missing.extend(numbers.map(|number| (number, Missing { since: now, asked: [None; 2], tries: 0 })));
        true
    }

    /// A packet came that is not here yet; `resent` where it is marked as a retransmission.
    pub(super) fn arrived(&mut self, number: i64, resent: bool, now: MediaTime) {
        let Some(missing) = self.missing.remove(&number) else {
            self.fates.late += u64::from(self.given_up.remove(&number));
            self.settled.get(&number).into_iter().for_each(|asked| self.trip.note_longer(now.since(*asked)));
            return;
        };
        self.settled.extend(missing.asked[0].map(|asked| (number, asked)));
        self.trim();
        let quickest = self.trip.quickest();
        let answers = |asked: &MediaTime| resent || now.since(*asked) >= quickest;
        if !missing.asked.iter().flatten().any(answers) {
            let delay = now.since(missing.since) * 5 / 4;
            self.overtaken = self.overtaken.max(delay).min(MAX_REORDERING);
            return;
        }
        self.fates.recovered += 1;
        self.unanswered = 0;
        self.overtaken = self.overtaken * 15 / 16;
        if let Some(asked) = missing.answered(quickest, now) {
            self.trip.note(now.since(asked));
        }
    }

    /// Numbers below this are waited for no more; gives how many of them were missing.
    pub(super) fn give_up(&mut self, below: i64) -> u64 {
        let kept = self.missing.split_off(&below);
        let lost = std::mem::replace(&mut self.missing, kept);
        self.unanswered = self.unanswered.saturating_add(lost.values().filter(|missing| missing.tries > 0).count() as u32);
        self.given_up.extend(lost.keys());
        self.settled.extend(lost.iter().filter_map(|(number, missing)| Some((*number, missing.asked[0]?))));
        self.trim();
        lost.len() as u64
    }

    /// Another stream began.
    pub(super) fn clear(&mut self) {
        self.missing.clear();
        self.given_up.clear();
        self.settled.clear();
    }

    /// What is to be asked for at `now`, oldest first; counts as asked.
    pub(super) fn due(&mut self, now: MediaTime) -> Vec<i64> {
        let (first, again) = (self.first_after(), self.trip.answered_within());
        if self.silenced {
            return Vec::new();
        }
        let due = |missing: &Missing| missing.due(first, again).is_some_and(|at| at <= now);
        let asked = self.missing.iter_mut().filter(|(_, missing)| due(missing));
        asked.map(|(number, missing)| missing.ask(*number, now)).collect()
    }

    /// When something is due next.
    pub(super) fn next_deadline(&self) -> Option<MediaTime> {
        let (first, again) = (self.first_after(), self.trip.answered_within());
        let all = self.missing.values().filter(|_| !self.silenced);
        all.filter_map(|missing| missing.due(first, again)).min()
    }

    /// How long a missing packet is worth waiting for.
    pub(super) fn patience(&self) -> Duration {
        if self.silenced {
            return PATIENCE_WITHOUT;
        }
        if self.unanswered >= DEAF_AFTER {
            return MIN_PATIENCE;
        }
        let again = self.trip.answered_within();
        let tries = self.first_after() + again * WORTH_TRIES;
        tries.clamp(MIN_PATIENCE, MAX_PATIENCE).max((2 * again).min(MAX_PATIENCE_ON_LONG_LINES))
    }

    /// What became of missing packets since the last call.
    pub(super) fn take_fates(&mut self) -> Fates {
        std::mem::take(&mut self.fates)
    }

    fn first_after(&self) -> Duration {
        self.overtaken.max(REORDERING)
    }

    fn remember(&mut self, numbers: Range<i64>) {
        let from = numbers.start.max(numbers.end - REMEMBERED as i64);
        self.given_up.extend(from..numbers.end);
        self.trim();
    }

    fn trim(&mut self) {
        while self.given_up.len() > REMEMBERED {
            self.given_up.pop_first();
        }
        while self.settled.len() > REMEMBERED {
            self.settled.pop_first();
        }
    }
}

impl Missing {
    fn due(&self, first: Duration, again: Duration) -> Option<MediaTime> {
        let at = self.asked[0].map_or(self.since + first, |asked| asked + again);
        (self.tries < MAX_TRIES).then_some(at)
    }

    /// Which request was answered, where that can be told.
    fn answered(&self, quickest: Duration, now: MediaTime) -> Option<MediaTime> {
        match self.tries {
            0 | 1 => self.asked[0],
            // An answer right after the second request is the first one's
            2 => self.asked.into_iter().flatten().find(|asked| now.since(*asked) >= quickest),
            _ => None,
        }
    }

    fn ask(&mut self, number: i64, now: MediaTime) -> i64 {
        self.asked = [Some(now), self.asked[0]];
        self.tries += 1;
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: fn(u64) -> MediaTime = MediaTime::from_millis;

    #[test]
    fn a_packet_that_is_merely_overtaken_is_not_asked_for() {
        let mut nacks = Nacks::default();
        assert!(nacks.miss(5..6, Duration::ZERO, AT(0)));
        assert_eq!((nacks.due(AT(9)), nacks.next_deadline()), (vec![], Some(AT(10))));
        nacks.arrived(5, false, AT(9));
        assert_eq!((nacks.due(AT(1000)), nacks.next_deadline(), nacks.take_fates()), (vec![], None, Fates::default()));
    }

    #[test]
    fn a_line_that_reorders_by_more_is_granted_more() {
        let mut nacks = Nacks::default();
        nacks.note_round_trip(Duration::from_millis(60));
        nacks.miss(5..6, Duration::ZERO, AT(0));
        assert_eq!(nacks.due(AT(10)), [5]);
        nacks.arrived(5, false, AT(24));
        nacks.miss(7..8, Duration::ZERO, AT(100));
        assert_eq!((nacks.due(AT(129)), nacks.due(AT(130))), (vec![], vec![7]));
    }

    #[test]
    fn a_missing_packet_is_asked_for_once_a_round_trip_and_ten_times_at_most() {
        let mut nacks = Nacks::default();
        nacks.note_round_trip(Duration::from_millis(80));
        nacks.miss(5..7, Duration::ZERO, AT(0));
        let asked: Vec<u64> = (0..5000).filter(|ms| !nacks.due(AT(*ms)).is_empty()).collect();
        assert_eq!((asked.len(), asked[0]), (10, 10));
        assert!(asked.windows(2).all(|pair| (90..=120).contains(&(pair[1] - pair[0]))), "{asked:?}");
    }

    #[test]
    fn the_round_trip_is_learnt_from_answers_though_it_grows_beyond_the_first_requests() {
        let mut nacks = Nacks::default();
        let answer_after = |nacks: &mut Nacks, n: i64, began: u64, ms: u64| {
            nacks.miss(n..n + 1, Duration::ZERO, AT(began));
            let asked: Vec<u64> = (began..began + 10 + ms).filter(|at| !nacks.due(AT(*at)).is_empty()).collect();
            asked.iter().for_each(|at| nacks.arrived(n, true, AT(at + ms)));
            asked.len()
        };
        for n in 0..20 {
            answer_after(&mut nacks, n, 1000 * n as u64, 40);
        }
        assert!(nacks.trip.answered_within() < Duration::from_millis(65));
        let tries: Vec<_> = (20..60).map(|n| answer_after(&mut nacks, n, 1000 * n as u64, 180)).collect();
        assert!(tries[0] > 1 && tries[20..].iter().all(|tries| *tries == 1), "{tries:?}");
    }

    #[test]
    fn what_is_too_much_is_not_asked_for() {
        let mut nacks = Nacks::default();
        assert!(!nacks.miss(10..100, Duration::ZERO, AT(0)));
        assert!(!nacks.miss(110..130, Duration::from_secs(2), AT(0)));
        assert!(nacks.miss(140..141, Duration::from_secs(2), AT(0)), "a screen that stands still sends rarely");
        assert_eq!(nacks.due(AT(50)), [140]);
        nacks.arrived(99, false, AT(60));
        assert_eq!(nacks.take_fates(), Fates { recovered: 0, late: 1 });
    }

    #[test]
    fn patience_grows_with_the_round_trip_and_is_bounded() {
        let patience = |ms| {
            let mut nacks = Nacks::default();
            nacks.note_round_trip(Duration::from_millis(ms));
            nacks.patience().as_millis()
        };
        assert_eq!(patience(1), 150);
        assert!((400..=600).contains(&patience(50)), "{}", patience(50));
        assert_eq!((patience(200), patience(4000)), (600, 1000));
        let mut silenced = Nacks::default();
        silenced.silence();
        silenced.miss(1..2, Duration::ZERO, AT(0));
        assert_eq!((silenced.patience(), silenced.due(AT(500))), (PATIENCE_WITHOUT, vec![]));
    }

    #[test]
    fn a_sender_that_never_resends_is_not_waited_for() {
        let mut nacks = Nacks::default();
        for n in 0..8 {
            nacks.miss(n..n + 1, Duration::ZERO, AT(1000 * n as u64));
            nacks.due(AT(1000 * n as u64 + 10));
            nacks.give_up(n + 1);
        }
        assert_eq!(nacks.patience(), MIN_PATIENCE);
        nacks.miss(20..21, Duration::ZERO, AT(20_000));
        nacks.due(AT(20_010));
        nacks.arrived(20, true, AT(20_080));
        assert!(nacks.patience() > MIN_PATIENCE);
    }
}
