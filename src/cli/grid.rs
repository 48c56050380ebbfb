//! `medley bots --grid`: calls of four on bad lines, each figure against its bound.

use std::process::ExitCode;

use clap::Args;

use crate::bots::grid::{self, Figure, GridOptions, Run, cases::Case, cases::Form};

/// Which cases, how often, in which form.
#[derive(Args, Debug)]
#[command(next_help_heading = "The grid")]
pub(super) struct GridArgs {
    /// Calls of four on bad lines, by a server of their own, each figure against what it must reach; other options but --json do
    /// not count
    #[arg(long)]
    pub(super) grid: bool,
    /// How often each case is run; the median counts
    #[arg(long, requires = "grid", value_parser = clap::value_parser!(u64).range(1..=9))]
    runs: Option<u64>,
    /// Only this case; may be given more than once
    #[arg(long, value_name = "CASE", requires = "grid")]
    only: Vec<Case>,
    /// A few minutes, once, with bounds twice as wide
    #[arg(long, requires = "grid")]
    short: bool,
}

/// Runs the grid and prints its table; fails where a figure falls short.
pub(super) async fn run(args: GridArgs, json: bool) -> anyhow::Result<ExitCode> {
    let options = args.options()?;
    eprintln!("about {:.1} minutes", grid::takes(&options).as_secs_f64() / 60.0);
    let table = tokio::select! {
        table = grid::run(&options, tell) => table,
        () = super::told_to_stop() => anyhow::bail!("stopped before the table was whole"),
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&table)?);
    } else {
        println!("{table}");
    }
    Ok(if table.passes() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What has come so far, on standard error: the table is printed when it is whole.
fn tell(run: &Run) {
    let Run { case, number, figures, remarks } = run;
    let value = |figure: &Figure| figure.value.map_or("-".to_owned(), |value| format!("{value:.2}"));
    let told: Vec<_> = figures.iter().map(|figure| format!("{} {}{}", figure.what, value(figure), figure.unit)).collect();
    eprintln!("{case} run {number}: {}", told.join("; "));
    remarks.iter().for_each(|remark| eprintln!("{case} run {number}: {remark}"));
}

impl GridArgs {
    fn options(self) -> anyhow::Result<GridOptions> {
        let form = if self.short { Form::Short } else { Form::Whole };
        let all = if self.short { Case::SHORT.to_vec() } else { Case::ALL.to_vec() };
        let cases = if self.only.is_empty() { all } else { self.only };
        let runs = self.runs.unwrap_or(if self.short { 1 } else { 3 }) as usize;
        Ok(GridOptions { medley: std::env::current_exe()?, cases, runs, form })
    }
}
