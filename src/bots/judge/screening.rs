//! Judges a film: a recording of a mix, whose times are its own.
//!
//! In: its pictures, then its sounds, in order and by their times in it; about when it was made. Out: whom it shows where, whom it has
//! heard, from when to when, and how far picture and sound of each are apart. Never: how late anything is: a film does not tell.
//!
//! Marks carry the time at which they were drawn. The first that is read tells when the film began; whatever it was late by, all is.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use serde::Serialize;

use crate::codec::h264::Decoder;
use crate::codec::opus::{AudioDecoder, MAX_PACKET_SAMPLES};
use crate::codec::{DecodeError, VideoDecoder};
use crate::media::{Frame, MediaTime, Rect, SAMPLE_RATE};

use super::super::mark::{self, Luma};
use super::super::picture::Sketch;
use super::super::wall::Wall;
use super::{Hearing, Sight};

/// What the first mark is taken to be late by, so that whatever is earlier than it is late as well.
const FIRST_LATE: Duration = Duration::from_millis(300);
/// Who is not seen or heard for longer was away; for less, it is an interruption.
const AWAY_MS: f64 = 1000.0;
/// Pixels that a place may be read off by.
const SLACK: u32 = 6;
/// Pauses of tones tell the time modulo this.
const SECOND_MS: f64 = 1000.0;

/// Looks at one film.
pub struct Screening {
    sight: Sight,
    hearing: Hearing,
    pictures: Decoder,
    sound: AudioDecoder,
    samples: Vec<f32>,
    /// About when the film was made; the time of its beginning, once a mark was read.
    near: Wall,
    begins: Option<Wall>,
    places: BTreeMap<u16, Vec<Place>>,
    told: FilmReport,
}

/// What a film shows and has to hear.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FilmReport {
    /// Its length in seconds.
    pub length_s: f64,
    /// Pictures that were decoded.
    pub pictures: u64,
    /// Pieces of sound that were decoded.
    pub sounds: u64,
    /// Pictures and packets that decoders refused.
    pub refused: u64,
    /// Those who were seen or heard, by number.
    pub people: BTreeMap<u16, FilmedReport>,
}

/// One sender in a film.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FilmedReport {
    /// Where it was seen, from when to when.
    pub places: Vec<Place>,
    /// Times in which its picture stood still for over 150 ms and less than a second, or was hidden.
    pub standstills: usize,
    /// From when to when it was heard, in seconds.
    pub heard: Vec<Range<f64>>,
    /// How often its tone's wave jumped.
    pub slips: u64,
    /// Median age of its pictures less that of its sound, in milliseconds, within ± 500.
    pub skew_ms: Option<f64>,
}

