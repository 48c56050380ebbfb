//! Coming and going leaves nothing behind.

use std::time::Duration;

use medley::bots::judge::Scrutiny;
use medley::bots::line::LineSettings;
use medley::bots::wall::Epoch;
use medley::bots::{Asks, Bot, BotSettings, Show, Speech};
use medley::compositor::Choice;

use crate::room::{Call, within};

fn count(folder: &str) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

async fn come_and_go(call: &Call, number: u16) {
    let settings = BotSettings {
        url: call.server.url(),
        room: "call".into(),
        number,
        name: "Passing".into(),
        width: 320,
        height: 180,
        fps: 15,
        sends: Some((Show::Drawn, Speech::Tone)),
        scrutiny: Scrutiny::Counted,
        asks: Asks::default(),
        line: LineSettings::default(),
    };
    let bot = Bot::join(settings, Epoch::new()).await.unwrap();
    within(Duration::from_secs(10), "a picture comes", || bot.report().pictures.received > 0).await;
    bot.leave().await.unwrap();
    within(Duration::from_secs(5), "the session ends", || call.metric("medley_sessions ") == 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_joins_and_leaves_leave_no_thread_and_no_file_behind() {
    let call = Call::start(Choice::Cpu).await;
    for number in 1..=10 {
        come_and_go(&call, number).await;
    }
    within(Duration::from_secs(5), "the room ends", || call.metric("medley_rooms ") == 0.0).await;
    let (threads, files) = (count("/proc/self/task"), count("/proc/self/fd"));
    for number in 1..=90 {
        come_and_go(&call, number).await;
    }
    let gone = || count("/proc/self/task") <= threads && count("/proc/self/fd") <= files;
    within(Duration::from_secs(5), "threads and files are back where they were", gone).await;
}
