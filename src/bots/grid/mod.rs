//! The grid: calls of four on bad lines, each judged against what it must reach.
//!
//! In: which cases, how often. Out: a [`Table`] of figures against their bounds. Never: a server in this process; its own is
//! started for each case, so that the CPU of the bots and the server's are apart and no case inherits another's state.
//!
//! [`cases`] say what lines are like over time and how long they are watched; `play` has bots live through one and writes down
//! a [`trial::Trial`]; `weigh` makes figures of it; [`table`] takes the medians of all runs. Cases follow one another and nothing
//! runs beside them, but for drift: it needs twenty minutes and next to no CPU, so its runs are rooms side by side.

pub mod cases;
mod metrics;
mod play;
mod server;
pub mod table;
mod trial;
mod weigh;

use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::try_join_all;

use super::bot::JoinError;
use super::http::HttpError;
use super::wall::Epoch;
use cases::{Case, Form, Scene};
use play::play;
use server::Process;
pub use table::{Bound, Figure, Row, Table};
use trial::Trial;

/// What is to be run.
#[derive(Clone, Debug)]
pub struct GridOptions {
    /// The `medley` command that serves.
    pub medley: PathBuf,
    /// Which cases, in this order.
    pub cases: Vec<Case>,
    /// How often each is run.
    pub runs: usize,
    /// Whole, or in a few minutes.
    pub form: Form,
}

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
pub enum GridError {
    /// The server could not be started.
    #[error("{command} does not serve: {reason}")]
    Server {
        /// The command.
        command: String,
        /// What the system or the server says.
        reason: String,
    },
    /// A bot could not join.
    #[error("bot {number} could not join for {case}: {source}")]
    Join {
        /// Its number.
        number: u16,
        /// The case.
        case: Case,
        /// Why.
        source: JoinError,
    },
    /// The server did not tell its figures.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// Runs the cases one after the other; tells each run's figures as they come.
///
/// # Errors
/// Where the server does not start or a bot cannot join; a session that is lost later is a figure.
pub async fn run(options: &GridOptions, mut tell: impl FnMut(Case, usize, &[Figure])) -> Result<Table, GridError> {
    let mut table = Table::new(options.form);
    for &case in &options.cases {
        let runs = if case.runs_side_by_side() { beside(options, case).await? } else { in_turn(options, case).await? };
        for (run, trials) in runs.iter().enumerate() {
            let figures = weigh::weigh(case, options.form, trials);
            tell(case, run, &figures);
            table.note(case, &figures);
        }
    }
    Ok(table)
}

/// About how long the run will take.
pub fn takes(options: &GridOptions) -> Duration {
    let one = |case: &Case| {
        let once: Duration = case.scenes(options.form).iter().map(Scene::takes).sum();
        if case.runs_side_by_side() { once } else { once * options.runs as u32 }
    };
    options.cases.iter().map(one).sum()
}

/// Each run's trials, one for each scene.
async fn in_turn(options: &GridOptions, case: Case) -> Result<Vec<Vec<Trial>>, GridError> {
    let mut runs = Vec::with_capacity(options.runs);
    for run in 0..options.runs {
        let mut trials = Vec::new();
        for scene in case.scenes(options.form) {
            let server = Process::start(&options.medley).await?;
            trials.push(play(case, &scene, &server, &format!("run{run}"), Epoch::new()).await?);
            server.stop().await;
        }
        runs.push(trials);
    }
    Ok(runs)
}

async fn beside(options: &GridOptions, case: Case) -> Result<Vec<Vec<Trial>>, GridError> {
    let server = Process::start(&options.medley).await?;
    let scenes = case.scenes(options.form);
    let rooms: Vec<String> = (0..options.runs).map(|run| format!("run{run}")).collect();
    let plays = rooms.iter().flat_map(|room| scenes.iter().map(|scene| play(case, scene, &server, room, Epoch::new())));
    let trials = try_join_all(plays).await?;
    server.stop().await;
    Ok(trials.chunks(scenes.len().max(1)).map(<[Trial]>::to_vec).collect())
}
