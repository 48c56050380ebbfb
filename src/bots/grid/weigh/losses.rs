//! Figures of whole calls: lossy lines, and one slow viewer among others.

use super::super::super::judge::{BotReport, TileReport};
use super::super::table::Figure;
use super::super::trial::Trial;
use super::{is_odd, largest, least, mean, most, odd, sound};

/// What a loss in percent, each way, may do: freezes in percent, pictures a second, sound made up in percent.
const BOUNDS: [(u8, f64, f64, f64); 3] = [(5, 1.0, 28.0, 1.0), (10, 3.0, 25.0, 2.5), (20, 10.0, 15.0, 7.0)];
/// At any larger loss only this holds.
const MADE_UP_AT_MOST: f64 = 12.0;
/// Seconds that keyframes are counted over, so that two at once are no storm.
const STORM_S: usize = 5;

/// Both ways of every line lose.
pub(super) fn loss(percent: u8, trial: &Trial) -> Vec<Figure> {
    let mut figures = Vec::new();
    let bounds = BOUNDS.iter().find(|(loss, ..)| *loss == percent);
    if let Some(&(_, frozen, fps, _)) = bounds {
        figures.push(most("pictures frozen", "%", frozen, mean(trial.reports.iter().map(frozen_percent))));
        figures.push(most("others' tiles frozen", "%", frozen, mean(others(trial).map(|(bot, tile)| tile_frozen_percent(bot, tile)))));
        figures.push(least("pictures a second", "", fps, mean(trial.reports.iter().map(|bot| bot.pictures.fps))));
        figures.push(least("others' tiles, newer pictures a second", "", fps, mean(others(trial).map(|(_, tile)| tile.fps))));
    }
    let made_up = bounds.map_or(MADE_UP_AT_MOST, |bounds| bounds.3);
    figures.push(most("sound made up after FEC, end to end", "%", made_up, sound::made_up_percent(trial)));
    figures.extend(recovery(trial));
    figures
}

/// Retransmissions and keyframes that the server asked its senders for.
fn recovery(trial: &Trial) -> [Figure; 2] {
    let lost: u64 = trial.reports.iter().map(|bot| bot.line.up.pictures_gone()).sum();
    let heard_of: u64 = trial.reports.iter().map(|bot| bot.line.up.asked_again).sum();
    // Requests are lost as well: what the server says that it asked is the larger number.
    let asked = trial.after.grown(&trial.before, "medley_retransmissions_requested_total").unwrap_or(heard_of as f64);
    let asked = asked.max(heard_of as f64);
    [
        most("packets asked for again, for each one lost", "", 1.5, (lost > 0).then(|| asked / lost as f64)),
        most("keyframes asked of a sender a second", "", 2.0, keyframes_a_second(trial)),
    ]
}

/// The most that any sender was asked for over five seconds, per second.
fn keyframes_a_second(trial: &Trial) -> Option<f64> {
    let asked = |at: f64, bot: usize| trial.glance(at).and_then(|glance| glance.bots.get(bot)).map_or(0, |bot| bot.keyframes_asked);
    let ends = trial.glances.last()?.at_s;
    let windows = (0..=(ends as usize).saturating_sub(STORM_S)).map(|from| (from as f64, (from + STORM_S) as f64));
    let rates = windows.flat_map(|(from, to)| {
        (0..trial.reports.len()).map(move |bot| (asked(to, bot) - asked(from, bot).min(asked(to, bot))) as f64 / STORM_S as f64)
    });
    largest(rates)
}

