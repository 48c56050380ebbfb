//! What comes from one person, for whoever overhears it: coded as it came.
//!
//! In: access units and sound packets from an intake. Out: the same, into the queue of each [`Ear`] that is plugged in. Pictures are those
//! that a decoder can take: whole, in order, of one layer at a time, whether or not they are decoded.
//!
//! Never: a wait, a lock while nobody overhears, or a picture behind one that there was no room for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::ReceivedUnit;
use crate::media::{MediaTime, ParticipantId, RtpPacket};

/// Pieces that wait for one listener at most: about 6 s of nine people.
const MOST_PIECES: usize = 8192;
/// Their bytes at most.
const MOST_BYTES: usize = 32 << 20;

/// A piece of somebody's media as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overheard {
    /// Whose.
    pub from: ParticipantId,
    /// What.
    pub coded: Coded,
    /// When the last of it arrived.
    pub arrival: MediaTime,
    /// When it was captured, in nanoseconds of its sender's wall clock; `None` before the first report.
    pub captured: Option<i64>,
}

/// What was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coded {
    /// An access unit that is fit for a decoder that got those before it.
    Picture {
        /// NAL units, each behind a start code of four bytes (ITU-T H.264 Annex B).
        annex_b: Vec<u8>,
        /// RTP time, 90 kHz.
        timestamp: u32,
        /// A decoder can start here; its parameter sets are in it.
        keyframe: bool,
    },
    /// A sound packet, in whatever order and however often it came.
    Sound(RtpPacket),
}

impl Coded {
    fn bytes(&self) -> usize {
        match self {
            Self::Picture { annex_b, .. } => annex_b.len(),
            Self::Sound(packet) => packet.payload.len(),
        }
    }
}

/// Where what is overheard goes. Cloning gives another way into the same queue.
#[derive(Clone, Debug)]
pub struct Ear {
    to: mpsc::Sender<Overheard>,
    state: Arc<State>,
}

/// What an [`Ear`] hears, until it is dropped.
#[derive(Debug)]
pub struct Earpiece {
    from: mpsc::Receiver<Overheard>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    bytes: AtomicUsize,
    dropped: AtomicU64,
}

/// A queue between those who are overheard and one who overhears them.
pub fn ear() -> (Ear, Earpiece) {
    let ((to, from), state) = (mpsc::channel(MOST_PIECES), Arc::<State>::default());
    (Ear { to, state: state.clone() }, Earpiece { from, state })
}

/// What became of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Taken,
    Dropped,
    /// Nobody listens any more.
    Unheard,
}

impl Ear {
    fn hear(&self, overheard: Overheard) -> Fate {
        let bytes = overheard.coded.bytes();
        let before = self.state.bytes.fetch_add(bytes, Ordering::Relaxed);
        let sent = if before + bytes > MOST_BYTES { Err(Fate::Dropped) } else { self.send(overheard) };
        let Err(fate) = sent else { return Fate::Taken };
        self.state.bytes.fetch_sub(bytes, Ordering::Relaxed);
        if fate == Fate::Dropped {
            self.drop_one();
        }
        fate
    }

