//! What a line is to be like: plain data, whose default is a perfect line.
//!
//! Times in a [`Schedule`] count from when the line is laid: when the bot's connection first stands, or when
//! `Bot::lay` lays another one. Before that the first figures hold.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A bot's line, each way, and the bot's own clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LineSettings {
    /// From the bot to the server.
    pub up: Schedule,
    /// From the server to the bot.
    pub down: Schedule,
    /// When the bot comes to another address, in order of time.
    pub moves: Vec<Relocation>,
    /// How much faster than it should the bot's clock runs, in millionths: its capture times, RTP timestamps, sender reports and
    /// sending pace. Within ±10 000.
    pub drift_ppm: f64,
    /// Seeds both ways; bots of one run differ by their numbers.
    pub seed: u64,
}

/// One way of a line over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// What it is like at first.
    pub first: Way,
    /// What it is like from other times on, in order of time.
    pub then: Vec<Change>,
    /// When nothing passes at all.
    pub blackouts: Vec<Blackout>,
    /// After how long all of this begins again; `None`: never.
    pub repeats: Option<Duration>,
}

/// Other figures from a time on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// From when on.
    pub at: Duration,
    /// What holds from there.
    pub way: Way,
}

/// A time in which every datagram that sets out is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blackout {
    /// When it begins.
    pub at: Duration,
    /// How long it lasts.
    pub lasts: Duration,
}

/// The bot comes to another address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relocation {
    /// When.
    pub at: Duration,
    /// How.
    pub kind: Move,
}

/// How a bot comes to another address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    /// A NAT between forgets it: its datagrams come from another port, and what is sent to the old one is lost. It knows nothing
    /// of that.
    Rebind,
    /// It changes networks and knows it: another socket, and an ICE restart by `PATCH`.
    Restart,
}

/// What one way of a line does to datagrams, in this order: loss, rate limit, delay with jitter and reordering, duplication.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Way {
    /// Which datagrams are lost.
    pub loss: Loss,
    /// What passes in a second.
    pub rate: Option<Rate>,
    /// How long each is on its way.
    pub delay: Duration,
    /// By how much that differs.
    pub jitter: Jitter,
    /// Which of them are overtaken.
    pub reordering: Reordering,
    /// The share of datagrams that arrive twice, 0 to 1.
    pub duplicated: f64,
}

/// Which datagrams are lost. Shares are 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// None.
    #[default]
    None,
    /// This share, each by itself.
    Random(f64),
    /// This share in bursts of so many datagrams on average (Gilbert-Elliott: a bad state in which all is lost).
    Bursts {
        /// The share lost in the long run, below 1.
        share: f64,
        /// The mean length of a burst in datagrams, at least 1.
        mean: f64,
    },
    /// The Gilbert-Elliott model in full, its state changing with each datagram.
    GilbertElliott {
        /// The chance to turn bad.
        to_bad: f64,
        /// The chance to turn good.
        to_good: f64,
        /// The loss while bad.
        lost_bad: f64,
        /// The loss while good.
        lost_good: f64,
    },
}

/// By how much delays differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jitter {
    /// Delays lie within the delay ± this; a shorter delay is raised to it, so that the figure is what it says.
    pub spread: Duration,
    /// Where within it they lie.
    pub shape: Shape,
    /// How often a new one is drawn, with a straight way from one to the next, as queues on the way fill and drain; zero: each
    /// datagram has its own.
    pub period: Duration,
    /// Whether a datagram may overtake another one by it.
    pub order: Order,
}

/// The distribution of delays within the spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// All alike.
    #[default]
    Uniform,
    /// Most in the middle: normal, the spread being three standard deviations.
    Normal,
    /// Most at the lower end with a long tail: exponential, its mean an eighth of the whole width.
    Tail,
}

/// Whether datagrams arrive in the order in which they set out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// A late one holds up those behind it, as in a queue.
    #[default]
    Kept,
    /// As their delays have it.
    Free,
}

/// Datagrams that others overtake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reordering {
    /// The share that is held back, 0 to 1.
    pub share: f64,
    /// For how long beyond its delay.
    pub by: Duration,
}

