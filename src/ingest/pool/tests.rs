//! The pool with decoders that report, wait, fail and panic on command.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::*;
use crate::codec::DecodeError;
use crate::media::MediaTime;

#[test]
fn each_senders_units_are_decoded_in_order_by_one_thread_at_a_time() {
    let pool = pool(4);
    let (report, reports) = channel();
    let strands: Vec<_> = (0..3).map(|sender| strand(&pool, sender, &report)).collect();
    let mut order = [const { Vec::new() }; 3];
    for number in 0..200 {
        strands.iter().for_each(|strand| strand.push(unit(number, number == 0)));
        for _ in 0..3 {
            let (sender, number) = reports.recv().unwrap();
            order[sender].push(number);
        }
    }
    assert!(order.iter().all(|numbers| numbers.len() == 200 && numbers.is_sorted()));
}

#[test]
fn a_queue_that_is_full_drops_to_the_next_keyframe_and_counts() {
    let pool = pool(1);
    let (report, reports) = channel();
    let (strand, go) = held_strand(&pool, &report);
    strand.push(unit(0, true));
    let started = reports.recv().unwrap();
    (1..=MAX_QUEUED as u64).for_each(|number| strand.push(unit(number, false)));
    assert!(!strand.waits_for_keyframe());
    strand.push(unit(50, false));
    strand.push(unit(51, false));
    assert!(strand.waits_for_keyframe());
    strand.push(unit(52, true));
    strand.push(unit(53, false));
    assert!(!strand.waits_for_keyframe());
    drop(go);
    assert_eq!((started, reports.recv().unwrap(), reports.recv().unwrap()), ((0, 0), (0, 52), (0, 53)));
    assert!(pool.turns.metrics.text().contains("medley_dropped_total{reason=\"decoder_behind\"} 18"));
}

#[test]
fn a_keyframe_in_a_full_queue_is_kept() {
    let pool = pool(1);
    let (report, reports) = channel();
    let (strand, go) = held_strand(&pool, &report);
    strand.push(unit(0, true));
    reports.recv().unwrap();
    (1..=MAX_QUEUED as u64).for_each(|number| strand.push(unit(number, number == 10)));
    strand.push(unit(17, false));
    assert!(!strand.waits_for_keyframe());
    drop(go);
    let decoded: Vec<_> = (10..=17).map(|_| reports.recv().unwrap().1).collect();
    assert_eq!(decoded, (10..=17).collect::<Vec<_>>());
}

#[test]
fn a_queue_is_bounded_in_bytes_too() {
    let mut inbox = Inbox::default();
    let large = |keyframe| ReceivedUnit { annex_b: vec![0; MAX_QUEUED_BYTES / 3 + 1], ..unit(0, keyframe) };
    assert_eq!((inbox.take(large(true)), inbox.take(large(false)), inbox.take(large(false))), (0, 0, 3));
    assert!(inbox.bytes == 0 && inbox.awaits_keyframe);
}

#[test]
fn senders_take_turns() {
    let pool = pool(1);
    let (report, reports) = channel();
    let (busy, go) = held_strand(&pool, &report);
    busy.push(unit(0, true));
    reports.recv().unwrap();
    (1..10).for_each(|number| busy.push(unit(number, false)));
    let quiet = strand(&pool, 1, &report);
    quiet.push(unit(100, true));
    drop(go);
    let turns: Vec<_> = (0..3).map(|_| reports.recv().unwrap().1).collect();
    assert!(turns.contains(&100), "{turns:?}");
}

#[test]
fn a_panic_hurts_only_its_own_sender_and_only_until_its_next_keyframe() {
    let pool = pool(1);
    let (report, reports) = channel();
    let (hostile, honest) = (strand(&pool, 0, &report), strand(&pool, 1, &report));
    hostile.push(unit(PANICS, true));
    hostile.push(unit(1, false));
    honest.push(unit(2, true));
    settle(&pool);
    assert!(hostile.waits_for_keyframe() && !honest.waits_for_keyframe());
    hostile.push(unit(3, true));
    settle(&pool);
    assert!(!hostile.waits_for_keyframe());
    assert_eq!(reports.try_iter().collect::<Vec<_>>(), [(1, 2), (0, 3)]);
    assert_eq!(pool.turns.metrics.decode_errors.get(), 1);
}