    fn send(&self, overheard: Overheard) -> Result<(), Fate> {
        self.to.try_send(overheard).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Fate::Dropped,
            mpsc::error::TrySendError::Closed(_) => Fate::Unheard,
        })
    }

    fn drop_one(&self) {
        self.state.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

impl Earpiece {
    /// What came first of what waits; never waits for more.
    pub fn take(&mut self) -> Option<Overheard> {
        let overheard = self.from.try_recv().ok()?;
        self.state.bytes.fetch_sub(overheard.coded.bytes(), Ordering::Relaxed);
        Some(overheard)
    }

    /// Pieces given up since the last call, because they were not taken in time.
    pub fn take_dropped(&self) -> u64 {
        self.state.dropped.swap(0, Ordering::Relaxed)
    }
}

/// One intake, for those who overhear it.
#[derive(Debug, Default)]
pub struct Wire {
    open: AtomicBool,
    wants_keyframe: AtomicBool,
    plugs: Mutex<Vec<Plug>>,
}

#[derive(Debug)]
struct Plug {
    from: ParticipantId,
    ear: Ear,
    /// A picture was given up: those until the next keyframe are of no use.
    behind: bool,
}

impl Wire {
    /// From here on `ear` hears what comes, as of `from`; the sender is asked for a keyframe.
    pub fn plug(&self, from: ParticipantId, ear: &Ear) {
        let mut plugs = self.plugs.lock();
        // Where nothing comes, nobody else notices who has gone
        plugs.retain(|plug| !plug.ear.to.is_closed());
        plugs.push(Plug { from, ear: ear.clone(), behind: false });
        drop(plugs);
        self.wants_keyframe.store(true, Ordering::Relaxed);
        self.open.store(true, Ordering::Relaxed);
    }

    /// Whether anybody overhears it.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// Whether a keyframe is to be asked of the sender for those who overhear; once for each wish.
    pub(super) fn take_keyframe_wish(&self) -> bool {
        self.is_open() && self.wants_keyframe.swap(false, Ordering::Relaxed)
    }

    /// A picture that came.
    pub(super) fn picture(&self, unit: &ReceivedUnit) {
        if !self.is_open() {
            return;
        }
        let ReceivedUnit { annex_b, timestamp, arrival, keyframe, timing, .. } = unit;
        let coded = || Coded::Picture { annex_b: annex_b.clone(), timestamp: *timestamp, keyframe: *keyframe };
        self.each(|plug| {
            plug.behind &= !keyframe;
            if plug.behind {
                plug.ear.drop_one();
                return Fate::Dropped;
            }
            let overheard = Overheard { from: plug.from, coded: coded(), arrival: *arrival, captured: timing.captured };
            let fate = plug.ear.hear(overheard);
            if fate == Fate::Dropped {
                plug.behind = true;
                self.wants_keyframe.store(true, Ordering::Relaxed);
            }
            fate
        });
    }

    /// Sound that came; `captured` tells its RTP time as the sender's wall clock.
    pub(super) fn sound(&self, packet: &RtpPacket, captured: impl FnOnce(u32) -> Option<i64>) {
        if !self.is_open() || packet.payload.is_empty() {
            return;
        }
        // The packet's own buffer holds the whole datagram, whose end is of no use to whoever keeps it for a second
        let packet = RtpPacket { payload: Bytes::copy_from_slice(&packet.payload), ..packet.clone() };
        let captured = captured(packet.timestamp);
        self.each(|plug| {
            let coded = Coded::Sound(packet.clone());
            plug.ear.hear(Overheard { from: plug.from, coded, arrival: packet.arrival, captured })
        });
    }

    fn each(&self, mut hear: impl FnMut(&mut Plug) -> Fate) {
        let mut plugs = self.plugs.lock();
        plugs.retain_mut(|plug| hear(plug) != Fate::Unheard);
        self.open.store(!plugs.is_empty(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::Timing;

    const ANN: ParticipantId = ParticipantId(1);

    fn unit(bytes: usize, keyframe: bool) -> ReceivedUnit {
        let (arrival, timing) = (MediaTime::from_millis(7), Timing { captured: Some(5), ..Timing::default() });
        ReceivedUnit { annex_b: vec![1; bytes], timestamp: 9, arrival, keyframe, intact: true, timing }
    }

    #[test]
    fn who_is_plugged_in_hears_what_comes_and_nobody_after_they_have_gone() {
        let (wire, (ear, mut piece)) = (Wire::default(), ear());
        wire.picture(&unit(10, true));
        wire.plug(ANN, &ear);
        wire.picture(&unit(20, true));
        let coded = Coded::Picture { annex_b: vec![1; 20], timestamp: 9, keyframe: true };
        assert_eq!(piece.take(), Some(Overheard { from: ANN, coded, arrival: MediaTime::from_millis(7), captured: Some(5) }));
        assert_eq!(piece.take(), None);
        drop(piece);
        assert!(wire.is_open());
        wire.picture(&unit(20, true));
        assert!(!wire.is_open());
    }

    #[test]
    fn those_who_come_and_go_leave_nothing_behind_where_nothing_comes() {
        let wire = Wire::default();
        for _ in 0..5 {
            let (ear, _piece) = ear();
            wire.plug(ANN, &ear);
        }
        assert_eq!(wire.plugs.lock().len(), 1);
    }

    #[test]
    fn each_who_begins_to_listen_is_a_wish_for_one_keyframe() {
        let (wire, (ear, _piece)) = (Wire::default(), ear());
        assert!(!wire.take_keyframe_wish());
        wire.plug(ANN, &ear);
        assert!(wire.take_keyframe_wish() && !wire.take_keyframe_wish());
    }

    #[test]
    fn where_there_is_no_room_pictures_go_on_at_a_keyframe_that_is_asked_for() {
        let (wire, (ear, mut piece)) = (Wire::default(), ear());
        wire.plug(ANN, &ear);
        wire.take_keyframe_wish();
        (0..9).for_each(|_| wire.picture(&unit(4 << 20, false)));
        assert!(wire.take_keyframe_wish());
        assert_eq!((0..).map_while(|_| piece.take()).count(), 8);
        wire.picture(&unit(10, false));
        assert_eq!(piece.take(), None);
        wire.picture(&unit(10, true));
        wire.picture(&unit(10, false));
        assert_eq!((0..).map_while(|_| piece.take()).count(), 2);
        assert_eq!((piece.take_dropped(), piece.take_dropped()), (2, 0));
    }

    #[test]
    fn no_more_waits_than_may() {
        let (wire, (ear, mut piece)) = (Wire::default(), ear());
        wire.plug(ANN, &ear);
        let payload = Bytes::from_static(b"x");
        let packet =
            RtpPacket { sequence: 1, timestamp: 2, marker: false, ssrc: 3, layer: 0, resent: false, payload, arrival: MediaTime::ZERO };
        (0..MOST_PIECES + 5).for_each(|_| wire.sound(&packet, |_| None));
        assert_eq!((piece.take_dropped(), (0..).map_while(|_| piece.take()).count()), (5, MOST_PIECES));
    }
}
