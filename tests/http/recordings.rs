//! Recordings as a client starts, reads, stops and removes them.

use serde_json::{Value, json};

use crate::server::{Reply, Server, start, until};

/// A room that nobody need be in, small and slow.
async fn room(server: &Server) {
    let made = server.send("PUT", "/v1/rooms/a", &json!({ "canvas": { "width": 320, "height": 180, "fps": 10 } })).await;
    assert_eq!(made.status, 201);
}

/// Starts a recording of that room, and waits until so much of it is on the disk; its path.
async fn recorded(server: &Server, spec: &Value, millis: u64) -> String {
    let started = server.send("POST", "/v1/rooms/a/recordings", spec).await;
    assert_eq!((started.status, started.json()["state"].clone()), (201, json!("active")), "{}", started.json());
    let path = started.header("location").unwrap().to_owned();
    assert_eq!(path, format!("/v1/recordings/{}", started.json()["id"].as_str().unwrap()));
    until("some of it is on the disk", async || server.get(&path).await.json()["duration_ms"].as_u64().unwrap() >= millis).await;
    path
}

async fn detail(reply: Reply, status: u16) -> String {
    assert_eq!((reply.status, reply.header("content-type")), (status, Some("application/problem+json")), "{}", reply.json());
    reply.json()["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_recording_is_started_read_while_it_grows_stopped_and_removed() {
    let server = start().await;
    room(&server).await;
    let path = recorded(&server, &json!({ "max_seconds": 60 }), 1).await;
    let growing = server.get(&format!("{path}/mixed.mp4")).await;
    assert_eq!((growing.status, &growing.body[4..8]), (200, &b"ftyp"[..]));
    assert_eq!(growing.header("content-length").unwrap(), growing.body.len().to_string());

    let stopped = server.ask("POST", &format!("{path}/stop"), "", b"").await;
    let told = stopped.json();
    assert_eq!((stopped.status, &told["state"], &told["reason"]), (200, &json!("complete"), &Value::Null), "{told}");
    assert_eq!((&told["room"], &told["tracks"], &told["max_seconds"]), (&json!("a"), &json!("mixed"), &json!(60)));
    let file = server.get(&format!("{path}/mixed.mp4")).await;
    assert_eq!(told["files"][0]["bytes"], file.body.len());
    assert_eq!(told["bytes"], told["files"][0]["bytes"]);
    assert!(file.body.starts_with(&growing.body), "what was given is not changed by what comes after it");

    assert_eq!(server.get("/v1/recordings").await.json(), json!({ "recordings": [told], "cursor": null }));
    assert_eq!(server.get("/v1/recordings?room=b").await.json()["recordings"], json!([]));
    assert_eq!(server.ask("DELETE", &path, "", b"").await.status, 204);
    for gone in [path.clone(), format!("{path}/mixed.mp4")] {
        assert_eq!(server.get(&gone).await.status, 404, "{gone}");
    }
    assert_eq!(server.get("/v1/recordings").await.json()["recordings"], json!([]));
}

#[tokio::test]
async fn an_empty_body_records_the_mix_as_long_as_the_server_allows() {
    let server = start().await;
    room(&server).await;
    let started = server.ask("POST", "/v1/rooms/a/recordings", "", b"").await;
    let told = started.json();
    assert_eq!((started.status, &told["tracks"], &told["view"]), (201, &json!("mixed"), &json!("main")));
    assert_eq!((&told["max_seconds"], &told["max_bytes"]), (&json!(14_400), &json!(20_000_000_000u64)));
}

#[tokio::test]
async fn bytes_of_a_file_are_given_as_they_are_asked_for() {
    let server = start().await;
    room(&server).await;
    let path = recorded(&server, &json!({}), 1).await;
    server.ask("POST", &format!("{path}/stop"), "", b"").await;
    let path = format!("{path}/mixed.mp4");
    let whole = server.get(&path).await;
    let (file, tag) = (whole.body.clone(), whole.header("etag").unwrap().to_owned());
    assert_eq!((whole.header("accept-ranges"), whole.header("content-type")), (Some("bytes"), Some("video/mp4")));
    let name = whole.header("content-disposition").unwrap();
    assert!(name.starts_with("attachment; filename=\"a-") && name.ends_with("-mixed.mp4\""), "{name}");

    let length = file.len();
    for (range, bytes) in [("0-99", 0..100), ("100-", 100..length), ("-7", length - 7..length), ("5-99999999999", 5..length)] {
        let part = server.ask("GET", &path, &format!("Range: bytes={range}\r\n"), b"").await;
        let told = format!("bytes {}-{}/{length}", bytes.start, bytes.end - 1);
        assert_eq!((part.status, part.header("content-range")), (206, Some(&*told)), "{range}");
        assert_eq!((part.header("content-length"), &part.body), (Some(&*bytes.len().to_string()), &file[bytes].to_vec()), "{range}");
    }
    for range in [format!("{length}-"), "99999999999-".into(), "-0".into()] {
        let beyond = server.ask("GET", &path, &format!("Range: bytes={range}\r\n"), b"").await;
        assert_eq!(beyond.header("content-range"), Some(&*format!("bytes */{length}")), "{range}");
        assert!(detail(beyond, 416).await.contains(&length.to_string()));
    }
    for (headers, status) in [
        ("Range: bytes=0-1,5-6\r\n".to_owned(), 200),
        ("Range: pages=1-2\r\n".to_owned(), 200),
        (format!("Range: bytes=0-1\r\nIf-Range: {tag}\r\n"), 206),
        ("Range: bytes=0-1\r\nIf-Range: \"other\"\r\n".to_owned(), 200),
        (format!("If-None-Match: {tag}\r\n"), 304),
    ] {
        assert_eq!(server.ask("GET", &path, &headers, b"").await.status, status, "{headers}");
    }
    let head = server.ask("HEAD", &path, "Range: bytes=0-1\r\n", b"").await;
    assert_eq!((head.status, head.body.len(), head.header("content-length")), (200, 0, Some(&*length.to_string())));
}

#[tokio::test]
async fn what_cannot_be_done_with_a_recording_is_told_and_nothing_is_lost() {
    let server = start().await;
    room(&server).await;
    let path = recorded(&server, &json!({}), 1).await;
    assert!(detail(server.ask("DELETE", &path, "", b"").await, 409).await.contains("/stop"));
    assert_eq!(server.get(&path).await.json()["state"], "active");
    assert_eq!(server.ask("POST", &format!("{path}/stop"), "", b"").await.status, 200);
    assert!(detail(server.ask("POST", &format!("{path}/stop"), "", b"").await, 409).await.contains("complete already"));

    let names =
        ["..", "../manifest.json", "..%2f..%2fmanifest.json", "%2e%2e%2fmanifest.json", "manifest.json", "mixed.mp4%00", "%FF", "p1.mp4"];
    for name in names {
        let reply = server.get(&format!("{path}/{name}")).await;
        assert_eq!(reply.status, 404, "{name}: {}", reply.json());
    }
    for id in ["x", "..", "..%2f..%2fetc%2fpasswd", "%00", "20261123T025240123-0a1b2c"] {
        let path = format!("/v1/recordings/{id}");
        for (method, path) in
            [("GET", path.clone()), ("DELETE", path.clone()), ("POST", format!("{path}/stop")), ("GET", format!("{path}/mixed.mp4"))]
        {
            assert_eq!(server.ask(method, &path, "", b"").await.status, 404, "{method} {path}");
        }
    }
    assert_eq!(server.get(&format!("{path}/mixed.mp4")).await.status, 200);
}

#[tokio::test]
async fn a_wish_that_cannot_be_fulfilled_names_its_field() {
    let server = start().await;
    room(&server).await;
    for (spec, status, said) in [
        (json!({ "tracks": "all" }), 422, "tracks"),
        (json!({ "view": "side" }), 422, "view"),
        (json!({ "rendition": "huge" }), 422, "high, mid, low"),
        (json!({ "max_seconds": 0 }), 422, "max_seconds"),
        (json!({ "max_seconds": 604_800 }), 422, "14400"),
        (json!({ "max_bytes": 0 }), 422, "max_bytes"),
        (json!({ "max_bytes": 1e12 as u64 }), 422, "20000000000"),
        (json!({ "name": "mine" }), 422, "name"),
    ] {
        let refused = detail(server.send("POST", "/v1/rooms/a/recordings", &spec).await, status).await;
        assert!(refused.contains(said), "{spec}: {refused}");
    }
    assert_eq!(server.send("POST", "/v1/rooms/nobody/recordings", &json!({})).await.status, 404);
    assert_eq!(server.get("/v1/recordings?cursor=x").await.status, 422);
    assert_eq!(server.get("/v1/recordings?room=a%20b").await.status, 422);
    assert_eq!(server.get("/v1/recordings").await.json()["recordings"], json!([]));
}

#[tokio::test]
async fn a_recording_ends_at_its_bounds() {
    let server = start().await;
    room(&server).await;
    for (spec, said) in [(json!({ "max_seconds": 1 }), "1 seconds"), (json!({ "max_bytes": 1500 }), "1500 bytes")] {
        let started = server.send("POST", "/v1/rooms/a/recordings", &spec).await;
        let path = started.header("location").unwrap().to_owned();
        until("it has ended", async || server.get(&path).await.json()["state"] != "active").await;
        let told = server.get(&path).await.json();
        assert_eq!(told["state"], "limit_reached", "{told}");
        assert!(told["reason"].as_str().unwrap().contains(said), "{told}");
        assert!(told["duration_ms"].as_u64().unwrap() <= 1000 && told["bytes"].as_u64().unwrap() <= 100_000, "{told}");
        assert_eq!(server.get(&format!("{path}/mixed.mp4")).await.body.len(), told["bytes"].as_u64().unwrap() as usize);
    }
}

#[tokio::test]
async fn no_more_recordings_than_may_be_are_active_and_one_that_ends_makes_place() {
    let server = start().await;
    room(&server).await;
    let mut paths = Vec::new();
    for _ in 0..3 {
        paths.push(recorded(&server, &json!({}), 0).await);
    }
    let refused = server.send("POST", "/v1/rooms/a/recordings", &json!({})).await;
    assert_eq!(refused.header("retry-after"), Some("10"));
    assert!(detail(refused, 503).await.contains('3'));
    server.ask("POST", &format!("{}/stop", paths[0]), "", b"").await;
    recorded(&server, &json!({}), 0).await;
    let listed = server.get("/v1/recordings").await.json();
    let ids: Vec<_> = listed["recordings"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    assert!(ids.len() == 4 && ids.is_sorted_by(|a, b| a > b), "newest first: {ids:?}");
}
