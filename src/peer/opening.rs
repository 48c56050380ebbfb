//! Makes sessions: everything that a session's task owns, from the terms of a checked offer and a seat.
//!
//! In: terms, a seat. Out: a session that is ready to run, and our side of it. Never: a session that is half made.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rtc::interceptor::Packet;
use rtc::peer_connection::certificate::CertificateParams;
use tokio::sync::mpsc;
use webrtc::error::{Error, Result};
use webrtc::peer_connection::{RTCCertificate, Registry};

use super::PeerError;
use super::answer::{Ours, Stream};
use super::channel::{self, Channel};
use super::downlink::Downlink;
use super::interceptors;
use super::interceptors::departures::{Departures, Numbered};
use super::interceptors::line::LineReports;
use super::interceptors::reports::ReportClock;
use super::interceptors::rtx::RtxUndo;
use super::interceptors::streams::Streams;
use super::interceptors::tap::{Inbound, Tap};
use super::mailbox::Mailbox;
use super::offer::{Kind, Terms};
use super::outbox::Outbox;
use super::pacing::ledger::Ledger;
use super::pacing::{Pacing, RtxStream};
use super::port::{Berth, Wire};
use super::sending::Packetizer;
use super::session::{Command, Session};
use super::stack::{Parts, Stack};
use super::uplink::Uplink;
use crate::media::Clock;
use crate::metrics::Metrics;
use crate::rooms::Seat;

/// What may wait between a stack and its session: a quarter of a second of a camera at 2.5 Mb/s.
const INBOUND_CAPACITY: usize = 256;
/// Packets of one picture at most: a keyframe of a megabyte.
const OUTBOX_CAPACITY: usize = 1024;
const STATES: usize = 16;

/// What all sessions are made from.
#[derive(Debug)]
pub(super) struct Opening {
    wire: Arc<Wire>,
    addresses: Vec<SocketAddr>,
    certificate: RTCCertificate,
    clock: Clock,
    metrics: Metrics,
    next_mailbox: AtomicU64,
}

impl Opening {
    /// With a certificate for all sessions of this run: making one takes longer than the rest of an answer.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub(super) fn new(wire: Arc<Wire>, addresses: Vec<SocketAddr>, clock: Clock, metrics: Metrics) -> Result<Self> {
        Ok(Self { wire, addresses, certificate: certificate()?, clock, metrics, next_mailbox: AtomicU64::new(1) })
    }

    /// Makes a session.
    ///
    /// # Errors
    /// [`PeerError::Refused`] where the stack finds fault with the terms.
    pub(super) async fn open(
        &self,
        terms: &Terms,
        mut seat: Seat,
        commands: mpsc::Receiver<Command>,
    ) -> std::result::Result<(Session, Ours), PeerError> {
        let mailbox = Arc::new(Mailbox::new(self.next_mailbox.fetch_add(1, Ordering::Relaxed)));
        let (audio, video) = (Outgoing::of(terms, Kind::Audio), Outgoing::of(terms, Kind::Video));
        let streams = [&audio, &video].map(|outgoing| outgoing.as_ref().map(|o| o.stream));
        let (tapped, inbound) = mpsc::channel(INBOUND_CAPACITY);
        let (packets, outgoing) = mpsc::channel(OUTBOX_CAPACITY);
        let (states, changes) = mpsc::channel(STATES);
        let (channels, opened) = mpsc::channel(channel::CAPACITY);
        let offset = video.as_ref().map(|outgoing| outgoing.packetizer.time_line().offset);
        let parts = Parts {
            wire: self.wire.clone(),
            mailbox: mailbox.clone(),
            certificate: self.certificate.clone(),
            interceptors: self.interceptors(terms, &seat, [&audio, &video], tapped, outgoing),
            states,
            channels,
            audio: streams[0],
            video: streams[1],
        };
        let (stack, secrets) = Stack::start(terms, parts).await.map_err(|error| PeerError::Refused(error.to_string()))?;
        let ours = secrets.ours(&self.addresses, streams[0], streams[1]);
        let outbox = Outbox { packets, mailbox: mailbox.clone(), metrics: self.metrics.clone() };
        let berth = Berth::new(self.wire.clone(), mailbox);
        berth.listen_for(&ours.ice, &terms.ice);
        tell_intake(terms, &mut seat);
        let asker = streams[1].or(streams[0]).map_or(1, |stream| stream.ssrc);
        let takes_remb = terms.media().any(|m| m.sends && m.codec.feedback.contains(&"goog-remb"));
        let uplink = Uplink::new(seat.video_in.take(), seat.audio_in.take(), asker, takes_remb);
        let downlink = Downlink::new(pacing(audio, video), outbox.clone(), seat.traffic.clone());
        let channel = Channel::serve(opened, seat.talk.clone(), self.clock, offset);
        let session = Session {
            terms: terms.clone(),
            stack,
            seat,
            berth,
            clock: self.clock,
            metrics: self.metrics.clone(),
            inbound,
            states: changes,
            commands,
            outbox,
            uplink,
            downlink,
            channel,
            connected: Arc::default(),
        };
        Ok((session, ours))
    }

    fn interceptors(
        &self,
        terms: &Terms,
        seat: &Seat,
        [sound, pictures]: [&Option<Outgoing>; 2],
        session: mpsc::Sender<Inbound>,
        outbox: mpsc::Receiver<Packet>,
    ) -> Registry {
        let payload_type = |kind| terms.media().find(|m| m.kind == kind && m.sends).map(|m| m.codec.payload_type);
        let (audio, video) = (payload_type(Kind::Audio), payload_type(Kind::Video));
        let time_lines = [sound, pictures].into_iter().flatten().map(|o| o.packetizer.time_line()).collect();
        let ssrc = pictures.as_ref().or(sound.as_ref()).map(|o| o.stream.ssrc);
        let (clock, metrics, traffic) = (self.clock, self.metrics.clone(), seat.traffic.clone());
        let tells_loss = pictures.as_ref().is_none_or(|pictures| pictures.transport_cc.is_none());
        let line = LineReports { ssrc, tells_loss, clock, traffic, metrics, ours: VecDeque::new() };
        let numbered = [sound, pictures].into_iter().flatten().flat_map(Outgoing::numbered).collect();
        let (metrics, ledger) = (self.metrics.clone(), Ledger::default());
        let departures = Departures { numbered, ssrc, ledger, clock, metrics, session: session.clone() };
        let pictures_in = terms.media().find(|m| m.kind == Kind::Video && m.sends);
        let streams = pictures_in.map(|m| Streams::new(&m.layers)).unwrap_or_default();
        let red = terms.media().find_map(|m| m.codec.red.filter(|_| m.sends));
        let tap = Tap { audio, red, video, streams, clock: self.clock, metrics: self.metrics.clone(), session, outbox };
        let transport_cc = terms.media().find_map(|m| m.codec.transport_cc.filter(|_| m.sends));
        let reports = ReportClock { clock: self.clock, streams: time_lines };
        interceptors::chain(departures, undo(terms), transport_cc, line, reports, tap)
    }
}

