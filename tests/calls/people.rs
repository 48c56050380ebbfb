//! What the people in a room see and hear.

use std::collections::BTreeSet;
use std::time::Duration;

use medley::bots::judge::Scrutiny;
use medley::bots::line::{LineSettings, Move, Relocation};
use medley::bots::wall::Epoch;
use medley::bots::{Asks, Bot, BotReport, BotSettings, BotsOptions, Show, Speech};
use medley::compositor::Choice;

use crate::room::{Call, within};

/// Everyone sees all tiles, their own too, and hears all tones but their own.
fn assert_whole(bot: &BotReport, everyone: &BTreeSet<u16>) {
    assert_eq!(bot.ended, None, "bot {}", bot.number);
    let seen: BTreeSet<u16> = bot.tiles.iter().filter(|(_, tile)| tile.present).map(|(number, _)| *number).collect();
    assert_eq!(&seen, everyone, "tiles that bot {} saw", bot.number);
    let others = everyone.iter().filter(|number| **number != bot.number);
    for number in others {
        let tone = bot.tones.get(number).unwrap_or_else(|| panic!("bot {} does not hear {number}", bot.number));
        assert!((-26.0..-14.0).contains(&tone.level_db), "bot {} hears {number} at {} dB", bot.number, tone.level_db);
    }
    assert!(bot.own_tone_db.is_some_and(|db| db <= -40.0), "bot {} hears itself at {:?} dB", bot.number, bot.own_tone_db);
    assert_eq!((bot.pictures.decode_errors, bot.sound.decode_errors), (0, 0), "bot {}", bot.number);
}

async fn four_in_a_room(compositor: Choice) {
    let call = Call::start(compositor).await;
    let report = call.bots(BotsOptions { count: 4, seconds: Some(6), judges: 2, ..call.options() }).await;
    let everyone = BTreeSet::from([1, 2, 3, 4]);
    for bot in report.bots.iter().filter(|bot| bot.scrutiny == Scrutiny::Full) {
        assert_whole(bot, &everyone);
    }
    for bot in &report.bots {
        assert!(bot.first_frame_ms.is_some() && bot.pictures.received > 30, "{bot}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_people_see_everyone_and_hear_all_but_themselves() {
    four_in_a_room(Choice::Cpu).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_people_see_the_same_when_wgpu_composites() {
    four_in_a_room(Choice::Wgpu).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_people_of_whom_two_talk_cost_one_video_and_three_audio_encoders() {
    let call = Call::start(Choice::Cpu).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let options = BotsOptions { count: 8, talkers: Some(2), judges: 0, ..call.options() };
    let bots = tokio::spawn(medley::bots::run(options, async { stopped.await.unwrap() }));
    let encoders = |media: &str| call.metric(&format!("medley_encoders{{media=\"{media}\"}}"));
    let all_in = || call.metric("medley_sessions ") == 8.0 && encoders("Video") == 1.0 && encoders("Audio") == 3.0;
    within(Duration::from_secs(20), "eight sessions, one video and three audio encoders", all_in).await;
    stop.send(()).unwrap();
    bots.await.unwrap().unwrap();
    let nobody = || encoders("Video") == 0.0 && encoders("Audio") == 0.0 && call.metric("medley_rooms ") == 0.0;
    within(Duration::from_secs(5), "a room that nobody is in costs no encoder", nobody).await;
}

pub(crate) fn settings(call: &Call, number: u16, sends: Option<(Show, Speech)>) -> BotSettings {
    let (url, name) = (call.server.url(), format!("Bot {number}"));
    BotSettings {
        url,
        room: "call".into(),
        number,
        name,
        width: 640,
        height: 360,
        fps: 30,
        sends,
        scrutiny: Scrutiny::Full,
        asks: Asks::default(),
        line: LineSettings::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_vanishes_is_gone_within_five_seconds() {
    let call = Call::start(Choice::Cpu).await;
    let epoch = Epoch::new();
    let sends = || Some((Show::Drawn, Speech::Tone));
    let stays = Bot::join(settings(&call, 1, sends()), epoch).await.unwrap();
    let vanishes = Bot::join(settings(&call, 2, sends()), epoch).await.unwrap();
    let sees = |number: u16| stays.report().tiles.get(&number).is_some_and(|tile| tile.present);
    within(Duration::from_secs(10), "both see both", || sees(1) && sees(2)).await;
    vanishes.vanish().await;
    within(Duration::from_secs(5), "the tile of a vanished bot goes", || !sees(2)).await;
    assert!(sees(1), "the other's tile stays");
    within(Duration::from_secs(1), "its session ends", || call.metric("medley_sessions ") == 1.0).await;
    stays.leave().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_comes_to_another_address_hears_on_within_two_seconds_and_is_heard() {
    let call = Call::start(Choice::Cpu).await;
    let epoch = Epoch::new();
    let sends = || Some((Show::Drawn, Speech::Tone));
    let stays = Bot::join(BotSettings { fps: 5, ..settings(&call, 1, sends()) }, epoch).await.unwrap();
    let moves = Bot::join(BotSettings { fps: 5, ..settings(&call, 2, sends()) }, epoch).await.unwrap();
    let is_heard = || stays.report().tones.contains_key(&2);
    within(Duration::from_secs(10), "it is heard", is_heard).await;
    for kind in [Move::Rebind, Move::Restart, Move::Rebind] {
        moves.begin_measuring();
        moves.lay(LineSettings { moves: vec![Relocation { at: Duration::ZERO, kind }], ..LineSettings::default() }).await;
        within(Duration::from_secs(2), "it moves", || moves.report().line.moves == 1).await;
        [&stays, &moves].into_iter().for_each(Bot::begin_measuring);
        within(Duration::from_secs(2), "it hears again", || moves.report().sound.received > 10).await;
        within(Duration::from_secs(5), "it is heard again", is_heard).await;
    }
    assert_eq!((call.metric("medley_sessions "), moves.report().ended, stays.report().ended), (2.0, None, None));
    moves.leave().await.unwrap();
    stays.leave().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_an_empty_room_gets_the_slate_at_once() {
    let call = Call::start(Choice::Cpu).await;
    let viewer = Bot::join(settings(&call, 1, None), Epoch::new()).await.unwrap();
    within(Duration::from_secs(5), "pictures come", || viewer.report().pictures.received > 10).await;
    within(Duration::from_secs(5), "silence comes", || viewer.report().sound.received > 10).await;
    let report = viewer.report();
    assert!(report.tiles.is_empty() && report.tones.is_empty(), "{report}");
    viewer.leave().await.unwrap();
}
