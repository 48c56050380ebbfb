//! What a judge found, as values for tests, as JSON, and as lines to read.
//!
//! In: figures of the judges. Out: `serde::Serialize` and `Display`. Never: a judgement of its own.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::super::line::LineReport;
use super::measure::{Spread, Standstills};

/// What one bot found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BotReport {
    /// The bot's number, which its picture shows.
    pub number: u16,
    /// Its display name.
    pub name: String,
    /// How closely it looked.
    pub scrutiny: Scrutiny,
    /// Why its session ended before it was told to leave, if it did.
    pub ended: Option<String>,
    /// How long the figures were taken, in seconds.
    pub measured_s: f64,
    /// From the POST to its answer, in milliseconds.
    pub answer_ms: f64,
    /// From the POST to the established connection, in milliseconds.
    pub connected_ms: Option<f64>,
    /// From the POST to the first decoded picture (first keyframe where pictures are only counted), in milliseconds.
    pub first_frame_ms: Option<f64>,
    /// What it sent.
    pub sent: SentReport,
    /// The pictures that came.
    pub pictures: PicturesReport,
    /// The sound that came.
    pub sound: SoundReport,
    /// For each number that was seen: where, how late, how steadily.
    pub tiles: BTreeMap<u16, TileReport>,
    /// For each tone that was heard: how loud, how late.
    pub tones: BTreeMap<u16, ToneReport>,
    /// Its own tone's level less the median of the others'; `None` where no other was heard.
    pub own_tone_db: Option<f64>,
    /// For each number both seen and heard: median delay of its pictures as they came, decoded, less that of its sound as it came, in
    /// milliseconds; how long either then waits is left out of both.
    pub skew_ms: BTreeMap<u16, f64>,
    /// What its line did both ways.
    pub line: LineReport,
}

/// How closely a bot looks at what it receives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scrutiny {
    /// Decodes and reads everything.
    #[default]
    Full,
    /// Counts pictures and packets by their RTP timing only.
    Counted,
}

/// What a bot sent while it measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SentReport {
    /// Pictures.
    pub pictures: u64,
    /// Keyframes among them.
    pub keyframes: u64,
    /// Keyframes that the server asked for (PLI, FIR).
    pub keyframes_asked: u64,
    /// Sound packets.
    pub sounds: u64,
    /// Pictures and packets that found the session's queue full.
    pub dropped: u64,
    /// How late its own thread woke for each 20 ms of sound, in milliseconds: what the loaded machine, and not the
    /// server, adds to the delays.
    pub late_ms: Option<Spread>,
}

/// The pictures of a received stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PicturesReport {
    /// Pictures a second.
    pub fps: f64,
    /// Pictures received.
    pub received: u64,
    /// Keyframes among them.
    pub keyframes: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Width of the newest one that was decoded; 0 before the first.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// Where the stream stood still.
    #[serde(flatten)]
    pub standstills: Standstills,
    /// Times that a picture's packets did not join those of the one before.
    pub interruptions: u64,
    /// Pictures the decoder refused.
    pub decode_errors: u64,
    /// Keyframes asked of the server.
    pub keyframes_asked: u64,
    /// Pictures that the judge had no time to look at.
    pub unjudged: u64,
    /// How late pictures are shown that come as fast as the fastest, so that late ones are in time, in milliseconds.
    pub shown_delay_ms: Option<Spread>,
}

/// The packets of a received sound stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SoundReport {
    /// Packets received.
    pub received: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packets that never came, or too late.
    pub lost: u64,
    /// Milliseconds that were played, in whatever way.
    pub heard_ms: f64,
    /// Milliseconds that came out of in-band FEC.
    pub recovered_ms: f64,
    /// Milliseconds that were made up for what did not come, or came too late.
    pub concealed_ms: f64,
    /// How long what arrives first waited to be heard, at last, in milliseconds; no delay counts it.
    pub wait_ms: f64,
    /// Packets the decoder refused.
    pub decode_errors: u64,
}

/// One sender's tile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TileReport {
    /// Left edge in the received picture.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
    /// Whether it was in the newest picture.
    pub present: bool,
    /// The part of the judged pictures in which it was read, 0 to 1.
    pub seen_ratio: f64,
    /// How often a second it showed something newer.
    pub fps: f64,
    /// Where it stood still.
    #[serde(flatten)]
    pub standstills: Standstills,
    /// From the drawing to the shown picture, in milliseconds, for each newer picture.
    pub delay_ms: Option<Spread>,
    /// From the drawing to the decoded picture, before it waits to be shown.
    pub there_ms: Option<Spread>,
}

/// One sender's tone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ToneReport {
    /// Its median level, in dB below a full-scale sine.
    pub level_db: f64,
    /// From the block's handing over to its arrival, in milliseconds, for each pause.
    pub delay_ms: Option<Spread>,
    /// How often its wave jumped: something was cut out of it or put into it.
    pub slips: u64,
}

