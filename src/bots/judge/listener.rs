//! A receiver for sound as a browser has one: puts packets in order, waits for late ones as long as they have lately been
//! late, and says what is to be decoded, recovered, and made up.
//!
//! In: packets as they arrive, and the present time. Out: [`Act`]s in the order of the sound. Never: a codec, a clock, or more
//! than [`MOST_WAITING`] packets.
//!
//! How long it waits is the late-packet quantile over the last ten seconds, a second at most: a browser's NetEq bounds it by three
//! quarters of 200 packets. It comes to that wait by a tenth of
//! the time that it plays, as NetEq stretches sound, and at once where it ran dry: then what it waited longer was made up.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::media::{BLOCK_SAMPLES, MediaTime, SAMPLE_RATE};

/// Packets that may wait; with more of them the wait is over.
const MOST_WAITING: usize = 100;
/// Packets whose lateness is remembered: ten seconds of 20 ms.
const REMEMBERED: usize = 500;
/// The part of the packets that are to be in time.
const IN_TIME: f64 = 0.97;
const LEAST_WAIT_MS: f64 = 20.0;
const MOST_WAIT_MS: f64 = 1000.0;
/// How much longer or shorter sound is made to come to another wait.
const STRETCH: f64 = 0.1;
/// Longer gaps are not made up: the stream starts over.
const MOST_MADE_UP: u64 = BLOCK_SAMPLES as u64 * 10;
/// Where the unwrapped RTP time begins, so that what is older than the first packet has a place too.
const ORIGIN: u64 = 1 << 32;

/// A packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    /// Its Opus payload.
    pub(super) bytes: Arc<[u8]>,
    /// Its RTP time at 48 kHz; wraps.
    pub(super) timestamp: u32,
    /// How many samples it holds.
    pub(super) samples: u64,
    /// When it arrived.
    pub(super) at: MediaTime,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// This packet's turn has come. Its place is the unwrapped RTP time.
    Decode { packet: Packet, place: u64 },
    /// A packet is missing, and the next one may tell what was in it.
    Recover { next: Packet, place: u64, samples: u64 },
    /// Samples are missing before `next`.
    MakeUp { next: Packet, place: u64, samples: u64 },
    /// So many samples are missing that the stream starts over.
    Skip { samples: u64 },
}

/// Puts one stream of sound in order.
#[derive(Debug, Default)]
pub(super) struct Listener {
    waiting: BTreeMap<u64, Packet>,
    newest: Option<u64>,
    next: Option<u64>,
    /// Arrival less place of the last packets, in milliseconds.
    transits: VecDeque<f64>,
    /// How long what arrived fastest waits.
    wait_ms: f64,
    /// What was made up because packets came later than they were waited for, and is not reported yet.
    ran_dry_ms: f64,
}

impl Listener {
    /// Takes a packet as it arrives.
    pub(super) fn take(&mut self, packet: Packet) {
        let place = self.unwrapped(packet.timestamp);
        if self.transits.len() == REMEMBERED {
            self.transits.pop_front();
        }
        // One that comes too late says all the more how long to wait.
        self.transits.push_back(millis(packet.at) - millis_of(place));
        if self.next.is_some_and(|next| place < next) {
            return;
        }
        self.waiting.entry(place).or_insert(packet);
    }

    /// What is to be done by now, one after the other; `None` when all of it was given.
    pub(super) fn act(&mut self, now: MediaTime) -> Option<Act> {
        let (&first, packet) = self.waiting.first_key_value()?;
        let Some(next) = self.next else {
            self.wait_ms = LEAST_WAIT_MS;
            self.next = Some(first);
            return self.act(now);
        };
        if first <= next {
            return self.play(first);
        }
        let due = self.fastest_ms() + millis_of(next) + self.wait_ms;
        if millis(now) < due && self.waiting.len() < MOST_WAITING {
            return None;
        }
        let (missing, following) = (first - next, packet.clone());
        let block = missing.min(BLOCK_SAMPLES as u64);
        self.next = Some(next + if missing > MOST_MADE_UP { missing } else { block });
        Some(match missing {
            _ if missing > MOST_MADE_UP => Act::Skip { samples: missing },
            _ if missing == block => Act::Recover { next: following, place: next, samples: block },
            _ => Act::MakeUp { next: following, place: next, samples: block },
        })
    }

