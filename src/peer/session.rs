//! One session's task: packets between a client and its seat, until one of them leaves.
//!
//! In: what the tap hands over, the seat's pictures and sounds, commands from the directory. Out: packets, requests for
//! keyframes. Never: a codec call, or a wait for a client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;
use webrtc::peer_connection::RTCPeerConnectionState;

use super::channel::Channel;
use super::downlink::Downlink;
use super::interceptors::tap::Inbound;
use super::offer::Terms;
use super::outbox::Outbox;
use super::port::Berth;
use super::stack::{Secrets, Stack};
use super::transport::IceCredentials;
use super::uplink::Uplink;
use crate::egress::{AudioSubscription, VideoSubscription};
use crate::ingest::Feedback;
use crate::media::{Clock, EncodedPicture, EncodedSound, MediaTime};
use crate::metrics::{ByReason, Metrics};
use crate::rooms::Seat;

/// How often time passes for the seat and the watches.
const TICK: Duration = Duration::from_millis(40);
/// A client that has not connected by then has given up or cannot reach us.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);
/// A connected client is heard of at least once a second: it answers our consent checks.
const SILENCE_PATIENCE: Duration = Duration::from_secs(4);
/// Silence after a DTLS alert that is an end even where the stack cannot say what the alert was.
const SILENCE_AFTER_ALERT: Duration = Duration::from_millis(700);

/// A lite client's candidates beyond this are not checked.
const MAX_CANDIDATES: usize = 32;

/// Why a session ended; the words of the metric and the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The client asked for it (DELETE).
    Left,
    /// The client closed its end.
    Closed,
    /// The client was not heard of for [`SILENCE_PATIENCE`].
    Vanished,
    /// It never connected, or the stack gave up.
    Failed,
    /// An admin sent the client out, or ended the room.
    Removed,
    /// The server ends.
    Shutdown,
}

impl Ended {
    fn reason(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Closed => "closed",
            Self::Vanished => "vanished",
            Self::Failed => "failed",
            Self::Removed => "removed",
            Self::Shutdown => "shutdown",
        }
    }
}

/// What the directory asks of a session.
#[derive(Debug)]
pub(super) enum Command {
    /// End, for this reason.
    End(Ended),
    /// A lite client's candidates.
    Candidates(Vec<String>),
    /// New ICE credentials of the client; answered with ours.
    Restart(IceCredentials, oneshot::Sender<Result<Secrets, String>>),
}

/// All that a session's task owns.
pub(super) struct Session {
    pub(super) terms: Terms,
    pub(super) stack: Stack,
    pub(super) seat: Seat,
    pub(super) berth: Berth,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) inbound: mpsc::Receiver<Inbound>,
    pub(super) states: mpsc::Receiver<RTCPeerConnectionState>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) outbox: Outbox,
    pub(super) uplink: Uplink,
    pub(super) downlink: Downlink,
    pub(super) channel: Channel,
    /// Shared with the directory, for `GET`.
    pub(super) connected: Arc<AtomicBool>,
}

/// What a session knows of its client besides what it owns.
#[derive(Debug, Default)]
struct Watch {
    /// Since when the client is to connect, or to connect again.
    since: MediaTime,
    alerted: bool,
    /// A lite client's candidates that were taken.
    candidates: usize,
}

/// One thing that happened.
enum Event {
    Inbound(Inbound),
    State(RTCPeerConnectionState),
    Command(Command),
    Picture(Option<Arc<EncodedPicture>>),
    Sound(Option<Arc<EncodedSound>>),
    Feedback(Option<Feedback>),
    /// Something that an intake waits for is due.
    Due,
    /// What waits for its turn on the client's line may leave.
    Turn,
    Tick,
}

