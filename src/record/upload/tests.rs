//! Uploads to a folder and to a store in memory, given up or broken off in between, and carried through by the next start.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use object_store::memory::InMemory;
use object_store::multipart::{MultipartStore, PartId};
use object_store::{MultipartId, ObjectStoreExt, PutPayload, PutResult, Result as Stored};

use super::bucket::Bucket;
use super::folder::Writing;
use super::uploader::upload_all;
use super::*;
use crate::record::tests::{manifest, recordings, until};
use crate::record::{Manifest, RecordedFile, RecordingId, Recordings, State};

const ID: &str = "20261123T025240123-0a1b2c";

fn id() -> RecordingId {
    ID.parse().unwrap()
}

/// Bytes that differ from place to place.
fn film(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|n| (n ^ (n >> 8) ^ (n >> 16)) as u8).collect()
}

/// A recording that has ended.
fn lay_down(folder: &Path, film: &[u8]) {
    let folder = folder.join(ID);
    fs::create_dir(&folder).unwrap();
    let file = |name: &str, bytes: usize| RecordedFile { name: name.into(), bytes: bytes as u64, begins_ms: 0 };
    let files = vec![file("mixed.mp4", film.len()), file("events.jsonl", 3)];
    let kept = Manifest { state: State::Complete, files, ..manifest(ID) };
    fs::write(folder.join("manifest.json"), serde_json::to_vec(&kept).unwrap()).unwrap();
    fs::write(folder.join("mixed.mp4"), film).unwrap();
    fs::write(folder.join("events.jsonl"), "{}\n").unwrap();
}

/// A folder that recordings go to.
fn folder(to: &Path, more: &str) -> Place {
    let settings: UploadSettings = toml::from_str(&format!("url = \"file://{}\"\n{more}", to.display())).unwrap();
    Place::open(&settings).unwrap()
}

async fn until_it_is(recordings: &Recordings, state: UploadState) -> UploadReport {
    let is_so = |manifest: &Manifest| manifest.upload.as_ref().is_some_and(|report| report.state == state);
    until(recordings, &id(), is_so).await.upload.unwrap()
}

