//! H.264 byte streams.

use proptest::prelude::*;

use super::*;

/// A slice that begins a picture: of an IDR picture, one that refers to others, and a B slice.
const IDR: &[u8] = &[0x65, 0x88, 9];
const SLICE: &[u8] = &[0x41, 0x9a, 9];
const B: &[u8] = &[0x01, 0xa8, 9];
/// Another slice of the picture before.
const MORE: &[u8] = &[0x41, 0x46, 9];
const DELIMITER: &[u8] = &[0x09, 0xf0];

fn stream(units: &[&[u8]]) -> Vec<u8> {
    units.iter().enumerate().flat_map(|(n, unit)| [if n % 3 == 1 { &[0, 0, 1][..] } else { &[0, 0, 0, 1] }, unit].concat()).collect()
}

fn read(units: &[&[u8]]) -> Result<(Duration, Vec<CodedPicture>), ContainerError> {
    let mut media = Media::read(Bytes::from(stream(units)))?;
    Ok((media.duration, pictures(&mut media)?))
}

#[test]
fn a_picture_is_all_slices_up_to_the_next_ones_first() {
    let (duration, pictures) = read(&[SPS, PPS, IDR, MORE, SLICE, MORE, MORE, SLICE]).unwrap();
    assert_eq!(pictures.iter().map(|picture| picture.nal_units.len()).collect::<Vec<_>>(), [4, 3, 1]);
    assert_eq!(pictures.iter().map(|picture| picture.keyframe).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!((pictures[2].at.as_millis(), duration), (66, ms(100)));
}

#[test]
fn what_stands_before_the_slices_of_a_picture_is_the_pictures() {
    let (_, pictures) = read(&[DELIMITER, SPS, PPS, IDR, DELIMITER, SLICE, DELIMITER, SPS, PPS, IDR]).unwrap();
    let kinds = |n: usize| pictures[n].nal_units.iter().map(|unit| unit[0] & 0x1f).collect::<Vec<_>>();
    assert_eq!([kinds(0), kinds(1), kinds(2)], [vec![9, 7, 8, 5], vec![9, 1], vec![9, 7, 8, 5]]);
}

#[test]
fn parameter_sets_that_are_sent_once_lead_each_keyframe() {
    let (_, pictures) = read(&[SPS, PPS, IDR, SLICE, IDR]).unwrap();
    assert_eq!(pictures[2].nal_units, [bytes(SPS), bytes(PPS), bytes(IDR)]);
}

#[test]
fn a_stream_longer_than_a_piece_is_the_same_wherever_it_is_cut() {
    let long: Vec<Vec<u8>> = (0..40).map(|n| [SLICE, &vec![n + 1; 6551 + 7 * usize::from(n)]].concat()).collect();
    let units: Vec<&[u8]> = [SPS, PPS, IDR].into_iter().chain(long.iter().map(Vec::as_slice)).collect();
    let (_, pictures) = read(&units).unwrap();
    assert_eq!(pictures.len(), 41);
    assert!(pictures[1..].iter().zip(&long).all(|(picture, unit)| picture.nal_units == [Bytes::copy_from_slice(unit)]));
}

#[test]
fn b_pictures_and_streams_that_nobody_can_start_at_are_refused() {
    assert!(read(&[SPS, PPS, IDR, SLICE, B]).unwrap_err().to_string().contains("B-pictures"));
    assert!(read(&[IDR, SLICE]).unwrap_err().to_string().contains("without parameter sets"));
    assert!(read(&[SPS, PPS]).unwrap_err().to_string().contains("pictures"));
}

#[test]
fn a_picture_without_an_end_is_refused_before_it_fills_the_memory() {
    let piece = [&[0, 0, 1][..], MORE, &[1; 1 << 20]].concat();
    let file = [stream(&[SPS, PPS, IDR]), piece.repeat(17), stream(&[SLICE])].concat();
    let refusal = Media::read(Bytes::from(file)).unwrap_err().to_string();
    assert!(refusal.contains("or 16777216 bytes"), "{refusal}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_bytes_after_a_start_code_never_panic(rest in proptest::collection::vec(0u8..4, 0..300), more in any::<Vec<u8>>()) {
        let file = [&stream(&[SPS, PPS, IDR])[..], &rest, &more].concat();
        let length = file.len();
        if let Ok(mut media) = Media::read(Bytes::from(file)) {
            prop_assert!(pictures(&mut media).map_or(0, |pictures| pictures.len()) <= length);
        }
    }
}
