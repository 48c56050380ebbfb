//! `medley serve`: a server until SIGTERM or SIGINT.

use std::process::ExitCode;

use crate::config::{self, Config, ServeArgs};
use crate::server::Server;

/// Serves until told to stop, then ends the sessions in order.
pub(super) async fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    config::check_environment(std::env::vars().map(|(name, _)| name))?;
    let config = Config::load(args)?;
    super::log::start(&config.log)?;
    let server = Server::start(config).await?;
    super::told_to_stop().await;
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}