impl Session {
    /// Runs until somebody leaves, then gives up the seat and all that the session holds. `removed` is called where an admin sent
    /// the client out, before the client can know of it.
    pub(super) async fn run(mut self, removed: impl FnOnce() + Send) {
        let began = self.clock.now();
        let mut watch = Watch { since: began, ..Watch::default() };
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = loop {
            let event = self.next(&mut ticks).await;
            if let Some(ended) = self.handle(event, &mut watch).await {
                break ended;
            }
        };
        if ended == Ended::Removed {
            removed();
        }
        // The room first: nobody should look at someone who has gone while the stack says farewell
        drop(self.seat);
        self.stack.close().await;
        self.metrics.sessions_ended.get_or_create(&ByReason { reason: ended.reason() }).inc();
        tracing::info!(reason = ended.reason(), seconds = self.clock.now().since(began).as_secs_f32(), "ended");
    }

    /// The next thing that happens. Cancel-safe throughout, so that nothing is lost by what comes first.
    async fn next(&mut self, ticks: &mut tokio::time::Interval) -> Event {
        let due = self.uplink.next_deadline().map(|at| self.clock.instant(at));
        let turn = self.downlink.deadline(self.clock.now()).map(|at| self.clock.instant(at));
        let Seat { feedback, video_out, audio_out, dismissed, .. } = &mut self.seat;
        tokio::select! {
            biased;
            command = self.commands.recv() => Event::Command(command.unwrap_or(Command::End(Ended::Shutdown))),
            () = dismissal(dismissed) => Event::Command(Command::End(Ended::Removed)),
            Some(state) = self.states.recv() => Event::State(state),
            // Before what a client can flood us with
            _ = ticks.tick() => Event::Tick,
            () = moment(due) => Event::Due,
            () = moment(turn) => Event::Turn,
            sound = next_sound(audio_out) => Event::Sound(sound),
            picture = next_picture(video_out) => Event::Picture(picture),
            feedback = next_feedback(feedback) => Event::Feedback(feedback),
            Some(inbound) = self.inbound.recv() => Event::Inbound(inbound),
        }
    }

    async fn handle(&mut self, event: Event, watch: &mut Watch) -> Option<Ended> {
        match event {
            Event::Inbound(Inbound::Media(kind, packet)) => self.uplink.take(kind, packet),
            Event::Inbound(Inbound::Report(report)) => self.uplink.report(report),
            Event::Inbound(Inbound::KeyframeWanted) => {
                self.seat.traffic.keyframes_asked.add(1);
                self.request_keyframe();
            }
            Event::Inbound(Inbound::Said(said)) => self.downlink.hear(said, self.clock.now()),
            Event::Inbound(Inbound::Goodbye(streams)) => tracing::debug!(?streams, "the client ends streams"),
            Event::State(state) => return self.change_state(state, watch),
            Event::Command(Command::End(ended)) => return Some(ended),
            Event::Command(Command::Candidates(candidates)) => self.add_candidates(candidates, watch).await,
            Event::Command(Command::Restart(theirs, reply)) => self.restart_ice(theirs, reply, watch).await,
            Event::Picture(Some(picture)) => self.downlink.picture(picture, self.clock.now()),
            Event::Picture(None) => self.seat.video_out = None,
            Event::Sound(Some(sound)) => self.downlink.sound(&sound, self.clock.now()),
            Event::Sound(None) => self.seat.audio_out = None,
            Event::Feedback(Some(feedback)) => {
                if let Feedback::Limit { bps, size } = feedback {
                    self.seat.talk.limit(bps, size);
                }
                self.uplink.ask(feedback, &self.outbox);
            }
            Event::Feedback(None) => self.seat.feedback = None,
            Event::Due => self.uplink.advance(self.clock.now(), &self.outbox),
            Event::Turn => self.downlink.send(self.clock.now()),
            Event::Tick => return self.tick(watch).await,
        }
        None
    }

    fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    fn request_keyframe(&self) {
        if let Some(pictures) = &self.seat.video_out {
            pictures.request_keyframe();
        }
    }

    fn change_state(&mut self, state: RTCPeerConnectionState, watch: &mut Watch) -> Option<Ended> {
        match state {
            RTCPeerConnectionState::Connected if !self.is_connected() => {
                self.connected.store(true, Ordering::Relaxed);
                tracing::info!(after_ms = self.clock.now().since(watch.since).as_millis() as u64, "connected");
                if !self.downlink.open(self.clock.now()) {
                    self.request_keyframe();
                }
                None
            }
            RTCPeerConnectionState::Failed => Some(Ended::Failed),
            RTCPeerConnectionState::Closed => Some(Ended::Closed),
            _ => None,
        }
    }

