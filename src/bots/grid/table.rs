//! The table: each case's figures, their medians over all runs, against what they must reach.
//!
//! In: figures of each run. Out: rows, to read and as JSON. Never: a row without a bound, or a verdict on what was not measured.

use std::fmt;

use serde::Serialize;

use super::cases::{Case, Form};

/// What a figure must reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// This much at most.
    Most(f64),
    /// This much at least.
    Least(f64),
}

/// One figure of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What it tells.
    pub what: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Its value; `None` where it could not be measured.
    pub value: Option<f64>,
    /// What it must reach.
    pub bound: Bound,
}

/// One run of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The case.
    pub case: Case,
    /// Which run of it, from 1 on.
    pub number: usize,
    /// Its figures.
    pub figures: Vec<Figure>,
    /// What went wrong in it: why it could not be measured, who was lost.
    pub remarks: Vec<String>,
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// The case.
    pub case: Case,
    /// In which run of it, from 1 on.
    pub run: usize,
    /// What.
    pub text: String,
}

/// One figure of all runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The case.
    pub case: Case,
    /// What it tells.
    pub what: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What it must reach.
    pub bound: Bound,
    /// Its value in each run.
    pub runs: Vec<Option<f64>>,
}

/// The grid's outcome.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// Whole or short.
    pub form: Form,
    /// In the order of the cases.
    pub rows: Vec<Row>,
    /// What went wrong, in the same order.
    pub remarks: Vec<Remark>,
}

impl Bound {
    /// Whether a value reaches it.
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::Most(most) => value <= most,
            Self::Least(least) => value >= least,
        }
    }

    /// Twice as wide, for a machine that is busy with other things; none stays none.
    pub(super) fn widened(self) -> Self {
        match self {
            Self::Most(most) => Self::Most(2.0 * most),
            Self::Least(least) => Self::Least(least / 2.0),
        }
    }
}

impl Row {
    /// The median of the runs, the worse of two middle ones; `None` where a run could not measure it.
    pub fn median(&self) -> Option<f64> {
        let mut values: Vec<f64> = self.runs.iter().copied().collect::<Option<_>>()?;
        values.sort_by(f64::total_cmp);
        if matches!(self.bound, Bound::Least(_)) {
            values.reverse();
        }
        values.get(values.len() / 2).copied()
    }

    /// Whether the median reaches the bound.
    pub fn passes(&self) -> bool {
        self.median().is_some_and(|median| self.bound.holds(median))
    }
}

impl Table {
    pub(super) fn new(form: Form) -> Self {
        Self { form, rows: Vec::new(), remarks: Vec::new() }
    }

    /// Adds one run of a case.
    pub(super) fn note(&mut self, run: &Run) {
        let case = run.case;
        self.remarks.extend(run.remarks.iter().map(|text| Remark { case, run: run.number, text: text.clone() }));
        for figure in &run.figures {
            let known = self.rows.iter_mut().find(|row| row.case == case && row.what == figure.what);
            match known {
                Some(row) => row.runs.push(figure.value),
                None => {
                    let Figure { what, unit, bound, value } = *figure;
                    self.rows.push(Row { case, what, unit, bound, runs: vec![value] });
                }
            }
        }
    }

    /// Whether every figure reaches its bound.
    pub fn passes(&self) -> bool {
        self.rows.iter().all(Row::passes)
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Most(most) => f.pad(&format!("≤ {}", Number(Some(*most)))),
            Self::Least(least) => f.pad(&format!("≥ {}", Number(Some(*least)))),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<12} {:<44} {:>8} {:<7} {:>9}        runs", "case", "figure", "median", "", "bound")?;
        let mut before = None;
        for row in &self.rows {
            let case = if before.replace(row.case) == Some(row.case) { String::new() } else { row.case.to_string() };
            let verdict = if row.passes() { "pass" } else { "SHORT" };
            let runs: Vec<_> = row.runs.iter().map(|run| Number(*run).to_string()).collect();
            let (median, bound) = (Number(row.median()), row.bound);
            writeln!(f, "{case:<12} {:<44} {median:>8} {:<7} {bound:>9}  {verdict:<5} {}", row.what, row.unit, runs.join(" "))?;
        }
        for Remark { case, run, text } in &self.remarks {
            writeln!(f, "{case} run {run}: {text}")?;
        }
        let short = self.rows.iter().filter(|row| !row.passes()).count();
        write!(f, "{} figures, {short} short of their bounds", self.rows.len())
    }
}

/// As many digits as tell something.
struct Number(Option<f64>);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.pad("-"),
            Some(value) if value == value.trunc() || value.abs() >= 100.0 => f.pad(&format!("{value:.0}")),
            Some(value) if value.abs() >= 10.0 => f.pad(&format!("{value:.1}")),
            Some(value) => f.pad(&format!("{value:.2}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(bound: Bound, runs: &[Option<f64>]) -> Table {
        let mut table = Table::new(Form::Whole);
        for (index, &value) in runs.iter().enumerate() {
            let figures = vec![Figure { what: "sound made up", unit: "%", value, bound }];
            let remarks = if value.is_none() { vec!["not measured: nobody was there".into()] } else { Vec::new() };
            table.note(&Run { case: Case::Jitter, number: index + 1, figures, remarks });
        }
        table
    }

    #[test]
    fn the_median_of_three_runs_decides() {
        let good = table(Bound::Most(3.0), &[Some(9.0), Some(1.0), Some(2.5)]);
        assert_eq!((good.rows[0].median(), good.passes()), (Some(2.5), true));
        assert!(!table(Bound::Most(3.0), &[Some(9.0), Some(1.0), Some(3.5)]).passes());
        assert!(table(Bound::Least(28.0), &[Some(28.0), Some(5.0), Some(30.0)]).passes());
    }

    #[test]
    fn of_two_runs_the_worse_decides() {
        assert!(!table(Bound::Most(3.0), &[Some(1.0), Some(4.0)]).passes());
        assert!(!table(Bound::Least(3.0), &[Some(1.0), Some(4.0)]).passes());
    }

    #[test]
    fn what_was_not_measured_falls_short_and_reads_so() {
        let table = table(Bound::Most(3.0), &[Some(1.0), None, Some(1.0)]);
        assert!(!table.passes());
        let text = table.to_string();
        assert!(text.contains("jitter run 2: not measured: nobody was there\n"), "{text}");
        assert!(text.contains("SHORT 1 - 1") && text.contains("jitter") && text.ends_with("1 figures, 1 short of their bounds"), "{text}");
    }
}
