//! What leaves when, on one client's line.
//!
//! In: the room's pictures and sounds, what the client says of what it got, time. Out: packets that are to leave at once, in the order
//! of their worth: sound, retransmissions, pictures, what probes the line. Never: a sound that waits, a burst of the rest above
//! [`BURST`] times the estimate, or a clock: everything takes `now`.

mod echo;
mod estimate;
mod history;
pub(super) mod ledger;
mod outage;
mod pace;
mod pictures;
mod probe;
mod repair;
#[cfg(test)]
mod sim;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rtc::rtp;

use self::echo::Echo;
use self::estimate::Estimator;
use self::ledger::Fate;
use self::outage::Outage;
use self::pace::Pace;
use self::pictures::PictureLine;
use self::probe::Prober;
pub(super) use self::repair::RtxStream;
use self::repair::{Line, Repair};
use super::sending::Packetizer;
use crate::media::{EncodedPicture, EncodedSound, MediaTime};

/// How fast what is not sound may leave, of the estimate.
const BURST: f64 = 2.5;
/// The same on a line that was full of late, or of which nothing is known yet.
const CAREFUL_BURST: f64 = 1.15;
/// A line of less, in bits a second, carries little besides sound: what stands in its queue delays that.
const NARROW: f64 = 200_000.0;
/// How long a line that was full is treated with care.
const CARE: Duration = Duration::from_secs(4);
/// The pictures that may wait.
const MAX_WAIT: Duration = Duration::from_millis(100);
/// The rest of a picture that would take longer than this on a line that became slow is given up.
const HOPELESS: Duration = Duration::from_millis(500);
/// What waits for a dead line to come back is given up after this.
const STALE: Duration = Duration::from_millis(400);
/// Before it is known.
const ROUND_TRIP: Duration = Duration::from_millis(100);
/// IP, UDP, RTP with its extension, and the tag of SRTP.
const HEADERS: usize = 28 + 20 + 10;
/// Between requests for keyframes on behalf of a slow line: at first, and at most.
const ASK_AGAIN: Duration = Duration::from_millis(500);
const ASK_AT_LAST: Duration = Duration::from_secs(4);

/// What a client says of what it got.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// What became of packets, as TWCC tells it.
    Fates(Vec<Fate>),
    /// Pictures' packets that it lacks (RFC 4585 §6.2.1).
    Lacks(Vec<u16>),
    /// The part of the pictures' packets that it lost (RFC 3550 §6.4.1), 0 to 1.
    Lost(f32),
    /// What it takes at most, in bits a second (REMB).
    Takes(f64),
}

/// What a packet that leaves is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A sound.
    Sound,
    /// Of a picture.
    Picture,
    /// A picture's, once more.
    Again,
    /// Only to learn what the line takes.
    Probe,
}

/// One client's line.
#[derive(Debug)]
pub(super) struct Pacing {
    audio: Option<Packetizer>,
    video: Option<Packetizer>,
    sounds: VecDeque<rtp::Packet>,
    echo: Echo,
    pictures: PictureLine,
    /// The timestamp of the picture that is leaving.
    timestamp: u32,
    repair: Repair,
    pace: Pace,
    estimator: Estimator,
    prober: Prober,
    outage: Outage,
    /// The client is to tell what becomes of each packet.
    is_numbered: bool,
    round_trip: Duration,
    reported_loss: f32,
    ask_at: MediaTime,
    ask_wait: Duration,
    /// How long the last picture that left had waited.
    pub(super) waited: Option<Duration>,
}

impl Pacing {
    /// Of these streams, with retransmissions as RTX where there is a stream for them; `is_numbered` where packets carry transport-wide
    /// numbers.
    pub(super) fn new(audio: Option<Packetizer>, video: Option<Packetizer>, rtx: Option<RtxStream>, is_numbered: bool) -> Self {
        let repair = Repair::new(rtx);
        let estimator = Estimator::new(is_numbered && repair.can_fill());
        Self {
            audio,
            video,
            sounds: VecDeque::new(),
            echo: Echo::default(),
            pictures: PictureLine::default(),
            timestamp: 0,
            repair,
            pace: Pace::new(estimate::INITIAL_BPS),
            estimator,
            prober: Prober::default(),
            outage: Outage::default(),
            is_numbered,
            round_trip: ROUND_TRIP,
            reported_loss: 0.0,
            ask_at: MediaTime::ZERO,
            ask_wait: ASK_AGAIN,
            waited: None,
        }
    }

