//! An Ogg/Opus file of anybody (RFC 7845).
//!
//! In: the file. Out: its packets with their times. Never: packets before the pre-skip or after the end that its granule positions name.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use super::pages::{CAPTURE, Heading, Pages};
use super::{HEAD, TAGS};
use crate::codec::opus;
use crate::container::rate::length;
use crate::container::source::Source;
use crate::container::{CodedSound, ContainerError, Media, SoundStream, malformed};
use crate::media::SAMPLE_RATE;

/// Where the last page is looked for: the last two of the largest size.
const TAIL: usize = 128 << 10;
/// Samples of a file that are taken: two days.
const MOST: u64 = 48 * 3600 * SAMPLE_RATE as u64;
/// A page whose packets end so much later than those before lead to comes after a gap.
const GAP: u64 = SAMPLE_RATE as u64 / 50;

/// One stream's packets.
struct OggSound {
    pages: Pages,
    ready: VecDeque<CodedSound>,
    /// The granule position at which the file begins: that of its first packet and the pre-skip.
    zero: u64,
    /// That of the next packet.
    position: u64,
}

pub(in crate::container) fn open(source: &Source) -> Result<Media, ContainerError> {
    let mut pages = Pages::new(source);
    let pre_skip = read_head(&first_packet(&mut pages)?)?;
    if !first_packet(&mut pages)?.starts_with(TAGS) {
        return Err(malformed("its second packet is no OpusTags"));
    }
    let mut sound = OggSound { pages, ready: VecDeque::new(), zero: 0, position: 0 };
    sound.begin(pre_skip)?;
    let end = last_granule(source, sound.pages.serial())?.unwrap_or(sound.position).max(sound.position);
    let samples = end.saturating_sub(sound.zero);
    if samples > MOST {
        return Err(malformed("it claims to last more than two days"));
    }
    Ok(Media { pictures: None, sound: Some(Box::new(sound)), duration: length(samples, SAMPLE_RATE) })
}

impl SoundStream for OggSound {
    fn next(&mut self) -> Result<Option<CodedSound>, ContainerError> {
        while self.ready.is_empty() {
            let Some((heading, packets)) = self.pages.next()? else { return Ok(None) };
            self.take(&heading, packets)?;
        }
        Ok(self.ready.pop_front())
    }
}

impl OggSound {
    /// §4.3: the first page with packets says at which position the file begins.
    fn begin(&mut self, pre_skip: u64) -> Result<(), ContainerError> {
        loop {
            let (heading, packets) = self.pages.next()?.ok_or_else(|| malformed("it holds no sound"))?;
            let Some(granule) = heading.granule.filter(|_| !packets.is_empty()) else { continue };
            // §4.4: less than its packets hold only where it is the last one too
            self.position = granule.saturating_sub(packets.iter().map(samples).sum());
            self.zero = self.position.saturating_add(pre_skip);
            return self.take(&heading, packets);
        }
    }

    fn take(&mut self, heading: &Heading, packets: Vec<Bytes>) -> Result<(), ContainerError> {
        let held: u64 = packets.iter().map(samples).sum();
        let begins = heading.granule.unwrap_or(0).saturating_sub(held);
        if begins > self.position.saturating_add(GAP) {
            self.position = begins;
        }
        let end = heading.granule.filter(|_| heading.ends_stream).unwrap_or(u64::MAX);
        for packet in packets {
            let at = self.position;
            self.position = at.saturating_add(samples(&packet));
            if (self.zero..end).contains(&at) && samples(&packet) > 0 {
                self.ready.push_back(CodedSound::Opus { at: length(at - self.zero, SAMPLE_RATE), packet });
            }
        }
        if self.position.saturating_sub(self.zero) > MOST {
            return Err(malformed("a page's granule position is more than two days on"));
        }
        Ok(())
    }
}

/// Samples that a packet holds; 0 where it is none.
fn samples(packet: &Bytes) -> u64 {
    opus::packet_samples(packet).unwrap_or(0) as u64
}

/// The first packet of the next page that has one.
fn first_packet(pages: &mut Pages) -> Result<Bytes, ContainerError> {
    loop {
        let (_, packets) = pages.next()?.ok_or_else(|| malformed("it ends before its sound"))?;
        if let Some(first) = packets.into_iter().next() {
            return Ok(first);
        }
    }
}

/// §5.1; gives the pre-skip.
fn read_head(head: &Bytes) -> Result<u64, ContainerError> {
    let mut fields = head.strip_prefix(HEAD).filter(|fields| fields.len() >= 11).ok_or_else(|| malformed("its OpusHead is too short"))?;
    let (version, channels) = (fields.get_u8(), fields.get_u8());
    let pre_skip = fields.get_u16_le();
    fields.advance(6);
    match (version >> 4, channels, fields.get_u8()) {
        (0, 1 | 2, 0) => Ok(pre_skip.into()),
        (0, ..) => Err(ContainerError::Codec(format!("Opus of {channels} channels in several streams"))),
        _ => Err(ContainerError::Codec(format!("Ogg/Opus of version {version:#x}"))),
    }
}

/// The granule position of the stream's last page.
fn last_granule(source: &Source, serial: Option<u32>) -> Result<Option<u64>, ContainerError> {
    let tail = source.at_most(source.length().saturating_sub(TAIL as u64), TAIL)?;
    let places = (0..tail.len()).rev().filter(|place| tail[*place..].starts_with(CAPTURE));
    let mut headings = places.filter_map(|place| Heading::read(&tail[place..]));
    Ok(headings.find_map(|heading| heading.granule.filter(|_| Some(heading.serial) == serial)))
}
