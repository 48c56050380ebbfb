//! Uploaded files and the players that play them: what is taken, what is refused, and what is kept of it.

use serde_json::json;

use crate::server::{Server, start};

const WAV: &str = "Content-Type: audio/wav\r\n";
const MP4: &str = "Content-Type: video/mp4\r\n";

/// A WAV file of so many milliseconds of a tone.
pub(crate) fn wav(millis: u32) -> Vec<u8> {
    wav_of(1, millis)
}

/// One whose samples are said to be of this kind.
fn wav_of(kind: u8, millis: u32) -> Vec<u8> {
    let data: Vec<u8> = (0..48 * millis).flat_map(|n| (((n as f32 * 0.13).sin() * 16_000.0) as i16).to_le_bytes()).collect();
    let size = |bytes: usize| (bytes as u32).to_le_bytes();
    let format = [&[kind, 0, 1, 0][..], &48_000u32.to_le_bytes(), &96_000u32.to_le_bytes(), &[2, 0, 16, 0]].concat();
    [b"RIFF", &size(36 + data.len())[..], b"WAVEfmt ", &size(16), &format, b"data", &size(data.len()), &data].concat()
}

async fn put(server: &Server, path: &str, headers: &str, bytes: &[u8]) -> (u16, String) {
    let reply = server.ask("PUT", path, headers, bytes).await;
    (reply.status, reply.json()["detail"].as_str().unwrap_or_default().to_owned())
}

async fn status(server: &Server, method: &str, path: &str) -> u16 {
    server.ask(method, path, "", b"").await.status
}

#[tokio::test]
async fn a_file_is_stored_told_played_stopped_and_forgotten() {
    let server = start().await;
    let file = wav(500);
    let made = server.ask("PUT", "/v1/files/gong", WAV, &file).await;
    assert_eq!((made.status, made.header("location")), (201, Some("/v1/files/gong")));
    let report = json!({ "name": "gong", "bytes": file.len(), "duration_ms": 500, "video": null, "audio": true, "players": 0 });
    assert_eq!(made.json(), report);
    assert_eq!(server.get("/v1/files").await.json(), json!({ "files": [report] }));
    assert_eq!(server.ask("PUT", "/v1/files/gong", "", &wav(600)).await.status, 200, "no Content-Type says nothing wrong");

    let wish = json!({ "file": "gong", "loop": true, "gain_db": -6.0 });
    assert_eq!(server.send("POST", "/v1/rooms/a/players", &wish).await.status, 404);
    server.send("PUT", "/v1/rooms/a", &json!({ "locked": true })).await;
    let played = server.send("POST", "/v1/rooms/a/players", &wish).await;
    assert_eq!((played.status, played.header("location")), (201, Some("/v1/rooms/a/players/player1")));
    let told = played.json();
    assert_eq!((&told["id"], &told["participant"], &told["state"]), (&json!("player1"), &json!("p1"), &json!("playing")));
    assert_eq!((&told["loop"], &told["gain_db"], &told["duration_ms"]), (&json!(true), &json!(-6.0), &json!(600)));
    assert_eq!(server.get("/v1/rooms/a/participants/p1").await.json()["gain_db"], -6.0);
    assert_eq!(server.get("/v1/rooms/a/players").await.json()["players"][0]["file"], "gong");
    assert_eq!(server.get("/v1/rooms/a/players/player1").await.json()["file"], "gong");
    assert_eq!(status(&server, "DELETE", "/v1/files/gong").await, 409);
    assert_eq!(put(&server, "/v1/files/gong", WAV, &file).await.0, 409);

    for expected in [204, 404] {
        assert_eq!(status(&server, "DELETE", "/v1/rooms/a/players/player1").await, expected);
    }
    assert_eq!(server.get("/v1/rooms/a/players").await.json(), json!({ "players": [] }));
    for expected in [204, 404] {
        assert_eq!(status(&server, "DELETE", "/v1/files/gong").await, expected);
    }
    assert_eq!(status(&server, "GET", "/v1/files/gong").await, 404);
}