/// How much passes in a second, and what waits before it. What does not fit is lost (tail drop).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// In bits of UDP payload and 28 bytes of headers (IPv4, UDP) a datagram.
    pub bps: u64,
    /// What may wait.
    pub queue: Queue,
}

/// What may wait before a rate limit. One datagram may always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    /// What passes in that time.
    Time(Duration),
    /// That many bytes, with headers.
    Bytes(u64),
}

impl Rate {
    /// So many bits a second before which 300 ms may wait (RFC 8867 §4.2).
    pub const fn of(bps: u64) -> Self {
        Self { bps, queue: Queue::Time(Duration::from_millis(300)) }
    }
}

impl LineSettings {
    /// The same both ways, all the time.
    pub fn both(way: Way) -> Self {
        Self { up: Schedule::constant(way.clone()), down: Schedule::constant(way), ..Self::default() }
    }

    /// The same schedule both ways.
    pub fn scheduled(schedule: Schedule) -> Self {
        Self { up: schedule.clone(), down: schedule, ..Self::default() }
    }

    /// Whether what is sent has to fit a rate, at any time.
    pub fn limits_sending(&self) -> bool {
        self.up.first.rate.is_some() || self.up.then.iter().any(|change| change.way.rate.is_some())
    }

    /// Whether it does anything at all.
    pub fn is_perfect(&self) -> bool {
        *self == Self { seed: self.seed, ..Self::default() }
    }

    /// What is wrong with it.
    ///
    /// # Errors
    /// With a sentence that names the figure and its rule.
    pub fn check(&self) -> Result<(), String> {
        if !(-10_000.0..=10_000.0).contains(&self.drift_ppm) {
            return Err(format!("a drift of {} ppm is out of range: use -10000 to 10000", self.drift_ppm));
        }
        if !self.moves.is_sorted_by_key(|relocation| relocation.at) {
            return Err("the moves of a line are to stand in order of time".into());
        }
        [&self.up, &self.down].into_iter().try_for_each(Schedule::check)
    }
}

impl Schedule {
    /// The same all the time.
    pub fn constant(way: Way) -> Self {
        Self { first: way, ..Self::default() }
    }

    /// What holds so long after the line was laid.
    pub fn at(&self, time: Duration) -> &Way {
        let time = self.within(time);
        self.then.iter().rev().find(|change| change.at <= time).map_or(&self.first, |change| &change.way)
    }

    /// Whether nothing passes so long after the line was laid.
    pub fn is_black(&self, time: Duration) -> bool {
        let time = self.within(time);
        self.blackouts.iter().any(|blackout| blackout.at <= time && time < blackout.at + blackout.lasts)
    }

    fn within(&self, time: Duration) -> Duration {
        match self.repeats {
            Some(period) if !period.is_zero() => Duration::from_nanos((time.as_nanos() % period.as_nanos()) as u64),
            _ => time,
        }
    }

    fn check(&self) -> Result<(), String> {
        if !self.then.is_sorted_by_key(|change| change.at) {
            return Err("the changes of a line are to stand in order of time".into());
        }
        std::iter::once(&self.first).chain(self.then.iter().map(|change| &change.way)).try_for_each(Way::check)
    }
}

impl Way {
    fn check(&self) -> Result<(), String> {
        let shares = match self.loss {
            Loss::None => [0.0; 4],
            Loss::Random(share) => [share, 0.0, 0.0, 0.0],
            Loss::Bursts { share, mean } if mean >= 1.0 && share < 1.0 => [share, 0.0, 0.0, 0.0],
            Loss::Bursts { .. } => return Err("a burst is to have a mean length of at least 1 and a share below 1".into()),
            Loss::GilbertElliott { to_bad, to_good, lost_bad, lost_good } => [to_bad, to_good, lost_bad, lost_good],
        };
        let shares = shares.into_iter().chain([self.reordering.share, self.duplicated]);
        if let Some(wrong) = shares.into_iter().find(|share| !(0.0..=1.0).contains(share)) {
            return Err(format!("a share of {wrong} is out of range: use 0 to 1"));
        }
        if self.rate.is_some_and(|rate| rate.bps < 1000) {
            return Err("a rate is to be at least 1000 bits a second".into());
        }
        Ok(())
    }
}
