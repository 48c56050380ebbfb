//! Figures of moments: a line whose rate changes, a black-out, a change of address.

use super::super::super::judge::{BotReport, Gap, History, back_after_ms};
use super::super::super::sound::{PAUSE_MS, Tone};
use super::super::super::wall::Wall;
use super::super::cases::{BLACK_AT, BLACK_LASTS, DOWN_AT, ODD, REBIND, RESTART, UP_AT};
use super::super::table::Figure;
use super::super::trial::{BotGlance, Trial};
use super::sound::{end_to_end_percent, part, share_made_up};
use super::{is_odd, largest, most, odd};

/// What is gone again within this is not back.
const GRACE_MS: f64 = 500.0;
/// A sender that fits the line loses no more than this share of its datagrams to the queue.
const FITS: f64 = 0.02;
/// What was received before counts as received again from this share on.
const AS_BEFORE: f64 = 0.8;
/// Seconds that a bitrate is taken over.
const RATE_S: f64 = 2.0;
/// Pixels that a tile's edge may be read off by.
const SLACK: u32 = 6;

/// One line's rate goes down and up again.
pub(super) fn rate(trial: &Trial) -> Vec<Figure> {
    let (down_at, up_at) = (DOWN_AT as f64, UP_AT as f64);
    let odd_sent = odd(trial).map_or(0, |bot| bot.sent.sounds);
    let up = share_made_up(&trial.before, &trial.after, odd_sent);
    let down = odd(trial).and_then(|bot| part(bot.sound.concealed_ms, bot.sound.heard_ms));
    vec![
        most("down: until what is sent fits the line", "s", 2.0, fits_after(trial, down_at, up_at)),
        most("up: until bitrate and height are as before", "s", 20.0, as_before_after(trial, down_at, up_at)),
        most("its sound made up, both ways together", "%", 1.0, up.zip(down).map(|(up, down)| end_to_end_percent(up, down))),
    ]
}

/// Seconds from `from_s` to the end of the last time before `to_s` in which the queue overflowed.
fn fits_after(trial: &Trial, from_s: f64, to_s: f64) -> Option<f64> {
    let overflows = |pair: &[(f64, BotGlance)]| {
        let [(_, before), (_, after)] = pair else { return false };
        let lost = after.down_overflowed.saturating_sub(before.down_overflowed);
        lost as f64 > FITS * after.down_sent.saturating_sub(before.down_sent) as f64
    };
    let glances: Vec<_> = odd_glances(trial).filter(|(at_s, _)| (from_s..to_s).contains(at_s)).collect();
    let last = glances.windows(2).rev().find(|pair| overflows(pair)).map(|pair| pair[1].0 - from_s);
    (glances.len() > 1).then_some(last.unwrap_or(0.0))
}

/// Seconds from `up_s` until bitrate and height are what they were before `down_s`; `None` where they never are.
fn as_before_after(trial: &Trial, down_s: f64, up_s: f64) -> Option<f64> {
    let glances: Vec<_> = odd_glances(trial).collect();
    let at = |seconds: f64| glances.iter().rev().find(|(at_s, _)| *at_s <= seconds).map(|(_, glance)| *glance);
    let bytes_before = |seconds: f64| Some(at(seconds)?.bytes.saturating_sub(at(seconds - RATE_S)?.bytes));
    let (height, bytes) = (at(down_s)?.height, bytes_before(down_s)?);
    let is_back = |(at_s, glance): &&(f64, BotGlance)| {
        glance.height >= height && bytes_before(*at_s).is_some_and(|now| now as f64 >= AS_BEFORE * bytes as f64)
    };
    glances.iter().filter(|(at_s, _)| *at_s >= up_s).find(is_back).map(|(at_s, _)| at_s - up_s)
}

fn odd_glances(trial: &Trial) -> impl Iterator<Item = (f64, BotGlance)> {
    trial.glances.iter().filter_map(|glance| Some((glance.at_s, *glance.bots.get(usize::from(ODD) - 1)?)))
}

/// One line is black for a while.
pub(super) fn blackout(trial: &Trial) -> Vec<Figure> {
    let end = trial.moment(BLACK_AT + BLACK_LASTS);
    let sound = affected(trial, |history| &history.tones).map(|(number, gaps)| {
        let gaps: Vec<Gap> = gaps?.iter().map(|gap| less_pause(*gap, number)).collect();
        Some(back_after_ms(&gaps, end, GRACE_MS))
    });
    let tiles = affected(trial, |history| &history.tiles).map(|(_, gaps)| Some(back_after_ms(gaps?, end, GRACE_MS)));
    vec![
        most("sound back after it, the last tone", "ms", 300.0, largest_of_all(sound)),
        most("pictures back after it, the last tile", "ms", 1000.0, largest_of_all(tiles)),
    ]
}