/// A place in the picture, in pixels, and the times in which a sender had it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    /// From when, in seconds.
    pub from_s: f64,
    /// To when.
    pub to_s: f64,
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Screening {
    /// Of a film made near this time, within nine hours, in which senders of this size were placed.
    ///
    /// # Errors
    /// Where there is no memory for a decoder.
    pub fn new(near: Wall, sent: Sketch) -> Result<Self, DecodeError> {
        Ok(Self {
            sight: Sight::new(sent),
            hearing: Hearing::default(),
            pictures: Decoder::new(),
            sound: AudioDecoder::new()?,
            samples: Vec::new(),
            near,
            begins: None,
            places: BTreeMap::new(),
            told: FilmReport::default(),
        })
    }

    /// Looks at a picture in Annex B form.
    pub fn picture(&mut self, annex_b: &[u8], at: Duration) {
        match self.pictures.decode(annex_b) {
            Ok(Some(frame)) => self.look(&frame, at),
            Ok(None) => {}
            Err(_) => self.told.refused += 1,
        }
    }

    /// Listens to an Opus packet; all pictures come before the first.
    pub fn sound(&mut self, packet: &[u8], at: Duration) {
        let mut samples = std::mem::take(&mut self.samples);
        samples.resize(MAX_PACKET_SAMPLES, 0.0);
        match self.sound.decode(packet, &mut samples) {
            Ok(count) => self.samples(&samples[..count], at),
            Err(_) => self.told.refused += 1,
        }
        self.samples = samples;
    }

    /// The same for samples, of one channel at 48 kHz.
    pub fn samples(&mut self, samples: &[f32], at: Duration) {
        self.told.sounds += 1;
        self.lasts_to(at + Duration::from_secs(samples.len() as u64) / SAMPLE_RATE);
        let place = (at.as_secs_f64() * f64::from(SAMPLE_RATE)).round() as u64;
        self.hearing.hear(samples, place, self.wall(at));
    }

    /// What was found.
    pub fn report(&self) -> FilmReport {
        let end = Duration::from_secs_f64(self.told.length_s);
        let tiles = self.sight.report(MediaTime::ZERO + end);
        let heard = self.hearing.stays(AWAY_MS);
        let (unseen, mut people) = (self.sight.gaps(self.wall(end)), BTreeMap::<u16, FilmedReport>::new());
        for (&number, tile) in &tiles {
            let standstills = unseen.get(&number).map_or(0, |gaps| gaps.iter().filter(|gap| gap.ms() <= AWAY_MS).count());
            let places = self.places.get(&number).cloned().unwrap_or_default();
            let late_ms = tile.there_ms.zip(heard.get(&number).and_then(|(_, tone)| tone.delay_ms));
            let skew_ms = late_ms.map(|(seen, heard)| (seen.p50 - heard.p50 + SECOND_MS / 2.0).rem_euclid(SECOND_MS) - SECOND_MS / 2.0);
            people.insert(number, FilmedReport { places, standstills, skew_ms, ..FilmedReport::default() });
        }
        for (number, (stays, tone)) in heard {
            let person = people.entry(number).or_default();
            person.heard = stays.iter().map(|stay| self.seconds(stay.start)..self.seconds(stay.end)).collect();
            person.slips = tone.slips;
        }
        FilmReport { people, ..self.told.clone() }
    }

    fn look(&mut self, frame: &Frame, at: Duration) {
        self.told.pictures += 1;
        self.lasts_to(at);
        if self.begins.is_none() {
            let luma = Luma { width: frame.width() as usize, height: frame.height() as usize, plane: frame.planes()[0] };
            let Some((_, stamp)) = mark::find(luma).into_iter().next() else { return };
            let drawn_us = self.near.as_micros() as f64 - 1000.0 * self.near.since_stamp_ms(stamp.millis);
            let late_us = (at.as_micros() as i64 - FIRST_LATE.as_micros() as i64) as f64;
            self.begins = Some(Wall::from_micros((drawn_us - late_us) as u64));
        }
        self.sight.see(frame, MediaTime::ZERO + at, self.wall(at), Duration::ZERO);
        for (number, rect) in self.sight.present() {
            note_place(self.places.entry(number).or_default(), rect, at.as_secs_f64());
        }
    }

    fn lasts_to(&mut self, end: Duration) {
        self.told.length_s = self.told.length_s.max(end.as_secs_f64());
    }

    fn wall(&self, at: Duration) -> Wall {
        Wall::from_micros(self.begins.unwrap_or(self.near).as_micros() + at.as_micros() as u64)
    }

    fn seconds(&self, wall: Wall) -> f64 {
        wall.ms_since(self.wall(Duration::ZERO)) / 1000.0
    }
}

impl fmt::Display for FilmReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { length_s, pictures, sounds, refused, people } = self;
        writeln!(f, "{length_s:.1} s, {pictures} pictures, {sounds} pieces of sound, {refused} refused")?;
        writeln!(f, "  from  seen (s) at                                   heard (s)       slips  standstills  skew (ms)")?;
        for (number, person) in people {
            let seen = person.places.iter().map(|place| {
                format!("{:.1} to {:.1} at {}x{}+{}+{}", place.from_s, place.to_s, place.width, place.height, place.x, place.y)
            });
            let mut seen = seen.collect::<Vec<_>>().into_iter();
            let heard: Vec<_> = person.heard.iter().map(|span| format!("{:.1} to {:.1}", span.start, span.end)).collect();
            let text = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.0}"));
            let (first, heard) = (seen.next().unwrap_or_else(|| "-".into()), heard.join(", "));
            let skew = text(person.skew_ms);
            writeln!(f, "  {number:>4}  {first:<44}  {heard:<14}  {:>5}  {:>11}  {skew:>9}", person.slips, person.standstills)?;
            seen.try_for_each(|place| writeln!(f, "        {place}"))?;
        }
        Ok(())
    }
}

