//! The ways to watch: what a viewer gets whose browser or network has no WebRTC, and what the page says of it.

use medley::config::Config;

use crate::access::breaches;
use crate::chromium::{Chromium, Tab};
use crate::{BLUE, RED, server, server_with};

/// A browser without WebRTC.
const NO_WEBRTC: &str = "delete globalThis.RTCPeerConnection;";
/// And without Media Source Extensions; a player of its own it may have.
const NO_MSE: &str = "delete globalThis.MediaSource; delete globalThis.ManagedMediaSource;";
/// And without that.
const NO_PLAYER: &str = "const can = HTMLMediaElement.prototype.canPlayType; \
                         HTMLMediaElement.prototype.canPlayType = function (type) { return /mpegurl/i.test(type) ? '' : can.call(this, type); };";
/// A session that does not connect, as behind a wall that lets no datagram through; the waiting for it is left out.
const WALL: &str = "Object.defineProperty(RTCPeerConnection.prototype, 'connectionState', { get: () => 'failed' });";

/// Somebody in the room, to be watched.
async fn red(chromium: &Chromium, origin: &str, room: &str) -> Tab {
    let red = chromium.tab(origin, &format!("/r/{room}"), RED).await;
    red.join().await;
    red.sees(RED).await;
    red
}

/// Waits until the page says that it watches this way.
async fn says(tab: &Tab, way: &str) {
    tab.until(&format!("document.getElementById('way').textContent.includes({way:?})")).await;
}

