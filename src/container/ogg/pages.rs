//! Pages of an Ogg file (RFC 3533 §6), those of one stream.
//!
//! In: the file. Out: packets, page by page, with what the page says of their time. Never: a packet of more than 16 MB, or one whose
//! checksum is wrong.

use bytes::{Buf, Bytes};
use ogg::OggReadError;
use ogg::reading::{BasePacketReader, PageParser};

use super::HEAD;
use crate::container::source::Source;
use crate::container::{ContainerError, malformed};

/// What each page begins with.
pub(super) const CAPTURE: &[u8; 4] = b"OggS";
/// Bytes of a page before its segments.
const HEADER: usize = 27;
/// Pages of a packet: comments may hold a picture of a cover.
const MOST_PAGES: u32 = 256;

/// What a page says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) begins_stream: bool,
    pub(super) ends_stream: bool,
    /// Samples up to the end of its last packet; `None` where no packet ends on it.
    pub(super) granule: Option<u64>,
    pub(super) serial: u32,
}

impl Heading {
    /// Of the bytes that a page begins with.
    pub(super) fn read(mut page: &[u8]) -> Option<Self> {
        page = page.strip_prefix(CAPTURE)?.get(1..)?;
        if page.len() < HEADER - 5 {
            return None;
        }
        let (flags, granule, serial) = (page.get_u8(), page.get_u64_le(), page.get_u32_le());
        let granule = (granule != u64::MAX).then_some(granule);
        Some(Self { begins_stream: flags & 2 != 0, ends_stream: flags & 4 != 0, granule, serial })
    }
}

/// Goes through the pages of the file's first Opus stream.
pub(super) struct Pages {
    source: Source,
    at: u64,
    packets: BasePacketReader,
    serial: Option<u32>,
    /// All streams of a file begin before any of them goes on (RFC 3533 §4).
    going_on: bool,
    /// Pages since a packet ended.
    open: u32,
}

impl Pages {
    pub(super) fn new(source: &Source) -> Self {
        Self { source: source.clone(), at: 0, packets: BasePacketReader::new(), serial: None, going_on: false, open: 0 }
    }

    /// The stream's serial number, from its first page on.
    pub(super) fn serial(&self) -> Option<u32> {
        self.serial
    }

    /// The stream's next page with the packets that end on it; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(Heading, Vec<Bytes>)>, ContainerError> {
        while self.at < self.source.length() {
            let head = self.source.at_most(self.at, HEADER + 255)?;
            let heading = Heading::read(&head).ok_or_else(|| malformed("no page of Ogg where one is to begin"))?;
            let (mut parser, segments) = PageParser::new(head[..HEADER].try_into().expect("a heading was read of it")).map_err(failed)?;
            let table = head.get(HEADER..HEADER + segments).ok_or_else(|| malformed("its last page is cut off"))?;
            let begins = self.at + (HEADER + segments) as u64;
            let body = self.source.bytes(begins, parser.parse_segments(table.to_vec()))?;
            self.at = begins + body.len() as u64;
            self.choose(&heading, &body)?;
            if self.serial == Some(heading.serial) {
                self.packets.push_page(parser.parse_packet_data(body.to_vec()).map_err(failed)?).map_err(failed)?;
                return Ok(Some((heading, self.take()?)));
            }
        }
        Ok(None)
    }

    /// Notes which stream is read; others beside it are passed over.
    fn choose(&mut self, heading: &Heading, body: &[u8]) -> Result<(), ContainerError> {
        match (heading.begins_stream, self.going_on) {
            (true, true) => return Err(ContainerError::Codec("several Ogg streams, one after the other".into())),
            (true, false) if self.serial.is_none() && body.starts_with(HEAD) => self.serial = Some(heading.serial),
            (true, false) => {}
            (false, _) if self.serial.is_none() => return Err(ContainerError::Codec("an Ogg stream other than Opus".into())),
            (false, _) => self.going_on = true,
        }
        Ok(())
    }

    fn take(&mut self) -> Result<Vec<Bytes>, ContainerError> {
        let packets: Vec<_> = std::iter::from_fn(|| self.packets.read_packet()).map(|packet| packet.data.into()).collect();
        self.open = if packets.is_empty() { self.open + 1 } else { 0 };
        if self.open > MOST_PAGES {
            return Err(malformed(format!("a packet goes on for more than {MOST_PAGES} pages")));
        }
        Ok(packets)
    }
}

fn failed(error: OggReadError) -> ContainerError {
    malformed(error.to_string())
}
