//! Two admins at once: what one has not seen of the other's work is not replaced without a word.

use serde_json::{Value, json};

use crate::BLUE;
use crate::chromium::{Chromium, Tab};
use crate::server;

/// A page of the admin with a room that it made.
async fn admin(chromium: &Chromium, origin: &str, room: &str) -> Tab {
    let tab = chromium.tab(origin, "/admin", BLUE).await;
    tab.run(format!("document.getElementById('new-room').value = '{room}'; document.querySelector('#create button').click()")).await;
    tab.until("document.getElementById('room-facts').textContent.includes('open')").await;
    tab
}

/// Another admin's request, by the API.
async fn other(tab: &Tab, method: &str, path: &str, body: &Value) {
    let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let options = format!("{{ method: '{method}', headers: {{ 'Content-Type': '{kind}' }}, body: JSON.stringify({body}) }}");
    tab.run(format!("const answer = await fetch('{path}', {options}); if (!answer.ok) throw new Error(await answer.text())")).await;
}

async fn read(tab: &Tab, path: &str) -> Value {
    tab.eval(format!("(await fetch({path:?})).json()")).await
}

/// What stands in the room's lower third.
async fn band(tab: &Tab) -> Value {
    read(tab, "/v1/rooms/two").await["settings"]["overlays"]["lower_third"]["title"].take()
}

async fn write_title(tab: &Tab, title: &str) {
    let write =
        "const field = document.getElementById('v-title'); field.value = TITLE; field.dispatchEvent(new Event('input', { bubbles: true }))";
    tab.run(write.replace("TITLE", &format!("{title:?}"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_replaces_what_another_admin_changed_only_when_told_to() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let admin = admin(&chromium, &server.url(), "two").await;
    admin.press("tab-overlays").await;
    let apply = "document.querySelector('#overlays button').click()";
    let theirs = |title: &str| json!({ "overlays": { "lower_third": { "title": title } } });

    write_title(&admin, "mine").await;
    other(&admin, "PATCH", "/v1/rooms/two", &theirs("theirs")).await;
    admin.run(apply).await;
    admin.until("document.getElementById('confirm').open").await;
    assert_eq!(band(&admin).await, "theirs");
    admin.press("confirm-no").await;
    admin.until("!document.getElementById('confirm').open").await;
    admin.run(apply).await;
    admin.until("document.getElementById('status').textContent.includes('are applied')").await;
    assert_eq!(band(&admin).await, "mine");

    write_title(&admin, "mine again").await;
    other(&admin, "PATCH", "/v1/rooms/two", &theirs("theirs again")).await;
    admin.run(apply).await;
    admin.until("document.getElementById('confirm').open").await;
    admin.press("confirm-yes").await;
    admin.until("document.getElementById('v-title').value === 'theirs again'").await;
    assert_eq!(band(&admin).await, "theirs again");

    // What the form does not show may change under it.
    write_title(&admin, "last").await;
    other(&admin, "PATCH", "/v1/rooms/two", &json!({ "max_participants": 7 })).await;
    admin.run(apply).await;
    admin.until("(await (await fetch('/v1/rooms/two')).json()).settings.overlays.lower_third.title === 'last'").await;
    assert_eq!(read(&admin, "/v1/rooms/two").await["settings"]["max_participants"], 7);
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn regions_replace_what_another_admin_arranged_only_when_told_to() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let admin = admin(&chromium, &server.url(), "stage").await;
    admin.press("tab-regions").await;
    admin.until("document.querySelectorAll('.region').length === 1").await;
    admin.press("add-region").await;
    other(&admin, "PUT", "/v1/rooms/stage/layout", &json!({ "template": "side-by-side" })).await;
    admin.press("apply").await;
    admin.until("document.getElementById('confirm').open").await;
    assert_eq!(read(&admin, "/v1/rooms/stage/layout").await["template"], "side-by-side");
    admin.press("confirm-yes").await;
    admin.until("JSON.parse(document.getElementById('json').value).regions[0].id === 'left'").await;
    // Its own changes, one after the other, are nobody else's.
    for _ in 0..2 {
        admin.press("add-region").await;
        admin.press("apply").await;
        let as_drawn =
            "(await (await fetch('/v1/rooms/stage/layout')).json()).regions?.length === document.querySelectorAll('.region').length";
        admin.until(as_drawn).await;
        admin.until("document.getElementById('status').textContent.includes('are applied')").await;
        assert!(!admin.eval::<bool>("document.getElementById('confirm').open").await);
    }
    chromium.close().await;
}
