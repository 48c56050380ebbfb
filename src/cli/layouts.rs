//! `medley layouts`: what the layouts that come with the server look like, and how much of the canvas they use.

mod sheet;
mod usage;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::compositor::stills::encode_png;

/// Look at the layouts that come with the server.
#[derive(Args, Debug)]
pub(super) struct LayoutsArgs {
    #[command(subcommand)]
    show: Show,
}

#[derive(Subcommand, Debug)]
enum Show {
    /// How much of the canvas the grid uses for 1 to 25 people, against squares of n×n places
    Usage,
    /// All stock templates for 1, 2, 3, 5, 9 and 16 made-up people, as one picture
    Sheet {
        /// The picture
        #[arg(long, value_name = "FILE.png")]
        out: PathBuf,
        /// Width of the canvases, in pixels
        #[arg(long, default_value_t = 1280, value_parser = clap::value_parser!(u32).range(128..=3840))]
        width: u32,
        /// Height of the canvases, in pixels
        #[arg(long, default_value_t = 720, value_parser = clap::value_parser!(u32).range(128..=2160))]
        height: u32,
    },
}

/// Prints or draws.
pub(super) fn run(args: LayoutsArgs) -> anyhow::Result<ExitCode> {
    match args.show {
        Show::Usage => print!("{}", usage::table()),
        Show::Sheet { out, width, height } => {
            let picture = sheet::draw(width & !1, height & !1)?;
            std::fs::write(&out, encode_png(&picture)).with_context(|| format!("{}", out.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
