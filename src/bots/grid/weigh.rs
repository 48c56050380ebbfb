//! Makes figures of what was written down.
//!
//! In: a case's trials. Out: its [`Figure`]s with their bounds, and remarks on what went wrong. Never: a clock or a bot.
//!
//! Where nothing else is said, a figure is the mean over all bots or, of tiles and tones, over all pairs of two different ones.

mod losses;
mod moments;
mod sound;

use super::super::judge::BotReport;
use super::cases::{BOTS, Case, Form, ODD};
use super::table::{Bound, Figure, Run};
use super::trial::Trial;

/// The figures of a case's `number`th run; of a trial that could not be measured none has a value, but for the sessions lost.
pub(super) fn weigh(case: Case, form: Form, number: usize, trials: &[Trial]) -> Run {
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
    if trials.iter().any(|trial| trial.failed.is_some()) {
        figures.iter_mut().for_each(|figure| figure.value = None);
    }
    let lost = trials.iter().map(sessions_lost).sum::<usize>();
    figures.push(most("sessions lost", "", 0.0, Some(lost as f64)));
    if form == Form::Short {
        figures.iter_mut().for_each(|figure| figure.bound = figure.bound.widened());
    }
    Run { case, number, figures, remarks: trials.iter().flat_map(remarks).collect() }
}

fn most(what: &'static str, unit: &'static str, most: f64, value: Option<f64>) -> Figure {
    Figure { what, unit, value, bound: Bound::Most(most) }
}

fn least(what: &'static str, unit: &'static str, least: f64, value: Option<f64>) -> Figure {
    Figure { what, unit, value, bound: Bound::Least(least) }
}

/// Those that ended, that never stood, and that were never joined.
fn sessions_lost(trial: &Trial) -> usize {
    usize::from(BOTS).saturating_sub(trial.reports.iter().filter(|bot| loss_of(bot).is_none()).count())
}

fn loss_of(bot: &BotReport) -> Option<String> {
    let number = bot.number;
    match (&bot.ended, bot.connected_ms) {
        (Some(reason), Some(_)) => Some(format!("bot {number} was lost: {reason}")),
        (Some(reason), None) => Some(format!("bot {number} never connected: {reason}")),
        (None, None) => Some(format!("bot {number} did not connect")),
        (None, Some(_)) => None,
    }
}

/// What went wrong, to be read.
fn remarks(trial: &Trial) -> impl Iterator<Item = String> {
    let failed = trial.failed.iter().map(|reason| format!("not measured: {reason}"));
    failed.chain(trial.reports.iter().filter_map(loss_of))
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

#[cfg(test)]
mod tests {
    use super::super::super::http::HttpError;
    use super::super::TrialError;
    use super::*;

    fn connected(number: u16) -> BotReport {
        BotReport { number, connected_ms: Some(100.0), measured_s: 20.0, ..BotReport::default() }
    }

    #[test]
    fn a_trial_that_failed_has_no_figures_but_its_lost_sessions_and_says_why() {
        let error = TrialError::Http(HttpError::Url("nowhere".into()));
        for case in Case::ALL {
            let trials = vec![Trial { reports: (1..=3).map(connected).collect(), ..Trial::failed(&error) }; case.scenes(Form::Whole).len()];
            let run = weigh(case, Form::Whole, 2, &trials);
            let (lost, rest) = run.figures.split_last().unwrap();
            assert_eq!((lost.what, lost.value), ("sessions lost", Some(trials.len() as f64)), "{case}: one never joined");
            assert!(!rest.is_empty() && rest.iter().all(|figure| figure.value.is_none()), "{case}: {rest:?}");
            assert!(run.remarks[0].starts_with("not measured: \"nowhere\""), "{:?}", run.remarks);
        }
    }

    #[test]
    fn who_ended_or_never_connected_is_lost_and_named() {
        let mut reports: Vec<_> = (1..=4).map(connected).collect();
        reports[1].ended = Some("the server closed the session".into());
        reports[3].connected_ms = None;
        let run = weigh(Case::Loss(30), Form::Whole, 1, &[Trial { reports, ..Trial::default() }]);
        assert_eq!(value(&run.figures, "sessions lost"), Some(2.0));
        assert_eq!(run.remarks, ["bot 2 was lost: the server closed the session", "bot 4 did not connect"]);
    }
}
