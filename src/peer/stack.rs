//! One session's WebRTC stack, set up to give exactly the answer that the offer's terms call for.
//!
//! In: terms, a way to the network, a channel for what comes in. Out: our side of the session, packets.
//!
//! ICE is full, not lite: only a full agent sends the consent checks (RFC 7675) that tell a peer that has gone from one that
//! is silent. It checks no addresses that an offer names, though: every client reaches the public port first, and its
//! own checks show where it is, so that no offer can make us send datagrams to strangers. Only where the client is lite,
//! and so never checks, are its candidates used.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::transport::RTCIceCandidateInit;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability,
    RTCRtpRtxParameters, RtpCodecKind,
};
use tokio::sync::mpsc;
use webrtc::error::{Error, Result};
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::transport::DtlsTransport;
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCCertificate, RTCConfigurationBuilder,
    RTCPeerConnectionState, RTCSessionDescription, Registry, SettingEngine, SettingEngineBuilder,
};

use super::answer::{self, Ours, Stream};
use super::channel;
use super::codecs::{Codec, TRANSPORT_CC_URI};
use super::mailbox::Mailbox;
use super::offer::{Kind, Medium, Terms};
use super::port::Wire;
use super::sdp::Sdp;
use super::socket::{Leash, SessionRuntime};
use super::transport::IceCredentials;

/// The stack must not judge by itself that a peer is gone: it counts only answers to its own checks, where any datagram is
/// a sign of life (`session` watches those).
const ICE_PATIENCE: Duration = Duration::from_secs(30);
const CONSENT_INTERVAL: Duration = Duration::from_secs(1);
/// While a path is looked for. The stack sends the first DTLS flight with the next of these timers, and only then.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// What a client may have sent that was not read yet: some messages of the longest sort.
const SCTP_WINDOW_BYTES: u32 = 128 * 1024;

/// A running stack.
pub(super) struct Stack {
    connection: Box<dyn PeerConnection>,
    _leash: Leash,
}

/// Tells the session of the connection's states, and of the channels that the client opens.
struct States(mpsc::Sender<RTCPeerConnectionState>, mpsc::Sender<channel::Opened>);

#[async_trait::async_trait]
impl PeerConnectionEventHandler for States {
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        // The stack has six states and repeats none, so that there is room
        let _ = self.0.try_send(state);
    }

    async fn on_data_channel(&self, channel: channel::Opened) {
        // One that finds no room is one too many
        let _ = self.1.try_send(channel);
    }
}

/// What a stack is made from, besides the terms.
pub(super) struct Parts {
    pub(super) wire: Arc<Wire>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) certificate: RTCCertificate,
    pub(super) interceptors: Registry,
    pub(super) states: mpsc::Sender<RTCPeerConnectionState>,
    pub(super) channels: mpsc::Sender<channel::Opened>,
    /// The streams that we send.
    pub(super) audio: Option<Stream>,
    pub(super) video: Option<Stream>,
}

/// Our ICE credentials and certificate, as the stack's answer names them.
#[derive(Debug)]
pub(super) struct Secrets {
    pub(super) ice: IceCredentials,
    pub(super) fingerprint: String,
}

impl Stack {
    /// Starts a stack and has it answer.
    ///
    /// # Errors
    /// Where the stack finds fault with the terms.
    pub(super) async fn start(terms: &Terms, parts: Parts) -> Result<(Self, Secrets)> {
        let leash = Leash::default();
        let ways = ways(parts.wire.local());
        let runtime = SessionRuntime::new(parts.wire, parts.mailbox, &leash);
        let connection = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().with_certificates(vec![parts.certificate]).build())
            .with_media_engine(media_engine(terms)?)
            .with_setting_engine(settings())
            .with_interceptor_registry(parts.interceptors)
            .with_handler(Arc::new(States(parts.states, parts.channels)))
            .with_runtime(Arc::new(runtime))
            .with_udp_addrs(ways)
            .with_data_channel_send_buffer_limit(channel::SEND_BUFFER_BYTES)
            .build()
            .await?;
        let stack = Self { connection: Box::new(connection), _leash: leash };
        for (kind, stream) in [(Kind::Audio, parts.audio), (Kind::Video, parts.video)] {
            if let (Some(medium), Some(stream)) = (terms.media().find(|m| m.kind == kind), stream) {
                stack.add_track(medium, stream).await?;
            }
        }
        let secrets = stack.negotiate(terms, &terms.ice).await?;
        Ok((stack, secrets))
    }

    /// Takes the client's new ICE credentials and begins again to look for a path (RFC 8445 §2.4); DTLS and media go on.
    ///
    /// # Errors
    /// Where the stack finds fault with them.
    pub(super) async fn restart_ice(&self, terms: &Terms, theirs: &IceCredentials) -> Result<Secrets> {
        self.negotiate(terms, theirs).await
    }

    /// Gives a lite client's candidate to the stack.
    ///
    /// # Errors
    /// Where it is malformed.
    pub(super) async fn add_candidate(&self, candidate: String) -> Result<()> {
        self.connection.add_ice_candidate(RTCIceCandidateInit { candidate, ..Default::default() }).await
    }

    /// Whether the peer has closed the DTLS connection. The stack raises no event for it.
    pub(super) async fn closed_by_peer(&self) -> bool {
        let transport = match self.connection.get_senders().await.first() {
            Some(sender) => sender.transport().await,
            None => match self.connection.get_receivers().await.first() {
                Some(receiver) => receiver.transport().await,
                None => return false,
            },
        };
        let Ok(Some(transport)) = transport else { return false };
        is_closed(transport.as_ref()).await
    }

    /// Says farewell to the peer and ends the stack's task.
    pub(super) async fn close(&self) {
        if let Err(error) = self.connection.close().await {
            tracing::debug!(%error, "closing the stack");
        }
    }

    /// Lets the stack know of a stream that we send; its packets enter by the interceptors (`interceptors::tap`).
    async fn add_track(&self, medium: &Medium, stream: Stream) -> Result<()> {
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(stream.ssrc),
                rtx: stream.rtx_ssrc.map(|ssrc| RTCRtpRtxParameters { ssrc }),
                ..Default::default()
            },
            codec: codec(&medium.codec),
            active: true,
            ..Default::default()
        };
        let name = answer::name(medium.kind).to_owned();
        let track = MediaStreamTrack::new("medley".into(), name.clone(), name, codec_kind(medium.kind), vec![coding]);
        self.connection.add_track(Arc::new(TrackLocalStaticRTP::new(track))).await?;
        Ok(())
    }

    async fn negotiate(&self, terms: &Terms, theirs: &IceCredentials) -> Result<Secrets> {
        let offer = RTCSessionDescription::offer(answer::offer_for_stack(terms, theirs))?;
        self.connection.set_remote_description(offer).await?;
        let answer = self.connection.create_answer(None).await?;
        let secrets = secrets(&answer.sdp);
        self.connection.set_local_description(answer).await?;
        secrets
    }
}