#[tokio::test]
async fn a_hostile_upload_is_refused_by_what_is_wrong_with_it_and_nothing_of_it_is_kept() {
    let server = start().await;
    let (whole, html) = (wav(100), b"<!doctype html><script>alert(1)</script>");
    let claims_more_than_there_is = [&[0xff; 4][..], b"moov", &[0; 200]].concat();
    for (path, headers, bytes, expected) in [
        ("/v1/files/x", MP4, &html[..], 415),
        ("/v1/files/x", "Content-Type: text/html\r\n", html, 415),
        ("/v1/files/x", "Content-Type: video/webm\r\n", &whole, 415),
        ("/v1/files/x", WAV, b"", 415),
        ("/v1/files/x", WAV, &whole[..44], 422),
        ("/v1/files/x", WAV, &whole[..20], 422),
        ("/v1/files/x", WAV, &wav_of(0x55, 100), 415),
        ("/v1/files/x", WAV, &wav(10), 422),
        ("/v1/files/x", MP4, &claims_more_than_there_is, 422),
        ("/v1/files/x", MP4, b"\0\0\0\x10ftypisom\0\0\0\0", 422),
        ("/v1/files/x", MP4, &vec![0; (4 << 20) + 1], 413),
        ("/v1/files/..%2fx", WAV, &whole, 422),
        ("/v1/files/..%2f..%2fetc%2fpasswd", WAV, &whole, 422),
        ("/v1/files/x.mp4", WAV, &whole, 422),
        ("/v1/files/%00", WAV, &whole, 422),
        ("/v1/files/../x", WAV, &whole, 404),
    ] {
        let (told, detail) = put(&server, path, headers, bytes).await;
        assert_eq!(told, expected, "{path}, {headers:?}, {} bytes: {detail}", bytes.len());
        assert!(!detail.is_empty(), "{path}");
    }
    assert_eq!(server.get("/v1/files").await.json(), json!({ "files": [] }));
    let large = wav(40_000);
    assert_eq!(put(&server, "/v1/files/a", WAV, &large).await.0, 201);
    assert_eq!(put(&server, "/v1/files/b", WAV, &large).await.0, 507);
    assert_eq!(server.get("/v1/files").await.json()["files"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing_and_one_without_a_length_is_bounded_as_it_comes() {
    let server = start().await;
    let chunked = |bytes: &[u8], ends: bool| {
        let head = "PUT /v1/files/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut request = head.as_bytes().to_vec();
        for piece in bytes.chunks(60_000) {
            request.extend(format!("{:x}\r\n", piece.len()).into_bytes());
            request.extend([piece, b"\r\n"].concat());
        }
        request.extend(if ends { &b"0\r\n\r\n"[..] } else { b"zz\r\n" });
        request
    };
    assert_eq!(server.exchange(&chunked(&wav(1000), false)).await.status, 422);
    assert_eq!(status(&server, "GET", "/v1/files/x").await, 404);
    assert_eq!(server.exchange(&chunked(&vec![0; 5 << 20], true)).await.status, 413);
    assert_eq!(server.exchange(&chunked(&wav(1000), true)).await.status, 201);
}

#[tokio::test]
async fn a_wish_that_cannot_be_is_refused_by_its_field_and_nobody_comes_in() {
    let server = start().await;
    server.ask("PUT", "/v1/files/gong", WAV, &wav(500)).await;
    server.send("PUT", "/v1/rooms/a", &json!({})).await;
    for (body, said) in [
        (json!({}), "file"),
        (json!({ "file": "../gong" }), "file"),
        (json!({ "file": "gnog" }), "file"),
        (json!({ "file": "gong", "loop": "yes" }), "loop"),
        (json!({ "file": "gong", "gain_db": 21 }), "gain_db"),
        (json!({ "file": "gong", "gain_db": -60.5 }), "gain_db"),
        (json!({ "file": "gong", "volume": 1 }), "volume"),
        (json!(["gong"]), "object"),
    ] {
        let reply = server.send("POST", "/v1/rooms/a/players", &body).await;
        let detail = reply.json()["detail"].as_str().unwrap().to_owned();
        assert!(reply.status == 422 && detail.contains(said), "{body}: {} {detail}", reply.status);
    }
    for path in ["/v1/rooms/a/players/p1", "/v1/rooms/a/players/player1", "/v1/rooms/a/players/player01", "/v1/rooms/no/players"] {
        assert_eq!(status(&server, "GET", path).await, 404, "{path}");
    }
    assert_eq!(server.get("/v1/rooms/a").await.json()["sessions"], 0);
}