    /// What had to be made up in waiting for packets that then came, since it was last asked for, in milliseconds.
    pub(super) fn take_ran_dry_ms(&mut self) -> f64 {
        std::mem::take(&mut self.ran_dry_ms)
    }

    /// How long what arrives fastest waits, in milliseconds.
    pub(super) fn wait_ms(&self) -> f64 {
        self.wait_ms
    }

    fn play(&mut self, place: u64) -> Option<Act> {
        let packet = self.waiting.remove(&place)?;
        let late_ms = millis(packet.at) - millis_of(place) - self.fastest_ms();
        let step = STRETCH * packet.samples as f64 * 1000.0 / f64::from(SAMPLE_RATE);
        let wanted = self.wanted_wait_ms();
        if late_ms > self.wait_ms {
            self.ran_dry_ms += late_ms - self.wait_ms;
            self.wait_ms = late_ms;
        } else {
            self.wait_ms += (wanted - self.wait_ms).clamp(-step, step);
        }
        self.next = Some(place + packet.samples);
        Some(Act::Decode { packet, place })
    }

    fn fastest_ms(&self) -> f64 {
        self.transits.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn wanted_wait_ms(&self) -> f64 {
        let mut transits: Vec<f64> = self.transits.iter().copied().collect();
        let rank = ((transits.len() as f64 * IN_TIME) as usize).min(transits.len().saturating_sub(1));
        let late = if transits.is_empty() { 0.0 } else { *transits.select_nth_unstable_by(rank, f64::total_cmp).1 - self.fastest_ms() };
        (late + LEAST_WAIT_MS / 2.0).clamp(LEAST_WAIT_MS, MOST_WAIT_MS)
    }

    /// RFC 3550 §A.1: what differs by less than half the range is that much earlier or later.
    fn unwrapped(&mut self, timestamp: u32) -> u64 {
        let newest = self.newest.unwrap_or(ORIGIN + u64::from(timestamp));
        let step = timestamp.wrapping_sub(newest as u32) as i32;
        let place = newest.saturating_add_signed(i64::from(step));
        self.newest = Some(newest.max(place));
        place
    }
}

fn millis(at: MediaTime) -> f64 {
    at.as_nanos() as f64 / 1e6
}

fn millis_of(place: u64) -> f64 {
    place as f64 * 1000.0 / f64::from(SAMPLE_RATE)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const BLOCK: u64 = BLOCK_SAMPLES as u64;

    /// Counts of 20 ms played as sent, recovered, made up; and what was made up for lateness, in milliseconds.
    #[derive(Debug, Default, PartialEq)]
    struct Heard {
        decoded: u64,
        recovered: u64,
        made_up: u64,
        dry_ms: f64,
    }

    /// Plays packets of 20 ms that arrive so many milliseconds after they were sent; `None` is lost.
    fn heard(first: u32, delays_ms: &[Option<u64>]) -> (Listener, Vec<u64>, Heard) {
        let arrival = |(n, delay): (usize, &Option<u64>)| Some((20 * n as u64 + (*delay)?, n as u32));
        let mut arrivals: Vec<_> = delays_ms.iter().enumerate().filter_map(arrival).collect();
        arrivals.sort();
        let (mut listener, mut places, mut heard) = (Listener::default(), Vec::new(), Heard::default());
        for (ms, n) in arrivals {
            let at = MediaTime::from_millis(ms);
            let timestamp = first.wrapping_add(n * BLOCK as u32);
            listener.take(Packet { bytes: [0].into(), timestamp, samples: BLOCK, at });
            while let Some(act) = listener.act(at) {
                let (place, count) = match act {
                    Act::Decode { place, .. } => (place, &mut heard.decoded),
                    Act::Recover { place, .. } => (place, &mut heard.recovered),
                    Act::MakeUp { place, .. } => (place, &mut heard.made_up),
                    Act::Skip { .. } => continue,
                };
                *count += 1;
                places.push(place);
            }
            heard.dry_ms += listener.take_ran_dry_ms();
        }
        (listener, places, heard)
    }

    /// Something like chance, the same in each run.
    fn draw(n: u64) -> u64 {
        (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % 1000
    }

    #[test]
    fn what_arrives_in_order_is_played_at_once_across_the_wrap_of_the_rtp_time() {
        let (listener, places, all) = heard(u32::MAX - 5 * 960, &[Some(30); 100]);
        assert_eq!(all, Heard { decoded: 100, ..Heard::default() });
        assert!(places.windows(2).all(|pair| pair[1] == pair[0] + BLOCK));
        assert_eq!(listener.wait_ms(), 20.0);
    }

    #[test]
    fn a_single_loss_is_recovered_and_of_two_in_a_row_the_first_is_made_up() {
        let mut delays = [Some(30); 200];
        (delays[50], delays[100], delays[101]) = (None, None, None);
        let (_, places, all) = heard(7, &delays);
        assert_eq!(all, Heard { decoded: 197, recovered: 2, made_up: 1, dry_ms: 0.0 });
        assert!(places.is_sorted());
    }

    #[test]
    fn what_is_overtaken_is_waited_for() {
        let delays: Vec<_> = (0..1000).map(|n| Some(if n % 10 == 3 { 75 } else { 30 })).collect();
        let (_, places, all) = heard(7, &delays);
        assert!(places.is_sorted());
        // The first late ones are missed: nothing was known of them.
        assert!(all.recovered + all.made_up <= 3, "{all:?}");
    }

    #[test]
    fn under_jitter_the_wait_grows_to_what_is_late_and_comes_back_afterwards() {
        let rough: Vec<_> = (0..1500).map(|n| Some(20 + draw(n) * 2 / 10)).collect();
        let (listener, _, all) = heard(7, &rough);
        assert!((180.0..=250.0).contains(&listener.wait_ms()), "{}", listener.wait_ms());
        assert!((all.recovered + all.made_up) as f64 / 1500.0 < 0.06 && all.dry_ms < 400.0, "{all:?}");
        let calm = [&rough[..], &[Some(20); 700]].concat();
        assert!(heard(7, &calm).0.wait_ms() < 40.0);
    }

    #[test]
    fn a_stall_is_made_up_once_and_later_sound_is_not_waited_for_anew() {
        let delays: Vec<_> = (0..300).map(|n| Some(if n < 100 { 30 } else { 130 })).collect();
        let (_, _, all) = heard(7, &delays);
        assert_eq!((all.decoded, all.recovered, all.made_up), (300, 0, 0));
        assert!((70.0..=100.0).contains(&all.dry_ms), "{all:?}");
    }

    proptest! {
        #[test]
        fn no_order_of_arrival_plays_anything_twice_or_backwards(
            first: u32,
            delays in proptest::collection::vec(proptest::option::of(0u64..900), 1..300),
        ) {
            let (listener, places, _) = heard(first, &delays);
            prop_assert!(places.windows(2).all(|pair| pair[1] > pair[0]));
            prop_assert!(listener.waiting.len() <= MOST_WAITING);
        }

        #[test]
        fn hostile_timestamps_harm_nothing(packets in proptest::collection::vec((any::<u32>(), 0u64..5000), 0..300)) {
            let mut listener = Listener::default();
            let mut now = MediaTime::ZERO;
            for (timestamp, later) in packets {
                now += Duration::from_millis(later);
                listener.take(Packet { bytes: [0].into(), timestamp, samples: BLOCK, at: now });
                while listener.act(now).is_some() {}
                prop_assert!(listener.waiting.len() <= MOST_WAITING);
            }
        }
    }
}
