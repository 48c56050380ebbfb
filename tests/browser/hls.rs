//! HLS in Chromium's own player: a page with nothing but `<video src>`.

use serde_json::json;

use crate::chromium::{Chromium, Tab};
use crate::{BLUE, RED, server};

/// The level of a tone in what the video plays.
const EAR: &str = "const context = new AudioContext(); \
    const ear = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0, minDecibels: -150 }); \
    context.createMediaElementSource(document.getElementById('mix')).connect(ear); ear.connect(context.destination); \
    globalThis.level = (tone) => { const bins = new Float32Array(ear.frequencyBinCount); ear.getFloatFrequencyData(bins); \
    const bin = Math.round(tone * ear.fftSize / context.sampleRate); return Math.max(-200, ...bins.slice(bin - 2, bin + 3)); };";

/// A page of the server's origin that has a video and no script of its own.
async fn player(chromium: &Chromium, origin: &str, room: &str) -> Tab {
    let tab = chromium.tab(origin, "/version", BLUE).await;
    tab.run(format!("document.body.innerHTML = '<video id=mix width=640 autoplay src=\"/hls/{room}/index.m3u8\"></video>'")).await;
    tab
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_with_only_a_video_shows_and_plays_the_room_through_a_change_of_its_canvas() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let red = chromium.tab(&server.url(), "/r/stage", RED).await;
    red.join().await;
    red.sees(RED).await;
    let viewer = player(&chromium, &server.url(), "stage").await;
    viewer.until("document.getElementById('mix').videoWidth === 1280 || document.getElementById('mix').error").await;
    assert_eq!(viewer.eval::<String>("document.getElementById('mix').error?.message ?? ''").await, "");
    viewer.sees(RED).await;
    viewer.run(EAR).await;
    viewer.until(&format!("level({}) > -60 && level({}) < level({}) - 30", RED.tone, BLUE.tone, RED.tone)).await;

    let patch = json!({ "canvas": { "width": 640, "height": 360 } });
    let send = format!(
        "await fetch('/v1/rooms/stage', {{ method: 'PATCH', headers: {{ 'Content-Type': 'application/merge-patch+json' }}, body: '{patch}' }})"
    );
    assert_eq!(red.eval::<u16>(format!("({send}).status")).await, 200);
    viewer.until("document.getElementById('mix').videoWidth === 640").await;
    viewer.sees(RED).await;
    viewer.until(&format!("level({}) > -60", RED.tone)).await;
    chromium.close().await;
}
