//! One bot: joins a room, sends, judges, and leaves, politely or not.
//!
//! In: its settings. Out: a session with its threads, and reports at any time. Never: more threads than a sender and an
//! examiner.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use str0m::media::Direction;
use tokio::sync::mpsc;

use crate::codec::opus::AudioEncoder;
use crate::media::MediaTime;

use super::files::{Film, Track};
use super::http::{HttpError, Seat, Server};
use super::judge::{BotReport, Examiner, History, Scrutiny, Witness};
use super::line::{LineReport, LineSettings};
use super::offer::{Offer, Sending};
use super::own_clock::OwnClock;
use super::peer::{Command, Ends, PeerError};
use super::picture::{Painter, Sketch};
use super::relocation::Signalling;
use super::sender::{Parcel, PictureFeed, Sender, Sent, SoundFeed};
use super::sound::Voice;
use super::spending::usual_bps;
use super::wall::Epoch;
use super::wire::Ledger;

/// Encoded pictures and packets that may wait for the session: a second's worth.
const PARCELS: usize = 80;
/// Received pictures and packets that may wait for the examiner: two seconds' worth.
const EVIDENCE: usize = 160;

/// What a bot says.
#[derive(Clone, Debug)]
pub enum Speech {
    /// Its own tone.
    Tone,
    /// Digital silence.
    Silence,
    /// A recording.
    Track(Track),
}

/// What a bot shows.
#[derive(Clone, Debug)]
pub enum Show {
    /// Its own picture.
    Drawn,
    /// A recording.
    Film(Film),
}

/// How one bot is to be.
#[derive(Clone, Debug)]
pub struct BotSettings {
    /// The server, such as `http://127.0.0.1:8080`.
    pub url: String,
    /// The room.
    pub room: String,
    /// The number its picture shows; its tone is [`Tone::of`](super::sound::Tone::of) it. 1 to 1023.
    pub number: u16,
    /// Its display name.
    pub name: String,
    /// Width of its picture in pixels, even, at least 128; of all bots in the room alike.
    pub width: u32,
    /// Height of its picture in pixels, even, at least 72.
    pub height: u32,
    /// Pictures a second, 1 to 60.
    pub fps: u32,
    /// What it sends; `None` only watches.
    pub sends: Option<(Show, Speech)>,
    /// How closely it looks at what comes back.
    pub scrutiny: Scrutiny,
    /// What else it asks for when it joins.
    pub asks: Asks,
    /// What lies between it and the server.
    pub line: LineSettings,
}

/// What a bot asks for when it joins, as the join's query has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// The view; `None` for the room's main one.
    pub view: Option<String>,
    /// Whether its pictures are a screen's and not a camera's.
    pub screen: bool,
    /// The tallest picture it takes, in pixels.
    pub max_height: Option<u32>,
    /// The most pictures a second it takes.
    pub max_fps: Option<u32>,
}

impl Asks {
    /// The pairs of the query, but for the name.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let numbers = [("max_height", self.max_height), ("max_fps", self.max_fps)];
        let numbers = numbers.into_iter().filter_map(|(key, number)| Some((key, number?.to_string())));
        let source = self.screen.then(|| ("source", "screen".to_owned()));
        self.view.clone().map(|view| ("view", view)).into_iter().chain(source).chain(numbers).collect()
    }
}

/// Why a bot did not join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Signalling.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// WebRTC.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// A codec.
    #[error("{0}")]
    Codec(String),
    /// A setting.
    #[error("{0}")]
    Setting(String),
}

/// A bot in a room.
#[derive(Debug)]
pub struct Bot {
    settings: BotSettings,
    server: Server,
    session: String,
    asked: MediaTime,
    answered: MediaTime,
    task: tokio::task::JoinHandle<()>,
    own: Own,
}

/// A bot's side of its threads and its session.
#[derive(Debug)]
struct Own {
    commands: mpsc::Sender<Command>,
    threads: Vec<JoinHandle<()>>,
    witness: Arc<Witness>,
    sent: Arc<Sent>,
    ledger: Arc<Ledger>,
}

