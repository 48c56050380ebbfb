//! HLS as its players see it: playlists that are waited for, files that never change, and the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use medley::broadcast::hls::Hls;
use medley::broadcast::hls::rules::{Fragment, Judge, Playlist};
use medley::metrics::{ByMedia, Media};
use parking_lot::Mutex;
use serde_json::json;

use crate::server::{Server, start, start_with, until};

const PATH: &str = "/hls/a/index.m3u8?view=small";

/// A room with a view that costs little to encode.
async fn furnished() -> Server {
    furnish(start().await).await
}

async fn furnish(server: Server) -> Server {
    let views = json!({ "views": { "small": { "canvas": { "width": 320, "height": 180 } } } });
    assert_eq!(server.send("PUT", "/v1/rooms/a", &views).await.status, 201);
    server
}

async fn playlist(server: &Server, judge: &mut Judge, path: &str) -> Playlist {
    let reply = server.get(path).await;
    let text = String::from_utf8(reply.body.clone()).unwrap();
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/vnd.apple.mpegurl")), "{text}");
    assert_eq!(reply.header("cache-control"), Some("no-cache"));
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    judge.playlist(&text).unwrap_or_else(|breach| panic!("{breach}\n{text}"))
}

/// The segment that is open, and the part that comes next.
fn next(playlist: &Playlist) -> (u64, usize) {
    let whole = playlist.segments.iter().filter(|segment| !segment.uri.is_empty()).count();
    (playlist.sequence + whole as u64, playlist.segments.get(whole).map_or(0, |open| open.parts.len()))
}

/// The newest part, once the next playlist has it.
async fn follow(server: &Server, judge: &mut Judge, last: &Playlist) -> (Playlist, String) {
    let (segment, part) = next(last);
    let told = playlist(server, judge, &format!("{PATH}&_HLS_msn={segment}&_HLS_part={part}")).await;
    let newest = told.segments.iter().flat_map(|segment| &segment.parts).next_back().unwrap().uri.clone();
    assert_ne!(Some(&newest), last.segments.iter().flat_map(|segment| &segment.parts).map(|part| &part.uri).next_back());
    (told, newest)
}

#[tokio::test]
async fn many_clients_follow_a_room_part_by_part_and_get_the_same_bytes_of_one_encoder() {
    let server = Arc::new(furnished().await);
    let known = Arc::new(Mutex::new(BTreeMap::<String, Vec<u8>>::new()));
    let client = async |server: Arc<Server>, known: Arc<Mutex<BTreeMap<String, Vec<u8>>>>| {
        let mut judge = Judge::default();
        let mut last = playlist(&server, &mut judge, PATH).await;
        assert!(!last.segments[2].uri.is_empty(), "the first playlist has three segments: players without parts begin with them");
        for _ in 0..8 {
            let (told, newest) = follow(&server, &mut judge, &last).await;
            let file = server.get(&format!("/hls/a/{newest}")).await;
            assert_eq!((file.status, file.header("content-type")), (200, Some("video/mp4")));
            assert_eq!(file.header("cache-control"), Some("public, max-age=3600, immutable"));
            Fragment::read(&file.body).unwrap();
            assert_eq!(*known.lock().entry(newest).or_insert_with(|| file.body.clone()), file.body);
            last = told;
        }
    };
    let clients: Vec<_> = (0..40).map(|_| tokio::spawn(client(server.clone(), known.clone()))).collect();
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(server.state.metrics.encoders.get_or_create(&ByMedia { media: Media::Video }).get(), 1);
    assert!((8..20).contains(&known.lock().len()), "{}", known.lock().len());
}

