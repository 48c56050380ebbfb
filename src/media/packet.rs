//! Packets: RTP as it comes in, encoded media as it goes out.

use bytes::Bytes;

use super::MediaTime;

/// An RTP packet after decryption, header extensions and padding removed (RFC 3550 §5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtpPacket {
    /// Sequence number; wraps.
    pub sequence: u16,
    /// Media timestamp in units of the payload's clock (90 kHz video, 48 kHz Opus); wraps.
    pub timestamp: u32,
    /// The marker bit: last packet of an access unit, or first of a talk spurt.
    pub marker: bool,
    /// Synchronisation source.
    pub ssrc: u32,
    /// Which simulcast layer of its sender it belongs to, by its place in the offer (RFC 8853); 0 where there is only one.
    pub layer: u8,
    /// It came as a retransmission (RFC 4588), or repeated within a later packet (RFC 2198).
    pub resent: bool,
    /// Payload; empty for padding-only packets.
    pub payload: Bytes,
    /// When it arrived.
    pub arrival: MediaTime,
}

/// What a sender says of one stream's clock (RFC 3550 §6.4.1): at this moment of its wall clock, this was its RTP time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderReport {
    /// Synchronisation source.
    pub ssrc: u32,
    /// Seconds since 1900 in the upper half, fractions in the lower; of the sender's wall clock, which may be wrong by any time.
    pub ntp: u64,
    /// In units of the payload's clock; wraps.
    pub rtp: u32,
    /// When it arrived.
    pub arrival: MediaTime,
}

/// One encoded picture, packetized once for all receivers.
#[derive(Clone, Debug, Default)]
pub struct EncodedPicture {
    /// NAL units without start codes, in order; SPS and PPS first in a keyframe. For files and segments.
    pub nal_units: Vec<Bytes>,
    /// RTP payloads in order (RFC 6184, packetization mode 1), each at most 1200 bytes; the last one carries the marker.
    pub payloads: Vec<Bytes>,
    /// The video tick it shows; RTP time is `at.rtp(90_000)` plus the receiver's offset.
    pub at: MediaTime,
    /// Whether a receiver can start here (SPS, PPS and IDR are in it).
    pub keyframe: bool,
    /// Counts the pictures of one scene's rendition, without gaps; a receiver that misses one waits for a keyframe, and so does one
    /// that comes to another rendition, which counts for itself.
    pub number: u64,
}

/// 20 ms of encoded sound.
#[derive(Clone, Debug)]
pub struct EncodedSound {
    /// One Opus packet.
    pub payload: Bytes,
    /// The audio tick; RTP time is `at.rtp(48_000)` plus the receiver's offset.
    pub at: MediaTime,
}
