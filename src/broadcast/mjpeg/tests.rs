//! Clients that come and go, and the encoders that they share.

use std::time::Duration;

use super::*;
use crate::broadcast::tests::{Studio, room};

fn key(room_name: &str, height: u32, fps: u32) -> Key {
    Key { room: room(room_name), view: ViewName::main(), height, fps }
}

impl Studio {
    fn watch(&self, key: Key) -> Result<PictureStream, StreamError> {
        self.broadcast.pictures.open(key)
    }

    /// Until all threads have ended.
    async fn is_idle(&self) {
        while !self.broadcast.pictures.watched().is_empty() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn clients_that_want_the_same_share_one_encoder_which_ends_with_the_last() {
    let studio = Studio::with(&["a"]).await;
    let mut clients: Vec<_> = (0..20).map(|_| studio.watch(key("a", 128, 30)).unwrap()).collect();
    let mut other = studio.watch(key("a", 180, 5)).unwrap();
    assert_eq!(studio.broadcast.pictures.watched(), [(key("a", 128, 30), 20), (key("a", 180, 5), 1)].into());
    let mut first = Vec::new();
    for client in &mut clients {
        first.push(client.next().await.unwrap());
    }
    let same = first.iter().filter(|part| part.number == first[0].number).map(|part| part.bytes.as_ptr());
    assert!(same.collect::<std::collections::BTreeSet<_>>().len() == 1, "a part is one piece of memory for all");
    assert!(other.next().await.unwrap().bytes.starts_with(b"Content-Type: image/jpeg\r\nContent-Length: "));
    clients.truncate(1);
    assert!(clients[0].next().await.is_some(), "one that stays is not ended by those who go");
    drop((clients, other));
    studio.is_idle().await;
    // A kept room that nobody watches any more has no threads: it ends with the last who held it
    while studio.metrics.rooms.get() != 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn whoever_does_not_keep_up_gets_the_newest_and_it_is_counted() {
    let studio = Studio::with(&["a"]).await;
    let (mut slow, mut fast) = (studio.watch(key("a", 128, 30)).unwrap(), studio.watch(key("a", 128, 30)).unwrap());
    let first = slow.next().await.unwrap();
    let mut newest = first.clone();
    while newest.number < first.number + 10 {
        newest = fast.next().await.unwrap();
    }
    let second = slow.next().await.unwrap();
    assert!(
        second.number >= newest.number && second.at > first.at + Duration::from_millis(250),
        "{} after {}",
        second.number,
        first.number
    );
    assert!(studio.dropped("mjpeg_client_behind") >= second.number - first.number - 1);
}

#[tokio::test]
async fn whoever_comes_in_between_two_pictures_sees_the_former_at_once() {
    let studio = Studio::with(&["a"]).await;
    let mut early = studio.watch(key("a", 128, 1)).unwrap();
    let part = early.next().await.unwrap();
    let late = studio.watch(key("a", 128, 1)).unwrap().next().await.unwrap();
    assert_eq!((late.number, late.bytes.as_ptr()), (part.number, part.bytes.as_ptr()));
}

#[tokio::test]
async fn a_stream_ends_with_its_room_and_all_end_with_the_server() {
    let studio = Studio::with(&["a", "b"]).await;
    let (mut a, mut b) = (studio.watch(key("a", 128, 30)).unwrap(), studio.watch(key("b", 128, 30)).unwrap());
    studio.delete("a").await;
    while a.next().await.is_some() {}
    assert!(b.next().await.is_some());
    studio.broadcast.end_all();
    while b.next().await.is_some() {}
    studio.is_idle().await;
    assert!(matches!(studio.watch(key("a", 128, 30)), Err(StreamError::Room(_))), "no client makes a room");
}

#[tokio::test]
async fn a_room_is_encoded_in_so_many_ways_and_no_more() {
    let studio = Studio::with(&["a", "b"]).await;
    let open: Vec<_> = (0..IN_A_ROOM as u32).map(|n| studio.watch(key("a", 128, 1 + n)).unwrap()).collect();
    assert!(matches!(studio.watch(key("a", 128, 30)), Err(StreamError::TooMany(_))));
    assert!(studio.watch(key("a", 128, 1)).is_ok() && studio.watch(key("b", 128, 30)).is_ok());
    drop(open);
    studio.is_idle().await;
    assert!(studio.watch(key("a", 128, 30)).is_ok());
}

#[tokio::test]
async fn clients_are_bounded_and_their_places_come_back() {
    let studio = Studio::with(&["a"]).await;
    let mut clients: Vec<_> = (0..crate::broadcast::CLIENTS).map(|_| studio.watch(key("a", 128, 5)).unwrap()).collect();
    assert!(matches!(studio.watch(key("a", 128, 5)), Err(StreamError::Full)));
    assert!(matches!(studio.broadcast.sounds.open(&room("a")), Err(StreamError::Full)));
    clients.pop();
    assert!(studio.watch(key("a", 128, 5)).is_ok());
}

#[tokio::test]
async fn a_picture_is_there_well_within_150_ms_of_its_canvass_tick() {
    let studio = Studio::with(&["a"]).await;
    let mut client = studio.watch(key("a", 180, 30)).unwrap();
    let mut delays = Vec::new();
    for _ in 0..30 {
        let part = client.next().await.unwrap();
        delays.push(studio.clock.now().since(part.at));
    }
    delays.sort();
    println!("median {:?}, longest {:?}", delays[15], delays[29]);
    assert!(delays[15] < Duration::from_millis(150), "{delays:?}");
}
