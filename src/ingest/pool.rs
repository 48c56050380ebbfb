//! The threads that decode everybody's pictures.
//!
//! In: each sender's access units, through a [`Strand`] of its own. Out: its newest picture. Senders take turns, one unit
//! each, so that none starves another; a sender's units are decoded in order, by one thread at a time.
//! Never: a queue beyond [`MAX_QUEUED`] units or [`MAX_QUEUED_BYTES`] (it drops to the next keyframe and counts), or one
//! sender's panic or error felt by another.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use parking_lot::{Condvar, Mutex};

use super::assemble::ReceivedUnit;
use super::presenting::Presenter;
use crate::codec::VideoDecoder;
use crate::media::{Clock, Frame};
use crate::metrics::{Media, Metrics};

#[cfg(test)]
pub(super) mod tests;

/// Access units that wait for one sender at most: half a second at 30 a second.
pub(super) const MAX_QUEUED: usize = 16;
/// Their bytes at most.
const MAX_QUEUED_BYTES: usize = 8 << 20;

/// Makes a sender's decoder, on the thread that decodes.
pub(super) type MakeDecoder = Box<dyn Fn() -> Box<dyn VideoDecoder> + Send>;

/// The threads that decode everybody's pictures; one sender's pictures stay in order.
pub struct Pool {
    turns: Arc<Turns>,
    threads: Vec<JoinHandle<()>>,
}

/// The senders that have something to do, in the order in which they get a thread.
struct Turns {
    queue: Mutex<TurnQueue>,
    filled: Condvar,
    clock: Clock,
    metrics: Metrics,
}

#[derive(Default)]
struct TurnQueue {
    /// Each strand at most once.
    strands: VecDeque<Arc<Lane>>,
    closed: bool,
}

/// One sender's way through the pool. Dropping it frees its decoder, on one of the pool's threads.
pub(super) struct Strand {
    lane: Arc<Lane>,
    pool: Arc<Pool>,
}

struct Lane {
    inbox: Mutex<Inbox>,
    decoding: Mutex<Decoding>,
    /// A decode went wrong, and no keyframe was decoded since.
    broken: AtomicBool,
    presenter: Presenter,
}

#[derive(Default)]
struct Inbox {
    units: VecDeque<ReceivedUnit>,
    bytes: usize,
    /// The strand waits for its turn or has it.
    scheduled: bool,
    awaits_keyframe: bool,
    closed: bool,
}

struct Decoding {
    make: MakeDecoder,
    decoder: Option<Box<dyn VideoDecoder>>,
}

impl Pool {
    /// Starts `threads` decoding threads (at least one); they end when the last handle is dropped, which waits for the units
    /// being decoded.
    ///
    /// # Panics
    /// Where the system gives no thread.
    pub fn start(threads: usize, clock: Clock, metrics: Metrics) -> Arc<Self> {
        let turns = Arc::new(Turns { queue: Mutex::default(), filled: Condvar::new(), clock, metrics });
        let spawn = |n: usize| {
            let turns = turns.clone();
            let thread = Builder::new().name(format!("decode-{n}")).spawn(move || turns.work());
            thread.expect("a server that starts can have its decoding threads")
        };
        let threads = (0..threads.max(1)).map(spawn).collect();
        Arc::new(Self { turns, threads })
    }

    /// One more sender, whose pictures go to `presenter`.
    pub(super) fn strand(self: &Arc<Self>, make: MakeDecoder, presenter: Presenter) -> Strand {
        let decoding = Mutex::new(Decoding { make, decoder: None });
        let lane = Lane { inbox: Mutex::default(), decoding, broken: AtomicBool::new(false), presenter };
        Strand { lane: Arc::new(lane), pool: self.clone() }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} threads)", self.threads.len())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.turns.queue.lock().closed = true;
        self.turns.filled.notify_all();
        for thread in self.threads.drain(..) {
            // A worker catches its decoders' panics; should it have died all the same, there is nothing left to end.
            thread.join().ok();
        }
    }
}

impl Strand {
    /// Queues a unit. Where the queue is full it is given up to its next keyframe, and everything after that up to the
    /// next one that comes.
    pub(super) fn push(&self, unit: ReceivedUnit) {
        let mut inbox = self.lane.inbox.lock();
        let dropped = inbox.take(unit);
        let due = !inbox.units.is_empty() && !std::mem::replace(&mut inbox.scheduled, true);
        drop(inbox);
        (0..dropped).for_each(|_| self.pool.turns.metrics.count_dropped("decoder_behind"));
        if due {
            self.pool.turns.schedule(self.lane.clone());
        }
    }

