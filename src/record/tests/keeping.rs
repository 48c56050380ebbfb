//! Recordings of rooms that are live: what is there while they are active, after they were stopped, and after a restart.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_is_whole_when_its_stop_returns_and_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = recordings(folder.path()).await;
    let mut finished = first.finished();
    let id = start(&first).await;
    let active = until(&first, &id, |manifest| manifest.duration_ms > 1500).await;
    assert_eq!((active.state, active.files[0].name.as_str()), (State::Active, "mixed.mp4"));
    let stopped = first.stop(&id).await.unwrap();
    assert_eq!((stopped.state, stopped.reason.clone(), stopped.lost), (State::Complete, None, 0));
    assert_eq!(*finished.recv().await.unwrap(), stopped);
    let stored = first.file(&id, "mixed.mp4").unwrap();
    assert_eq!(stored.bytes, std::fs::metadata(&stored.path).unwrap().len());
    let (pictures, sounds, duration) = content(&stored.path);
    assert!(pictures.len() >= 10 && pictures[0].keyframe && sounds.len() >= 50, "{} and {}", pictures.len(), sounds.len());
    assert!(at_of(sounds.last().unwrap()) <= duration);
    assert!(duration.as_millis() as u64 >= active.duration_ms - 1000);
    drop(first);
    let second = recordings(folder.path()).await;
    assert_eq!(second.get(&id).unwrap(), stopped);
    second.remove(&id).await.unwrap();
    assert!(second.get(&id).is_err() && !folder.path().join(id.as_str()).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_shuts_down_ends_its_recordings_as_a_stop_does() {
    let folder = tempfile::tempdir().unwrap();
    let recordings = recordings(folder.path()).await;
    let ids = [start(&recordings).await, start(&recordings).await];
    for id in &ids {
        until(&recordings, id, |manifest| manifest.bytes > 0).await;
    }
    recordings.shut_down().await;
    for id in &ids {
        assert_eq!(recordings.get(id).unwrap().state, State::Complete);
        content(&recordings.file(id, "mixed.mp4").unwrap().path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_comes_in_pages_newest_first_and_of_one_room() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..120 {
        let id = format!("20261123T025240{n:03}-0a1b2c");
        let room = if n % 2 == 0 { "a" } else { "b" };
        let kept = Manifest { state: State::Complete, room: room.into(), ..manifest(&id) };
        std::fs::create_dir(folder.path().join(&id)).unwrap();
        std::fs::write(folder.path().join(&id).join("manifest.json"), serde_json::to_vec(&kept).unwrap()).unwrap();
    }
    let recordings = recordings(folder.path()).await;
    let all = |of: Option<RoomName>| {
        let (mut ids, mut cursor) = (Vec::new(), None);
        loop {
            let page = recordings.list(of.as_ref(), cursor.as_ref());
            assert!(page.recordings.len() <= 50);
            ids.extend(page.recordings.into_iter().map(|manifest| manifest.id));
            cursor = page.next;
            if cursor.is_none() {
                return ids;
            }
        }
    };
    let ids = all(None);
    assert!(ids.len() == 120 && ids.is_sorted_by(|a, b| a > b));
    assert_eq!((all(Some(room())).len(), all(Some("none".parse().unwrap())).len()), (60, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_folder_recordings_go_with_the_server() {
    let clock = Clock::new();
    let recordings = Recordings::open(RecordingSettings::default(), rooms(clock).await, clock, Metrics::default()).unwrap();
    let id = start(&recordings).await;
    until(&recordings, &id, |manifest| manifest.bytes > 0).await;
    recordings.stop(&id).await.unwrap();
    let path = recordings.file(&id, "mixed.mp4").unwrap().path;
    assert!(path.exists());
    drop(recordings);
    // Its own task may hold it for a moment more
    let gone = async {
        while path.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.unwrap();
}
