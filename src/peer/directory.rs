//! All sessions by their ids: opens, changes and ends them.
//!
//! In: checked offers with seats, fragments, ids. Out: answers. An id is a capability (at least 128 bits from a CSPRNG);
//! it appears in no log in full.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use rtc::peer_connection::certificate::CertificateParams;
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument;
use webrtc::peer_connection::RTCCertificate;

use super::answer::{self, Ours, Stream};
use super::fragment::Fragment;
use super::interceptors::reports::ReportClock;
use super::interceptors::rtx::RtxUndo;
use super::interceptors::tap::{Inbound, Tap};
use super::interceptors::{self};
use super::mailbox::Mailbox;
use super::offer::{IceCredentials, Kind, Offer, Terms};
use super::port::Port;
use super::sending::Packetizer;
use super::session::{Command, Ended, Session};
use super::stack::{Parts, Stack};
use super::{Answer, PeerConfig, PeerError, SessionState, interfaces};
use crate::media::Clock;
use crate::metrics::Metrics;
use crate::rooms::Seat;

/// What may wait between a stack and its session: a quarter of a second of a camera at 2.5 Mb/s.
const INBOUND_CAPACITY: usize = 256;
/// Packets of one picture at most: a keyframe of a megabyte.
const OUTBOX_CAPACITY: usize = 1024;
const COMMANDS: usize = 8;
const STATES: usize = 16;
/// 192 bits.
const ID_BYTES: usize = 24;

/// All sessions of this server.
pub struct Peers {
    port: Port,
    addresses: Vec<SocketAddr>,
    certificate: RTCCertificate,
    clock: Clock,
    metrics: Metrics,
    sessions: Arc<Mutex<HashMap<String, Entry>>>,
    draining: AtomicBool,
    next_mailbox: AtomicU64,
}

/// A session as the directory knows it.
struct Entry {
    terms: Terms,
    ours: Ours,
    /// Counts the ICE sessions; the entity tag.
    generation: u32,
    room: String,
    participant: String,
    connected: Arc<AtomicBool>,
    commands: mpsc::Sender<Command>,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peers").field("port", &self.port).field("sessions", &self.sessions.lock().len()).finish_non_exhaustive()
    }
}

impl Peers {
    /// Opens the UDP port.
    ///
    /// # Errors
    /// Where the address cannot be bound.
    pub async fn open(config: PeerConfig, clock: Clock, metrics: Metrics) -> std::io::Result<Arc<Self>> {
        let port = Port::open(config.udp, clock, metrics.clone()).await?;
        let addresses = advertised(port.wire().local(), &config.advertise);
        tracing::info!(local = %port.wire().local(), ?addresses, "media port");
        Ok(Arc::new(Self {
            port,
            addresses,
            certificate: certificate().map_err(std::io::Error::other)?,
            clock,
            metrics,
            sessions: Arc::default(),
            draining: AtomicBool::new(false),
            next_mailbox: AtomicU64::new(1),
        }))
    }

    /// The address media arrives at.
    pub fn local_addr(&self) -> SocketAddr {
        self.port.wire().local()
    }

