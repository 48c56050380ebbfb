//! What is refused, with which status and which sentence.

use medley::http::Access;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::{start, start_with};
use crate::{FRAGMENT, KEY_LINE, SDP};

type Case<'a> = (&'a str, &'a str, &'a str, &'a [u8], u16, &'a str);

const LONG: &[u8] = &[b'a'; 65 * 1024];

#[tokio::test]
async fn every_bad_request_is_told_what_was_wrong_with_it() {
    let server = start().await;
    let cases: &[Case] = &[
        ("GET", "/nothing", "", b"", 404, "/nothing"),
        ("GET", "/v1/rooms/", "", b"", 404, "/v1/rooms/"),
        ("PUT", "/healthz", "", b"", 405, "PUT"),
        ("GET", "/whip/a", "", b"", 405, "GET"),
        ("DELETE", "/v1/rooms/a/join", "", b"", 405, "DELETE"),
        ("POST", "/v1/rooms/a%20b/join", SDP, b"v=0", 422, "room name"),
        ("POST", "/whip/%C3%A4", SDP, b"v=0", 422, "room name"),
        ("POST", "/whep/%FF", SDP, b"v=0", 422, "room name"),
        ("POST", "/whep/..%2fa", SDP, b"v=0", 422, "room name"),
        ("GET", "/v1/rooms/a.b/snapshot.png", "", b"", 422, "room name"),
        ("POST", "/v1/rooms/a/join", "", b"v=0", 415, "application/sdp"),
        ("POST", "/whip/a", "Content-Type: application/json\r\n", b"{}", 415, "application/json"),
        ("POST", "/whep/a", "Content-Type: text/plain\r\n", b"v=0", 415, "application/sdp"),
        ("POST", "/v1/rooms/a/join", SDP, LONG, 413, "65536"),
        ("POST", "/whep/a", SDP, LONG, 413, "65536"),
        ("POST", "/v1/rooms/a/join", SDP, b"\xff\xfe", 422, "UTF-8"),
        ("POST", "/v1/rooms/a/join?max_height=90", SDP, b"v=0", 422, "max_height"),
        ("POST", "/v1/rooms/a/join?max_fps=61", SDP, b"v=0", 422, "max_fps"),
        ("POST", "/v1/rooms/a/join?max_fps=x", SDP, b"v=0", 422, "max_fps"),
        ("POST", "/v1/rooms/a/join?name=%00", SDP, b"v=0", 422, "name"),
        ("POST", "/v1/rooms/a/join?nick=x", SDP, b"v=0", 422, "nick"),
        ("POST", "/v1/rooms/a/join", SDP, b"", 422, ""),
        ("POST", "/v1/rooms/a/join", SDP, b"hello", 422, ""),
        ("POST", "/whip/a", SDP, b"v=0\r\n", 422, ""),
        ("POST", "/whep/a", SDP, b"\0\0\0", 422, ""),
        ("GET", "/v1/rooms/nobody/snapshot.png", "", b"", 404, "nobody"),
        ("GET", "/v1/sessions/unknown", "", b"", 404, "no such session"),
        ("DELETE", "/v1/sessions/unknown", "", b"", 404, "no such session"),
        ("DELETE", "/v1/sessions/%FF", "", b"", 404, "no such session"),
        ("PATCH", "/v1/sessions/unknown", FRAGMENT, b"a=ice-ufrag:x\r\n", 404, "no such session"),
        ("PATCH", "/v1/sessions/unknown", SDP, b"", 415, "trickle-ice-sdpfrag"),
        ("PATCH", "/v1/sessions/unknown", FRAGMENT, LONG, 413, "65536"),
        ("GET", "/assets/0/style.css", "", b"", 404, "load the page again"),
    ];
    for &(method, path, headers, body, status, detail) in cases {
        let reply = server.ask(method, path, headers, body).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", String::from_utf8_lossy(&reply.body));
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{method} {path}");
        let problem = reply.json();
        assert_eq!(problem["status"], status, "{method} {path}");
        assert!(problem["title"].is_string() && problem["type"].is_string(), "{problem}");
        let said = problem["detail"].as_str().unwrap();
        assert!(said.contains(detail) && !said.is_empty(), "{method} {path}: {said}");
        assert_eq!(status == 405, reply.header("allow").is_some(), "{method} {path}");
    }
    assert!(server.state.rooms.list().is_empty(), "a refused request opens no room");
}

