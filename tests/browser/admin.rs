//! The admin's page against the real server: what is done there is seen in the mix.

use serde_json::{Value, json};

use crate::chromium::{Chromium, Tab};
use crate::hands::Key;
use crate::{BLUE, GREEN, Person, RED, server};

/// A window in which the whole editor stands.
const DESKTOP: (u32, u32) = (1280, 900);
const ROOM_OPEN: &str = "document.querySelectorAll('#people .person').length";

/// Somebody who has joined a room and is seen there.
async fn joined(chromium: &Chromium, origin: &str, room: &str, person: Person) -> Tab {
    let tab = chromium.tab(origin, &format!("/r/{room}"), person).await;
    tab.join().await;
    tab.sees(person).await;
    tab
}

/// The admin's page with a room open and its `people` listed.
async fn admin(chromium: &Chromium, origin: &str, room: &str, people: usize) -> Tab {
    let tab = chromium.tab(origin, &format!("/admin#{room}"), BLUE).await;
    tab.resize(DESKTOP.0, DESKTOP.1).await;
    tab.until(&format!("{ROOM_OPEN} === {people}")).await;
    tab
}

/// The body of an answer of the API.
async fn api(tab: &Tab, path: &str) -> Value {
    tab.eval(format!("(await fetch({path:?})).json()")).await
}

/// Waits until the mix has a colour near `rgb` at a place; the picture is the server's own snapshot.
async fn shows(tab: &Tab, room: &str, (x, y): (u32, u32), rgb: [u8; 3]) {
    let look = "const answer = await fetch('/v1/rooms/ROOM/snapshot.png'); const picture = await createImageBitmap(await answer.blob()); \
                const canvas = new OffscreenCanvas(picture.width, picture.height).getContext('2d'); canvas.drawImage(picture, 0, 0); \
                const seen = canvas.getImageData(X, Y, 1, 1).data; \
                return COLOR.reduce((far, part, at) => far + Math.abs(part - seen[at]), 0) < 90";
    let filled = [("ROOM", room), ("X", &x.to_string()), ("Y", &y.to_string()), ("COLOR", &format!("{rgb:?}"))];
    let look = filled.iter().fold(look.to_owned(), |text, (name, value)| text.replace(name, value));
    tab.until(&format!("await (async () => {{ {look} }})()")).await;
}

/// Types the whole JSON of the editor anew.
fn type_json(text: &str) -> String {
    format!("const field = document.getElementById('json'); field.focus(); field.value = {text:?}; field.dispatchEvent(new Event('input'))")
}

