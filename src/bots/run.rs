//! A run of bots: join, let things settle, measure, report, leave.
//!
//! In: options as the command line gives them, and when to stop. Out: a [`Report`]. Never: a figure from the time in which
//! people were still joining, but for the time to the first picture.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use crate::media::MediaTime;

use super::bot::{Asks, Bot, BotSettings, JoinError, Show, Speech};
use super::files::{FileError, read_film, read_track};
use super::judge::{Report, Scrutiny};
use super::line::LineSettings;
use super::usage::cpu_seconds;
use super::wall::Epoch;

/// What a run of bots is to be.
#[derive(Clone, Debug)]
pub struct BotsOptions {
    /// The server, such as `http://127.0.0.1:8080`.
    pub url: String,
    /// The room they join.
    pub room: String,
    /// How many, at least 1.
    pub count: usize,
    /// How long they measure, after the warm-up; `None` until stopped.
    pub seconds: Option<u64>,
    /// How many of them talk, the first ones; the others send silence. `None`: all.
    pub talkers: Option<usize>,
    /// An H.264 byte stream that they send instead of drawing; its tiles carry no marks.
    pub video: Option<PathBuf>,
    /// A WAV file that they send instead of their tones.
    pub audio: Option<PathBuf>,
    /// Width of their pictures, even.
    pub width: u32,
    /// Height of their pictures, even.
    pub height: u32,
    /// Their pictures a second.
    pub fps: u32,
    /// The first one's number; the next have the next.
    pub first_number: usize,
    /// Whether they only watch.
    pub view_only: bool,
    /// Their display names are this and their number.
    pub name_prefix: String,
    /// How many of them, the first ones, decode and read all they receive; the others count. Each costs about a tenth
    /// of a core at 720p30.
    pub judges: usize,
    /// How long things may settle after the last one joined before the measurement begins.
    pub warm_up: Duration,
    /// What they ask for when they join.
    pub asks: Asks,
    /// What lies between them and the server; each has a seed of its own from this one's and its number.
    pub line: LineSettings,
    /// How many of them have that line, the first ones; the others have a perfect one. `None`: all.
    pub impaired: Option<usize>,
    /// How often a report is told, each of the time since the one before; `None`: only at the end.
    pub every: Option<Duration>,
}

impl Default for BotsOptions {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8080".into(),
            room: "demo".into(),
            count: 1,
            seconds: None,
            talkers: None,
            video: None,
            audio: None,
            width: 640,
            height: 360,
            fps: 30,
            first_number: 1,
            view_only: false,
            name_prefix: "Bot ".into(),
            judges: 4,
            warm_up: Duration::from_secs(2),
            asks: Asks::default(),
            line: LineSettings::default(),
            impaired: None,
            every: None,
        }
    }
}

/// Why a run came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum BotsError {
    /// A recording cannot be sent.
    #[error(transparent)]
    File(#[from] FileError),
    /// The numbers are out of range.
    #[error("{count} bots from number {first} on: the numbers must lie from 1 to 1023")]
    Numbers {
        /// How many.
        count: usize,
        /// The first number.
        first: usize,
    },
    /// One of them could not join; those who had joined have left.
    #[error("bot {number} could not join: {source}")]
    Join {
        /// Its number.
        number: u16,
        /// Why.
        source: JoinError,
    },
}

/// Runs bots until `stop` or the time is over, and gives what they found.
///
/// # Errors
/// Where one of them could not join, or a recording cannot be sent.
pub async fn run(options: BotsOptions, stop: impl Future<Output = ()>) -> Result<Report, BotsError> {
    run_telling(options, stop, |_| ()).await
}

/// As [`run`], and tells a report of each [`BotsOptions::every`]; the last report is then of the time since the one before.
///
/// # Errors
/// As [`run`].
pub async fn run_telling(options: BotsOptions, stop: impl Future<Output = ()>, mut tell: impl FnMut(&Report)) -> Result<Report, BotsError> {
    let epoch = Epoch::new();
    let bots = join_all(&options, epoch).await?;
    tracing::info!(room = options.room, bots = bots.len(), "bots joined");
    let mut began = Began { at: epoch.now(), cpu_s: cpu_seconds() };
    tokio::select! {
        () = measure(&options, epoch, &bots, &mut began, &mut tell) => {}
        () = stop => {}
    }
    let report = conclude(&options, epoch, &bots, &began);
    leave_all(bots).await;
    Ok(report)
}

/// Where the measurement began, and what this process had cost by then.
struct Began {
    at: MediaTime,
    cpu_s: Option<f64>,
}

