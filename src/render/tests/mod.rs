//! Calls of made-up people, rendered and looked at again: what they send and what is judged are the bots'.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::bots::mark::{self, Luma};
use crate::bots::picture::Painter;
use crate::bots::sound::Tone;
use crate::bots::wall::Wall;
use crate::codec::h264::{self, Decoder, Encoder};
use crate::codec::opus::{AudioDecoder, AudioEncoder, Prediction};
use crate::codec::{Keyframe, VideoDecoder, VideoEncoder, VideoSettings};
use crate::container::{CodedPicture, CodedSound, Media, PictureStream, SoundStream};
use crate::layout::{LayoutSpec, stock};
use crate::media::{BLOCK_SAMPLES, Block, Canvas, Frame, MediaTime, ParticipantId, ViewName};
use crate::room::View;

mod calls;
mod films;
mod people;

/// Pictures a second of everybody and of the film.
const FPS: u32 = 15;
const SIZE: (u32, u32) = (160, 90);

/// Coded pictures from memory; then an end, or what is wrong.
pub(super) struct Pictures(pub(super) VecDeque<CodedPicture>, pub(super) Option<ContainerError>);

/// Coded sound from memory.
pub(super) struct Sounds(pub(super) VecDeque<CodedSound>);

impl PictureStream for Pictures {
    fn next(&mut self) -> Result<Option<CodedPicture>, ContainerError> {
        match (self.0.pop_front(), self.1.take()) {
            (Some(picture), error) => {
                self.1 = error;
                Ok(Some(picture))
            }
            (None, Some(error)) => Err(error),
            (None, None) => Ok(None),
        }
    }
}

impl SoundStream for Sounds {
    fn next(&mut self) -> Result<Option<CodedSound>, ContainerError> {
        Ok(self.0.pop_front())
    }
}

/// The n-th picture's time.
pub(super) fn tick(n: u64) -> Duration {
    Duration::from_nanos(n * 1_000_000_000 / u64::from(FPS))
}

/// A bot's pictures; a keyframe each second.
pub(super) fn pictures(number: u16, seconds: u64) -> VecDeque<CodedPicture> {
    let mut painter = Painter::new(number, SIZE.0, SIZE.1);
    filmed(seconds, |at| painter.draw(at, Wall::from_micros(at.as_nanos() / 1000)).clone())
}

/// Any pictures, encoded.
pub(super) fn filmed(seconds: u64, mut draw: impl FnMut(MediaTime) -> Frame) -> VecDeque<CodedPicture> {
    let mut encoder = Encoder::new(VideoSettings { width: SIZE.0, height: SIZE.1, fps: FPS, bitrate_bps: 300_000 }).unwrap();
    let picture = |n: u64| {
        let at = MediaTime::ZERO + tick(n);
        let keyframe = if n.is_multiple_of(u64::from(FPS)) { Keyframe::Force } else { Keyframe::Auto };
        let unit = encoder.encode(&draw(at), at, keyframe).unwrap().unwrap();
        CodedPicture { at: tick(n), nal_units: unit.nal_units, keyframe: unit.keyframe }
    };
    (0..seconds * u64::from(FPS)).map(picture).collect()
}

/// A bot's tone without its pauses, while `speaks` says so for a moment in milliseconds.
pub(super) fn sounds(number: u16, seconds: u64, speaks: impl Fn(u64) -> bool) -> VecDeque<CodedSound> {
    let (hertz, mut encoder) = (Tone::of(number).hertz() as f32, AudioEncoder::new().unwrap());
    let sound = |n: u64| {
        let sample = |i: usize| 0.1 * (std::f32::consts::TAU * hertz * ((n as usize * BLOCK_SAMPLES + i) % 48_000) as f32 / 48_000.0).sin();
        let block = if speaks(20 * n) { Block(std::array::from_fn(sample)) } else { Block::SILENCE };
        CodedSound::Opus { at: Duration::from_millis(20 * n), packet: encoder.encode(&block, Prediction::Allowed).unwrap() }
    };
    (0..seconds * 50).map(sound).collect()
}

pub(super) fn media(pictures: VecDeque<CodedPicture>, sounds: VecDeque<CodedSound>) -> Media {
    let last = pictures.back().map_or(Duration::ZERO, |picture| picture.at + tick(1));
    let duration = last.max(Duration::from_millis(20 * sounds.len() as u64));
    let pictures = (!pictures.is_empty()).then(|| Box::new(Pictures(pictures, None)) as Box<dyn PictureStream>);
    let sound = (!sounds.is_empty()).then(|| Box::new(Sounds(sounds)) as Box<dyn SoundStream>);
    Media { pictures, sound, duration }
}

