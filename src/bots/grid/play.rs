//! Has four bots live through one scene, and writes it down.
//!
//! In: a scene, a server, the run's number. Out: a [`Trial`], which says why where it could not be measured. Never: a judgement, a
//! second attempt, or bots that stay.

use std::time::Duration;

use futures_util::future::join_all;

use crate::media::MediaTime;

use super::super::bot::{Asks, Bot, BotSettings, Show, Speech};
use super::super::judge::{BotReport, Scrutiny};
use super::super::line::LineSettings;
use super::super::wall::Epoch;
use super::TrialError;
use super::cases::{BOTS, Scene};
use super::server::Process;
use super::trial::{BotGlance, Glance, Trial};

/// How often totals are looked at.
const GLANCE: Duration = Duration::from_millis(250);
/// Glances from one look at the server's counters to the next.
const GLANCES_A_SCRAPE: u32 = 4;
/// How long it may take until everybody sees everybody, on whatever line; DTLS alone takes many seconds where much is lost.
const PATIENCE: Duration = Duration::from_secs(40);

/// Plays a scene from the first join to the last leave.
pub(super) async fn play(scene: &Scene, server: &Process, run: usize, epoch: Epoch) -> Trial {
    let (mut bots, mut trial) = (Vec::new(), Trial::default());
    let stage = Stage { scene, server, room: format!("run{run}"), run, epoch };
    if let Err(error) = stage.live_through(&mut bots, &mut trial).await {
        let reports = bots.iter().map(Bot::report).collect();
        trial = Trial { reports, ..Trial::failed(&error) };
    }
    // A session that was lost cannot be left in order: that is a figure of its own.
    join_all(bots.into_iter().map(Bot::leave)).await;
    trial
}

/// Where bots meet.
struct Stage<'a> {
    scene: &'a Scene,
    server: &'a Process,
    room: String,
    run: usize,
    epoch: Epoch,
}

impl Stage<'_> {
    async fn live_through(&self, bots: &mut Vec<Bot>, trial: &mut Trial) -> Result<(), TrialError> {
        for (index, line) in self.scene.first.iter().enumerate() {
            let number = index as u16 + 1;
            let joined = Bot::join(self.settings(number, line.clone()), self.epoch).await;
            bots.push(joined.map_err(|source| TrialError::Join { number, source })?);
        }
        self.until_all_see_all(bots).await;
        wait_until(self.epoch, self.epoch.now() + self.scene.settle).await;
        self.measure(bots, trial).await
    }

    fn settings(&self, number: u16, line: LineSettings) -> BotSettings {
        let (width, height, fps) = self.scene.sends;
        BotSettings {
            url: self.server.url().into(),
            room: self.room.clone(),
            number,
            name: format!("Bot {number}"),
            width,
            height,
            fps,
            sends: Some((Show::Drawn, Speech::Tone)),
            scrutiny: Scrutiny::Full,
            asks: Asks { max_height: self.scene.max_height, ..Asks::default() },
            line: seeded(line, self.run, number),
        }
    }

    async fn until_all_see_all(&self, bots: &[Bot]) {
        let end = self.epoch.now() + PATIENCE;
        while self.epoch.now() < end && !all_see_all(&bots.iter().map(Bot::report).collect::<Vec<_>>()) {
            wait_until(self.epoch, self.epoch.now() + GLANCE).await;
        }
    }

    async fn measure(&self, bots: &[Bot], trial: &mut Trial) -> Result<(), TrialError> {
        let Self { scene, server, epoch, .. } = self;
        trial.before = server.metrics().await?;
        trial.people[0] = server.participants(&self.room).await?;
        for (index, bot) in bots.iter().enumerate() {
            bot.begin_measuring();
            if let Some(line) = scene.then.as_ref().and_then(|lines| lines.get(index)) {
                bot.lay(line.clone()).await;
            }
        }
        let begun = epoch.now();
        trial.begun = Some(epoch.wall(begun));
        self.watch(bots, begun, trial).await?;
        trial.after = server.metrics().await?;
        trial.people[1] = server.participants(&self.room).await?;
        trial.histories = bots.iter().map(Bot::history).collect();
        Ok(())
    }

    /// Looks at totals until the measurement ends.
    async fn watch(&self, bots: &[Bot], begun: MediaTime, trial: &mut Trial) -> Result<(), TrialError> {
        let end = begun + self.scene.lasts;
        for number in 1.. {
            let due = (begun + GLANCE * number).min(end);
            wait_until(self.epoch, due).await;
            trial.reports = bots.iter().map(Bot::report).collect();
            if trial.first.is_empty() && due.since(begun) >= Duration::from_secs(1) {
                trial.first.clone_from(&trial.reports);
            }
            let server = if u32::is_multiple_of(number, GLANCES_A_SCRAPE) { Some(self.server.metrics().await?) } else { None };
            trial.glances.push(Glance { at_s: due.since(begun).as_secs_f64(), server, bots: glances(&trial.reports) });
            if due == end {
                break;
            }
        }
        Ok(())
    }
}

/// Lines of one run, and of one bot in several runs, do not lose in step.
fn seeded(line: LineSettings, run: usize, number: u16) -> LineSettings {
    LineSettings { seed: line.seed.wrapping_add(run as u64 * u64::from(BOTS)).wrapping_add(number.into()), ..line }
}

/// Whether each of those whose session has not ended has seen each other one.
fn all_see_all(reports: &[BotReport]) -> bool {
    let there = || reports.iter().filter(|bot| bot.ended.is_none());
    there().all(|bot| there().all(|other| other.number == bot.number || bot.tiles.contains_key(&other.number)))
}

fn glances(reports: &[BotReport]) -> Vec<BotGlance> {
    reports.iter().map(BotGlance::of).collect()
}

async fn wait_until(epoch: Epoch, at: MediaTime) {
    tokio::time::sleep_until(epoch.clock().instant(at).into()).await;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::super::judge::TileReport;
    use super::super::cases::{Case, Form};
    use super::*;

    fn seeing(number: u16, others: &[u16]) -> BotReport {
        let tiles = others.iter().map(|other| (*other, TileReport::default())).collect();
        BotReport { number, tiles, ..BotReport::default() }
    }

    #[test]
    fn who_is_waited_for_is_everybody_whose_session_stands() {
        let mut reports = vec![seeing(1, &[2]), seeing(2, &[1, 3]), seeing(3, &[1, 2])];
        assert!(!all_see_all(&reports), "1 has not seen 3");
        reports[2].ended = Some("lost".into());
        assert!(all_see_all(&reports));
        assert!(!all_see_all(&[seeing(1, &[]), seeing(2, &[1])]));
    }

    #[test]
    fn no_two_bots_and_no_two_runs_have_the_same_chances() {
        let line = Case::Loss(5).scenes(Form::Whole)[0].first[0].clone();
        let seeds: BTreeSet<u64> = (0..3)
            .flat_map(|run| (1..=BOTS).map(move |number| (run, number)))
            .map(|(run, number)| seeded(line.clone(), run, number).seed)
            .collect();
        assert_eq!(seeds.len(), 3 * usize::from(BOTS));
    }
}