/// One receives 300 kb/s.
pub(super) fn slow_viewer(without: &Trial, with: &Trial) -> Vec<Figure> {
    let slow = odd(with);
    let others = |trial: &Trial, figure: fn(&BotReport) -> f64| mean(trial.reports.iter().filter(|bot| !is_odd(bot.number)).map(figure));
    let change_percent = |figure: fn(&BotReport) -> f64| {
        let (before, after) = (others(without, figure)?, others(with, figure)?);
        (before > 0.0).then(|| 100.0 * (after - before).abs() / before)
    };
    let keyframes = |bot: &BotReport| bot.pictures.keyframes as f64;
    let more_keyframes = others(with, keyframes).zip(others(without, keyframes)).map(|(with, without)| with - without);
    vec![
        least("slow: pictures a second", "", 14.0, slow.map(|bot| bot.pictures.fps)),
        most("slow: longest gap between pictures", "ms", 1000.0, slow.map(|bot| bot.pictures.standstills.longest_gap_ms)),
        most("slow: height of its pictures", "px", 180.0, slow.map(|bot| f64::from(bot.pictures.height))),
        most("others: pictures a second, change", "%", 3.0, change_percent(|bot| bot.pictures.fps)),
        most("others: bitrate, change", "%", 10.0, change_percent(|bot| bot.pictures.bytes as f64 / bot.measured_s.max(1.0))),
        most("others: keyframes more in 15 s", "", 1.0, more_keyframes),
    ]
}

/// Each bot with each other one's tile.
fn others(trial: &Trial) -> impl Iterator<Item = (&BotReport, &TileReport)> {
    trial.reports.iter().flat_map(|bot| bot.tiles.iter().filter(|(number, _)| **number != bot.number).map(move |(_, tile)| (bot, tile)))
}

fn frozen_percent(bot: &BotReport) -> f64 {
    bot.pictures.standstills.frozen_ms / 10.0 / bot.measured_s.max(0.001)
}

fn tile_frozen_percent(bot: &BotReport, tile: &TileReport) -> f64 {
    tile.standstills.frozen_ms / 10.0 / bot.measured_s.max(0.001)
}

#[cfg(test)]
mod tests {
    use super::super::super::trial::{BotGlance, Glance};
    use super::super::value;
    use super::*;

    fn bots(fps: f64) -> Vec<BotReport> {
        let bot = |number| {
            let mut bot = BotReport { number, measured_s: 20.0, ..BotReport::default() };
            bot.pictures.fps = fps;
            bot.pictures.standstills.frozen_ms = 200.0;
            bot.line.up.pictures.lost = 100;
            bot
        };
        (1..=4).map(bot).collect()
    }

    #[test]
    fn a_lossy_calls_figures_are_means_over_the_bots() {
        let mut trial = Trial { reports: bots(29.0), ..Trial::default() };
        trial.reports[3].pictures.fps = 25.0;
        trial.reports[0].line.up.asked_again = 480;
        let figures = loss(5, &trial);
        assert_eq!(value(&figures, "pictures frozen"), Some(1.0));
        assert_eq!(value(&figures, "pictures a second"), Some(28.0));
        assert_eq!(value(&figures, "packets asked for again, for each one lost"), Some(1.2));
        assert_eq!(value(&figures, "others' tiles frozen"), None, "nobody saw anybody");
        assert!(loss(30, &trial).iter().all(|figure| !figure.what.contains("frozen")));
    }

    #[test]
    fn a_storm_of_keyframes_is_found_wherever_it_blows() {
        let glance = |second: u64| {
            let calm = BotGlance { keyframes_asked: second / 4, ..BotGlance::default() };
            let stormy = BotGlance { keyframes_asked: second.clamp(7, 12) * 4, ..BotGlance::default() };
            Glance { at_s: second as f64, server: None, bots: vec![calm, stormy] }
        };
        let trial = Trial { reports: bots(30.0)[..2].to_vec(), glances: (0..20).map(glance).collect(), ..Trial::default() };
        assert_eq!(keyframes_a_second(&trial), Some(4.0));
    }

    #[test]
    fn a_slow_viewer_is_judged_by_itself_and_the_others_by_how_they_were() {
        let without = Trial { reports: bots(30.0), ..Trial::default() };
        let mut with = without.clone();
        (with.reports[0].pictures.fps, with.reports[0].pictures.height) = (14.5, 180);
        with.reports[1].pictures.fps = 24.0;
        let figures = slow_viewer(&without, &with);
        assert_eq!(value(&figures, "slow: pictures a second"), Some(14.5));
        let change = value(&figures, "others: pictures a second, change").unwrap();
        assert!((change - 100.0 * 2.0 / 30.0).abs() < 1e-9, "{change}");
    }
}
