//! A server for the bots' own tests: answers on `str0m` and gives each bot back what it sent.
//!
//! In: joins over real HTTP, RTP over loopback. Out: the same access units and packets, and PLIs on demand. Never: mixing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{delete, post};
use parking_lot::Mutex;
use str0m::change::SdpOffer;
use str0m::media::{KeyframeRequestKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};

use crate::media::Clock;

use super::bot::{Bot, BotSettings, Show, Speech};
use super::judge::{BotReport, Scrutiny};
use super::line::{LineSettings, Loss, Move, Relocation, Way};
use super::run::{BotsError, BotsOptions, run};
use super::wall::Epoch;

/// What the server saw of its sessions.
#[derive(Debug, Default)]
struct Seen {
    deleted: Vec<String>,
    closed: usize,
}

/// Why the echo differs from what was sent.
#[derive(Clone, Copy, Debug, Default)]
struct Mischief {
    /// Ask for a keyframe every so many pictures.
    ask_keyframe_every: Option<u64>,
    /// Swallow these pictures, counted from the first.
    swallow: Option<(u64, u64)>,
}

#[derive(Clone, Default)]
struct Echo {
    seen: Arc<Mutex<Seen>>,
    mischief: Mischief,
}

/// Starts a server on a free port; gives its URL.
async fn serve(mischief: Mischief) -> (String, Arc<Mutex<Seen>>) {
    let echo = Echo { mischief, ..Echo::default() };
    let seen = echo.seen.clone();
    let router = Router::new().route("/v1/rooms/{room}/join", post(join)).route("/v1/sessions/{id}", delete(leave)).with_state(echo);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, seen)
}

async fn leave(State(echo): State<Echo>, Path(id): Path<String>) -> StatusCode {
    echo.seen.lock().deleted.push(id);
    StatusCode::OK
}

