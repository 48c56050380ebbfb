//! Which players there are, in which room: begun, told of, stopped.
//!
//! In: wishes of admins. Out: players, each a participant of its room until it ends; how the last ones ended. Never: more than
//! [`IN_A_ROOM`] in a room, or a file that is removed under one.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tracing::Instrument;
use utoipa::ToSchema;

use super::files::{FileError, Files, Loan};
use super::playing::{Ended, Playing};
use super::reading;
use super::score::{Opener, Passes};
use crate::container::Media;
use crate::media::{Clock, ParticipantId, RoomName, ShortName};
use crate::metrics::Metrics;
use crate::room::Change;
use crate::rooms::{AdminError, JoinError, Rooms, Seat, Wish};

/// Players of one room at once.
const IN_A_ROOM: usize = 8;
/// Of so many that ended by themselves it is told how.
const REMEMBERED: usize = 64;
const LEAST_GAIN_DB: f32 = -60.0;
const MOST_GAIN_DB: f32 = 20.0;

/// A player's id on this server, written `player1`, `player2`, ….
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlayerId(pub u64);

impl fmt::Display for PlayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "player{}", self.0)
    }
}

impl FromStr for PlayerId {
    type Err = ();

    /// The id that is written so, and in no other way.
    fn from_str(text: &str) -> Result<Self, ()> {
        let id = text.strip_prefix("player").and_then(|number| number.parse().ok()).map(Self);
        id.filter(|id| id.to_string() == text).ok_or(())
    }
}

/// What is to be played.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlayWish {
    /// An uploaded file.
    pub file: ShortName,
    /// Whether it begins anew when it ends, until it is stopped; default false.
    #[serde(default, rename = "loop")]
    pub repeats: bool,
    /// How much louder its sound is made, −60 to +20 dB; default 0.
    #[serde(default)]
    #[schema(minimum = -60, maximum = 20)]
    pub gain_db: f32,
}

/// How a player stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlayerState {
    /// It is in the room.
    Playing,
    /// It has left: the file was played to its end, or somebody sent it out.
    Ended,
    /// It has left: the file could not be played on.
    Failed,
}

/// A player.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PlayerReport {
    /// Its id.
    #[schema(example = "player1")]
    pub id: String,
    /// The file.
    pub file: ShortName,
    /// Its participant's id in the room.
    #[schema(example = "p3")]
    pub participant: String,
    /// Where in the file it is.
    pub position_ms: u64,
    /// How long the file is.
    pub duration_ms: u64,
    /// Whether it begins anew at the end.
    #[serde(rename = "loop")]
    pub repeats: bool,
    /// How much louder its sound is made, as asked for; the participant tells what it is now.
    pub gain_db: f32,
    /// Whether it plays.
    pub state: PlayerState,
    /// Why it does not; null while it plays.
    pub reason: Option<String>,
}