/// Numbers and gaps of what a bad line can take: all that the odd one receives of others, and itself as others receive it.
fn affected<'a>(
    trial: &'a Trial,
    of: impl Fn(&'a History) -> &'a std::collections::BTreeMap<u16, Vec<Gap>>,
) -> impl Iterator<Item = (u16, Option<&'a [Gap]>)> {
    let numbers: Vec<u16> = trial.reports.iter().map(|bot| bot.number).collect();
    let listeners = trial.reports.iter().zip(&trial.histories);
    listeners.flat_map(move |(bot, history)| {
        let own = bot.number;
        let gaps = of(history);
        let through = numbers.clone().into_iter().filter(move |&number| number != own && is_odd(number) != is_odd(own));
        through.map(move |number| (number, gaps.get(&number).map(|gaps| &gaps[..])))
    })
}

/// The largest; `None` where one is missing.
fn largest_of_all(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    largest(values.collect::<Option<Vec<f64>>>()?.into_iter())
}

/// A tone that comes back at the end of its own pause was back before it: the pause is not the line's.
fn less_pause(gap: Gap, number: u16) -> Gap {
    let since_pause_ms = (gap.to.as_micros() % 1_000_000) as f64 / 1000.0 - Tone::of(number).pause_begins_ms();
    // What is heard is late by 30 to 200 ms; a pause that ends so much later than it was made ended just then.
    let late_ms = (since_pause_ms - PAUSE_MS).rem_euclid(1000.0);
    let to = if late_ms < 200.0 { gap.to.as_micros() - (PAUSE_MS * 1000.0) as u64 } else { gap.to.as_micros() };
    Gap { to: Wall::from_micros(to.max(gap.from.as_micros())), ..gap }
}

/// One comes from another port, one from another network.
pub(super) fn address(trial: &Trial) -> Vec<Figure> {
    let gap = |number: u16, at: u64| {
        let (from, until) = (trial.moment(at), trial.moment(at + 5));
        let of_it = moved_gaps(trial, number)?.into_iter().filter(|gap| gap.to > from && gap.from < until);
        Some(largest(of_it.map(|gap| gap.ms())).unwrap_or(0.0))
    };
    let strangers = trial.people[1].iter().filter(|person| !trial.people[0].contains(person)).count();
    vec![
        most("new port: longest gap of tiles and tones", "ms", 2000.0, gap(REBIND.0, REBIND.1)),
        most("ICE restart: longest gap of tiles and tones", "ms", 2000.0, gap(RESTART.0, RESTART.1)),
        most("tiles elsewhere than before, or gone", "", 0.0, Some(tiles_moved(trial) as f64)),
        most("participants that were not there before", "", 0.0, Some(strangers as f64)),
    ]
}

/// Gaps of everybody at the moved one, and of it at everybody; `None` where somebody was never seen or heard.
fn moved_gaps(trial: &Trial, moved: u16) -> Option<Vec<Gap>> {
    let mut all = Vec::new();
    for (bot, history) in trial.reports.iter().zip(&trial.histories) {
        for other in trial.reports.iter().map(|other| other.number).filter(|&other| other != bot.number) {
            if bot.number == moved || other == moved {
                all.extend(history.tiles.get(&other)?);
                all.extend(history.tones.get(&other)?);
            }
        }
    }
    Some(all)
}

fn tiles_moved(trial: &Trial) -> usize {
    let moved = |(before, after): (&BotReport, &BotReport)| {
        let stays = |number: &u16| {
            let (Some(a), Some(b)) = (before.tiles.get(number), after.tiles.get(number)) else { return false };
            // In a picture of another height everything is somewhere else; its place is a part of the whole.
            let scale = f64::from(after.pictures.height) / f64::from(before.pictures.height.max(1));
            let near = |a: u32, b: u32| (f64::from(a) * scale - f64::from(b)).abs() <= f64::from(SLACK);
            b.present && near(a.x, b.x) && near(a.y, b.y) && near(a.width, b.width)
        };
        trial.reports.iter().filter(|other| !stays(&other.number)).count()
    };
    trial.first.iter().zip(&trial.reports).map(moved).sum()
}

