//! Uploaded images: what is taken, what is refused before a pixel is decoded.

use std::io::Cursor;

use image::{ImageFormat, RgbImage};
use serde_json::json;

use crate::server::{Server, start};

const PNG: &str = "Content-Type: image/png\r\n";
const JPEG: &str = "Content-Type: image/jpeg\r\n";

/// A file of one colour.
pub(crate) fn file(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(width, height, image::Rgb([61, 214, 140])).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A small PNG whose header says that it is huge (PNG §11.2.1), with the right checksum.
fn bomb(side: u32) -> Vec<u8> {
    let mut bytes = file(2, 2, ImageFormat::Png);
    bytes[16..20].copy_from_slice(&side.to_be_bytes());
    bytes[20..24].copy_from_slice(&side.to_be_bytes());
    let checksum = !bytes[12..29].iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    });
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

async fn put(server: &Server, headers: &str, bytes: &[u8]) -> (u16, String) {
    let reply = server.ask("PUT", "/v1/images/logo", headers, bytes).await;
    (reply.status, reply.json()["detail"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn an_image_is_stored_told_used_and_forgotten() {
    let server = start().await;
    let png = file(40, 20, ImageFormat::Png);
    let made = server.ask("PUT", "/v1/images/logo", PNG, &png).await;
    assert_eq!((made.status, made.header("location")), (201, Some("/v1/images/logo")));
    let report = json!({ "name": "logo", "width": 40, "height": 20, "content_type": "image/png", "bytes": png.len() });
    assert_eq!(made.json(), report);
    assert_eq!(server.get("/v1/images").await.json(), json!({ "images": [report] }));
    let told = server.get("/v1/images/logo").await;
    assert_eq!((told.status, told.header("content-type"), &told.body), (200, Some("image/png"), &png));
    let known = format!("If-None-Match: {}\r\n", told.header("etag").unwrap());
    assert_eq!(server.ask("GET", "/v1/images/logo", &known, b"").await.status, 304);

    let used = server.send("PUT", "/v1/rooms/a", &json!({ "overlays": { "logo": { "image": "logo" } } })).await;
    assert_eq!(used.status, 201, "{}", String::from_utf8_lossy(&used.body));
    assert_eq!(server.ask("DELETE", "/v1/images/logo", "", b"").await.status, 409);
    let replaced = server.ask("PUT", "/v1/images/logo", JPEG, &file(16, 16, ImageFormat::Jpeg)).await;
    assert_eq!((replaced.status, replaced.json()["content_type"].clone()), (200, json!("image/jpeg")));
    server.ask("DELETE", "/v1/rooms/a", "", b"").await;
    assert_eq!(server.ask("DELETE", "/v1/images/logo", "", b"").await.status, 204);
    assert_eq!(server.get("/v1/images/logo").await.status, 404);
}

#[tokio::test]
async fn what_is_no_small_image_is_refused_and_the_one_before_stays() {
    let server = start().await;
    let before = file(8, 8, ImageFormat::Png);
    assert_eq!(put(&server, PNG, &before).await.0, 201);
    let truncated = &before[..before.len() / 2];
    for (headers, bytes, status) in [
        ("", before.as_slice(), 415),
        ("Content-Type: image/gif\r\n", &before, 415),
        ("Content-Type: image/svg+xml\r\n", b"<svg/>", 415),
        (PNG, b"", 422),
        (PNG, b"GIF89a", 422),
        (PNG, b"<svg/>", 422),
        (PNG, truncated, 422),
        (PNG, &bomb(60_000), 422),
        (PNG, &bomb(4098), 422),
        (PNG, &bomb(0), 422),
        (PNG, &file(4098, 1, ImageFormat::Png), 422),
        (PNG, &vec![0; 8 * 1024 * 1024 + 1], 413),
    ] {
        let (told, detail) = put(&server, headers, bytes).await;
        assert_eq!(told, status, "{} bytes, {headers:?}: {detail}", bytes.len());
        assert!(!detail.is_empty(), "{headers:?}");
    }
    assert_eq!(server.get("/v1/images/logo").await.body, before);
}
