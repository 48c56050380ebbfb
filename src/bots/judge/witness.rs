//! All that one bot noted, shared by its session (which counts), its examiner (which looks) and whoever reads the report.
//!
//! In: counts and findings. Out: the figures of a report. Never: a lock held while something is decoded.
//!
//! Pictures are judged by when they are shown ([`Viewer`]); only the skew against sound is by when both arrived, since sound's own waiting
//! is in no figure, and a receiver that shows and plays in step waits with both.

use parking_lot::Mutex;

use crate::media::{Frame, MediaTime, SAMPLE_RATE};

use super::super::picture::Sketch;
use super::super::sound::Tone;
use super::super::wall::{Epoch, Wall};
use super::measure::{Histogram, Pace};
use super::report::{BotReport, PicturesReport, Scrutiny, SoundReport};
use super::viewer::{Shown, Viewer};
use super::{Hearing, History, Sight};

/// One bot's notes.
#[derive(Debug)]
pub struct Witness {
    epoch: Epoch,
    scrutiny: Scrutiny,
    tally: Mutex<Tally>,
    sight: Mutex<Sight>,
    hearing: Mutex<Hearing>,
}

/// How missing sound was filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    /// From the next packet's in-band FEC.
    Recovered,
    /// By concealment.
    MadeUp,
}

#[derive(Debug)]
struct Tally {
    begun: MediaTime,
    pictures: PicturesReport,
    sound: SoundReport,
    viewer: Viewer,
    shown_delay: Histogram,
    pace: Pace,
    first_picture: Option<MediaTime>,
    connected: Option<MediaTime>,
    ended: Option<String>,
}

impl Witness {
    /// Notes from here on, of pictures in which senders of this size were placed.
    pub fn new(epoch: Epoch, scrutiny: Scrutiny, sent: Sketch) -> Self {
        let tally = Tally {
            begun: epoch.now(),
            pictures: PicturesReport::default(),
            sound: SoundReport::default(),
            viewer: Viewer::default(),
            shown_delay: Histogram::of_delays(),
            pace: Pace::default(),
            first_picture: None,
            connected: None,
            ended: None,
        };
        Self { epoch, scrutiny, tally: Mutex::new(tally), sight: Mutex::new(Sight::new(sent)), hearing: Mutex::default() }
    }

    /// How closely this bot looks.
    pub fn scrutiny(&self) -> Scrutiny {
        self.scrutiny
    }

    /// The clock that all bots of the process share.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// The session is established.
    pub fn connected(&self) {
        self.tally.lock().connected.get_or_insert(self.epoch.now());
    }

    /// The session ended without being told to.
    pub fn ended(&self, reason: String) {
        self.tally.lock().ended.get_or_insert(reason);
    }

    /// A whole picture of this RTP time at 90 kHz arrived.
    pub fn picture_arrived(&self, bytes: usize, keyframe: bool, interrupted: bool, timestamp: u32, at: MediaTime) {
        let mut tally = self.tally.lock();
        tally.pictures.received += 1;
        tally.pictures.bytes += bytes as u64;
        tally.pictures.keyframes += u64::from(keyframe);
        tally.pictures.interruptions += u64::from(interrupted);
        if self.scrutiny == Scrutiny::Counted {
            let shown = tally.show(timestamp, at);
            if keyframe {
                tally.first_picture.get_or_insert(shown.at);
            }
        }
    }

    /// A sound packet arrived, `lost` packets after the one before.
    pub fn sound_arrived(&self, bytes: usize, lost: u64) {
        let mut tally = self.tally.lock();
        tally.sound.received += 1;
        tally.sound.bytes += bytes as u64;
        tally.sound.lost += lost;
    }

    /// A picture of this RTP time at 90 kHz was decoded at `at`.
    pub fn picture_decoded(&self, frame: &Frame, timestamp: u32, at: MediaTime) {
        let shown = {
            let mut tally = self.tally.lock();
            let shown = tally.show(timestamp, at);
            tally.first_picture.get_or_insert(shown.at);
            (tally.pictures.width, tally.pictures.height) = (frame.width(), frame.height());
            shown
        };
        self.sight.lock().see(frame, shown.at, self.epoch.wall(shown.at), shown.waited);
    }

    /// Samples were decoded, the first of them at `place` in the stream and heard at `at`.
    pub fn sound_decoded(&self, samples: &[f32], place: u64, at: Wall) {
        self.tally.lock().sound.heard_ms += samples.len() as f64 * 1000.0 / f64::from(SAMPLE_RATE);
        self.hearing.lock().hear(samples, place, at);
    }

