//! What admins make stays; what nobody made goes with the last session.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_room_stays_without_people_and_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let rooms = kept_in(Some(folder.path().into())).await;
    let (_, tag) = put(&rooms, "board", json!({ "locked": false, "max_participants": 7 })).await;
    drop(rooms.join(&room("board"), person("Ann")).unwrap());
    let (report, same) = rooms.room(&room("board")).await.unwrap();
    assert_eq!((report.kept, report.sessions, report.max_participants, same), (true, 0, Some(7), tag.clone()));
    drop(rooms);
    let rooms = kept_in(Some(folder.path().into())).await;
    let (report, same) = rooms.room(&room("board")).await.unwrap();
    assert_eq!((report.max_participants, same), (Some(7), tag));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_made_on_demand_is_gone_with_its_last_session() {
    let rooms = rooms().await;
    let seats = ["Ann", "Ben"].map(|name| rooms.join(&room("a"), person(name)).unwrap());
    let mut events = rooms.events(&room("a")).unwrap();
    let [ann, ben] = seats;
    drop(ann);
    assert!(rooms.exists(&room("a")));
    drop(ben);
    assert!(!rooms.exists(&room("a")) && rooms.list().is_empty());
    until(&mut events, "closed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_room_sends_everybody_out_and_its_name_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let rooms = kept_in(Some(folder.path().into())).await;
    put(&rooms, "a", json!({})).await;
    let old = rooms.join(&room("a"), person("Ann")).unwrap();
    rooms.delete_room(&room("a"), Precondition::None).await.unwrap();
    assert!(*old.dismissed.borrow());
    let new = rooms.join(&room("a"), person("Ann")).unwrap();
    drop(old);
    assert!(rooms.exists(&room("a")) && !*new.dismissed.borrow());
    drop((new, rooms));
    assert!(!kept_in(Some(folder.path().into())).await.exists(&room("a")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_precondition_fails_or_that_breaks_a_rule_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let rooms = kept_in(Some(folder.path().into())).await;
    let (_, tag) = put(&rooms, "a", json!({})).await;
    let stored = || std::fs::read(folder.path().join("rooms/a.json")).unwrap();
    let before = stored();
    let stale = Precondition::Match(vec!["\"0\"".into()]);
    let refused = rooms.put_room(&room("a"), room_spec(json!({ "locked": true })), stale).await;
    assert_eq!(refused.unwrap_err(), AdminError::Precondition(Some(tag.clone())));
    let refused = rooms.put_room(&room("a"), room_spec(json!({ "locked": true })), Precondition::Absent).await;
    assert!(matches!(refused, Err(AdminError::Precondition(_))));
    assert!(rooms.put_room(&room("a"), room_spec(json!({ "renditions": [] })), Precondition::None).await.is_err());
    assert!(rooms.put_layout(&room("a"), &ViewName::main(), layout(json!({ "template": "no" })), None, Precondition::None).await.is_err());
    assert_eq!((rooms.room(&room("a")).await.unwrap().1, stored()), (tag.clone(), before));
    let fresh = Precondition::Match(vec![tag.0]);
    let (outcome, ..) = rooms.put_room(&room("a"), room_spec(json!({ "locked": true })), fresh).await.unwrap();
    assert_eq!(outcome, Outcome::Replaced);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_the_disk_refuses_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let rooms = kept_in(Some(folder.path().into())).await;
    let (_, tag) = put(&rooms, "a", json!({})).await;
    std::fs::create_dir(folder.path().join("rooms/a.tmp")).unwrap();
    let refused = rooms.put_room(&room("a"), room_spec(json!({ "locked": true })), Precondition::None).await;
    assert!(matches!(refused, Err(AdminError::Storage(_))), "{refused:?}");
    assert_eq!(rooms.room(&room("a")).await.unwrap().1, tag);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_is_set_aside_and_the_rest_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let rooms = kept_in(Some(folder.path().into())).await;
    put(&rooms, "good", json!({})).await;
    drop(rooms);
    for (file, text) in [
        ("rooms/cut.json", "{\"locked\":"),
        ("rooms/odd.json", "{\"canvas\":{\"width\":1281}}"),
        ("layouts/cut.json", "{"),
        ("images/cut.image", "\u{89}PNG"),
    ] {
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    let rooms = kept_in(Some(folder.path().into())).await;
    assert_eq!(rooms.list().iter().map(|room| room.name.as_str()).collect::<Vec<_>>(), ["good"]);
    for file in ["rooms/cut.json.broken", "rooms/odd.json.broken", "layouts/cut.json.broken", "images/cut.image.broken"] {
        assert!(folder.path().join(file).exists(), "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_and_images_survive_a_restart_and_are_not_removed_while_they_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let rooms = kept_in(Some(folder.path().into())).await;
    let pair = json!({ "arrangements": [{ "regions": [{ "id": "all", "left": 0, "top": 0, "width": 1, "height": 1, "tiles": 2 }] }] });
    rooms.put_template(&short("pair"), template(pair), Precondition::None).await.unwrap();
    rooms.put_image(&short("wall"), png(64, 36)).await.unwrap();
    put(&rooms, "a", json!({ "layout": { "template": "pair" }, "overlays": { "background_image": "wall" } })).await;
    drop(rooms);
    let rooms = kept_in(Some(folder.path().into())).await;
    assert_eq!(rooms.template(&short("pair")).unwrap().0.capacity, 2);
    assert_eq!(rooms.image(&short("wall")).unwrap().0, png(64, 36));
    let in_use = rooms.delete_template(&short("pair"), Precondition::None).await.unwrap_err();
    assert!(matches!(&in_use, AdminError::Conflict(why) if why.contains("room a")), "{in_use}");
    let in_use = rooms.delete_image(&short("wall")).await.unwrap_err();
    assert!(matches!(&in_use, AdminError::Conflict(why) if why.contains("room a")), "{in_use}");
    put(&rooms, "a", json!({})).await;
    rooms.delete_template(&short("pair"), Precondition::None).await.unwrap();
    rooms.delete_image(&short("wall")).await.unwrap();
    assert!(rooms.template(&short("pair")).is_err() && rooms.images().is_empty());
    let stock = rooms.delete_template(&short("grid"), Precondition::None).await.unwrap_err();
    assert!(matches!(stock, AdminError::Conflict(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_from_many_hands_are_all_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let rooms = kept_in(Some(folder.path().into())).await;
    let write = |n: u32| {
        let rooms = rooms.clone();
        tokio::spawn(async move { put(&rooms, &format!("room{}", n % 8), json!({ "max_participants": n + 1 })).await.0.max_participants })
    };
    let writes: Vec<_> = (0..32).map(write).collect();
    for write in writes {
        write.await.unwrap();
    }
    let before: Vec<_> = all_limits(&rooms).await;
    drop(rooms);
    let rooms = kept_in(Some(folder.path().into())).await;
    assert_eq!((all_limits(&rooms).await, before.len()), (before, 8));
}

async fn all_limits(rooms: &Rooms) -> Vec<(String, Option<u32>)> {
    let mut limits = Vec::new();
    for summary in rooms.list() {
        let (report, _) = rooms.room(&room(&summary.name)).await.unwrap();
        limits.push((summary.name, report.max_participants));
    }
    limits
}
