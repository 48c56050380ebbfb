//! A page with an image, a sound and no script, from another server than the room's: it shows and plays the room.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::chromium::Chromium;
use crate::{BLUE, RED, server};

/// What the image shows and the sound has, as `devices.js` judges the room's own pages.
const JUDGE: &str = r#"
    const look = new OffscreenCanvas(160, 90).getContext("2d", { willReadFrequently: true });
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0, minDecibels: -150 });
    context.createMediaElementSource(document.querySelector("audio")).connect(analyser);
    globalThis.seen = ([r, g, b]) => {
        look.drawImage(document.querySelector("img"), 0, 0, 160, 90);
        const { data } = look.getImageData(0, 0, 160, 90);
        const near = (at) => Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 90;
        return Array.from({ length: 160 * 90 }, (_, pixel) => near(pixel * 4)).filter(Boolean).length;
    };
    globalThis.level = (frequency) => {
        const bins = new Float32Array(analyser.frequencyBinCount);
        analyser.getFloatFrequencyData(bins);
        const bin = Math.round((frequency * analyser.fftSize) / context.sampleRate);
        return Math.max(-200, ...bins.slice(bin - 2, bin + 3));
    };
    // Chromium reads streams 32 KiB at a time, which is four seconds of sound, and wants more than one before it plays.
    // A window that the sound begins amid has every frequency in it: what counts is one with the tone alone.
    globalThis.heard = async (frequency, other) => {
        for (let n = 0; n < 1000; n++) {
            if (level(frequency) > -60 && level(frequency) - level(other) >= 40) return true;
            await new Promise((done) => setTimeout(done, 50));
        }
        return false;
    };
"#;

/// Serves one page to whoever asks for anything; where.
async fn page(html: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer =
                format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{html}", html.len());
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_a_script_shows_and_plays_the_room() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let red = chromium.tab(&server.url(), "/r/plain", RED).await;
    red.join().await;
    red.sees(RED).await;
    let (url, mix) = (server.url(), "/v1/rooms/plain/mix");
    let html = format!(
        "<!doctype html><title>Room</title><body><img crossorigin src='{url}{mix}.mjpeg?height=360&fps=15'>\
         <audio crossorigin autoplay src='{url}{mix}.ogg'></audio></body>"
    );
    let plain = chromium.tab(&format!("http://{}", page(html).await), "/", BLUE).await;
    plain.inject(JUDGE.to_owned()).await;
    plain.until(&format!("seen({:?}) > 1200", RED.rgb)).await;
    assert!(plain.eval::<bool>(format!("heard({}, {})", RED.tone, BLUE.tone)).await, "no tone of {} Hz alone", RED.tone);
    // The picture goes on: whoever stops their camera is not seen for long.
    red.press("stop-camera").await;
    plain.until(&format!("seen({:?}) < 50", RED.rgb)).await;
    // A stream's time begins when it is asked for, so that what the player has not played by now is its delay
    let [now, played]: [f64; 2] = plain.eval("[performance.now() / 1000, document.querySelector('audio').currentTime]").await;
    let metrics = server.metrics().text();
    let behind = metrics.lines().find(|line| line.contains("ogg_client_behind")).unwrap_or("nothing was left out");
    println!("{now:.1} s after the page began the browser has played {played:.1} s of sound; {behind}");
    chromium.close().await;
}
