//! A real browser's layers: the one that is decoded follows the size of its tile, and what the browser sends follows it.

use serde_json::{Value, json};

use crate::chromium::{Chromium, Tab};
use crate::{BLUE, RED, server};

/// A camera of 1280×720, enough for three layers, in place of the small one.
const LARGE_CAMERA: &str = "{ const create = document.createElement.bind(document); \
    document.createElement = (name) => { const made = create(name); \
    if (name === 'canvas') Object.defineProperty(made, 'captureStream', { value(fps) { \
    const large = create('canvas'); large.width = 1280; large.height = 720; const paint = large.getContext('2d'); \
    setInterval(() => paint.drawImage(made, 0, 0, 1280, 720), 33); return HTMLCanvasElement.prototype.captureStream.call(large, fps); } }); \
    return made; }; }";

/// Waits until what the API says of the first person's pictures fits, in words of the page's own language.
async fn until_received(tab: &Tab, condition: &str) {
    let received = "(await (await fetch('/v1/rooms/layers')).json()).participants.find((one) => one.name === 'Ruby')?.received?.video";
    tab.until(&format!("((video) => video && {condition})({received})")).await;
}

async fn put(tab: &Tab, path: &str, body: &Value) {
    let options = format!("{{ method: 'PUT', headers: {{ 'Content-Type': 'application/json' }}, body: JSON.stringify({body}) }}");
    tab.run(format!("const answer = await fetch('{path}', {options}); if (!answer.ok) throw new Error(await answer.text())")).await;
}

/// A tile of this part of the canvas's sides.
fn tile(part: &str) -> Value {
    json!({ "regions": [{ "id": "one", "left": "0", "top": "0", "width": part, "height": part }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_decoded_layer_follows_its_tiles_size_and_the_uplink_follows() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let red = chromium.tab_with(&server.url(), "/r/layers", RED, LARGE_CAMERA).await;
    red.join().await;
    red.sees(RED).await;
    let viewer = chromium.tab(&server.url(), "/watch/layers", BLUE).await;
    let sent = "(await judge.layers()).filter(({ framesPerSecond }) => framesPerSecond > 0).map(({ rid }) => rid).sort().join()";
    put(&viewer, "/v1/rooms/layers/layout", &tile("1")).await;
    until_received(&viewer, "video.height === 720").await;
    put(&viewer, "/v1/rooms/layers/layout", &tile("1/2")).await;
    until_received(&viewer, "video.height === 360").await;
    red.until(&format!("{sent} === 'l,m'")).await;
    put(&viewer, "/v1/rooms/layers/layout", &tile("1/4")).await;
    until_received(&viewer, "video.height === 180").await;
    red.until(&format!("{sent} === 'l'")).await;
    put(&viewer, "/v1/rooms/layers/layout", &tile("1")).await;
    until_received(&viewer, "video.height === 720").await;
    chromium.close().await;
}
