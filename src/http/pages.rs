//! The pages and what they are made of, embedded in the binary.
//!
//! In: a path. Out: HTML that is checked again each time, and assets under a path that changes with their content and
//! are kept for a year. Never: script or style from anywhere else.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::path::RoomParam;
use super::wish::InRoom;
use super::{Problem, etag};

struct Asset {
    name: &'static str,
    bytes: &'static [u8],
}

macro_rules! assets {
    ($($name:literal),* $(,)?) => { &[$(Asset { name: $name, bytes: include_bytes!(concat!("../../assets/web/", $name)) }),*] };
}

#[rustfmt::skip]
static ASSETS: &[Asset] = assets![
    "admin-api.js", "admin-change.js", "admin-confirm.js", "admin-desk.js", "admin-draft.js", "admin-editor.js", "admin-element.js",
    "admin-encoders.js", "admin-events.js", "admin-files.js", "admin-form.js", "admin-fraction.js", "admin-geometry.js", "admin-images.js",
    "admin-layout.js", "admin-links.js", "admin-live.css", "admin-log.js", "admin-mix.js", "admin-options.js", "admin-overlays.js",
    "admin-panes.css", "admin-people.js", "admin-players.js", "admin-quality.js", "admin-recordings.js", "admin-region-fields.js",
    "admin-regions.css", "admin-rooms.js", "admin-settings.js", "admin-stage.js", "admin-suggest.js", "admin-tabs.js", "admin-templates.js",
    "admin-views.js", "admin.css", "admin.js", "api.js", "chart.js", "chat.js", "copy.js", "devices.js", "docs-element.js",
    "docs-schema.js", "docs-try.js", "docs.css", "docs.js", "figures.js", "guides.js", "hls-feed.js", "hls-player.js", "hls-playlist.js",
    "icon.svg", "index.js", "line.js", "low.js", "media-buffer.js", "people.js", "playing.js", "quality.js", "restart.js", "room.js",
    "screen.js", "session.js", "stage.css", "stats-figures.js", "stats.css", "stats.js", "style.css", "talk-panels.js", "talk.css",
    "talk.js", "tiles.js", "view.js", "watch.js", "way-hls.js", "way-pictures.js", "way-webrtc.js", "ways.js",
];

impl Asset {
    fn content_type(&self) -> &'static str {
        match self.name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "text/javascript; charset=utf-8",
        }
    }
}

/// The part of the assets' path that changes with their content.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut content = digest::Context::new(&digest::SHA256);
    ASSETS.iter().for_each(|asset| content.update(asset.bytes));
    etag::hex(&content.finish().as_ref()[..8])
});

/// A page with its assets' path filled in, and its entity tag.
struct Page {
    html: String,
    etag: HeaderValue,
}

/// What several pages have: the head's beginning, the form for the access key, people and chat.
const PARTS: [(&str, &str); 3] = [
    ("{{head}}", include_str!("../../assets/web/part-head.html")),
    ("{{key}}", include_str!("../../assets/web/part-key.html")),
    ("{{talk}}", include_str!("../../assets/web/part-talk.html")),
];

impl Page {
    fn new(template: &str) -> Self {
        let html = PARTS.iter().fold(template.to_owned(), |html, (name, part)| html.replace(name, part));
        let html = html.replace("{{assets}}", &format!("/assets/{}", *VERSION));
        Self { etag: etag::of(html.as_bytes()), html }
    }
}

static INDEX: LazyLock<Page> = LazyLock::new(|| Page::new(include_str!("../../assets/web/index.html")));
static ADMIN: LazyLock<Page> = LazyLock::new(|| Page::new(include_str!("../../assets/web/admin.html")));
static DOCS: LazyLock<Page> = LazyLock::new(|| Page::new(include_str!("../../assets/web/docs.html")));
static ROOM: LazyLock<Page> = LazyLock::new(|| Page::new(include_str!("../../assets/web/room.html")));
static STATS: LazyLock<Page> = LazyLock::new(|| Page::new(include_str!("../../assets/web/stats.html")));
static WATCH: LazyLock<Page> = LazyLock::new(|| Page::new(include_str!("../../assets/web/watch.html")));

/// What a page may load and do: its own modules, style and requests; nothing inline, nothing foreign, in no frame.
const POLICIES: [(HeaderName, HeaderValue); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob: mediastream:; \
             connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(self), microphone=(self), display-capture=(self), fullscreen=(self)"),
    ),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
];

/// The rooms, and how to join
#[utoipa::path(
    get,
    path = "/",
    operation_id = "index_page",
    tag = "Pages",
    responses(
        (status = 200, description = "The page", content_type = "text/html", body = String),
        (status = 304, description = "It is what If-None-Match says"),
    )
)]
pub(super) async fn index(headers: HeaderMap) -> Response {
    page(&INDEX, StatusCode::OK, &headers)
}

/// The admin's page: it does nothing that this API does not
#[utoipa::path(
    get,
    path = "/admin",
    operation_id = "admin_page",
    tag = "Pages",
    responses(
        (status = 200, description = "The page", content_type = "text/html", body = String),
        (status = 304, description = "It is what If-None-Match says"),
    )
)]
pub(super) async fn admin(headers: HeaderMap) -> Response {
    page(&ADMIN, StatusCode::OK, &headers)
}

