//! Players in real rooms: what is seen and heard of them, how they come and go.

use std::sync::Arc;

use serde_json::json;

use super::uploads::{mp4, name, upload};
use super::*;
use crate::codec::VideoDecoder as _;
use crate::codec::h264;
use crate::codec::opus::AudioDecoder;
use crate::compositor::{Choice, Fonts};
use crate::media::{Clock, RoomName, ShortName};
use crate::metrics::Metrics;
use crate::players::{
    FileError, FileLimits, FileReport, Files, PictureSize, PlayError, PlayWish, PlayerId, PlayerReport, PlayerState, Players,
};
use crate::rooms::{Precondition, Rooms, RoomsSettings, Seat, Wish};

/// A server's rooms and players, without a network.
struct Stage {
    rooms: Arc<Rooms>,
    players: Arc<Players>,
}

impl Stage {
    async fn open() -> Self {
        let room = serde_json::from_value(json!({ "canvas": { "width": 320, "height": 180, "fps": 10 } })).unwrap();
        let (compositor, fonts, clock) = (Choice::Cpu, Fonts::embedded(), Clock::new());
        let settings = RoomsSettings { room, data_dir: None, on_demand: true, max_sessions: 30, decode_threads: 1, compositor, fonts };
        let rooms = tokio::task::spawn_blocking(move || Rooms::new(settings, clock, Metrics::default()).unwrap()).await.unwrap();
        let files = Files::open(None, FileLimits::default()).unwrap();
        let players = Players::new(rooms.clone(), files, clock, Metrics::default());
        Self { rooms, players }
    }

    async fn put_room(&self, spec: serde_json::Value) {
        let spec = serde_json::from_value(spec).unwrap();
        self.rooms.put_room(&room(), spec, Precondition::None).await.unwrap();
    }

    /// Plays a tape under a name.
    async fn play(&self, tape: &Tape, wish: PlayWish) -> Result<PlayerReport, PlayError> {
        let video = (!tape.pictures.is_empty()).then_some(PictureSize { width: 320, height: 180 });
        let (name, duration_ms) = (wish.file.clone(), tape.duration.as_millis() as u64);
        let report = FileReport { name: name.clone(), bytes: 1, duration_ms, video, audio: !tape.sounds.is_empty(), players: 0 };
        self.players.files().shelf.lock().files.entry(name.clone()).or_insert(report);
        let loan = self.players.files().lend(&name).unwrap();
        self.players.perform(&room(), wish, loan, tape.opener()).await
    }

    fn watch(&self) -> Seat {
        let wish = Wish { receives_video: true, receives_audio: true, is_output: true, ..Wish::default() };
        self.rooms.join(&room(), wish).unwrap()
    }

    /// Waits until the player has ended.
    async fn ended(&self, report: &PlayerReport) -> PlayerReport {
        let mut glances = tokio::time::interval(Duration::from_millis(10));
        loop {
            glances.tick().await;
            let told = self.players.get(&room(), id(report)).unwrap();
            if told.state != PlayerState::Playing {
                return told;
            }
        }
    }

    async fn people(&self) -> Vec<String> {
        self.rooms.room(&room()).await.unwrap().0.participants.into_iter().map(|person| person.name).collect()
    }
}

fn room() -> RoomName {
    "a".parse().unwrap()
}

fn id(report: &PlayerReport) -> PlayerId {
    report.id.parse().unwrap()
}

fn wish(file: &str) -> PlayWish {
    PlayWish { file: file.parse::<ShortName>().unwrap(), repeats: true, gain_db: 0.0 }
}

/// Waits until the middle of the canvas has this colour.
async fn see(seat: &mut Seat, yuv: [u8; 3]) {
    let (mut decoder, pictures) = (h264::Decoder::new(), seat.video_out.as_mut().unwrap());
    loop {
        let picture = pictures.next().await.expect("the room goes on");
        let annex_b: Vec<u8> = picture.nal_units.iter().flat_map(|nal| [&[0, 0, 0, 1], nal.as_ref()].concat()).collect();
        let Ok(Some(frame)) = decoder.decode(&annex_b) else { continue };
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let [y, u, v] = frame.planes();
        let chroma = height / 4 * (width / 2) + width / 4;
        let middle = [y[height / 2 * width + width / 2], u[chroma], v[chroma]];
        if middle.iter().zip(yuv).all(|(seen, wanted)| seen.abs_diff(wanted) <= 6) {
            return;
        }
    }
}

/// Waits until the mix has held a tone at about this level for a while; how loud it is then.
async fn hear(seat: &mut Seat, hertz: f32, wanted: std::ops::Range<f32>) -> f32 {
    let (mut decoder, sounds, mut run) = (AudioDecoder::new().unwrap(), seat.audio_out.as_mut().unwrap(), 0);
    loop {
        let sound = sounds.next().await.expect("the room goes on");
        let mut block = [0.0; BLOCK_SAMPLES];
        decoder.decode(&sound.payload, &mut block).unwrap();
        let heard = level(&block, hertz);
        run = if wanted.contains(&heard) { run + 1 } else { 0 };
        if run >= 10 {
            return heard;
        }
    }
}

const GREEN: [u8; 3] = [140, 70, 80];

