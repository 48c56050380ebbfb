//! Hears whose tones are in the sound that comes back, how loud, and how late.
//!
//! In: decoded samples by their place in the stream, with the moment their packet arrived. Out: each tone's level, and the
//! delay of its pauses. Never: a playout buffer's delay; a sample is heard when its packet arrives plus its place in it.
//!
//! A tone's amplitude is taken every 5 ms over 20 ms (Hann). A pause is where it is below half of what it was; the middle
//! between its edges is known at the sender, and blurring by codecs moves both edges apart alike.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use crate::media::SAMPLE_RATE;

use super::super::sound::{PAUSE_MS, Tone};
use super::super::wall::Wall;
use super::filter::{Filter, long_filters, short_filters};
use super::history::{DelayAt, Delays, Gap, Presence};
use super::measure::Histogram;
use super::report::ToneReport;
use super::slips::Slips;

/// Samples between two readings of the amplitude: 5 ms.
const HOP: usize = 240;
/// Samples of history kept beyond what the filters need, before it is cut.
const SLACK: usize = 24_000;
/// Tones below this amplitude (−50 dBFS) are not there; their pauses are not looked for.
const FAINTEST: f32 = 0.003;
/// How far a pause's length may be off: more is a gap of another cause.
const PAUSE_SLACK_MS: f64 = 20.0;
/// What the remembered full amplitude loses every 5 ms, so that it follows a tone turned down within some seconds.
const FORGETTING: f32 = 0.9995;
/// Where a tone is louder than this part of what it was, its phase is its own and not a pause's edge.
const STEADY: f32 = 0.7;
/// Delays are known modulo a second; beyond this they count as negative.
const LATEST_MS: f64 = 950.0;
/// All tones are sent at one level: what is never louder than this below the loudest is a trace that codecs made of others.
const TRACES_DB: f64 = 20.0;
/// A tone that is not heard for longer is gone: its own pause is shorter.
const USUAL_MS: f64 = PAUSE_MS + 40.0;

/// Judges one stream of sound.
#[derive(Debug)]
pub struct Hearing {
    history: Vec<f32>,
    /// The stream's place of the first sample of `history`.
    begins: u64,
    /// Places in the stream and when they were heard, one for each packet of the history.
    arrivals: VecDeque<(u64, Wall)>,
    next_reading: u64,
    next_level: u64,
    tones: BTreeMap<Tone, Heard>,
}

#[derive(Debug)]
struct Heard {
    /// Whether it was there in the last 200 ms; pauses of what is not are not looked for.
    audible: bool,
    amplitude: f32,
    full: f32,
    fell: Option<f64>,
    presence: Presence,
    slips: Slips,
    delay: Histogram,
    delays: Delays,
    levels: Histogram,
    power: f64,
    /// Power beside the tone, where only codecs' noise is.
    noise: f64,
    readings: u64,
}

impl Default for Hearing {
    fn default() -> Self {
        let tones = Tone::all().map(|tone| (tone, Heard::default())).collect();
        Self { history: Vec::new(), begins: 0, arrivals: VecDeque::new(), next_reading: 0, next_level: 0, tones }
    }
}

impl Hearing {
    /// Judges `samples` whose first is at `place` in the stream and was heard at `at`.
    pub fn hear(&mut self, samples: &[f32], place: u64, at: Wall) {
        if place != self.begins + self.history.len() as u64 {
            self.restart(place);
        }
        self.history.extend_from_slice(samples);
        self.arrivals.push_back((place, at));
        self.read_amplitudes();
        self.read_levels();
        self.forget();
    }

    fn restart(&mut self, place: u64) {
        self.history.clear();
        self.arrivals.clear();
        (self.begins, self.next_reading, self.next_level) = (place, place, place);
        for heard in self.tones.values_mut() {
            (heard.amplitude, heard.fell) = (0.0, None);
            heard.slips.restart();
        }
    }

    fn window(&self, place: u64, length: usize) -> Option<&[f32]> {
        let from = (place - self.begins) as usize;
        self.history.get(from..from + length)
    }

