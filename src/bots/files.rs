//! Recordings that bots can send in place of what they draw and hum: an H.264 byte stream and a WAV file, each looped.
//!
//! In: paths. Out: access units and 48 kHz blocks, held in memory and shared by all bots. Never: decoding; the stream is
//! sent as it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::codec::h264;
use crate::media::{BLOCK_SAMPLES, Block, SAMPLE_RATE};

/// Why a recording cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no H.264 byte stream that a receiver can start at.
    #[error(
        "{0} holds no H.264 keyframe; make one with: ffmpeg -i in.mp4 -c:v libx264 -profile:v baseline -bf 0 -g 60 -bsf:v h264_mp4toannexb out.h264"
    )]
    NoKeyframe(PathBuf),
    /// The file is no WAV file, or one of another kind.
    #[error("{path} is no WAV file that can be sent: {reason}; make one with: ffmpeg -i in.mp3 -ar 48000 -ac 1 out.wav")]
    Wav {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// An access unit of a recording, in Annex B form.
#[derive(Debug)]
pub struct RecordedPicture {
    /// Its bytes, with parameter sets before each IDR picture.
    pub annex_b: Arc<[u8]>,
    /// Whether a receiver can start here.
    pub keyframe: bool,
}

/// A looped H.264 byte stream; begins with a keyframe.
pub type Film = Arc<Vec<RecordedPicture>>;

/// A looped sound, in whole blocks; not empty.
pub type Track = Arc<Vec<Block>>;

/// Reads an H.264 byte stream (ITU-T H.264 Annex B).
///
/// # Errors
/// Where the file cannot be read or has no keyframe.
pub fn read_film(path: &Path) -> Result<Film, FileError> {
    let bytes = std::fs::read(path).map_err(|source| FileError::Read { path: path.into(), source })?;
    let mut pictures = split(&bytes);
    let first = pictures.iter().position(|picture| picture.keyframe).ok_or_else(|| FileError::NoKeyframe(path.into()))?;
    pictures.drain(..first);
    Ok(Arc::new(pictures))
}

/// Reads a WAV file of any rate, width and number of channels.
///
/// # Errors
/// Where the file cannot be read, is no WAV file, or holds less than one block.
pub fn read_track(path: &Path) -> Result<Track, FileError> {
    let wrong = |reason: String| FileError::Wav { path: path.into(), reason };
    let mut reader = hound::WavReader::open(path).map_err(|error| match error {
        hound::Error::IoError(source) => FileError::Read { path: path.into(), source },
        other => wrong(other.to_string()),
    })?;
    let spec = reader.spec();
    let samples: Result<Vec<f32>, _> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().collect(),
        hound::SampleFormat::Int => {
            let scale = 1.0 / (1u64 << (spec.bits_per_sample - 1)) as f32;
            reader.samples::<i32>().map(|sample| sample.map(|sample| sample as f32 * scale)).collect()
        }
    };
    let samples = samples.map_err(|error| wrong(error.to_string()))?;
    let mono: Vec<f32> = samples.chunks_exact(spec.channels.into()).map(|all| all.iter().sum::<f32>() / f32::from(spec.channels)).collect();
    let blocks: Vec<Block> = resampled(&mono, spec.sample_rate).as_chunks::<BLOCK_SAMPLES>().0.iter().map(|block| Block(*block)).collect();
    if blocks.is_empty() {
        return Err(wrong("it is shorter than 20 ms".into()));
    }
    Ok(Arc::new(blocks))
}

/// To 48 kHz between neighbouring samples; good enough for something to listen to.
fn resampled(mono: &[f32], rate: u32) -> Vec<f32> {
    if rate == SAMPLE_RATE || mono.is_empty() {
        return mono.to_vec();
    }
    let length = mono.len() as u64 * u64::from(SAMPLE_RATE) / u64::from(rate.max(1));
    let at = |n: u64| {
        let place = n as f64 * f64::from(rate) / f64::from(SAMPLE_RATE);
        let (before, part) = (mono[place as usize], place.fract() as f32);
        before + part * (mono.get(place as usize + 1).unwrap_or(&before) - before)
    };
    (0..length).map(at).collect()
}

/// Access units: a new one begins with the first slice of a picture, together with what stands before it.
fn split(bytes: &[u8]) -> Vec<RecordedPicture> {
    let mut parameters: Vec<&[u8]> = Vec::new();
    let mut pictures: Vec<(Vec<&[u8]>, bool)> = Vec::new();
    for unit in h264::nal_units(bytes) {
        match h264::nal::kind(unit) {
            kind @ (h264::nal::SPS | h264::nal::PPS) => {
                parameters.retain(|known| h264::nal::kind(known) != kind);
                parameters.push(unit);
            }
            kind @ (h264::nal::SLICE | h264::nal::IDR) => {
                // §7.3.3: first_mb_in_slice leads the slice header; 0 is coded as a single one bit.
                let begins = unit.get(1).is_some_and(|byte| byte & 0x80 != 0);
                let idr = kind == h264::nal::IDR;
                match pictures.last_mut() {
                    Some((units, _)) if !begins => units.push(unit),
                    _ if idr => pictures.push((parameters.iter().copied().chain([unit]).collect(), parameters.len() == 2)),
                    _ => pictures.push((vec![unit], false)),
                }
            }
            _ => {}
        }
    }
    pictures.into_iter().map(|(units, keyframe)| RecordedPicture { annex_b: annex_b(units).into(), keyframe }).collect()
}

/// NAL units with their start codes.
pub fn annex_b<'a>(nal_units: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    nal_units.into_iter().fold(Vec::new(), |mut bytes, unit| {
        bytes.extend_from_slice(&[0, 0, 0, 1]);
        bytes.extend_from_slice(unit);
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_cut_at_first_slices_and_keyframes_carry_their_parameters() {
        let units: [&[u8]; 7] = [&[0x67, 1], &[0x68, 2], &[0x65, 0x88], &[0x65, 0x40], &[0x41, 0x9a], &[0x65, 0x88], &[0x41, 0x9b]];
        let pictures = split(&annex_b(units));
        let shapes: Vec<_> = pictures.iter().map(|picture| (h264::nal_units(&picture.annex_b).count(), picture.keyframe)).collect();
        assert_eq!(shapes, [(4, true), (1, false), (3, true), (1, false)]);
    }

    #[test]
    fn a_stereo_file_of_another_rate_becomes_mono_at_48_khz() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        let spec = hound::WavSpec { channels: 2, sample_rate: 24_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        (0..24_000).for_each(|_| [8192i16, 0].iter().for_each(|&sample| writer.write_sample(sample).unwrap()));
        writer.finalize().unwrap();
        let track = read_track(&path).unwrap();
        assert_eq!(track.len(), 50);
        assert!(track.iter().all(|block| block.0.iter().all(|sample| (sample - 0.125).abs() < 1e-6)));
    }

    #[test]
    fn what_is_no_recording_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("noise");
        std::fs::write(&path, [0, 0, 1, 0x41, 0x9a, 7]).unwrap();
        assert!(read_film(&path).unwrap_err().to_string().contains("ffmpeg"));
        assert!(read_track(&path).unwrap_err().to_string().contains("ffmpeg"));
        assert!(matches!(read_film(&folder.path().join("none")), Err(FileError::Read { .. })));
    }
}