    /// What the line takes of sound and pictures, in bits a second on the wire: what retransmissions need is taken off.
    pub(super) fn media_bps(&self) -> f64 {
        let loss = f64::from(self.loss()).min(0.5);
        self.estimate_bps() * (1.0 - loss)
    }

    /// Whether anything has told what the line takes.
    pub(super) fn is_known(&self) -> bool {
        self.estimator.is_known()
    }

    fn estimate_bps(&self) -> f64 {
        self.estimator.bps()
    }

    fn loss(&self) -> f32 {
        self.estimator.loss().map_or(self.reported_loss, |loss| loss as f32)
    }

    /// Takes a sound.
    pub(super) fn sound(&mut self, sound: &EncodedSound) {
        self.sounds.extend(self.audio.as_mut().map(|packetizer| packetizer.sound(sound)));
    }

    /// Takes a picture; gives the number of pictures that are lost by it.
    pub(super) fn picture(&mut self, picture: Arc<EncodedPicture>, now: MediaTime) -> usize {
        if self.video.is_none() {
            return 0;
        }
        self.set_pace(now);
        // On a dead line only a keyframe is worth keeping: the line may come back soon after it
        let begins_anew = self.outage.is_on(self.round_trip, now) && picture.keyframe;
        let lost = if begins_anew { self.pictures.clear() } else { 0 };
        lost + self.pictures.offer(picture, self.pace.bytes_in(MAX_WAIT), now)
    }

    /// Takes what the client says; gives the number of pictures or retransmissions that are given up by it.
    pub(super) fn hear(&mut self, said: Said, now: MediaTime) -> usize {
        match said {
            Said::Fates(fates) => self.hear_fates(fates, now),
            Said::Lacks(sequences) => {
                let has_room = !self.estimator.was_full(CARE, now);
                let line = Line { round_trip: self.round_trip, loss: self.loss(), has_room, estimate_bps: self.estimate_bps() };
                self.repair.ask(&sequences, line, now)
            }
            Said::Lost(loss) => {
                self.reported_loss = loss;
                self.estimator.note_reported_loss(loss.into());
                0
            }
            Said::Takes(bps) => {
                self.estimator.note_limit(bps);
                0
            }
        }
    }

    /// Lets time pass: to be called at least every 50 ms. `wanted_bps` is what would be of use, as [`Pacing::media_bps`] counts. Gives the
    /// number of pictures that are given up.
    pub(super) fn advance(&mut self, round_trip: Option<Duration>, wanted_bps: Option<f64>, now: MediaTime) -> usize {
        self.round_trip = round_trip.unwrap_or(self.round_trip);
        if self.outage.is_on(self.round_trip, now) {
            return if self.pictures.age(now) > STALE { self.pictures.clear() } else { 0 };
        }
        if let Some(proven) = self.prober.verdict(self.estimate_bps(), self.round_trip, now) {
            self.estimator.prove(proven);
        }
        let is_quiet = self.pictures.is_empty() && !self.estimator.was_full(CARE, now) && !self.estimator.is_trying();
        if is_quiet && self.outage.has_heard() && self.repair.can_fill() {
            let repeated = self.estimate_bps() / self.media_bps();
            self.prober.begin(self.estimate_bps(), wanted_bps.unwrap_or(0.0) * repeated, now);
        }
        0
    }

    /// A keyframe is to be made on this client's behalf; each answer of yes is to be followed by a request.
    pub(super) fn wants_keyframe(&mut self, now: MediaTime) -> bool {
        let is_due = self.pictures.lacks_keyframe() && now >= self.ask_at && !self.outage.is_on(self.round_trip, now);
        if is_due {
            // A line that falls behind again soon after costs the others: it is to ask more and more rarely
            let was_long_ago = now.since(self.ask_at) > 2 * ASK_AT_LAST;
            self.ask_wait = if was_long_ago { ASK_AGAIN } else { (self.ask_wait * 2).min(ASK_AT_LAST) };
            self.ask_at = now + self.ask_wait;
        }
        is_due
    }

    /// The next packet that is to leave.
    pub(super) fn next(&mut self, now: MediaTime) -> Option<(What, rtp::Packet)> {
        let (what, packet) = self.next_sound(now).or_else(|| self.next_paced(now))?;
        self.pace.spend(now, packet.payload.len() + HEADERS);
        if self.is_numbered {
            self.outage.leave(now);
        }
        Some((what, packet))
    }