impl Bot {
    /// Joins the room; comes back when the server has answered, before the connection stands.
    ///
    /// # Errors
    /// Where the server cannot be reached, refuses, or answers with what is no SDP.
    pub async fn join(settings: BotSettings, epoch: Epoch) -> Result<Self, JoinError> {
        check(&settings)?;
        let server = Server::new(&settings.url)?;
        // All is ready before the POST: the time to the first picture is the server's.
        let (ends, own) = prepare(&settings, epoch)?;
        let direction = if settings.sends.is_some() { Direction::SendRecv } else { Direction::RecvOnly };
        let now = ends.clock.instant(ends.clock.now());
        let sending = if settings.line.limits_sending() { Sending::Adapting } else { Sending::Free };
        let offer = Offer::make(server.authority(), direction, sending, now)?;
        let asked = epoch.now();
        let Seat { answer, session } = server.join(&settings.room, &settings.query(), offer.sdp.clone()).await?;
        let answered = epoch.now();
        let signalling = Signalling { server: server.clone(), session: session.clone(), answer };
        let negotiated = match offer.accept(signalling, ends) {
            Ok(negotiated) => negotiated,
            Err(error) => {
                // The server holds a seat for a bot that will not come.
                let _ = server.leave(&session).await;
                return Err(error.into());
            }
        };
        let task = tokio::spawn(negotiated.run());
        Ok(Self { settings, server, session, asked, answered, task, own })
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.settings.number
    }

    /// Begins the measurement: what was found so far is forgotten, but for the time to connect and to the first picture.
    pub fn begin_measuring(&self) {
        self.own.witness.begin();
        self.own.sent.begin();
        self.own.ledger.begin();
    }

    /// What it found up to now.
    pub fn report(&self) -> BotReport {
        let mut report = BotReport {
            number: self.settings.number,
            name: self.settings.name.clone(),
            answer_ms: self.answered.since(self.asked).as_secs_f64() * 1000.0,
            sent: self.own.sent.report(),
            line: LineReport { encoder_bps: self.own.sent.encoder_bps(), ..self.own.ledger.report() },
            ..BotReport::default()
        };
        self.own.witness.report(&mut report, self.asked);
        report
    }

    /// What it found over time, since the measurement began.
    pub fn history(&self) -> History {
        self.own.witness.history()
    }

    /// Lays another line in place of the one it has, whose times count from here; what is under way arrives as it would have. Its
    /// clock's drift and its seed stay.
    pub async fn lay(&self, line: LineSettings) {
        // A session that ended by itself takes no command.
        let _ = self.own.commands.send(Command::Lay(Box::new(line))).await;
    }

    /// Leaves: deletes the session, closes DTLS, and waits for its threads.
    ///
    /// # Errors
    /// Where the server does not confirm; the bot is gone all the same.
    pub async fn leave(self) -> Result<(), HttpError> {
        // A session that ended by itself takes no command.
        let deleted = self.server.leave(&self.session).await;
        let _ = self.own.commands.send(Command::Leave).await;
        let _ = self.task.await;
        join_threads(self.own.threads).await;
        deleted
    }

    /// Vanishes like a killed process: no DELETE, no DTLS close, only silence.
    pub async fn vanish(self) {
        self.task.abort();
        let _ = self.task.await;
        join_threads(self.own.threads).await;
    }
}

impl BotSettings {
    fn query(&self) -> Vec<(&'static str, String)> {
        std::iter::once(("name", self.name.clone())).chain(self.asks.pairs()).collect()
    }
}

fn check(settings: &BotSettings) -> Result<(), JoinError> {
    let BotSettings { width, height, fps, number, .. } = *settings;
    let wrong = |text: String| Err(JoinError::Setting(text));
    if width % 2 + height % 2 != 0 || width < Sketch::LEAST_WIDTH || height < Sketch::LEAST_HEIGHT || width.max(height) > 3840 {
        return wrong(format!("pictures of {width}x{height} cannot be sent: use even sides from 128x72 to 3840"));
    }
    if !(1..=60).contains(&fps) {
        return wrong(format!("{fps} pictures a second cannot be sent: use 1 to 60"));
    }
    settings.line.check().map_err(JoinError::Setting)?;
    if !(1..1024).contains(&number) {
        return wrong(format!("a bot cannot have the number {number}: use 1 to 1023"));
    }
    Ok(())
}