/// Goes on at the last place, or begins another.
fn note_place(places: &mut Vec<Place>, rect: Rect, at_s: f64) {
    let near = |a: u32, b: u32| a.abs_diff(b) <= SLACK;
    let goes_on = |last: &&mut Place| {
        let is_same = near(last.x, rect.x) && near(last.y, rect.y) && near(last.width, rect.width) && near(last.height, rect.height);
        is_same && (at_s - last.to_s) * 1000.0 <= AWAY_MS
    };
    match places.last_mut().filter(goes_on) {
        Some(last) => last.to_s = at_s,
        None => places.push(Place { from_s: at_s, to_s: at_s, x: rect.x, y: rect.y, width: rect.width, height: rect.height }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::files::annex_b;
    use super::super::super::picture::Painter;
    use super::super::super::sound::Voice;
    use super::*;
    use crate::codec::h264::Encoder;
    use crate::codec::opus::{AudioEncoder, Prediction};
    use crate::codec::{Keyframe, VideoEncoder, VideoSettings};
    use crate::media::Block;

    const BEGAN_US: u64 = 1_700_000_000_377_000;
    const SECONDS: u64 = 6;
    /// 2 leaves, and 1 moves to the right.
    const CHANGE_MS: u64 = 3000;
    /// How late the film has pictures and sounds.
    const PICTURES_LATE_MS: u64 = 120;
    const SOUNDS_LATE_MS: u64 = 200;

    fn wall(ms: u64) -> Wall {
        Wall::from_micros(BEGAN_US + 1000 * ms)
    }

    fn put(canvas: &mut Frame, from: &Frame, left: usize) {
        for (y, line) in from.planes()[0].chunks_exact(640).enumerate() {
            canvas.planes_mut()[0][y * 1280 + left..][..640].copy_from_slice(line);
        }
    }

    /// Pictures and sounds with the milliseconds at which the film has them.
    fn film() -> [Vec<(Vec<u8>, u64)>; 2] {
        let mut encoder = Encoder::new(VideoSettings { width: 1280, height: 360, fps: 15, bitrate_bps: 2_000_000 }).unwrap();
        let mut painters = [1, 2].map(|number| Painter::new(number, 640, 360));
        let pictures = (0..SECONDS * 15).map(|n| {
            let drawn_ms = n * 1000 / 15;
            let (at, mut canvas) = (MediaTime::from_millis(drawn_ms), Frame::filled(1280, 360, [22, 128, 130]));
            let [one, two] = painters.each_mut().map(|painter| painter.draw(at, wall(drawn_ms)).clone());
            put(&mut canvas, &one, if drawn_ms < CHANGE_MS { 0 } else { 640 });
            if drawn_ms < CHANGE_MS {
                put(&mut canvas, &two, 640);
            }
            let unit = encoder.encode(&canvas, at, Keyframe::Auto).unwrap().unwrap();
            (annex_b(unit.nal_units.iter().map(|nal| &nal[..])), drawn_ms + PICTURES_LATE_MS)
        });
        let mut opus = AudioEncoder::new().unwrap();
        let mut voices = [1, 2].map(Voice::new);
        let sounds = (0..SECONDS * 50).map(|n| {
            let [one, two] = voices.each_mut().map(|voice| voice.speak(wall(n * 20)));
            let two = if n * 20 < CHANGE_MS { two } else { Block::SILENCE };
            let mixed = Block(std::array::from_fn(|at| one.0[at] + two.0[at]));
            (opus.encode(&mixed, Prediction::Allowed).unwrap().to_vec(), n * 20 + SOUNDS_LATE_MS)
        });
        [pictures.collect(), sounds.collect()]
    }

    #[test]
    fn a_film_tells_who_was_where_and_when_and_how_far_sound_and_picture_are_apart() {
        let mut screening = Screening::new(wall(3_600_000), Sketch::of(640, 360)).unwrap();
        let [pictures, sounds] = film();
        pictures.iter().for_each(|(picture, ms)| screening.picture(picture, Duration::from_millis(*ms)));
        sounds.iter().for_each(|(sound, ms)| screening.sound(sound, Duration::from_millis(*ms)));
        screening.sound(&[0xff; 3], Duration::from_secs(SECONDS));
        let report = screening.report();
        assert_eq!((report.pictures, report.sounds, report.refused), (SECONDS * 15, SECONDS * 50, 1));
        assert_eq!(report.people.keys().copied().collect::<Vec<_>>(), [1, 2]);
        let [one, two] = [&report.people[&1], &report.people[&2]];
        let near = |a: f64, b: f64| (a - b).abs() < 0.25;
        let where_ = |place: &Place| (place.x, place.width);
        assert_eq!((one.places.len(), where_(&one.places[0]), where_(&one.places[1])), (2, (0, 640), (640, 640)), "{:?}", one.places);
        assert!(near(one.places[1].from_s, 3.12) && near(one.places[1].to_s, 6.05), "{:?}", one.places);
        assert!(two.places.len() == 1 && near(two.places[0].to_s, 3.05), "{:?}", two.places);
        assert!(one.heard.len() == 1 && near(one.heard[0].start, 0.2) && near(one.heard[0].end, 6.2), "{:?}", one.heard);
        assert!(two.heard.len() == 1 && near(two.heard[0].end, 3.2), "{:?}", two.heard);
        let apart = PICTURES_LATE_MS as f64 - SOUNDS_LATE_MS as f64;
        for person in [one, two] {
            let skew_ms = person.skew_ms.unwrap();
            assert!((skew_ms - apart).abs() < 15.0, "{skew_ms}");
        }
        assert_eq!((one.standstills, one.slips), (0, 0));
    }
}