async fn measure(options: &BotsOptions, epoch: Epoch, bots: &[Bot], began: &mut Began, tell: &mut impl FnMut(&Report)) {
    let until = |at: MediaTime| tokio::time::sleep_until(epoch.clock().instant(at).into());
    until(epoch.now() + options.warm_up).await;
    *began = Began::now(epoch, bots);
    let end = options.seconds.map(|seconds| began.at + Duration::from_secs(seconds));
    while let Some(next) = options.every.map(|every| began.at + every).filter(|next| end.is_none_or(|end| *next < end)) {
        until(next).await;
        tell(&conclude(options, epoch, bots, began));
        *began = Began::now(epoch, bots);
    }
    match end {
        Some(end) => until(end).await,
        None => std::future::pending().await,
    }
}

impl Began {
    fn now(epoch: Epoch, bots: &[Bot]) -> Self {
        bots.iter().for_each(Bot::begin_measuring);
        Self { at: epoch.now(), cpu_s: cpu_seconds() }
    }
}

fn conclude(options: &BotsOptions, epoch: Epoch, bots: &[Bot], began: &Began) -> Report {
    let lasted_s = epoch.now().since(began.at).as_secs_f64();
    let cpu_s = began.cpu_s.and_then(|before| Some(cpu_seconds()? - before));
    Report {
        room: options.room.clone(),
        fully_judged: bots.iter().map(Bot::number).take(options.judges).collect(),
        cpu_s,
        cpu_percent: cpu_s.filter(|_| lasted_s > 0.0).map(|cpu| cpu / lasted_s * 100.0),
        bots: bots.iter().map(Bot::report).collect(),
    }
}

/// One after the other: a server must not be judged by how it takes a crowd at the same instant.
async fn join_all(options: &BotsOptions, epoch: Epoch) -> Result<Vec<Bot>, BotsError> {
    let all = settings(options)?;
    let mut bots = Vec::with_capacity(all.len());
    for settings in all {
        let number = settings.number;
        match Bot::join(settings, epoch).await {
            Ok(bot) => bots.push(bot),
            Err(source) => {
                leave_all(bots).await;
                return Err(BotsError::Join { number, source });
            }
        }
    }
    Ok(bots)
}

async fn leave_all(bots: Vec<Bot>) {
    let leaving: Vec<_> = bots.into_iter().map(Bot::leave).collect();
    for (index, left) in futures_util::future::join_all(leaving).await.into_iter().enumerate() {
        if let Err(error) = left {
            tracing::warn!(index, %error, "a bot left without a confirmation");
        }
    }
}

fn settings(options: &BotsOptions) -> Result<Vec<BotSettings>, BotsError> {
    let BotsOptions { count, first_number: first, .. } = *options;
    if count == 0 || first == 0 || first.saturating_add(count) > 1024 {
        return Err(BotsError::Numbers { count, first });
    }
    let show = options.video.as_deref().map(read_film).transpose()?.map_or(Show::Drawn, Show::Film);
    let speech = options.audio.as_deref().map(read_track).transpose()?.map_or(Speech::Tone, Speech::Track);
    let one = |index: usize| {
        let number = (first + index) as u16;
        let talks = options.talkers.is_none_or(|talkers| index < talkers);
        let speech = if talks { speech.clone() } else { Speech::Silence };
        BotSettings {
            url: options.url.clone(),
            room: options.room.clone(),
            number,
            name: format!("{}{number}", options.name_prefix),
            width: options.width,
            height: options.height,
            fps: options.fps,
            sends: (!options.view_only).then(|| (show.clone(), speech)),
            scrutiny: if index < options.judges { Scrutiny::Full } else { Scrutiny::Counted },
            asks: options.asks.clone(),
            line: line(options, index),
        }
    };
    Ok((0..count).map(one).collect())
}

/// The first bots' line; bots do not lose their packets in step.
fn line(options: &BotsOptions, index: usize) -> LineSettings {
    if options.impaired.is_some_and(|impaired| index >= impaired) {
        return LineSettings::default();
    }
    LineSettings { seed: options.line.seed.wrapping_mul(1024).wrapping_add((options.first_number + index) as u64), ..options.line.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ones_talk_and_judge() {
        let options = BotsOptions { count: 5, talkers: Some(2), judges: 3, first_number: 7, ..BotsOptions::default() };
        let all = settings(&options).unwrap();
        let talking: Vec<_> = all.iter().map(|one| matches!(one.sends, Some((_, Speech::Tone)))).collect();
        let judging: Vec<_> = all.iter().map(|one| one.scrutiny == Scrutiny::Full).collect();
        assert_eq!(talking, [true, true, false, false, false]);
        assert_eq!(judging, [true, true, true, false, false]);
        assert_eq!((all[4].number, all[4].name.as_str()), (11, "Bot 11"));
    }

    #[test]
    fn numbers_that_a_mark_cannot_carry_are_refused() {
        for (count, first_number) in [(0, 1), (1, 0), (2, 1023), (usize::MAX, 1)] {
            assert!(settings(&BotsOptions { count, first_number, ..BotsOptions::default() }).is_err(), "{count} from {first_number}");
        }
    }
}