/// This API, to read and to try
#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "docs_page",
    tag = "Pages",
    responses(
        (status = 200, description = "The page", content_type = "text/html", body = String),
        (status = 304, description = "It is what If-None-Match says"),
    )
)]
pub(super) async fn docs(headers: HeaderMap) -> Response {
    page(&DOCS, StatusCode::OK, &headers)
}

/// Join a room: a name that is none gets the page too, which says so in words
///
/// In its address, `?low=1` asks for 360 lines and 15 pictures a second at most, both ways, and `?view=` for a view.
#[utoipa::path(
    get,
    path = "/r/{room}",
    operation_id = "join_page",
    tag = "Pages",
    params(RoomParam),
    responses(
        (status = 200, description = "The page", content_type = "text/html", body = String),
        (status = 304, description = "It is what If-None-Match says"),
        (status = 422, description = "No room can be called so; the page says it in words", content_type = "text/html", body = String),
    )
)]
pub(super) async fn room(room: Result<InRoom, Problem>, headers: HeaderMap) -> Response {
    page(&ROOM, status(&room), &headers)
}

/// Watch a room, by the best way that works from there: WebRTC, else HLS, else MJPEG and Ogg
///
/// In its address, `?via=webrtc`, `hls` or `mjpeg` asks for one of them, `?low=1` for 360 lines and 15 pictures a second at most (HLS has
/// one size), and `?view=` for a view.
#[utoipa::path(
    get,
    path = "/watch/{room}",
    operation_id = "watch_page",
    tag = "Pages",
    params(RoomParam),
    responses(
        (status = 200, description = "The page", content_type = "text/html", body = String),
        (status = 304, description = "It is what If-None-Match says"),
        (status = 422, description = "No room can be called so; the page says it in words", content_type = "text/html", body = String),
    )
)]
pub(super) async fn watch(room: Result<InRoom, Problem>, headers: HeaderMap) -> Response {
    page(&WATCH, status(&room), &headers)
}

/// Everybody's line in a room, over time
#[utoipa::path(
    get,
    path = "/stats/{room}",
    operation_id = "stats_page",
    tag = "Pages",
    params(RoomParam),
    responses(
        (status = 200, description = "The page", content_type = "text/html", body = String),
        (status = 304, description = "It is what If-None-Match says"),
        (status = 422, description = "No room can be called so; the page says it in words", content_type = "text/html", body = String),
    )
)]
pub(super) async fn stats(room: Result<InRoom, Problem>, headers: HeaderMap) -> Response {
    page(&STATS, status(&room), &headers)
}

fn status(room: &Result<InRoom, Problem>) -> StatusCode {
    room.as_ref().map_or_else(Problem::status, |_| StatusCode::OK)
}

fn page(page: &'static Page, status: StatusCode, headers: &HeaderMap) -> Response {
    let tag = [(header::ETAG, page.etag.clone())];
    if status == StatusCode::OK && etag::is_known(headers, &page.etag) {
        return (StatusCode::NOT_MODIFIED, POLICIES, tag).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))];
    (status, POLICIES, tag, content_type, page.html.as_str()).into_response()
}

/// What pages are made of
#[utoipa::path(
    get,
    path = "/assets/{version}/{file}",
    operation_id = "asset",
    tag = "Pages",
    params(("version" = String, Path, description = "Changes with the content"), ("file" = String, Path, description = "The name")),
    responses(
        (status = 200, description = "The file", content((String = "text/javascript"), (String = "text/css"), (String = "image/svg+xml"))),
        (status = 404, description = "No such file in this version"),
    )
)]
pub(super) async fn asset(path: Result<Path<(String, String)>, PathRejection>) -> Result<Response, Problem> {
    let found = path.ok().and_then(|Path((version, file))| ASSETS.iter().find(|asset| asset.name == file && version == *VERSION));
    let asset = found.ok_or_else(|| Problem::not_found("no such asset in this version; load the page again"))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type())),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    Ok((headers, asset.bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_a_page_or_module_names_is_embedded() {
        let known = |name: &str| ASSETS.iter().any(|asset| asset.name == name);
        for page in [&*INDEX, &*ADMIN, &*DOCS, &*ROOM, &*STATS, &*WATCH] {
            let prefix = format!("/assets/{}/", *VERSION);
            for named in page.html.split(&prefix).skip(1) {
                let name = named.split('"').next().unwrap();
                assert!(known(name), "{name}");
            }
            assert!(!page.html.contains("{{"));
        }
        for module in ASSETS.iter().filter(|asset| asset.name.ends_with(".js")) {
            let text = std::str::from_utf8(module.bytes).unwrap();
            for imported in text.split("from \"./").skip(1) {
                let name = imported.split('"').next().unwrap();
                assert!(known(name), "{} imports {name}", module.name);
            }
        }
    }

    #[test]
    fn nothing_in_a_page_is_inline_or_foreign() {
        for page in [&*INDEX, &*ADMIN, &*DOCS, &*ROOM, &*STATS, &*WATCH] {
            for breach in ["<style", " style=", " onclick=", "javascript:", "src=\"http", "href=\"http"] {
                assert!(!page.html.contains(breach), "{breach}");
            }
            assert!(page.html.split("<script").skip(1).all(|tag| tag.contains("type=\"module\" src=")));
        }
    }
}
