//! The command line: `medley serve`, `medley bots`, `medley demo`, `medley layouts`, `medley render`.
//!
//! In: arguments and environment. Out: an exit code; errors in a sentence on standard error.

mod bots;
mod demo;
mod grid;
mod judge;
mod layouts;
mod line;
mod log;
mod render;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A WebRTC MCU: everyone's picture and sound mixed into one stream for each.
#[derive(Parser, Debug)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the server until it is told to stop
    Serve(crate::config::ServeArgs),
    /// Join a room as real WebRTC participants and judge what comes back
    Bots(Box<bots::BotsArgs>),
    /// Run a server with bots in a room, to look at
    Demo(demo::DemoArgs),
    /// Look at the layouts that come with the server
    Layouts(layouts::LayoutsArgs),
    /// Make a call again from files: a recording in another layout, or any pictures and sound
    Render(Box<render::RenderArgs>),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("io").build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let result = runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve::run(args).await,
            Command::Bots(args) => bots::run(*args).await,
            Command::Demo(args) => demo::run(args).await,
            Command::Layouts(args) => layouts::run(args),
            Command::Render(args) => render::run(*args).await,
        }
    });
    result.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("medley: {error:#}");
    ExitCode::FAILURE
}

/// Ends with SIGTERM or SIGINT.
async fn told_to_stop() {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
