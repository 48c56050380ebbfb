//! Makes figures of what was written down.
//!
//! In: a case's trials. Out: its [`Figure`]s with their bounds. Never: a clock or a bot.
//!
//! Where nothing else is said, a figure is the mean over all bots or, of tiles and tones, over all pairs of two different ones.

mod losses;
mod moments;
mod sound;

use super::super::judge::BotReport;
use super::cases::{Case, Form, ODD};
use super::table::{Bound, Figure};
use super::trial::Trial;

/// The figures of one run of a case.
pub(super) fn weigh(case: Case, form: Form, trials: &[Trial]) -> Vec<Figure> {
    let mut figures = match (case, trials) {
        (Case::Loss(percent), [trial]) => losses::loss(percent, trial),
        (Case::Jitter, [trial]) => sound::jitter(trial),
        (Case::SlowViewer, [without, with]) => losses::slow_viewer(without, with),
        (Case::Rate, [trial]) => moments::rate(trial),
        (Case::Blackout, [trial]) => moments::blackout(trial),
        (Case::Address, [trial]) => moments::address(trial),
        (Case::Drift, [trial]) => sound::drift(trial),
        _ => Vec::new(),
    };
    let lost = trials.iter().map(sessions_lost).sum::<usize>();
    figures.push(most("sessions lost", "", 0.0, Some(lost as f64)));
    if form == Form::Short {
        figures.iter_mut().for_each(|figure| figure.bound = figure.bound.widened());
    }
    figures
}

fn most(what: &'static str, unit: &'static str, most: f64, value: Option<f64>) -> Figure {
    Figure { what, unit, value, bound: Bound::Most(most) }
}

fn least(what: &'static str, unit: &'static str, least: f64, value: Option<f64>) -> Figure {
    Figure { what, unit, value, bound: Bound::Least(least) }
}

fn sessions_lost(trial: &Trial) -> usize {
    trial.reports.iter().filter(|bot| bot.ended.is_some() || bot.connected_ms.is_none()).count()
}

/// `None` of nothing.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn largest(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.fold(None, |largest: Option<f64>, value| Some(largest.map_or(value, |before| before.max(value))))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The one whose line is worse.
fn odd(trial: &Trial) -> Option<&BotReport> {
    trial.reports.iter().find(|bot| bot.number == ODD)
}

fn is_odd(number: u16) -> bool {
    number == ODD
}

/// What `figures` say of one thing, for tests.
#[cfg(test)]
fn value(figures: &[Figure], what: &str) -> Option<f64> {
    figures.iter().find(|figure| figure.what == what).unwrap_or_else(|| panic!("no figure {what}: {figures:?}")).value
}