#[cfg(test)]
mod tests {
    use super::super::super::trial::Glance;
    use super::super::value;
    use super::*;

    const BEGUN_US: u64 = 1_700_000_000_400_000;

    fn at(ms: u64) -> Wall {
        Wall::from_micros(BEGUN_US + ms * 1000)
    }

    /// Two bots, each of which had these gaps of the other's tile and tone.
    fn trial(tile: &[(u64, u64)], tone: &[(u64, u64)]) -> Trial {
        let gaps = |of: &[(u64, u64)]| of.iter().map(|&(from, to)| Gap { from: at(from), to: at(to) }).collect::<Vec<_>>();
        let history =
            |other: u16| History { tiles: [(other, gaps(tile))].into(), tones: [(other, gaps(tone))].into(), ..History::default() };
        let reports = [1, 2].map(|number| BotReport { number, ..BotReport::default() });
        Trial { begun: Some(at(0)), reports: reports.into(), histories: vec![history(2), history(1)], ..Trial::default() }
    }

    #[test]
    fn after_a_black_out_the_last_one_back_counts() {
        // The black-out ends 5 s in, 400 ms into a second; tones 1 and 2 pause at 0 and 292 ms.
        let figures = blackout(&trial(&[(3000, 5700)], &[(3010, 5180)]));
        assert_eq!(value(&figures, "pictures back after it, the last tile"), Some(700.0));
        assert_eq!(value(&figures, "sound back after it, the last tone"), Some(180.0));
        let mut unseen = trial(&[(3000, 5700)], &[]);
        unseen.histories[0].tiles.clear();
        assert_eq!(value(&blackout(&unseen), "pictures back after it, the last tile"), None);
    }

    #[test]
    fn a_tones_own_pause_is_not_the_lines() {
        // Heard 60 ms late, tone 1's pause ends 160 ms into a second: 5760 ms in.
        let figures = blackout(&trial(&[], &[(3010, 5760)]));
        assert_eq!(value(&figures, "sound back after it, the last tone"), Some(760.0), "the other tone was not in its pause");
        assert_eq!(less_pause(Gap { from: at(3010), to: at(5760) }, 1).to, at(5660));
    }

    #[test]
    fn gaps_of_another_time_are_not_the_moves() {
        let figures = address(&trial(&[(100, 900), (3100, 4300)], &[]));
        assert_eq!(value(&figures, "new port: longest gap of tiles and tones"), Some(1200.0));
        assert_eq!(value(&figures, "ICE restart: longest gap of tiles and tones"), Some(0.0));
    }

    /// Bot 1's glances four times a second: its bitrate in kb/s, height, and the share of datagrams that overflow.
    fn stepped(line: impl Fn(f64) -> (u64, u32, f64)) -> Trial {
        let (mut bytes, mut sent, mut lost) = (0, 0, 0.0);
        let glances = (0..192).map(|n| {
            let at_s = f64::from(n) / 4.0;
            let (kilobits, height, overflows) = line(at_s);
            (bytes, sent, lost) = (bytes + kilobits * 125 / 4, sent + 100, lost + 100.0 * overflows);
            let bot = BotGlance { bytes, height, down_sent: sent, down_overflowed: lost as u64, ..BotGlance::default() };
            Glance { at_s, server: None, bots: vec![bot] }
        });
        Trial { glances: glances.collect(), ..Trial::default() }
    }

    #[test]
    fn a_rate_is_followed_down_when_nothing_overflows_and_up_when_all_is_as_before() {
        let trial = stepped(|at_s| match at_s {
            at_s if at_s < 8.0 => (2000, 720, 0.0),
            at_s if at_s < 9.5 => (400, 720, 0.3),
            at_s if at_s < 30.0 => (300, 180, 0.0),
            _ => (2000, 720, 0.0),
        });
        let figures = rate(&trial);
        assert_eq!(value(&figures, "down: until what is sent fits the line"), Some(1.25));
        let up = value(&figures, "up: until bitrate and height are as before").unwrap();
        assert!((7.0..=9.0).contains(&up), "{up}");
        let never = stepped(|at_s| if at_s < 8.0 { (2000, 720, 0.0) } else { (300, 180, 0.3) });
        assert_eq!(value(&rate(&never), "up: until bitrate and height are as before"), None);
        assert!(value(&rate(&never), "down: until what is sent fits the line").unwrap() > 14.0);
    }
}