/// Makes a bot's threads, which wait for its session, and the queues between them.
fn prepare(settings: &BotSettings, epoch: Epoch) -> Result<(Ends, Own), JoinError> {
    let witness = Arc::new(Witness::new(epoch, settings.scrutiny, Sketch::of(settings.width, settings.height)));
    let sent = Arc::new(Sent::default());
    let (commands, command_queue) = mpsc::channel(8);
    let (parcels, parcel_queue) = mpsc::channel(PARCELS);
    // One that waits says all that a second one would.
    let (orders, order_queue) = sync_channel(1);
    let mut threads = Vec::new();
    let clock = OwnClock::new(epoch, settings.line.drift_ppm);
    if let Some(sender) = sender(settings, clock, parcels, sent.clone())? {
        threads.push(spawn(format!("bot{}-send", settings.number), move || sender.run(&order_queue)));
    }
    let evidence = examine(settings, &witness, &commands, &mut threads)?;
    let ledger = Ledger::shared();
    let ends = Ends {
        parcels: parcel_queue,
        orders,
        commands: command_queue,
        evidence,
        witness: witness.clone(),
        sent: sent.clone(),
        line: settings.line.clone(),
        ledger: ledger.clone(),
        clock,
        usual_bps: usual_bps((settings.width, settings.height), settings.fps).into(),
    };
    Ok((ends, Own { commands, threads, witness, sent, ledger }))
}

fn sender(settings: &BotSettings, clock: OwnClock, out: mpsc::Sender<Parcel>, sent: Arc<Sent>) -> Result<Option<Sender>, JoinError> {
    let Some((show, speech)) = &settings.sends else { return Ok(None) };
    let BotSettings { number, width, height, fps, .. } = *settings;
    let failed = |error: crate::codec::EncodeError| JoinError::Codec(error.to_string());
    let pictures = match show {
        Show::Drawn => PictureFeed::drawn(Painter::new(number, width, height), (width, height), fps).map_err(failed)?,
        Show::Film(film) => PictureFeed::Film { film: film.clone(), next: 0 },
    };
    let sounds = match speech {
        Speech::Tone => SoundFeed::Voice(Voice::new(number)),
        Speech::Silence => SoundFeed::Silence,
        Speech::Track(track) => SoundFeed::Track { track: track.clone(), next: 0 },
    };
    let codec = AudioEncoder::new().map_err(failed)?;
    Ok(Some(Sender { clock, pictures, sounds, codec, fps, out, sent }))
}

fn examine(
    settings: &BotSettings,
    witness: &Arc<Witness>,
    commands: &mpsc::Sender<Command>,
    threads: &mut Vec<JoinHandle<()>>,
) -> Result<Option<std::sync::mpsc::SyncSender<super::judge::Evidence>>, JoinError> {
    if settings.scrutiny == Scrutiny::Counted {
        return Ok(None);
    }
    // A weak handle: the session ends when the bot's own is gone, not when the examiner's is.
    let commands = commands.downgrade();
    let ask = move || {
        if let Some(commands) = commands.upgrade() {
            // A full queue holds a request already.
            let _ = commands.try_send(Command::AskKeyframe);
        }
    };
    let examiner = Examiner::new(witness.clone(), ask).map_err(|error| JoinError::Codec(error.to_string()))?;
    let (evidence, queue) = sync_channel(EVIDENCE);
    threads.push(spawn(format!("bot{}-judge", settings.number), move || examiner.run(&queue)));
    Ok(Some(evidence))
}

fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new().name(name).spawn(work).expect("the system has threads for its bots")
}

async fn join_threads(threads: Vec<JoinHandle<()>>) {
    let joined = tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
    // They end with the session; a panic in one was reported by itself.
    let _ = joined.await;
}
