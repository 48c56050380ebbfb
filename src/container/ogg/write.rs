//! Opus packets as an Ogg stream (RFC 7845).
//!
//! In: packets, one after the other. Out: the bytes of whole pages. Never: a clock, or anything about what came before the first packet:
//! a stream begins at any point, and each listener can have one of their own.

use bytes::Bytes;
use ogg::{PacketWriteEndInfo, PacketWriter};

use super::{HEAD, TAGS};
use crate::codec::opus;
use crate::container::{ContainerError, malformed};
use crate::media::SAMPLE_RATE;

/// What wrote the stream (RFC 7845 §5.2).
const VENDOR: &[u8] = b"medley";
/// Of a gap, so much is filled; a listener goes on earlier after a longer one.
const MOST_LOST: u64 = 10 * SAMPLE_RATE as u64;

/// Writes one stream.
pub struct Writer {
    pages: PacketWriter<'static, Vec<u8>>,
    serial: u32,
    packets_a_page: usize,
    /// Packets of the page that is being filled, each with the samples that all packets up to its end hold, pre-skip included (§4).
    page: Vec<(Vec<u8>, u64)>,
    granule: u64,
    /// What the last packet began with.
    toc: u8,
}

impl Writer {
    /// Begins a stream of `channels` (1 or 2), of which a decoder drops `pre_skip` samples at 48 kHz; gives the two pages that lead it.
    /// `serial` tells streams of one file apart. A page holds `packets_a_page`: with 1 nothing waits, with 50 framing is 1 % of the bytes.
    pub fn begin(serial: u32, channels: u8, pre_skip: u16, packets_a_page: usize) -> (Self, Bytes) {
        // RFC 6716 §3.1: 20 ms of CELT, mono or stereo
        let toc = 31 << 3 | if channels == 2 { 4 } else { 0 };
        let packets_a_page = packets_a_page.clamp(1, 200);
        let mut writer = Self { pages: PacketWriter::new(Vec::new()), serial, packets_a_page, page: Vec::new(), granule: 0, toc };
        for packet in [head(channels, pre_skip), tags()] {
            writer.page.push((packet, 0));
            writer.write(PacketWriteEndInfo::EndPage);
        }
        let header = writer.take();
        (writer, header)
    }

    /// Adds a packet; gives the pages that are whole with it, often none.
    ///
    /// # Errors
    /// Where the bytes are no Opus packet.
    pub fn push(&mut self, packet: &[u8]) -> Result<Bytes, ContainerError> {
        let samples = opus::packet_samples(packet).map_err(|error| malformed(error.to_string()))?;
        self.granule += samples as u64;
        self.toc = packet[0];
        self.page.push((packet.to_vec(), self.granule));
        if self.page.len() >= self.packets_a_page {
            self.write(PacketWriteEndInfo::EndPage);
        }
        Ok(self.take())
    }

    /// Fills in for packets that were lost before they came here, so that what follows is heard at its time (§4.1): a decoder makes up so
    /// many samples, rounded down to whole packets, ten seconds at most.
    pub fn lost(&mut self, samples: u64) -> Bytes {
        let empty = self.empty();
        let each = opus::packet_samples(&empty).unwrap_or(960).max(1) as u64;
        let pages: Vec<_> = (0..samples.min(MOST_LOST) / each).filter_map(|_| self.push(&empty).ok()).collect();
        pages.concat().into()
    }

    /// Gives out what waits for its page to be filled.
    pub fn flush(&mut self) -> Bytes {
        self.write(PacketWriteEndInfo::EndPage);
        self.take()
    }

    /// Ends the stream; gives its last page.
    pub fn end(mut self) -> Bytes {
        if self.page.is_empty() {
            // §4.4: what the last page has beyond its granule position is not heard
            self.page.push((self.empty().to_vec(), self.granule));
        }
        self.write(PacketWriteEndInfo::EndStream);
        self.take()
    }

    /// RFC 6716 §3.2: a packet of one frame without a byte in it, which a decoder makes up.
    fn empty(&self) -> [u8; 1] {
        [self.toc & !3]
    }

    /// Writes the page that was filled.
    fn write(&mut self, end: PacketWriteEndInfo) {
        let last = self.page.len().saturating_sub(1);
        for (n, (packet, granule)) in self.page.drain(..).enumerate() {
            let end = if n == last { end } else { PacketWriteEndInfo::NormalPacket };
            self.pages.write_packet(packet, self.serial, end, granule).expect("a vector takes all that is written");
        }
    }

    fn take(&mut self) -> Bytes {
        std::mem::take(self.pages.inner_mut()).into()
    }
}

/// §5.1, channel mapping family 0.
fn head(channels: u8, pre_skip: u16) -> Vec<u8> {
    let mut head = HEAD.to_vec();
    head.extend_from_slice(&[1, channels]);
    head.extend_from_slice(&pre_skip.to_le_bytes());
    head.extend_from_slice(&SAMPLE_RATE.to_le_bytes());
    head.extend_from_slice(&[0, 0, 0]);
    head
}

/// §5.2, without comments.
fn tags() -> Vec<u8> {
    let mut tags = TAGS.to_vec();
    tags.extend_from_slice(&(VENDOR.len() as u32).to_le_bytes());
    tags.extend_from_slice(VENDOR);
    tags.extend_from_slice(&0u32.to_le_bytes());
    tags
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("serial", &self.serial).field("granule", &self.granule).finish_non_exhaustive()
    }
}
