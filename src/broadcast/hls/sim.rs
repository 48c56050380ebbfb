//! Streams in virtual time: what an encoder and a mix give, with everything that can go wrong on the way, and a judge of what comes of it.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use proptest::prelude::*;

use super::playlist::{self, About};
use super::rules::{Fragment, Judge, Playlist};
use super::segmenter::Segmenter;
use super::wanted::Reached;
use super::window::{Found, Name, Window};
use crate::codec::h264::Encoder;
use crate::codec::{Keyframe, VideoEncoder, VideoSettings};
use crate::media::{EncodedPicture, EncodedSound, Frame, MediaTime};

/// A picture leaves its encoder this long after its moment.
const ENCODING: u64 = 35;

/// Real parameter sets, of two sizes, and a keyframe of either.
fn keyframes() -> [Vec<Bytes>; 2] {
    [(320, 180), (180, 320)].map(|(width, height)| {
        let settings = VideoSettings { width, height, fps: 30, bitrate_bps: 100_000 };
        let frame = Frame::filled(width, height, [90, 100, 150]);
        let unit = Encoder::new(settings).unwrap().encode(&frame, MediaTime::ZERO, Keyframe::Force).unwrap().unwrap();
        unit.nal_units.iter().map(|unit| Bytes::copy_from_slice(unit)).collect()
    })
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
enum Hiccup {
    /// No pictures for so many milliseconds.
    NoPictures(u64),
    /// No sound for so many.
    NoSound(u64),
    /// Keyframes come so much later than they are asked for.
    LateKeyframes(u64),
    /// The canvas has another size.
    Turn,
    /// Somebody else asks for a keyframe.
    Keyframe,
}

/// One stream, its source, and its judge.
struct Sim {
    keyframes: [Vec<Bytes>; 2],
    segmenter: Segmenter,
    window: Window,
    judge: Judge,
    fps: u64,
    size: usize,
    now: u64,
    /// Until when nothing comes of it.
    no_pictures: u64,
    no_sound: u64,
    /// When the next keyframe is made.
    keyframe: Option<u64>,
    lateness: u64,
    /// Where each track ended, by segment's discontinuities.
    ends: BTreeMap<u32, u64>,
    parts: u64,
    seen: Vec<Playlist>,
}

impl Sim {
    fn new(fps: u64) -> Self {
        let (segmenter, window, judge, ends, seen) = Default::default();
        let (size, now, no_pictures, no_sound, lateness, parts) = (0, 100, 0, 0, 0, 0);
        Self {
            keyframes: keyframes(),
            segmenter,
            window,
            judge,
            fps,
            size,
            now,
            no_pictures,
            no_sound,
            keyframe: Some(0),
            lateness,
            ends,
            parts,
            seen,
        }
    }

    fn suffer(&mut self, hiccup: &Hiccup) {
        match hiccup {
            Hiccup::NoPictures(ms) => self.no_pictures = self.now + ms,
            Hiccup::NoSound(ms) => self.no_sound = self.now + ms,
            Hiccup::LateKeyframes(ms) => self.lateness = *ms,
            Hiccup::Turn => (self.size, self.keyframe) = (1 - self.size, Some(0)),
            Hiccup::Keyframe => self.keyframe = Some(0),
        }
    }

    /// Lives for so many milliseconds.
    fn live(&mut self, ms: u64) {
        for now in self.now..self.now + ms {
            self.now = now;
            if now % 20 == 0 && now >= self.no_sound {
                let pieces =
                    self.segmenter.sound(&EncodedSound { payload: Bytes::from_static(&[0xf8, 1, 2]), at: MediaTime::from_millis(now) });
                self.take(pieces);
            }
            let made = now - ENCODING;
            if made * self.fps / 1000 > (made - 1) * self.fps / 1000 && now >= self.no_pictures {
                self.picture(made * self.fps / 1000);
            }
        }
        self.now += 1;
    }

    fn picture(&mut self, number: u64) {
        let keyframe = self.keyframe.is_some_and(|from| self.now >= from);
        let nal_units = if keyframe { self.keyframes[self.size].clone() } else { vec![Bytes::from_static(&[0x41, 1, 2, 3])] };
        if keyframe {
            self.keyframe = None;
        }
        let at = MediaTime::from_nanos(number * 1_000_000_000 / self.fps);
        let pieces = self.segmenter.picture(&EncodedPicture { nal_units, at, keyframe, ..EncodedPicture::default() });
        if self.segmenter.asks_for_keyframe() {
            let asked = self.now + self.lateness;
            self.keyframe = Some(self.keyframe.map_or(asked, |coming| coming.min(asked)));
        }
        self.take(pieces);
    }

    fn end(&mut self) {
        let pieces = self.segmenter.finish();
        self.take(pieces);
        self.window.end();
        self.publish();
    }

    fn take(&mut self, pieces: Vec<super::segmenter::Piece>) {
        for piece in pieces {
            if piece.opens.as_ref().is_some_and(|opening| opening.discontinuity) {
                self.ends.clear();
            }
            self.hear(&piece.bytes, piece.opens.is_some());
            self.window.take(piece);
            self.publish();
        }
    }

    /// A part has samples, in order and without a gap; a segment begins with a keyframe.
    fn hear(&mut self, bytes: &[u8], opens: bool) {
        let fragments = Fragment::read(bytes).unwrap();
        let [fragment] = fragments.as_slice() else { panic!("{fragments:?}") };
        self.parts += 1;
        assert_eq!(u64::from(fragment.sequence), self.parts);
        assert!(!fragment.runs.is_empty());
        assert!(!opens || fragment.runs[0].keyframes.first() == Some(&true), "{fragment:?}");
        for run in &fragment.runs {
            let before = self.ends.insert(run.track, run.ends());
            assert!(before.is_none_or(|end| end == run.begins), "track {}: {before:?}, {run:?}", run.track);
        }
        let [pictures, sounds] = [1, 2].map(|track| self.ends.get(&track).copied());
        if let (Some(pictures), Some(sounds)) = (pictures, sounds) {
            let ahead = pictures as f64 / 90_000.0 - sounds as f64 / 48_000.0;
            assert!(ahead.abs() < 4.0, "pictures are {ahead} s ahead of the sound");
        }
    }

    /// What a client reads.
    fn publish(&mut self) {
        let text = playlist::text(&self.window, &About { stream: "abc", epoch: Timestamp::from_second(1_800_000_000).unwrap() });
        let playlist = self.judge.playlist(&text).unwrap_or_else(|breach| panic!("{breach}\n{text}"));
        let file = |uri: &str| match self.window.find(Name::parse(uri.strip_prefix("abc/").unwrap()).unwrap()) {
            Found::File(bytes) => bytes,
            other => panic!("{uri}: {other:?}"),
        };
        for segment in &playlist.segments {
            let parts: Vec<_> = segment.parts.iter().map(|part| (&part.uri, file(&part.uri))).collect();
            parts.iter().for_each(|(uri, bytes)| self.judge.file(uri, bytes).unwrap());
            self.judge.file(&segment.map, &file(&segment.map)).unwrap();
            if !segment.uri.is_empty() {
                let whole = file(&segment.uri);
                self.judge.file(&segment.uri, &whole).unwrap();
                assert!(parts.is_empty() || parts.iter().flat_map(|(_, bytes)| bytes.iter()).eq(whole.iter()), "a segment is its parts");
            }
        }
        if let Some(hint) = &playlist.hint {
            assert_eq!(self.window.find(Name::parse(hint.strip_prefix("abc/").unwrap()).unwrap()), Found::Coming);
        }
        self.seen.push(playlist);
        if self.seen.len() > 30 {
            self.seen.remove(0);
        }
    }

    fn last(&self) -> &Playlist {
        self.seen.last().unwrap()
    }
}

#[test]
fn an_hour_of_any_frame_rate_keeps_every_rule() {
    // The hour is at 30 pictures a second; the others are long enough for each phase of their parts against their segments
    for (fps, seconds) in [(30, 3600), (5, 60), (7, 60), (10, 60), (12, 60), (15, 60), (20, 60), (24, 60), (25, 60), (50, 60), (60, 60)] {
        let mut sim = Sim::new(fps);
        sim.live(seconds * 1000);
        let playlist = sim.last();
        let whole: Vec<_> = playlist.segments.iter().filter(|segment| !segment.uri.is_empty()).collect();
        assert_eq!(whole.len(), 6, "{fps} a second");
        assert!(whole.iter().all(|segment| (1.9..2.21).contains(&segment.duration)), "{fps}: {whole:#?}");
        let (made, expected) = (playlist.sequence as f64 + 6.0, seconds as f64 / 2.0);
        assert!(made > 0.85 * expected && made < 1.1 * expected, "{fps}: {made}");
        assert_eq!((playlist.discontinuities, sim.segmenter.take_dropped().0), (0, 0), "{fps}");
        sim.end();
        assert!(sim.last().ended);
    }
}

#[test]
fn at_30_pictures_a_second_a_segment_has_six_parts_which_come_as_they_are_full() {
    let mut sim = Sim::new(30);
    sim.live(3400);
    assert!(!Reached::by(&sim.window).is_enough_to_begin());
    sim.live(600);
    assert!(Reached::by(&sim.window).is_enough_to_begin(), "{:#?}", sim.last());
    sim.live(10_000);
    let segments: Vec<_> = sim.last().segments.iter().filter(|segment| !segment.uri.is_empty()).collect();
    assert!(segments.iter().rev().take(3).all(|segment| segment.parts.len() == 6), "{segments:#?}");
    let before = sim.parts;
    sim.live(30_000);
    assert!((90..=94).contains(&(sim.parts - before)), "{}", sim.parts - before);
}

#[test]
fn another_size_is_another_initialization_section_behind_a_discontinuity() {
    let mut sim = Sim::new(30);
    sim.live(5000);
    sim.suffer(&Hiccup::Turn);
    sim.live(1000);
    let last = sim.last().segments.last().unwrap();
    assert!(last.discontinuity && last.map == "abc/i1.mp4", "{last:?}");
    sim.live(20_000);
    assert_eq!((sim.last().discontinuities, sim.last().segments[0].map.as_str()), (1, "abc/i1.mp4"));
}

#[test]
fn a_late_keyframe_makes_a_segment_longer_and_one_that_stays_away_ends_it() {
    let mut sim = Sim::new(30);
    sim.live(5000);
    sim.suffer(&Hiccup::LateKeyframes(400));
    sim.live(8000);
    let longest = sim.last().segments.iter().map(|segment| segment.duration).fold(0.0, f64::max);
    assert!((2.2..2.45).contains(&longest) && sim.last().segments.iter().all(|segment| !segment.discontinuity), "{longest}");
    sim.suffer(&Hiccup::LateKeyframes(2500));
    sim.live(6000);
    assert!(sim.last().segments.iter().any(|segment| segment.discontinuity));
    assert!(sim.segmenter.take_dropped().0 > 10);
}

#[test]
fn sound_alone_ends_a_segment_whose_pictures_stay_away_and_they_come_back_at_a_keyframe() {
    let mut sim = Sim::new(30);
    sim.live(5000);
    sim.suffer(&Hiccup::NoPictures(20_000));
    sim.live(20_000);
    assert!(!sim.last().segments.last().unwrap().uri.is_empty(), "nothing is open");
    let before = sim.parts;
    sim.live(8000);
    let back = sim.last().segments.iter().position(|segment| segment.discontinuity).unwrap();
    assert!(sim.last().segments.len() > back + 3 && sim.parts - before > 20, "{:#?}", sim.last());
}

#[test]
fn pictures_go_on_while_the_sound_is_gone_and_silence_stands_for_it() {
    let mut sim = Sim::new(30);
    sim.live(5000);
    sim.suffer(&Hiccup::NoSound(10_000));
    let before = sim.parts;
    sim.live(12_000);
    assert!(sim.parts - before > 34, "{}", sim.parts - before);
    assert_eq!((sim.last().discontinuities, sim.segmenter.take_dropped().0), (0, 0));
}

fn hiccup() -> impl Strategy<Value = Hiccup> {
    prop_oneof![
        (1..6000u64).prop_map(Hiccup::NoPictures),
        (1..6000u64).prop_map(Hiccup::NoSound),
        (0..4000u64).prop_map(Hiccup::LateKeyframes),
        Just(Hiccup::Turn),
        Just(Hiccup::Keyframe),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_goes_wrong_no_rule_is_broken(
        fps in prop_oneof![Just(30u64), 5..61u64],
        life in proptest::collection::vec((1..5000u64, hiccup()), 1..30),
    ) {
        let mut sim = Sim::new(fps);
        for (ms, hiccup) in &life {
            sim.live(*ms);
            sim.suffer(hiccup);
        }
        sim.live(500);
        sim.end();
        prop_assert!(sim.last().ended);
    }
}
