//! Settings that break a rule are refused with the field and the rule.

use super::*;
use crate::rooms::library::Library;

/// The field and the rule that settings break.
fn refusal(spec: Value) -> (String, String) {
    match room_spec(spec.clone()).resolve(&Library::default()) {
        Err(AdminError::Invalid { field, rule }) => (field, rule),
        other => panic!("{spec}: {other:?}"),
    }
}

fn rendition(name: &str, height: u32) -> Value {
    json!({ "name": name, "height": height, "fps": 30, "max_bps": 500_000, "min_bps": 50_000 })
}

#[test]
fn the_settings_that_rooms_start_as_break_no_rule() {
    let settings = RoomSpec::default().resolve(&Library::default()).unwrap();
    assert_eq!(settings, crate::room::RoomSettings::default());
}

#[test]
fn what_breaks_a_rule_is_named_by_its_path() {
    let nine_views: serde_json::Map<_, _> = (0..9).map(|n| (format!("v{n}"), json!({}))).collect();
    let nine_renditions: Vec<_> = (0..9).map(|n| rendition(&format!("r{n}"), 720)).collect();
    for (spec, field) in [
        (json!({ "canvas": { "width": 1281 } }), "canvas.width"),
        (json!({ "views": { "tall": { "canvas": { "height": 721 } } } }), "views.tall.canvas.height"),
        (json!({ "views": { "main": {} } }), "views.main"),
        (json!({ "views": nine_views }), "views"),
        (json!({ "layout": { "template": "mosaic" } }), "layout.template"),
        (json!({ "views": { "tall": { "layout": { "template": "grid", "regions": [] } } } }), "views.tall.layout.regions"),
        (json!({ "renditions": [] }), "renditions"),
        (json!({ "renditions": nine_renditions }), "renditions"),
        (json!({ "renditions": [rendition("a", 721)] }), "renditions[0].height"),
        (json!({ "renditions": [rendition("a", 720), rendition("a", 360)] }), "renditions[1].name"),
        (json!({ "renditions": [rendition("a", 360), rendition("b", 720)] }), "renditions[1].height"),
        (json!({ "overlays": { "background_image": "wall" } }), "overlays.background_image"),
        (json!({ "overlays": { "logo": { "image": "acme" } } }), "overlays.logo.image"),
        (json!({ "overlays": { "lower_third": { "title": " " } } }), "overlays.lower_third.title"),
        (json!({ "overlays": { "lower_third": { "title": "x".repeat(81) } } }), "overlays.lower_third.title"),
        (json!({ "overlays": { "lower_third": { "title": "a\u{202e}b" } } }), "overlays.lower_third.title"),
        (json!({ "overlays": { "lower_third": { "title": "a", "subtitle": "b\nc" } } }), "overlays.lower_third.subtitle"),
    ] {
        let (named, rule) = refusal(spec.clone());
        assert_eq!(named, field, "{spec}: {rule}");
    }
    let (_, rule) = refusal(json!({ "overlays": { "logo": { "image": "acme" } } }));
    assert_eq!(rule, "there is no image \"acme\"; upload it with PUT /v1/images/acme");
}

#[tokio::test]
async fn a_logo_that_cannot_be_seen_or_is_too_opaque_is_refused() {
    let rooms = rooms().await;
    rooms.put_image(&short("acme"), png(16, 16)).await.unwrap();
    for (logo, field) in [(json!({ "width": 0 }), "overlays.logo.width"), (json!({ "opacity": 1.5 }), "overlays.logo.opacity")] {
        let mut logo = logo;
        logo["image"] = json!("acme");
        let refused = rooms.put_room(&room("a"), room_spec(json!({ "overlays": { "logo": logo } })), Precondition::None).await;
        assert!(matches!(&refused, Err(AdminError::Invalid { field: named, .. }) if named == field), "{refused:?}");
    }
    assert!(!rooms.exists(&room("a")));
}

#[tokio::test]
async fn a_server_does_not_start_with_settings_that_break_a_rule() {
    let room = room_spec(json!({ "canvas": { "width": 1281 } }));
    let refused = open(RoomsSettings { room, ..settings() }).await.unwrap_err().to_string();
    assert!(refused.contains("[room]: canvas.width: 1281 is odd"), "{refused}");
}