    /// That many milliseconds of sound were missing, and filled in some way.
    pub(super) fn sound_filled(&self, how: Fill, ms: f64) {
        let sound = &mut self.tally.lock().sound;
        match how {
            Fill::Recovered => sound.recovered_ms += ms,
            Fill::MadeUp => sound.concealed_ms += ms,
        }
    }

    /// What arrives first waits so long to be heard, and that much was made up in waiting.
    pub(super) fn sound_waits(&self, wait_ms: f64, made_up_ms: f64) {
        let sound = &mut self.tally.lock().sound;
        sound.wait_ms = wait_ms;
        sound.concealed_ms += made_up_ms;
    }

    /// A picture was refused by the decoder.
    pub fn picture_refused(&self) {
        self.tally.lock().pictures.decode_errors += 1;
    }

    /// A sound packet was refused by the decoder.
    pub fn sound_refused(&self) {
        self.tally.lock().sound.decode_errors += 1;
    }

    /// The examiner was too slow for a picture.
    pub fn picture_unjudged(&self) {
        self.tally.lock().pictures.unjudged += 1;
    }

    /// A keyframe was asked of the server.
    pub fn keyframe_asked(&self) {
        self.tally.lock().pictures.keyframes_asked += 1;
    }

    /// What it found over time: what was seen and heard not at all for a while, and how late sound was.
    pub fn history(&self) -> History {
        let now = self.epoch.wall(self.epoch.now());
        let hearing = self.hearing.lock();
        History { tiles: self.sight.lock().gaps(now), tones: hearing.gaps(now), delays: hearing.delays() }
    }

    /// Begins the measurement: counts and figures start over; when the session was established and the first picture came,
    /// and what is under way, stay.
    pub fn begin(&self) {
        let now = self.epoch.now();
        {
            let mut tally = self.tally.lock();
            tally.begun = now;
            tally.pictures = PicturesReport::default();
            tally.sound = SoundReport::default();
            tally.pace.begin(now);
            tally.shown_delay = Histogram::of_delays();
        }
        self.sight.lock().begin(now);
        self.hearing.lock().begin();
    }

    /// Fills a report with what was found up to now; `asked` is when the bot sent its POST.
    pub fn report(&self, into: &mut BotReport, asked: MediaTime) {
        let now = self.epoch.now();
        let since_asked = |at: MediaTime| at.since(asked).as_secs_f64() * 1000.0;
        {
            let tally = self.tally.lock();
            into.measured_s = now.since(tally.begun).as_secs_f64();
            into.connected_ms = tally.connected.map(since_asked);
            into.first_frame_ms = tally.first_picture.map(since_asked);
            into.ended = tally.ended.clone();
            let (fps, standstills) = (tally.pace.rate(now).unwrap_or(0.0), tally.pace.standstills(now));
            into.pictures = PicturesReport { fps, standstills, shown_delay_ms: tally.shown_delay.spread(), ..tally.pictures };
            into.sound = tally.sound;
        }
        into.scrutiny = self.scrutiny;
        into.tiles = self.sight.lock().report(now);
        let hearing = self.hearing.lock();
        into.tones = hearing.report();
        into.own_tone_db = own_tone_db(&hearing, into);
        into.skew_ms = skew_ms(into);
    }
}

impl Tally {
    /// Shows a picture that is there at `at`.
    fn show(&mut self, timestamp: u32, at: MediaTime) -> Shown {
        let shown = self.viewer.take(timestamp, at);
        self.shown_delay.note(shown.delay_ms);
        self.pace.note(shown.at);
        shown
    }
}

/// The own tone's mean level less the median of the others' levels.
fn own_tone_db(hearing: &Hearing, report: &BotReport) -> Option<f64> {
    let own = Tone::of(report.number);
    let mut others: Vec<f64> = report.tones.iter().filter(|(number, _)| **number != own.number()).map(|(_, tone)| tone.level_db).collect();
    others.sort_by(f64::total_cmp);
    let middle = others.get(others.len() / 2)?;
    Some(hearing.level_db(own)? - middle)
}

/// Bots above the number of tones share one with a lower number, and have no skew of their own.
fn skew_ms(report: &BotReport) -> std::collections::BTreeMap<u16, f64> {
    let both = report.tiles.iter().filter_map(|(&number, tile)| Some((number, tile.there_ms?, report.tones.get(&number)?.delay_ms?)));
    both.map(|(number, there, heard)| (number, there.p50 - heard.p50)).collect()
}
