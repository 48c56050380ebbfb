//! Layouts, views and pictures of live rooms.

use super::*;

const SPLIT: &str = r#"{ "regions": [
    { "id": "left", "left": 0, "top": 0, "width": "1/2", "height": 1 },
    { "id": "right", "left": "1/2", "top": 0, "width": "1/2", "height": 1 } ] }"#;

fn split() -> LayoutSpec {
    serde_json::from_str(SPLIT).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layout_is_in_effect_when_it_is_acknowledged() {
    let rooms = rooms().await;
    let _seats = ["Ann", "Ben"].map(|name| rooms.join(&room("a"), person(name)).unwrap());
    let mut events = rooms.events(&room("a")).unwrap();
    let (report, tag) = rooms.put_layout(&room("a"), &ViewName::main(), split(), None, Precondition::None).await.unwrap();
    assert_eq!(shown(&report), [Some("p1"), Some("p2")]);
    assert_eq!(report.cells.iter().map(|cell| (cell.x, cell.width)).collect::<Vec<_>>(), [(0, 160), (160, 160)]);
    assert_eq!(until(&mut events, "layout").await.view, Some(ViewName::main()));
    let (again, same) = rooms.layout(&room("a"), &ViewName::main()).await.unwrap();
    assert_eq!((again.layout, same), (split(), tag));
    let (report, _) = rooms.room(&room("a")).await.unwrap();
    assert!(report.kept && report.settings.layout == split());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layout_that_comes_later_is_stored_and_not_applied_whatever_else_is_set_up_meanwhile() {
    let rooms = rooms().await;
    let _ann = rooms.join(&room("a"), person("Ann")).unwrap();
    let in_an_hour = rooms.room(&room("a")).await.unwrap().0.time_ms + 3_600_000;
    rooms.put_layout(&room("a"), &ViewName::main(), split(), Some(in_an_hour), Precondition::None).await.unwrap();
    let (report, _) = rooms.room(&room("a")).await.unwrap();
    assert_eq!((&report.settings.layout, &report.layout.layout), (&split(), Layout::default().spec()));
    let spec = RoomSpec { unique_names: true, ..report.settings };
    let (_, report, _) = rooms.put_room(&room("a"), spec.clone(), Precondition::None).await.unwrap();
    assert_eq!(&report.layout.layout, Layout::default().spec());
    let other = layout(json!({ "template": "speaker" }));
    let (_, report, _) = rooms.put_room(&room("a"), RoomSpec { layout: other.clone(), ..spec }, Precondition::None).await.unwrap();
    assert_eq!(report.layout.layout, other, "another layout at once takes its place");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsed_layout_tells_the_cells_for_those_who_are_there_and_changes_nothing() {
    let rooms = rooms().await;
    let _seats = ["Ann", "Ben", "Eve"].map(|name| rooms.join(&room("a"), person(name)).unwrap());
    let before = rooms.room(&room("a")).await.unwrap().1;
    // The joins are in once another wish has been taken
    rooms.change(&room("a"), ParticipantId(3), crate::room::Change::default()).await.unwrap();
    let report = rooms.check_layout(&room("a"), &ViewName::main(), split()).await.unwrap();
    let regions: Vec<_> = report.cells.iter().filter_map(|cell| cell.region.as_ref().map(ShortName::as_str)).collect();
    assert_eq!((regions, report.more), (vec!["left", "right"], 1));
    let (report, same) = rooms.room(&room("a")).await.unwrap();
    assert_eq!((same, &report.layout.layout), (before, Layout::default().spec()));
    assert!(rooms.check_layout(&room("a"), &short("none"), split()).await.is_err());
    let refused = rooms.check_layout(&room("a"), &ViewName::main(), layout(json!({ "regions": [] }))).await;
    assert!(matches!(refused, Err(AdminError::Invalid { field, .. }) if field == "regions"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_template_arranges_the_rooms_that_use_it_anew() {
    let rooms = rooms().await;
    let of = |width: &str| {
        let region = json!({ "id": "all", "left": 0, "top": 0, "width": width, "height": 1 });
        template(json!({ "arrangements": [{ "regions": [region] }] }))
    };
    rooms.put_template(&short("mine"), of("1"), Precondition::None).await.unwrap();
    put(&rooms, "a", json!({ "canvas": { "width": 320, "height": 180, "fps": 10 }, "layout": { "template": "mine", "gap": 0 } })).await;
    let ann = rooms.join(&room("a"), person("Ann")).unwrap();
    let mut events = rooms.events(&room("a")).unwrap();
    let (outcome, ..) = rooms.put_template(&short("mine"), of("1/2"), Precondition::Exists).await.unwrap();
    assert_eq!(outcome, Outcome::Replaced);
    until(&mut events, "layout").await;
    rooms.change(&room("a"), id(&ann), crate::room::Change::default()).await.unwrap();
    let (report, _) = rooms.layout(&room("a"), &ViewName::main()).await.unwrap();
    assert_eq!(report.cells[0].width, 160, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_nobody_watches_is_drawn_for_who_looks_at_it() {
    let rooms = rooms().await;
    let tall = json!({ "canvas": { "width": 180, "height": 320, "fps": 10 } });
    put(&rooms, "a", json!({ "canvas": { "width": 320, "height": 180, "fps": 10 }, "views": { "tall": tall, "twin": tall } })).await;
    let _ann = rooms.join(&room("a"), Wish { receives_video: false, ..person("Ann") }).unwrap();
    for view in ["tall", "twin", "main", "tall"] {
        let frame = rooms.canvas(&room("a"), &short(view)).await.unwrap();
        assert_eq!(frame.width(), if view == "main" { 320 } else { 180 }, "{view}");
    }
    assert!(matches!(rooms.canvas(&room("a"), &short("none")).await, Err(AdminError::NotFound(_))));
    let (report, _) = rooms.room(&room("a")).await.unwrap();
    assert_eq!((report.video_encoders, report.sessions), (0, 1), "nobody is sent what was looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_nobody_is_in_shows_its_slate_without_a_thread() {
    let rooms = rooms().await;
    put(&rooms, "a", json!({ "canvas": { "width": 320, "height": 180 } })).await;
    let frame = rooms.canvas(&room("a"), &ViewName::main()).await.unwrap();
    assert_eq!((frame.width(), frame.height()), (320, 180));
    assert!(frame.planes()[0].iter().max() > frame.planes()[0].iter().min(), "there is something on it");
    assert_eq!(rooms.metrics.rooms.get(), 0);
    let (report, _) = rooms.layout(&room("a"), &ViewName::main()).await.unwrap();
    assert_eq!(shown(&report), [None]);
    assert!(matches!(rooms.canvas(&room("b"), &ViewName::main()).await, Err(AdminError::NotFound(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_do_not_see_themselves_only_so_many_cost_an_encoder() {
    let rooms = rooms().await;
    let canvas = json!({ "width": 320, "height": 180, "fps": 10 });
    put(&rooms, "a", json!({ "canvas": canvas, "layout": { "self_view": "hidden" }, "max_self_views": 1 })).await;
    let mut seats = ["Ann", "Ben", "Eve"].map(|name| rooms.join(&room("a"), person(name)).unwrap());
    for seat in &mut seats {
        let picture = seat.video_out.as_mut().unwrap().next().await.unwrap();
        assert!(picture.keyframe);
    }
    let (report, _) = rooms.room(&room("a")).await.unwrap();
    let high = &report.renditions[0];
    assert_eq!((high.viewers, high.encoders, report.video_encoders), (3, 2, 2), "{:?}", report.renditions);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_renditions_and_another_canvas_reach_who_is_watching() {
    let rooms = rooms().await;
    put(&rooms, "a", json!({ "canvas": { "width": 320, "height": 180, "fps": 10 } })).await;
    let mut seat = rooms.join(&room("a"), viewer()).unwrap();
    let pictures = seat.video_out.as_mut().unwrap();
    assert!(pictures.next().await.unwrap().keyframe);
    let low = json!({ "name": "only", "height": 128, "fps": 10, "max_bps": 100_000, "min_bps": 50_000 });
    put(&rooms, "a", json!({ "canvas": { "width": 256, "height": 256, "fps": 10 }, "renditions": [low] })).await;
    // A tick between the two may make a keyframe of the old canvas for the new rendition
    let mut widths = Vec::new();
    while widths.last() != Some(&(1, 128, 1)) {
        while !pictures.next().await.unwrap().keyframe {}
        let (report, _) = rooms.room(&room("a")).await.unwrap();
        widths.push((report.renditions.len(), report.renditions[0].width, report.renditions[0].viewers));
    }
    assert!(widths.len() <= 2, "{widths:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_shows_made_up_people_on_any_canvas() {
    let rooms = rooms().await;
    let canvas = room_spec(json!({ "canvas": { "width": 180, "height": 320 } })).canvas;
    let [none, five] = [0, 5].map(|people| rooms.preview(LayoutSpec::default(), canvas, people).unwrap());
    assert_eq!((five.width(), five.height()), (180, 320));
    assert_ne!(none, five);
    assert!(rooms.preview(LayoutSpec::default(), canvas, 101).is_err());
    let refused = rooms.preview(layout(json!({ "template": "no" })), canvas, 1);
    assert!(matches!(refused, Err(AdminError::Invalid { field, .. }) if field == "template"));
}
