//! MP4 as it is written here, read back.

use super::*;
use crate::container::mp4::{Part, PictureTrack, Sample, SoundTrack, Tracks, header, length_prefixed, part};

fn tracks(in_band: bool) -> Tracks {
    let pictures = PictureTrack { width: 64, height: 48, sps: bytes(SPS), pps: bytes(PPS), in_band };
    Tracks { pictures: Some(pictures), sound: Some(SoundTrack { channels: 1, pre_skip: 0 }) }
}

/// Half a second of pictures at 10 a second and of sounds.
fn half_second(sequence: u32, keyframe: &[Bytes]) -> Part {
    let begins = u64::from(sequence - 1);
    let picture = |n: u8| {
        let nal_units = if n == 0 { keyframe.to_vec() } else { vec![Bytes::from(vec![0x41, n, sequence as u8])] };
        Sample { payload: length_prefixed(&nal_units), duration: 9_000, keyframe: n == 0 }
    };
    let sound = |n: u8| Sample { payload: Bytes::from(vec![0x08, n]), duration: 960, keyframe: true };
    Part {
        sequence,
        pictures_at: begins * 45_000,
        pictures: (0..5).map(picture).collect(),
        sounds_at: begins * 24_000,
        sounds: (0..25).map(sound).collect(),
    }
}

fn file(tracks: &Tracks, parts: &[Part]) -> Vec<u8> {
    let parts = parts.iter().flat_map(|one| part(one).unwrap());
    header(tracks).unwrap().into_iter().chain(parts).collect()
}

#[test]
fn what_is_written_in_parts_comes_back_in_order_with_its_times() {
    let keyframe = [bytes(&[0x65, 1, 2])];
    let mut media = Media::read(Bytes::from(file(&tracks(false), &[half_second(1, &keyframe), half_second(2, &keyframe)]))).unwrap();
    assert_eq!(media.duration, ms(1000));
    let pictures = pictures(&mut media).unwrap();
    assert_eq!(pictures.iter().map(|picture| picture.at).collect::<Vec<_>>(), (0..10).map(|n| ms(100 * n)).collect::<Vec<_>>());
    assert_eq!(pictures[5].nal_units, [bytes(SPS), bytes(PPS), bytes(&[0x65, 1, 2])]);
    assert_eq!(pictures[6].nal_units, [bytes(&[0x41, 1, 2])]);
    assert_eq!(pictures.iter().map(|picture| picture.keyframe).collect::<Vec<_>>(), [true, false, false, false, false].repeat(2));
    let sounds = sounds(&mut media).unwrap();
    assert_eq!(sounds.len(), 50);
    assert_eq!(sounds[26], CodedSound::Opus { at: ms(520), packet: bytes(&[0x08, 1]) });
}

#[test]
fn parameter_sets_in_a_picture_are_not_doubled() {
    let keyframe = [bytes(SPS), bytes(PPS), bytes(&[0x65, 1])];
    let mut media = Media::read(Bytes::from(file(&tracks(true), &[half_second(1, &keyframe)]))).unwrap();
    assert_eq!(pictures(&mut media).unwrap()[0].nal_units, keyframe);
}
