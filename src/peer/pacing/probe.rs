//! Finds out whether the line takes more than is sent: now and then a short cluster of packets at a higher rate.
//!
//! In: the estimate, what is wanted, the fates of packets. Out: whether a cluster is running and at which rate, and what it proved.
//! Never: more than twice the estimate, or a cluster soon after one that found nothing.

use std::time::Duration;

use super::ledger::Fate;
use crate::media::MediaTime;

/// How long a cluster lasts: on a line of half its rate it fills a queue of a twentieth of a second.
const LENGTH: Duration = Duration::from_millis(100);
/// Of the estimate.
const STEP: f64 = 2.0;
/// Of what is wanted: proof of it with something to spare.
const MARGIN: f64 = 1.15;
/// What the receiver may take to report on a cluster, besides the round trip.
const REPORT: Duration = Duration::from_millis(300);
/// Until the next: after one that found more, and after the first that did not; doubled by the next.
const SOON: Duration = Duration::from_millis(300);
const LATER: Duration = Duration::from_secs(5);
const MUCH_LATER: Duration = Duration::from_secs(8);
/// Fewer packets than these prove nothing.
const MIN_PACKETS: usize = 5;

/// Runs clusters on one line.
#[derive(Debug)]
pub(super) struct Prober {
    cluster: Option<Cluster>,
    next_at: MediaTime,
    pause: Duration,
}

#[derive(Debug)]
struct Cluster {
    bits_per_second: f64,
    began: MediaTime,
    until: MediaTime,
    fates: Vec<Fate>,
}

impl Default for Prober {
    fn default() -> Self {
        Self { cluster: None, next_at: MediaTime::ZERO, pause: LATER }
    }
}

impl Prober {
    /// Begins a cluster where it is time for one.
    pub(super) fn begin(&mut self, estimate_bps: f64, wanted_bps: f64, now: MediaTime) {
        if self.cluster.is_some() || now < self.next_at || wanted_bps <= estimate_bps {
            return;
        }
        let bits_per_second = (estimate_bps * STEP).min(wanted_bps * MARGIN);
        self.cluster = Some(Cluster { bits_per_second, began: now, until: now + LENGTH, fates: Vec::new() });
    }

    /// The line shows that it is full: nothing to be found for a while.
    pub(super) fn put_off(&mut self, now: MediaTime) {
        self.cluster = None;
        self.next_at = self.next_at.max(now + LATER);
    }

    /// The rate of a cluster that is running, in bits a second.
    pub(super) fn rate(&self, now: MediaTime) -> Option<f64> {
        self.cluster.as_ref().filter(|cluster| now < cluster.until).map(|cluster| cluster.bits_per_second)
    }

    /// Takes what became of a packet.
    pub(super) fn note(&mut self, fate: &Fate) {
        let Some(cluster) = &mut self.cluster else { return };
        if (cluster.began..cluster.until).contains(&fate.left) {
            cluster.fates.push(*fate);
        }
    }

    /// What a cluster proved that the line takes, in bits a second; once all that will be known of it is.
    pub(super) fn verdict(&mut self, estimate_bps: f64, round_trip: Duration, now: MediaTime) -> Option<f64> {
        let cluster = self.cluster.take_if(|cluster| now >= cluster.until + round_trip + REPORT)?;
        let proven = cluster.proven().filter(|proven| *proven > estimate_bps * 1.05);
        let wait = if proven.is_some() { SOON } else { self.pause };
        self.pause = if proven.is_some() { LATER } else { (self.pause * 2).min(MUCH_LATER) };
        self.next_at = now + wait;
        proven
    }
}

impl Cluster {
    /// The rate at which it came, but for what was lost; no more than the one at which it left.
    fn proven(&self) -> Option<f64> {
        let mut came: Vec<(i64, u32)> = self.fates.iter().filter_map(|fate| Some((fate.came?, fate.size))).collect();
        came.sort_unstable();
        let (first, last) = (came.first()?, came.last()?);
        let bits = 8.0 * came[1..].iter().map(|(_, size)| f64::from(*size)).sum::<f64>();
        let microseconds = last.0.saturating_sub(first.0).max(1) as f64;
        (came.len() >= MIN_PACKETS).then_some((bits * 1e6 / microseconds).min(self.bits_per_second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIP: Duration = Duration::from_millis(50);

    /// A cluster on a line of `line_bps` behind an endless queue.
    fn probed(prober: &mut Prober, now: MediaTime, line_bps: f64) -> Option<f64> {
        prober.begin(1e6, 5e6, now);
        let Some(rate) = prober.rate(now) else { return None };
        assert_eq!(rate, 2e6);
        let apart = |bps: f64| 1200.0 * 8.0 / bps;
        let packets = (0.1 / apart(rate)) as u32;
        for n in 0..packets {
            let left = now + Duration::from_secs_f64(apart(rate) * f64::from(n));
            let came = (apart(rate.min(line_bps)) * f64::from(n) * 1e6) as i64;
            prober.note(&Fate { left, size: 1200, came: Some(came) });
        }
        assert_eq!(prober.verdict(1e6, TRIP, now + LENGTH), None);
        prober.verdict(1e6, TRIP, now + Duration::from_millis(500))
    }

    #[test]
    fn a_cluster_proves_what_the_line_takes() {
        let begin = MediaTime::from_millis(100);
        assert!(probed(&mut Prober::default(), begin, 1e7).unwrap() > 1.9e6);
        assert!((1.3e6..1.5e6).contains(&probed(&mut Prober::default(), begin, 1.4e6).unwrap()));
        assert_eq!(probed(&mut Prober::default(), begin, 0.9e6), None);
    }

    #[test]
    fn a_full_line_is_probed_rarely() {
        let (mut prober, mut times) = (Prober::default(), Vec::new());
        for now in (0..70_000).step_by(100).map(MediaTime::from_millis) {
            if prober.cluster.is_none() && now >= prober.next_at {
                probed(&mut prober, now, 0.9e6);
                times.push(now.as_millis());
            }
        }
        assert_eq!(times, [0, 5500, 14_000, 22_500, 31_000, 39_500, 48_000, 56_500, 65_000]);
    }

    #[test]
    fn nothing_is_probed_where_nothing_more_is_wanted() {
        let mut prober = Prober::default();
        prober.begin(1e6, 0.9e6, MediaTime::from_millis(9));
        assert_eq!(prober.rate(MediaTime::from_millis(9)), None);
    }
}
