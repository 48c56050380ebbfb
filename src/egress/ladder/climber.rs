//! Where one receiver stands on the ladder: down at once, up after a while, later and later where that goes wrong. Pure.
//!
//! In: its line and the rungs within its bounds, several times a second. Out: the rendition, why no better one, and what the line is
//! worth being probed for. Never: a climb on an estimate of one moment.

use std::time::Duration;

use super::{Line, Why};
use crate::egress::Rendition;
use crate::media::MediaTime;

/// A line that takes less than this part of what most others of the rendition take is moved down, so that it does not hold them back.
const TOO_SLOW: f64 = 0.5;
/// What a line must have room for to come to a rung, as a multiple of what it needs to stay there.
const ENTRY: f64 = 1.25;
/// How long there must be room before a climb; also the wait after a fall.
const HEADROOM: Duration = Duration::from_secs(5);
/// The same while an estimate is young: it begins low on every line, and says little until it has been tried.
const HEADROOM_WHEN_YOUNG: Duration = Duration::from_secs(1);
const YOUNG: Duration = Duration::from_secs(10);
/// A fall so soon after a climb doubles the wait for the next one.
const SOON: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(40);
/// Below this part of the lowest rung's least, sound and pictures together are more than the line takes.
const STARVING: f64 = 0.8;
/// How long before pictures are paused: an estimate is that low for a moment after a black-out too.
const STARVED: Duration = Duration::from_secs(2);
/// Paused pictures are tried again after this long, whatever the estimate says: it cannot grow where next to nothing is sent. So the
/// receiver sees a picture now and then at least.
const RETRY: Duration = Duration::from_secs(30);

/// One rendition, as one receiver may have it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rung {
    pub(super) rendition: usize,
    least_bps: f64,
    most_bps: f64,
    /// What a line must have room for to stay.
    need_bps: f64,
}

impl Rung {
    /// `others`: what most of the others on it take.
    pub(super) fn new(rendition: usize, of: Rendition, others: Option<f64>) -> Self {
        let (least_bps, most_bps) = (f64::from(of.min_bps), f64::from(of.max_bps));
        Self { rendition, least_bps, most_bps, need_bps: others.map_or(least_bps, |others| least_bps.max(TOO_SLOW * others)) }
    }

    fn entry_bps(&self) -> f64 {
        self.need_bps * ENTRY
    }
}

/// A change of rendition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// To a better one, or to pictures again.
    Up,
    /// To a lower one, or to sound alone.
    Down,
}

/// One receiver's place.
#[derive(Debug, Default)]
pub struct Climber {
    place: Place,
    why: Option<Why>,
    wanted_bps: Option<f64>,
    /// Since when there has been an estimate.
    known_since: Option<MediaTime>,
    /// Since when there has been room for a better rung, and the least room since.
    headroom: Option<(MediaTime, f64)>,
    /// Since when there has not been room for the lowest rung.
    starving: Option<MediaTime>,
    climbed: Option<MediaTime>,
    fell: Option<MediaTime>,
    /// After how many climbs in a row it fell again soon.
    failures: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Place {
    #[default]
    Nowhere,
    On(usize),
    Paused(MediaTime),
}

impl Climber {
    /// The rendition that it gets; `None` for no pictures.
    pub fn rendition(&self) -> Option<usize> {
        match self.place {
            Place::On(rendition) => Some(rendition),
            Place::Nowhere | Place::Paused(_) => None,
        }
    }

    /// Why no better one.
    pub fn why(&self) -> Why {
        self.why.unwrap_or(Why::Bounds)
    }

    /// What the line would have to take for more than it gets; `None` where there is no more, or it is too soon to try.
    pub fn wanted_bps(&self) -> Option<f64> {
        self.wanted_bps
    }

    /// Decides; `rungs` are those within its bounds, best first.
    pub(super) fn decide(&mut self, now: MediaTime, line: Line, rungs: &[Rung], is_bounded: bool) -> Option<Move> {
        if line.estimate_bps.is_some() {
            self.known_since.get_or_insert(now);
        }
        let Some(lowest) = cheapest(rungs) else {
            *self = Self { known_since: self.known_since, ..Self::default() };
            return None;
        };
        let moved = match (self.place, self.rung(rungs)) {
            (Place::On(_), Some(rung)) => self.step(now, line.room_bps(), rungs, rung),
            (Place::Paused(since), _) => self.resume(now, line.room_bps(), since, lowest),
            _ => {
                self.place = Place::On(best_to_enter(line.room_bps(), rungs).unwrap_or(lowest).rendition);
                None
            }
        };
        self.explain(line, rungs, is_bounded);
        self.want(now, line, rungs);
        moved
    }

    /// Which of the rungs it is on, by its place among them.
    fn rung(&self, rungs: &[Rung]) -> Option<usize> {
        rungs.iter().position(|rung| Some(rung.rendition) == self.rendition())
    }

