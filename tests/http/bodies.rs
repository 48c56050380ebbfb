//! Bodies that are refused: each with its status and the sentence that it gets; nothing is changed by any of them.
//!
//! `cargo test --test http every_bad_body -- --nocapture` prints the table.

use serde_json::{Value, json};

use crate::server::{Server, start};

/// Method and path; the body (`@…` stands for one that is too long to be written here); status; what the detail has in it.
type Row = (&'static str, &'static str, u16, &'static str);

const ROOM: &str = "PUT /v1/rooms/a";
const PATCH: &str = "PATCH /v1/rooms/a";
const LAYOUT: &str = "PUT /v1/rooms/a/layout";
const DRY: &str = "PUT /v1/rooms/a/layout?dry_run=true";
const TEMPLATE: &str = "PUT /v1/layouts/own";
const PERSON: &str = "PATCH /v1/rooms/a/participants/p1";
const PREVIEW: &str = "POST /v1/layouts/preview.png";

const ROWS: &[Row] = &[
    // What is no JSON, or none that is read
    (ROOM, "{", 422, "the body: EOF while parsing"),
    (ROOM, "{\"locked\": tru}", 422, "locked: expected ident"),
    (ROOM, "{'locked': true}", 422, "key must be a string"),
    (ROOM, "{\"locked\": true,}", 422, "trailing comma"),
    (ROOM, "{} {}", 422, "goes on after its JSON"),
    (ROOM, "locked=true", 422, "expected value"),
    (ROOM, "[]", 422, "the body: is an array; send an object"),
    (ROOM, "null", 422, "the body: invalid type: null"),
    (ROOM, "\"grid\"", 422, "the body: invalid type: string"),
    (ROOM, "@deep", 422, "recursion limit exceeded"),
    (ROOM, "@latin1", 422, "invalid unicode"),
    (ROOM, "@long", 413, "longer than 65536 bytes"),
    (ROOM, "@text", 415, "Content-Type text/plain"),
    (ROOM, "@merge", 415, "send Content-Type: application/json"),
    (LAYOUT, "@text", 415, "send Content-Type: application/json"),
    (PATCH, "@text", 415, "application/merge-patch+json or application/json"),
    (PERSON, "@long", 413, "longer than 65536 bytes"),
    // Keys
    (ROOM, r#"{"lokced": true}"#, 422, "lokced: unknown field `lokced`"),
    (ROOM, r#"{"canvas": {"depth": 8}}"#, 422, "canvas.depth: unknown field"),
    (ROOM, r#"{"locked": true, "locked": false}"#, 422, "\"locked\" is given twice"),
    (ROOM, r#"{"views": {"a": {}, "a": {}}}"#, 422, "views: the key \"a\" is given twice"),
    (ROOM, r#"{"overlays": {"logo": {"image": "logo", "url": "http://x/"}}}"#, 422, "overlays.logo.url: unknown field"),
    (PERSON, r#"{"mute": true}"#, 422, "mute: unknown field"),
    (LAYOUT, r#"{"layout": {}}"#, 422, "layout: unknown field"),
    (TEMPLATE, r#"{"arrangement": []}"#, 422, "arrangement: unknown field"),
    // A canvas
    (ROOM, r#"{"canvas": {"width": 126}}"#, 422, "canvas.width: 126 is out of range: send a whole number from 128 to 3840"),
    (ROOM, r#"{"canvas": {"width": 3842}}"#, 422, "canvas.width: 3842"),
    (ROOM, r#"{"canvas": {"width": 1281}}"#, 422, "canvas.width: 1281 is odd"),
    (ROOM, r#"{"canvas": {"height": 2162}}"#, 422, "canvas.height: 2162"),
    (ROOM, r#"{"canvas": {"height": 721}}"#, 422, "canvas.height: 721 is odd"),
    (ROOM, r#"{"canvas": {"width": "1280"}}"#, 422, "canvas.width: invalid type: string"),
    (ROOM, r#"{"canvas": {"width": 1280.5}}"#, 422, "canvas.width: 1280.5 is out of range: send a whole number from 128"),
    (ROOM, r#"{"canvas": {"width": -1280}}"#, 422, "canvas.width: -1280 is out of range: send a whole number from 128"),
    (ROOM, r#"{"canvas": {"width": 1e400}}"#, 422, "canvas.width: number out of range"),
    (ROOM, r#"{"canvas": {"width": NaN}}"#, 422, "canvas.width: expected value"),
    (ROOM, r#"{"canvas": {"width": null}}"#, 422, "canvas.width: invalid type: null"),
    (ROOM, r#"{"canvas": {"fps": 4}}"#, 422, "canvas.fps: 4 is out of range: send a whole number from 5 to 60"),
    (ROOM, r#"{"canvas": {"fps": 61}}"#, 422, "canvas.fps: 61"),
    (ROOM, r#"{"canvas": {"fps": 18446744073709551616}}"#, 422, "canvas.fps: "),
    (ROOM, r#"{"canvas": {"background": "red"}}"#, 422, "canvas.background: "),
    (ROOM, r##"{"canvas": {"background": "#12345"}}"##, 422, "canvas.background: "),
    (ROOM, r##"{"canvas": {"background": "#12345é"}}"##, 422, "canvas.background: "),
    (ROOM, r#"{"canvas": [640, 360]}"#, 422, "canvas: is an array; send an object"),
    (LAYOUT, r#"{"regions": [["a", 0, 0, 1, 1]]}"#, 422, "regions[0]: is an array; send an object"),
    (ROOM, r#"{"canvas": null}"#, 422, "canvas: invalid type: null"),
    // The room's other settings
    (ROOM, r#"{"max_participants": 0}"#, 422, "max_participants: 0 is out of range"),
    (ROOM, r#"{"max_participants": 10001}"#, 422, "max_participants: 10001"),
    (ROOM, r#"{"max_self_views": 65}"#, 422, "max_self_views: 65"),
    (ROOM, r#"{"locked": "yes"}"#, 422, "locked: invalid type: string"),
    (ROOM, r#"{"unique_names": 1}"#, 422, "unique_names: invalid type: integer"),
    (ROOM, r#"{"audio": {"max_talkers": 33}}"#, 422, "audio.max_talkers: 33"),
    (ROOM, r#"{"audio": {"agc": null}}"#, 422, "audio.agc: invalid type: null"),
    (ROOM, r#"{"views": {"main": {}}}"#, 422, "views.main: "),
    (ROOM, r#"{"views": {"no view": {}}}"#, 422, "\"no view\" is no name"),
    (ROOM, r#"{"views": {"a":{},"b":{},"c":{},"d":{},"e":{},"f":{},"g":{},"h":{},"i":{}}}"#, 422, "views: there are 9"),
    (ROOM, r#"{"views": {"tall": {"canvas": {"height": 101}}}}"#, 422, "views.tall.canvas.height: 101"),
    (ROOM, r#"{"views": {"tall": {"canvas": {"height": 641}}}}"#, 422, "views.tall.canvas.height: 641 is odd"),
    (ROOM, r#"{"views": {"tall": {"layout": {"template": "gird"}}}}"#, 422, "views.tall.layout.template: there is no template"),
    // Renditions
    (ROOM, r#"{"renditions": []}"#, 422, "renditions: there are 0"),
    (
        ROOM,
        r#"{"renditions": [{"name": "x", "height": 720, "fps": 30, "max_bps": 1000000}]}"#,
        422,
        "renditions[0]: missing field `min_bps`",
    ),
    (
        ROOM,
        r#"{"renditions": [{"name": "x", "height": 720, "fps": 30, "max_bps": 1, "min_bps": 20000}]}"#,
        422,
        "renditions[0].max_bps: 1 ",
    ),
    (
        ROOM,
        r#"{"renditions": [{"name": "x", "height": 720, "fps": 30, "max_bps": 100000, "min_bps": 200000}]}"#,
        422,
        "renditions[0].min_bps: is more",
    ),
    (
        ROOM,
        r#"{"renditions": [{"name": "x", "height": 361, "fps": 30, "max_bps": 100000, "min_bps": 50000}]}"#,
        422,
        "renditions[0].height: 361 is odd",
    ),
    (ROOM, "@twice", 422, "renditions[1].name: x is the name of another"),
    (ROOM, "@rising", 422, "renditions[1].height: is more than the one before"),
    // Overlays
    (ROOM, r#"{"overlays": {"background_image": "none"}}"#, 422, "overlays.background_image: there is no image \"none\""),
    (ROOM, r#"{"overlays": {"background_image": "../logo"}}"#, 422, "overlays.background_image: \"../logo\" is no name"),
    (ROOM, r#"{"overlays": {"logo": {}}}"#, 422, "overlays.logo: missing field `image`"),
    (ROOM, r#"{"overlays": {"logo": {"image": "logo", "opacity": 1.5}}}"#, 422, "overlays.logo.opacity: 1.5"),
    (ROOM, r#"{"overlays": {"logo": {"image": "logo", "width": 0}}}"#, 422, "overlays.logo.width: "),
    (ROOM, r#"{"overlays": {"logo": {"image": "logo", "width": "9/8"}}}"#, 422, "overlays.logo.width: "),
    (ROOM, r#"{"overlays": {"logo": {"image": "logo", "position": "middle"}}}"#, 422, "overlays.logo.position: unknown variant `middle`"),
    (ROOM, r#"{"overlays": {"lower_third": {"title": " "}}}"#, 422, "overlays.lower_third.title: is empty"),
    (ROOM, r#"{"overlays": {"lower_third": {"title": "a\nb"}}}"#, 422, "overlays.lower_third.title: holds control characters"),
    (ROOM, "@title", 422, "overlays.lower_third.title: has 81 characters"),
    // Layouts
    (LAYOUT, r#"{"template": "gird"}"#, 422, "template: there is no template \"gird\""),
    (LAYOUT, r#"{"template": ""}"#, 422, "template: \"\" is no name"),
    (LAYOUT, r#"{"template": "grid", "regions": []}"#, 422, "regions: cannot stand beside `template`"),
    (LAYOUT, r#"{"regions": []}"#, 422, "regions: has 0: send 1 to 64"),
    (LAYOUT, "@regions", 422, "regions: has 65"),
    (LAYOUT, r#"{"regions": [{"id": "a", "left": 0, "top": 0, "width": 1}]}"#, 422, "regions[0]: missing field `height`"),
    (LAYOUT, r#"{"regions": [{"id": "a", "left": 0, "top": 0, "width": "4/3", "height": 1}]}"#, 422, "regions[0].width: "),
    (LAYOUT, r#"{"regions": [{"id": "a", "left": 0, "top": 0, "width": "1/0", "height": 1}]}"#, 422, "regions[0].width: "),
    (LAYOUT, r#"{"regions": [{"id": "a", "left": 0, "top": 0, "width": 0, "height": 1}]}"#, 422, "regions[0].width: must be above 0"),
    (LAYOUT, r#"{"regions": [{"id": "a", "left": "1/2", "top": 0, "width": "2/3", "height": 1}]}"#, 422, "regions[0].width: left + width"),
    (LAYOUT, r#"{"regions": [{"id": "a", "left": -0.1, "top": 0, "width": 1, "height": 1}]}"#, 422, "regions[0].left: "),
    (LAYOUT, r#"{"regions": [{"id": "a", "left": 0, "top": 0, "width": 1, "height": 1, "z": 101}]}"#, 422, "regions[0].z: 101"),
    (
        LAYOUT,
        r#"{"regions": [{"id": "a", "left": 0, "top": 0, "width": 1, "height": 1, "shows": "everybody"}]}"#,
        422,
        "regions[0].shows: ",
    ),
    (LAYOUT, r#"{"regions": [{"id": "a", "left": 0, "top": 0, "width": 1, "height": 1, "shows": ""}]}"#, 422, "regions[0].shows: "),
    (LAYOUT, r#"{"regions": [{"id": "a", "left": 0, "top": 0, "width": 1, "height": 1, "tiles": 0}]}"#, 422, "regions[0].tiles: 0"),
    (LAYOUT, r#"{"regions": [{"id": "a", "left": 0, "top": 0, "width": 1, "height": 1, "opacity": -1}]}"#, 422, "regions[0].opacity: -1"),
    (
        LAYOUT,
        r#"{"regions": [{"id": "a", "left": 0, "top": 0, "width": 1, "height": 1, "border": {"width": 4}}]}"#,
        422,
        "regions[0].border: missing field `color`",
    ),
    (LAYOUT, "@same", 422, "regions[1].id: \"a\" is another region's"),
    (LAYOUT, r#"{"gap": 65}"#, 422, "gap: 65"),
    (LAYOUT, r#"{"fit": "stretch"}"#, 422, "fit: unknown variant `stretch`, expected `cover` or `contain`"),
    (LAYOUT, r#"{"aspect": "21:9"}"#, 422, "aspect: unknown variant `21:9`"),
    (LAYOUT, r#"{"transition_ms": 10001}"#, 422, "transition_ms: 10001"),
    (LAYOUT, r#"{"max_tiles": 101}"#, 422, "max_tiles: 101"),
    (LAYOUT, r#"{"at_ms": -1}"#, 422, "at_ms: "),
    (LAYOUT, r#"{"at_ms": 18446744073709551615}"#, 422, "at_ms: 18446744073709551615 is more than a day ahead"),
    (DRY, r#"{"template": "gird"}"#, 422, "template: there is no template \"gird\""),
    ("PUT /v1/rooms/a/layout?dryrun=true", "{}", 422, "the query: dryrun: unknown field `dryrun`"),
    ("PUT /v1/rooms/a/layout?view=none", "{}", 404, "none"),
    (PREVIEW, r#"{"template": "gird"}"#, 422, "template: there is no template \"gird\""),
    // Templates
    (TEMPLATE, "{}", 422, "missing field `arrangements`"),
    (TEMPLATE, r#"{"arrangements": []}"#, 422, "arrangements: has 0"),
    (TEMPLATE, r#"{"regions": []}"#, 422, "regions: has 0"),
    (TEMPLATE, r#"{"arrangements": [{"people": "6-2", "regions": []}]}"#, 422, "arrangements[0].people: "),
    (TEMPLATE, r#"{"arrangements": [{"people": 0, "regions": []}]}"#, 422, "arrangements[0].people: "),
    (TEMPLATE, r#"{"arrangements": [{"orientation": "diagonal", "regions": []}]}"#, 422, "arrangements[0].orientation: unknown variant"),
    ("PUT /v1/layouts/grid", r#"{"regions": [{"id": "a", "left": 0, "top": 0, "width": 1, "height": 1}]}"#, 409, "grid"),
    ("PUT /v1/layouts/no%20name", "{}", 422, "\"no name\" is no name"),
    // Changes
    (PATCH, "[]", 422, "the body is an array; send an object"),
    (PATCH, r#"{"canvas": {"width": 129}}"#, 422, "canvas.width: 129 is odd"),
    (PATCH, r#"{"canvas": 5}"#, 422, "canvas: invalid type: integer"),
    (PATCH, r#"{"layout": {"template": "gird"}}"#, 422, "layout.template: there is no template"),
    (PERSON, r#"{"gain_db": 20.5}"#, 422, "gain_db: 20.5 is out of range: send a number from -60 to 20"),
    (PERSON, r#"{"gain_db": -1e30}"#, 422, "gain_db: "),
    (PERSON, r#"{"name": "", "muted": true}"#, 422, "name: is empty"),
    (PERSON, r#"{"name": "a\u0000b", "muted": true}"#, 422, "name: holds control characters"),
    (PERSON, r#"{"role": "the host", "muted": true}"#, 422, "role: \"the host\" is no name"),
    (PERSON, r#"{"muted": true, "hidden": "no"}"#, 422, "hidden: invalid type: string"),
    ("PATCH /v1/rooms/a/participants/p01", r#"{"muted": true}"#, 404, "ids are like p3"),
    ("PATCH /v1/rooms/a/participants/p9", r#"{"muted": true}"#, 404, "p9"),
];

/// The body that a row's text stands for, and its media type.
fn body(text: &str) -> (Vec<u8>, &'static str) {
    let (json, region) = ("application/json", r#"{"id": "a", "left": 0, "top": 0, "width": 1, "height": 1}"#);
    let rendition = |name: &str, height: u32| json!({ "name": name, "height": height, "fps": 30, "max_bps": 100_000, "min_bps": 50_000 });
    match text {
        "@deep" => ("[".repeat(60_000).into(), json),
        "@latin1" => (b"{\"locked\": \"\xe9\"}".into(), json),
        "@long" => (format!("{{\"title\": \"{}\"}}", "x".repeat(65_536)).into(), json),
        "@text" => ("{}".into(), "text/plain"),
        "@merge" => ("{}".into(), "application/merge-patch+json"),
        "@twice" => (json!({ "renditions": [rendition("x", 720), rendition("x", 360)] }).to_string().into(), json),
        "@rising" => (json!({ "renditions": [rendition("x", 360), rendition("y", 720)] }).to_string().into(), json),
        "@title" => (json!({ "overlays": { "lower_third": { "title": "x".repeat(81) } } }).to_string().into(), json),
        "@regions" => (format!("{{\"regions\": [{}]}}", vec![region; 65].join(",")).into(), json),
        "@same" => (format!("{{\"regions\": [{region}, {region}]}}").into(), json),
        written => (written.into(), json),
    }
}

/// All that an admin can have set, without what moves by itself.
async fn as_set(server: &Server) -> Value {
    let room = server.get("/v1/rooms/a").await;
    let tag = room.header("etag").map(str::to_owned);
    let mut room = room.json();
    let people = room["participants"].take();
    let set = |person: &Value| ["id", "name", "role", "muted", "hidden", "pinned", "gain_db"].map(|field| person[field].clone());
    let people: Vec<_> = people.as_array().unwrap().iter().map(set).collect();
    let lists = [server.get("/v1/layouts").await.json(), server.get("/v1/images").await.json(), server.get("/v1/rooms").await.json()];
    json!({ "tag": tag, "settings": room["settings"], "layout": room["layout"], "kept": room["kept"], "people": people, "lists": lists })
}

async fn furnished() -> Server {
    let server = start().await;
    let logo = crate::images::file(8, 8, image::ImageFormat::Png);
    assert_eq!(server.ask("PUT", "/v1/images/logo", "Content-Type: image/png\r\n", &logo).await.status, 201);
    let settings = json!({ "locked": false, "canvas": { "width": 640, "height": 360 }, "overlays": { "logo": { "image": "logo" } } });
    assert_eq!(server.send("PUT", "/v1/rooms/a", &settings).await.status, 201);
    server.join("a").await;
    server
}

#[tokio::test]
async fn every_bad_body_is_told_what_is_wrong_with_it_and_changes_nothing() {
    assert!(ROWS.len() >= 100, "{}", ROWS.len());
    let server = furnished().await;
    let mut before = as_set(&server).await;
    let mut wrong = Vec::new();
    for &(request, text, status, said) in ROWS {
        let (method, path) = request.split_once(' ').unwrap();
        let (bytes, media_type) = body(text);
        let reply = server.ask(method, path, &format!("Content-Type: {media_type}\r\n"), &bytes).await;
        let problem: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or_default();
        println!("{request}\t{text}\t{}\t{detail}", reply.status);
        if reply.status != status || problem["status"] != status || !detail.contains(said) || detail.len() > 1000 {
            wrong.push(format!("{request} {text}: {} {detail}, not {status} {said}", reply.status));
        }
        let after = as_set(&server).await;
        if after != before {
            let parts = ["tag", "settings", "layout", "kept", "people", "lists"].into_iter();
            let changed: Vec<_> = parts.filter(|part| after[part] != before[part]).collect();
            wrong.push(format!("{request} {text} changed {changed:?}"));
            before = after;
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), ROWS.len(), wrong.join("\n"));
}
