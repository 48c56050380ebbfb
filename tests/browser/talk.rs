//! What the pages do with the data channel: tiles that say who they are, chat, what to send at most; and a path that is mended.

use crate::chromium::{Chromium, Tab};
use crate::{BLUE, GREEN, RED, server};

/// Keeps the page's channel, and what the server answered to each PATCH.
const SPY: &str = "const open = RTCPeerConnection.prototype.createDataChannel; \
    RTCPeerConnection.prototype.createDataChannel = function (...all) { return (globalThis.channel = open.apply(this, all)); }; \
    const asked = fetch; globalThis.patches = []; \
    globalThis.fetch = async (...all) => { const answer = await asked(...all); if (all[1]?.method === 'PATCH') patches.push(answer.status); return answer; }";

/// What the page says of whoever was chosen.
const WHO: &str = "document.getElementById('who').textContent";

/// A browser that knows no simulcast.
const ONE_LAYER: &str = "{ const add = RTCPeerConnection.prototype.addTransceiver; \
    RTCPeerConnection.prototype.addTransceiver = function (track, { direction }) { return add.call(this, track, { direction }); }; }";

async fn two(chromium: &Chromium, origin: &str, path: &str) -> (Tab, Tab) {
    two_with(chromium, origin, path, SPY).await
}

