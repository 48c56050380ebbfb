//! Figures of sound: what was made up, how late it is, and whether it slipped.

use super::super::super::judge::{BotReport, DelayAt};
use super::super::cases::{CALM_AT, CALM_WITHIN};
use super::super::metrics::Metrics;
use super::super::table::Figure;
use super::super::trial::{BotGlance, Trial};
use super::{largest, median, most};

const BLOCKS_MADE_UP: &str = "medley_blocks_concealed_total";
/// Sound is given so long to find its jitter.
const FOUND_S: f64 = 5.0;
/// Delays are weighed by the medians of so many seconds: one late thread is no drift.
const STEADY_S: f64 = 10.0;

/// What a listener hears that nobody said, in percent: made up by the server for what was lost on the way to it, and by the
/// listener for what was lost on the way from it.
pub(super) fn made_up_percent(trial: &Trial) -> Option<f64> {
    let sent: u64 = trial.reports.iter().map(|bot| bot.sent.sounds).sum();
    let up = share_made_up(&trial.before, &trial.after, sent)?;
    let down = |bot: &BotReport| part(bot.sound.concealed_ms, bot.sound.heard_ms);
    let down = trial.reports.iter().map(down).sum::<Option<f64>>()? / trial.reports.len().max(1) as f64;
    Some(end_to_end_percent(up, down))
}

/// The same, between two moments of the measurement, in seconds.
pub(super) fn made_up_percent_between(trial: &Trial, from_s: f64, to_s: f64) -> Option<f64> {
    let scraped = |at_s: f64| trial.glances.iter().rev().find(|glance| glance.at_s <= at_s && glance.server.is_some());
    let (from, to) = (scraped(from_s)?, scraped(to_s)?);
    let grown = |figure: fn(&BotGlance) -> f64| {
        let sum = |bots: &[BotGlance]| bots.iter().map(figure).sum::<f64>();
        sum(&to.bots) - sum(&from.bots)
    };
    let up = share_made_up(from.server.as_ref()?, to.server.as_ref()?, grown(|bot| bot.sounds_sent as f64) as u64)?;
    Some(end_to_end_percent(up, part(grown(|bot| bot.concealed_ms), grown(|bot| bot.heard_ms))?))
}

/// The part of `blocks` that the server made up.
pub(super) fn share_made_up(before: &Metrics, after: &Metrics, blocks: u64) -> Option<f64> {
    part(after.grown(before, BLOCKS_MADE_UP)?, blocks as f64)
}

/// Of what is played, the made up is a part; what was waited for is played beside it.
pub(super) fn part(made_up: f64, played: f64) -> Option<f64> {
    (played > 0.0).then(|| (made_up / played).min(1.0))
}

pub(super) fn end_to_end_percent(up: f64, down: f64) -> f64 {
    100.0 * (1.0 - (1.0 - up) * (1.0 - down))
}

/// Rough for a while, then calm.
pub(super) fn jitter(trial: &Trial) -> Vec<Figure> {
    let made_up = made_up_percent_between(trial, FOUND_S, CALM_AT as f64);
    let calm_again = trial.moment(CALM_AT + CALM_WITHIN);
    let late = pairs(trial).map(|delays| median(delays.iter().filter(|delay| delay.at >= calm_again).map(|delay| delay.ms).collect()));
    // A tone of which nothing was heard is not in time.
    let latest = late.collect::<Option<Vec<f64>>>().and_then(|late| largest(late.into_iter()));
    vec![
        most("sound made up, from 5 s of jitter on", "%", 3.0, made_up),
        most("sound's delay 30 s after it, the latest tone", "ms", 100.0, latest),
    ]
}

/// Clocks that are too fast and too slow.
pub(super) fn drift(trial: &Trial) -> Vec<Figure> {
    let others = |bot: &BotReport| {
        let own = bot.number;
        bot.tones.iter().filter(move |(number, _)| **number != own).map(|(_, tone)| tone.slips as f64).collect::<Vec<_>>()
    };
    let slips = largest(trial.reports.iter().flat_map(others));
    let strayed = largest(pairs(trial).filter_map(strayed_ms));
    let made_up = made_up_percent(trial);
    vec![
        most("slips of a tone, of the worst", "", 0.0, slips),
        most("delay away from its median, of the worst tone", "ms", 20.0, strayed),
        most("sound made up", "%", 0.1, made_up),
    ]
}

