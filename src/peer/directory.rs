//! All sessions by their ids: opens, changes and ends them.
//!
//! In: checked offers with seats, fragments, ids. Out: answers. An id is a capability (at least 128 bits from a CSPRNG);
//! it appears in no log in full.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument;

use super::answer::{self, Ours};
use super::farewells::Farewells;
use super::fragment::Fragment;
use super::offer::{Offer, Terms};
use super::opening::Opening;
use super::port::Port;
use super::session::{Command, Ended, Session};
use super::transport::IceCredentials;
use super::{Answer, PeerConfig, PeerError, SessionState, interfaces};
use crate::media::Clock;
use crate::metrics::Metrics;
use crate::rooms::Seat;

const COMMANDS: usize = 8;
/// 192 bits.
const ID_BYTES: usize = 24;

/// All sessions of this server.
pub struct Peers {
    port: Port,
    opening: Opening,
    metrics: Metrics,
    sessions: Arc<Mutex<HashMap<String, Entry>>>,
    farewells: Arc<Mutex<Farewells>>,
    clock: Clock,
    draining: AtomicBool,
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
        let opening = Opening::new(port.wire().clone(), addresses, clock, metrics.clone()).map_err(std::io::Error::other)?;
        let (sessions, farewells, draining) = (Arc::default(), Arc::default(), AtomicBool::new(false));
        Ok(Arc::new(Self { port, opening, metrics, sessions, farewells, clock, draining }))
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
        let (session, ours) = self.opening.open(&terms, seat, received).instrument(span.clone()).await?;
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
        self.check_removed(session)?;
        let (commands, theirs, is_lite) = {
            let sessions = self.sessions.lock();
            let entry = sessions.get(session).ok_or(PeerError::Unknown)?;
            entry.check_tag(if_match)?;
            (entry.commands.clone(), entry.terms.ice.clone(), entry.terms.lite_candidates.is_some())
        };
        let fragment = Fragment::parse(fragment).map_err(PeerError::Refused)?;
        if let Some(credentials) = fragment.credentials.filter(|credentials| *credentials != theirs) {
            return self.restart(session, commands, credentials).await.map(Some);
        }
        // Only of a client that never checks us do we need to know where it is (see `stack`)
        if is_lite {
            commands.send(Command::Candidates(fragment.candidates)).await.map_err(|_| PeerError::Unknown)?;
        }
        Ok(None)
    }

    /// Ends a session; whether there was one.
    pub async fn close(&self, session: &str) -> bool {
        let Some(mut entry) = self.sessions.lock().remove(session) else { return false };
        entry.end(Ended::Left).await;
        true
    }

    /// A session's state.
    ///
    /// # Errors
    /// [`PeerError::Removed`] for a minute after an admin ended it, [`PeerError::Unknown`] where there is none.
    pub fn state(&self, session: &str) -> Result<SessionState, PeerError> {
        self.check_removed(session)?;
        let sessions = self.sessions.lock();
        let entry = sessions.get(session).ok_or(PeerError::Unknown)?;
        Ok(SessionState {
            state: if entry.connected.load(Ordering::Relaxed) { "connected" } else { "connecting" },
            room: entry.room.clone(),
            participant: entry.participant.clone(),
            etag: entry.tag(),
        })
    }

    fn check_removed(&self, session: &str) -> Result<(), PeerError> {
        if self.farewells.lock().knows(session, self.clock.now()) { Err(PeerError::Removed) } else { Ok(()) }
    }

    /// Ends every session in order and takes no more.
    pub async fn shut_down(&self) {
        self.draining.store(true, Ordering::Relaxed);
        let entries: Vec<Entry> = self.sessions.lock().drain().map(|(_, entry)| entry).collect();
        futures_util::future::join_all(entries.into_iter().map(|mut entry| async move { entry.end(Ended::Shutdown).await })).await;
    }

    /// Lists a session and lets it run; it is struck off when it ends.
    fn enter(&self, id: String, mut entry: Entry, session: Session, span: tracing::Span) {
        let mut sessions = self.sessions.lock();
        let listing = Listing::new(&id, &self.sessions, &self.metrics);
        let (farewells, clock, ended) = (self.farewells.clone(), self.clock, id.clone());
        let running = async move {
            let _listing = listing;
            session.run(move || farewells.lock().note(ended, clock.now())).await;
        };
        entry.task = Some(tokio::spawn(running.instrument(span)));
        if self.draining.load(Ordering::Relaxed) {
            // It was answered while the others were being ended
            let _ = entry.commands.try_send(Command::End(Ended::Shutdown));
        }
        sessions.insert(id, entry);
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

/// A running session's place in the list and the count; given up however the session's task ends.
struct Listing {
    id: String,
    sessions: Weak<Mutex<HashMap<String, Entry>>>,
    count: Gauge,
}

impl Listing {
    fn new(id: &str, sessions: &Arc<Mutex<HashMap<String, Entry>>>, metrics: &Metrics) -> Self {
        metrics.sessions.inc();
        Self { id: id.to_owned(), sessions: Arc::downgrade(sessions), count: metrics.sessions.clone() }
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        self.count.dec();
        let entry = self.sessions.upgrade().and_then(|sessions| sessions.lock().remove(&self.id));
        // After the lock is given back
        drop(entry);
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

fn session_id() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; ID_BYTES]>())
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