/// A stream that we send, before its session begins.
struct Outgoing {
    stream: Stream,
    packetizer: Packetizer,
    /// The payload type of its retransmissions.
    rtx: Option<u8>,
    /// The id of the transport-wide sequence number, where the client reports on it.
    transport_cc: Option<u8>,
}

impl Outgoing {
    fn of(terms: &Terms, kind: Kind) -> Option<Self> {
        let medium = terms.media().find(|m| m.kind == kind && m.receives)?;
        // Without generic NACKs nothing is ever resent
        let resends = medium.codec.rtx.is_some() && medium.codec.feedback.contains(&"nack");
        let stream = Stream { ssrc: ssrc(), rtx_ssrc: resends.then(ssrc) };
        let packetizer = Packetizer::new(medium, stream);
        let transport_cc = medium.codec.transport_cc.filter(|_| medium.codec.feedback.contains(&"transport-cc"));
        Some(Self { stream, packetizer, rtx: medium.codec.rtx, transport_cc })
    }

    /// The streams that are numbered.
    fn numbered(&self) -> Vec<Numbered> {
        let Some(id) = self.transport_cc else { return Vec::new() };
        [Some(self.stream.ssrc), self.stream.rtx_ssrc].into_iter().flatten().map(|ssrc| Numbered { ssrc, id, newest: None }).collect()
    }

    fn rtx(&self) -> Option<RtxStream> {
        // The upper half is left out, as in every stream (`sending`)
        let sequence = rand::random::<u16>() >> 1;
        Some(RtxStream { ssrc: self.stream.rtx_ssrc?, payload_type: self.rtx?, sequence })
    }
}

fn pacing(audio: Option<Outgoing>, video: Option<Outgoing>) -> Pacing {
    let rtx = video.as_ref().and_then(Outgoing::rtx);
    let is_numbered = video.as_ref().is_some_and(|video| video.transport_cc.is_some());
    let [audio, video] = [audio, video].map(|outgoing| outgoing.map(|o| o.packetizer));
    Pacing::new(audio, video, rtx, is_numbered)
}

/// 0 and 1 mean "nobody" to some receivers.
fn ssrc() -> u32 {
    rand::random_range(2..=u32::MAX)
}

fn undo(terms: &Terms) -> Option<RtxUndo> {
    let medium = terms.media().find(|m| m.sends && m.codec.rtx.is_some())?;
    let (rtx_payload_type, payload_type, streams) = (medium.codec.rtx?, medium.codec.payload_type, Streams::new(&medium.layers));
    Some(RtxUndo { rtx_payload_type, payload_type, streams })
}

/// What the offer says of the pictures that come.
fn tell_intake(terms: &Terms, seat: &mut Seat) {
    let video = terms.media().find(|m| m.kind == Kind::Video);
    let (Some(video), Some(intake)) = (video, &mut seat.video_in) else { return };
    if !video.codec.parameter_sets.is_empty() {
        intake.parameter_sets(video.codec.parameter_sets.clone());
    }
    if !video.codec.feedback.contains(&"nack") {
        intake.never_ask_again();
    }
}

fn certificate() -> Result<RTCCertificate> {
    let provider = rtc::crypto::default_provider().map_err(|error| Error::Crypto(error.to_string()))?;
    let parameters = CertificateParams::new(vec!["medley".to_owned()]).map_err(|error| Error::Other(error.to_string()))?;
    RTCCertificate::generate(provider.crypto(), rtc::crypto::SignatureScheme::EcdsaP256Sha256, parameters)
}
