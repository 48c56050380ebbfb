//! `medley bots`: real participants, and their judgement of what comes back.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::line::LineArgs;
use crate::bots::picture::Sketch;
use crate::bots::{self, Asks, BotsOptions, Report};
use crate::config::LogConfig;

/// Join a room as real WebRTC participants and judge what comes back.
#[derive(Args, Debug)]
pub(super) struct BotsArgs {
    /// The server
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The room
    #[arg(long, default_value = "demo")]
    room: String,
    /// How many join
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=200))]
    count: u64,
    /// For how long; without it, until stopped
    #[arg(long)]
    seconds: Option<u64>,
    /// How many of them talk, the first ones; without it, all
    #[arg(long)]
    talkers: Option<usize>,
    /// How many of them decode and judge every picture; the others count packets
    #[arg(long, default_value_t = 4)]
    judges: usize,
    /// The number that the first one shows; the next have the next
    #[arg(long, default_value_t = 1)]
    first_number: usize,
    /// They only watch
    #[arg(long)]
    view_only: bool,
    /// H.264 (Annex B) that they send, over and over, in place of their own picture
    #[arg(long, value_name = "FILE.h264")]
    video: Option<PathBuf>,
    /// Sound that they send, over and over, in place of their own tone
    #[arg(long, value_name = "FILE.wav")]
    audio: Option<PathBuf>,
    /// Width of the picture they send, in pixels
    #[arg(long, default_value_t = 640)]
    width: u32,
    /// Height of the picture they send, in pixels
    #[arg(long, default_value_t = 360)]
    height: u32,
    /// Pictures they send a second
    #[arg(long, default_value_t = 30)]
    fps: u32,
    /// The view they ask for; without it, the room's main one
    #[arg(long)]
    view: Option<String>,
    /// Their pictures are a screen's and not a camera's
    #[arg(long)]
    screen: bool,
    /// The tallest picture they take, in pixels
    #[arg(long)]
    max_height: Option<u32>,
    /// The most pictures a second they take
    #[arg(long)]
    max_fps: Option<u32>,
    #[command(flatten)]
    line: LineArgs,
    /// Nobody joins: judge this recording of a call of bots, who is seen and heard in it from when to when; of the other options only
    /// --width, --height and --json count
    #[arg(long, value_name = "FILE.mp4")]
    judge: Option<PathBuf>,
    /// A report of each so many seconds, as one line of JSON
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    every: Option<Duration>,
    /// The report as JSON on standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    grid: super::grid::GridArgs,
}

/// Runs the bots; fails where one could not join or was cut off.
pub(super) async fn run(args: BotsArgs) -> anyhow::Result<ExitCode> {
    super::log::start(&LogConfig { filter: "warn,webrtc=error,rtc=error,str0m=error".into(), ..LogConfig::default() })?;
    let json = args.json;
    if args.grid.grid {
        return super::grid::run(args.grid, json).await;
    }
    if let Some(film) = args.judge {
        let sent = Sketch::of(args.width, args.height);
        tokio::task::spawn_blocking(move || super::judge::run(&film, sent, json)).await??;
        return Ok(ExitCode::SUCCESS);
    }
    let told = args.every.is_some();
    let options = args.options().map_err(anyhow::Error::msg)?;
    let report = bots::run_telling(options, super::told_to_stop(), tell).await?;
    if told {
        tell(&report);
    } else if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{report}");
    }
    let all_stayed = report.bots.iter().all(|bot| bot.ended.is_none());
    Ok(if all_stayed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "use a number of seconds".to_owned())?;
    let fits = (0.1..=3600.0).contains(&seconds);
    if fits { Ok(Duration::from_secs_f64(seconds)) } else { Err("use 0.1 to 3600 seconds".into()) }
}

/// One line for a script to read.
fn tell(report: &Report) {
    println!("{}", serde_json::to_string(report).expect("a report of numbers and texts is JSON"));
}

impl BotsArgs {
    fn options(self) -> Result<BotsOptions, String> {
        Ok(BotsOptions {
            url: self.url,
            room: self.room,
            count: self.count as usize,
            seconds: self.seconds,
            talkers: self.talkers,
            judges: self.judges,
            first_number: self.first_number,
            view_only: self.view_only,
            video: self.video,
            audio: self.audio,
            width: self.width,
            height: self.height,
            fps: self.fps,
            asks: Asks { view: self.view, screen: self.screen, max_height: self.max_height, max_fps: self.max_fps },
            line: self.line.settings()?,
            impaired: self.line.impaired(),
            every: self.every,
            ..BotsOptions::default()
        })
    }
}
