//! `/v1/rooms/{room}/events`: what happens in a room, as server-sent events.
//!
//! In: the room's own broadcast, which is bounded. Out: a stream that ends with the room. Never: a room that waits for a slow client
//! (it is told how much it missed), or streams without a bound.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError::Lagged;

use crate::http::path::{Room, RoomParam};
use crate::http::{AppState, Problem};
use crate::media::RoomName;
use crate::rooms::RoomEvent;

/// Streams of one room at once.
const IN_A_ROOM: usize = 64;
/// Streams at once.
const IN_ALL: usize = 500;
/// How long a stream says nothing at most: proxies cut what is silent for a minute or so.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How many streams there are. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Streams(Arc<Mutex<BTreeMap<RoomName, usize>>>);

impl Streams {
    /// A place for one more stream of a room.
    fn open(&self, room: &RoomName) -> Option<Place> {
        let mut open = self.0.lock();
        if open.values().sum::<usize>() >= IN_ALL || open.get(room).is_some_and(|&there| there >= IN_A_ROOM) {
            return None;
        }
        *open.entry(room.clone()).or_default() += 1;
        Some(Place { streams: self.clone(), room: room.clone() })
    }
}

/// A stream's place; given up when dropped.
struct Place {
    streams: Streams,
    room: RoomName,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock();
        let Some(there) = open.get_mut(&self.room) else { return };
        *there -= 1;
        if *there == 0 {
            open.remove(&self.room);
        }
    }
}

/// What happens in a room from here on, as server-sent events
///
/// `event` is the name, `data` the RoomEvent as JSON, `id` counts. A client that reads too slowly gets an event `lagged` with the
/// number of events it missed. The stream ends with the room; there is a comment every 15 s where nothing happens.
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/events",
    operation_id = "room_events",
    tag = "Rooms",
    params(RoomParam),
    responses(
        (status = 200, description = "A stream of events, each with a RoomEvent as its data", content_type = "text/event-stream", body = String),
        (status = 404, description = "No such room"),
        (status = 503, description = "There are as many streams as there may be"),
    )
)]
pub(crate) async fn events(State(state): State<AppState>, Room(room): Room) -> Result<Response, Problem> {
    let happening = state.rooms.events(&room)?;
    let place = state.streams.open(&room).ok_or_else(full)?;
    let told = told(happening).map(move |event| {
        // The stream holds its place for as long as it is read.
        let _held = &place;
        Ok::<_, Infallible>(event)
    });
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // nginx would otherwise hold events back until its buffer is full.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    let events = Sse::new(told).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    let mut response = events.into_response();
    response.headers_mut().extend(headers);
    Ok(response)
}

fn full() -> Problem {
    let detail = format!("there are {IN_A_ROOM} streams of this room, or {IN_ALL} in all; close one, or try again later");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(Duration::from_secs(10))
}

/// A room's events as they are sent.
fn told(happening: Receiver<Arc<RoomEvent>>) -> impl Stream<Item = Event> {
    BroadcastStream::new(happening).enumerate().map(|(n, happened)| {
        let told = match happened {
            Ok(event) => Event::default().event(event.event).json_data(&*event),
            Err(Lagged(lost)) => Event::default().event("lagged").json_data(json!({ "event": "lagged", "lost": lost })),
        };
        told.expect("an event of strings and numbers is JSON").id((n + 1).to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use tokio::sync::broadcast;

    fn event(name: &'static str) -> Arc<RoomEvent> {
        Arc::new(RoomEvent { event: name, time_ms: 7, participant: Some("p3".into()), view: None, detail: Default::default() })
    }

    async fn text(happening: Receiver<Arc<RoomEvent>>) -> String {
        let body = Sse::new(told(happening).map(Ok::<_, Infallible>)).into_response().into_body();
        String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap()
    }

    #[tokio::test]
    async fn a_stream_tells_what_happened_and_ends_with_the_room() {
        let (room, happening) = broadcast::channel(4);
        room.send(event("joined")).unwrap();
        room.send(event("left")).unwrap();
        drop(room);
        let told = text(happening).await;
        let first = "event: joined\ndata: {\"event\":\"joined\",\"time_ms\":7,\"participant\":\"p3\"}\nid: 1\n\n";
        assert!(told.starts_with(first) && told.ends_with("id: 2\n\n"), "{told}");
    }

    #[tokio::test]
    async fn who_reads_too_slowly_is_told_how_much_was_lost() {
        let (room, happening) = broadcast::channel(2);
        (0..5).for_each(|_| drop(room.send(event("speaker"))));
        drop(room);
        let told = text(happening).await;
        assert!(told.starts_with("event: lagged\ndata: {\"event\":\"lagged\",\"lost\":3}\n"), "{told}");
        assert_eq!(told.matches("event: speaker\n").count(), 2);
    }

    #[test]
    fn streams_are_bounded_in_a_room_and_in_all_and_their_places_come_back() {
        let streams = Streams::default();
        let name = |n: usize| format!("room{n}").parse::<RoomName>().unwrap();
        let mut places: Vec<_> = (0..IN_A_ROOM).map(|_| streams.open(&name(0)).unwrap()).collect();
        assert!(streams.open(&name(0)).is_none());
        places.extend((IN_A_ROOM..IN_ALL).map(|n| streams.open(&name(n)).unwrap()));
        assert!(streams.open(&name(IN_ALL)).is_none());
        places.clear();
        assert!(streams.open(&name(0)).is_some());
        assert!(streams.0.lock().is_empty());
    }
}
