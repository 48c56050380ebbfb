//! One bot's WebRTC session on `str0m`: packets between its line and the bot's own threads.
//!
//! In: what the sender encoded, commands. Out: what arrived, counted and handed to the examiner. Never: a codec; time that
//! `str0m` takes by itself.

mod journey;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use str0m::bwe::{Bitrate, BweKind};
use str0m::format::Codec;
use str0m::media::{Frequency, KeyframeRequestKind, MediaData, MediaTime as RtpTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::rtcp::{Nack, Rtcp};
use str0m::rtp::{RawPacket, RtpHeader};
use str0m::{Event, IceConnectionState, Input, Output, Rtc, RtcError};
use tokio::sync::mpsc;

use crate::media::MediaTime;

use super::judge::{Evidence, Witness};
use super::line::LineSettings;
use super::offer::OPUS;
use super::own_clock::OwnClock;
use super::relocation::Signalling;
use super::sender::{KeyframeWanted, Parcel, Sent};
use super::wire::{Ledger, Wire};
use journey::Journey;

/// A judge asks for keyframes no faster than this, as browsers do.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_millis(200);
const LARGEST_DATAGRAM: usize = 2000;
/// What sound takes of the line, each block sent twice (RFC 2198), with headers, in bits a second.
const SOUND_BPS: u64 = 120_000;

/// What the bot tells its session.
#[derive(Debug)]
pub(super) enum Command {
    /// The examiner cannot decode: ask the server for a keyframe.
    AskKeyframe,
    /// Lay another line.
    Lay(Box<LineSettings>),
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

/// Where the session's own media comes from and what its counts go to.
pub(super) struct Ends {
    pub(super) parcels: mpsc::Receiver<Parcel>,
    pub(super) orders: SyncSender<KeyframeWanted>,
    pub(super) commands: mpsc::Receiver<Command>,
    /// To the examiner; `None` where pictures are only counted.
    pub(super) evidence: Option<SyncSender<Evidence>>,
    pub(super) witness: Arc<Witness>,
    pub(super) sent: Arc<Sent>,
    pub(super) line: LineSettings,
    pub(super) ledger: Arc<Ledger>,
    pub(super) clock: OwnClock,
    /// What pictures are to take where the line allows it, in bits a second.
    pub(super) usual_bps: u64,
}

/// A negotiated session.
pub(super) struct Session {
    rtc: Rtc,
    wire: Wire,
    /// Where the stack believes the bot to be.
    address: SocketAddr,
    sound: Mid,
    pictures: Mid,
    signalling: Signalling,
    ends: Ends,
    next_sound: Option<u64>,
    /// Whether the examiner missed a picture, so that the next one does not join what it saw.
    skipped: bool,
    asked: Option<MediaTime>,
    journey: Journey,
    /// What the bot's own estimate and the server allow.
    estimates: (Option<u64>, Option<u64>),
}

/// One thing that happened.
enum Happened {
    Received(std::io::Result<(usize, SocketAddr)>),
    Commanded(Option<Command>),
    Encoded(Parcel),
    Answered(Result<String, String>),
    Due,
}

impl Session {
    pub(super) fn new(
        mut rtc: Rtc,
        wire: Wire,
        address: SocketAddr,
        (sound, pictures): (Mid, Mid),
        signalling: Signalling,
        ends: Ends,
    ) -> Self {
        rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::bps(ends.usual_bps + SOUND_BPS));
        let journey = Journey::of(&ends.line);
        let (next_sound, skipped, asked, estimates) = (None, false, None, (None, None));
        Self { rtc, wire, address, sound, pictures, signalling, ends, next_sound, skipped, asked, journey, estimates }
    }

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
            if let Some((datagram, from)) = self.wire.take(self.real()) {
                self.receive(&datagram, from)?;
            } else {
                match self.next(&mut datagram, due).await {
                    Happened::Received(Ok((length, from))) => self.wire.arrive(&datagram[..length], from, self.ends.witness.epoch().now()),
                    // ICMP's "port unreachable" shows here; ICE decides whether the server is gone.
                    Happened::Received(Err(error)) => tracing::trace!(%error, "bot's socket"),
                    Happened::Commanded(Some(Command::AskKeyframe)) => self.ask_keyframe(),
                    Happened::Commanded(Some(Command::Lay(line))) => self.lay(*line),
                    Happened::Commanded(Some(Command::Leave) | None) => return self.say_farewell().await,
                    Happened::Encoded(parcel) => self.send(parcel)?,
                    Happened::Answered(fragment) => self.end_restart(fragment)?,
                    Happened::Due => self.move_if_due()?,
                }
            }
            self.rtc.handle_input(Input::Timeout(self.now())).map_err(|error| error.to_string())?;
        }
    }

    /// The next thing that happens, of which none is lost by what comes first.
    async fn next(&mut self, datagram: &mut [u8], due: std::time::Instant) -> Happened {
        let due = [Some(self.ends.clock.real_at(due)), self.wire.due(), self.move_due()].into_iter().flatten().min();
        let due = self.ends.witness.epoch().clock().instant(due.expect("the stack names a time"));
        tokio::select! {
            biased;
            received = self.wire.receive(datagram) => Happened::Received(received),
            command = self.ends.commands.recv() => Happened::Commanded(command),
            Some(parcel) = self.ends.parcels.recv() => Happened::Encoded(parcel),
            fragment = self.journey.answered() => Happened::Answered(fragment),
            () = tokio::time::sleep_until(due.into()) => Happened::Due,
        }
    }

    /// The present as the stack is told it.
    fn now(&self) -> std::time::Instant {
        self.ends.clock.instant(self.ends.clock.now())
    }

    /// The present as the line has it.
    fn real(&self) -> MediaTime {
        self.ends.witness.epoch().now()
    }

    /// Sends and notes all that the stack has; gives when it wants to be called again, `None` where it is closed.
    async fn drain(&mut self) -> Result<Option<std::time::Instant>, RtcError> {
        let due = loop {
            match self.rtc.poll_output()? {
                Output::Timeout(_) if !self.rtc.is_alive() => break None,
                Output::Timeout(due) => break Some(due),
                // What leaves for a network that the bot has left is lost.
                Output::Transmit(datagram) if datagram.source != self.address => {}
                Output::Transmit(datagram) => self.wire.send(&datagram.contents, datagram.destination, self.ends.witness.epoch().now()),
                Output::Event(Event::IceConnectionStateChange(IceConnectionState::Disconnected)) if !self.is_moving() => break None,
                Output::Event(event) => self.note(event),
            }
        };
        self.wire.flush(self.ends.witness.epoch().now()).await;
        self.wire.tell(&self.ends.ledger);
        Ok(due)
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Connected => {
                self.ends.witness.connected();
                self.begin_line();
                // The sender waits for this; what is sent before there is a connection is lost.
                self.order_keyframe();
            }
            Event::KeyframeRequest(_) => {
                self.ends.sent.keyframes_asked.fetch_add(1, Ordering::Relaxed);
                self.order_keyframe();
            }
            Event::MediaData(arrived) if arrived.mid == self.pictures => self.take_picture(arrived),
            Event::MediaData(arrived) if arrived.mid == self.sound => self.count_sound(&arrived),
            Event::EgressBitrateEstimate(estimate) => self.note_estimate(&estimate),
            Event::RawPacket(packet) => match *packet {
                RawPacket::RtcpRx(Rtcp::Nack(nack)) => self.ends.ledger.note(|line| line.up.asked_again += asked_for(&nack)),
                RawPacket::RtcpTx(Rtcp::Nack(nack)) => self.ends.ledger.note(|line| line.down.asked_again += asked_for(&nack)),
                RawPacket::RtpRx(header, payload) => self.take_sound(&header, payload),
                _ => {}
            },
            _ => {}
        }
    }

    /// The encoder of the pictures follows the lower of the bot's own estimate and what the server allows (REMB), as a browser's.
    fn note_estimate(&mut self, estimate: &BweKind) {
        match estimate {
            BweKind::Twcc { estimate, .. } => self.estimates.0 = Some(estimate.as_u64()),
            BweKind::Remb { estimate, .. } => self.estimates.1 = Some(estimate.as_u64()),
            _ => return,
        }
        let Some(allowed) = [self.estimates.0, self.estimates.1].into_iter().flatten().min() else { return };
        self.ends.sent.allowed_bps.store(allowed.saturating_sub(SOUND_BPS).max(1), Ordering::Relaxed);
        self.ends.ledger.note(|line| line.estimate_bps = self.estimates.0);
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
        let timestamp = arrived.time.rebase(Frequency::NINETY_KHZ).numer() as u32;
        witness.picture_arrived(arrived.data.len(), keyframe, !arrived.contiguous, timestamp, at);
        let Some(evidence) = &self.ends.evidence else { return };
        let interrupted = !arrived.contiguous || self.skipped;
        let given = evidence.try_send(Evidence::Picture { annex_b: arrived.data, keyframe, interrupted, timestamp, at });
        self.skipped = given.is_err();
        if self.skipped {
            witness.picture_unjudged();
        }
    }

    fn count_sound(&mut self, arrived: &MediaData) {
        let (first, last) = (**arrived.seq_range.start(), **arrived.seq_range.end());
        let lost = self.next_sound.map_or(0, |next| first.saturating_sub(next));
        self.next_sound = Some(last + 1);
        self.ends.witness.sound_arrived(arrived.data.len(), lost);
    }

    /// The examiner has a receiver of its own for sound: it is given packets as they arrive, and not in order.
    fn take_sound(&self, header: &RtpHeader, payload: Vec<u8>) {
        let Some(evidence) = self.ends.evidence.as_ref().filter(|_| *header.payload_type == OPUS && !payload.is_empty()) else { return };
        let at = self.ends.witness.epoch().now();
        // A full queue shows as a gap in the sound.
        let _ = evidence.try_send(Evidence::Sound { packet: payload.into(), timestamp: header.timestamp, at });
    }

    fn send(&mut self, parcel: Parcel) -> Result<(), String> {
        let rtp = |at: MediaTime, rate: Frequency| {
            RtpTime::new((u128::from(at.as_nanos()) * u128::from(rate.get()) / 1_000_000_000) as u64, rate)
        };
        let (mid, codec, at, time, data): (_, _, _, _, Arc<[u8]>) = match parcel {
            Parcel::Picture(unit, at) => (self.pictures, Codec::H264, at, rtp(at, Frequency::NINETY_KHZ), unit),
            Parcel::Sound(packet, at) => (self.sound, Codec::Opus, at, rtp(at, Frequency::FORTY_EIGHT_KHZ), packet[..].into()),
        };
        let wallclock = self.ends.clock.instant(at);
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
        // The farewell is not what is tried: it goes past the line.
        self.wire.replace(LineSettings::default(), self.real());
        self.rtc.close().map_err(|error| error.to_string())?;
        let farewell = async {
            while let Ok(Some(due)) = self.drain().await {
                tokio::time::sleep_until(self.ends.witness.epoch().clock().instant(self.ends.clock.real_at(due)).into()).await;
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

/// How many packets a request asks for (RFC 4585 §6.2.1).
fn asked_for(nack: &Nack) -> u64 {
    (&nack.reports).into_iter().map(|entry| 1 + u64::from(entry.blp.count_ones())).sum()
}
