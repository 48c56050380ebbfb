//! The cases of the grid: what the four lines are like over time, and for how long they are watched.
//!
//! In: a case and a form. Out: `Scene`s, plain data. Never: a judgement.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::super::line::{Blackout, Change, Jitter, LineSettings, Loss, Move, Rate, Relocation, Schedule, Way};

/// A line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Case {
    /// Each datagram is lost with this chance in percent, both ways.
    Loss(u8),
    /// Delays of 200 ± 200 ms, then none.
    Jitter,
    /// One receives 300 kb/s; the others as much as they like.
    SlowViewer,
    /// One line's rate goes from 3 to 0.5 and back to 3 Mb/s.
    Rate,
    /// One line is black for two seconds.
    Blackout,
    /// One is given another port by its NAT, one comes to another network.
    Address,
    /// Senders' clocks are 200 ppm too fast or too slow.
    Drift,
}

/// How much of it is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// The whole table, for a machine that does nothing else.
    Whole,
    /// A few minutes with small pictures and bounds twice as wide, for a machine that does.
    Short,
}

/// What four bots live through.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    /// Each bot's line until the measurement begins.
    pub(super) first: Vec<LineSettings>,
    /// Each bot's line from there on, where it is another one.
    pub(super) then: Option<Vec<LineSettings>>,
    /// From the moment when everybody has seen everybody to the beginning of the measurement.
    pub(super) settle: Duration,
    /// The measurement.
    pub(super) lasts: Duration,
    /// Width, height and rate of what each sends.
    pub(super) sends: (u32, u32, u32),
    /// The tallest picture that each takes.
    pub(super) max_height: Option<u32>,
}

/// How many are in the room.
pub(super) const BOTS: u16 = 4;
/// Each way: RTT 50 ms.
const DELAY: Duration = Duration::from_millis(25);
/// When the jitter ends, in seconds of the measurement.
pub(super) const CALM_AT: u64 = 20;
/// How long it may take then until sound is in time again.
pub(super) const CALM_WITHIN: u64 = 30;
/// When the rate goes down, and up again.
pub(super) const DOWN_AT: u64 = 8;
pub(super) const UP_AT: u64 = 23;
/// When the line is black, and for how long.
pub(super) const BLACK_AT: u64 = 3;
pub(super) const BLACK_LASTS: u64 = 2;
/// When which bots come to another address.
pub(super) const REBIND: (u16, u64) = (1, 3);
pub(super) const RESTART: (u16, u64) = (2, 9);
/// The one whose line is worse than the others'.
pub(super) const ODD: u16 = 1;
const DRIFT_PPM: f64 = 200.0;

impl Case {
    /// All of the table.
    pub const ALL: [Self; 10] = [
        Self::Loss(5),
        Self::Loss(10),
        Self::Loss(20),
        Self::Loss(30),
        Self::Jitter,
        Self::SlowViewer,
        Self::Rate,
        Self::Blackout,
        Self::Address,
        Self::Drift,
    ];
    /// Those of the short form: where a loaded machine does not decide.
    pub const SHORT: [Self; 4] = [Self::Loss(10), Self::Loss(30), Self::Blackout, Self::Address];

    /// Whether its runs are rooms side by side.
    pub(super) fn runs_side_by_side(self) -> bool {
        self == Self::Drift
    }

    /// What bots live through, one after the other.
    pub(super) fn scenes(self, form: Form) -> Vec<Scene> {
        let usual = || Scene::of(form, 4, 20);
        match self {
            Self::Loss(percent) => {
                let lossy = Way { loss: Loss::Random(f64::from(percent) / 100.0), ..calm() };
                vec![Scene { first: everybody(LineSettings::both(lossy)), lasts: short(form, 10, 20), ..usual() }]
            }
            Self::Jitter => vec![Scene { then: Some(everybody(jittery())), ..Scene::of(form, 4, CALM_AT + CALM_WITHIN + 3) }],
            Self::SlowViewer => {
                let (without, mut with) = (everybody(LineSettings::both(calm())), everybody(LineSettings::both(calm())));
                with[usize::from(ODD - 1)].down = Schedule::constant(limited(300_000));
                [without, with].into_iter().map(|first| Scene { first, ..Scene::of(form, 8, 15) }).collect()
            }
            Self::Rate => vec![Scene {
                first: one(LineSettings::both(limited(3_000_000))),
                then: Some(one(stepped())),
                ..Scene::of(form, 5, UP_AT + 25)
            }],
            Self::Blackout => vec![Scene { then: Some(one(black())), ..Scene::of(form, 4, 12) }],
            Self::Address => vec![Scene { then: Some(moving()), ..Scene::of(form, 4, 15) }],
            Self::Drift => vec![Scene {
                first: drifting(),
                sends: (160, 90, 10),
                max_height: Some(180),
                ..Scene::of(form, 10, if form == Form::Whole { 1200 } else { 60 })
            }],
        }
    }
}