/// What all bots of a run found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The room.
    pub room: String,
    /// Numbers of the bots that decoded and read everything; the rest counted.
    pub fully_judged: Vec<u16>,
    /// CPU time that this process took while it measured, in seconds; `None` where the system does not tell.
    pub cpu_s: Option<f64>,
    /// The same as a part of one core, in percent.
    pub cpu_percent: Option<f64>,
    /// Each bot's findings, by number.
    pub bots: Vec<BotReport>,
}

/// A spread that may be missing, as text.
struct MaybeSpread(Option<Spread>);

impl fmt::Display for MaybeSpread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Spread { p50, p95, max, .. }) => write!(f, "{p50:>5.0} {p95:>5.0} {max:>5.0}"),
            None => write!(f, "{:>5} {:>5} {:>5}", "-", "-", "-"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "room {}: {} bots", self.room, self.bots.len())?;
        if let Some(percent) = self.cpu_percent {
            write!(f, ", {percent:.0} % of a core for the bots themselves")?;
        }
        writeln!(f, "; fully judged: {:?}", self.fully_judged)?;
        self.bots.iter().try_for_each(|bot| write!(f, "{bot}"))
    }
}

impl fmt::Display for BotReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pictures, sound, .. } = self;
        let first = self.first_frame_ms.map_or("none".into(), |ms| format!("{ms:.0} ms"));
        let shown = pictures.shown_delay_ms.map_or("-".into(), |delay| format!("{:.0}/{:.0}", delay.p50, delay.max));
        writeln!(f, "\nbot {} ({}), {:.1} s", self.number, self.name, self.measured_s)?;
        if let Some(reason) = &self.ended {
            writeln!(f, "  ENDED EARLY: {reason}")?;
        }
        writeln!(
            f,
            "  pictures: {:.1} fps, {} freezes, longest gap {:.0} ms, shown late by {shown} ms, {} keyframes, {:.0} kb/s, {} decode errors, first after {first}",
            pictures.fps,
            pictures.standstills.freezes,
            pictures.standstills.longest_gap_ms,
            pictures.keyframes,
            kilobits(pictures.bytes, self.measured_s),
            pictures.decode_errors,
        )?;
        let own = self.own_tone_db.map_or("-".into(), |db| format!("{db:.0} dB"));
        writeln!(
            f,
            "  sound: {} packets, {} lost, {:.0} ms recovered, {:.0} ms concealed, {:.0} kb/s, own tone against the others {own}",
            sound.received,
            sound.lost,
            sound.recovered_ms,
            sound.concealed_ms,
            kilobits(sound.bytes, self.measured_s),
        )?;
        self.fmt_sent(f)?;
        self.fmt_sources(f)
    }
}

impl BotReport {
    fn fmt_sent(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SentReport { pictures, keyframes_asked, sounds, dropped, .. } = self.sent;
        let Some(late) = self.sent.late_ms else { return Ok(()) };
        writeln!(
            f,
            "  sent: {pictures} pictures, {keyframes_asked} keyframes asked for, {sounds} packets, {dropped} dropped; itself late by {:.0} ms at p95, {:.0} ms at most",
            late.p95, late.max
        )
    }

    fn fmt_sources(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tiles.is_empty() && self.tones.is_empty() {
            return Ok(());
        }
        writeln!(f, "  from  tile                 seen  fps  freezes  picture p50/p95/max   level  sound p50/p95/max    skew (ms)")?;
        let numbers: std::collections::BTreeSet<_> = self.tiles.keys().chain(self.tones.keys()).collect();
        for number in numbers {
            write!(f, "  {number:>4}  ")?;
            match self.tiles.get(number) {
                Some(tile) => write!(f, "{tile}")?,
                None => write!(f, "{:<20} {:>4} {:>4}  {:>7}  {}", "-", "-", "-", "-", MaybeSpread(None))?,
            }
            match self.tones.get(number) {
                Some(tone) => write!(f, "  {:>6.1}  {}", tone.level_db, MaybeSpread(tone.delay_ms))?,
                None => write!(f, "  {:>6}  {}", "-", MaybeSpread(None))?,
            }
            writeln!(f, "  {}", self.skew_ms.get(number).map_or("    -".into(), |skew| format!("{skew:>+5.0}")))?;
        }
        Ok(())
    }
}

impl fmt::Display for TileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = format!("{}x{}+{}+{}{}", self.width, self.height, self.x, self.y, if self.present { "" } else { " gone" });
        let (seen, freezes) = (self.seen_ratio * 100.0, self.standstills.freezes);
        write!(f, "{place:<20} {seen:>3.0}% {:>4.1}  {freezes:>7}  {}", self.fps, MaybeSpread(self.delay_ms))
    }
}

fn kilobits(bytes: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { bytes as f64 * 8.0 / 1000.0 / seconds } else { 0.0 }
}