    async fn add_candidates(&self, candidates: Vec<String>, watch: &mut Watch) {
        for candidate in candidates {
            if watch.candidates == MAX_CANDIDATES {
                return;
            }
            watch.candidates += 1;
            if let Err(error) = self.stack.add_candidate(candidate).await {
                tracing::debug!(%error, "candidate");
            }
        }
    }

    async fn restart_ice(&mut self, theirs: IceCredentials, reply: oneshot::Sender<Result<Secrets, String>>, watch: &mut Watch) {
        let restarted = self.stack.restart_ice(&self.terms, &theirs).await;
        if let Ok(secrets) = &restarted {
            self.berth.listen_for(&secrets.ice, &theirs);
            self.terms.ice = theirs;
            self.connected.store(false, Ordering::Relaxed);
            self.downlink.close();
            watch.since = self.clock.now();
            tracing::info!("restarts ICE");
        }
        let _ = reply.send(restarted.map_err(|error| error.to_string()));
    }

    async fn tick(&mut self, watch: &mut Watch) -> Option<Ended> {
        let now = self.clock.now();
        self.seat.traffic.rtt().into_iter().for_each(|rtt| self.uplink.note_round_trip(rtt));
        self.uplink.advance(now, &self.outbox);
        if self.downlink.advance(now) {
            self.request_keyframe();
        }
        if self.berth.mailbox().is_stopped() || self.channel.is_abused() {
            return Some(Ended::Failed);
        }
        let heard = self.berth.mailbox().last_heard();
        let silence = now.since(heard);
        if !self.is_connected() {
            // A client that has begun and stopped will not connect; one that begins again may come from somewhere new
            let stopped = heard > watch.since && silence > SILENCE_PATIENCE;
            return (stopped || now.since(watch.since) > CONNECT_PATIENCE).then_some(Ended::Failed);
        }
        if silence > SILENCE_PATIENCE {
            return Some(Ended::Vanished);
        }
        watch.alerted |= self.berth.mailbox().take_alert();
        if watch.alerted && (silence > SILENCE_AFTER_ALERT || self.stack.closed_by_peer().await) {
            return Some(Ended::Closed);
        }
        None
    }
}

/// Ends when an admin sends the client out; never, where nobody is left who could.
async fn dismissal(dismissed: &mut watch::Receiver<bool>) {
    if dismissed.wait_for(|is_dismissed| *is_dismissed).await.is_err() {
        std::future::pending().await
    }
}

/// Ends at this moment; never, where there is none.
async fn moment(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

async fn next_picture(pictures: &mut Option<VideoSubscription>) -> Option<Arc<EncodedPicture>> {
    match pictures {
        Some(pictures) => pictures.next().await,
        None => std::future::pending().await,
    }
}

async fn next_sound(sounds: &mut Option<AudioSubscription>) -> Option<Arc<EncodedSound>> {
    match sounds {
        Some(sounds) => sounds.next().await,
        None => std::future::pending().await,
    }
}

async fn next_feedback(feedback: &mut Option<mpsc::Receiver<Feedback>>) -> Option<Feedback> {
    match feedback {
        Some(feedback) => feedback.recv().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_client_is_dismissed_by_an_admin_and_not_by_the_end_of_the_room_itself() {
        let (admin, mut dismissed) = watch::channel(false);
        assert_eq!(dismissal(&mut dismissed).now_or_never(), None);
        let mut other = dismissed.clone();
        admin.send_replace(true);
        assert_eq!(dismissal(&mut dismissed).now_or_never(), Some(()));
        assert_eq!(dismissal(&mut other).now_or_never(), Some(()), "however late it looks");
        let (admin, mut dismissed) = watch::channel(false);
        drop(admin);
        assert_eq!(dismissal(&mut dismissed).now_or_never(), None);
    }
}
