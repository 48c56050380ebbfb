//! A bot's offer: what it would send and take, as browsers negotiate it.
//!
//! In: the server's address, a direction. Out: SDP, and with the server's answer a [`Session`]. Never: a packet.

use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use str0m::bwe::Bitrate;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::{Candidate, Rtc, RtcConfig, RtcError};

use super::line::counts::PayloadTypes;
use super::peer::{Ends, PeerError, Session};
use super::relocation::Signalling;
use super::wire::Wire;

/// Constrained baseline, level 3.1 (RFC 6184 §8.1), as browsers offer it.
const PROFILE_LEVEL_ID: u32 = 0x42_e01f;
/// As `str0m` offers it.
pub(super) const OPUS: u8 = 111;
/// What the stack gives sound that repeats the packet before.
const RED: u8 = 63;
const VIDEO: u8 = 108;
const REPAIR: u8 = 109;
/// What Chromium begins with before it knows the line.
const FIRST_ESTIMATE: Bitrate = Bitrate::kbps(300);
/// Pictures that may wait behind a gap: two seconds. The stack gives up earlier, by its requests for the missing packets and three
/// round trips after the last of them.
const PICTURES_BEHIND_A_GAP: usize = 60;
/// Packets of pictures that are kept for the case that the server asks for them again: some seconds.
const KEPT_PACKETS: usize = 1000;
const KEPT_FOR: Duration = Duration::from_secs(3);
const LARGEST_SHARE_REPEATED: f32 = 0.5;

/// An offer that waits for its answer.
pub(super) struct Offer {
    rtc: Rtc,
    socket: UdpSocket,
    address: SocketAddr,
    pending: SdpPendingOffer,
    sound: Mid,
    pictures: Mid,
    /// The SDP.
    pub(super) sdp: String,
}

impl Offer {
    /// Offers H.264 and Opus in `direction`, from a socket on the address that reaches `host` ("name:port").
    pub(super) fn make(host: &str, direction: Direction, sending: Sending, now: std::time::Instant) -> Result<Self, PeerError> {
        let socket = socket_towards(host).map_err(|source| PeerError::Socket { host: host.into(), source })?;
        let address = socket.local_addr().map_err(|source| PeerError::Socket { host: host.into(), source })?;
        let mut rtc = config(sending).build(now);
        rtc.add_local_candidate(Candidate::host(address, "udp").map_err(RtcError::from)?);
        let mut changes = rtc.sdp_api();
        let sound = changes.add_media(MediaKind::Audio, direction, None, None, None);
        let pictures = changes.add_media(MediaKind::Video, direction, None, None, None);
        let (offer, pending) = changes.apply().expect("two new media lines need negotiation");
        Ok(Self { sdp: offer.to_sdp_string(), rtc, socket, address, pending, sound, pictures })
    }

    /// Takes the server's answer.
    pub(super) fn accept(self, signalling: Signalling, ends: Ends) -> Result<Session, PeerError> {
        let Self { mut rtc, socket, address, pending, sound, pictures, .. } = self;
        let answer = SdpAnswer::from_sdp_string(&signalling.answer).map_err(|error| PeerError::Answer(error.to_string()))?;
        rtc.sdp_api().accept_answer(pending, answer)?;
        repeat_as_asked(&mut rtc, pictures);
        let types = PayloadTypes { sound: OPUS, red: Some(RED), repair: Some(REPAIR) };
        let wire = Wire::new(socket, &ends.line, types).map_err(|source| PeerError::Socket { host: address.to_string(), source })?;
        Ok(Session::new(rtc, wire, address, (sound, pictures), signalling, ends))
    }
}

/// Whether what is sent follows an estimate of what the line takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    /// As much as the server allows. The stack's estimate takes every loss for congestion: at 20 % of it on a line with room enough its
    /// pacer would hold pictures back for seconds, which says nothing about the server.
    Free,
    /// As much as the line is thought to take, too.
    Adapting,
}

/// What a bot's stack is set to, so that it does as a good browser does.
pub(super) fn config(sending: Sending) -> RtcConfig {
    let mut config = Rtc::builder().clear_codecs().enable_opus(true, true);
    if sending == Sending::Adapting {
        config = config.enable_bwe(Some(FIRST_ESTIMATE));
    }
    // A judge waits for no more than two packets behind a gap in the sound.
    config = config.set_reordering_size_audio(3).set_reordering_timeout_audio(Some(Duration::from_millis(60)));
    config = config.set_reordering_size_video(PICTURES_BEHIND_A_GAP).set_send_buffer_video(KEPT_PACKETS);
    // The only way to see how many packets each request asks for.
    config = config.enable_raw_packets(true);
    config.codec_config().add_h264(VIDEO.into(), Some(REPAIR.into()), true, PROFILE_LEVEL_ID);
    config
}

/// The stack gives up repeating where repetitions are 15 % of what it sends, which 20 % of loss needs; browsers are bounded by
/// their estimate.
pub(super) fn repeat_as_asked(rtc: &mut Rtc, pictures: Mid) {
    if let Some(stream) = rtc.direct_api().stream_tx_by_mid(pictures, None) {
        stream.set_rtx_cache(KEPT_PACKETS, KEPT_FOR, Some(LARGEST_SHARE_REPEATED));
    }
}

fn socket_towards(host: &str) -> std::io::Result<UdpSocket> {
    let server = host.to_socket_addrs()?.next().ok_or(std::io::ErrorKind::NotFound)?;
    let any: SocketAddr = if server.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
    // Connecting sends nothing; it makes the system choose the address that packets to the server leave from.
    let probe = UdpSocket::bind(any)?;
    probe.connect(server)?;
    let socket = UdpSocket::bind((probe.local_addr()?.ip(), 0))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Clock;

    fn offer(direction: Direction) -> String {
        let clock = Clock::new();
        Offer::make("127.0.0.1:9", direction, Sending::Adapting, clock.instant(clock.now())).unwrap().sdp
    }

    #[tokio::test]
    async fn an_offer_has_one_audio_and_one_video_line_with_what_browsers_negotiate() {
        let sdp = offer(Direction::SendRecv);
        let count = |text: &str| sdp.matches(text).count();
        assert_eq!((count("m=audio"), count("m=video"), count("m=application")), (1, 1, 0));
        assert_eq!(
            (count("a=sendrecv"), count("H264/90000"), count("profile-level-id=42e01f"), count("packetization-mode=1")),
            (2, 1, 1, 1)
        );
        for wanted in ["opus/48000/2", "a=rtpmap:63 red/48000/2", "rtx/90000", "nack pli", "transport-cc", "127.0.0.1", "a=setup:actpass"] {
            assert!(sdp.contains(wanted), "{wanted} in {sdp}");
        }
    }

    #[tokio::test]
    async fn who_only_watches_offers_to_receive() {
        let sdp = offer(Direction::RecvOnly);
        assert_eq!((sdp.matches("a=recvonly").count(), sdp.matches("a=sendrecv").count()), (2, 0));
    }

    #[tokio::test]
    async fn a_host_that_does_not_exist_is_named() {
        let clock = Clock::new();
        let error = Offer::make("nowhere.invalid:1", Direction::SendRecv, Sending::Free, clock.instant(clock.now())).err().unwrap();
        assert!(error.to_string().contains("nowhere.invalid:1"), "{error}");
    }
}