async fn join(State(echo): State<Echo>, Path(room): Path<String>, offer: String) -> axum::response::Response {
    if room == "locked" {
        return (StatusCode::LOCKED, r#"{"title":"Locked","detail":"the room is locked"}"#).into_response();
    }
    let clock = Clock::new();
    let now = clock.instant(clock.now());
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut rtc = Rtc::builder().clear_codecs().enable_opus(true, false).enable_h264(true).build(now);
    rtc.add_local_candidate(Candidate::host(socket.local_addr().unwrap(), "udp").unwrap());
    let answer = rtc.sdp_api().accept_offer(SdpOffer::from_sdp_string(&offer).unwrap()).unwrap();
    let session = Session { clock, address: socket.local_addr().unwrap(), socket, rtc, echo, pictures: 0 };
    tokio::spawn(session.run());
    (StatusCode::CREATED, [(header::LOCATION, "/v1/sessions/abc")], answer.to_sdp_string()).into_response()
}

struct Session {
    clock: Clock,
    socket: tokio::net::UdpSocket,
    address: SocketAddr,
    rtc: Rtc,
    echo: Echo,
    pictures: u64,
}

impl Session {
    async fn run(mut self) {
        let mut datagram = vec![0; 2000];
        loop {
            let due = loop {
                match self.rtc.poll_output().unwrap() {
                    Output::Timeout(_) if !self.rtc.is_alive() => return,
                    Output::Timeout(due) => break due,
                    Output::Transmit(out) => drop(self.socket.send_to(&out.contents, out.destination).await),
                    Output::Event(event) => self.note(event),
                }
            };
            let now = |clock: Clock| clock.instant(clock.now());
            tokio::select! {
                received = self.socket.recv_from(&mut datagram) => {
                    let Ok((length, source)) = received else { continue };
                    let contents = datagram[..length].try_into().unwrap();
                    let received = Receive { proto: Protocol::Udp, source, destination: self.address, contents };
                    self.rtc.handle_input(Input::Receive(now(self.clock), received)).unwrap();
                }
                () = tokio::time::sleep_until(due.into()) => {}
            }
            self.rtc.handle_input(Input::Timeout(now(self.clock))).unwrap();
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Closed => self.echo.seen.lock().closed += 1,
            Event::MediaData(data) => {
                if data.params.spec().codec.is_video() && self.swallows(data.mid) {
                    return;
                }
                let writer = self.rtc.writer(data.mid).unwrap();
                let pt = writer.match_params(data.params).unwrap();
                writer.write(pt, data.network_time, data.time, data.data).unwrap();
            }
            _ => {}
        }
    }

    fn swallows(&mut self, mid: Mid) -> bool {
        self.pictures += 1;
        if self.echo.mischief.ask_keyframe_every.is_some_and(|every| self.pictures.is_multiple_of(every)) {
            self.rtc.writer(mid).unwrap().request_keyframe(None, KeyframeRequestKind::Pli).unwrap();
        }
        self.echo.mischief.swallow.is_some_and(|(from, to)| (from..to).contains(&self.pictures))
    }
}

fn settings(url: &str) -> BotSettings {
    BotSettings {
        url: url.into(),
        room: "test".into(),
        number: 5,
        name: "Bot 5".into(),
        width: 640,
        height: 360,
        fps: 30,
        sends: Some((Show::Drawn, Speech::Tone)),
        scrutiny: Scrutiny::Full,
        asks: super::Asks::default(),
        line: LineSettings::default(),
    }
}

/// The bot's report once `enough` says so.
async fn report_when(bot: &Bot, enough: impl Fn(&BotReport) -> bool) -> BotReport {
    until(|| enough(&bot.report())).await;
    bot.report()
}

/// Waits until something is so; a test in which it never is fails after 20 s.
async fn until(is_so: impl Fn() -> bool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..1000 {
        ticks.tick().await;
        if is_so() {
            return;
        }
    }
    panic!("not in 20 s");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_sees_and_hears_itself_through_an_echo() {
    let (url, seen) = serve(Mischief::default()).await;
    let bot = Bot::join(settings(&url), Epoch::new()).await.unwrap();
    report_when(&bot, |report| report.pictures.received > 5).await;
    bot.begin_measuring();
    let report = report_when(&bot, |report| {
        let marks = report.tones.get(&5).and_then(|tone| tone.delay_ms).map_or(0, |delay| delay.samples);
        report.measured_s > 2.0 && marks >= 2
    })
    .await;
    println!("{report}");
    let tile = &report.tiles[&5];
    assert_eq!((tile.x, tile.y, tile.width, tile.height), (0, 0, 640, 360));
    assert!(tile.present && tile.seen_ratio > 0.9, "{tile:?}");
    assert!((0.0..250.0).contains(&tile.delay_ms.unwrap().p50), "{tile:?}");
    let tone = &report.tones[&5];
    assert!((tone.level_db + 20.0).abs() < 1.5, "{tone:?}");
    assert!((0.0..250.0).contains(&tone.delay_ms.unwrap().p50), "{tone:?}");
    assert_eq!((report.pictures.decode_errors, report.sound.decode_errors, report.sound.lost), (0, 0, 0));
    assert_eq!(report.tones.len(), 1);
    assert_eq!(report.ended, None);
    assert!(report.first_frame_ms.is_some_and(|ms| ms >= report.answer_ms), "{report:?}");
    bot.leave().await.unwrap();
    assert_eq!(seen.lock().deleted, ["abc"]);
    // The farewell is on its way when the bot has left.
    until(|| seen.lock().closed == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_answers_a_keyframe_request_with_a_keyframe() {
    let (url, _) = serve(Mischief { ask_keyframe_every: Some(10), ..Mischief::default() }).await;
    let bot = Bot::join(BotSettings { scrutiny: Scrutiny::Counted, ..settings(&url) }, Epoch::new()).await.unwrap();
    let report = report_when(&bot, |report| report.sent.keyframes_asked >= 2 && report.pictures.keyframes >= 3).await;
    assert!(report.pictures.received > report.pictures.keyframes);
    assert!(report.tiles.is_empty() && report.first_frame_ms.is_some());
    bot.leave().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_that_vanishes_says_nothing() {
    let (url, seen) = serve(Mischief::default()).await;
    let bot = Bot::join(settings(&url), Epoch::new()).await.unwrap();
    report_when(&bot, |report| report.pictures.received > 5).await;
    bot.vanish().await;
    assert!(seen.lock().deleted.is_empty());
    assert_eq!(seen.lock().closed, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_that_stop_coming_are_a_freeze() {
    let (url, _) = serve(Mischief { swallow: Some((40, 55)), ..Mischief::default() }).await;
    let bot = Bot::join(BotSettings { scrutiny: Scrutiny::Counted, ..settings(&url) }, Epoch::new()).await.unwrap();
    let report = report_when(&bot, |report| report.pictures.standstills.freezes > 0).await;
    assert!(report.pictures.standstills.longest_gap_ms > 180.0);
    bot.leave().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_reports_each_bot_and_leaves() {
    let (url, seen) = serve(Mischief::default()).await;
    let options = BotsOptions {
        url,
        count: 3,
        seconds: Some(1),
        judges: 1,
        talkers: Some(1),
        warm_up: Duration::from_millis(500),
        ..BotsOptions::default()
    };
    let report = run(options, std::future::pending()).await.unwrap();
    println!("{report}");
    assert_eq!(report.fully_judged, [1]);
    assert_eq!(report.bots.iter().map(|bot| (bot.number, bot.tiles.len())).collect::<Vec<_>>(), [(1, 1), (2, 0), (3, 0)]);
    assert!(report.bots.iter().all(|bot| bot.pictures.received > 10 && bot.sent.sounds > 20), "{report}");
    assert!(serde_json::to_value(&report).unwrap()["bots"][0]["tiles"]["1"]["delay_ms"]["p95"].is_number());
    assert_eq!(seen.lock().deleted.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_bot_is_refused_fails_with_the_servers_words() {
    let (url, _) = serve(Mischief::default()).await;
    let options = BotsOptions { url, room: "locked".into(), ..BotsOptions::default() };
    let error = run(options, std::future::pending()).await.unwrap_err();
    assert!(matches!(error, BotsError::Join { number: 1, .. }));
    assert!(error.to_string().contains("the room is locked"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_is_laid_before_a_bot_and_another_one_when_it_is_told() {
    let (url, _) = serve(Mischief::default()).await;
    let way = Way { loss: Loss::Random(0.1), delay: Duration::from_millis(100), ..Way::default() };
    let line = LineSettings { drift_ppm: 100.0, ..LineSettings::both(way) };
    let bot = Bot::join(BotSettings { scrutiny: Scrutiny::Counted, line, ..settings(&url) }, Epoch::new()).await.unwrap();
    let report = report_when(&bot, |report| report.line.down.pictures_gone() > 10 && report.line.up.sound.lost > 3).await;
    assert!(report.connected_ms.is_some_and(|ms| ms > 600.0), "each round trip of the handshake takes 200 ms: {report:?}");
    assert!(report.line.down.asked_again > 0 && report.line.up.repairs.sent > 0 && report.line.encoder_bps.is_some(), "{report:?}");
    bot.lay(LineSettings { moves: vec![Relocation { at: Duration::ZERO, kind: Move::Rebind }], ..LineSettings::default() }).await;
    report_when(&bot, |report| report.line.moves == 1).await;
    bot.begin_measuring();
    let report = report_when(&bot, |report| report.line.up.sound.sent > 20).await;
    assert_eq!((report.line.up.all().gone(), report.line.moves), (0, 0));
    bot.leave().await.unwrap();
}
