//! Whether the pages can be used by everybody: on a phone's screen, and by axe-core's automated accessibility rules.

use std::path::PathBuf;

use serde_json::Value;

use crate::chromium::{Chromium, Tab};
use crate::{BLUE, RED, server};

const PANES: [&str; 9] = ["layout", "regions", "overlays", "settings", "encoders", "recordings", "links", "players", "log"];

/// axe-core, as `.ci/install test` fetched it.
fn axe() -> String {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    let file = target.join("tools/axe.min.js");
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}: `make test` fetches it", file.display()))
}

/// Everything that axe finds wrong with the page as it stands.
pub(crate) async fn breaches(tab: &Tab) -> Vec<String> {
    if !tab.eval::<bool>("'axe' in globalThis").await {
        tab.inject(axe()).await;
    }
    let found: Value = tab.eval("(await axe.run(document)).violations").await;
    let nodes = |rule: &Value| rule["nodes"].as_array().unwrap().iter().map(|node| node["target"].to_string()).collect::<Vec<_>>();
    found.as_array().unwrap().iter().map(|rule| format!("{}: {}", rule["id"], nodes(rule).join(" "))).collect()
}

/// Opens a pane of the room and waits until it has what it shows.
async fn open_pane(tab: &Tab, pane: &str) {
    tab.press(&format!("tab-{pane}")).await;
    let filled = match pane {
        "layout" => "document.querySelectorAll('.template').length > 5",
        "regions" => "document.querySelectorAll('.region').length > 0",
        "encoders" => "document.querySelectorAll('#encoders tr').length > 0",
        _ => "true",
    };
    tab.until(filled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_breaks_a_rule_of_accessibility() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let red = chromium.tab(&server.url(), "/r/open", RED).await;
    assert_eq!(breaches(&red).await, [""; 0], "/r/open before joining");
    red.join().await;
    red.sees(RED).await;
    assert_eq!(breaches(&red).await, [""; 0], "/r/open in the room");
    for path in ["/", "/watch/open", "/stats/open", "/docs", "/admin"] {
        let tab = chromium.tab(&server.url(), path, BLUE).await;
        tab.until("document.readyState === 'complete'").await;
        assert_eq!(breaches(&tab).await, [""; 0], "{path}");
    }
    let admin = chromium.tab(&server.url(), "/admin#open", BLUE).await;
    admin.until("document.querySelectorAll('.person').length === 1").await;
    for pane in PANES {
        open_pane(&admin, pane).await;
        assert_eq!(breaches(&admin).await, [""; 0], "/admin#open, {pane}");
    }
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admins_page_breaks_no_rule_in_the_light_or_on_a_phone() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let red = chromium.tab(&server.url(), "/r/light", RED).await;
    red.join().await;
    red.sees(RED).await;
    for (light, width) in [(true, 1280), (true, 360), (false, 360)] {
        let admin = chromium.tab(&server.url(), "/admin#light", BLUE).await;
        admin.resize(width, 740).await;
        admin.prefer_light(light).await;
        admin.until("document.querySelectorAll('.person').length === 1").await;
        for pane in PANES {
            open_pane(&admin, pane).await;
            assert_eq!(breaches(&admin).await, [""; 0], "{pane}, {width} wide, light: {light}");
        }
        admin.page.close().await.unwrap();
    }
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_admins_page_is_wider_than_a_phone() {
    let (server, chromium) = tokio::join!(server(), Chromium::launch());
    let red = chromium.tab(&server.url(), "/r/phone", RED).await;
    red.join().await;
    red.sees(RED).await;
    let admin = chromium.tab(&server.url(), "/admin", BLUE).await;
    admin.resize(360, 740).await;
    admin.until("document.querySelectorAll('.card').length === 1").await;
    let width = "document.documentElement.scrollWidth";
    assert!(admin.eval::<u32>(width).await <= 360, "the list of rooms");
    admin.run("location.hash = 'phone'").await;
    admin.until("document.querySelectorAll('.person').length === 1").await;
    for pane in PANES {
        open_pane(&admin, pane).await;
        assert!(admin.eval::<u32>(width).await <= 360, "{pane}");
    }
    chromium.close().await;
}
