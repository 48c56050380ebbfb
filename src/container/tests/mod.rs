//! Files as they are written here, and what is read of them; files from anybody.

mod annex_b;
mod foreign;
mod mp4;
mod ogg;
mod wav;

use std::time::Duration;

use bytes::Bytes;

use super::{CodedPicture, CodedSound, ContainerError, Media};

fn pictures(media: &mut Media) -> Result<Vec<CodedPicture>, ContainerError> {
    let mut pictures = media.pictures.take();
    std::iter::from_fn(|| pictures.as_mut()?.next().transpose()).collect()
}

fn sounds(media: &mut Media) -> Result<Vec<CodedSound>, ContainerError> {
    let mut sound = media.sound.take();
    std::iter::from_fn(|| sound.as_mut()?.next().transpose()).collect()
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// All samples, where they lie one after the other from 0 on.
fn joined(sounds: &[CodedSound]) -> Vec<f32> {
    let mut all = Vec::new();
    for sound in sounds {
        let CodedSound::Samples { at, samples } = sound else { panic!("{sound:?}") };
        assert!(at.abs_diff(ms(all.len() as u64 * 1000) / 48_000) < Duration::from_micros(30), "{at:?} after {} samples", all.len());
        all.extend_from_slice(samples);
    }
    all
}

/// A baseline SPS of 64 × 48 pixels.
const SPS: &[u8] = &[0x67, 0x42, 0xc0, 0x0a, 0xda, 0x11, 0xe4];
const PPS: &[u8] = &[0x68, 0xce, 0x3c, 0x80];

fn bytes(text: &'static [u8]) -> Bytes {
    Bytes::from_static(text)
}
