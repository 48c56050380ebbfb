//! The jitter buffer: decides for each 20 ms what is decoded, recovered, concealed or left silent.
//!
//! In: Opus packets in whatever order, and the audio ticks that pull. Out: [`Step`]s, each worth some samples.
//! The sender's timestamps are one line and our ticks another; *lag* is the second less the first, in samples. A packet must
//! have come when its tick does, so the lag has to exceed its transit. The lag follows what [`Delays`](super::delay::Delays) says
//! is needed: up at once, by holding the line for a concealed block; otherwise as [`Pace`] says.
//! Never: a codec, a clock, or sound that waits 200 ms longer than it takes to come.

use std::time::Duration;

use bytes::Bytes;

use super::arrivals::{Arrivals, Continuity, Mishaps, SHORTEST, samples_at};
use super::delay::MILLISECOND;
use super::follow::Follow;
use super::pace::{Pace, Piece, Standing};
use super::wall::wall_nanos;
use crate::codec::opus;
use crate::media::{BLOCK_PERIOD, BLOCK_SAMPLES, MediaTime, RtpPacket, SAMPLE_RATE, SenderReport};

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod line;
#[cfg(test)]
mod tests;

/// 20 ms, in samples.
const BLOCK: i64 = BLOCK_SAMPLES as i64;
/// What a packet should come earlier than its tick: the wake-up of threads is no more exact.
const GUARD: i64 = 2 * MILLISECOND;
/// The most that the buffer delays what comes as fast as most packets do.
const MOST_TARGET: i64 = 200 * MILLISECOND;
/// Sound that waits beyond the target before some of it is given up.
const BACKLOG: i64 = 60 * MILLISECOND;
/// Blocks concealed in a row before the sender counts as silent: the fade-out.
pub(super) const MAX_CONCEALED: u32 = 8;
/// A longer gap in a talk spurt is a new start, in samples.
const LONGEST_GAP: i64 = 1000 * MILLISECOND;
/// A packet of so few bytes has no sound in it: the sender goes silent (RFC 6716 §2.1.9).
const DTX_BYTES: usize = 2;
/// After a loss the next packet is waited for, for its FEC, as long as this.
const FEC_WANTED: Duration = Duration::from_secs(10);
/// Clocks that drift apart are reckoned with so long ahead: it takes as long to change the delay by a block unheard.
const FORESIGHT: Duration = Duration::from_secs(25);
/// A trend counts for no more than this.
const MOST_FORESEEN: i64 = 6 * MILLISECOND;

/// What is to be played next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// This packet.
    Decode(Bytes),
    /// This packet, and then silence: the sender stops for now.
    Last(Bytes),
    /// So many samples, from the in-band FEC of the packet that follows them.
    Recover {
        /// The packet that follows.
        next: Bytes,
        /// Samples missing before it, a multiple of 120.
        samples: usize,
    },
    /// So many samples made up.
    Conceal {
        /// How many, a multiple of 120.
        samples: usize,
        /// Concealments in a row, this one included.
        run: u32,
    },
    /// Nothing is being sent.
    Idle,
}

/// One sender's packets on their way to the decoder.
#[derive(Debug, Default)]
pub(super) struct JitterBuffer {
    arrivals: Arrivals,
    /// `None` in silence.
    spurt: Option<Spurt>,
    fec_until: MediaTime,
    pace: Pace,
    follow: Follow,
    /// What is added for a picture that comes later, in samples.
    added: i64,
    report: Option<SenderReport>,
}

/// Where in a talk spurt we are.
#[derive(Debug)]
struct Spurt {
    /// Timestamp of the next sample to be decoded.
    position: i64,
    /// Samples made up while the line was held at `position`.
    held: i64,
    /// The line went on over something that had not come.
    skipped: bool,
    /// Concealments in a row.
    run: u32,
    /// Samples of a packet.
    stride: i64,
}

impl JitterBuffer {
    /// Takes a packet, in whatever order and however often it comes.
    pub(super) fn push(&mut self, packet: RtpPacket) {
        let ssrc = packet.ssrc;
        if self.arrivals.push(packet) == Continuity::Broken {
            self.spurt = None;
            self.report = self.report.filter(|report| report.ssrc == ssrc);
        }
    }

    /// Takes what the sender says of the stream's clock; one without a wall clock (RFC 3550: zero) tells nothing.
    pub(super) fn note_report(&mut self, report: SenderReport) {
        self.report = (report.ntp != 0).then_some(report);
    }

    /// What is to be played next at the tick `now`. To be asked until there is a block.
    pub(super) fn next(&mut self, now: MediaTime) -> Step {
        let now = (now, samples_at(now));
        self.arrivals.skip_padding();
        if self.is_behind() {
            self.spurt = None;
        }
        let going_on = self.spurt.is_some();
        going_on.then(|| self.go_on(now)).flatten().unwrap_or_else(|| self.start(now))
    }

