//! Lines by name, with the figures of published models where there are such.
//!
//! In: a name. Out: [`LineSettings`].
//!
//! | Name | Down, up (Mb/s) | Delay each way, jitter (ms) | Loss each way | From |
//! | --- | --- | --- | --- | --- |
//! | `wifi` | 20, 20 | 4, ± 10 in spikes | 1 % in bursts of 3 | own: a home's with neighbours; its repetitions show as jitter |
//! | `lte` | 100, 50 | 22, ± 5 down, ± 15 up | 0.2 % | Loadero's network conditions, "4G" |
//! | `3g` | 1.2, 1.2 | 125, ± 50 | 0.5 % | Loadero, "3G" |
//! | `edge` | 0.2, 0.26 | 325, ± 100 | 1 % | Loadero, "Edge" |
//! | `satellite` | 20, 3 | 270, ± 10 | 0.5 % in bursts of 4 | RFC 2488 §2: 239.6 to 279.0 ms from ground to ground; rates are own |
//! | `hotel` | 2, 1 | 20, ± 20 | 0.5 % | own: many on one line, and a second of queue before it |
//! | `train` | 12, 6; 1, 0.5 between cells | 35, ± 30 | 0.5 %, 3 % in bursts of 5 between cells | own: a handover of 0.3 s and a tunnel of 1.5 s each minute |
//!
//! Loadero's "latency" is taken for the round trip, half of it each way.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::settings::{Blackout, Change, Jitter, LineSettings, Loss, Queue, Rate, Schedule, Shape, Way};

/// A line by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// A home's Wi-Fi with neighbours
    Wifi,
    /// LTE
    Lte,
    /// UMTS
    #[serde(rename = "3g")]
    #[value(name = "3g")]
    ThreeG,
    /// EDGE: less than a picture needs
    Edge,
    /// A geostationary satellite
    Satellite,
    /// A narrow line that many share, with a long queue before it
    Hotel,
    /// LTE on the way: handovers, cell edges, tunnels
    Train,
}

impl Profile {
    /// The line of that name.
    pub fn settings(self) -> LineSettings {
        let (up, down) = match self {
            Self::Wifi => symmetric(limited(way(4, 10, bursts(0.01, 3.0)).shaped(Shape::Tail), 20_000, 200)),
            Self::Lte => (limited(way(22, 15, Loss::Random(0.002)), 50_000, 100), limited(way(22, 5, Loss::Random(0.002)), 100_000, 100)),
            Self::ThreeG => symmetric(limited(way(125, 50, Loss::Random(0.005)), 1_200, 300)),
            Self::Edge => {
                let way = way(325, 100, Loss::Random(0.01));
                (limited(way.clone(), 260, 1000), limited(way, 200, 1000))
            }
            Self::Satellite => {
                let way = way(270, 10, bursts(0.005, 4.0));
                (limited(way.clone(), 3_000, 300), limited(way, 20_000, 300))
            }
            Self::Hotel => {
                let way = way(20, 20, Loss::Random(0.005));
                (limited(way.clone(), 1_000, 1000), limited(way, 2_000, 1000))
            }
            Self::Train => return LineSettings { up: on_a_train(6_000, 500), down: on_a_train(12_000, 1_000), ..LineSettings::default() },
        };
        LineSettings { up: Schedule::constant(up), down: Schedule::constant(down), ..LineSettings::default() }
    }
}

impl Way {
    fn shaped(mut self, shape: Shape) -> Self {
        self.jitter.shape = shape;
        self
    }
}

fn symmetric(way: Way) -> (Way, Way) {
    (way.clone(), way)
}

/// Jitter as queues make it: a new value ten times a second, in order.
fn way(delay_ms: u64, jitter_ms: u64, loss: Loss) -> Way {
    let jitter = Jitter { spread: Duration::from_millis(jitter_ms), period: Duration::from_millis(100), ..Jitter::default() };
    Way { delay: Duration::from_millis(delay_ms), jitter, loss, ..Way::default() }
}

fn bursts(share: f64, mean: f64) -> Loss {
    Loss::Bursts { share, mean }
}

fn limited(way: Way, kbps: u64, queue_ms: u64) -> Way {
    Way { rate: Some(Rate { bps: kbps * 1000, queue: Queue::Time(Duration::from_millis(queue_ms)) }), ..way }
}

fn on_a_train(kbps: u64, between_cells_kbps: u64) -> Schedule {
    let good = limited(way(35, 30, Loss::Random(0.005)), kbps, 300);
    let between_cells = limited(way(35, 30, bursts(0.03, 5.0)), between_cells_kbps, 500);
    let at = Duration::from_secs;
    Schedule {
        first: good.clone(),
        then: vec![Change { at: at(30), way: between_cells }, Change { at: at(40), way: good }],
        blackouts: vec![
            Blackout { at: at(35), lasts: Duration::from_millis(300) },
            Blackout { at: at(50), lasts: Duration::from_millis(1500) },
        ],
        repeats: Some(at(60)),
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_profile_can_be_laid_and_is_told_in_the_documents_table() {
        let table = include_str!("profile.rs");
        for profile in Profile::value_variants() {
            let name = profile.to_possible_value().unwrap().get_name().to_owned();
            assert!(table.contains(&format!("//! | `{name}` |")), "{name}");
            let settings = profile.settings();
            assert_eq!(settings.check(), Ok(()), "{name}");
            assert!(!settings.is_perfect(), "{name}");
        }
    }
}
