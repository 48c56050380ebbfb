//! One way of a line: what becomes of each datagram, and when.
//!
//! In: datagrams as they set out, and the present time, which never goes back. Out: the datagrams when they arrive, and counts.
//! For each: black-out and loss as it sets out; then the queue and the rate limit; then the delay. Never: more than
//! [`UNDER_WAY`] datagrams.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::counts::{Kind, WayReport};
use super::lag::Lag;
use super::losses::Losses;
use super::settings::{Order, Queue, Rate, Schedule};
use crate::media::MediaTime;

/// IPv4 and UDP.
const HEADER_BYTES: u64 = 28;
/// Datagrams that may be under way: 16 Mb/s over 5 s.
const UNDER_WAY: usize = 1 << 13;

/// One way of a line, for datagrams of the type `T`.
#[derive(Debug)]
pub struct Passage<T> {
    schedule: Schedule,
    laid: Option<MediaTime>,
    random: StdRng,
    losses: Losses,
    lag: Lag,
    /// Before the rate limit, with their bytes; the first of them is being sent and has passed at `passed`.
    waiting: VecDeque<Item<T>>,
    waiting_bytes: u64,
    passed: MediaTime,
    /// Behind it, by the time at which they arrive and their number.
    flying: BTreeMap<(MediaTime, u64), Item<T>>,
    number: u64,
    last_due: MediaTime,
    counts: WayReport,
}

#[derive(Clone, Debug)]
struct Item<T> {
    datagram: T,
    bytes: u64,
    kind: Kind,
}

impl<T: Clone> Passage<T> {
    /// A way that is not laid yet: its first figures hold.
    pub fn new(schedule: Schedule, seed: u64) -> Self {
        Self {
            schedule,
            laid: None,
            random: StdRng::seed_from_u64(seed),
            losses: Losses::default(),
            lag: Lag::default(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            passed: MediaTime::ZERO,
            flying: BTreeMap::new(),
            number: 0,
            last_due: MediaTime::ZERO,
            counts: WayReport::default(),
        }
    }

    /// From `now` on the schedule's time runs.
    pub fn lay(&mut self, now: MediaTime) {
        self.laid.get_or_insert(now);
    }

    /// Another schedule, whose time runs from `now` on; what is under way and the counts stay.
    pub fn replace(&mut self, schedule: Schedule, now: MediaTime) {
        self.advance(now);
        (self.schedule, self.laid) = (schedule, Some(now));
        self.pass_head(now);
    }

    /// What became of the datagrams up to now.
    pub fn counts(&self) -> WayReport {
        WayReport { under_way: self.under_way() as u64, ..self.counts }
    }

    /// A datagram of so many bytes sets out.
    pub fn put(&mut self, datagram: T, bytes: usize, kind: Kind, now: MediaTime) {
        self.advance(now);
        let time = self.time(now);
        let way = self.schedule.at(time);
        let (loss, rate) = (way.loss, way.rate);
        let tally = self.counts.of(kind);
        tally.sent += 1;
        if self.schedule.is_black(time) {
            tally.blacked_out += 1;
        } else if self.losses.next(loss, &mut self.random) {
            tally.lost += 1;
        } else if self.is_full(rate, bytes as u64 + HEADER_BYTES) {
            self.counts.of(kind).overflowed += 1;
        } else {
            self.enqueue(Item { datagram, bytes: bytes as u64 + HEADER_BYTES, kind }, now);
        }
    }

    /// The next datagram that has arrived.
    pub fn take(&mut self, now: MediaTime) -> Option<T> {
        self.advance(now);
        let first = self.flying.first_entry().filter(|first| first.key().0 <= now)?;
        let item = first.remove();
        self.counts.of(item.kind).arrived += 1;
        Some(item.datagram)
    }

    /// When to look again; `None` while nothing is under way.
    pub fn due(&self) -> Option<MediaTime> {
        let passes = (!self.waiting.is_empty()).then_some(self.passed);
        let arrives = self.flying.first_key_value().map(|((due, _), _)| *due);
        [passes, arrives].into_iter().flatten().min()
    }

    fn under_way(&self) -> usize {
        self.waiting.len() + self.flying.len()
    }

    fn time(&self, now: MediaTime) -> Duration {
        self.laid.map_or(Duration::ZERO, |laid| now.since(laid))
    }

    fn is_full(&self, rate: Option<Rate>, bytes: u64) -> bool {
        let room = match rate {
            None => u64::MAX,
            Some(Rate { queue: Queue::Bytes(bytes), .. }) => bytes,
            Some(Rate { bps, queue: Queue::Time(time) }) => (u128::from(bps) * time.as_nanos() / 8_000_000_000) as u64,
        };
        let fits = self.waiting.is_empty() || self.waiting_bytes.saturating_add(bytes) <= room;
        !fits || self.under_way() >= UNDER_WAY
    }

    fn enqueue(&mut self, item: Item<T>, now: MediaTime) {
        self.waiting_bytes += item.bytes;
        self.waiting.push_back(item);
        if self.waiting.len() == 1 {
            self.pass_head(now);
            self.advance(now);
        }
    }

    /// The first that waits begins to be sent at `from`.
    fn pass_head(&mut self, from: MediaTime) {
        let Some(head) = self.waiting.front() else { return };
        let rate = self.schedule.at(self.time(from)).rate;
        self.passed = from + rate.map_or(Duration::ZERO, |rate| Duration::from_nanos(head.bytes * 8_000_000_000 / rate.bps));
    }

    /// Lets pass the rate limit what has passed it by now.
    fn advance(&mut self, now: MediaTime) {
        while self.passed <= now {
            let Some(item) = self.waiting.pop_front() else { return };
            self.waiting_bytes -= item.bytes;
            let passed = self.passed;
            self.fly(item, passed);
            self.pass_head(passed);
        }
    }

    fn fly(&mut self, item: Item<T>, from: MediaTime) {
        let way = self.schedule.at(self.time(from));
        let mut due = from + self.lag.next(way, from, &mut self.random);
        if self.random.random_bool(way.reordering.share) {
            due += way.reordering.by;
        } else if way.jitter.order == Order::Kept {
            due = due.max(self.last_due);
            self.last_due = due;
        }
        if self.random.random_bool(way.duplicated) {
            self.counts.of(item.kind).duplicated += 1;
            self.fly_until(due, item.clone());
        }
        self.fly_until(due, item);
    }

    fn fly_until(&mut self, due: MediaTime, item: Item<T>) {
        self.flying.insert((due, self.number), item);
        self.number += 1;
    }
}

#[cfg(test)]
mod tests;