    /// What the tick `now` does to come to another delay, where `buffered` decoded samples are left over, the last block was
    /// `quiet` or not, and the sender's picture comes so much later than this sound. What is cut has come.
    pub(super) fn advise(&mut self, now: MediaTime, buffered: usize, quiet: bool, skew_ms: Option<f64>) -> Piece {
        self.added = self.follow.tick(skew_ms);
        let steady = self.spurt.as_ref().is_some_and(|spurt| spurt.run == 0) && self.arrivals.delays().settled();
        if !steady {
            self.pace.rest();
            return Piece::Keep;
        }
        let Some(standing) = self.standing((now, samples_at(now)), buffered as i64, quiet) else { return Piece::Keep };
        match self.pace.advise(now, standing) {
            Piece::Cut(most, _) if self.in_line() < BLOCK + most as i64 - buffered as i64 => Piece::Keep,
            piece => piece,
        }
    }

    /// By how much faster than it was sent sound is to be played, in millionths.
    pub(super) fn ppm(&self) -> i32 {
        self.pace.ppm()
    }

    /// How long what arrives first waits until it is heard, in samples, where `buffered` decoded samples are left over after the
    /// block of `now`.
    pub(super) fn delay(&self, now: MediaTime, buffered: usize) -> Option<i64> {
        let due = samples_at(now).saturating_add(BLOCK);
        let begins = self.spurt.as_ref()?.position.saturating_sub(buffered as i64);
        Some(due.saturating_sub(begins).saturating_sub(self.arrivals.delays().least()))
    }

    /// How much later than the sender's wall clock sound is heard, in nanoseconds, where `buffered` decoded samples are left over
    /// after the block of `now`.
    pub(super) fn lateness(&self, now: MediaTime, buffered: usize) -> Option<i64> {
        let begins = self.spurt.as_ref()?.position.saturating_sub(buffered as i64);
        let due = i64::try_from((now + BLOCK_PERIOD).as_nanos()).ok()?;
        Some(due.saturating_sub(wall_nanos(&self.report?, begins as u32, SAMPLE_RATE)?))
    }

    /// Interarrival jitter, in samples (RFC 3550 §6.4.1).
    pub(super) fn jitter(&self) -> f64 {
        self.arrivals.jitter()
    }

    #[cfg(test)]
    /// The delay aimed at, in samples: 20 to 200 ms beyond the fastest packets.
    pub(super) fn target(&self, now: MediaTime) -> i64 {
        let need = self.needed(now) - self.arrivals.delays().least();
        (need.div_euclid(BLOCK) * BLOCK + BLOCK).clamp(BLOCK, MOST_TARGET)
    }

    /// What went wrong since the last call.
    pub(super) fn mishaps(&mut self) -> Mishaps {
        self.arrivals.mishaps()
    }

    /// The lag that lets hardly any packet come too late, a lost one be recovered from its successor where some are, and the
    /// picture come to its sound.
    fn needed(&self, now: MediaTime) -> i64 {
        let fec = if now < self.fec_until { BLOCK } else { 0 };
        self.arrivals.delays().needed().saturating_add(GUARD + fec + self.added).min(self.most() - BLOCK)
    }

    /// No lag is more.
    fn most(&self) -> i64 {
        self.arrivals.delays().typical().saturating_add(MOST_TARGET)
    }

    /// Whether far more waits than the lag explains, as after a stall of the line or of ourselves.
    fn is_behind(&self) -> bool {
        let most = self.most().saturating_sub(self.arrivals.delays().least()).saturating_add(BACKLOG);
        self.spurt.as_ref().is_some_and(|spurt| self.arrivals.depth(spurt.position) > most)
    }

    /// How the delay stands; `None` at a tick that decodes nothing.
    fn standing(&self, now: (MediaTime, i64), buffered: i64, quiet: bool) -> Option<Standing> {
        let spurt = self.spurt.as_ref()?;
        let (missing, stride) = (BLOCK - buffered, spurt.stride.max(1));
        if missing <= 0 {
            return None;
        }
        // Of the last packet that this tick decodes, which has the least time to come.
        let last = (missing - 1) / stride * stride;
        let (margin, grid) =
            (now.1.saturating_sub(spurt.position).saturating_sub(last).saturating_sub(self.needed(now.0)), stride.min(BLOCK));
        let shrinks = self.arrivals.delays().growth(FORESIGHT).clamp(0, MOST_FORESEEN);
        Some(Standing { margin, shrinks, waste: grid - (missing - last), grid, quiet })
    }

    /// Samples that wait without a gap.
    fn in_line(&self) -> i64 {
        self.spurt.as_ref().map_or(0, |spurt| self.arrivals.in_line(spurt.position))
    }

    /// Out of silence: the first packet is played when its time has come, or given up where much newer ones wait too.
    fn start(&mut self, now: (MediaTime, i64)) -> Step {
        self.spurt = None;
        let depth = self.needed(now.0).saturating_sub(self.arrivals.delays().least()).saturating_add(BACKLOG);
        while self.arrivals.first().is_some_and(|first| self.arrivals.depth(first.begins) > depth) {
            self.arrivals.give_up_first();
        }
        let Some(first) = self.arrivals.first() else { return Step::Idle };
        let usual = self.arrivals.delays().fits(first.transit);
        let needed = if usual { self.needed(now.0) } else { first.transit.saturating_add(GUARD) };
        // Of packets shorter than a block, all that make up the first one must have come.
        let first_block_lasts = (BLOCK - first.samples).max(0);
        if now.1.saturating_sub(first.begins).saturating_sub(first_block_lasts) < needed {
            return Step::Idle;
        }
        self.play().unwrap_or(Step::Idle)
    }