#[tokio::test]
async fn without_a_key_only_the_open_paths_answer() {
    let server = start_with(|state| state.access = Access::keys([KEY_LINE]).unwrap()).await;
    for open in ["/", "/r/a", "/watch/a", "/docs", "/openapi.json", "/healthz", "/readyz", "/version"] {
        assert_eq!(server.get(open).await.status, 200, "{open}");
    }
    for (method, path) in [
        ("GET", "/v1/rooms"),
        ("GET", "/metrics"),
        ("GET", "/v1/rooms/a/snapshot.png"),
        ("GET", "/v1/rooms/a/events"),
        ("PUT", "/v1/rooms/a"),
        ("PATCH", "/v1/rooms/a"),
        ("PUT", "/v1/rooms/a/layout"),
        ("DELETE", "/v1/rooms/a/participants/p1"),
        ("PUT", "/v1/layouts/own"),
        ("POST", "/v1/layouts/preview.png"),
        ("GET", "/v1/images/logo"),
        ("PUT", "/v1/files/gong"),
        ("POST", "/v1/rooms/a/players"),
        ("POST", "/whip/a"),
        ("POST", "/v1/rooms/a/join"),
        ("POST", "/v1/rooms/a/recordings"),
        ("GET", "/v1/recordings"),
        ("GET", "/v1/recordings/20261123T025240123-0a1b2c/mixed.mp4"),
        ("DELETE", "/v1/recordings/20261123T025240123-0a1b2c"),
    ] {
        for header in ["", "Authorization: Bearer guess\r\n", "Authorization: Basic b3Blbi1zZXNhbWU=\r\n"] {
            let reply = server.ask(method, path, header, b"").await;
            assert_eq!(reply.status, 401, "{method} {path} {header}");
            assert!(reply.header("www-authenticate").unwrap().starts_with("Bearer"));
        }
    }
    let reply = server.ask("GET", "/v1/rooms", "Authorization: Bearer open-sesame\r\n", b"").await;
    assert_eq!(reply.status, 200);
    let reply = server.ask("DELETE", "/v1/sessions/x", "", b"").await;
    assert_eq!(reply.status, 404, "a session's id is the right to it");
}

#[tokio::test]
async fn a_player_that_sends_no_headers_may_bring_its_key_in_the_query_of_media_alone() {
    let server = start_with(|state| state.access = Access::keys([KEY_LINE]).unwrap()).await;
    for (method, path, status) in [
        ("GET", "/v1/rooms/a/snapshot.png?token=open-sesame", 404),
        ("GET", "/v1/rooms/a/snapshot.jpg?view=main&token=open%2Dsesame", 404),
        ("HEAD", "/hls/a/index.m3u8?token=open-sesame&_HLS_msn=3", 404),
        ("GET", "/hls/a/index.m3u8", 401),
        ("GET", "/hls/a/index.m3u8?token=guess", 401),
        ("GET", "/hls/a/index.m3u8?token=", 401),
        ("GET", "/hls/a/index.m3u8?token=%0A", 401),
        ("GET", "/hls/a/index.m3u8?token=guess&token=open-sesame", 401),
        ("GET", "/v1/rooms?token=open-sesame", 401),
        ("DELETE", "/v1/rooms/a?token=open-sesame", 401),
        ("PUT", "/v1/rooms/a/snapshot.png?token=open-sesame", 405),
        ("GET", "/hls/a/unknown/s0.mp4", 404),
    ] {
        let reply = server.ask(method, path, "", b"").await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.head);
    }
    let wrong = server.ask("GET", "/hls/a/index.m3u8?token=open-sesame", "Authorization: Bearer guess\r\n", b"").await;
    assert_eq!(wrong.status, 401, "a header goes before the query");
}

#[tokio::test]
async fn bytes_that_are_no_http_do_not_disturb_the_next_client() {
    let server = start().await;
    for garbage in [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..], &[0xff; 4096], &[b'A'; 200_000]] {
        let mut stream = TcpStream::connect(server.addr).await.unwrap();
        let _ = stream.write_all(garbage).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    assert_eq!(server.get("/healthz").await.status, 200);
}
