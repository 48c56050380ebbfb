//! Joining, the session's URL, and what a room shows.

use medley::http::{IceServer, IceServers};
use serde_json::json;

use crate::server::{offer, start, start_with};
use crate::{FRAGMENT, SDP};

#[tokio::test]
async fn a_session_is_made_told_changed_and_ended_by_its_url() {
    let ice_servers = IceServers::new(&[IceServer { url: "stun:s.example:3478".into(), ..IceServer::default() }]).unwrap();
    let server = start_with(|state| state.ice_servers = ice_servers).await;
    for (path, direction) in [("/v1/rooms/a/join?name=Ann", "sendrecv"), ("/whip/a", "sendonly"), ("/whep/a", "recvonly")] {
        let made = server.ask("POST", path, SDP, offer(direction).as_bytes()).await;
        assert_eq!((made.status, made.header("content-type")), (201, Some("application/sdp")), "{path}");
        assert_eq!(made.header("link"), Some("<stun:s.example:3478>; rel=\"ice-server\""));
        assert_eq!(made.header("accept-patch"), Some("application/trickle-ice-sdpfrag"));
        assert_eq!(made.header("medley-notice"), None);
        let (tag, url) = (made.header("etag").unwrap(), made.header("location").unwrap());
        assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
        assert!(url.strip_prefix("/v1/sessions/").is_some_and(|id| id.len() >= 22), "{url}");

        let told = server.get(url).await;
        assert_eq!((told.status, told.json()["room"].as_str(), told.header("etag")), (200, Some("a"), Some(tag)));
        let trickled =
            b"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijklmn\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=end-of-candidates\r\n";
        for tag_header in [format!("If-Match: {tag}\r\n"), format!("ETag: {tag}\r\n"), String::new()] {
            let patched = server.ask("PATCH", url, &format!("{FRAGMENT}{tag_header}"), trickled).await;
            assert_eq!(patched.status, 204, "{path} {tag_header}");
        }
        let stale = server.ask("PATCH", url, &format!("{FRAGMENT}If-Match: \"other\"\r\n"), trickled).await;
        assert_eq!(stale.status, 412);
        assert_eq!(server.ask("DELETE", url, "", b"").await.status, 200);
        assert_eq!(server.ask("DELETE", url, "", b"").await.status, 404);
    }
}

fn video_of(answer: &[u8]) -> (&str, &str) {
    let answer = std::str::from_utf8(answer).unwrap();
    let section = &answer[answer.find("m=video").unwrap()..];
    let direction = section.lines().find(|line| matches!(*line, "a=sendrecv" | "a=sendonly" | "a=recvonly" | "a=inactive"));
    (section.lines().next().unwrap(), direction.unwrap())
}

#[tokio::test]
async fn a_client_that_cannot_take_any_rendition_gets_sound_and_the_reason() {
    let server = start().await;
    for limit in ["max_height=179", "max_fps=14", "max_height=2160&max_fps=5"] {
        let joined = server.ask("POST", &format!("/v1/rooms/a/join?{limit}"), SDP, offer("sendrecv").as_bytes()).await;
        assert_eq!((joined.status, video_of(&joined.body).1), (201, "a=recvonly"), "{limit}");
        assert!(joined.header("medley-notice").unwrap().contains("180p15"), "{limit}");
        let watching = server.ask("POST", &format!("/whep/a?{limit}"), SDP, offer("recvonly").as_bytes()).await;
        assert_eq!(watching.status, 201, "{limit}");
        assert!(video_of(&watching.body).0.starts_with("m=video 0 "), "{limit}");
        for url in [joined.header("location"), watching.header("location")] {
            assert_eq!(server.ask("DELETE", url.unwrap(), "", b"").await.status, 200);
        }
    }
    let able = server.ask("POST", "/whep/a?max_height=180&max_fps=15", SDP, offer("recvonly").as_bytes()).await;
    assert_eq!((video_of(&able.body).1, able.header("medley-notice")), ("a=sendonly", None));
    let picture_only = offer("recvonly").replace("opus/48000/2", "PCMU/8000");
    let refused = server.ask("POST", "/whep/a?max_height=128", SDP, picture_only.as_bytes()).await;
    assert_eq!(refused.status, 422);
    assert!(refused.json()["detail"].as_str().unwrap().contains("180p15"));
}

#[tokio::test]
async fn a_codec_that_is_not_there_is_named_in_the_notice() {
    let server = start().await;
    let offer = offer("sendrecv").replace("H264", "VP8");
    let joined = server.ask("POST", "/v1/rooms/a/join", SDP, offer.as_bytes()).await;
    assert_eq!(joined.status, 201);
    assert!(joined.header("medley-notice").unwrap().contains("VP8"));
    assert!(video_of(&joined.body).0.starts_with("m=video 0 "));
}

#[tokio::test]
async fn a_full_server_says_when_to_try_again() {
    let server = start().await;
    for _ in 0..6 {
        assert_eq!(server.ask("POST", "/whep/a", SDP, offer("recvonly").as_bytes()).await.status, 201);
    }
    let reply = server.ask("POST", "/whep/b", SDP, offer("recvonly").as_bytes()).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("10")));
}

#[tokio::test]
async fn a_snapshot_is_the_canvas_of_a_view_as_png_and_as_jpeg() {
    let server = start().await;
    let views = json!({ "views": { "portrait": { "canvas": { "width": 360, "height": 640 } } } });
    assert_eq!(server.send("PUT", "/v1/rooms/a", &views).await.status, 201);
    for (file, content_type) in [("snapshot.png", "image/png"), ("snapshot.jpg", "image/jpeg")] {
        for (view, width, height) in [("", 1280, 720), ("?view=main", 1280, 720), ("?view=portrait", 360, 640)] {
            let reply = server.get(&format!("/v1/rooms/a/{file}{view}")).await;
            assert_eq!((reply.status, reply.header("content-type")), (200, Some(content_type)));
            let picture = image::load_from_memory(&reply.body).unwrap();
            assert_eq!((picture.width(), picture.height()), (width, height));
        }
        assert_eq!(server.get(&format!("/v1/rooms/a/{file}?view=none")).await.status, 404);
    }
}
