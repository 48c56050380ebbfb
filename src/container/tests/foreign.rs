//! MP4 files that others write: a plain one as ffmpeg makes it (H.264 of 64 × 48 at 25 a second, AAC-LC of 441 Hz in two channels at
//! 44.1 kHz), and what becomes of it in bad hands.

use std::f32::consts::TAU;

use proptest::prelude::*;

use super::mp4::{half_second, recording};
use super::*;

const PLAIN: &[u8] = include_bytes!("ffmpeg.mp4");

/// The plain file after a change at so many bytes behind the first box of a kind.
fn changed(kind: &[u8; 4], behind: usize, with: &[u8]) -> Vec<u8> {
    let mut file = PLAIN.to_vec();
    let place = file.windows(4).position(|four| four == kind).unwrap() + 4 + behind;
    file[place..place + with.len()].copy_from_slice(with);
    file
}

fn refused(file: Vec<u8>) -> String {
    Media::read(Bytes::from(file)).unwrap_err().to_string()
}

/// Reads all of a file, as far as it goes; how many pictures, sounds, and samples of sound.
fn all(file: Vec<u8>) -> Option<(usize, usize, usize)> {
    let mut media = Media::read(Bytes::from(file)).ok()?;
    assert!(media.duration <= ms(48 * 3_600_000));
    let (mut pictures, mut sounds, mut samples) = (0, 0, 0);
    while let Some(Ok(Some(_))) = media.pictures.as_mut().map(|stream| stream.next()) {
        pictures += 1;
    }
    while let Some(Ok(Some(sound))) = media.sound.as_mut().map(|stream| stream.next()) {
        sounds += 1;
        samples += if let CodedSound::Samples { samples, .. } = sound { samples.len() } else { 0 };
    }
    Some((pictures, sounds, samples))
}

#[test]
fn a_plain_file_is_read_and_its_aac_decoded_from_where_the_edit_list_begins() {
    let mut media = Media::read(Bytes::from_static(PLAIN)).unwrap();
    assert_eq!(media.duration, ms(500));
    let pictures = pictures(&mut media).unwrap();
    assert_eq!(pictures.iter().map(|picture| picture.at).collect::<Vec<_>>(), (0..12).map(|n| ms(40 * n)).collect::<Vec<_>>());
    assert_eq!((0..12).filter(|n| pictures[*n].keyframe).collect::<Vec<_>>(), [0, 6]);
    let kinds: Vec<_> = pictures[6].nal_units.iter().map(|unit| unit[0] & 0x1f).collect();
    assert_eq!(kinds, [7, 8, 5]);
    let heard = joined(&sounds(&mut media).unwrap());
    assert!(heard.len().abs_diff(24_000) < 3);
    // ffmpeg's sine begins at phase 0; it is an eighth of full scale, and 3 dB less in each of two channels: a time that is wrong by a
    // millisecond would be almost half a turn
    let (mut along, mut across) = (0.0, 0.0);
    for (n, sample) in heard.iter().enumerate().skip(4800).take(14_400) {
        let phase = TAU * 441.0 * n as f32 / 48_000.0;
        (along, across) = (along + sample * phase.sin(), across + sample * phase.cos());
    }
    assert!((along / 7200.0 - 0.0884).abs() < 0.01 && across.abs() < 0.1 * along, "{} {}", along / 7200.0, across / 7200.0);
}

#[test]
fn other_codecs_are_named() {
    assert!(refused(changed(b"stsd", 12, b"hev1")).contains("hev1 pictures"));
    let sound = PLAIN.windows(4).rposition(|four| four == b"mp4a").unwrap();
    let mut file = PLAIN.to_vec();
    file[sound..sound + 4].copy_from_slice(b"ac-3");
    assert!(refused(file).contains("ac-3 sound"));
    // The object type in the esds box: MP3
    let mut file = PLAIN.to_vec();
    let kind = file.windows(2).rposition(|two| two == [0x40, 0x15]).unwrap();
    file[kind] = 0x6b;
    assert!(refused(file).contains("type 0x6b"));
}

#[test]
fn of_several_tracks_of_a_kind_the_first_is_played_and_no_other_is_looked_at() {
    let last = |kind: &[u8; 4]| PLAIN.windows(4).rposition(|four| four == kind).unwrap() - 4;
    let (moov, sound) = (last(b"moov"), last(b"trak"));
    let length = |at: usize| u32::from_be_bytes(PLAIN[at..at + 4].try_into().unwrap());
    let mut other = PLAIN[sound..][..length(sound) as usize].to_vec();
    let codec = other.windows(4).position(|four| four == b"mp4a").unwrap();
    other[codec..codec + 4].copy_from_slice(b"ac-3");
    // The header is the file's last box
    let mut file = [PLAIN, &other].concat();
    file[moov..moov + 4].copy_from_slice(&(length(moov) + length(sound)).to_be_bytes());
    let first = all(PLAIN.to_vec());
    assert!(first.is_some() && all(file) == first);
}