    fn read_amplitudes(&mut self) {
        let filters = short_filters();
        let reach = Filter::SHORT;
        while self.window(self.next_reading, reach).is_some() {
            let centre = (self.next_reading + reach as u64 / 2) as f64;
            let heard_at = self.heard_at_ms(centre);
            let followed: Vec<Tone> = self.tones.iter().filter(|(_, heard)| heard.is_followed()).map(|(&tone, _)| tone).collect();
            for tone in followed {
                let filter = &filters[&tone];
                let (amplitude, phase) =
                    self.window(self.next_reading, reach).map_or((0.0, 0.0), |window| filter.amplitude_and_phase(window));
                self.note_amplitude(tone, amplitude, centre);
                let Some(heard) = self.tones.get_mut(&tone) else { continue };
                heard.note_presence(heard_at);
                heard.slips.note(phase, tone.hertz(), amplitude > STEADY * heard.full && heard.full > FAINTEST);
            }
            self.next_reading += HOP as u64;
        }
    }

    /// Follows one tone into its pauses and out of them.
    fn note_amplitude(&mut self, tone: Tone, amplitude: f32, centre: f64) {
        let Some(heard) = self.tones.get_mut(&tone) else { return };
        heard.full = (heard.full * FORGETTING).max(amplitude);
        let half = heard.full / 2.0;
        let before = std::mem::replace(&mut heard.amplitude, amplitude);
        if heard.full < FAINTEST || (before < half) == (amplitude < half) {
            return;
        }
        let crossed = centre - HOP as f64 * f64::from((half - amplitude) / (before - amplitude));
        if amplitude < half {
            heard.fell = Some(crossed);
            return;
        }
        let Some(fell) = heard.fell.take() else { return };
        let lasted_ms = (crossed - fell) * 1000.0 / f64::from(SAMPLE_RATE);
        if (lasted_ms - PAUSE_MS).abs() > PAUSE_SLACK_MS {
            return;
        }
        if let (Some(from), Some(to)) = (self.heard_at_ms(fell), self.heard_at_ms(crossed)) {
            let delay_ms = delay_of_pause(tone, (from + to) / 2.0);
            let heard = self.tones.entry(tone).or_default();
            heard.delay.note(delay_ms);
            heard.delays.note(wall_of_ms(to), delay_ms);
        }
    }

    /// When a place of the stream was heard, in milliseconds since 1970.
    fn heard_at_ms(&self, place: f64) -> Option<f64> {
        let (begins, at) = self.arrivals.iter().rev().find(|(begins, _)| *begins as f64 <= place)?;
        Some(at.as_micros() as f64 / 1000.0 + (place - *begins as f64) * 1000.0 / f64::from(SAMPLE_RATE))
    }

    fn read_levels(&mut self) {
        let filters = long_filters();
        let (history, begins, reach) = (&self.history, self.begins, Filter::LONG);
        while let Some(window) = history.get((self.next_level - begins) as usize..).and_then(|rest| rest.get(..reach)) {
            for (tone, heard) in &mut self.tones {
                let [amplitude, below, above] = filters[tone].each_ref().map(|filter| f64::from(filter.amplitude(window)));
                heard.audible = amplitude > f64::from(FAINTEST) / 2.0;
                heard.levels.note(20.0 * amplitude.max(1e-7).log10());
                heard.power += amplitude * amplitude;
                heard.noise += (below * below + above * above) / 2.0;
                heard.readings += 1;
            }
            self.next_level += reach as u64;
        }
    }

    /// Drops history that no filter needs any more.
    fn forget(&mut self) {
        let needed = (self.next_reading.min(self.next_level) - self.begins) as usize;
        if needed < SLACK {
            return;
        }
        self.history.drain(..needed);
        self.begins += needed as u64;
        // The edges of a pause are looked up when it ends: arrivals are kept for a second.
        let oldest = self.begins.saturating_sub(u64::from(SAMPLE_RATE));
        while self.arrivals.get(1).is_some_and(|(place, _)| *place <= oldest) {
            self.arrivals.pop_front();
        }
    }

    /// Begins the measurement: figures are forgotten, pauses under way are not.
    pub fn begin(&mut self) {
        for heard in self.tones.values_mut() {
            let before = std::mem::take(heard);
            let Heard { audible, amplitude, full, fell, presence, .. } = before;
            *heard = Heard { audible, amplitude, full, fell, presence, ..Heard::default() };
            heard.presence.begin();
        }
    }