fn short(form: Form, in_short: u64, whole: u64) -> Duration {
    Duration::from_secs(if form == Form::Short { in_short } else { whole })
}

impl Scene {
    fn of(form: Form, settle_s: u64, lasts_s: u64) -> Self {
        let (sends, max_height) = match form {
            Form::Whole => ((640, 360, 30), None),
            Form::Short => ((320, 180, 30), Some(360)),
        };
        let first = everybody(LineSettings::both(calm()));
        let [settle, lasts] = [settle_s, lasts_s].map(Duration::from_secs);
        Self { first, then: None, settle, lasts, sends, max_height }
    }

    /// About how long it takes with joining and leaving.
    pub(super) fn takes(&self) -> Duration {
        self.settle + self.lasts + Duration::from_secs(3)
    }
}

fn calm() -> Way {
    Way { delay: DELAY, ..Way::default() }
}

fn limited(bps: u64) -> Way {
    Way { rate: Some(Rate::of(bps)), ..calm() }
}

/// Bots differ by their numbers in what chance does to them.
fn everybody(line: LineSettings) -> Vec<LineSettings> {
    vec![line; usize::from(BOTS)]
}

/// The odd one's line; the others' are calm.
fn one(line: LineSettings) -> Vec<LineSettings> {
    let mut lines = everybody(LineSettings::both(calm()));
    lines[usize::from(ODD - 1)] = line;
    lines
}

/// Queues on the way fill and drain: each datagram is drawn its own delay, and none overtakes another.
fn jittery() -> LineSettings {
    let spread = Duration::from_millis(200);
    let rough = Way { delay: spread, jitter: Jitter { spread, ..Jitter::default() }, ..Way::default() };
    LineSettings::scheduled(Schedule { first: rough, then: vec![change(CALM_AT, calm())], ..Schedule::default() })
}

fn stepped() -> LineSettings {
    let then = vec![change(DOWN_AT, limited(500_000)), change(UP_AT, limited(3_000_000))];
    LineSettings::scheduled(Schedule { first: limited(3_000_000), then, ..Schedule::default() })
}

fn black() -> LineSettings {
    let blackout = Blackout { at: Duration::from_secs(BLACK_AT), lasts: Duration::from_secs(BLACK_LASTS) };
    LineSettings::scheduled(Schedule { first: calm(), blackouts: vec![blackout], ..Schedule::default() })
}

fn moving() -> Vec<LineSettings> {
    let mut lines = everybody(LineSettings::both(calm()));
    for ((number, at), kind) in [(REBIND, Move::Rebind), (RESTART, Move::Restart)] {
        lines[usize::from(number - 1)].moves = vec![Relocation { at: Duration::from_secs(at), kind }];
    }
    lines
}

fn drifting() -> Vec<LineSettings> {
    let line = |number: u16| LineSettings {
        drift_ppm: if number.is_multiple_of(2) { -DRIFT_PPM } else { DRIFT_PPM },
        ..LineSettings::both(calm())
    };
    (1..=BOTS).map(line).collect()
}

fn change(at: u64, way: Way) -> Change {
    Change { at: Duration::from_secs(at), way }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loss(percent) => f.pad(&format!("loss-{percent}")),
            Self::Jitter => f.pad("jitter"),
            Self::SlowViewer => f.pad("slow-viewer"),
            Self::Rate => f.pad("rate"),
            Self::Blackout => f.pad("blackout"),
            Self::Address => f.pad("address"),
            Self::Drift => f.pad("drift"),
        }
    }
}

impl Serialize for Case {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let names = || Self::ALL.map(|case| case.to_string()).join(", ");
        Self::ALL.into_iter().find(|case| case.to_string() == name).ok_or_else(|| format!("there is no such case: use one of {}", names()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{GridOptions, takes};
    use super::*;

    #[test]
    fn every_case_has_four_lines_that_can_be_laid_and_a_name_that_finds_it() {
        for (case, form) in Case::ALL.into_iter().flat_map(|case| [(case, Form::Whole), (case, Form::Short)]) {
            assert_eq!(case.to_string().parse(), Ok(case));
            for scene in case.scenes(form) {
                let lines = scene.first.iter().chain(scene.then.iter().flatten());
                assert!(lines.clone().count() % usize::from(BOTS) == 0);
                assert_eq!(lines.map(LineSettings::check).find(Result::is_err), None, "{case}");
            }
        }
        assert!("loss-7".parse::<Case>().unwrap_err().contains("loss-5"));
    }

    #[test]
    fn the_whole_table_fits_into_forty_minutes_and_the_short_form_into_three() {
        let options = |cases: &[Case], runs, form| GridOptions { medley: "medley".into(), cases: cases.to_vec(), runs, form };
        let whole = takes(&options(&Case::ALL, 3, Form::Whole));
        assert!(whole <= Duration::from_secs(38 * 60), "{whole:?}");
        let short = takes(&options(&Case::SHORT, 1, Form::Short));
        assert!(short <= Duration::from_secs(150), "{short:?}");
    }
}
