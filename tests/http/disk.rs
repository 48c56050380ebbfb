//! A disk that becomes full while a room is recorded, on a file system of 20 MB of its own.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;

use medley::container::Media;
use medley::record::{RecordingSettings, Recordings};
use serde_json::json;
use tempfile::TempDir;

use crate::server::{start_with, until};

/// A small file system; gone when dropped.
struct Mount(TempDir);

impl Mount {
    /// `None` where this machine does not let us mount one.
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=20m", "tmpfs"]).arg(folder.path()).output();
        mounted.is_ok_and(|done| done.status.success()).then_some(Self(folder))
    }

    /// Takes all but so many bytes of it.
    fn fill(&self, but: usize) {
        let path = self.0.path().join("filler");
        let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length - but as u64).unwrap();
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.path().join("filler")).unwrap();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_ends_the_recording_with_its_reason_and_the_room_goes_on() {
    for (min_free_bytes, left, said) in [(0, 0, "the disk is full"), (4 << 20, 3 << 20, "min_free_bytes")] {
        let Some(mount) = Mount::new() else {
            println!("skipped: this machine lets nobody mount a file system");
            return;
        };
        let settings = RecordingSettings { folder: Some(mount.0.path().into()), min_free_bytes, ..RecordingSettings::default() };
        let again = settings.clone();
        let server = start_with(|state| {
            let (rooms, metrics) = (state.rooms.clone(), state.metrics.clone());
            state.recordings = Recordings::open(settings, rooms, state.clock, metrics).unwrap();
        })
        .await;
        server.send("PUT", "/v1/rooms/a", &json!({ "canvas": { "width": 320, "height": 180, "fps": 10 } })).await;
        let started = server.ask("POST", "/v1/rooms/a/recordings", "", b"").await;
        let path = started.header("location").unwrap().to_owned();
        until("some of it is on the disk", async || server.get(&path).await.json()["duration_ms"].as_u64().unwrap() > 0).await;

        mount.fill(left);
        until("it has ended", async || server.get(&path).await.json()["state"] != "active").await;
        let told = server.get(&path).await.json();
        assert_eq!(told["state"], "failed", "{told}");
        assert!(told["reason"].as_str().unwrap().contains(said), "{told}");
        let id = told["id"].as_str().unwrap();
        let file = mount.0.path().join(id).join("mixed.mp4");
        assert_eq!(std::fs::metadata(&file).unwrap().len(), told["bytes"].as_u64().unwrap(), "no half part stays");
        let plays = Media::open(&file).unwrap().duration.as_millis() as u64;
        assert!(plays + 200 >= told["duration_ms"].as_u64().unwrap());
        assert_eq!(server.get("/v1/rooms/a/snapshot.png").await.status, 200);
        assert_eq!(server.ask("POST", "/v1/rooms/a/recordings", "", b"").await.status, 507);

        mount.empty();
        let kept = Recordings::open(again, server.state.rooms.clone(), server.state.clock, server.state.metrics.clone()).unwrap();
        assert_eq!(serde_json::to_value(&kept.list(None, None).recordings[0]).unwrap(), told, "how it ended was written down all the same");
        assert_eq!(server.ask("POST", "/v1/rooms/a/recordings", "", b"").await.status, 201);
    }
}