    /// What was heard of each tone that is there.
    pub fn report(&self) -> BTreeMap<u16, ToneReport> {
        let reports = self.tones.iter().map(|(tone, heard)| (tone.number(), heard.report()));
        reports.filter(|(_, report)| report.level_db > f64::from(20.0 * FAINTEST.log10())).collect()
    }

    /// Where each tone that was there was not.
    pub(super) fn gaps(&self, now: Wall) -> BTreeMap<u16, Vec<Gap>> {
        self.known().map(|(number, heard)| (number, heard.presence.gaps(now, USUAL_MS))).collect()
    }

    /// When each tone was heard, but for gaps of no more than `away_ms`, and what was heard of it then: also of those that have ended.
    pub(super) fn stays(&self, away_ms: f64) -> BTreeMap<u16, (Vec<Range<Wall>>, ToneReport)> {
        let all = self.tones.iter().map(|(tone, heard)| (tone.number(), heard.presence.stays(away_ms), heard));
        let loudest = |heard: &Heard| heard.levels.spread().map_or(f64::MIN, |spread| spread.max);
        let most = self.tones.values().map(loudest).fold(f64::MIN, f64::max);
        let there = all.filter(|(_, stays, heard)| !stays.is_empty() && loudest(heard) > most - TRACES_DB);
        there.map(|(number, stays, heard)| (number, (stays, heard.report()))).collect()
    }

    /// Each pause's delay.
    pub(super) fn delays(&self) -> BTreeMap<u16, Vec<DelayAt>> {
        self.known().map(|(number, heard)| (number, heard.delays.all())).collect()
    }

    fn known(&self) -> impl Iterator<Item = (u16, &Heard)> {
        self.tones.iter().filter(|(_, heard)| heard.full > FAINTEST).map(|(tone, heard)| (tone.number(), heard))
    }

    /// The mean level of one tone in dBFS, however faint; `None` before the first reading.
    ///
    /// The codecs' noise, measured beside the tone, is taken off; what is left is known to a tenth of that noise.
    pub fn level_db(&self, tone: Tone) -> Option<f64> {
        let heard = self.tones.get(&tone).filter(|heard| heard.readings > 0)?;
        let power = (heard.power - heard.noise).max(heard.noise / 10.0) / heard.readings as f64;
        Some(10.0 * power.max(1e-14).log10())
    }
}

fn delay_of_pause(tone: Tone, heard_at_ms: f64) -> f64 {
    let delay = (heard_at_ms - tone.pause_begins_ms() - PAUSE_MS / 2.0).rem_euclid(1000.0);
    if delay > LATEST_MS { delay - 1000.0 } else { delay }
}

fn wall_of_ms(millis: f64) -> Wall {
    Wall::from_micros((millis * 1000.0) as u64)
}

impl Default for Heard {
    fn default() -> Self {
        Self {
            audible: true,
            amplitude: 0.0,
            full: 0.0,
            fell: None,
            presence: Presence::default(),
            slips: Slips::default(),
            delay: Histogram::of_delays(),
            delays: Delays::default(),
            levels: Histogram::of_levels(),
            power: 0.0,
            noise: 0.0,
            readings: 0,
        }
    }
}

impl Heard {
    /// Whether its pauses and its gaps are looked for; of what was there lately, its coming back.
    fn is_followed(&self) -> bool {
        self.audible || self.full > FAINTEST
    }

    fn note_presence(&mut self, heard_at_ms: Option<f64>) {
        if let Some(ms) = heard_at_ms.filter(|_| self.full > FAINTEST && self.amplitude >= self.full / 2.0) {
            self.presence.note(wall_of_ms(ms), USUAL_MS);
        }
    }

    fn report(&self) -> ToneReport {
        let level_db = self.levels.percentile(0.5).unwrap_or(f64::NEG_INFINITY);
        ToneReport { level_db, delay_ms: self.delay.spread(), slips: self.slips.count() }
    }
}

#[cfg(test)]
mod tests;