async fn sees_and_hears(tab: &Tab) {
    tab.sees(RED).await;
    tab.hears_but_not_itself(RED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_webrtc_picture_and_tone_come_by_hls() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let _red = red(&chromium, &server.url(), "hall").await;
    for (lacks, why) in [(NO_WEBRTC, "This browser has no WebRTC: HLS"), (WALL, "Your network lets no WebRTC through: HLS")] {
        let viewer = chromium.tab_with(&server.url(), "/watch/hall", BLUE, lacks).await;
        says(&viewer, why).await;
        sees_and_hears(&viewer).await;
        let ahead = "(({ buffered, currentTime }) => buffered.end(buffered.length - 1) - currentTime)(document.getElementById('mix'))";
        assert!(viewer.eval::<f64>(ahead).await < 3.0, "it plays near the live edge");
        viewer.page.close().await.unwrap();
    }
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hls_goes_on_through_another_canvas_and_a_line_that_was_cut() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let red = red(&chromium, &server.url(), "stage").await;
    let line = "const real = fetch; globalThis.cut = false; \
                globalThis.fetch = async (...all) => { if (cut) throw new TypeError('cut'); return real(...all); };";
    let viewer = chromium.tab_with(&server.url(), "/watch/stage?via=hls", BLUE, line).await;
    viewer.until("document.getElementById('mix').videoWidth === 1280").await;
    let wider = "await fetch('/v1/rooms/stage', { method: 'PATCH', headers: { 'Content-Type': 'application/merge-patch+json' }, \
                 body: JSON.stringify({ canvas: { width: 640, height: 360 } }) })";
    red.run(wider).await;
    viewer.until("document.getElementById('mix').videoWidth === 640").await;
    sees_and_hears(&viewer).await;

    viewer.run("cut = true").await;
    viewer.until("document.getElementById('status').textContent.includes('The server does not answer')").await;
    viewer.run("cut = false").await;
    viewer.until("document.getElementById('status').textContent.includes('You are watching')").await;
    viewer.sees(RED).await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_with_a_player_of_its_own_and_no_media_source_plays_hls_by_that() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let _red = red(&chromium, &server.url(), "own").await;
    let viewer = chromium.tab_with(&server.url(), "/watch/own?via=hls", BLUE, &format!("{NO_WEBRTC}{NO_MSE}")).await;
    says(&viewer, "HLS").await;
    sees_and_hears(&viewer).await;
    assert!(viewer.eval::<String>("document.getElementById('mix').src").await.contains("/hls/own/index.m3u8"));
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_hls_too_picture_and_tone_come_as_single_pictures_and_ogg() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let _red = red(&chromium, &server.url(), "plain").await;
    let viewer = chromium.tab_with(&server.url(), "/watch/plain", BLUE, &format!("{NO_WEBRTC}{NO_MSE}{NO_PLAYER}")).await;
    says(&viewer, "This browser has no WebRTC; this browser plays no HLS: single pictures and sound").await;
    sees_and_hears(&viewer).await;
    assert_eq!(breaches(&viewer).await, [""; 0]);
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_lets_no_hls_through_gets_pictures() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let _red = red(&chromium, &server.url(), "wall").await;
    let cut = "const real = fetch; globalThis.fetch = async (...all) => { \
               if (/^.?hls|whep/.test(String(all[0]).replace(/^\\//, ''))) throw new TypeError('cut'); return real(...all); };";
    let viewer = chromium.tab_with(&server.url(), "/watch/wall", BLUE, cut).await;
    says(&viewer, "Your network lets no WebRTC through; your network lets no HLS through").await;
    viewer.sees(RED).await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_can_ask_for_a_way_and_the_page_can_be_told() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let _red = red(&chromium, &server.url(), "told").await;
    let viewer = chromium.tab(&server.url(), "/watch/told?via=mjpeg", BLUE).await;
    says(&viewer, "As the address asks: single pictures").await;
    viewer.sees(RED).await;
    let choose = "const select = document.getElementById('via'); select.value = 'hls'; select.dispatchEvent(new Event('change'))";
    viewer.run(choose).await;
    says(&viewer, "As the address asks: HLS").await;
    assert_eq!(viewer.eval::<String>("location.search").await, "?via=hls");
    viewer.sees(RED).await;
    assert!(viewer.eval::<bool>("document.getElementById('pictures').hidden && !document.getElementById('pictures').src").await);
    viewer.run(choose.replace("'hls'", "''")).await;
    says(&viewer, "WebRTC, with hardly any delay").await;
    viewer.sees(RED).await;
    assert_eq!(viewer.eval::<String>("location.search").await, "");

    let unknown = chromium.tab(&server.url(), "/watch/told?via=constructor", BLUE).await;
    says(&unknown, "WebRTC, with hardly any delay").await;
    let refused = chromium.tab_with(&server.url(), "/watch/told?via=webrtc", BLUE, NO_WEBRTC).await;
    refused.until("document.getElementById('warning').textContent.includes('no WebRTC')").await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn low_power_is_asked_for_and_kept_in_the_address() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let camera = "const asked = []; globalThis.asked = asked; const real = navigator.mediaDevices.getUserMedia; \
                  navigator.mediaDevices.getUserMedia = (wish) => (asked.push(wish.video), real(wish));";
    let red = chromium.tab_with(&server.url(), "/r/low?low=1", RED, camera).await;
    red.join().await;
    red.until("[180, 360].includes(document.getElementById('mix').videoHeight)").await;
    assert_eq!(red.eval::<u32>("asked.find(Boolean).frameRate.max").await, 15);

    let viewer = chromium.tab(&server.url(), "/watch/low", BLUE).await;
    viewer.until("document.getElementById('mix').videoHeight === 720").await;
    viewer.press("low").await;
    viewer.until("[180, 360].includes(document.getElementById('mix').videoHeight)").await;
    assert_eq!(viewer.eval::<String>("location.search").await, "?low=1");
    let by_hls = chromium.tab(&server.url(), "/watch/low?via=hls&low=1", BLUE).await;
    by_hls.until("[180, 360].includes(document.getElementById('mix').videoHeight)").await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_without_webrtc_waits_for_a_room_that_is_not_there() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let viewer = chromium.tab_with(&server.url(), "/watch/later", BLUE, NO_WEBRTC).await;
    viewer.until("document.getElementById('status').textContent.includes('Nobody is in the room yet')").await;
    let _red = red(&chromium, &server.url(), "later").await;
    // A player begins when it is seen
    viewer.page.bring_to_front().await.unwrap();
    viewer.sees(RED).await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_an_admin_makes_later_is_watched_by_the_best_way() {
    let config = Config { dev: true, rooms_on_demand: false, ..Config::default() };
    let (server, chromium) = tokio::join!(server_with(config), Chromium::launch());
    let viewer = chromium.tab(&server.url(), "/watch/planned", BLUE).await;
    viewer.until("document.getElementById('status').textContent.includes('Nobody is in the room yet')").await;
    viewer.run("await fetch('/v1/rooms/planned', { method: 'PUT' })").await;
    says(&viewer, "WebRTC, with hardly any delay").await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_wishes_at_once_end_in_one_session() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let viewer = chromium.tab(&server.url(), "/watch/twice", BLUE).await;
    viewer.until("document.getElementById('status').textContent.includes('You are watching')").await;
    viewer.run("const low = document.getElementById('low'); low.click(); low.click()").await;
    viewer.until("judge.states().length > 1 && judge.states().at(-1) === 'connected'").await;
    assert_eq!(viewer.eval::<usize>("judge.states().filter((state) => state !== 'closed').length").await, 1);
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_works_with_a_key() {
    let config = Config { api_keys: vec![crate::lost::HASH.into()], ..Config::default() };
    let (server, chromium) = tokio::join!(server_with(config), Chromium::launch());
    let key = "sessionStorage.setItem('medley-key', 'open-sesame');";
    let red = chromium.tab_with(&server.url(), "/r/keyed", RED, key).await;
    red.join().await;
    red.sees(RED).await;
    for (via, lacks) in [("hls", ""), ("hls", NO_MSE), ("mjpeg", "")] {
        let viewer = chromium.tab_with(&server.url(), &format!("/watch/keyed?via={via}"), BLUE, &format!("{key}{lacks}")).await;
        sees_and_hears(&viewer).await;
        viewer.page.close().await.unwrap();
    }
    chromium.close().await;
}