async fn is_closed(transport: &dyn DtlsTransport) -> bool {
    use rtc::peer_connection::transport::RTCDtlsTransportState as State;
    matches!(transport.state().await, Ok(State::Closed | State::Failed) | Err(_))
}

/// What the stack binds for its ways out: one for each address family of the port. They are only names within the process,
/// since [`SessionRuntime`] puts the port in their place; what the offers' addresses pair with is their family.
fn ways(local: SocketAddr) -> Vec<&'static str> {
    match local {
        SocketAddr::V4(_) => vec!["127.0.0.1:0"],
        SocketAddr::V6(address) if address.ip().is_unspecified() => vec!["127.0.0.1:0", "[::1]:0"],
        SocketAddr::V6(_) => vec!["[::1]:0"],
    }
}

fn settings() -> SettingEngine {
    SettingEngineBuilder::new()
        .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
        .with_ice_timeouts(Some(ICE_PATIENCE), Some(Duration::ZERO), Some(CONSENT_INTERVAL))
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), None)
        .with_sctp_max_receive_buffer_size(SCTP_WINDOW_BYTES)
        .build()
}

/// Knows the offer's own codecs and nothing else, so that the stack can only agree to them.
fn media_engine(terms: &Terms) -> Result<MediaEngine> {
    let mut engine = MediaEngine::default();
    for medium in terms.media() {
        let kind = codec_kind(medium.kind);
        let parameters = RTCRtpCodecParameters { rtp_codec: codec(&medium.codec), payload_type: medium.codec.payload_type };
        engine.register_codec(parameters, kind)?;
        if let Some(rtx) = medium.codec.rtx {
            let rtp_codec = RTCRtpCodec {
                mime_type: "video/rtx".into(),
                clock_rate: medium.codec.clock_rate,
                sdp_fmtp_line: format!("apt={}", medium.codec.payload_type),
                ..Default::default()
            };
            engine.register_codec(RTCRtpCodecParameters { rtp_codec, payload_type: rtx }, kind)?;
        }
        if medium.codec.transport_cc.is_some() {
            engine.register_header_extension(RTCRtpHeaderExtensionCapability { uri: TRANSPORT_CC_URI.into() }, kind, None)?;
        }
    }
    Ok(engine)
}

fn codec(codec: &Codec) -> RTCRtpCodec {
    let mut encoding = codec.encoding.split('/');
    let name = encoding.next().unwrap_or_default();
    let channels = encoding.nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    let kind = if channels > 0 { "audio" } else { "video" };
    let feedback = codec.feedback.iter().map(|f| f.split_once(' ').unwrap_or((f, "")));
    RTCRtpCodec {
        mime_type: format!("{kind}/{name}"),
        clock_rate: codec.clock_rate,
        channels,
        sdp_fmtp_line: codec.parameters.clone(),
        rtcp_feedback: feedback.map(|(typ, parameter)| RTCPFeedback { typ: typ.into(), parameter: parameter.into() }).collect(),
    }
}

fn codec_kind(kind: Kind) -> RtpCodecKind {
    match kind {
        Kind::Audio => RtpCodecKind::Audio,
        Kind::Video => RtpCodecKind::Video,
    }
}

fn secrets(answer: &str) -> Result<Secrets> {
    let unreadable = |fault: &str| Error::Other(format!("the stack's own answer {fault}"));
    let sdp = Sdp::parse(answer).map_err(|fault| unreadable(&fault))?;
    let value = |name| sdp.sections.iter().find_map(|s| s.attributes.first(name)).or_else(|| sdp.session.first(name));
    let (Some(ufrag), Some(pwd)) = (value("ice-ufrag"), value("ice-pwd")) else { return Err(unreadable("lacks ICE credentials")) };
    let Some(fingerprint) = value("fingerprint").and_then(|f| f.strip_prefix("sha-256 ")) else {
        return Err(unreadable("lacks a fingerprint"));
    };
    let ice = IceCredentials { ufrag: ufrag.into(), pwd: pwd.into() };
    Ok(Secrets { ice, fingerprint: fingerprint.to_ascii_uppercase() })
}

impl Secrets {
    /// With the rest of our side.
    pub(super) fn ours(self, addresses: &[SocketAddr], audio: Option<Stream>, video: Option<Stream>) -> Ours {
        Ours { ice: self.ice, fingerprint: self.fingerprint, addresses: addresses.to_vec(), audio, video, id: rand::random::<u64>() >> 1 }
    }
}
