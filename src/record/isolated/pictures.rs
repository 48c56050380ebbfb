//! One participant's pictures on their way into their file. Pure.
//!
//! In: access units in order, as ingest puts them together. Out: samples of a [`Track`]. Never: a picture before the first that a decoder
//! can start at, or one that is not later than the one before.

use std::collections::VecDeque;

use bytes::Bytes;

use super::clock::{Captured, Nanos, Offset, StreamClock, ticks};
use super::track::Track;
use crate::codec::sps::Sps;
use crate::container::mp4::{PICTURE_CLOCK, PictureTrack};

const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// What a file says of pictures of which none has come yet: 640×360, constrained baseline. Each keyframe brings its own.
const SOME_SPS: &[u8] = &[0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x2f, 0xf9, 0x50];
const SOME_PPS: &[u8] = &[0x68, 0xcb, 0x83, 0xcb, 0x20];
const SOME_SIZE: (u16, u16) = (640, 360);

/// One participant's pictures.
#[derive(Debug)]
pub(super) struct Pictures {
    clock: StreamClock,
    waiting: VecDeque<Waiting>,
    described: Option<PictureTrack>,
    /// When the last one is shown.
    last: Option<i64>,
    pub(super) track: Track,
}

#[derive(Debug)]
struct Waiting {
    sample: Bytes,
    keyframe: bool,
    captured: Captured,
}

impl Pictures {
    pub(super) fn new() -> Self {
        let (waiting, described, last, track) = Default::default();
        Self { clock: StreamClock::new(PICTURE_CLOCK), waiting, described, last, track }
    }

    /// What the file says of them.
    pub(super) fn describe(&self) -> PictureTrack {
        self.described.clone().unwrap_or_else(|| {
            let (width, height) = SOME_SIZE;
            let (sps, pps) = (Bytes::from_static(SOME_SPS), Bytes::from_static(SOME_PPS));
            PictureTrack { width, height, sps, pps, in_band: true }
        })
    }

    /// Whether one came that a decoder can start at.
    pub(super) fn began(&self) -> bool {
        self.described.is_some()
    }

    /// Takes an access unit that arrived.
    pub(super) fn push(&mut self, walls: &mut Offset, unit: Unit) {
        let Unit { annex_b, timestamp, keyframe, wall, arrival } = unit;
        let captured = self.clock.note(walls, timestamp, wall, arrival);
        let sample = length_prefixed(annex_b);
        if sample.is_empty() {
            return;
        }
        if self.described.is_none() {
            let Some(described) = keyframe.then(|| describe(&sample)).flatten() else { return };
            self.described = Some(described);
        }
        self.waiting.push_back(Waiting { sample, keyframe, captured });
    }

    /// Writes what arrived before `until`; times are since `zero`.
    pub(super) fn settle(&mut self, walls: &Offset, until: Nanos, zero: Nanos) {
        while self.waiting.front().is_some_and(|first| first.captured.arrival < until) {
            let Some(picture) = self.waiting.pop_front() else { return };
            let since = self.clock.time(walls, picture.captured) - zero;
            let at = ticks(since, PICTURE_CLOCK.into()).max(self.last.map_or(0, |last| last + 1));
            self.last = Some(at);
            self.track.push(at as u64, picture.sample, picture.keyframe);
        }
    }
}

/// An access unit.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) annex_b: Vec<u8>,
    pub(super) timestamp: u32,
    pub(super) keyframe: bool,
    /// When it was captured, by its sender's wall clock.
    pub(super) wall: Option<Nanos>,
    pub(super) arrival: Nanos,
}

/// Lengths in place of start codes, which are as long (ISO/IEC 14496-15 §5.3.2).
fn length_prefixed(mut annex_b: Vec<u8>) -> Bytes {
    let mut begin = start_code(&annex_b, 0);
    while begin < annex_b.len() {
        let end = start_code(&annex_b, begin + START_CODE.len());
        let length = (end - begin - START_CODE.len()) as u32;
        annex_b[begin..begin + START_CODE.len()].copy_from_slice(&length.to_be_bytes());
        begin = end;
    }
    annex_b.into()
}