/// The width of the first region in the editor's JSON.
async fn first_width(tab: &Tab) -> Value {
    tab.eval("JSON.parse(document.getElementById('json').value).regions[0].width").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_is_dragged_undone_done_again_and_applied_is_seen_in_the_mix() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let _red = joined(&chromium, &server.url(), "stage", RED).await;
    let admin = admin(&chromium, &server.url(), "stage", 1).await;
    admin.press("tab-regions").await;
    admin.until("document.querySelectorAll('.region').length === 1").await;
    assert_eq!(first_width(&admin).await, "1");

    let [left, top, right, bottom] = admin.edges("#editor").await;
    let middle = (top + bottom) / 2.0;
    // Four pixels beside the middle of the canvas: the edge snaps to the half.
    admin.drag((right - 2.0, middle), ((left + right) / 2.0 + 4.0, middle)).await;
    assert_eq!(first_width(&admin).await, "1/2");
    admin.press("undo").await;
    assert_eq!(first_width(&admin).await, "1");
    admin.press("redo").await;
    assert_eq!(first_width(&admin).await, "1/2");
    admin.until("document.getElementById('verdict').textContent.includes('can be applied')").await;
    assert_eq!(api(&admin, "/v1/rooms/stage/layout").await["regions"], json!(null), "nothing is applied yet");

    admin.press("apply").await;
    admin.until("document.getElementById('status').textContent.includes('are applied')").await;
    let applied = api(&admin, "/v1/rooms/stage/layout").await;
    assert_eq!(applied["regions"][0]["width"], "1/2");
    let cell = &applied["cells"][0];
    assert!(cell["x"].as_u64().unwrap() + cell["width"].as_u64().unwrap() <= 640, "{cell}");
    shows(&admin, "stage", (320, 360), RED.rgb).await;
    shows(&admin, "stage", (960, 360), [0x14, 0x17, 0x1c]).await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn regions_are_arranged_and_applied_by_keys_alone() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let _red = joined(&chromium, &server.url(), "keys", RED).await;
    let admin = admin(&chromium, &server.url(), "keys", 1).await;
    admin.tab_to("#tab-layout").await;
    admin.strike(Key::RIGHT).await;
    admin.until("document.activeElement.id === 'tab-regions' && document.querySelectorAll('.region').length === 1").await;

    admin.tab_to(".region").await;
    for _ in 0..12 {
        admin.strike(Key::LEFT.with_shift()).await;
    }
    admin.strike(Key::RIGHT).await;
    admin.strike(Key::PLUS).await;
    admin.until("/left 1.48, .*width 3.4, .*order 1/.test(document.getElementById('spoken').textContent)").await;
    admin.strike(Key::Z.with_ctrl()).await;
    admin.strike(Key::Z.with_ctrl()).await;
    admin.strike(Key::Z.with_ctrl().with_shift()).await;
    let region: Value = admin.eval("JSON.parse(document.getElementById('json').value).regions[0]").await;
    assert_eq!((&region["left"], &region["width"]), (&json!("1/48"), &json!("3/4")));
    assert_ne!(region["z"], 1);

    admin.tab_to("#apply").await;
    admin.strike(Key::ENTER).await;
    admin.until("document.getElementById('status').textContent.includes('are applied')").await;
    let applied = api(&admin, "/v1/rooms/keys/layout").await;
    assert_eq!((&applied["regions"][0]["left"], &applied["regions"][0]["width"]), (&json!("1/48"), &json!("3/4")));

    admin.tab_to("#undo").await;
    for _ in 0..13 {
        admin.strike(Key::ENTER).await;
    }
    assert!(admin.eval::<bool>("document.getElementById('undo').disabled").await);
    assert_eq!(admin.eval::<String>("document.activeElement.id").await, "redo", "the focus is not lost");
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_is_said_beside_the_json_and_changes_nothing() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let _red = joined(&chromium, &server.url(), "wrong", RED).await;
    let admin = admin(&chromium, &server.url(), "wrong", 1).await;
    admin.press("tab-regions").await;
    admin.until("document.querySelectorAll('.region').length === 1").await;
    admin.run(type_json(r#"{"regions":[{"id":"a","left":"1/2","top":"0","width":"3/4","height":"1"}]}"#)).await;
    admin.until("document.getElementById('verdict').textContent.includes('egions[0]')").await;
    admin.run(type_json("{")).await;
    admin.until("document.getElementById('verdict').textContent.includes('no JSON')").await;
    assert_eq!(api(&admin, "/v1/rooms/wrong/layout").await["regions"], json!(null));
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_json_that_is_no_layout_breaks_nothing_and_the_field_that_is_refused_is_marked() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let _red = joined(&chromium, &server.url(), "fields", RED).await;
    let watch = "addEventListener('error', ({ message }) => (globalThis.broken ??= message))";
    let admin = chromium.tab_with(&server.url(), "/admin#fields", BLUE, watch).await;
    admin.until(&format!("{ROOM_OPEN} === 1")).await;
    admin.press("tab-regions").await;
    admin.until("document.querySelectorAll('.region').length === 1").await;
    let right = admin.eval::<String>("document.getElementById('json').value").await;
    for wrong in ["null", "5", "[]", r#"{"regions":[null]}"#, r#"{"regions":[[1],"x"]}"#] {
        admin.run(type_json(wrong)).await;
        admin.until("document.getElementById('verdict').dataset.kind === 'wrong'").await;
        admin.run(type_json(&right)).await;
        admin.until("document.getElementById('verdict').dataset.kind === 'right'").await;
    }
    assert_eq!(admin.eval::<String>("String(globalThis.broken)").await, "undefined");

    let leave =
        "const field = document.getElementById('r-width'); field.value = TEXT; field.dispatchEvent(new Event('change', { bubbles: true }))";
    admin.run(leave.replace("TEXT", "'5/4'")).await;
    admin.until("document.querySelector('#r-width[aria-invalid=true]')").await;
    assert_eq!(admin.eval::<u32>("document.querySelectorAll('#region-fields [aria-invalid=true]').length").await, 1);
    admin.until("document.getElementById('verdict').textContent.includes('regions[0].width')").await;
    admin.run(leave.replace("TEXT", "'3/4'")).await;
    admin.until("document.querySelectorAll('[aria-invalid=true], .region.wrong').length === 0").await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_click_on_a_tile_pins_its_person_and_another_one_unpins_them() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let _red = joined(&chromium, &server.url(), "pins", RED).await;
    let _green = joined(&chromium, &server.url(), "pins", GREEN).await;
    let admin = admin(&chromium, &server.url(), "pins", 2).await;
    admin.until("document.querySelectorAll('.cell').length === 2").await;
    let left = |name| format!("document.querySelector(\".cell[aria-label='Pin {name}']\").getBoundingClientRect().left");
    for pinned in [true, false] {
        admin.click(admin.middle(".cell[aria-label='Pin Verde']").await).await;
        admin
            .until(&format!("document.querySelector(\".cell[aria-label='Pin Verde']\").getAttribute('aria-pressed') === '{pinned}'"))
            .await;
        let people = api(&admin, "/v1/rooms/pins/participants").await;
        let people = people["participants"].as_array().unwrap().iter().filter(|one| one["pinned"] == true);
        let names: Vec<_> = people.map(|one| &one["name"]).collect();
        assert_eq!(names, if pinned { vec!["Verde"] } else { vec![] });
        // Who is pinned stands first; the next click must not hit where Verde was before.
        if pinned {
            admin.until(&format!("{} < {}", left("Verde"), left("Ruby"))).await;
        }
    }
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_removed_is_told_so_and_does_not_come_back() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let red = joined(&chromium, &server.url(), "out", RED).await;
    let _green = joined(&chromium, &server.url(), "out", GREEN).await;
    let admin = admin(&chromium, &server.url(), "out", 2).await;
    admin.run("document.querySelector(\"[aria-label='Remove Ruby']\").click()").await;
    admin.until("document.getElementById('confirm').open").await;
    admin.press("confirm-yes").await;
    red.until("document.getElementById('warning').textContent.includes('An admin has removed you')").await;
    admin.until(&format!("{ROOM_OPEN} === 1")).await;
    assert_eq!(red.eval::<String>("document.body.dataset.stage").await, "lobby");
    assert_eq!(red.eval::<usize>("judge.states().length").await, 1, "it joined again by itself");
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_screen_stands_in_the_room_until_it_is_stopped() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let red = joined(&chromium, &server.url(), "slides", RED).await;
    let admin = admin(&chromium, &server.url(), "slides", 1).await;
    red.press("share-screen").await;
    admin.until(&format!("{ROOM_OPEN} === 2")).await;
    admin.until("[...document.querySelectorAll('.person')].some((card) => /Ruby .screen.[^]*screen/.test(card.textContent))").await;
    red.sees(GREEN).await;
    red.press("share-screen").await;
    admin.until(&format!("{ROOM_OPEN} === 1")).await;
    red.misses(GREEN).await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_is_added_is_what_its_watchers_get() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let _red = joined(&chromium, &server.url(), "views", RED).await;
    let admin = admin(&chromium, &server.url(), "views", 1).await;
    admin.press("tab-settings").await;
    admin
        .run(
            "document.getElementById('view-name').value = 'tall'; document.getElementById('view-size').value = '720x1280'; \
              document.querySelector('#add-view button').click()",
        )
        .await;
    admin.until("[...document.getElementById('view').options].some(({ value }) => value === 'tall')").await;
    let watcher = chromium.tab(&server.url(), "/watch/views?view=tall", BLUE).await;
    // The highest rendition is 720 high: 720×1280 is scaled to it.
    watcher.until("document.getElementById('mix').videoHeight === 1280 && document.getElementById('mix').videoWidth === 720").await;
    watcher.sees(RED).await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_created_locked_and_deleted() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let admin = chromium.tab(&server.url(), "/admin", BLUE).await;
    admin.run("document.getElementById('new-room').value = 'fresh'; document.querySelector('#create button').click()").await;
    admin.until("location.hash === '#fresh' && document.getElementById('room-facts').textContent.includes('open')").await;
    admin.press("lock").await;
    admin.until("document.getElementById('room-facts').textContent.includes('locked')").await;
    assert_eq!(api(&admin, "/v1/rooms/fresh").await["settings"]["locked"], true);
    admin.press("tab-settings").await;
    admin.press("delete-room").await;
    admin.press("confirm-yes").await;
    admin.until("!document.getElementById('rooms-view').hidden && !document.getElementById('no-rooms').hidden").await;
    assert_eq!(api(&admin, "/v1/rooms").await["rooms"], json!([]));
    chromium.close().await;
}
