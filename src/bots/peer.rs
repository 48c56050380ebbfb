//! One bot's WebRTC session on `str0m`: offer, answer, then packets between a UDP socket and the bot's own threads.
//!
//! In: what the sender encoded, commands. Out: what arrived, counted and handed to the examiner. Never: a codec; time that
//! `str0m` takes by itself.

use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, Frequency, KeyframeRequestKind, MediaData, MediaKind, MediaTime as RtpTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcError};
use tokio::sync::mpsc;

use crate::media::MediaTime;

use super::judge::{Evidence, Witness};
use super::sender::{KeyframeWanted, Parcel, Sent};

/// Constrained baseline, level 3.1 (RFC 6184 §8.1), as browsers offer it.
const PROFILE_LEVEL_ID: u32 = 0x42_e01f;
/// A judge asks for keyframes no faster than this, as browsers do.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_millis(200);
const LARGEST_DATAGRAM: usize = 2000;

/// What the bot tells its session.
#[derive(Debug)]
pub(super) enum Command {
    /// The examiner cannot decode: ask the server for a keyframe.
    AskKeyframe,
    /// Close DTLS and end.
    Leave,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// No socket could be opened towards the server.
    #[error("no UDP socket towards {host}: {source}")]
    Socket {
        /// The server's host and port.
        host: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The answer is no SDP.
    #[error("the server's answer is no SDP: {0}")]
    Answer(String),
    /// The WebRTC stack refuses.
    #[error("WebRTC: {0}")]
    Rtc(#[from] RtcError),
}

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

/// Where the session's own media comes from and what its counts go to.
pub(super) struct Ends {
    pub(super) parcels: mpsc::Receiver<Parcel>,
    pub(super) orders: SyncSender<KeyframeWanted>,
    pub(super) commands: mpsc::Receiver<Command>,
    /// To the examiner; `None` where pictures are only counted.
    pub(super) evidence: Option<SyncSender<Evidence>>,
    pub(super) witness: Arc<Witness>,
    pub(super) sent: Arc<Sent>,
}

/// A negotiated session.
pub(super) struct Session {
    rtc: Rtc,
    socket: tokio::net::UdpSocket,
    address: SocketAddr,
    sound: Mid,
    pictures: Mid,
    ends: Ends,
    next_sound: Option<u64>,
    /// Whether the examiner missed a picture, so that the next one does not join what it saw.
    skipped: bool,
    asked: Option<MediaTime>,
}

impl Offer {
    /// Offers H.264 and Opus in `direction`, from a socket on the address that reaches `host` ("name:port").
    pub(super) fn make(host: &str, direction: Direction, now: std::time::Instant) -> Result<Self, PeerError> {
        let socket = socket_towards(host).map_err(|source| PeerError::Socket { host: host.into(), source })?;
        let address = socket.local_addr().map_err(|source| PeerError::Socket { host: host.into(), source })?;
        // A judge waits for no more than two packets behind a gap in the sound.
        let mut config = Rtc::builder().clear_codecs().enable_opus(true, false).set_reordering_size_audio(3);
        config = config.set_reordering_timeout_audio(Some(Duration::from_millis(60)));
        config.codec_config().add_h264(108.into(), Some(109.into()), true, PROFILE_LEVEL_ID);
        let mut rtc = config.build(now);
        rtc.add_local_candidate(Candidate::host(address, "udp").map_err(RtcError::from)?);
        let mut changes = rtc.sdp_api();
        let sound = changes.add_media(MediaKind::Audio, direction, None, None, None);
        let pictures = changes.add_media(MediaKind::Video, direction, None, None, None);
        let (offer, pending) = changes.apply().expect("two new media lines need negotiation");
        Ok(Self { sdp: offer.to_sdp_string(), rtc, socket, address, pending, sound, pictures })
    }

    /// Takes the server's answer.
    pub(super) fn accept(mut self, answer: &str, ends: Ends) -> Result<Session, PeerError> {
        let answer = SdpAnswer::from_sdp_string(answer).map_err(|error| PeerError::Answer(error.to_string()))?;
        self.rtc.sdp_api().accept_answer(self.pending, answer)?;
        let socket =
            tokio::net::UdpSocket::from_std(self.socket).map_err(|source| PeerError::Socket { host: self.address.to_string(), source })?;
        let Self { rtc, address, sound, pictures, .. } = self;
        Ok(Session { rtc, socket, address, sound, pictures, ends, next_sound: None, skipped: false, asked: None })
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

impl Session {
    /// Runs until told to leave, or until the session ends by itself, which the witness is told.
    pub(super) async fn run(mut self) {
        if let Err(reason) = self.live().await {
            tracing::debug!(%reason, "bot's session ended");
            self.ends.witness.ended(reason);
        }
    }

    async fn live(&mut self) -> Result<(), String> {
        let mut datagram = vec![0; LARGEST_DATAGRAM];
        loop {
            let due = self.drain().await.map_err(|error| error.to_string())?;
            let Some(due) = due else { return Err("the server closed the session".into()) };
            tokio::select! {
                biased;
                received = self.socket.recv_from(&mut datagram) => match received {
                    Ok((length, from)) => self.receive(&datagram[..length], from)?,
                    // ICMP's "port unreachable" shows here; ICE decides whether the server is gone.
                    Err(error) => tracing::trace!(%error, "bot's socket"),
                },
                command = self.ends.commands.recv() => match command {
                    Some(Command::AskKeyframe) => self.ask_keyframe(),
                    Some(Command::Leave) | None => return self.say_farewell().await,
                },
                Some(parcel) = self.ends.parcels.recv() => self.send(parcel)?,
                () = tokio::time::sleep_until(due.into()) => {}
            }
            self.rtc.handle_input(Input::Timeout(self.now())).map_err(|error| error.to_string())?;
        }
    }

    fn now(&self) -> std::time::Instant {
        let epoch = self.ends.witness.epoch();
        epoch.clock().instant(epoch.now())
    }

    /// Sends and notes all that the stack has; gives when it wants to be called again, `None` where it is closed.
    async fn drain(&mut self) -> Result<Option<std::time::Instant>, RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(_) if !self.rtc.is_alive() => return Ok(None),
                Output::Timeout(due) => return Ok(Some(due)),
                // What the socket does not take is lost, like any datagram.
                Output::Transmit(datagram) => drop(self.socket.send_to(&datagram.contents, datagram.destination).await),
                Output::Event(Event::IceConnectionStateChange(IceConnectionState::Disconnected)) => return Ok(None),
                Output::Event(event) => self.note(event),
            }
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Connected => {
                self.ends.witness.connected();
                // The sender waits for this; what is sent before there is a connection is lost.
                self.order_keyframe();
            }
            Event::KeyframeRequest(_) => {
                self.ends.sent.keyframes_asked.fetch_add(1, Ordering::Relaxed);
                self.order_keyframe();
            }
            Event::MediaData(arrived) if arrived.mid == self.pictures => self.take_picture(arrived),
            Event::MediaData(arrived) if arrived.mid == self.sound => self.take_sound(arrived),
            _ => {}
        }
    }

    fn order_keyframe(&self) {
        // An order that still waits is this one too, and without a sender (view only) nobody can be ordered to.
        let _ = self.ends.orders.try_send(KeyframeWanted);
    }

    fn receive(&mut self, datagram: &[u8], source: SocketAddr) -> Result<(), String> {
        let Ok(contents) = datagram.try_into() else { return Ok(()) };
        let received = Receive { proto: Protocol::Udp, source, destination: self.address, contents };
        let input = Input::Receive(self.now(), received);
        if !self.rtc.accepts(&input) {
            return Ok(());
        }
        self.rtc.handle_input(input).map_err(|error| error.to_string())
    }

    fn take_picture(&mut self, arrived: MediaData) {
        let (witness, at, keyframe) = (&self.ends.witness, self.ends.witness.epoch().now(), arrived.is_keyframe());
        witness.picture_arrived(arrived.data.len(), keyframe, !arrived.contiguous, at);
        let Some(evidence) = &self.ends.evidence else { return };
        let interrupted = !arrived.contiguous || self.skipped;
        let given = evidence.try_send(Evidence::Picture { annex_b: arrived.data, keyframe, interrupted, at });
        self.skipped = given.is_err();
        if self.skipped {
            witness.picture_unjudged();
        }
    }

    fn take_sound(&mut self, arrived: MediaData) {
        let at = self.ends.witness.epoch().now();
        let (first, last) = (**arrived.seq_range.start(), **arrived.seq_range.end());
        let lost = self.next_sound.map_or(0, |next| first.saturating_sub(next));
        self.next_sound = Some(last + 1);
        self.ends.witness.sound_arrived(arrived.data.len(), lost);
        if let Some(evidence) = &self.ends.evidence {
            let place = arrived.time.rebase(Frequency::FORTY_EIGHT_KHZ).numer();
            // A full queue shows as a gap in the sound.
            let _ = evidence.try_send(Evidence::Sound { packet: arrived.data, place, at });
        }
    }

    fn send(&mut self, parcel: Parcel) -> Result<(), String> {
        let rtp = |at: MediaTime, rate: Frequency| {
            RtpTime::new((u128::from(at.as_nanos()) * u128::from(rate.get()) / 1_000_000_000) as u64, rate)
        };
        let (mid, codec, at, time, data): (_, _, _, _, Arc<[u8]>) = match parcel {
            Parcel::Picture(unit, at) => (self.pictures, Codec::H264, at, rtp(at, Frequency::NINETY_KHZ), unit),
            Parcel::Sound(packet, at) => (self.sound, Codec::Opus, at, rtp(at, Frequency::FORTY_EIGHT_KHZ), packet[..].into()),
        };
        let wallclock = self.ends.witness.epoch().clock().instant(at);
        // A line that the server does not take is not written to.
        let Some(writer) = self.rtc.writer(mid) else { return Ok(()) };
        let Some(pt) = writer.payload_params().find(|params| params.spec().codec == codec).map(|params| params.pt()) else {
            return Ok(());
        };
        writer.write(pt, wallclock, time, data).map_err(|error| error.to_string())
    }

    fn ask_keyframe(&mut self) {
        let now = self.ends.witness.epoch().now();
        if self.asked.is_some_and(|asked| now.since(asked) < ASK_AGAIN) {
            return;
        }
        let Some(mut writer) = self.rtc.writer(self.pictures) else { return };
        if writer.request_keyframe(None, KeyframeRequestKind::Pli).is_ok() {
            self.asked = Some(now);
            self.ends.witness.keyframe_asked();
        }
    }

    /// Closes DTLS so that the server knows at once.
    async fn say_farewell(&mut self) -> Result<(), String> {
        self.rtc.close().map_err(|error| error.to_string())?;
        let farewell = async {
            while let Ok(Some(due)) = self.drain().await {
                tokio::time::sleep_until(due.into()).await;
                if self.rtc.handle_input(Input::Timeout(self.now())).is_err() {
                    return;
                }
            }
        };
        // The server need not answer.
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Clock;

    fn offer(direction: Direction) -> String {
        let clock = Clock::new();
        Offer::make("127.0.0.1:9", direction, clock.instant(clock.now())).unwrap().sdp
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
        for wanted in ["opus/48000/2", "rtx/90000", "nack pli", "transport-cc", "127.0.0.1", "a=setup:actpass"] {
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
        let error = Offer::make("nowhere.invalid:1", Direction::SendRecv, clock.instant(clock.now())).err().unwrap();
        assert!(error.to_string().contains("nowhere.invalid:1"), "{error}");
    }
}
