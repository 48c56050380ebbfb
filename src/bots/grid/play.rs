//! Has four bots live through one scene, and writes it down.
//!
//! In: a scene, a server, a room. Out: a [`Trial`]. Never: a judgement, or bots that stay.

use std::time::Duration;

use futures_util::future::join_all;

use crate::media::MediaTime;

use super::super::bot::{Asks, Bot, BotSettings, Show, Speech};
use super::super::judge::{BotReport, Scrutiny};
use super::super::line::LineSettings;
use super::super::wall::Epoch;
use super::GridError;
use super::cases::{Case, Scene};
use super::server::Process;
use super::trial::{BotGlance, Glance, Trial};

/// How often totals are looked at.
const GLANCE: Duration = Duration::from_millis(250);
/// Glances from one look at the server's counters to the next.
const GLANCES_A_SCRAPE: u32 = 4;
/// How long a session may take until it stands and shows something, on whatever line; later it counts as lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// Plays a scene from the first join to the last leave.
pub(super) async fn play(case: Case, scene: &Scene, server: &Process, room: &str, epoch: Epoch) -> Result<Trial, GridError> {
    let mut bots = Vec::new();
    for (index, line) in scene.first.iter().enumerate() {
        let number = index as u16 + 1;
        let joined = Bot::join(settings(scene, number, line.clone(), server, room), epoch).await;
        bots.push(joined.map_err(|source| GridError::Join { number, case, source })?);
    }
    until_all_see(&bots, epoch).await;
    wait_until(epoch, epoch.now() + scene.settle).await;
    let trial = measure(scene, server, room, epoch, &bots).await;
    // A session that was lost cannot be left in order: that is a figure of its own.
    join_all(bots.into_iter().map(Bot::leave)).await;
    trial
}

fn settings(scene: &Scene, number: u16, line: LineSettings, server: &Process, room: &str) -> BotSettings {
    let (width, height, fps) = scene.sends;
    BotSettings {
        url: server.url().into(),
        room: room.into(),
        number,
        name: name(number),
        width,
        height,
        fps,
        sends: Some((Show::Drawn, Speech::Tone)),
        scrutiny: Scrutiny::Full,
        asks: Asks { max_height: scene.max_height, ..Asks::default() },
        line,
    }
}

fn name(number: u16) -> String {
    format!("Bot {number}")
}

async fn until_all_see(bots: &[Bot], epoch: Epoch) {
    let end = epoch.now() + PATIENCE;
    let sees = |bot: &Bot| bot.report().first_frame_ms.is_some();
    while epoch.now() < end && !bots.iter().all(sees) {
        wait_until(epoch, epoch.now() + GLANCE).await;
    }
}

async fn measure(scene: &Scene, server: &Process, room: &str, epoch: Epoch, bots: &[Bot]) -> Result<Trial, GridError> {
    let mut trial = Trial { before: server.metrics().await?, ..Trial::default() };
    trial.people[0] = server.participants(room).await?;
    for (index, bot) in bots.iter().enumerate() {
        bot.begin_measuring();
        if let Some(line) = scene.then.as_ref().and_then(|lines| lines.get(index)) {
            bot.lay(line.clone()).await;
        }
    }
    let begun = epoch.now();
    trial.begun = Some(epoch.wall(begun));
    let end = begun + scene.lasts;
    for number in 1.. {
        let due = (begun + GLANCE * number).min(end);
        wait_until(epoch, due).await;
        trial.reports = bots.iter().map(Bot::report).collect();
        if trial.first.is_empty() && due.since(begun) >= Duration::from_secs(1) {
            trial.first.clone_from(&trial.reports);
        }
        let server = if u32::is_multiple_of(number, GLANCES_A_SCRAPE) { Some(server.metrics().await?) } else { None };
        trial.glances.push(Glance { at_s: due.since(begun).as_secs_f64(), server, bots: glances(&trial.reports) });
        if due == end {
            break;
        }
    }
    trial.after = server.metrics().await?;
    trial.people[1] = server.participants(room).await?;
    trial.histories = bots.iter().map(Bot::history).collect();
    Ok(trial)
}

fn glances(reports: &[BotReport]) -> Vec<BotGlance> {
    reports.iter().map(BotGlance::of).collect()
}

async fn wait_until(epoch: Epoch, at: MediaTime) {
    tokio::time::sleep_until(epoch.clock().instant(at).into()).await;
}