    /// Answers a checked offer and runs the session until it ends; its seat is given up then.
    ///
    /// # Errors
    /// [`PeerError::Refused`] where the stack finds fault with the offer.
    pub async fn answer(self: &Arc<Self>, offer: Offer, seat: Seat) -> Result<Answer, PeerError> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(PeerError::Refused("the server is shutting down".into()));
        }
        let id = session_id();
        let span = tracing::info_span!("session", room = %seat.room, participant = %seat.participant, session = &id[..6]);
        let (room, participant) = (seat.room.to_string(), seat.participant.to_string());
        let (commands, received) = mpsc::channel(COMMANDS);
        span.in_scope(|| tracing::info!(audio = ?offer.audio, video = ?offer.video, notice = offer.notice.as_deref(), "joined"));
        let terms = offer.terms;
        let (session, ours) = self.session(&terms, seat, received).instrument(span.clone()).await?;
        let connected = session.connected.clone();
        let entry = Entry { terms, ours, generation: 1, room, participant, connected, commands, task: None };
        let answer = entry.answer(&id);
        self.enter(id, entry, session, span);
        Ok(answer)
    }

    /// Trickled candidates or an ICE restart (RFC 8840 fragment). A restart answers with a fragment and a new tag.
    ///
    /// # Errors
    /// As [`PeerError`] says; the session is unchanged then.
    pub async fn patch(&self, session: &str, fragment: &str, if_match: Option<&str>) -> Result<Option<Answer>, PeerError> {
        let (commands, theirs) = {
            let sessions = self.sessions.lock();
            let entry = sessions.get(session).ok_or(PeerError::Unknown)?;
            entry.check_tag(if_match)?;
            (entry.commands.clone(), entry.terms.ice.clone())
        };
        let fragment = Fragment::parse(fragment).map_err(PeerError::Refused)?;
        match fragment.credentials {
            Some(credentials) if credentials != theirs => self.restart(session, commands, credentials).await.map(Some),
            _ => {
                commands.send(Command::Candidates(fragment.candidates)).await.map_err(|_| PeerError::Unknown)?;
                Ok(None)
            }
        }
    }

    /// Ends a session; whether there was one.
    pub async fn close(&self, session: &str) -> bool {
        let Some(mut entry) = self.sessions.lock().remove(session) else { return false };
        entry.end(Ended::Left).await;
        true
    }

    /// A session's state.
    pub fn state(&self, session: &str) -> Option<SessionState> {
        self.sessions.lock().get(session).map(|entry| SessionState {
            state: if entry.connected.load(Ordering::Relaxed) { "connected" } else { "connecting" },
            room: entry.room.clone(),
            participant: entry.participant.clone(),
            etag: entry.tag(),
        })
    }

    /// Ends every session in order and takes no more.
    pub async fn shut_down(&self) {
        self.draining.store(true, Ordering::Relaxed);
        let entries: Vec<Entry> = self.sessions.lock().drain().map(|(_, entry)| entry).collect();
        futures_util::future::join_all(entries.into_iter().map(|mut entry| async move { entry.end(Ended::Shutdown).await })).await;
    }

    /// Makes a session, ready to run, and our side of it.
    async fn session(&self, terms: &Terms, seat: Seat, commands: mpsc::Receiver<Command>) -> Result<(Session, Ours), PeerError> {
        let mailbox = Arc::new(Mailbox::new(self.next_mailbox.fetch_add(1, Ordering::Relaxed)));
        let wire = self.port.wire().clone();
        let (audio, video) = (Outgoing::of(terms, Kind::Audio), Outgoing::of(terms, Kind::Video));
        let (tapped, inbound) = mpsc::channel(INBOUND_CAPACITY);
        let (outbox, outgoing) = mpsc::channel(OUTBOX_CAPACITY);
        let (states, changes) = mpsc::channel(STATES);
        let time_lines = [&audio, &video].into_iter().flatten().map(|o| o.packetizer.time_line()).collect();
        let parts = Parts {
            wire: wire.clone(),
            mailbox: mailbox.clone(),
            certificate: self.certificate.clone(),
            interceptors: interceptors::chain(
                undo(terms),
                ReportClock { clock: self.clock, streams: time_lines },
                self.tap(terms, tapped, outgoing),
            ),
            states,
            audio: audio.as_ref().map(|o| o.stream),
            video: video.as_ref().map(|o| o.stream),
        };
        let streams = (parts.audio, parts.video);
        let (stack, secrets) = Stack::start(terms, parts).await.map_err(|error| PeerError::Refused(error.to_string()))?;
        let ours = secrets.ours(&self.addresses, streams.0, streams.1);
        wire.listen_for(&ours.ice.ufrag, &mailbox);
        let mut session = Session {
            terms: terms.clone(),
            stack,
            seat,
            mailbox,
            wire,
            clock: self.clock,
            metrics: self.metrics.clone(),
            inbound,
            states: changes,
            commands,
            outbox,
            audio: audio.map(|o| o.packetizer),
            video: video.map(|o| o.packetizer),
            connected: Arc::default(),
        };
        give_parameter_sets(terms, &mut session.seat);
        Ok((session, ours))
    }

    fn tap(&self, terms: &Terms, session: mpsc::Sender<Inbound>, outbox: mpsc::Receiver<rtc::interceptor::Packet>) -> Tap {
        let payload_type = |kind| terms.media().find(|m| m.kind == kind && m.sends).map(|m| m.codec.payload_type);
        let (audio, video) = (payload_type(Kind::Audio), payload_type(Kind::Video));
        Tap { audio, video, clock: self.clock, metrics: self.metrics.clone(), session, outbox }
    }

    /// Lists a session and lets it run; it is struck off when it ends.
    fn enter(&self, id: String, mut entry: Entry, session: Session, span: tracing::Span) {
        let (sessions, gauge) = (Arc::downgrade(&self.sessions), self.metrics.sessions.clone());
        let mut listed = self.sessions.lock();
        gauge.inc();
        let own_id = id.clone();
        let running = async move {
            session.run().await;
            gauge.dec();
            if let Some(sessions) = sessions.upgrade() {
                sessions.lock().remove(&own_id);
            }
        };
        entry.task = Some(tokio::spawn(running.instrument(span)));
        listed.insert(id, entry);
    }

    async fn restart(&self, id: &str, commands: mpsc::Sender<Command>, theirs: IceCredentials) -> Result<Answer, PeerError> {
        let (reply, restarted) = oneshot::channel();
        commands.send(Command::Restart(theirs.clone(), reply)).await.map_err(|_| PeerError::Unknown)?;
        let secrets = restarted.await.map_err(|_| PeerError::Unknown)?.map_err(PeerError::Refused)?;
        let mut sessions = self.sessions.lock();
        let entry = sessions.get_mut(id).ok_or(PeerError::Unknown)?;
        entry.generation += 1;
        entry.terms.ice = theirs;
        entry.ours.ice = secrets.ice;
        Ok(Answer { sdp: answer::fragment(&entry.terms, &entry.ours), ..entry.answer(id) })
    }
}

