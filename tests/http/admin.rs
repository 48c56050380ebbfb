//! What admins do to rooms, layouts, people and templates, and what comes of it.

use serde_json::{Value, json};

use crate::JSON;
use crate::server::{Reply, Server, start, until};

const MERGE_PATCH: &str = "Content-Type: application/merge-patch+json\r\n";

async fn patch(server: &Server, path: &str, body: Value) -> Reply {
    server.ask("PATCH", path, MERGE_PATCH, body.to_string().as_bytes()).await
}

fn tag(reply: &Reply) -> String {
    reply.header("etag").expect("an entity tag").to_owned()
}

#[tokio::test]
async fn a_room_is_made_told_replaced_and_ended() {
    let server = start().await;
    let made = server.ask("PUT", "/v1/rooms/a", "", b"").await;
    assert_eq!((made.status, made.header("location")), (201, Some("/v1/rooms/a")));
    assert_eq!((made.json()["kept"].clone(), made.json()["canvas"]["width"].clone()), (json!(true), json!(1280)));

    let replaced = server.send("PUT", "/v1/rooms/a", &json!({ "canvas": { "width": 640, "height": 360 }, "locked": true })).await;
    assert_eq!((replaced.status, replaced.json()["settings"]["canvas"]["width"].clone()), (200, json!(640)));
    assert_ne!(tag(&replaced), tag(&made));
    let told = server.get("/v1/rooms/a").await;
    assert_eq!((tag(&told), told.json()["locked"].clone()), (tag(&replaced), json!(true)));
    let listed = server.get("/v1/rooms").await.json();
    assert_eq!((listed["rooms"][0]["name"].clone(), listed["rooms"][0]["locked"].clone()), (json!("a"), json!(true)));

    let again = server.send("PUT", "/v1/rooms/a", &replaced.json()["settings"]).await;
    assert_eq!((again.status, tag(&again)), (200, tag(&replaced)), "what is told can be put, and is the same");
    assert_eq!(server.ask("DELETE", "/v1/rooms/a", "", b"").await.status, 204);
    assert_eq!(server.ask("DELETE", "/v1/rooms/a", "", b"").await.status, 404);
    assert_eq!(server.get("/v1/rooms").await.json(), json!({ "rooms": [] }));
}

#[tokio::test]
async fn a_merge_patch_changes_what_it_names_and_null_is_the_default() {
    let server = start().await;
    server
        .send("PUT", "/v1/rooms/a", &json!({ "canvas": { "width": 640, "height": 360 }, "audio": { "agc": true }, "locked": true }))
        .await;
    let patched = patch(&server, "/v1/rooms/a", json!({ "canvas": { "fps": 15, "height": null }, "locked": null })).await;
    let settings = patched.json()["settings"].clone();
    assert_eq!(patched.status, 200);
    assert_eq!(settings["canvas"], json!({ "width": 640, "height": 720, "fps": 15, "background": "#14171c" }));
    assert_eq!((settings["locked"].clone(), settings["audio"]["agc"].clone()), (json!(false), json!(true)));

    let as_json = server.send("PATCH", "/v1/rooms/a", &json!({ "views": { "tall": { "canvas": { "width": 360, "height": 640 } } } })).await;
    assert_eq!(as_json.json()["views"]["tall"]["canvas"]["height"], 640);
    let removed = patch(&server, "/v1/rooms/a", json!({ "views": { "tall": null } })).await;
    assert_eq!(removed.json()["settings"]["views"], json!({}));
    assert_eq!(patch(&server, "/v1/rooms/none", json!({})).await.status, 404);
}

#[tokio::test]
async fn of_those_who_replace_the_same_room_one_wins_and_the_rest_are_told() {
    let server = start().await;
    let read = tag(&server.ask("PUT", "/v1/rooms/a", "", b"").await);
    let write = |n: u32| {
        let body = json!({ "max_participants": n }).to_string();
        let headers = format!("{JSON}If-Match: {read}\r\n");
        let server = &server;
        async move { server.ask("PUT", "/v1/rooms/a", &headers, body.as_bytes()).await }
    };
    let replies = futures_util::future::join_all((1..=8).map(write)).await;
    let statuses = |wanted: u16| replies.iter().filter(|reply| reply.status == wanted).count();
    assert_eq!((statuses(200), statuses(412)), (1, 7));
    let winner = replies.iter().find(|reply| reply.status == 200).unwrap();
    let now = server.get("/v1/rooms/a").await;
    assert_eq!((now.json()["settings"].clone(), tag(&now)), (winner.json()["settings"].clone(), tag(winner)));
    let loser = replies.iter().find(|reply| reply.status == 412).unwrap();
    assert!(loser.json()["detail"].as_str().unwrap().contains("ETag"), "{}", loser.json());
}