fn states(report: &UploadReport) -> Vec<UploadState> {
    report.files.iter().map(|file| file.state).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_folder_did_not_get_the_next_start_brings_and_only_that() {
    let (kept, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let film = film(100_000);
    lay_down(kept.path(), &film);
    let (here, there) = (kept.path().join(ID), to.path().join("calls").join(ID));
    fs::rename(here.join("events.jsonl"), here.join("away")).unwrap();
    let place = || folder(&to.path().join("calls"), "delete_local = true");

    let first = recordings(kept.path()).await;
    let uploader = Uploader::start(first.clone(), place()).unwrap();
    let report = until_it_is(&first, UploadState::Failed).await;
    assert_eq!(states(&report), [UploadState::Done, UploadState::Failed, UploadState::Waiting]);
    assert!(report.files[1].error.as_ref().unwrap().contains("cannot be read"), "{report:?}");
    assert_eq!(first.metrics.upload_failures.get(), 1);
    assert!(here.join("mixed.mp4").exists() && !there.join("manifest.json").exists());
    let inode = fs::metadata(there.join("mixed.mp4")).unwrap().ino();
    drop((uploader, first));

    fs::rename(here.join("away"), here.join("events.jsonl")).unwrap();
    let second = recordings(kept.path()).await;
    let uploader = Uploader::start(second.clone(), place()).unwrap();
    until(&second, &id(), |manifest| manifest.upload.as_ref().is_some_and(|report| report.is_local_deleted)).await;
    drop(uploader);
    assert_eq!(fs::metadata(there.join("mixed.mp4")).unwrap().ino(), inode, "it was sent again");
    assert_eq!(fs::read(there.join("mixed.mp4")).unwrap(), film);
    let told: Manifest = serde_json::from_slice(&fs::read(there.join("manifest.json")).unwrap()).unwrap();
    assert_eq!((told.state, told.upload), (State::Complete, None));
    assert!(!here.join("mixed.mp4").exists() && !here.join("events.jsonl").exists() && here.join("manifest.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_tried_again_in_its_time_though_others_end_meanwhile() {
    let (kept, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    lay_down(kept.path(), &film(1000));
    let here = kept.path().join(ID);
    fs::rename(here.join("events.jsonl"), here.join("away")).unwrap();
    let (recordings, place) = (recordings(kept.path()).await, folder(to.path(), ""));
    let is_so = |wanted: UploadState, manifest: &Manifest| {
        // Another one ends at each look
        recordings.finished.send(Arc::new(manifest.clone())).unwrap();
        manifest.upload.as_ref().is_some_and(|report| report.state == wanted)
    };
    let looking = async {
        until(&recordings, &id(), |manifest| is_so(UploadState::Failed, manifest)).await;
        fs::rename(here.join("away"), here.join("events.jsonl")).unwrap();
        until(&recordings, &id(), |manifest| is_so(UploadState::Done, manifest)).await;
    };
    tokio::select! {
        biased;
        () = upload_all(&recordings, &place, Duration::from_millis(200)) => panic!("nobody has ended it"),
        () = looking => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_already_is_where_it_went_and_is_not_looked_for_here_any_more() {
    let (kept, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    lay_down(kept.path(), &film(1000));
    let path = kept.path().join(ID).join("manifest.json");
    let mut laid: Manifest = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    laid.upload = Some(UploadReport { state: UploadState::Done, to: "s3://before".into(), ..UploadReport::default() });
    fs::write(&path, serde_json::to_vec(&laid).unwrap()).unwrap();

    let recordings = recordings(kept.path()).await;
    let uploader = Uploader::start(recordings.clone(), folder(to.path(), "delete_local = true")).unwrap();
    let is_deleted = |manifest: &Manifest| manifest.upload.as_ref().is_some_and(|report| report.is_local_deleted);
    let told = until(&recordings, &id(), is_deleted).await;
    drop(uploader);
    assert_eq!(told.upload.unwrap().to, "s3://before");
    let refused = recordings.file(&id(), "mixed.mp4").unwrap_err().to_string();
    assert!(refused.contains("s3://before"), "{refused}");
}

#[test]
fn nothing_of_a_file_that_is_given_up_stays_in_the_folder() {
    let to = tempfile::tempdir().unwrap();
    let mut writing = Writing::begin(to.path().join(ID).join("mixed.mp4")).unwrap();
    writing.piece(b"half of it").unwrap();
    drop(writing);
    assert_eq!(fs::read_dir(to.path().join(ID)).unwrap().count(), 0);
}

/// A store in memory that takes a first part and never answers to a second while it is stuck.
#[derive(Default)]
struct Store {
    whole: Arc<InMemory>,
    is_stuck: AtomicBool,
    aborted: AtomicUsize,
}

#[async_trait::async_trait]
impl MultipartStore for Store {
    async fn create_multipart(&self, path: &object_store::path::Path) -> Stored<MultipartId> {
        self.whole.create_multipart(path).await
    }

    async fn put_part(&self, path: &object_store::path::Path, id: &MultipartId, part: usize, data: PutPayload) -> Stored<PartId> {
        if part > 0 && self.is_stuck.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        self.whole.put_part(path, id, part, data).await
    }

    async fn complete_multipart(&self, path: &object_store::path::Path, id: &MultipartId, parts: Vec<PartId>) -> Stored<PutResult> {
        self.whole.complete_multipart(path, id, parts).await
    }

    async fn abort_multipart(&self, path: &object_store::path::Path, id: &MultipartId) -> Stored<()> {
        self.aborted.fetch_add(1, Ordering::Relaxed);
        self.whole.abort_multipart(path, id).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_that_was_half_sent_is_removed_from_the_store_and_sent_anew() {
    let kept = tempfile::tempdir().unwrap();
    let film = film(20_000_000);
    lay_down(kept.path(), &film);
    let store = Arc::new(Store { is_stuck: true.into(), ..Store::default() });
    let place = || Place::of(Bucket::of(store.whole.clone(), store.clone(), "calls"));

    let first = recordings(kept.path()).await;
    let uploader = Uploader::start(first.clone(), place()).unwrap();
    until(&first, &id(), |_| first.metrics.uploaded_bytes.get() > 0).await;
    drop((uploader, first));

    let second = recordings(kept.path()).await;
    let report = second.get(&id()).unwrap().upload.unwrap();
    assert!(report.state == UploadState::Uploading && report.files[0].multipart.is_some(), "{report:?}");
    store.is_stuck.store(false, Ordering::Relaxed);
    let uploader = Uploader::start(second.clone(), place()).unwrap();
    let report = until_it_is(&second, UploadState::Done).await;
    drop(uploader);
    assert_eq!((states(&report), store.aborted.load(Ordering::Relaxed)), (vec![UploadState::Done; 3], 1));
    let there = store.whole.get(&format!("calls/{ID}/mixed.mp4").into()).await.unwrap().bytes().await.unwrap();
    assert!(there == film && fs::read(kept.path().join(ID).join("mixed.mp4")).unwrap() == film);
}

#[test]
fn what_cannot_be_reached_is_an_error_of_the_start_that_names_the_key() {
    for (text, said) in [
        ("endpoint = \"s3.example.org\"", "endpoint"),
        ("endpoint = \"http://s3.example.org\"", "allow_http"),
        ("access_key_id = \"AKIA\"", "secret_access_key is not"),
        ("secret_access_key = \"hunter2\"", "access_key_id is not"),
    ] {
        let settings: UploadSettings = toml::from_str(&format!("url = \"s3://calls\"\n{text}")).unwrap();
        let error = Place::open(&settings).unwrap_err().to_string();
        assert!(error.contains(said) && !error.contains("hunter2"), "{text}: {error}");
    }
}
