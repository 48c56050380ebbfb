//! What is written down of one call: what each bot found, over time, and what the server counted meanwhile.

use super::super::judge::{BotReport, History};
use super::super::wall::Wall;
use super::TrialError;
use super::metrics::Metrics;

/// One call.
#[derive(Clone, Debug, Default)]
pub(super) struct Trial {
    /// Why it could not be measured, if so; of the rest only the reports are set then.
    pub(super) failed: Option<String>,
    /// When the measurement began, on the wall clock; `None` where it never did.
    pub(super) begun: Option<Wall>,
    /// What each bot found in the first second, and in all.
    pub(super) first: Vec<BotReport>,
    pub(super) reports: Vec<BotReport>,
    /// What each bot found over time.
    pub(super) histories: Vec<History>,
    /// Totals several times a second.
    pub(super) glances: Vec<Glance>,
    /// What the server counts as the measurement begins and ends.
    pub(super) before: Metrics,
    pub(super) after: Metrics,
    /// Ids by name as the measurement begins and ends.
    pub(super) people: [Vec<(String, String)>; 2],
}

/// Totals since the measurement began.
#[derive(Clone, Debug, Default)]
pub(super) struct Glance {
    /// Seconds of the measurement.
    pub(super) at_s: f64,
    /// What the server counts, once a second.
    pub(super) server: Option<Metrics>,
    /// Each bot's.
    pub(super) bots: Vec<BotGlance>,
}

/// One bot's totals.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct BotGlance {
    /// Of pictures received.
    pub(super) bytes: u64,
    /// The newest picture's.
    pub(super) height: u32,
    /// Asked of it by the server.
    pub(super) keyframes_asked: u64,
    /// Packets of sound sent.
    pub(super) sounds_sent: u64,
    /// Sound played, in milliseconds, and what of it was made up.
    pub(super) heard_ms: f64,
    pub(super) concealed_ms: f64,
    /// Datagrams that the server sent to it, and those that found the queue before the rate limit full.
    pub(super) down_sent: u64,
    pub(super) down_overflowed: u64,
}

impl Trial {
    /// One that could not be measured.
    pub(super) fn failed(error: &TrialError) -> Self {
        Self { failed: Some(error.to_string()), ..Self::default() }
    }

    /// A moment of the measurement.
    pub(super) fn moment(&self, seconds: u64) -> Wall {
        Wall::from_micros(self.begun.map_or(0, Wall::as_micros) + seconds * 1_000_000)
    }

    /// The last glance at or before a moment.
    pub(super) fn glance(&self, seconds: f64) -> Option<&Glance> {
        self.glances.iter().rev().find(|glance| glance.at_s <= seconds)
    }
}

impl BotGlance {
    pub(super) fn of(report: &BotReport) -> Self {
        let down = report.line.down.all();
        Self {
            bytes: report.pictures.bytes,
            height: report.pictures.height,
            keyframes_asked: report.sent.keyframes_asked,
            sounds_sent: report.sent.sounds,
            heard_ms: report.sound.heard_ms,
            concealed_ms: report.sound.concealed_ms,
            down_sent: down.sent,
            down_overflowed: down.overflowed,
        }
    }
}