    /// Within a talk spurt; `None` where it ends here.
    fn go_on(&mut self, now: (MediaTime, i64)) -> Option<Step> {
        self.drop_late();
        let spurt = self.spurt.as_mut()?;
        let Some(first) = self.arrivals.first() else { return self.wait(now) };
        let gap = first.begins.saturating_sub(spurt.position);
        if gap.unsigned_abs() <= SHORTEST as u64 {
            return self.play();
        }
        // The sequence goes on and time has passed: the sender was silent. Or its clock was set anew.
        if self.arrivals.missing() == 0 || !(0..=LONGEST_GAP).contains(&gap) {
            return None;
        }
        // It may yet come: others have needed longer.
        if now.1.saturating_sub(spurt.position) < self.arrivals.delays().needed() {
            return self.wait(now);
        }
        let fec = opus::has_fec(&first.payload);
        if fec {
            self.fec_until = now.0 + FEC_WANTED;
        }
        self.bridge(now, gap, fec)
    }

    /// Nothing is here. The line is held, so that what comes late is played late; where that would be too late, it goes on.
    fn wait(&mut self, now: (MediaTime, i64)) -> Option<Step> {
        let most = self.most();
        let spurt = self.spurt.as_mut()?;
        spurt.run += 1;
        if spurt.run > MAX_CONCEALED {
            return None;
        }
        let lag = now.1.saturating_sub(spurt.position).saturating_add(BLOCK);
        if lag <= most {
            spurt.held += BLOCK;
        } else {
            spurt.position = spurt.position.saturating_add(BLOCK);
            spurt.skipped = true;
        }
        Some(Step::Conceal { samples: BLOCK_SAMPLES, run: spurt.run })
    }

    /// Packets are missing before the first that waits, `gap` samples in all. What was made up while waiting for them
    /// counts; a single block of that does not, where FEC can still give it: the lag it costs lets FEC give the next in time.
    fn bridge(&mut self, now: (MediaTime, i64), gap: i64, fec: bool) -> Option<Step> {
        let most = self.needed(now.0).saturating_add(BLOCK).min(self.most());
        let first = self.arrivals.first()?;
        let reach = if fec { first.samples } else { 0 };
        let (begins, next) = (first.begins, first.payload.clone());
        let spurt = self.spurt.as_mut()?;
        let affords_lag = now.1.saturating_sub(spurt.position) <= most;
        if gap > reach || spurt.held > BLOCK || !affords_lag {
            spurt.position += std::mem::take(&mut spurt.held).min(gap);
            spurt.skipped = true;
        }
        match begins - spurt.position {
            ..=SHORTEST => self.play(),
            gap if gap <= reach => self.recover(next, gap),
            gap => self.conceal(gap - reach),
        }
    }

    fn recover(&mut self, next: Bytes, gap: i64) -> Option<Step> {
        self.arrivals.lose_missing();
        let spurt = self.spurt.as_mut()?;
        spurt.position = spurt.position.saturating_add(gap);
        (spurt.held, spurt.run, spurt.skipped) = (0, 0, false);
        Some(Step::Recover { next, samples: whole_frames(gap) })
    }

    fn conceal(&mut self, gap: i64) -> Option<Step> {
        let spurt = self.spurt.as_mut()?;
        spurt.run += 1;
        if spurt.run > MAX_CONCEALED {
            return None;
        }
        let samples = whole_frames(gap.clamp(SHORTEST, BLOCK));
        spurt.position = spurt.position.saturating_add(samples as i64);
        spurt.skipped = true;
        Some(Step::Conceal { samples, run: spurt.run })
    }

    fn play(&mut self) -> Option<Step> {
        let packet = self.arrivals.take_first()?;
        if packet.payload.len() <= DTX_BYTES {
            self.spurt = None;
            return Some(Step::Last(packet.payload));
        }
        let position = packet.begins.saturating_add(packet.samples);
        self.spurt = Some(Spurt { position, held: 0, skipped: false, run: 0, stride: packet.samples });
        Some(Step::Decode(packet.payload))
    }

    /// What came when its place had been made up.
    fn drop_late(&mut self) {
        let Some(spurt) = self.spurt.as_ref().filter(|spurt| spurt.skipped) else { return };
        let late = |begins: i64| (SHORTEST + 1..=LONGEST_GAP).contains(&spurt.position.saturating_sub(begins));
        while self.arrivals.first().is_some_and(|first| late(first.begins)) {
            self.arrivals.drop_late();
        }
    }
}

/// The samples that a codec can make up: whole 2.5 ms.
fn whole_frames(samples: i64) -> usize {
    (samples / SHORTEST * SHORTEST) as usize
}