#[test]
fn a_time_beyond_all_times_is_refused_and_is_none_before_the_beginning() {
    use crate::container::mp4::{Part, PictureTrack, Tracks, header, part};
    let pictures = PictureTrack { width: 64, height: 48, sps: bytes(SPS), pps: bytes(PPS), in_band: false };
    let header = header(&Tracks { pictures: Some(pictures), sound: None }).unwrap();
    let late = Part { pictures_at: 1 << 62, sounds: vec![], ..half_second(1, &[bytes(&[0x65, 1])]) };
    assert!(refused([&header[..], &part(&late).unwrap()].concat()).contains("172800 s are taken"));
}

#[test]
fn huge_claims_are_refused_before_anything_is_made_of_them() {
    assert!(refused(changed(b"stsz", 8, &[0xff; 4])).contains("4294967295 samples"));
    assert!(refused(changed(b"stsz", 8, &[0, 0x1e, 0, 0])).contains("too short for 1966080 samples"));
    assert!(refused(changed(b"stco", 4, &[0xff; 4])).contains("4294967295 entries"));
    assert!(refused(changed(b"stts", 12, &[0xff; 4])).contains("172800 s are taken"));
    assert!(refused(changed(b"mdhd", 12, &[0; 4])).contains("clock of 0"));
}

#[test]
fn samples_outside_of_the_file_and_samples_that_overlap_are_refused() {
    assert!(refused(changed(b"stco", 8, &[0x7f, 0, 0, 0])).contains("beyond its end"));
    // All of the same size, which the file has room for but once
    assert!(refused(changed(b"stsz", 4, &[0, 0, 0x10, 0])).contains("malformed"));
}

#[test]
fn a_box_longer_than_what_it_is_in_is_refused() {
    let moov = PLAIN.windows(4).position(|four| four == b"moov").unwrap() - 4;
    let mut file = PLAIN.to_vec();
    file[moov..moov + 4].copy_from_slice(&[0x10, 0, 0, 0]);
    assert!(refused(file).contains("moov box claims"));
    assert!(refused(PLAIN[..moov].to_vec()).contains("no moov"));
}

#[test]
fn pictures_that_are_shown_in_another_order_are_refused_with_what_to_do() {
    use mp4_atom::{Any, Decode, Encode, Moof};
    let (file, ends) = recording(1);
    let mut rest = &file[ends[0]..];
    let Ok(Any::Moof(mut moof)) = Any::decode(&mut rest) else { panic!("no moof") };
    let write = |moof: &Moof| {
        let mut written = Vec::new();
        moof.encode(&mut written).unwrap();
        written
    };
    // Pictures 1 and 2 change places; each entry has four bytes more
    let shifts = [0, 18_000, -9_000, 0, 0];
    let entries: Vec<_> =
        moof.traf[0].trun[0].samples.iter().zip(shifts).map(|(entry, cts)| mp4_atom::TrunEntry { cts: Some(cts), ..entry }).collect();
    moof.traf[0].trun[0].samples = entries.into();
    assert!(refused([&file[..ends[0]], &write(&moof), rest].concat()).contains("B-pictures"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn damage_to_a_plain_file_never_panics_and_never_makes_more_than_is_there(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in 0usize..6000,
    ) {
        let mut file = PLAIN.to_vec();
        damage.iter().for_each(|(place, with)| file[place.index(PLAIN.len())] = *with);
        file.truncate(PLAIN.len().saturating_sub(cut.saturating_sub(5000)));
        if let Some((pictures, sounds, samples)) = all(file) {
            prop_assert!(pictures <= PLAIN.len() && sounds <= 2 * PLAIN.len() && samples <= 12 * 1024 * PLAIN.len());
        }
    }

    #[test]
    fn damage_to_parts_never_panics_and_never_makes_more_than_is_there(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let (mut file, _) = recording(3);
        let length = file.len();
        damage.iter().for_each(|(place, with)| file[place.index(length)] = *with);
        let whole = crate::container::mp4::whole_parts(Bytes::copy_from_slice(&file[..cut.index(length)])).unwrap();
        prop_assert!(whole as usize <= cut.index(length));
        if let Some((pictures, sounds, _)) = all(file) {
            prop_assert!(pictures <= length && sounds <= length);
        }
    }

    #[test]
    fn bytes_that_only_begin_like_a_file_never_panic(kind in 0usize..4, rest in proptest::collection::vec(any::<u8>(), 0..400)) {
        let head: [&[u8]; 4] = [b"RIFF\0\x10\0\0WAVE", b"OggS\0\x02", b"\0\0\0\x10ftypisom", b"\0\0\0\x01\x67"];
        all([head[kind], &rest].concat());
    }
}
