//! Recordings with real rooms, files and threads, and no network; what is made here is read back.

mod ending;
mod keeping;
mod mixing;
mod recovering;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::mixed::film::{Cut, Film};
use super::*;
use crate::codec::opus::{AudioEncoder, Prediction};
use crate::codec::{Keyframe, VideoEncoder, VideoSettings, h264};
use crate::compositor::{Choice, Fonts};
use crate::container::{CodedPicture, CodedSound, Media};
use crate::media::{BLOCK_SAMPLES, Block, Clock, EncodedPicture, EncodedSound, Frame, MediaTime, RoomName};
use crate::metrics::Metrics;
use crate::rooms::{Precondition, Rooms, RoomsSettings};

fn room() -> RoomName {
    "a".parse().unwrap()
}

/// Rooms of which one is kept; small and slow.
async fn rooms(clock: Clock) -> Arc<Rooms> {
    let spec = serde_json::json!({ "canvas": { "width": 320, "height": 180, "fps": 10 } });
    let settings = RoomsSettings {
        room: serde_json::from_value(spec).unwrap(),
        data_dir: None,
        on_demand: true,
        max_sessions: 20,
        decode_threads: 1,
        compositor: Choice::Cpu,
        fonts: Fonts::embedded(),
    };
    let spec = settings.room.clone();
    let rooms = tokio::task::spawn_blocking(move || Rooms::new(settings, clock, Metrics::default()).unwrap()).await.unwrap();
    rooms.put_room(&room(), spec, Precondition::None).await.unwrap();
    rooms
}

/// All recordings of such a server, kept in a folder.
pub(super) async fn recordings(folder: &Path) -> Arc<Recordings> {
    let clock = Clock::new();
    let settings = RecordingSettings { folder: Some(folder.to_owned()), ..RecordingSettings::default() };
    Recordings::open(settings, rooms(clock).await, clock, Metrics::default()).unwrap()
}

async fn start(recordings: &Recordings) -> RecordingId {
    recordings.start(&room(), RecordingSpec::default()).await.unwrap().id
}

/// Looks again and again, within reason, until a recording is so.
pub(super) async fn until(recordings: &Recordings, id: &RecordingId, is_so: impl Fn(&Manifest) -> bool) -> Manifest {
    let mut glances = tokio::time::interval(Duration::from_millis(5));
    let looking = async {
        while !is_so(&recordings.get(id).unwrap()) {
            glances.tick().await;
        }
    };
    let looked = tokio::time::timeout(Duration::from_secs(60), looking).await;
    looked.unwrap_or_else(|_| panic!("not so: {:?}", recordings.get(id)));
    recordings.get(id).unwrap()
}

/// A manifest as a recording has it when it begins.
pub(super) fn manifest(id: &str) -> Manifest {
    serde_json::from_value(serde_json::json!({
        "id": id, "room": "a", "state": "active", "reason": null, "tracks": "mixed", "view": "main", "rendition": null,
        "start": "2026-11-23T02:52:40.123Z", "duration_ms": 0, "bytes": 0, "lost": 0, "max_seconds": 60, "max_bytes": 1_000_000, "files": [],
    }))
    .unwrap()
}

/// An encoder's pictures of changing grey, `fps` a second from `from` on; the first is a keyframe.
fn pictures(count: u64, fps: u64, (width, height): (u32, u32), from: MediaTime) -> Vec<EncodedPicture> {
    let settings = VideoSettings { width, height, fps: fps as u32, bitrate_bps: 500_000 };
    let mut encoder = h264::Encoder::new(settings).unwrap();
    let picture = |n: u64| {
        let at = from + Duration::from_nanos(n * 1_000_000_000 / fps);
        let unit = encoder.encode(&Frame::filled(width, height, [40 + (n * 3 % 160) as u8, 100, 150]), at, Keyframe::Auto).unwrap()?;
        Some(EncodedPicture { nal_units: unit.nal_units, at, keyframe: unit.keyframe, number: n, ..EncodedPicture::default() })
    };
    (0..count).filter_map(picture).collect()
}

/// Blocks of a tone, from `from` on.
fn sounds(count: u64, from: MediaTime) -> Vec<EncodedSound> {
    let mut encoder = AudioEncoder::new().unwrap();
    let tone: [f32; BLOCK_SAMPLES] = std::array::from_fn(|n| (n as f32 * 0.05).sin() * 0.3);
    let sound = |n: u64| EncodedSound {
        payload: encoder.encode(&Block(tone), Prediction::Allowed).unwrap(),
        at: from + Duration::from_millis(20 * n),
    };
    (0..count).map(sound).collect()
}

/// A file of what comes in the order of its times, and where its header and its parts end.
fn film(pictures: &[EncodedPicture], sounds: &[EncodedSound]) -> (Vec<u8>, Vec<usize>) {
    let (mut film, header) = Film::begin(&pictures[0]).unwrap();
    let (mut bytes, mut ends) = (header.to_vec(), vec![header.len()]);
    let mut keep = |cut: Option<Cut>| {
        bytes.extend(cut.iter().flat_map(|cut| cut.bytes.iter()));
        ends.extend(cut.map(|_| bytes.len()));
    };
    let mut sounds = sounds.iter().peekable();
    for picture in pictures {
        while let Some(sound) = sounds.next_if(|sound| sound.at < picture.at) {
            keep(film.sound(sound).unwrap());
        }
        keep(film.picture(picture).unwrap());
    }
    sounds.for_each(|sound| keep(film.sound(sound).unwrap()));
    keep(film.end().unwrap());
    (bytes, ends)
}

/// Everything in a file.
fn content(path: &Path) -> (Vec<CodedPicture>, Vec<CodedSound>, Duration) {
    let Media { pictures, sound, duration } = Media::open(path).unwrap();
    let (mut pictures, mut sound) = (pictures.expect("a picture track"), sound.expect("a sound track"));
    let pictures = std::iter::from_fn(|| pictures.next().unwrap()).collect();
    (pictures, std::iter::from_fn(|| sound.next().unwrap()).collect(), duration)
}

fn at_of(sound: &CodedSound) -> Duration {
    match sound {
        CodedSound::Opus { at, .. } | CodedSound::Samples { at, .. } => *at,
    }
}