    /// Whether nothing can be decoded before a keyframe comes: the queue overflowed, or a decode went wrong.
    pub(super) fn waits_for_keyframe(&self) -> bool {
        self.lane.broken.load(Ordering::Relaxed) || self.lane.inbox.lock().awaits_keyframe
    }
}

impl fmt::Debug for Strand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Strand({} queued)", self.lane.inbox.lock().units.len())
    }
}

impl Drop for Strand {
    fn drop(&mut self) {
        let mut inbox = self.lane.inbox.lock();
        inbox.units.clear();
        inbox.closed = true;
        let due = !std::mem::replace(&mut inbox.scheduled, true);
        drop(inbox);
        if due {
            self.pool.turns.schedule(self.lane.clone());
        }
    }
}

impl Inbox {
    /// Takes a unit; gives how many were given up for it.
    fn take(&mut self, unit: ReceivedUnit) -> usize {
        if self.awaits_keyframe && !unit.keyframe {
            return 1;
        }
        self.awaits_keyframe = false;
        let mut dropped = 0;
        if self.units.len() >= MAX_QUEUED || self.bytes + unit.annex_b.len() > MAX_QUEUED_BYTES {
            dropped = self.drop_to_keyframe();
            if self.units.is_empty() && !unit.keyframe {
                self.awaits_keyframe = true;
                return dropped + 1;
            }
        }
        self.bytes += unit.annex_b.len();
        self.units.push_back(unit);
        dropped
    }

    /// Gives up what waits before the newest keyframe that is not the oldest unit; all, where there is none.
    fn drop_to_keyframe(&mut self) -> usize {
        let from = self.units.iter().rposition(|unit| unit.keyframe).filter(|at| *at > 0).unwrap_or(self.units.len());
        self.bytes -= self.units.drain(..from).map(|unit| unit.annex_b.len()).sum::<usize>();
        from
    }

    fn next(&mut self) -> Option<ReceivedUnit> {
        let unit = self.units.pop_front()?;
        self.bytes -= unit.annex_b.len();
        Some(unit)
    }
}

impl Turns {
    fn schedule(&self, lane: Arc<Lane>) {
        self.queue.lock().strands.push_back(lane);
        self.filled.notify_one();
    }

    fn work(&self) {
        while let Some(lane) = self.next() {
            if lane.turn(self) {
                self.schedule(lane);
            }
        }
    }

    fn next(&self) -> Option<Arc<Lane>> {
        let mut queue = self.queue.lock();
        self.filled.wait_while(&mut queue, |queue| queue.strands.is_empty() && !queue.closed);
        if queue.closed {
            return None;
        }
        queue.strands.pop_front()
    }
}

impl Lane {
    /// Decodes one unit; whether there is more to do.
    fn turn(&self, turns: &Turns) -> bool {
        let unit = self.inbox.lock().next();
        if let Some(unit) = unit {
            self.decode(&unit, turns);
        }
        let mut inbox = self.inbox.lock();
        inbox.scheduled = !inbox.units.is_empty();
        if inbox.closed {
            drop(inbox);
            self.decoding.lock().give_up_decoder();
            return false;
        }
        inbox.scheduled
    }

    fn decode(&self, unit: &ReceivedUnit, turns: &Turns) {
        if self.broken.load(Ordering::Relaxed) && !unit.keyframe {
            return;
        }
        let began = turns.clock.now();
        let decoded = self.decoding.lock().decode(&unit.annex_b);
        turns.metrics.observe_decode(Media::Video, turns.clock.now().since(began));
        self.broken.store(decoded.is_err(), Ordering::Relaxed);
        match decoded {
            Ok(Some(frame)) => self.presenter.show(frame, unit.timing, unit.arrival, turns.clock.now()),
            Ok(None) => {}
            Err(Undecodable) => drop(turns.metrics.decode_errors.inc()),
        }
    }
}

/// The decoder refused a unit or panicked over it.
struct Undecodable;

impl Decoding {
    fn decode(&mut self, unit: &[u8]) -> Result<Option<Arc<Frame>>, Undecodable> {
        // After a panic the decoder is given up with whatever state it was in.
        match catch_unwind(AssertUnwindSafe(|| self.decoder.get_or_insert_with(|| (self.make)()).decode(unit))) {
            Ok(decoded) => decoded.map_err(|error| {
                tracing::debug!(%error, "access unit not decoded");
                Undecodable
            }),
            Err(_) => {
                self.give_up_decoder();
                Err(Undecodable)
            }
        }
    }

    fn give_up_decoder(&mut self) {
        let decoder = self.decoder.take();
        catch_unwind(AssertUnwindSafe(|| drop(decoder))).ok();
    }
}
