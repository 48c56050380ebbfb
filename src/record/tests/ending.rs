//! Why recordings end by themselves, and what a slow or full disk does to them.

use super::*;
use crate::record::mixed::{Feed, Item};

/// A take in a folder, of a recording that may have so many bytes.
async fn take(folder: &Path, max_bytes: u64) -> (Take, tokio::sync::watch::Sender<bool>) {
    let clock = Clock::new();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let take = Take {
        rooms: rooms(clock).await,
        room: room(),
        folder: folder.into(),
        zero: MediaTime::ZERO,
        started: "2026-11-23T02:52:40.123Z".into(),
        until: MediaTime::from_millis(10_000),
        max_seconds: 10,
        clock,
        metrics: Metrics::default(),
        tally: Arc::new(Tally::new(max_bytes)),
        stop: stopped,
    };
    (take, stop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_deleted_ends_its_recording() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::new();
    let rooms = rooms(clock).await;
    let settings = RecordingSettings { folder: Some(folder.path().into()), ..RecordingSettings::default() };
    let recordings = Recordings::open(settings, rooms.clone(), clock, Metrics::default()).unwrap();
    let id = start(&recordings).await;
    until(&recordings, &id, |manifest| manifest.bytes > 0).await;
    rooms.delete_room(&room(), Precondition::None).await.unwrap();
    let ended = until(&recordings, &id, |manifest| manifest.state != State::Active).await;
    assert_eq!((ended.state, ended.reason), (State::Complete, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_has_less_left_than_it_must_takes_no_recording() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::new();
    let settings = RecordingSettings { folder: Some(folder.path().into()), min_free_bytes: u64::MAX, ..RecordingSettings::default() };
    let recordings = Recordings::open(settings, rooms(clock).await, clock, Metrics::default()).unwrap();
    let refused = recordings.start(&room(), RecordingSpec::default()).await.unwrap_err().to_string();
    assert!(refused.contains("the disk is full") && recordings.list(None, None).recordings.is_empty(), "{refused}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_grows_in_whole_parts_to_its_bound_and_no_further() {
    let folder = tempfile::tempdir().unwrap();
    let (take, _stop) = take(folder.path(), 250).await;
    let mut file = PartFile::create(&take, "mixed.mp4", Duration::ZERO).unwrap();
    let second = Duration::from_secs(1);
    assert_eq!([file.append(&[1; 100], second), file.append(&[2; 100], second * 2)], [Ok(()), Ok(())]);
    let Err(Ended::LimitReached(said)) = file.append(&[3; 100], second * 3) else { panic!("it takes more than it may") };
    assert!(said.contains("250"), "{said}");
    let counts = take.tally.counts();
    assert_eq!((counts.bytes, counts.reached, std::fs::read(folder.path().join("mixed.mp4")).unwrap().len()), (200, second * 2, 200));
    assert!(matches!(PartFile::create(&take, "mixed.mp4", Duration::ZERO), Err(Ended::Failed(_))), "nothing is written over");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_slow_disk_does_not_take_is_counted_and_pictures_go_on_at_a_keyframe() {
    let folder = tempfile::tempdir().unwrap();
    let (take, _stop) = take(folder.path(), 1 << 20).await;
    let (tally, metrics) = (take.tally.clone(), take.metrics.clone());
    let (to, mut items) = tokio::sync::mpsc::channel(5);
    let mut feed = Feed::new(take, to);
    let mut pictures: Vec<_> = pictures(20, 10, (160, 90), MediaTime::ZERO);
    pictures[12].keyframe = true;
    let mut keyframes_asked = 0;
    for (n, picture) in pictures.into_iter().map(Arc::new).enumerate() {
        keyframes_asked += usize::from(feed.take_picture(picture).unwrap());
        if n == 9 {
            (0..5).for_each(|_| drop(items.try_recv().unwrap()));
        }
    }
    let taken = std::iter::from_fn(|| items.try_recv().ok()).map(|item| match item {
        Item::Picture(picture) => picture.number,
        Item::Sound(_) => panic!("nobody sent a sound"),
    });
    assert_eq!(taken.collect::<Vec<_>>(), [12, 13, 14, 15, 16]);
    assert_eq!((tally.counts().lost, keyframes_asked), (10, 2));
    assert!(metrics.text().contains("medley_dropped_total{reason=\"recording_behind\"} 10"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_its_last_moment_or_later_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let (take, _stop) = take(folder.path(), 1 << 20).await;
    let (to, mut items) = tokio::sync::mpsc::channel(50);
    let mut feed = Feed::new(take, to);
    let picture = |millis| Arc::new(EncodedPicture { at: MediaTime::from_millis(millis), keyframe: true, ..EncodedPicture::default() });
    // Its ten seconds begin with the first picture
    assert_eq!([feed.take_picture(picture(700)), feed.take_picture(picture(10_699))], [Ok(false), Ok(false)]);
    assert!(matches!(feed.take_picture(picture(10_700)), Err(Ended::LimitReached(_))));
    assert_eq!(std::iter::from_fn(|| items.try_recv().ok()).count(), 2);
}