/// A bot that talks all the time.
fn bot(number: u16, seconds: u64) -> Media {
    media(pictures(number, seconds), sounds(number, seconds, |_| true))
}

/// Bots of these lengths, from the beginning on.
fn call(of: impl IntoIterator<Item = (u16, Media)>) -> Call {
    let mut call = Call::default();
    for (number, media) in of {
        call.add(ParticipantId(number.into()), &format!("Bot {number}"), format!("{number}.mp4"), media);
    }
    call
}

fn add_events(call: &mut Call, lines: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines).unwrap();
    call.add_events(file.path()).unwrap();
}

/// A room of 320x180 whose people do not glide.
fn plan(template: &str) -> Plan {
    let spec: LayoutSpec = serde_json::from_str(&format!(r#"{{"template": "{template}", "transition_ms": 0, "names": false}}"#)).unwrap();
    let layout = Arc::new(spec.resolve(|name| stock().get(name).cloned()).unwrap());
    let canvas = Canvas { width: 320, height: 180, fps: FPS, ..Canvas::default() };
    let overlays = crate::room::Overlays { mute_marks: false, speaking_marks: false, ..Default::default() };
    let room = RoomSettings { views: BTreeMap::from([(ViewName::main(), View { canvas, layout })]), overlays, ..RoomSettings::default() };
    Plan { room, bitrate_bps: 1_000_000, compositor: Choice::Cpu, fonts: Fonts::embedded() }
}

fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A film as it is seen and heard.
struct Seen {
    made: Made,
    pictures: Vec<(Duration, Arc<Frame>)>,
    /// From the film's beginning on.
    samples: Vec<f32>,
}

impl Seen {
    fn of(call: Call, plan: &Plan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("film.mp4");
        let made = render(call, plan, &out, &mut go_on).unwrap();
        Self::read(&out, made)
    }

    fn read(film: &Path, made: Made) -> Self {
        let media = Media::open(film).unwrap();
        let (mut decoder, mut shown) = (Decoder::new(), Vec::new());
        let mut stream = media.pictures.unwrap();
        while let Some(picture) = stream.next().unwrap() {
            let annex_b: Vec<u8> = picture.nal_units.iter().flat_map(|nal_unit| [&[0, 0, 0, 1], &nal_unit[..]].concat()).collect();
            shown.push((picture.at, decoder.decode(&annex_b).unwrap().unwrap()));
        }
        Self { made, pictures: shown, samples: heard(media.sound.unwrap()) }
    }

    /// The marks in the picture of a moment: who is where, by the side of a cell.
    fn marks(&self, ms: u64) -> BTreeMap<u16, (f32, f32, f32)> {
        let at = Duration::from_millis(ms) + Duration::from_micros(500);
        let (_, frame) = self.pictures.iter().rev().find(|(shown, _)| *shown <= at).unwrap();
        let luma = Luma { width: frame.width() as usize, height: frame.height() as usize, plane: frame.planes()[0] };
        mark::find(luma).into_iter().map(|(spot, stamp)| (stamp.number, (spot.x, spot.y, spot.cell))).collect()
    }

    fn numbers(&self, ms: u64) -> Vec<u16> {
        self.marks(ms).into_keys().collect()
    }

    /// How loud a bot's tone is over 200 ms, in decibels below full scale.
    fn tone_db(&self, number: u16, ms: u64) -> f32 {
        let samples = &self.samples[ms as usize * 48..][..9600];
        let (mut re, mut im) = (0.0f64, 0.0f64);
        for (n, sample) in samples.iter().enumerate() {
            let phase = std::f64::consts::TAU * Tone::of(number).hertz() * n as f64 / 48_000.0;
            re += f64::from(*sample) * phase.cos();
            im += f64::from(*sample) * phase.sin();
        }
        (20.0 * (2.0 * (re * re + im * im).sqrt() / samples.len() as f64).max(1e-9).log10()) as f32
    }
}

/// All of a stream, each packet at its time.
fn heard(mut stream: Box<dyn SoundStream>) -> Vec<f32> {
    let (mut decoder, mut samples) = (AudioDecoder::new().unwrap(), Vec::new());
    while let Some(CodedSound::Opus { packet, .. }) = stream.next().unwrap() {
        let mut block = [0.0; BLOCK_SAMPLES];
        decoder.decode(&packet, &mut block).unwrap();
        samples.extend_from_slice(&block);
    }
    samples
}