#[tokio::test]
async fn a_segment_is_its_parts_and_what_comes_next_is_waited_for() {
    let server = furnished().await;
    let mut judge = Judge::default();
    let first = playlist(&server, &mut judge, PATH).await;
    let file = async |uri: &str| server.get(&format!("/hls/a/{uri}")).await;
    let mut parts = Vec::new();
    for part in &first.segments[0].parts {
        parts.extend(file(&part.uri).await.body);
    }
    assert_eq!(file(&first.segments[0].uri).await.body, parts);
    assert!(file(&first.segments[0].map).await.body[4..].starts_with(b"ftyp"));
    let hint = first.hint.clone().unwrap();
    let hinted = file(&hint).await;
    assert_eq!(hinted.status, 200);
    let later = playlist(&server, &mut judge, PATH).await;
    assert!(later.segments.iter().flat_map(|segment| &segment.parts).any(|part| part.uri == hint));
    let (segment, _) = next(&later);
    let whole = playlist(&server, &mut judge, &format!("{PATH}&_HLS_msn={segment}")).await;
    assert!(next(&whole).0 > segment);

    let stream = hint.split('/').next().unwrap();
    for wrong in [format!("{stream}/p99999.mp4"), format!("{stream}/s99.mp4"), format!("{stream}/x"), "other/s0.mp4".into()] {
        assert_eq!(file(&wrong).await.status, 404, "{wrong}");
    }
    for (query, status) in [("_HLS_part=1", 400), ("_HLS_msn=999", 400), ("_HLS_msn=0&_HLS_skip=YES", 200), ("_HLS_msn=x", 422)] {
        assert_eq!(server.get(&format!("{PATH}&{query}")).await.status, status, "{query}");
    }
    assert_eq!(server.get("/hls/a/index.m3u8?view=none").await.status, 422);
    assert_eq!(server.get("/hls/nobody/index.m3u8").await.status, 404);
}

#[tokio::test]
async fn a_client_gets_no_more_than_it_can_take() {
    let server = furnished().await;
    let slow = playlist(&server, &mut Judge::default(), &format!("{PATH}&max_fps=15")).await;
    let part = server.get(&format!("/hls/a/{}", slow.segments[0].parts[0].uri)).await;
    let fragments = Fragment::read(&part.body).unwrap();
    // 15 pictures a second are 6000 ticks apart
    assert!(fragments[0].runs[0].durations.iter().all(|ticks| *ticks > 5000), "{fragments:?}");
    for (query, said) in [("max_height=128", "180p15"), ("max_fps=5", "180p15"), ("max_height=127", "128 to 2160")] {
        let refused = server.get(&format!("{PATH}&{query}")).await;
        assert_eq!(refused.status, 422, "{query}");
        assert!(refused.json()["detail"].as_str().unwrap().contains(said), "{query}: {}", refused.json());
    }
}

#[tokio::test]
async fn a_room_that_ends_ends_its_playlist_and_nobody_is_kept_waiting() {
    let server = furnished().await;
    let mut judge = Judge::default();
    let first = playlist(&server, &mut judge, PATH).await;
    let blocked = format!("{PATH}&_HLS_msn={}", next(&first).0 + 1);
    let end = async { server.ask("DELETE", "/v1/rooms/a", "", b"").await.status };
    let (last, deleted) = tokio::join!(playlist(&server, &mut judge, &blocked), end);
    assert_eq!((last.ended, deleted), (true, 204));
    let reply = server.get(PATH).await;
    let known = format!("If-None-Match: {}\r\n", reply.header("etag").unwrap());
    assert_eq!(server.ask("GET", PATH, &known, b"").await.status, 304);
    let segment = server.get(&format!("/hls/a/{}", last.segments[0].uri)).await;
    assert_eq!(segment.status, 200, "what was told of can be had to the end");
}

#[tokio::test]
async fn a_stream_that_nobody_asks_for_ends_and_the_next_request_begins_another() {
    let idle = Duration::from_millis(300);
    let server = start_with(|state| {
        state.hls = Hls::ending_after(idle, state.rooms.clone(), state.clock, state.metrics.clone());
    });
    let server = furnish(server.await).await;
    let encoders = |server: &Server| server.state.metrics.encoders.get_or_create(&ByMedia { media: Media::Video }).get();
    let first = playlist(&server, &mut Judge::default(), PATH).await;
    assert_eq!(encoders(&server), 1);
    until("nothing is encoded for nobody", async || encoders(&server) == 0).await;
    assert_eq!(server.get(&format!("/hls/a/{}", first.segments[0].uri)).await.status, 404);
    let second = playlist(&server, &mut Judge::default(), PATH).await;
    assert_ne!(second.segments[0].uri, first.segments[0].uri, "a name has one content for ever");
}

#[tokio::test]
async fn a_server_that_shuts_down_ends_its_streams() {
    let server = furnished().await;
    let mut judge = Judge::default();
    let first = playlist(&server, &mut judge, PATH).await;
    let blocked = format!("{PATH}&_HLS_msn={}", next(&first).0 + 1);
    let end = async {
        server.state.rooms.drain();
        server.state.hls.shut_down();
    };
    let (last, ()) = tokio::join!(playlist(&server, &mut judge, &blocked), end);
    assert!(last.ended);
}
