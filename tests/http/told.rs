//! What is told: readiness, version, metrics, preflights, pages.

use medley::http::{Access, Check, IceServer, IceServers};

use crate::KEY_LINE;
use crate::server::{start, start_with};

#[tokio::test]
async fn a_head_request_gets_the_head_alone() {
    let server = start().await;
    for path in
        ["/", "/docs", "/openapi.json", "/healthz", "/version", "/metrics", "/v1/rooms", "/v1/layouts/grid", "/v1/images", "/v1/recordings"]
    {
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
    for (path, methods) in [("/v1/rooms/a", "PATCH"), ("/v1/rooms/a/layout", "PUT"), ("/v1/layouts/own", "DELETE"), ("/v1/images", "GET")] {
        let reply = server.ask("OPTIONS", path, "Origin: https://elsewhere.example\r\n", b"").await;
        assert_eq!(reply.status, 204, "{path}");
        for named in ["allow", "access-control-allow-methods"] {
            assert!(reply.header(named).unwrap().contains(methods), "{path}: {named}");
        }
        assert!(reply.header("access-control-allow-headers").unwrap().contains("If-None-Match"), "{path}");
    }
    let reply = server.ask("OPTIONS", "/v1/sessions/x", "", b"").await;
    assert!(reply.header("access-control-allow-methods").unwrap().contains("PATCH"));
    assert!(reply.header("access-control-allow-headers").unwrap().contains("If-Match"));
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