/// Where the first start code from `from` on is; the end where there is none.
fn start_code(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(window) = bytes.get(at..at + START_CODE.len()) {
        match window {
            [0, 0, 0, 1] => return at,
            // Within a NAL unit most bytes are larger, and none of these four can begin one then
            [_, _, _, 2..=u8::MAX] => at += START_CODE.len(),
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The first parameter sets in a sample.
fn describe(sample: &Bytes) -> Option<PictureTrack> {
    let of_type = |kind: u8| nal_units(sample).find(move |nal| nal.first().is_some_and(|header| header & 0x1f == kind));
    let (sps, pps) = (of_type(7)?, of_type(8)?);
    let side = |length: u32| u16::try_from(length).ok();
    let size = Sps::parse(&sps).ok().and_then(|sps| side(sps.width).zip(side(sps.height)));
    let (width, height) = size.unwrap_or(SOME_SIZE);
    // A decoder configuration repeats the three bytes behind the header
    (sps.len() >= 4).then_some(PictureTrack { width, height, sps, pps, in_band: true })
}

fn nal_units(sample: &Bytes) -> impl Iterator<Item = Bytes> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let length = sample.get(at..at + 4)?;
        let begin = at + 4;
        at = begin + u32::from_be_bytes(length.try_into().ok()?) as usize;
        (at <= sample.len()).then(|| sample.slice(begin..at))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: Nanos = 1_000_000;

    fn annex_b(nal_units: &[&[u8]]) -> Vec<u8> {
        nal_units.iter().flat_map(|nal| [&START_CODE[..], nal].concat()).collect()
    }

    fn unit(n: u32, keyframe: bool, arrival_ms: i64) -> Unit {
        let picture: &[u8] = &[if keyframe { 0x65 } else { 0x41 }, 0x80, n as u8];
        let annex_b = if keyframe { annex_b(&[SOME_SPS, SOME_PPS, picture]) } else { annex_b(&[picture]) };
        Unit { annex_b, timestamp: (u32::MAX - 5000).wrapping_add(n * 3000), keyframe, wall: None, arrival: arrival_ms * MS }
    }

    fn written(pictures: &mut Pictures, walls: &Offset) -> Vec<(u8, u32)> {
        pictures.settle(walls, Nanos::MAX, 0);
        let samples = pictures.track.take_all(|_, before| before);
        samples.iter().map(|sample| (*sample.payload.last().unwrap(), sample.duration)).collect()
    }

    #[test]
    fn the_size_that_stands_in_for_others_is_what_it_says() {
        let sps = Sps::parse(SOME_SPS).unwrap();
        assert_eq!((sps.width, sps.height), (640, 360));
    }

    #[test]
    fn a_file_begins_with_what_a_decoder_can_start_at_and_gaps_are_long_pictures() {
        let (mut pictures, mut walls) = (Pictures::new(), Offset::default());
        for n in [0, 1, 2, 3, 4, 9, 10] {
            pictures.push(&mut walls, unit(n, n == 2, 1000 + i64::from(n) * 100 / 3));
        }
        assert!(pictures.began());
        let written = written(&mut pictures, &walls);
        assert_eq!(written.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [2, 3, 4, 9, 10]);
        assert!(
            written.iter().zip([3000, 3000, 15_000, 3000, 3000]).all(|((_, lasts), wanted)| lasts.abs_diff(wanted) <= 180),
            "{written:?}"
        );
    }

    #[test]
    fn times_never_go_back_nor_stand() {
        let (mut pictures, mut walls) = (Pictures::new(), Offset::default());
        for (n, timestamp) in [9000, 3000, 3000, 0, 12_000].into_iter().enumerate() {
            let keyframe = n == 0;
            pictures.push(&mut walls, Unit { timestamp, ..unit(n as u32, keyframe, 1000) });
        }
        assert!(written(&mut pictures, &walls)[..4].iter().all(|(_, lasts)| *lasts >= 1));
    }

    proptest! {
        #[test]
        fn nal_units_come_out_as_they_went_in(nal_units_in in prop::collection::vec(prop::collection::vec(0u8..4, 1..40), 1..6)) {
            // What ends in a zero or has a start code in it is no NAL unit (ITU-T H.264 §7.4.1)
            let is_nal = |nal: &Vec<u8>| !nal.windows(3).any(|w| w[..2] == [0, 0] && w[2] < 3) && nal.last() != Some(&0);
            let sent: Vec<_> = nal_units_in.into_iter().filter(is_nal).collect();
            let sample = length_prefixed(annex_b(&sent.iter().map(Vec::as_slice).collect::<Vec<_>>()));
            prop_assert_eq!(nal_units(&sample).map(Vec::from).collect::<Vec<_>>(), sent);
        }

        #[test]
        fn hostile_units_harm_nothing(units in prop::collection::vec((prop::collection::vec(0u8..10, 0..60), any::<u32>(), any::<bool>(), any::<Option<i64>>(), 0i64..9_000), 1..40)) {
            let (mut pictures, mut walls) = (Pictures::new(), Offset::default());
            for (annex_b, timestamp, keyframe, wall, ms) in units {
                pictures.push(&mut walls, Unit { annex_b, timestamp, keyframe, wall, arrival: ms * MS });
            }
            pictures.settle(&walls, Nanos::MAX, 0);
            prop_assert!(pictures.track.take_all(|_, before| before).iter().all(|sample| sample.duration > 0));
        }
    }
}
