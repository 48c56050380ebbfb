//! `medley render`: a call made again, from files into a film.

mod images;
mod progress;
mod room;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::ensure;
use clap::Args;

use crate::compositor::{Choice, Fonts};
use crate::render::{self, Call, EVENTS, Made, Plan, sound_beside};
use progress::ProgressLine;
use room::RoomArgs;

/// What a shell says of a process that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Make a call again from files, without a server: another layout, another size, the same bytes each time.
#[derive(Args, Debug)]
pub(super) struct RenderArgs {
    /// A recording of each person by themselves (its folder), or a file for each person: .h264, MP4, WAV or Ogg/Opus
    #[arg(required = true, value_name = "FOLDER|[NAME=]FILE")]
    inputs: Vec<String>,
    /// The film: .mp4, or .h264 with its sound beside it as .opus
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    room: RoomArgs,
    /// Bits a second of the pictures; without it, 2.5 Mb/s for 720p30 and for others by their pixels
    #[arg(long, value_name = "BPS", value_parser = clap::value_parser!(u32).range(20_000..=20_000_000))]
    bitrate: Option<u32>,
    /// What happens besides, as in a recording's events.jsonl: {"at_ms": 2000, "event": "muted", "participant": "p1", "detail": {"muted": true}}
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// What composites; only the CPU draws the same bytes on every machine
    #[arg(long, value_enum, default_value_t = Choice::Cpu)]
    compositor: Choice,
}

/// Renders to the end, or to Ctrl-C.
pub(super) async fn run(args: RenderArgs) -> anyhow::Result<ExitCode> {
    let told = Arc::<AtomicBool>::default();
    let teller = told.clone();
    tokio::spawn(async move {
        super::told_to_stop().await;
        teller.store(true, Ordering::Relaxed);
    });
    let work = move || args.render(&told);
    let (out, made) = tokio::task::spawn_blocking(work).await??;
    for damage in &made.damage {
        eprintln!("medley: {damage}");
    }
    if made.stopped {
        eprintln!("medley: stopped; {} holds the first {:.1} s", out.display(), made.length.as_secs_f64());
        return Ok(ExitCode::from(INTERRUPTED));
    }
    Ok(ExitCode::SUCCESS)
}

impl RenderArgs {
    fn render(self, told_to_stop: &AtomicBool) -> anyhow::Result<(PathBuf, Made)> {
        let mut call = self.open()?;
        if self.room.has_layout() {
            call.forget_layouts();
        }
        if let Some(events) = &self.events {
            call.add_events(events)?;
        }
        let reads: Vec<_> = call.reads().iter().chain(self.room.image_files()).cloned().collect();
        self.check_out(&reads)?;
        let mut images = self.room.read_images()?;
        let room = self.room.settings(call.settings(), call.templates(), &mut images)?;
        call.settle(|settings, templates| self.room.settings(Some(settings), templates, &mut images))?;
        images.unnamed().for_each(|name| eprintln!("medley: --image {name}: the call shows no image of that name"));
        let canvas = room.views[&crate::media::ViewName::main()].canvas;
        let bitrate_bps = self.bitrate.unwrap_or_else(|| room::usual_bitrate(canvas));
        let plan = Plan { room, bitrate_bps, compositor: self.compositor, fonts: Fonts::embedded() };
        let mut line = ProgressLine::begin();
        let made = render::render(call, &plan, &self.out, &mut |progress| {
            line.tell(progress);
            if told_to_stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        line.end();
        Ok((self.out, made?))
    }

    fn open(&self) -> anyhow::Result<Call> {
        let folder = self.inputs.iter().find(|input| Path::new(input).is_dir());
        let Some(folder) = folder else {
            let files: Vec<_> = self.inputs.iter().map(|input| named(input)).collect();
            return Ok(Call::of_files(&files)?);
        };
        ensure!(self.inputs.len() == 1, "{folder} is a folder: a recording is rendered alone, without other files");
        let events = Path::new(folder).join(EVENTS);
        ensure!(events.is_file(), "{folder} is no recording of each person by themselves: there is no {EVENTS} in it");
        Ok(Call::recorded(Path::new(folder))?)
    }

    /// No film is written over what it is made of.
    fn check_out(&self, reads: &[PathBuf]) -> anyhow::Result<()> {
        let place = |path: &Path| path.canonicalize().ok();
        for out in std::iter::once(self.out.clone()).chain(sound_beside(&self.out)) {
            let is_read = place(&out).is_some_and(|out| reads.iter().any(|read| place(read).as_ref() == Some(&out)));
            ensure!(!is_read, "--out: {} is one of the files to be rendered; choose another name", out.display());
        }
        let folder = self.out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        ensure!(folder.is_dir(), "--out: there is no folder {}", folder.display());
        Ok(())
    }
}

/// `NAME=FILE`, or a file whose name is the person's.
fn named(input: &str) -> (String, PathBuf) {
    let path = PathBuf::from(input);
    match input.split_once('=') {
        Some((name, file)) if !name.is_empty() && !path.exists() => (name.into(), file.into()),
        _ => (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_by_its_name_or_as_it_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("a=b.wav");
        std::fs::write(&odd, []).unwrap();
        let odd = odd.to_str().unwrap();
        let called = |input: &str| named(input).0;
        assert_eq!([called("calls/Ada.mp4"), called("Bob=x/y=z.wav"), called("=x.wav"), called(odd)], ["Ada", "Bob", "=x", "a=b"]);
        assert_eq!(named("Bob=x/y=z.wav").1, Path::new("x/y=z.wav"));
    }
}