    /// When to call [`Pacing::next`] again, where something waits.
    pub(super) fn deadline(&self, now: MediaTime) -> Option<MediaTime> {
        if self.outage.is_on(self.round_trip, now) {
            return None;
        }
        let waits = !self.pictures.is_empty() || self.fills(now);
        let due = if waits { Some(now) } else { self.repair.due() };
        let paced = due.map(|due| due.max(self.pace.next()));
        paced.into_iter().chain(self.echo.due()).min()
    }

    /// The connection is looked for again: nothing waits for it.
    pub(super) fn close(&mut self) {
        self.pictures = PictureLine::default();
        self.sounds.clear();
        self.echo = Echo::default();
    }

    fn hear_fates(&mut self, mut fates: Vec<Fate>, now: MediaTime) -> usize {
        if fates.iter().any(|fate| fate.came.is_some()) && self.outage.hear(self.round_trip, now) {
            self.estimator.resume(now);
            (self.ask_at, self.ask_wait) = (now, ASK_AGAIN);
        }
        fates.retain(|fate| !self.outage.took(fate.left));
        fates.iter().for_each(|fate| self.prober.note(fate));
        let before = self.estimate_bps();
        self.estimator.note(&fates, self.round_trip, now);
        if self.estimate_bps() >= before {
            return 0;
        }
        self.prober.put_off(now);
        self.set_pace(now);
        self.pictures.shorten(self.pace.bytes_in(MAX_WAIT), self.pace.bytes_in(HOPELESS))
    }

    fn set_pace(&mut self, now: MediaTime) {
        let is_unknown = self.is_numbered && !self.outage.has_heard();
        let is_delicate = is_unknown || self.estimator.was_full(CARE, now) || self.estimator.is_trying();
        let estimate = self.estimate_bps();
        let burst = match (estimate < NARROW, is_delicate) {
            (true, _) => 1.0,
            (false, true) => CAREFUL_BURST,
            (false, false) => BURST,
        };
        self.pace.set(self.prober.rate(now).unwrap_or(estimate * burst));
    }

    /// Sound waits for nothing.
    fn next_sound(&mut self, now: MediaTime) -> Option<(What, rtp::Packet)> {
        let Some(packet) = self.sounds.pop_front() else { return self.echo.next(now).map(|packet| (What::Again, packet)) };
        let loss = self.roomy_loss(now);
        self.echo.keep(&packet, loss, now);
        Some((What::Sound, packet))
    }

    /// What is lost on a line with room for far more than is sent, where packets tell it.
    fn roomy_loss(&self, now: MediaTime) -> Option<f64> {
        let has_room = self.is_numbered && self.estimator.is_little_sent() && !self.estimator.was_full(CARE, now);
        has_room.then(|| self.estimator.loss()).flatten()
    }

    /// The part of what was sent that was lost, 0 to 1, where packets tell it.
    pub(super) fn told_loss(&self) -> Option<f64> {
        self.estimator.loss().filter(|_| self.is_numbered)
    }

    fn next_paced(&mut self, now: MediaTime) -> Option<(What, rtp::Packet)> {
        self.set_pace(now);
        if !self.pace.is_free(now) || self.outage.is_on(self.round_trip, now) {
            return None;
        }
        let again = self.repair.next(now).map(|packet| (What::Again, packet));
        again.or_else(|| self.next_of_picture(now)).or_else(|| {
            let filler = self.fills(now).then(|| self.repair.filler()).flatten()?;
            Some((What::Probe, filler))
        })
    }

    fn next_of_picture(&mut self, now: MediaTime) -> Option<(What, rtp::Packet)> {
        let packetizer = self.video.as_mut()?;
        let leaving = self.pictures.take()?;
        if leaving.is_first {
            self.timestamp = packetizer.stamp(leaving.at);
        }
        let packet = packetizer.packet(&leaving.payload, self.timestamp, leaving.is_last);
        let loss = self.roomy_loss(now).map(|loss| loss as f32);
        self.repair.keep(&packet, leaving.is_first && leaving.keyframe, loss, now);
        if leaving.is_last {
            self.waited = Some(now.since(leaving.since));
        }
        Some((What::Picture, packet))
    }

    fn fills(&self, now: MediaTime) -> bool {
        self.prober.rate(now).is_some() && self.repair.history.can_fill()
    }
}
