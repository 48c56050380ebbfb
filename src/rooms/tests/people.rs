//! Who comes in, what is told of them, and what admins change about them.

use super::*;
use crate::room::{Change, Source};

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_in_is_told_with_their_place() {
    let rooms = rooms().await;
    let ann = rooms.join(&room("a"), person("Ann")).unwrap();
    let _screen = rooms.join(&room("a"), Wish { source: Source::Screen, ..person("Ann's screen") }).unwrap();
    let _viewer = rooms.join(&room("a"), viewer()).unwrap();
    let report = rooms.change(&room("a"), id(&ann), Change { pinned: Some(true), ..Change::default() }).await.unwrap();
    assert_eq!((report.name.as_str(), report.source, report.pinned, report.gain_db), ("Ann", "camera", true, 0.0));
    assert!(report.joined_at.ends_with('Z') && report.joined_at.parse::<jiff::Timestamp>().is_ok(), "{}", report.joined_at);
    assert!(report.received.video.is_some() && report.received.audio.is_some());
    assert_eq!(report.sent.view, Some(ViewName::main()));
    let (report, _) = rooms.room(&room("a")).await.unwrap();
    assert_eq!((report.sessions, report.kept, report.participants.len()), (3, false, 2));
    assert_eq!(report.participants[1].source, "screen");
    assert!(report.layout.cells.iter().any(|cell| cell.participant.as_deref() == Some("p1")), "{:?}", report.layout.cells);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_come_in_is_told_why_and_takes_no_seat() {
    let rooms = rooms().await;
    put(&rooms, "locked", json!({ "locked": true })).await;
    put(&rooms, "small", json!({ "max_participants": 1, "unique_names": true, "views": { "tall": {} } })).await;
    let refused = |name: &str, wish: Wish| rooms.join(&room(name), wish).map(|_| ()).unwrap_err();
    assert_eq!(refused("locked", viewer()), JoinError::Locked(room("locked")));
    let elsewhere = Wish { view: Some(short("wide")), ..viewer() };
    assert_eq!(refused("small", elsewhere), JoinError::NoSuchView(short("wide"), "main, tall".into()));
    let _ann = rooms.join(&room("small"), person("Ann")).unwrap();
    assert_eq!(refused("small", person("Ben")), JoinError::RoomFull(room("small"), 1));
    let _viewer = rooms.join(&room("small"), Wish { view: Some(short("tall")), ..viewer() }).unwrap();
    assert_eq!(rooms.list().iter().map(|room| room.sessions).collect::<Vec<_>>(), [0, 2]);
    rooms.drain();
    assert_eq!(refused("small", viewer()), JoinError::Draining);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_rooms_are_not_made_on_demand_only_an_admin_makes_them() {
    let rooms = open(RoomsSettings { on_demand: false, max_sessions: 1, ..settings() }).await.unwrap();
    assert_eq!(rooms.join(&room("a"), viewer()).map(|_| ()).unwrap_err(), JoinError::NoSuchRoom(room("a")));
    put(&rooms, "a", json!({})).await;
    let _seat = rooms.join(&room("a"), viewer()).unwrap();
    assert_eq!(rooms.join(&room("a"), viewer()).map(|_| ()).unwrap_err(), JoinError::Full(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_keep_nobody_out_of_a_full_server_and_are_kept_out_by_nobody() {
    let rooms = open(RoomsSettings { max_sessions: 1, ..settings() }).await.unwrap();
    put(&rooms, "a", json!({})).await;
    let onlooker = rooms.look_on(&room("a"), None).unwrap();
    let seat = rooms.join(&room("a"), viewer()).unwrap();
    assert_eq!(rooms.join(&room("a"), viewer()).map(|_| ()).unwrap_err(), JoinError::Full(1));
    drop((onlooker, rooms.look_on(&room("a"), None).unwrap()));
    drop(seat);
    assert!(rooms.join(&room("a"), viewer()).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_to_who_listens() {
    let rooms = rooms().await;
    let ann = rooms.join(&room("a"), person("Ann")).unwrap();
    let mut events = rooms.events(&room("a")).unwrap();
    let change = Change { muted: Some(true), name: Some("Anna".into()), ..Change::default() };
    let report = rooms.change(&room("a"), id(&ann), change).await.unwrap();
    assert_eq!((report.name.as_str(), report.muted), ("Anna", true));
    assert_eq!(until(&mut events, "muted").await.participant.as_deref(), Some("p1"));
    assert_eq!(until(&mut events, "changed").await.detail["name"], "Anna");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_cannot_be_is_refused_by_its_field() {
    let rooms = rooms().await;
    put(&rooms, "a", json!({ "unique_names": true })).await;
    let seats = ["Ann", "Ben"].map(|name| rooms.join(&room("a"), person(name)).unwrap());
    let change = async |change| rooms.change(&room("a"), id(&seats[0]), change).await.unwrap_err();
    let named = |name: &str| Change { name: Some(name.into()), ..Change::default() };
    assert!(matches!(change(named("ben")).await, AdminError::Conflict(_)));
    assert!(matches!(change(named("a\nb")).await, AdminError::Invalid { field, .. } if field == "name"));
    for gain in [20.5, -61.0, f32::NAN] {
        let refused = change(Change { gain_db: Some(gain), ..Change::default() }).await;
        assert!(matches!(refused, AdminError::Invalid { field, .. } if field == "gain_db"));
    }
    let nobody = rooms.change(&room("a"), ParticipantId(9), Change::default()).await.unwrap_err();
    assert_eq!(nobody.to_string(), "there is no participant p9 in room a");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_removed_is_told_to_go_and_nobody_else() {
    let rooms = rooms().await;
    let [ann, ben] = ["Ann", "Ben"].map(|name| rooms.join(&room("a"), person(name)).unwrap());
    rooms.remove(&room("a"), id(&ann)).await.unwrap();
    assert!(*ann.dismissed.borrow() && !*ben.dismissed.borrow());
    assert!(rooms.remove(&room("a"), ParticipantId(9)).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_can_take_no_rendition_is_told_the_lowest_one() {
    let rooms = rooms().await;
    put(&rooms, "a", json!({})).await;
    let beyond = |max_height, max_fps| rooms.beyond(&room("a"), &Wish { max_height, max_fps, ..Wish::default() }).unwrap();
    assert_eq!((beyond(None, None), beyond(Some(180), Some(15))), (None, None));
    assert_eq!((beyond(Some(128), None), beyond(None, Some(5))), (Some((180, 15)), Some((180, 15))));
}