impl Entry {
    fn tag(&self) -> String {
        format!("\"ice-{}\"", self.generation)
    }

    fn answer(&self, id: &str) -> Answer {
        Answer { session: id.to_owned(), sdp: answer::answer(&self.terms, &self.ours), etag: self.tag() }
    }

    /// RFC 9725 §4.3.1: trickling names the current tag, a restart may name any with `*`.
    fn check_tag(&self, if_match: Option<&str>) -> Result<(), PeerError> {
        let current = self.tag();
        match if_match.map(str::trim) {
            None | Some("*") => Ok(()),
            Some(tags) if tags.split(',').any(|tag| tag.trim().trim_matches('"') == current.trim_matches('"')) => Ok(()),
            Some(tag) => Err(PeerError::Stale(tag.chars().take(80).collect())),
        }
    }

    /// Ends the session and waits until it has.
    async fn end(&mut self, ended: Ended) {
        let _ = self.commands.send(Command::End(ended)).await;
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

/// A stream that we send, before its session begins.
struct Outgoing {
    stream: Stream,
    packetizer: Packetizer,
}

impl Outgoing {
    fn of(terms: &Terms, kind: Kind) -> Option<Self> {
        let medium = terms.media().find(|m| m.kind == kind && m.receives)?;
        // Without generic NACKs nothing is ever resent
        let resends = medium.codec.rtx.is_some() && medium.codec.feedback.contains(&"nack");
        let stream = Stream { ssrc: ssrc(), rtx_ssrc: resends.then(ssrc) };
        Some(Self { stream, packetizer: Packetizer::new(medium, stream) })
    }
}

/// 0 and 1 mean "nobody" to some receivers.
fn ssrc() -> u32 {
    rand::random_range(2..=u32::MAX)
}

fn undo(terms: &Terms) -> Option<RtxUndo> {
    let medium = terms.media().find(|m| m.sends && m.codec.rtx.is_some())?;
    Some(RtxUndo { rtx_payload_type: medium.codec.rtx?, payload_type: medium.codec.payload_type, ssrc: medium.ssrc })
}

fn give_parameter_sets(terms: &Terms, seat: &mut Seat) {
    let sets = terms.media().find(|m| m.kind == Kind::Video).map(|m| m.codec.parameter_sets.clone()).unwrap_or_default();
    if let (Some(intake), false) = (&mut seat.video_in, sets.is_empty()) {
        intake.parameter_sets(sets);
    }
}

fn session_id() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; ID_BYTES]>())
}

/// One certificate for all sessions of this run: making one takes longer than the rest of an answer.
fn certificate() -> Result<RTCCertificate, webrtc::error::Error> {
    let provider = rtc::crypto::default_provider().map_err(|error| webrtc::error::Error::Crypto(error.to_string()))?;
    let parameters = CertificateParams::new(vec!["medley".to_owned()]).map_err(|error| webrtc::error::Error::Other(error.to_string()))?;
    RTCCertificate::generate(provider.crypto(), rtc::crypto::SignatureScheme::EcdsaP256Sha256, parameters)
}

/// Where clients reach the port, best first.
fn advertised(local: SocketAddr, advertise: &[IpAddr]) -> Vec<SocketAddr> {
    let ips = match (advertise, local.ip().is_unspecified()) {
        ([], false) => vec![local.ip().to_canonical()],
        ([], true) => interfaces::reachable(local.ip()),
        (ips, _) => ips.to_vec(),
    };
    ips.into_iter().map(|ip| SocketAddr::new(ip, local.port())).collect()
}
