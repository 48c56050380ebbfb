//! The admin's page without a key, and without a server, and how it goes on once it has them.

use medley::config::Config;

use crate::BLUE;
use crate::chromium::Chromium;
use crate::{server, server_with};

/// `printf %s open-sesame | sha256sum`
pub(crate) const HASH: &str = "sha256:d7ecdf25eaf3deba0f2628771dbdd22d4138ab6cf38f91ed02a2ca0dec7c8ab7";
const FILLED: &str = "document.querySelectorAll('.template').length > 5 && document.getElementById('start-from').options.length > 5 \
                      && document.getElementById('v-logo').options.length > 0";

#[tokio::test(flavor = "multi_thread")]
async fn a_room_opened_without_a_key_asks_for_one_and_then_fills_every_pane() {
    let config = Config { api_keys: vec![HASH.into()], ..Config::default() };
    let (server, chromium) = tokio::join!(server_with(config), Chromium::launch());
    let admin = chromium.tab(&server.url(), "/admin#kept", BLUE).await;
    let enter = "document.getElementById('key').value = KEY; document.querySelector('#key-form button').click()";
    admin.until("document.getElementById('warning').textContent.includes('access key')").await;
    admin.run(enter.replace("KEY", "'wrong'")).await;
    admin.until("document.getElementById('warning').textContent.includes('is not one of this server')").await;
    admin.run("await fetch('/v1/rooms/kept', { method: 'PUT', headers: { Authorization: 'Bearer open-sesame', 'Content-Type': 'application/json' }, body: '{}' })").await;
    admin.run(enter.replace("KEY", "'open-sesame'")).await;
    admin.until(FILLED).await;
    admin.until("document.getElementById('warning').hidden && document.getElementById('room-facts').textContent.includes('kept')").await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_is_told_of_until_it_does() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let cut = "const real = fetch; globalThis.cut = true; globalThis.fetch = async (...all) => { if (cut) throw new TypeError('cut'); return real(...all); }";
    let admin = chromium.tab_with(&server.url(), "/admin", BLUE, cut).await;
    for (room, there) in [("", "!document.getElementById('no-rooms').hidden"), ("#back", FILLED)] {
        admin.run(format!("cut = true; location.hash = '{room}'")).await;
        admin.until("document.getElementById('warning').textContent.includes('does not answer')").await;
        admin.run("cut = false").await;
        if !room.is_empty() {
            admin
                .run("await fetch('/v1/rooms/back', { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: '{}' })")
                .await;
        }
        admin.until(there).await;
        admin.until("document.getElementById('warning').hidden").await;
    }
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_not_there_is_not_made_by_looking_at_it() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let admin = chromium.tab(&server.url(), "/admin#ghost", BLUE).await;
    admin.until("document.getElementById('warning').textContent.includes('no room ghost')").await;
    admin.until("document.getElementById('picture-state').textContent.includes('no room ghost')").await;
    let rooms: usize = admin.eval("(await (await fetch('/v1/rooms')).json()).rooms.length").await;
    assert_eq!(rooms, 0);
    chromium.close().await;
}
