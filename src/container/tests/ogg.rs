//! Ogg/Opus as it is written here and by others.

use proptest::prelude::*;

use super::*;
use crate::container::ogg::Writer;

/// 20 ms of CELT, mono.
fn packet(n: usize) -> Vec<u8> {
    vec![0xf8, n as u8, 7]
}

fn stream(packets: usize, pre_skip: u16, packets_a_page: usize) -> Vec<u8> {
    let (mut writer, header) = Writer::begin(7, 1, pre_skip, packets_a_page);
    let mut file = header.to_vec();
    (0..packets).for_each(|n| file.extend_from_slice(&writer.push(&packet(n)).unwrap()));
    file.extend_from_slice(&writer.end());
    file
}

fn read(file: Vec<u8>) -> Result<(Duration, Vec<CodedSound>), ContainerError> {
    let mut media = Media::read(Bytes::from(file))?;
    Ok((media.duration, sounds(&mut media)?))
}

/// Where each page begins.
fn pages(file: &[u8]) -> Vec<usize> {
    (0..file.len()).filter(|at| file[*at..].starts_with(b"OggS")).collect()
}

/// Where the page that begins there ends, by its segments.
fn page_end(file: &[u8], begins: usize) -> Option<usize> {
    let segments = begins + 27..begins + 27 + usize::from(file[begins + 26]);
    Some(segments.end + file.get(segments)?.iter().map(|length| usize::from(*length)).sum::<usize>())
}

/// RFC 3533 §6: the checksum of a page that was changed.
fn seal(file: &mut [u8], begins: usize) {
    let ends = page_end(file, begins).unwrap();
    file[begins + 22..begins + 26].fill(0);
    let bit = |crc: u32, _| crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 };
    let crc = file[begins..ends].iter().fold(0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte) << 24, bit));
    file[begins + 22..begins + 26].copy_from_slice(&crc.to_le_bytes());
}

#[test]
fn what_is_written_comes_back_with_its_times_however_many_packets_a_page_has() {
    for packets_a_page in [1, 7, 50] {
        let (duration, sounds) = read(stream(100, 0, packets_a_page)).unwrap();
        let wanted: Vec<_> = (0..100).map(|n| CodedSound::Opus { at: ms(20 * n), packet: packet(n as usize).into() }).collect();
        assert_eq!((duration, sounds), (ms(2000), wanted));
    }
}

#[test]
fn each_page_has_its_place_its_granule_position_and_its_checksum() {
    let file = stream(5, 312, 2);
    let pages = pages(&file);
    let of = |page: &usize| (file[page + 5], u64::from_le_bytes(file[page + 6..page + 14].try_into().unwrap()), file[page + 18]);
    assert_eq!(pages.iter().map(of).collect::<Vec<_>>(), [(2, 0, 0), (0, 0, 1), (0, 1920, 2), (0, 3840, 3), (4, 4800, 4)]);
    assert!(
        file[pages[0] + 28..].starts_with(b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0") && file[pages[1] + 28..].starts_with(b"OpusTags")
    );
    let mut sealed = file.clone();
    pages.iter().for_each(|page| seal(&mut sealed, *page));
    assert_eq!(sealed, file);
}

#[test]
fn the_pre_skip_is_before_the_beginning() {
    let (duration, sounds) = read(stream(100, 3840, 10)).unwrap();
    assert_eq!((duration, sounds.len()), (ms(1920), 96));
    assert_eq!(sounds[0], CodedSound::Opus { at: ms(0), packet: packet(4).into() });
}

#[test]
fn a_stream_that_ends_with_a_whole_page_still_ends_and_nothing_more_is_heard() {
    let file = stream(4, 0, 2);
    let last = *pages(&file).last().unwrap();
    assert_eq!((file[last + 5], file[last + 6]), (4, 0));
    assert_eq!(read(file).unwrap().1.len(), 4);
}

#[test]
fn lost_packets_keep_what_follows_at_its_time() {
    let (mut writer, header) = Writer::begin(7, 1, 0, 1);
    let mut file = header.to_vec();
    file.extend_from_slice(&writer.push(&packet(1)).unwrap());
    file.extend_from_slice(&writer.lost(2000));
    file.extend_from_slice(&writer.push(&packet(2)).unwrap());
    let sounds = read(file).unwrap().1;
    assert_eq!(sounds.len(), 4);
    assert_eq!(sounds[3], CodedSound::Opus { at: ms(60), packet: packet(2).into() });
}

#[test]
fn a_file_cut_out_of_a_live_stream_begins_at_0_and_a_hole_in_it_stays_one() {
    let whole = stream(100, 0, 10);
    let pages = pages(&whole);
    let file = [&whole[..pages[4]], &whole[pages[6]..]].concat();
    let (duration, sounds) = read([&file[..pages[2]], &file[pages[3]..]].concat()).unwrap();
    assert_eq!((duration, sounds.len()), (ms(1800), 70));
    assert_eq!(sounds[10], CodedSound::Opus { at: ms(600), packet: packet(40).into() });
}

#[test]
fn what_is_no_packet_is_not_written() {
    assert!(Writer::begin(7, 1, 0, 1).0.push(&[]).is_err());
}

#[test]
fn what_cannot_be_played_is_refused_with_why() {
    let refused = |file: Vec<u8>| read(file).unwrap_err().to_string();
    let one = stream(10, 0, 5);
    assert!(refused([one.clone(), one.clone()].concat()).contains("one after the other"));
    let changed = |place: usize, byte: u8| {
        let mut file = one.clone();
        file[place] = byte;
        seal(&mut file, 0);
        file
    };
    assert!(refused(changed(28, b'V')).contains("other than Opus"));
    assert!(refused(changed(28 + 9, 6)).contains("6 channels"));
    assert!(refused(one[..100].to_vec()).contains("malformed"));
    let mut wrong = one.clone();
    wrong[pages(&one)[2] + 30] ^= 1;
    assert!(refused(wrong).contains("hash"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn damage_under_a_right_checksum_never_panics(page in 0usize..6, place in 4usize..60, with in any::<u8>(), cut in 0usize..400) {
        let mut file = stream(20, 312, 5);
        let begins = pages(&file)[page];
        let end = file.len();
        file[(begins + place).min(end - 1)] = with;
        if page_end(&file, begins).is_some_and(|page_end| page_end <= end) {
            seal(&mut file, begins);
        }
        file.truncate(end.saturating_sub(cut));
        if let Ok((duration, sounds)) = read(file) {
            prop_assert!(sounds.len() <= 21 && duration <= ms(48 * 3_600_000));
        }
    }
}
