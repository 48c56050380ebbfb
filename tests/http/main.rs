//! The HTTP contract over loopback: what is refused and why, what is told, and how long a silent client is borne.

mod server;

use std::time::Duration;

use medley::http::{Access, Check, IceServer, IceServers, Limits};
use server::{start, start_with};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// `printf %s open-sesame | sha256sum`
const KEY_LINE: &str = "sha256:d7ecdf25eaf3deba0f2628771dbdd22d4138ab6cf38f91ed02a2ca0dec7c8ab7";

/// `ask`'s arguments, the status, and a part of `detail`.
type Case<'a> = (&'a str, &'a str, &'a str, &'a [u8], u16, &'a str);

const SDP: &str = "Content-Type: application/sdp\r\n";
const FRAGMENT: &str = "Content-Type: application/trickle-ice-sdpfrag\r\n";
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
async fn a_head_request_gets_the_head_alone() {
    let server = start().await;
    for path in ["/", "/healthz", "/version", "/metrics", "/v1/rooms"] {
        let reply = server.ask("HEAD", path, "", b"").await;
        assert_eq!((reply.status, reply.body.len()), (200, 0), "{path}");
        assert_ne!(reply.header("content-length"), Some("0"), "{path}");
    }
}

#[tokio::test]
async fn what_fails_is_named_until_the_server_is_ready() {
    let server = start().await;
    assert_eq!(server.get("/readyz").await.status, 200);
    server.state.readiness.fail(Check::Draining);
    let reply = server.get("/readyz").await;
    assert_eq!((reply.status, &reply.json()["failing"]), (503, &serde_json::json!(["draining"])));
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn version_metrics_and_rooms_are_told() {
    let server = start().await;
    assert_eq!(server.get("/version").await.json()["name"], "medley");
    let metrics = server.get("/metrics").await;
    assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(String::from_utf8(metrics.body).unwrap().contains("medley_sessions 0"));
    assert_eq!(server.get("/v1/rooms").await.json(), serde_json::json!({ "rooms": [] }));
}

#[tokio::test]
async fn a_preflight_tells_a_page_of_any_origin_what_it_may_send() {
    let ice_servers = IceServers::new(&[IceServer { url: "stun:s.example:3478".into(), ..IceServer::default() }]).unwrap();
    let server = start_with(|state| {
        state.access = Access::keys([KEY_LINE]).unwrap();
        state.ice_servers = ice_servers;
    })
    .await;
    for path in ["/v1/rooms/a/join", "/whip/a", "/whep/a"] {
        let reply = server.ask("OPTIONS", path, "Origin: https://elsewhere.example\r\n", b"").await;
        assert_eq!(reply.status, 204, "{path}");
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        assert!(reply.header("access-control-allow-methods").unwrap().contains("POST"));
        assert!(reply.header("access-control-expose-headers").unwrap().contains("Medley-Notice"));
        assert_eq!(reply.header("accept-post"), Some("application/sdp"));
        assert_eq!(reply.header("link"), Some("<stun:s.example:3478>; rel=\"ice-server\""));
    }
    let reply = server.ask("OPTIONS", "/v1/sessions/x", "", b"").await;
    assert!(reply.header("access-control-allow-methods").unwrap().contains("PATCH"));
    assert!(reply.header("access-control-allow-headers").unwrap().contains("If-Match"));
}

#[tokio::test]
async fn without_a_key_only_the_open_paths_answer() {
    let server = start_with(|state| state.access = Access::keys([KEY_LINE]).unwrap()).await;
    for open in ["/", "/r/a", "/watch/a", "/healthz", "/readyz", "/version"] {
        assert_eq!(server.get(open).await.status, 200, "{open}");
    }
    for (method, path) in
        [("GET", "/v1/rooms"), ("GET", "/metrics"), ("GET", "/v1/rooms/a/snapshot.png"), ("POST", "/whip/a"), ("POST", "/v1/rooms/a/join")]
    {
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
async fn pages_are_checked_again_and_assets_kept() {
    let server = start().await;
    let page = server.get("/r/demo").await;
    assert_eq!((page.status, page.header("cache-control")), (200, Some("no-cache")));
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'; script-src 'self';"));
    assert!(page.header("permissions-policy").unwrap().contains("camera=(self)"));
    let again = server.ask("GET", "/r/demo", &format!("If-None-Match: {}\r\n", page.header("etag").unwrap()), b"").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let html = String::from_utf8(page.body).unwrap();
    let script = html.split("src=\"").find(|part| part.contains("room.js")).unwrap().split('"').next().unwrap();
    let asset = server.get(script).await;
    assert_eq!((asset.status, asset.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
    assert!(asset.header("cache-control").unwrap().contains("immutable"));
}

#[tokio::test]
async fn the_page_of_a_room_that_cannot_be_still_says_so_in_words() {
    let reply = start().await.get("/r/no%20room").await;
    assert_eq!((reply.status, reply.header("content-type")), (422, Some("text/html; charset=utf-8")));
}

/// Bounds short enough to be met in a test, and long enough for the requests in it.
fn impatient() -> Limits {
    Limits { header: Duration::from_millis(50), body: Duration::from_millis(50), ..Limits::default() }
}

#[tokio::test]
async fn a_client_that_never_ends_its_header_is_cut() {
    let server = start_with(|state| state.limits = impatient()).await;
    for begun in ["", "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let mut stream = TcpStream::connect(server.addr).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        // Reading ends, with or without a reset, only because the server closes.
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&rest));
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_answer() {
    let server = start_with(|state| state.limits = impatient()).await;
    let reply = server.exchange(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_client_that_never_ends_its_body_is_told_and_cut() {
    let server = start_with(|state| state.limits = impatient()).await;
    let reply =
        server.exchange(b"POST /whep/a HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\nContent-Length: 900\r\n\r\nv=0").await;
    assert_eq!(reply.status, 408);
    assert!(reply.json()["detail"].as_str().unwrap().contains("50 ms"));
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_for_a_free_place() {
    let server = start_with(|state| state.limits = Limits { connections: 1, ..impatient() }).await;
    let held = TcpStream::connect(server.addr).await.unwrap();
    // Answered once the silent connection before it has been cut.
    assert_eq!(server.get("/healthz").await.status, 200);
    drop(held);
}

#[tokio::test]
async fn shutdown_ends_the_server_even_while_a_client_holds_on() {
    let server = start_with(|state| state.limits.drain = Duration::from_millis(50)).await;
    let mut held = TcpStream::connect(server.addr).await.unwrap();
    held.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    server.stop.send(()).unwrap();
    server.serving.await.unwrap();
    assert!(TcpStream::connect(server.addr).await.is_err());
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
