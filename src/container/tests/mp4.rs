//! MP4 as it is written here: read back, looked at by another reader, and cut off anywhere.

use mp4_atom::{Any, Codec, Decode, Encode};

use super::*;
use crate::container::mp4::{Part, PictureTrack, Sample, SoundTrack, Tracks, duration, header, length_prefixed, part, whole_parts};

fn tracks(in_band: bool) -> Tracks {
    let pictures = PictureTrack { width: 64, height: 48, sps: bytes(SPS), pps: bytes(PPS), in_band };
    Tracks { pictures: Some(pictures), sound: Some(SoundTrack { channels: 1, pre_skip: 0 }) }
}

/// Half a second of pictures at 10 a second and of sounds.
pub(super) fn half_second(sequence: u32, keyframe: &[Bytes]) -> Part {
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

/// A file of so many parts, and where each ends, the header first.
pub(super) fn recording(parts: u32) -> (Vec<u8>, Vec<usize>) {
    let mut file = header(&tracks(false)).unwrap().to_vec();
    let mut ends = vec![file.len()];
    for sequence in 1..=parts {
        file.extend_from_slice(&part(&half_second(sequence, &[bytes(&[0x65, 1, 2])])).unwrap());
        ends.push(file.len());
    }
    (file, ends)
}

#[test]
fn what_is_written_in_parts_comes_back_in_order_with_its_times() {
    let mut media = Media::read(Bytes::from(recording(2).0)).unwrap();
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

#[test]
fn a_gap_is_a_long_sample_and_shifts_nothing() {
    let (mut first, mut second) = (half_second(1, &[bytes(&[0x65, 1])]), half_second(5, &[bytes(&[0x65, 2])]));
    first.pictures[4].duration += 3 * 45_000;
    second.sounds_at = 4 * 24_000;
    let mut media = Media::read(Bytes::from(file(&tracks(false), &[first, second]))).unwrap();
    assert_eq!((pictures(&mut media).unwrap()[5].at, media.duration), (ms(2000), ms(2500)));
    assert!(matches!(sounds(&mut media).unwrap()[25], CodedSound::Opus { at, .. } if at == ms(2000)));
}

#[test]
fn another_reader_finds_codecs_that_it_knows_and_data_in_the_file_itself() {
    for in_band in [false, true] {
        let mut header = &header(&tracks(in_band)).unwrap()[..];
        assert!(matches!(Any::decode(&mut header), Ok(Any::Ftyp(_))));
        let Ok(Any::Moov(moov)) = Any::decode(&mut header) else { panic!("no moov") };
        assert!(header.is_empty());
        let codecs: Vec<_> = moov.trak.iter().map(|trak| trak.mdia.minf.stbl.stsd.codecs[0].clone()).collect();
        assert!(matches!(&codecs[0], Codec::Avc1(avc1) if !in_band && avc1.avcc.sequence_parameter_sets == [SPS]) || in_band);
        assert!(matches!(&codecs[0], Codec::Avc3(avc3) if in_band && avc3.avcc.picture_parameter_sets == [PPS]) || !in_band);
        assert!(matches!(&codecs[1], Codec::Opus(opus) if opus.dops.output_channel_count == 1));
        let mut url = Vec::new();
        moov.trak[0].mdia.minf.dinf.encode(&mut url).unwrap();
        // ISO/IEC 14496-12 §8.7.2.1: flag 1, the media are in this file
        assert!(url.ends_with(b"url \0\0\0\x01"));
        assert_eq!(moov.mvex.unwrap().trex.iter().map(|trex| trex.track_id).collect::<Vec<_>>(), [1, 2]);
    }
}

#[test]
fn another_reader_finds_each_sample_where_the_part_says_it_is() {
    let written = half_second(3, &[bytes(&[0x65, 9, 9, 9])]);
    let whole = part(&written).unwrap();
    let mut rest = &whole[..];
    let Ok(Any::Moof(moof)) = Any::decode(&mut rest) else { panic!("no moof") };
    let Ok(Any::Mdat(_)) = Any::decode(&mut rest) else { panic!("no mdat") };
    assert!(rest.is_empty() && moof.mfhd.sequence_number == 3);
    for (traf, samples, begins) in [(&moof.traf[0], &written.pictures, 90_000), (&moof.traf[1], &written.sounds, 48_000)] {
        assert!(traf.tfhd.default_base_is_moof && traf.tfdt.as_ref().unwrap().base_media_decode_time == begins);
        let mut place = traf.trun[0].data_offset.unwrap() as usize;
        let entries = traf.trun[0].samples.clone();
        assert_eq!(entries.len(), samples.len());
        for (entry, sample) in entries.iter().zip(samples) {
            let size = entry.size.unwrap() as usize;
            assert_eq!((&whole[place..place + size], entry.duration.unwrap()), (&sample.payload[..], sample.duration));
            place += size;
        }
    }
}

#[test]
fn cut_off_anywhere_a_file_is_whole_up_to_its_last_whole_part() {
    let (file, ends) = recording(3);
    for cut in 0..=file.len() {
        let whole = ends.iter().rev().find(|end| **end <= cut).copied().unwrap_or(0);
        assert_eq!(whole_parts(Bytes::copy_from_slice(&file[..cut])).unwrap(), whole as u64, "cut at {cut}");
    }
    for (n, end) in ends.iter().enumerate() {
        assert_eq!(duration(Bytes::copy_from_slice(&file[..*end])).unwrap(), ms(500 * n as u64));
    }
}

#[test]
fn what_was_never_written_is_no_part() {
    let (file, ends) = recording(2);
    for tail in [&[0u8; 5000][..], &[0xff; 100], b"\0\0\0\x10junk12345678"] {
        let found = whole_parts(Bytes::from([&file, tail].concat())).unwrap();
        assert_eq!(found, ends[2] as u64);
    }
}

#[test]
fn a_file_cut_within_a_part_is_played_up_to_there() {
    let (file, ends) = recording(3);
    let mut media = Media::read(Bytes::copy_from_slice(&file[..ends[2] + 300])).unwrap();
    assert_eq!((pictures(&mut media).unwrap().len(), sounds(&mut media).unwrap().len()), (10, 50));
}