#[test]
fn after_an_error_nothing_is_decoded_before_a_keyframe() {
    let pool = pool(1);
    let (report, reports) = channel();
    let strand = strand(&pool, 0, &report);
    for (number, keyframe) in [(1, true), (FAILS, false), (2, false), (3, true), (4, false)] {
        strand.push(unit(number, keyframe));
    }
    settle(&pool);
    assert_eq!(reports.try_iter().map(|(_, number)| number).collect::<Vec<_>>(), [1, 3, 4]);
    assert_eq!(pool.turns.metrics.decode_errors.get(), 1);
}

#[test]
fn a_sender_that_goes_frees_its_decoder_on_a_thread_of_the_pool() {
    let pool = pool(1);
    let (report, _reports) = channel();
    let (freed, freed_on) = channel();
    let make =
        move || -> Box<dyn VideoDecoder> { Box::new(Fake { sender: 0, report: report.clone(), held: None, freed: Some(freed.clone()) }) };
    let strand = pool.strand(Box::new(make), Presenter::default());
    strand.push(unit(0, true));
    settle(&pool);
    drop(strand);
    assert_eq!(freed_on.recv().unwrap().as_deref(), Some("decode-0"));
}

#[test]
fn the_threads_end_with_the_last_handle() {
    let pool = pool(3);
    let turns = Arc::downgrade(&pool.turns);
    let strand = strand(&pool, 0, &channel().0);
    drop(pool);
    assert!(turns.upgrade().is_some());
    drop(strand);
    assert!(turns.upgrade().is_none());
}

/// Waits until all that is queued is decoded, in a pool of one thread: a strand of its own takes as many turns as another
/// can have units queued.
pub(in crate::ingest) fn settle(pool: &Arc<Pool>) {
    let (report, reports) = channel();
    let marker = strand(pool, 0, &report);
    for number in 0..=MAX_QUEUED as u64 {
        marker.push(unit(number, true));
        reports.recv().unwrap();
    }
}

const PANICS: u64 = 1000;
const FAILS: u64 = 1001;

struct Fake {
    sender: usize,
    report: Sender<(usize, u64)>,
    /// Blocks after the report until its other end is gone.
    held: Option<Arc<Mutex<Receiver<()>>>>,
    freed: Option<Sender<Option<String>>>,
}

impl VideoDecoder for Fake {
    fn decode(&mut self, access_unit: &[u8]) -> Result<Option<Arc<Frame>>, DecodeError> {
        let number = u64::from_be_bytes(access_unit.try_into().unwrap());
        match number {
            PANICS => panic!("a decoder that panics on command"),
            FAILS => return Err(DecodeError::Codec("on command".into())),
            _ => self.report.send((self.sender, number)).ok(),
        };
        if let Some(held) = &self.held {
            held.lock().recv().ok();
        }
        Ok(None)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if let Some(freed) = &self.freed {
            freed.send(thread::current().name().map(String::from)).ok();
        }
    }
}

fn pool(threads: usize) -> Arc<Pool> {
    Pool::start(threads, Clock::new(), Metrics::default())
}

fn strand(pool: &Arc<Pool>, sender: usize, report: &Sender<(usize, u64)>) -> Strand {
    let report = report.clone();
    let make = move || -> Box<dyn VideoDecoder> { Box::new(Fake { sender, report: report.clone(), held: None, freed: None }) };
    pool.strand(Box::new(make), Presenter::default())
}

/// One whose decoder stands still until the second is dropped.
fn held_strand(pool: &Arc<Pool>, report: &Sender<(usize, u64)>) -> (Strand, Sender<()>) {
    let (go, held) = channel();
    let (report, held) = (report.clone(), Some(Arc::new(Mutex::new(held))));
    let make = move || -> Box<dyn VideoDecoder> { Box::new(Fake { sender: 0, report: report.clone(), held: held.clone(), freed: None }) };
    (pool.strand(Box::new(make), Presenter::default()), go)
}

fn unit(number: u64, keyframe: bool) -> ReceivedUnit {
    ReceivedUnit {
        annex_b: number.to_be_bytes().into(),
        timestamp: 0,
        arrival: MediaTime::ZERO,
        keyframe,
        intact: true,
        timing: Default::default(),
    }
}
