//! The grid: calls of four on bad lines, each judged against what it must reach.
//!
//! In: which cases, how often. Out: a [`Table`] of figures against their bounds. Never: a server in this process; its own is
//! started for each case, so that the CPU of the bots and the server's are apart and no case inherits another's state. Nor a trial that is
//! made again because it went wrong: it falls short, the table says why, and the next one follows.
//!
//! [`cases`] say what lines are like over time and how long they are watched; `play` has bots live through one and writes down
//! a `trial::Trial`; `weigh` makes figures of it; [`table`] takes the medians of all runs. Cases follow one another and nothing
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

use futures_util::future::join_all;

use super::bot::JoinError;
use super::http::HttpError;
use super::wall::Epoch;
use cases::{Case, Form, Scene};
use play::play;
use server::Process;
pub use table::{Bound, Figure, Remark, Row, Run, Table};
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

/// Why a trial could not be measured.
#[derive(Debug, thiserror::Error)]
enum TrialError {
    /// The server could not be started.
    #[error("{command} does not serve: {reason}")]
    Server {
        /// The command.
        command: String,
        /// What the system or the server says.
        reason: String,
    },
    /// A bot could not join.
    #[error("bot {number} could not join: {source}")]
    Join {
        /// Its number.
        number: u16,
        /// Why.
        source: JoinError,
    },
    /// The server did not tell its figures.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// Runs the cases one after the other; tells of each run as it comes.
pub async fn run(options: &GridOptions, mut tell: impl FnMut(&Run)) -> Table {
    let mut table = Table::new(options.form);
    for &case in &options.cases {
        let runs = if case.runs_side_by_side() { beside(options, case).await } else { in_turn(options, case).await };
        for (index, trials) in runs.iter().enumerate() {
            let run = weigh::weigh(case, options.form, index + 1, trials);
            tell(&run);
            table.note(&run);
        }
    }
    table
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
async fn in_turn(options: &GridOptions, case: Case) -> Vec<Vec<Trial>> {
    let mut runs = Vec::with_capacity(options.runs);
    for run in 0..options.runs {
        let mut trials = Vec::new();
        for scene in case.scenes(options.form) {
            trials.push(alone(options, &scene, run).await);
        }
        runs.push(trials);
    }
    runs
}

async fn alone(options: &GridOptions, scene: &Scene, run: usize) -> Trial {
    match Process::start(&options.medley).await {
        Ok(server) => {
            let trial = play(scene, &server, run, Epoch::new()).await;
            server.stop().await;
            trial
        }
        Err(error) => Trial::failed(&error),
    }
}

async fn beside(options: &GridOptions, case: Case) -> Vec<Vec<Trial>> {
    let scenes = case.scenes(options.form);
    let server = match Process::start(&options.medley).await {
        Ok(server) => server,
        Err(error) => return vec![vec![Trial::failed(&error); scenes.len()]; options.runs],
    };
    let plays = (0..options.runs).flat_map(|run| scenes.iter().map(move |scene| (run, scene)));
    let trials = join_all(plays.map(|(run, scene)| play(scene, &server, run, Epoch::new()))).await;
    server.stop().await;
    trials.chunks(scenes.len().max(1)).map(<[Trial]>::to_vec).collect()
}
