//! Opus in Ogg, as it comes (RFC 7845).
//!
//! In: Opus packets in order. Out: bytes: two header pages, then a page whenever one is asked for. Granule positions count the samples of
//! the packets given, from 0: a packet that is left out is no gap. Never: a packet held back.

use std::borrow::Cow;
use std::io;

use bytes::Bytes;
use ogg::{PacketWriteEndInfo, PacketWriter};

use crate::codec::opus::packet_samples;

/// Whether more pages come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// They do, or may.
    No,
    /// It is the last page.
    Yes,
}

/// Writes one stream.
pub struct Writer {
    pages: PacketWriter<'static, Vec<u8>>,
    serial: u32,
    /// Samples at 48 kHz so far.
    granule: u64,
}

impl Writer {
    /// A stream of this number; its headers (§5) are the first bytes to be taken. `pre_skip` is in samples at 48 kHz that a decoder
    /// drops at the beginning: 3840 where the packets begin amid what an encoder makes (§4.2).
    pub fn new(serial: u32, channels: u8, pre_skip: u16) -> Self {
        let mut writer = Self { pages: PacketWriter::new(Vec::new()), serial, granule: 0 };
        writer.write(identification(channels, pre_skip), PacketWriteEndInfo::EndPage);
        writer.write(comments(), PacketWriteEndInfo::EndPage);
        writer
    }

    /// One page of some packets, at least one. Together they are at most 60 000 bytes long, so that it is one page.
    pub fn page(&mut self, packets: &[Bytes], end: End) {
        let Some((last, before)) = packets.split_last() else { return };
        for packet in before {
            self.packet(packet, PacketWriteEndInfo::NormalPacket);
        }
        let end = if end == End::Yes { PacketWriteEndInfo::EndStream } else { PacketWriteEndInfo::EndPage };
        self.packet(last, end);
    }

    /// What has been written since this was asked last.
    pub fn take(&mut self) -> Bytes {
        std::mem::take(self.pages.inner_mut()).into()
    }

    fn packet(&mut self, packet: &Bytes, end: PacketWriteEndInfo) {
        // What is no Opus packet lasts no time
        self.granule += packet_samples(packet).unwrap_or(0) as u64;
        self.write(packet.to_vec(), end);
    }

    fn write(&mut self, packet: Vec<u8>, end: PacketWriteEndInfo) {
        let written: io::Result<()> = self.pages.write_packet(Cow::Owned(packet), self.serial, end, self.granule);
        written.expect("a Vec takes every byte");
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer(serial {}, granule {})", self.serial, self.granule)
    }
}

/// §5.1, mapping family 0: version 1, channels, pre-skip, input rate, no gain.
fn identification(channels: u8, pre_skip: u16) -> Vec<u8> {
    let [low, high] = pre_skip.to_le_bytes();
    [b"OpusHead".as_slice(), &[1, channels, low, high], &48_000u32.to_le_bytes(), &[0, 0, 0]].concat()
}

/// §5.2: who made it, and no comments.
fn comments() -> Vec<u8> {
    let vendor = concat!("Medley ", env!("CARGO_PKG_VERSION"));
    [b"OpusTags".as_slice(), &(vendor.len() as u32).to_le_bytes(), vendor.as_bytes(), &[0; 4]].concat()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use ogg::PacketReader;

    /// 20 ms of CELT in mono, and as many bytes as are wanted.
    fn packet(length: usize) -> Bytes {
        [&[0xf8], vec![7; length - 1].as_slice()].concat().into()
    }

    #[test]
    fn a_reader_finds_the_headers_and_each_packet_at_its_position() {
        let mut writer = Writer::new(0x1234_5678, 1, 3840);
        let headers = writer.take();
        assert_eq!(&headers[..6], b"OggS\0\x02");
        for pair in [[3, 160], [255, 254], [510, 1275]] {
            writer.page(&pair.map(packet), End::No);
        }
        writer.page(&[packet(3)], End::Yes);
        let mut reader = PacketReader::new(Cursor::new([headers, writer.take()].concat()));
        let mut read = Vec::new();
        while let Some(packet) = reader.read_packet().unwrap() {
            assert_eq!(packet.stream_serial(), 0x1234_5678);
            read.push(packet);
        }
        assert_eq!(read[0].data, b"OpusHead\x01\x01\x00\x0f\x80\xbb\0\0\0\0\0");
        assert!(read[1].data.starts_with(b"OpusTags\x0c\0\0\0Medley "));
        assert!(read[..2].iter().all(|header| header.absgp_page() == 0 && header.last_in_page()));
        assert_eq!(read[2..].iter().map(|packet| packet.data.len()).collect::<Vec<_>>(), [3, 160, 255, 254, 510, 1275, 3]);
        // A page's position is that of the last packet which ends in it
        let ends: Vec<_> = read[2..].iter().filter(|packet| packet.last_in_page()).map(|packet| packet.absgp_page()).collect();
        assert_eq!(ends, [1920, 3840, 5760, 6720]);
        assert!(read[8].last_in_stream() && !read[7].last_in_stream());
    }

    #[test]
    fn what_is_taken_is_whole_pages() {
        let mut writer = Writer::new(1, 2, 312);
        writer.take();
        for number in 2..300u32 {
            writer.page(&[packet(160)], End::No);
            let page = writer.take();
            assert_eq!((&page[..4], page.len(), &page[18..22]), (&b"OggS"[..], 28 + 160, &number.to_le_bytes()[..]));
        }
        assert!(writer.take().is_empty());
    }
}