#[tokio::test]
async fn changes_made_at_the_same_time_all_take_effect() {
    let server = start().await;
    server.ask("PUT", "/v1/rooms/a", "", b"").await;
    let views: Vec<String> = (0..8).map(|n| format!("view{n}")).collect();
    let server = &server;
    let change = |name: &String| {
        let body = json!({ "views": { name: {} } });
        async move { patch(server, "/v1/rooms/a", body).await.status }
    };
    let statuses = futures_util::future::join_all(views.iter().map(change)).await;
    assert_eq!(statuses, [200; 8]);
    let settings = server.get("/v1/rooms/a").await.json()["settings"]["views"].clone();
    assert!(views.iter().all(|name| settings[name].is_object()), "{settings}");
}

#[tokio::test]
async fn a_condition_is_kept_by_every_write() {
    let server = start().await;
    let stale = format!("{JSON}If-Match: \"0123456789abcdef\"\r\n");
    let only_new = format!("{JSON}If-None-Match: *\r\n");
    assert_eq!(server.ask("PUT", "/v1/rooms/a", &format!("{JSON}If-Match: *\r\n"), b"{}").await.status, 412);
    assert_eq!(server.ask("PUT", "/v1/rooms/a", &only_new, b"{}").await.status, 201);
    let template = json!({ "regions": [{ "id": "all", "left": 0, "top": 0, "width": 1, "height": 1 }] });
    assert_eq!(server.ask("PUT", "/v1/layouts/own", &only_new, template.to_string().as_bytes()).await.status, 201);
    for (method, path, headers, body) in [
        ("PUT", "/v1/rooms/a", &only_new, "{}".to_owned()),
        ("PUT", "/v1/rooms/a", &stale, "{}".to_owned()),
        ("PATCH", "/v1/rooms/a", &stale, "{}".to_owned()),
        ("DELETE", "/v1/rooms/a", &stale, String::new()),
        ("PUT", "/v1/rooms/a/layout", &stale, "{}".to_owned()),
        ("PUT", "/v1/layouts/own", &stale, template.to_string()),
        ("PUT", "/v1/layouts/own", &only_new, template.to_string()),
        ("DELETE", "/v1/layouts/own", &stale, String::new()),
    ] {
        let reply = server.ask(method, path, headers, body.as_bytes()).await;
        assert_eq!(reply.status, 412, "{method} {path}: {}", String::from_utf8_lossy(&reply.body));
    }
    for path in ["/v1/rooms/a/layout", "/v1/layouts/own"] {
        let current = format!("{JSON}If-Match: {}\r\n", tag(&server.get(path).await));
        let body = if path.ends_with("own") { template.to_string() } else { "{}".to_owned() };
        assert_eq!(server.ask("PUT", path, &current, body.as_bytes()).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_layout_is_applied_and_a_dry_run_changes_nothing() {
    let server = start().await;
    server.ask("PUT", "/v1/rooms/a", "", b"").await;
    server.join("a").await;
    let before = server.get("/v1/rooms/a").await;
    let layout = json!({ "regions": [
        { "id": "stage", "left": "0", "top": "0", "width": "3/4", "height": "1" },
        { "id": "side", "left": "3/4", "top": "0", "width": "1/4", "height": "1/3" }
    ] });
    let dry = server.send("PUT", "/v1/rooms/a/layout?dry_run=true", &layout).await;
    let cell = json!({ "region": "stage", "participant": "p1", "x": 0, "y": 0, "width": 960, "height": 720, "z": 0 });
    assert_eq!((dry.status, dry.json()["cells"].clone()), (200, json!([cell])));
    let after = server.get("/v1/rooms/a").await;
    assert_eq!((tag(&after), after.json()["settings"].clone()), (tag(&before), before.json()["settings"].clone()));
    assert_eq!(after.json()["layout"]["cells"], before.json()["layout"]["cells"]);

    let applied = server.send("PUT", "/v1/rooms/a/layout", &layout).await;
    assert_eq!((applied.status, applied.json()["cells"].clone()), (200, dry.json()["cells"].clone()));
    let told = server.get("/v1/rooms/a/layout").await;
    assert_eq!((tag(&told), told.json()["regions"][1]["id"].clone()), (tag(&applied), json!("side")));
    assert_eq!(server.get("/v1/rooms/a/layout?view=none").await.status, 404);
    for path in ["/v1/rooms/typo/layout", "/v1/rooms/typo/layout?dry_run=true"] {
        assert_eq!(server.send("PUT", path, &layout).await.status, 404, "{path}");
    }
    assert_eq!(server.get("/v1/rooms/none/layout").await.status, 404);
}

#[tokio::test]
async fn people_are_changed_and_sent_out() {
    let server = start().await;
    let session = server.join("a").await;
    let told = server.get("/v1/rooms/a/participants").await.json();
    assert_eq!((told["participants"][0]["id"].clone(), told["participants"][0]["name"].clone()), (json!("p1"), json!("Ann")));
    let change = json!({ "name": "Zoë", "role": "host", "muted": true, "hidden": true, "gain_db": -6.5, "pinned": true });
    let changed = patch(&server, "/v1/rooms/a/participants/p1", change.clone()).await;
    assert_eq!(changed.status, 200);
    for (field, value) in change.as_object().unwrap() {
        assert_eq!(&changed.json()[field], value, "{field}");
    }
    let back = patch(&server, "/v1/rooms/a/participants/p1", json!({ "role": null, "gain_db": null })).await.json();
    assert_eq!((back["role"].clone(), back["gain_db"].clone(), back["muted"].clone()), (json!(null), json!(0.0), json!(true)));
    assert_eq!(server.get("/v1/rooms/a/participants/p1").await.json()["name"], "Zoë");
    assert_eq!(server.get("/v1/rooms/a/participants/p2").await.status, 404);

    assert_eq!(server.ask("DELETE", "/v1/rooms/a/participants/p1", "", b"").await.status, 204);
    assert_eq!(server.ask("DELETE", "/v1/rooms/a/participants/p1", "", b"").await.status, 404);
    assert_eq!(server.get("/v1/rooms/a/participants/p1").await.status, 404);
    until("the session is closed", async || server.get(&session).await.status != 200).await;
}

#[tokio::test]
async fn templates_are_stored_used_and_forgotten_but_for_those_that_came_along() {
    let server = start().await;
    let region = |id: &str, left: &str| json!({ "id": id, "left": left, "top": "0", "width": "1/2", "height": "1" });
    let template = json!({ "title": "Duo", "regions": [region("left", "0"), region("right", "1/2")] });
    let made = server.send("PUT", "/v1/layouts/duo", &template).await;
    assert_eq!((made.status, made.header("location")), (201, Some("/v1/layouts/duo")));
    assert_eq!((made.json()["stock"].clone(), made.json()["capacity"].clone()), (json!(false), json!(2)));
    let known = format!("If-None-Match: {}\r\n", tag(&made));
    assert_eq!(server.ask("GET", "/v1/layouts/duo", &known, b"").await.status, 304);
    let listed = server.get("/v1/layouts").await.json();
    let names: Vec<_> = listed["layouts"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"duo") && names.contains(&"grid") && names.is_sorted(), "{names:?}");

    assert_eq!(server.send("PUT", "/v1/rooms/a", &json!({ "layout": { "template": "duo" } })).await.status, 201);
    assert_eq!(server.ask("DELETE", "/v1/layouts/duo", "", b"").await.status, 409, "a room uses it");
    assert_eq!(server.ask("DELETE", "/v1/rooms/a", "", b"").await.status, 204);
    assert_eq!(server.ask("DELETE", "/v1/layouts/duo", "", b"").await.status, 204);
    assert_eq!(server.get("/v1/layouts/duo").await.status, 404);
    assert_eq!(server.send("PUT", "/v1/layouts/grid", &template).await.status, 409);
    assert_eq!(server.ask("DELETE", "/v1/layouts/grid", "", b"").await.status, 409);
}

#[tokio::test]
async fn a_preview_shows_a_template_or_a_layout_and_is_not_drawn_twice() {
    let server = start().await;
    let path = "/v1/layouts/grid/preview.png?participants=5&width=320&height=180";
    let drawn = server.get(path).await;
    assert_eq!((drawn.status, drawn.header("content-type")), (200, Some("image/png")));
    let picture = image::load_from_memory(&drawn.body).unwrap();
    assert_eq!((picture.width(), picture.height()), (320, 180));
    assert_eq!(server.ask("GET", path, &format!("If-None-Match: {}\r\n", tag(&drawn)), b"").await.status, 304);
    let fewer = server.get("/v1/layouts/grid/preview.png?participants=2&width=320&height=180").await;
    assert!(fewer.body != drawn.body && tag(&fewer) != tag(&drawn));

    let unsaved = server.send("POST", "/v1/layouts/preview.png?participants=5&width=320&height=180", &json!({ "template": "grid" })).await;
    assert_eq!((unsaved.status, unsaved.body == drawn.body), (200, true));
    assert_eq!(server.get("/v1/layouts/none/preview.png").await.status, 404);
    assert_eq!(server.get("/v1/layouts/grid/preview.png?participants=101").await.status, 422);
    assert_eq!(server.get("/v1/layouts/preview.png").await.status, 405);
}