/// Each listener's delays of each other's tone. A broken sound has traces of tones that nobody plays.
fn pairs(trial: &Trial) -> impl Iterator<Item = &[DelayAt]> {
    let plays = |number: u16| trial.reports.iter().any(|bot| bot.number == number);
    let both = trial.reports.iter().zip(&trial.histories);
    both.flat_map(move |(bot, history)| {
        let of_others = history.delays.iter().filter(move |(number, _)| **number != bot.number && plays(**number));
        of_others.map(|(_, delays)| &delays[..])
    })
}

/// How far the delay of a few seconds came from that of all.
fn strayed_ms(delays: &[DelayAt]) -> Option<f64> {
    let begun = delays.first()?.at;
    let usual = median(delays.iter().map(|delay| delay.ms).collect())?;
    let of = |delay: &DelayAt| (delay.at.ms_since(begun) / 1000.0 / STEADY_S) as u64;
    let spells = delays.chunk_by(|a, b| of(a) == of(b)).filter(|spell| spell.len() >= 3);
    largest(spells.filter_map(|spell| Some((median(spell.iter().map(|delay| delay.ms).collect())? - usual).abs())))
}

#[cfg(test)]
mod tests {
    use super::super::super::super::judge::History;
    use super::super::super::super::wall::Wall;
    use super::super::super::trial::Glance;
    use super::super::value;
    use super::*;

    const BEGUN_US: u64 = 1_700_000_000_000_000;

    fn counted(blocks: u64) -> Metrics {
        Metrics::read(&format!("{BLOCKS_MADE_UP} {blocks}\n"))
    }

    fn two_bots() -> Vec<BotReport> {
        [1, 2].map(|number| BotReport { number, ..BotReport::default() }).into()
    }

    #[test]
    fn what_is_made_up_on_both_ways_adds_up_as_chances_do() {
        let mut trial = Trial { before: counted(7), after: counted(107), reports: two_bots(), ..Trial::default() };
        for bot in &mut trial.reports {
            bot.sent.sounds = 500;
            (bot.sound.heard_ms, bot.sound.concealed_ms) = (10_000.0, 2000.0);
        }
        let percent = made_up_percent(&trial).unwrap();
        assert!((percent - 28.0).abs() < 1e-9, "{percent}");
        trial.after = Metrics::default();
        assert_eq!(made_up_percent(&trial), None, "the server does not tell");
    }

    #[test]
    fn only_the_time_that_is_asked_for_counts() {
        let glance = |second: u64| {
            let made_up = second.min(5);
            let bot = BotGlance {
                sounds_sent: 50 * second,
                heard_ms: 1000.0 * second as f64,
                concealed_ms: 500.0 * made_up as f64,
                ..BotGlance::default()
            };
            Glance { at_s: second as f64, server: Some(counted(10 * made_up)), bots: vec![bot] }
        };
        let trial = Trial { glances: (0..=20).map(glance).collect(), ..Trial::default() };
        assert_eq!(made_up_percent_between(&trial, 5.0, 20.0), Some(0.0));
        assert_eq!(made_up_percent_between(&trial, 0.0, 5.0), Some(60.0));
    }

    /// A trial in which bot 2's tone comes to bot 1 so late at each second.
    fn delayed(delay_ms: impl Fn(u64) -> f64, seconds: u64) -> Trial {
        let at = |second: u64| Wall::from_micros(BEGUN_US + second * 1_000_000);
        let delays = (0..seconds).map(|second| DelayAt { at: at(second), ms: delay_ms(second) }).collect();
        let history = History { delays: [(2, delays)].into(), ..History::default() };
        Trial { begun: Some(at(0)), reports: two_bots(), histories: vec![history, History::default()], ..Trial::default() }
    }

    #[test]
    fn the_delay_after_jitter_is_that_of_thirty_seconds_later() {
        let back = delayed(|second| if second < 45 { 400.0 } else { 80.0 }, 53);
        assert_eq!(value(&jitter(&back), "sound's delay 30 s after it, the latest tone"), Some(80.0));
        assert_eq!(value(&jitter(&delayed(|_| 80.0, 40)), "sound's delay 30 s after it, the latest tone"), None, "silent since");
    }

    #[test]
    fn a_delay_that_creeps_strays_and_one_late_second_does_not() {
        let figure = |trial: &Trial| value(&drift(trial), "delay away from its median, of the worst tone").unwrap();
        assert!(figure(&delayed(|second| if second == 70 { 300.0 } else { 60.0 }, 1200)) < 1.0);
        let crept = figure(&delayed(|second| 60.0 + second as f64 * 0.2, 1200));
        assert!((115.0..125.0).contains(&crept), "{crept}");
    }
}