#[tokio::test(flavor = "multi_thread")]
async fn a_films_picture_is_in_the_tile_and_its_tone_in_the_mix_also_of_a_locked_room() {
    let stage = Stage::open().await;
    stage
        .put_room(json!({ "locked": true, "canvas": { "width": 320, "height": 180, "fps": 10 }, "layout": { "gap": 0, "names": false } }))
        .await;
    let mut seat = stage.watch();
    let film = Tape::default().with_pictures(20, 10, GREEN).with_samples(1000.0, 96_000);
    let report = stage.play(&film, wish("film")).await.unwrap();
    assert_eq!((report.file.as_str(), report.duration_ms, report.state), ("film", 2000, PlayerState::Playing));
    see(&mut seat, GREEN).await;
    hear(&mut seat, 1000.0, 0.4..0.6).await;
    assert_eq!(stage.people().await, ["film"]);
    assert_eq!(stage.players.list(&room()).unwrap().len(), 1);
    stage.players.stop(&room(), id(&report)).await.unwrap();
    assert!(stage.players.list(&room()).unwrap().is_empty());
    assert!(matches!(stage.players.stop(&room(), id(&report)).await, Err(PlayError::NoSuchPlayer(..))));
    assert!(!stage.rooms.has_people(&room()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_film_plays_and_stays_as_it_is_while_it_does() {
    let stage = Stage::open().await;
    stage.put_room(json!({ "layout": { "gap": 0, "names": false } })).await;
    let mut seat = stage.watch();
    let film = mp4(&Tape::default().with_pictures(10, 10, GREEN).with_opus(1000.0, 50));
    let files = stage.players.files();
    upload(files, "film", &film).await.unwrap();
    let report = stage.players.play(&room(), wish("film")).await.unwrap();
    see(&mut seat, GREEN).await;
    hear(&mut seat, 1000.0, 0.4..0.6).await;
    assert!(matches!(upload(files, "film", &film).await, Err(FileError::Playing(_))));
    assert_eq!(files.get(&name("film")).unwrap().players, 1);
    stage.players.stop(&room(), id(&report)).await.unwrap();
    files.forget(&name("film")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gain_holds_from_the_beginning_on() {
    let stage = Stage::open().await;
    stage.put_room(json!({})).await;
    let mut seat = stage.watch();
    let music = Tape::default().with_opus(1000.0, 50);
    stage.play(&music, PlayWish { gain_db: -12.0, ..wish("music") }).await.unwrap();
    hear(&mut seat, 1000.0, 0.1..0.15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_has_played_to_its_end_leaves_the_room_and_can_be_forgotten() {
    let stage = Stage::open().await;
    stage.put_room(json!({})).await;
    let report = stage.play(&Tape::default().with_opus(440.0, 10), PlayWish { repeats: false, ..wish("gong") }).await.unwrap();
    let busy = stage.players.files().forget(&name("gong")).unwrap_err();
    assert!(matches!(busy, FileError::Playing(_)), "{busy}");
    let ended = stage.ended(&report).await;
    assert_eq!((ended.state, ended.position_ms), (PlayerState::Ended, 180));
    assert!(stage.people().await.is_empty() && stage.players.list(&room()).unwrap().is_empty());
    assert_eq!(stage.players.files().get(&name("gong")).unwrap().players, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_breaks_off_in_the_middle_leaves_the_room_and_says_why() {
    let stage = Stage::open().await;
    stage.put_room(json!({})).await;
    let mut tape = Tape::default().with_opus(440.0, 20);
    tape.sounds.push_back(CodedSound::Opus { at: Duration::from_millis(400), packet: Bytes::new() });
    let report = stage.play(&tape, wish("broken")).await.unwrap();
    let ended = stage.ended(&report).await;
    assert_eq!(ended.state, PlayerState::Failed);
    assert!(ended.reason.unwrap().contains("no Opus"));
    assert!(stage.people().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_goes_when_an_admin_sends_it_out_or_ends_the_room() {
    let stage = Stage::open().await;
    stage.put_room(json!({})).await;
    let music = Tape::default().with_opus(440.0, 50);
    let first = stage.play(&music, wish("first")).await.unwrap();
    let second = stage.play(&music, wish("second")).await.unwrap();
    stage.rooms.remove(&room(), crate::media::ParticipantId(1)).await.unwrap();
    assert_eq!(stage.ended(&first).await.state, PlayerState::Ended);
    assert_eq!(stage.people().await, ["second"]);
    stage.rooms.delete_room(&room(), Precondition::None).await.unwrap();
    assert_eq!(stage.ended(&second).await.state, PlayerState::Ended);
    assert!(matches!(stage.players.list(&room()), Err(PlayError::NoSuchRoom(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_not_there_or_has_enough_players_takes_none() {
    let stage = Stage::open().await;
    let music = Tape::default().with_opus(440.0, 50);
    let missing = stage.play(&music, wish("music")).await.unwrap_err();
    assert!(matches!(missing, PlayError::Join(_)) && !stage.rooms.exists(&room()), "{missing}");
    stage.put_room(json!({})).await;
    for _ in 0..8 {
        stage.play(&music, wish("music")).await.unwrap();
    }
    assert!(matches!(stage.play(&music, wish("music")).await, Err(PlayError::TooMany(_))));
    assert_eq!((stage.people().await.len(), stage.players.list(&room()).unwrap().len()), (8, 8));
    stage.players.shut_down().await;
    assert!(!stage.rooms.has_people(&room()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_cannot_be_brings_nobody_in() {
    let stage = Stage::open().await;
    stage.put_room(json!({})).await;
    for gain_db in [-61.0, 20.5, f32::NAN] {
        assert!(matches!(stage.players.play(&room(), PlayWish { gain_db, ..wish("x") }).await, Err(PlayError::Gain(_))));
    }
    assert!(matches!(stage.players.play(&room(), wish("x")).await, Err(PlayError::File(_))));
    assert!(stage.people().await.is_empty());
}