    fn step(&mut self, now: MediaTime, room: f64, rungs: &[Rung], at: usize) -> Option<Move> {
        let (better, lower) = (&rungs[..at], &rungs[at + 1..]);
        if room < rungs[at].need_bps {
            return self.fall(now, room, &rungs[at], lower);
        }
        self.starving = None;
        self.climb(now, room, better)
    }

    fn fall(&mut self, now: MediaTime, room: f64, present: &Rung, lower: &[Rung]) -> Option<Move> {
        self.headroom = None;
        let to = best_to_enter(room, lower).or(cheapest(lower)).filter(|to| to.least_bps < present.need_bps);
        if let Some(to) = to {
            return self.come_down(now, Place::On(to.rendition));
        }
        if room >= STARVING * present.least_bps {
            self.starving = None;
            return None;
        }
        let since = *self.starving.get_or_insert(now);
        if now.since(since) < STARVED { None } else { self.come_down(now, Place::Paused(now)) }
    }

    fn come_down(&mut self, now: MediaTime, place: Place) -> Option<Move> {
        match self.climbed.take().filter(|climbed| now.since(*climbed) < SOON) {
            Some(_) => self.failures += 1,
            None if self.fell.is_none_or(|fell| now.since(fell) >= SOON) => self.failures = 0,
            None => {}
        }
        (self.place, self.fell, self.starving) = (place, Some(now), None);
        Some(Move::Down)
    }

    fn climb(&mut self, now: MediaTime, room: f64, better: &[Rung]) -> Option<Move> {
        if best_to_enter(room, better).is_none() {
            self.headroom = None;
            return None;
        }
        let (since, least) = self.headroom.map_or((now, room), |(since, least)| (since, least.min(room)));
        self.headroom = Some((since, least));
        if now.since(since) < self.headroom_needed(now) || now < self.next_try() {
            return None;
        }
        let to = best_to_enter(least, better)?;
        (self.place, self.headroom, self.climbed) = (Place::On(to.rendition), None, Some(now));
        Some(Move::Up)
    }

    fn resume(&mut self, now: MediaTime, room: f64, since: MediaTime, lowest: &Rung) -> Option<Move> {
        let has_room = room >= lowest.entry_bps() && now >= self.next_try();
        if !has_room && now.since(since) < RETRY {
            return None;
        }
        (self.place, self.climbed) = (Place::On(lowest.rendition), Some(now));
        Some(Move::Up)
    }

    fn headroom_needed(&self, now: MediaTime) -> Duration {
        let is_young = self.failures == 0 && self.known_since.is_some_and(|since| now.since(since) < YOUNG);
        if is_young { HEADROOM_WHEN_YOUNG } else { HEADROOM }
    }

    /// Not before this: after 5 s, and 10, 20, 40 where it fell soon after it had climbed.
    fn next_try(&self) -> MediaTime {
        let wait = (HEADROOM * 2u32.pow(self.failures.min(3))).min(LONGEST_WAIT);
        match self.fell {
            Some(fell) if self.failures > 0 => fell + wait,
            _ => MediaTime::ZERO,
        }
    }

    fn explain(&mut self, line: Line, rungs: &[Rung], is_bounded: bool) {
        let Some(at) = self.rung(rungs) else {
            self.why = Some(Why::SoundOnly);
            return;
        };
        let Some(better) = rungs[..at].last() else {
            self.why = Some(if is_bounded { Why::Bounds } else { Why::Full });
            return;
        };
        let has_room = line.room_bps() >= better.entry_bps();
        if has_room && matches!(self.why, Some(Why::Line | Why::Loss)) {
            return;
        }
        let by_loss = !has_room && line.room_without_loss_bps() >= better.entry_bps();
        self.why = Some(if by_loss { Why::Loss } else { Why::Line });
    }

    fn want(&mut self, now: MediaTime, line: Line, rungs: &[Rung]) {
        let wanted = match self.rung(rungs) {
            // What it has room for already needs no probe
            Some(0) => Some(rungs[0].most_bps).filter(|most| line.room_bps() < *most),
            Some(at) => rungs[..at].iter().map(Rung::entry_bps).reduce(f64::min).filter(|_| now + HEADROOM >= self.next_try()),
            None => cheapest(rungs).map(Rung::entry_bps),
        };
        self.wanted_bps = wanted.map(|room| line.whole_for(room));
    }
}

/// The best rung that there is room to come to.
fn best_to_enter(room: f64, rungs: &[Rung]) -> Option<&Rung> {
    rungs.iter().find(|rung| room >= rung.entry_bps())
}

/// The rung that needs least; of equal ones the lowest.
fn cheapest(rungs: &[Rung]) -> Option<&Rung> {
    rungs.iter().rev().min_by(|a, b| a.least_bps.total_cmp(&b.least_bps))
}
