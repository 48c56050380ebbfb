//! Reads what was written, box by box, and holds what the boxes say against each other.

use bytes::Bytes;

/// A picture as it stands in a file.
pub(super) struct Picture {
    pub(super) nal_units: Vec<Bytes>,
    pub(super) keyframe: bool,
    at: u64,
}

/// A sound as it stands in a file.
pub(super) struct Sound {
    pub(super) packet: Bytes,
    at: u64,
}

/// What a file holds.
#[derive(Default)]
pub(super) struct Stored {
    pub(super) pictures: Vec<Picture>,
    pub(super) sounds: Vec<Sound>,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) channels: u8,
    /// What the pictures are said to be.
    pub(super) entry: [u8; 4],
    pub(super) parts: u32,
    /// Where the last sample of each track ends.
    ends: [u64; 2],
}

impl Stored {
    /// In microseconds.
    pub(super) fn picture_times(&self) -> impl Iterator<Item = u64> + '_ {
        self.pictures.iter().map(|picture| picture.at * 100 / 9)
    }

    /// In microseconds.
    pub(super) fn sound_times(&self) -> impl Iterator<Item = u64> + '_ {
        self.sounds.iter().map(|sound| sound.at * 125 / 6)
    }
}

/// Reads a whole file.
pub(super) fn read(bytes: &[u8]) -> Stored {
    let mut stored = Stored::default();
    let mut fragment: &[u8] = &[];
    let mut data_at = 0;
    for (kind, content) in boxes(bytes) {
        match &kind {
            b"ftyp" => {}
            b"moov" => describe(&mut stored, content),
            b"moof" => (fragment, data_at) = (content, 8 + content.len() + 8),
            b"mdat" => part(&mut stored, fragment, content, data_at),
            _ => panic!("a box {kind:?}"),
        }
    }
    stored
}

/// The boxes in a box's content.
fn boxes(mut bytes: &[u8]) -> Vec<([u8; 4], &[u8])> {
    let mut boxes = Vec::new();
    while !bytes.is_empty() {
        let length = number(&bytes[..4]) as usize;
        boxes.push((bytes[4..8].try_into().unwrap(), &bytes[8..length]));
        bytes = &bytes[length..];
    }
    boxes
}

fn inner<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    let [first, rest @ ..] = path else { return Some(bytes) };
    boxes(bytes).into_iter().find(|(kind, _)| kind == *first).and_then(|(_, content)| inner(content, rest))
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn describe(stored: &mut Stored, moov: &[u8]) {
    for (_, trak) in boxes(moov).into_iter().filter(|(kind, _)| kind == b"trak") {
        let stsd = inner(trak, &[b"mdia", b"minf", b"stbl", b"stsd"]).unwrap();
        let (kind, entry) = boxes(&stsd[8..])[0];
        if kind == *b"Opus" {
            stored.channels = number(&entry[16..18]) as u8;
        } else {
            (stored.entry, stored.width, stored.height) = (kind, number(&entry[24..26]) as u16, number(&entry[26..28]) as u16);
        }
    }
}

fn part(stored: &mut Stored, moof: &[u8], data: &[u8], data_at: usize) {
    stored.parts += 1;
    assert_eq!(number(&inner(moof, &[b"mfhd"]).unwrap()[4..8]), u64::from(stored.parts));
    let mut used = 0;
    for (_, traf) in boxes(moof).into_iter().filter(|(kind, _)| kind == b"traf") {
        let [tfhd, tfdt, trun] = [b"tfhd", b"tfdt", b"trun"].map(|kind| inner(traf, &[kind]).unwrap());
        let (track, mut at) = (number(&tfhd[4..8]) as usize, number(&tfdt[4..]));
        let end = &mut stored.ends[track - 1];
        assert!(*end == 0 || at == *end, "a part of track {track} begins at {at}, and the one before ended at {end}");
        let mut fields = trun[1..].iter().copied();
        let mut next = |length: usize| number(&fields.by_ref().take(length).collect::<Vec<_>>());
        // Data offset, flags of the first; then duration, size and flags of each
        let (has, count) = (next(3), next(4));
        let mut offset = next(4) as usize - data_at;
        let mut first = (has & 4 != 0).then(|| next(4));
        assert_eq!(has & 0xb01, 0x301, "what each sample says");
        for _ in 0..count {
            let (duration, size) = (next(4), next(4) as usize);
            let flags = if has & 0x400 != 0 { next(4) } else { first.take().unwrap_or_default() };
            let payload = &data[offset..offset + size];
            match track {
                1 => stored.pictures.push(Picture { nal_units: nal_units(payload), keyframe: flags == 0x0200_0000, at }),
                _ => stored.sounds.push(Sound { packet: Bytes::copy_from_slice(payload), at }),
            }
            (at, offset, used) = (at + duration, offset + size, used + size);
        }
        stored.ends[track - 1] = at;
    }
    assert_eq!(used, data.len(), "bytes that belong to nothing");
}

fn nal_units(mut sample: &[u8]) -> Vec<Bytes> {
    let mut units = Vec::new();
    while !sample.is_empty() {
        let length = number(&sample[..4]) as usize;
        units.push(Bytes::copy_from_slice(&sample[4..4 + length]));
        sample = &sample[4 + length..];
    }
    units
}
