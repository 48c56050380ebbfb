//! The options of `medley bots` that make its line bad.
//!
//! In: a profile's name and single figures, which stand over it. Out: [`LineSettings`], checked.

use std::time::Duration;

use clap::Args;

use crate::bots::line::{Blackout, Jitter, LineSettings, Loss, Move, Order, Profile, Rate, Relocation, Reordering, Way};

/// A bad line, both ways alike but for a profile's own differences.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Their line")]
pub(super) struct LineArgs {
    /// A line by name; the options below stand over its figures
    #[arg(long, value_enum)]
    profile: Option<Profile>,
    /// How many of them have this line, the first ones; without it, all
    #[arg(long, value_name = "COUNT")]
    impaired: Option<usize>,
    /// Datagrams lost each way, in per cent
    #[arg(long, value_name = "PERCENT")]
    loss: Option<f64>,
    /// Mean length of a burst of losses, in datagrams; without it, each is lost by itself
    #[arg(long, value_name = "DATAGRAMS", requires = "loss")]
    burst: Option<f64>,
    /// Delay each way, in milliseconds
    #[arg(long, value_name = "MS")]
    delay: Option<u64>,
    /// Delays differ by ± this, in milliseconds
    #[arg(long, value_name = "MS")]
    jitter: Option<u64>,
    /// Datagrams overtake each other by that jitter
    #[arg(long, requires = "jitter")]
    unordered: bool,
    /// Datagrams that are held back for 20 ms, so that others overtake them, in per cent
    #[arg(long, value_name = "PERCENT")]
    reorder: Option<f64>,
    /// Datagrams that arrive twice, in per cent
    #[arg(long, value_name = "PERCENT")]
    duplicate: Option<f64>,
    /// What passes each way, in kilobits a second; 300 ms wait before it
    #[arg(long, value_name = "KBPS")]
    rate: Option<u64>,
    /// Nothing passes from AT on for so long, in seconds after a bot has connected; may be given more than once
    #[arg(long, value_name = "AT,SECONDS", value_parser = blackout)]
    blackout: Vec<Blackout>,
    /// A NAT gives them another port, in seconds after they have connected; may be given more than once
    #[arg(long, value_name = "AT", value_parser = seconds)]
    rebind: Vec<Duration>,
    /// They change networks, with an ICE restart, in seconds after they have connected; may be given more than once
    #[arg(long, value_name = "AT", value_parser = seconds)]
    roam: Vec<Duration>,
    /// Their clocks run fast by that many millionths; below zero, slow
    #[arg(long, value_name = "PPM", allow_negative_numbers = true)]
    drift_ppm: Option<f64>,
    /// Another one gives another line of the same kind
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl LineArgs {
    /// How many bots have this line.
    pub(super) fn impaired(&self) -> Option<usize> {
        self.impaired
    }

    /// The line.
    ///
    /// # Errors
    /// With the figure that is out of range.
    pub(super) fn settings(&self) -> Result<LineSettings, String> {
        let mut line = self.profile.map(Profile::settings).unwrap_or_default();
        for schedule in [&mut line.up, &mut line.down] {
            let ways = std::iter::once(&mut schedule.first).chain(schedule.then.iter_mut().map(|change| &mut change.way));
            ways.for_each(|way| self.alter(way));
            schedule.blackouts.extend(&self.blackout);
        }
        line.moves = [(&self.rebind, Move::Rebind), (&self.roam, Move::Restart)]
            .into_iter()
            .flat_map(|(times, kind)| times.iter().map(move |&at| Relocation { at, kind }))
            .collect();
        line.moves.sort_by_key(|relocation| relocation.at);
        line.drift_ppm = self.drift_ppm.unwrap_or(0.0);
        line.seed = self.seed;
        line.check().map(|()| line)
    }

    fn alter(&self, way: &mut Way) {
        if let Some(percent) = self.loss {
            let share = percent / 100.0;
            way.loss = self.burst.map_or(Loss::Random(share), |mean| Loss::Bursts { share, mean });
        }
        if let Some(delay) = self.delay {
            way.delay = Duration::from_millis(delay);
        }
        if let Some(spread) = self.jitter {
            let order = if self.unordered { Order::Free } else { Order::Kept };
            // In order, each datagram's own delay would be its slowest neighbour's.
            let period = if self.unordered { Duration::ZERO } else { Duration::from_millis(100) };
            way.jitter = Jitter { spread: Duration::from_millis(spread), period, order, ..Jitter::default() };
        }
        if let Some(percent) = self.reorder {
            way.reordering = Reordering { share: percent / 100.0, by: Duration::from_millis(20) };
        }
        if let Some(percent) = self.duplicate {
            way.duplicated = percent / 100.0;
        }
        if let Some(kbps) = self.rate {
            way.rate = Some(Rate::of(kbps.saturating_mul(1000)));
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.trim().parse().map_err(|_| "use a number of seconds".to_owned())?;
    let fits = (0.0..=86_400.0).contains(&seconds);
    if fits { Ok(Duration::from_secs_f64(seconds)) } else { Err("use 0 to 86400 seconds".into()) }
}

fn blackout(text: &str) -> Result<Blackout, String> {
    let (at, lasts) = text.split_once(',').ok_or("write when it begins and how long it lasts, such as 15,2")?;
    Ok(Blackout { at: seconds(at)?, lasts: seconds(lasts)? })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        line: LineArgs,
    }

    fn line(options: &str) -> Result<LineSettings, String> {
        let parsed = Line::try_parse_from(std::iter::once("bots").chain(options.split_whitespace()));
        parsed.map_err(|error| error.to_string())?.line.settings()
    }

    #[test]
    fn without_options_the_line_is_perfect() {
        assert!(line("").unwrap().is_perfect());
    }

    #[test]
    fn single_figures_stand_over_a_profiles() {
        let line = line("--profile satellite --loss 10 --burst 3 --drift-ppm -200 --seed 7 --blackout 15,2 --roam 9 --rebind 4.5").unwrap();
        let satellite = Profile::Satellite.settings();
        assert_eq!(line.up.first.loss, Loss::Bursts { share: 0.1, mean: 3.0 });
        assert_eq!((line.down.first.delay, line.down.first.rate), (satellite.down.first.delay, satellite.down.first.rate));
        assert_eq!((line.drift_ppm, line.seed, line.up.blackouts.len()), (-200.0, 7, 1));
        assert_eq!(line.moves.iter().map(|relocation| relocation.kind).collect::<Vec<_>>(), [Move::Rebind, Move::Restart]);
    }

    #[test]
    fn figures_out_of_range_are_named() {
        for (options, word) in [
            ("--loss 101", "share"),
            ("--drift-ppm 1e6", "drift"),
            ("--blackout 3", "15,2"),
            ("--rebind=-1", "rebind"),
            ("--profile moon", "satellite"),
            ("--rate 0", "rate"),
            ("--loss 10 --burst 0.5", "burst"),
        ] {
            let error = line(options).unwrap_err();
            assert!(error.contains(word), "{options}: {error}");
        }
    }
}