/// Why nothing is played, told or stopped.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// There is no such room.
    #[error("there is no room {0}; PUT /v1/rooms/{0} makes it")]
    NoSuchRoom(RoomName),
    /// There is no such player in the room.
    #[error("there is no player {1} in room {0}")]
    NoSuchPlayer(RoomName, PlayerId),
    /// There is no such file.
    #[error("file: {0}")]
    File(#[from] FileError),
    /// A gain out of range.
    #[error("gain_db: {0} is out of range: send a number from {LEAST_GAIN_DB} to {MOST_GAIN_DB}")]
    Gain(f32),
    /// The room has as many as it may have.
    #[error("{IN_A_ROOM} players play in room {0} already; stop one first")]
    TooMany(RoomName),
    /// The room takes nobody.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The room refused the gain.
    #[error(transparent)]
    Room(#[from] AdminError),
    /// There is nothing to read the file with.
    #[error("the file cannot be read ahead: {0}; try again later")]
    Thread(std::io::ErrorKind),
}

/// All players of this server.
#[derive(Debug)]
pub struct Players {
    rooms: Arc<Rooms>,
    files: Arc<Files>,
    clock: Clock,
    metrics: Metrics,
    troupe: Mutex<Troupe>,
}

#[derive(Debug, Default)]
struct Troupe {
    last: u64,
    playing: BTreeMap<(RoomName, PlayerId), Player>,
    /// Those that ended by themselves, the newest last.
    ended: VecDeque<(RoomName, PlayerId, PlayerReport)>,
}

/// One that plays, or is about to.
#[derive(Clone, Debug)]
struct Player {
    report: PlayerReport,
    position_ms: Arc<AtomicU64>,
    stop: watch::Sender<bool>,
}

impl Player {
    fn report(&self) -> PlayerReport {
        PlayerReport { position_ms: self.position_ms.load(Ordering::Relaxed), ..self.report.clone() }
    }
}

impl Players {
    /// Nobody plays yet.
    pub fn new(rooms: Arc<Rooms>, files: Arc<Files>, clock: Clock, metrics: Metrics) -> Arc<Self> {
        Arc::new(Self { rooms, files, clock, metrics, troupe: Mutex::default() })
    }

    /// The files that can be played.
    pub fn files(&self) -> &Arc<Files> {
        &self.files
    }

    /// Plays a file as one more participant of a room that is there; one that is locked takes it, too.
    ///
    /// # Errors
    /// Why it does not; nobody has come into the room then.
    pub async fn play(self: &Arc<Self>, room: &RoomName, wish: PlayWish) -> Result<PlayerReport, PlayError> {
        if !(LEAST_GAIN_DB..=MOST_GAIN_DB).contains(&wish.gain_db) {
            return Err(PlayError::Gain(wish.gain_db));
        }
        self.check_room(room)?;
        let loan = self.files.lend(&wish.file)?;
        let path = loan.path.clone();
        self.perform(room, wish, loan, Box::new(move || Media::open(&path))).await
    }

    /// As [`Self::play`], of whatever is opened.
    pub(super) async fn perform(
        self: &Arc<Self>,
        room: &RoomName,
        wish: PlayWish,
        loan: Loan,
        open: Opener,
    ) -> Result<PlayerReport, PlayError> {
        let seat = self.seat(room, &wish, &loan)?;
        // Whatever the gain: once this is answered, the room has the player
        let change = Change { gain_db: Some(wish.gain_db), ..Change::default() };
        self.rooms.change(room, seat.participant, change).await?;
        let passes = if wish.repeats { Passes::Endless } else { Passes::One };
        let (id, player, stopped) = self.enter(room, &wish, &loan, seat.participant)?;
        let reading = match reading::read(open, passes) {
            Ok(reading) => reading,
            Err(error) => {
                self.troupe.lock().playing.remove(&(room.clone(), id));
                return Err(PlayError::Thread(error.kind()));
            }
        };
        let playing = Playing { seat, reading, _loan: loan, clock: self.clock, stop: stopped, position_ms: player.position_ms.clone() };
        let span = tracing::info_span!("player", %room, %id, file = %wish.file);
        tokio::spawn(self.clone().follow(room.clone(), id, playing).instrument(span));
        Ok(player.report())
    }

    /// Those that play in a room, in the order in which they began.
    ///
    /// # Errors
    /// Where there is no such room.
    pub fn list(&self, room: &RoomName) -> Result<Vec<PlayerReport>, PlayError> {
        self.check_room(room)?;
        Ok(self.troupe.lock().of(room).map(Player::report).collect())
    }

    /// One that plays, or ended by itself of late.
    ///
    /// # Errors
    /// Where there is none.
    pub fn get(&self, room: &RoomName, id: PlayerId) -> Result<PlayerReport, PlayError> {
        let troupe = self.troupe.lock();
        let playing = troupe.playing.get(&(room.clone(), id)).map(Player::report);
        let ended = || troupe.ended.iter().find(|(there, ended, _)| (there, *ended) == (room, id)).map(|(.., report)| report.clone());
        playing.or_else(ended).ok_or_else(|| PlayError::NoSuchPlayer(room.clone(), id))
    }

    /// Stops one that plays; it has left the room when this returns.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn stop(&self, room: &RoomName, id: PlayerId) -> Result<(), PlayError> {
        let player = self.troupe.lock().playing.remove(&(room.clone(), id));
        let player = player.ok_or_else(|| PlayError::NoSuchPlayer(room.clone(), id))?;
        player.end().await;
        Ok(())
    }

    /// Stops all.
    pub async fn shut_down(&self) {
        let playing = std::mem::take(&mut self.troupe.lock().playing);
        for player in playing.into_values() {
            player.end().await;
        }
    }

    fn check_room(&self, room: &RoomName) -> Result<(), PlayError> {
        if self.rooms.exists(room) { Ok(()) } else { Err(PlayError::NoSuchRoom(room.clone())) }
    }

    fn seat(self: &Arc<Self>, room: &RoomName, wish: &PlayWish, loan: &Loan) -> Result<Seat, PlayError> {
        self.troupe.lock().check(room)?;
        let (sends_video, sends_audio) = (loan.report.video.is_some(), loan.report.audio);
        let name = wish.file.to_string();
        Ok(self.rooms.join(room, Wish { name, sends_video, sends_audio, is_sent: true, ..Wish::default() })?)
    }

    /// One more player, in the list from here on.
    fn enter(
        &self,
        room: &RoomName,
        wish: &PlayWish,
        loan: &Loan,
        participant: ParticipantId,
    ) -> Result<(PlayerId, Player, watch::Receiver<bool>), PlayError> {
        let mut troupe = self.troupe.lock();
        troupe.check(room)?;
        troupe.last += 1;
        let id = PlayerId(troupe.last);
        let report = PlayerReport {
            id: id.to_string(),
            file: wish.file.clone(),
            participant: participant.to_string(),
            position_ms: 0,
            duration_ms: loan.report.duration_ms,
            repeats: wish.repeats,
            gain_db: wish.gain_db,
            state: PlayerState::Playing,
            reason: None,
        };
        let (stop, stopped) = watch::channel(false);
        let player = Player { report, position_ms: Arc::default(), stop };
        troupe.playing.insert((room.clone(), id), player.clone());
        Ok((id, player, stopped))
    }

    /// One play, to its end.
    async fn follow(self: Arc<Self>, room: RoomName, id: PlayerId, playing: Playing) {
        tracing::info!("a file plays");
        self.metrics.players.inc();
        let (participant, waited_for) = (playing.seat.participant, playing.stop.clone());
        let ended = playing.run().await;
        // A change of nothing is answered once the room has seen them leave
        let _ = self.rooms.change(&room, participant, Change::default()).await;
        self.metrics.players.dec();
        match &ended {
            Ended::Failed(reason) => tracing::warn!(reason, "a file could not be played on"),
            ended => tracing::info!(?ended, "a file has played"),
        }
        self.troupe.lock().note_end(room, id, ended);
        drop(waited_for);
    }
}

