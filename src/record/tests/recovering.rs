//! What is left of a recording that a crash cut off.

use std::fs;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::record::recover::{is_ours, recover};

const ID: &str = "20261123T025240123-0a1b2c";

/// A file of three seconds, and where its parts end.
static FILE: LazyLock<(Vec<u8>, Vec<usize>)> =
    LazyLock::new(|| film(&pictures(60, 20, (160, 90), MediaTime::ZERO), &sounds(150, MediaTime::ZERO)));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_file_cut_anywhere_keeps_every_whole_part(cut in 0f64..=1.0) {
        let folder = tempfile::tempdir().unwrap();
        let (bytes, ends) = &*FILE;
        let at = (cut * bytes.len() as f64) as usize;
        let path = folder.path().join("mixed.mp4");
        fs::write(&path, &bytes[..at]).unwrap();
        let mut found = manifest(ID);
        recover(folder.path(), &mut found).unwrap();
        let whole = ends.iter().rev().find(|end| **end <= at).copied();
        let Some(whole) = whole else {
            prop_assert_eq!((found.state, found.files.len(), path.exists()), (State::Failed, 0, false));
            return Ok(());
        };
        prop_assert_eq!((found.state, found.bytes, fs::read(&path).unwrap().len()), (State::Recovered, whole as u64, whole));
        prop_assert_eq!(&fs::read(&path).unwrap()[..], &bytes[..whole]);
        if whole > ends[0] {
            let (_, _, duration) = content(&path);
            prop_assert_eq!(found.duration_ms, duration.as_millis() as u64);
        }
    }
}

#[test]
fn a_log_ends_with_a_whole_line_and_what_is_not_ours_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(70_000);
    fs::write(folder.path().join("events.jsonl"), format!("{{\"medley\":1}}\n{{\"a\":\"{long}\"}}\n{{\"b\":\"{long}")).unwrap();
    for other in ["notes.txt", "p.mp4", "p1.mp4.part", "px.mp4"] {
        fs::write(folder.path().join(other), b"mine").unwrap();
    }
    let mut found = manifest(ID);
    recover(folder.path(), &mut found).unwrap();
    let log = fs::read_to_string(folder.path().join("events.jsonl")).unwrap();
    assert!(log.ends_with("\"}\n") && log.lines().count() == 2);
    assert_eq!((found.files.len(), found.files[0].bytes), (1, log.len() as u64));
    assert_eq!(fs::read(folder.path().join("notes.txt")).unwrap(), b"mine");
    assert!(!is_ours("../mixed.mp4") && !is_ours("p1/../../x.mp4") && !is_ours("manifest.json") && is_ours("p12.mp4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_again_lists_what_a_crash_left_as_recovered() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, ends) = &*FILE;
    let of = folder.path().join(ID);
    fs::create_dir(&of).unwrap();
    fs::write(of.join("manifest.json"), serde_json::to_vec(&manifest(ID)).unwrap()).unwrap();
    fs::write(of.join("mixed.mp4"), &bytes[..bytes.len() - 1]).unwrap();
    // A removal that was broken off, recordings that another hand has changed, and a folder that is none of ours
    fs::create_dir(folder.path().join(format!(".gone-{ID}"))).unwrap();
    let twist = |id: &str, change: fn(&mut Manifest)| {
        let mut evil = manifest(id);
        change(&mut evil);
        fs::create_dir(folder.path().join(id)).unwrap();
        fs::write(folder.path().join(id).join("manifest.json"), serde_json::to_vec(&evil).unwrap()).unwrap();
    };
    twist("20261123T025240124-0a1b2c", |evil| {
        evil.files.push(RecordedFile { name: "../../etc/passwd".into(), bytes: 1, begins_ms: 0 });
    });
    twist("20261123T025240125-0a1b2c", |evil| evil.room = "a\r\nb".into());
    fs::create_dir(folder.path().join("family photos")).unwrap();

    for _ in 0..2 {
        let recordings = recordings(folder.path()).await;
        let listed = recordings.list(None, None).recordings;
        assert_eq!(listed.len(), 1);
        let whole = ends[ends.len() - 2] as u64;
        assert_eq!((listed[0].state, listed[0].bytes, listed[0].files[0].bytes), (State::Recovered, whole, whole));
        assert!(recordings.stop(&listed[0].id).await.is_err());
        assert!(folder.path().join("family photos").exists() && !folder.path().join(format!(".gone-{ID}")).exists());
    }
}
