//! `medley demo`: a server in development mode with bots in a room, and the address to open.

use std::process::ExitCode;

use clap::Args;

use crate::bots::{self, BotsOptions};
use crate::config::{Config, ServeArgs};
use crate::server::Server;

/// Run a server with bots in a room, to look at.
#[derive(Args, Debug)]
pub(super) struct DemoArgs {
    /// How many bots are in the room
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=50))]
    bots: u64,
    /// Their room
    #[arg(long, default_value = "demo")]
    room: String,
    #[command(flatten)]
    serve: ServeArgs,
}

/// Serves and keeps the bots in their room until told to stop.
pub(super) async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let quiet = args.serve.log.is_none().then(|| "warn,webrtc=error,rtc=error,str0m=error".to_owned());
    let config = Config::load(ServeArgs { dev: true, log: quiet.or(args.serve.log), ..args.serve })?;
    super::log::start(&config.log)?;
    let server = Server::start(config).await?;
    println!("Medley is at        {}", server.url());
    println!("Join the room       {}/r/{}", server.url(), args.room);
    println!("Only watch it       {}/watch/{}", server.url(), args.room);
    println!("Arrange it          {}/admin", server.url());
    println!("A picture of it     curl -o s.png {}/v1/rooms/{}/snapshot.png", server.url(), args.room);
    println!("Ctrl-C ends it.");
    let options = BotsOptions { url: server.url(), room: args.room, count: args.bots as usize, judges: 0, ..BotsOptions::default() };
    if options.count == 0 {
        super::told_to_stop().await;
    } else {
        bots::run(options, super::told_to_stop()).await?;
    }
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}
