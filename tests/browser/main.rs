//! The pages in a real Chromium: what people see and hear of each other, and what they are told when it fails.
//!
//! Each tab has a camera of its own colour and a microphone of its own tone (`devices.js`); all else is the pages' own code.

#![expect(clippy::unwrap_used, reason = "a helper of a test panics where the test would")]

mod access;
mod admin;
mod chromium;
mod docs;
mod feed;
mod hands;
mod hls;
mod lossy;
mod lost;
mod outputs;
mod plain;
mod relay;
mod simulcast;
mod talk;
mod together;
mod ways;

use chromium::Chromium;
use medley::compositor::Choice;
use medley::config::Config;
use medley::server::Server;

/// Somebody with a colour and a tone.
#[derive(Clone, Copy)]
struct Person {
    name: &'static str,
    rgb: [u8; 3],
    tone: u32,
}

const RED: Person = Person { name: "Ruby", rgb: [208, 32, 48], tone: 500 };
const BLUE: Person = Person { name: "Bleu", rgb: [40, 64, 200], tone: 1100 };
/// Far from the green of the edge that stands round whoever speaks.
const GREEN: Person = Person { name: "Verde", rgb: [120, 170, 20], tone: 1900 };

/// A server in development mode on free ports.
async fn server() -> Server {
    server_with(Config { dev: true, ..Config::default() }).await
}

async fn server_with(config: Config) -> Server {
    let free = "127.0.0.1:0".parse().unwrap();
    Server::start(Config { http: free, udp: Some(free), compositor: Choice::Cpu, ..config }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_see_and_hear_each_other_and_a_third_who_comes_and_goes_freezes_nobody() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let red = chromium.tab(&server.url(), "/r/meeting", RED).await;
    red.join().await;
    let blue = chromium.tab(&server.url(), "/r/meeting", BLUE).await;
    blue.join().await;
    tokio::join!(red.sees(BLUE), blue.sees(RED));
    red.hears_but_not_itself(BLUE).await;
    blue.hears_but_not_itself(RED).await;

    let before = [red.freezes().await, blue.freezes().await];
    let green = chromium.tab(&server.url(), "/r/meeting", GREEN).await;
    green.join().await;
    tokio::join!(red.sees(GREEN), blue.sees(GREEN), green.sees(RED));
    green.press("leave").await;
    tokio::join!(red.misses(GREEN), blue.misses(GREEN));
    tokio::join!(red.sees(BLUE), blue.sees(RED));
    assert_eq!([red.freezes().await, blue.freezes().await], before);
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_of_an_empty_room_sees_whoever_comes_in_later() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let viewer = chromium.tab(&server.url(), "/watch/stage", BLUE).await;
    viewer.until("document.getElementById('mix').videoWidth === 1280").await;
    let red = chromium.tab(&server.url(), "/r/stage", RED).await;
    red.join().await;
    viewer.sees(RED).await;
    viewer.hears_but_not_itself(RED).await;
    assert_eq!(viewer.eval::<Vec<String>>("judge.sends()").await, ["nothing", "nothing"]);
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_camera_and_a_muted_microphone_send_nothing_to_the_room() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let red = chromium.tab(&server.url(), "/r/quiet", RED).await;
    red.join().await;
    red.sees(RED).await;
    red.press("stop-camera").await;
    red.misses(RED).await;
    assert_eq!(red.eval::<Vec<String>>("judge.sends()").await, ["audio", "nothing"]);
    red.press("stop-camera").await;
    red.sees(RED).await;
    let viewer = chromium.tab(&server.url(), "/watch/quiet", BLUE).await;
    viewer.hears_but_not_itself(RED).await;
    red.press("mute").await;
    viewer.hears_nothing_of(RED).await;
    red.press("mute").await;
    viewer.hears_but_not_itself(RED).await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_session_is_opened_again_by_the_page_itself() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let red = chromium.tab(&server.url(), "/r/again", RED).await;
    red.join().await;
    red.sees(RED).await;
    let first: Vec<String> = red.eval("judge.states()").await;
    assert_eq!(first, ["connected"]);
    // Somebody else who knows the session may end it; the page did not ask for that and comes back.
    red.run("await fetch(judge.session(), { method: 'DELETE' })").await;
    red.until("document.getElementById('status').textContent.includes('Trying again')").await;
    red.until("judge.states().at(-1) === 'connected' && judge.states().length === 2").await;
    red.sees(RED).await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_said_in_words() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    for none in ["no%20room", "no%FFtext"] {
        let tab = chromium.tab(&server.url(), &format!("/r/{none}"), RED).await;
        tab.until("document.getElementById('warning').textContent.includes('no room name')").await;
    }

    let refusal = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError') };";
    let denied = chromium.tab_with(&server.url(), "/r/denied", RED, refusal).await;
    denied
        .until("/camera is not allowed.*microphone|microphone is not allowed.*camera/.test(document.getElementById('warning').textContent)")
        .await;
    assert!(!denied.eval::<bool>("document.getElementById('join').disabled").await, "one may join to watch and listen");

    let deaf = "RTCRtpReceiver.getCapabilities = () => ({ codecs: [{ mimeType: 'video/VP8', clockRate: 90000 }] });";
    let no_h264 = chromium.tab_with(&server.url(), "/r/old", RED, deaf).await;
    no_h264.until("document.getElementById('warning').textContent.includes('no H.264')").await;

    let insecure = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined }); \
                    Object.defineProperty(globalThis, 'isSecureContext', { value: false });";
    let plain = chromium.tab_with(&server.url(), "/r/plain", RED, insecure).await;
    plain.until("document.getElementById('warning').textContent.includes('HTTPS')").await;

    let gone = chromium.tab(&server.url(), "/watch/gone", RED).await;
    server.stop().await;
    gone.press("stop").await;
    gone.until("document.getElementById('stop').textContent === 'Watch again'").await;
    gone.press("stop").await;
    gone.until("document.getElementById('status').textContent.includes('The server does not answer. Trying again')").await;
    chromium.close().await;
}
