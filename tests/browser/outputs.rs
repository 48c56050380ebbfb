//! The admin's page on what leaves a room and what is played into it: recordings, the ways to watch, players.

use medley::config::Config;
use medley::record::RecordingSettings;
use serde_json::{Value, json};

use crate::chromium::{Chromium, Tab};
use crate::{BLUE, RED, server, server_with};

/// Somebody in a room, and the admin's page with it open.
async fn opened(chromium: &Chromium, origin: &str, room: &str) -> (Tab, Tab) {
    let red = chromium.tab(origin, &format!("/r/{room}"), RED).await;
    red.join().await;
    red.sees(RED).await;
    let admin = chromium.tab(origin, &format!("/admin#{room}"), BLUE).await;
    admin.until("document.querySelectorAll('#people .person').length === 1").await;
    (red, admin)
}

/// Chooses a file of half a second's sound, as a person does in the browser's own dialog.
const CHOOSE_SOUND: &str = "const sound = new DataView(new ArrayBuffer(44 + 48000)); \
    [...'RIFF\\0\\0\\0\\0WAVEfmt '].forEach((sign, at) => sound.setUint8(at, sign.charCodeAt(0))); \
    [...'data'].forEach((sign, at) => sound.setUint8(36 + at, sign.charCodeAt(0))); \
    sound.setUint32(4, 36 + 48000, true); sound.setUint32(16, 16, true); sound.setUint16(20, 1, true); sound.setUint16(22, 1, true); \
    sound.setUint32(24, 48000, true); sound.setUint32(28, 96000, true); sound.setUint16(32, 2, true); sound.setUint16(34, 16, true); \
    sound.setUint32(40, 48000, true); \
    for (let at = 0; at < 24000; at += 1) sound.setInt16(44 + 2 * at, 8000 * Math.sin(at / 10), true); \
    const chosen = new DataTransfer(); chosen.items.add(new File([sound], 'Our gong.wav')); \
    const field = document.getElementById('media-file'); field.files = chosen.files; field.dispatchEvent(new Event('change'))";

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_is_begun_stopped_fetched_and_deleted() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let (_red, admin) = opened(&chromium, &server.url(), "take").await;
    admin.press("record").await;
    admin.until("/^Recording: 0:0[2-9], [1-9]/.test(document.getElementById('record-state').textContent)").await;
    assert_eq!(admin.eval::<String>("document.getElementById('record').textContent").await, "Stop recording");
    admin.press("tab-recordings").await;
    admin.press("record").await;
    admin.until("document.getElementById('recordings').textContent.includes('complete')").await;
    assert_eq!(admin.eval::<String>("document.getElementById('record-state').textContent").await, "");

    let fetched = "{ const link = document.querySelector('#recordings a'); const bytes = new Uint8Array(await (await fetch(link.href)).arrayBuffer()); \
                   return [link.textContent.split(',')[0], String.fromCharCode(...bytes.slice(4, 8))] }";
    assert_eq!(admin.eval::<[String; 2]>(fetched).await, ["mixed.mp4", "ftyp"]);

    admin.run("document.querySelector('#recordings .quiet-danger').click()").await;
    admin.until("document.getElementById('confirm').open").await;
    admin.press("confirm-yes").await;
    admin.until("!document.getElementById('no-recordings').hidden").await;
    let left: Value = admin.eval("(await fetch('/v1/recordings?room=take')).json()").await;
    assert_eq!(left["recordings"], serde_json::json!([]));
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn older_recordings_come_page_by_page_as_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..120 {
        let id = format!("20261123T025240{n:03}-0a1b2c");
        let manifest = json!({
            "id": id, "room": "many", "state": "complete", "reason": null, "tracks": "mixed", "view": "main", "rendition": null,
            "start": "2026-11-23T02:52:40Z", "duration_ms": 1000, "bytes": 0, "lost": 0, "max_seconds": 60, "max_bytes": 1000, "files": [],
        });
        std::fs::create_dir(folder.path().join(&id)).unwrap();
        std::fs::write(folder.path().join(&id).join("manifest.json"), manifest.to_string()).unwrap();
    }
    let recording = RecordingSettings { folder: Some(folder.path().to_owned()), ..RecordingSettings::default() };
    let (server, chromium) = tokio::join!(server_with(Config { dev: true, recording, ..Config::default() }), Chromium::launch());
    let admin = chromium.tab(&server.url(), "/admin#many", BLUE).await;
    admin.press("tab-recordings").await;
    for shown in [50, 100] {
        admin.until(&format!("document.querySelectorAll('#recordings > li').length === {shown}")).await;
        admin.press("older-recordings").await;
    }
    admin.until("document.querySelectorAll('#recordings > li').length === 120").await;
    assert!(admin.eval::<bool>("document.getElementById('older-recordings').hidden").await);
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_watch_is_there_to_copy_and_answers() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let (_red, admin) = opened(&chromium, &server.url(), "ways").await;
    admin.press("tab-links").await;
    let addresses: Vec<String> = admin.eval("[...document.querySelectorAll('#links code')].map((code) => code.textContent)").await;
    let answered: Vec<(u16, String)> = admin
        .eval(
            "Promise.all([...document.querySelectorAll('#links code')].map(({ textContent }) => textContent).filter((text) => text.startsWith('http') \
             && !text.includes('/whep/')).map(async (address) => { const end = new AbortController(); \
             const answer = await fetch(address, { signal: end.signal }); const type = answer.headers.get('Content-Type'); end.abort(); \
             return [answer.status, type.split(/[;]/)[0]] }))",
        )
        .await;
    let kinds = ["text/html", "text/html", "application/vnd.apple.mpegurl", "multipart/x-mixed-replace", "audio/ogg", "image/jpeg"];
    assert_eq!(answered, kinds.map(|kind| (200, kind.to_owned())), "{addresses:?}");
    admin.run("document.querySelector('#links button').click()").await;
    admin.until("/Copied|Selected/.test(document.querySelector('#links button').textContent)").await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_file_plays_into_the_room_until_it_is_stopped() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let (_red, admin) = opened(&chromium, &server.url(), "gong").await;
    admin.press("tab-players").await;
    admin.run(CHOOSE_SOUND).await;
    assert_eq!(admin.eval::<String>("document.getElementById('media-name').value").await, "Our-gong");
    admin.run("document.getElementById('upload-media').requestSubmit()").await;
    admin
        .until("document.getElementById('files').textContent.includes('Our-gong: 0:00') && !document.getElementById('play').disabled")
        .await;
    admin.run("document.getElementById('play-loop').checked = true").await;
    admin.press("play").await;
    admin
        .until("document.querySelectorAll('#people .person').length === 2 && document.querySelectorAll('#players button').length === 1")
        .await;
    admin.run("document.querySelector('#players button').click()").await;
    admin
        .until("document.querySelectorAll('#people .person').length === 1 && document.querySelectorAll('#players button').length === 0")
        .await;
    chromium.close().await;
}