impl Player {
    /// Says stop, and waits until the room has seen it leave.
    async fn end(self) {
        self.stop.send_replace(true);
        self.stop.closed().await;
    }
}

impl Troupe {
    fn of(&self, room: &RoomName) -> impl Iterator<Item = &Player> {
        self.playing.range((room.clone(), PlayerId(0))..=(room.clone(), PlayerId(u64::MAX))).map(|(_, player)| player)
    }

    fn check(&self, room: &RoomName) -> Result<(), PlayError> {
        if self.of(room).count() < IN_A_ROOM { Ok(()) } else { Err(PlayError::TooMany(room.clone())) }
    }

    /// One has ended: it is remembered, unless somebody stopped it.
    fn note_end(&mut self, room: RoomName, id: PlayerId, ended: Ended) {
        let Some(player) = self.playing.remove(&(room.clone(), id)) else { return };
        let (state, reason) = match ended {
            Ended::Finished => (PlayerState::Ended, "the file was played to its end".to_owned()),
            Ended::Stopped => (PlayerState::Ended, "it was stopped".to_owned()),
            Ended::Removed => (PlayerState::Ended, "an admin sent it out, or the room ended".to_owned()),
            Ended::Failed(reason) => (PlayerState::Failed, reason),
        };
        let report = PlayerReport { state, reason: Some(reason), ..player.report() };
        self.ended.push_back((room, id, report));
        if self.ended.len() > REMEMBERED {
            self.ended.pop_front();
        }
    }
}