async fn two_with(chromium: &Chromium, origin: &str, path: &str, script: &str) -> (Tab, Tab) {
    let red = chromium.tab_with(origin, path, RED, script).await;
    red.join().await;
    let blue = chromium.tab_with(origin, path, BLUE, SPY).await;
    blue.join().await;
    tokio::join!(red.sees(BLUE), blue.sees(RED));
    (red, blue)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_click_on_a_tile_says_who_it_is_and_so_does_the_list_of_people() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let (red, blue) = two(&chromium, &server.url(), "/r/faces").await;
    red.until("document.querySelectorAll('#people li').length === 2").await;
    // Two side by side: whoever came first stands left.
    let [left, top, right, bottom] = red.edges("#mix").await;
    let (across, middle) = (right - left, f64::midpoint(top, bottom));
    red.click((left + across * 0.75, middle)).await;
    red.until(&format!("{WHO}.startsWith('Bleu')")).await;
    red.until("!document.getElementById('tile-mark').hidden").await;
    let [mark_left, .., mark_right, _] = red.edges("#tile-mark").await;
    assert!(mark_left > left + across * 0.4 && mark_right < right + 1.0, "{mark_left} to {mark_right}");
    red.click((left + across * 0.25, middle)).await;
    red.until(&format!("{WHO}.startsWith('Ruby, you')")).await;
    red.tab_to("#people button").await;
    red.strike(crate::hands::Key::ENTER).await;
    red.until(&format!("{WHO} === ''")).await;
    blue.press("leave").await;
    red.until("document.querySelectorAll('#people li').length === 1").await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_writes_is_read_by_all_as_text() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let (red, blue) = two(&chromium, &server.url(), "/r/words").await;
    let write = "document.getElementById('chat-text').value = '<b>Hello</b>'; document.getElementById('chat-send').click()";
    red.until("!document.getElementById('chat-send').disabled").await;
    red.run(write).await;
    for tab in [&red, &blue] {
        tab.until("document.querySelector('#chat li p')?.textContent === '<b>Hello</b>'").await;
        assert!(tab.eval::<bool>("document.querySelector('#chat b') === null").await);
    }
    blue.until("document.querySelector('#chat strong').textContent === 'Ruby'").await;
    // A viewer is told what was said, and may answer.
    let viewer = chromium.tab(&server.url(), "/watch/words", GREEN).await;
    viewer.until("document.querySelectorAll('#chat li').length === 1").await;
    viewer.run(write.replace("<b>Hello</b>", "Hi")).await;
    red.until("document.querySelectorAll('#chat li').length === 2").await;
    red.until("document.querySelector('#chat li:last-child strong').textContent.endsWith('(watching)')").await;
    // Whoever comes back reads nothing twice.
    red.run("await fetch(judge.session(), { method: 'DELETE' })").await;
    red.until("judge.states().length === 2 && judge.states().at(-1) === 'connected' && channel.readyState === 'open'").await;
    blue.run(write.replace("<b>Hello</b>", "Welcome back")).await;
    red.until("document.querySelector('#chat li:last-child p').textContent === 'Welcome back'").await;
    assert_eq!(red.eval::<usize>("document.querySelectorAll('#chat li').length").await, 3);
    // Whoever has stopped watching is in no room to speak to.
    viewer.press("stop").await;
    viewer.until("document.getElementById('chat-send').disabled && document.querySelectorAll('#people li').length === 0").await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_sends_no_more_than_is_of_use_and_a_slow_line_is_told() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let (red, _blue) = two_with(&chromium, &server.url(), "/r/little", &[SPY, ONE_LAYER].join(";")).await;
    let told = |message: &str| format!("channel.onmessage({{ data: JSON.stringify({message}) }})");
    red.run(told("{ type: 'send', width: 320, height: 180, bps: 200000 }")).await;
    let encoding = "judge.connection().getSenders().find(({ track }) => track?.kind === 'video').getParameters().encodings[0]";
    red.until(&format!("{encoding}.maxBitrate === 200000 && {encoding}.scaleResolutionDownBy === 2")).await;
    red.run(told("{ type: 'quality', rendition: 'low', width: 640, height: 360, fps: 15, why: 'line' }")).await;
    red.until("document.getElementById('quality').textContent === 'Your line is slow: 360p.'").await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_network_restarts_ice_and_nobody_leaves_their_place() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let (red, blue) = two(&chromium, &server.url(), "/r/moving").await;
    let people = "(await (await fetch('/v1/rooms/moving')).json()).participants.map(({ id }) => id)";
    let before: Vec<String> = red.eval(people).await;
    let ufrag = "judge.connection().localDescription.sdp.match(/a=ice-ufrag:(.*)/)[1]";
    let first: String = red.eval(ufrag).await;
    red.run("dispatchEvent(new Event('online'))").await;
    red.until("patches.includes(200)").await;
    red.until(&format!("{ufrag} !== {first:?} && judge.connection().signalingState === 'stable'")).await;
    red.until("judge.connection().iceConnectionState === 'connected' || judge.connection().iceConnectionState === 'completed'").await;
    tokio::join!(red.sees(BLUE), blue.sees(RED));
    red.hears_but_not_itself(BLUE).await;
    assert_eq!(red.eval::<Vec<String>>("judge.states()").await, ["connected"], "the same session");
    assert_eq!(red.eval::<Vec<String>>(people).await, before);
    assert_eq!(red.eval::<String>("channel.readyState").await, "open");
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybodys_line_is_drawn_over_time() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let red = chromium.tab(&server.url(), "/r/lines", RED).await;
    red.join().await;
    red.sees(RED).await;
    let stats = chromium.tab(&server.url(), "/stats/lines", BLUE).await;
    stats.resize(360, 740).await;
    stats.until("document.querySelectorAll('#lines > li').length === 1").await;
    stats
        .until(
            "[...document.querySelectorAll('.chart:not([hidden]) path')].filter((path) => path.getAttribute('d').includes('L')).length > 4",
        )
        .await;
    stats.run("document.querySelector('details').open = true").await;
    stats.until("document.querySelectorAll('tbody tr').length > 4").await;
    for light in [true, false] {
        stats.prefer_light(light).await;
        assert_eq!(crate::access::breaches(&stats).await, [""; 0], "light: {light}");
    }
    assert!(stats.eval::<u32>("document.documentElement.scrollWidth").await <= 360);
    red.resize(360, 740).await;
    assert!(red.eval::<u32>("document.documentElement.scrollWidth").await <= 360, "the room's page");
    chromium.close().await;
}
