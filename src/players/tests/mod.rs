//! Plays from beginning to end, of files made in memory.

mod hostile;
mod on_stage;
mod passes;
mod times;
mod uploads;

use std::collections::VecDeque;
use std::f32::consts::TAU;
use std::time::Duration;

use bytes::Bytes;

use super::score::{Cue, Opener, Passes, Score, What};
use crate::codec::h264::Encoder;
use crate::codec::opus::{AudioEncoder, Prediction};
use crate::codec::{Keyframe, VideoEncoder, VideoSettings};
use crate::container::{CodedPicture, CodedSound, ContainerError, Media, PictureStream, SoundStream};
use crate::media::{BLOCK_SAMPLES, Block, Frame, MediaTime};

/// A file in memory; it can be opened again and again.
#[derive(Clone, Default)]
pub(super) struct Tape {
    pub(super) pictures: VecDeque<CodedPicture>,
    pub(super) sounds: VecDeque<CodedSound>,
    pub(super) duration: Duration,
}

struct Pictures(VecDeque<CodedPicture>);
struct Sounds(VecDeque<CodedSound>);

impl PictureStream for Pictures {
    fn next(&mut self) -> Result<Option<CodedPicture>, ContainerError> {
        Ok(self.0.pop_front())
    }
}

impl SoundStream for Sounds {
    fn next(&mut self) -> Result<Option<CodedSound>, ContainerError> {
        Ok(self.0.pop_front())
    }
}

impl Tape {
    pub(super) fn media(&self) -> Media {
        let pictures = (!self.pictures.is_empty()).then(|| Box::new(Pictures(self.pictures.clone())) as Box<dyn PictureStream>);
        let sound = (!self.sounds.is_empty()).then(|| Box::new(Sounds(self.sounds.clone())) as Box<dyn SoundStream>);
        Media { pictures, sound, duration: self.duration }
    }

    pub(super) fn opener(&self) -> Opener {
        let tape = self.clone();
        Box::new(move || Ok(tape.media()))
    }

    fn score(&self, passes: Passes) -> Score {
        Score::open(self.opener(), passes).unwrap()
    }

    /// So many pictures of one colour, at this rate.
    pub(super) fn with_pictures(mut self, count: u32, fps: u32, yuv: [u8; 3]) -> Self {
        let mut encoder = Encoder::new(VideoSettings { width: 320, height: 180, fps, bitrate_bps: 300_000 }).unwrap();
        let frame = Frame::filled(320, 180, yuv);
        for n in 0..count {
            let at = Duration::from_secs(1) * n / fps;
            let unit = encoder.encode(&frame, MediaTime::ZERO + at, Keyframe::Auto).unwrap().unwrap();
            self.pictures.push_back(CodedPicture { at, nal_units: unit.nal_units, keyframe: unit.keyframe });
        }
        self.lasting(Duration::from_secs(1) * count / fps)
    }

    /// So many samples of a tone, in pieces of an odd length.
    pub(super) fn with_samples(mut self, hertz: f32, samples: usize) -> Self {
        let tone: Vec<f32> = (0..samples).map(|n| tone(hertz, n)).collect();
        let at = |piece: usize| Duration::from_nanos((piece * 1000) as u64 * 1_000_000_000 / 48_000);
        self.sounds = tone.chunks(1000).enumerate().map(|(n, piece)| CodedSound::Samples { at: at(n), samples: piece.into() }).collect();
        self.lasting(Duration::from_nanos(samples as u64 * 1_000_000_000 / 48_000))
    }

    /// So many Opus packets of a tone, 20 ms each.
    pub(super) fn with_opus(mut self, hertz: f32, packets: usize) -> Self {
        let mut encoder = AudioEncoder::new().unwrap();
        let packet = |n: usize| {
            let block = Block(std::array::from_fn(|i| tone(hertz, n * BLOCK_SAMPLES + i)));
            let at = Duration::from_millis(20 * n as u64);
            CodedSound::Opus { at, packet: encoder.encode(&block, Prediction::Allowed).unwrap() }
        };
        self.sounds = (0..packets).map(packet).collect();
        self.lasting(Duration::from_millis(20 * packets as u64))
    }

    fn lasting(self, duration: Duration) -> Self {
        Self { duration: self.duration.max(duration), ..self }
    }
}

/// Half of full scale.
pub(super) fn tone(hertz: f32, n: usize) -> f32 {
    0.5 * (TAU * hertz * (n % 48_000) as f32 / 48_000.0).sin()
}

/// Level of one frequency, 1 for a full-scale sine (Goertzel over whole periods).
pub(super) fn level(samples: &[f32], hertz: f32) -> f32 {
    let turn = |n: usize| TAU * hertz * (n % 48_000) as f32 / 48_000.0;
    let sum = |wave: fn(f32) -> f32| samples.iter().enumerate().map(|(n, sample)| sample * wave(turn(n))).sum::<f32>();
    sum(f32::sin).hypot(sum(f32::cos)) * 2.0 / samples.len() as f32
}

/// The first so many cues.
fn cues(score: &mut Score, count: usize) -> Vec<Cue> {
    std::iter::from_fn(|| score.next().unwrap()).take(count).collect()
}

fn is_picture(cue: &Cue) -> bool {
    matches!(cue.what, What::Picture(_))
}

fn packet(cue: &Cue) -> Option<&Bytes> {
    if let What::Sound { packet, .. } = &cue.what { Some(packet) } else { None }
}
