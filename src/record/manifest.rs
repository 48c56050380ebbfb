//! What is known of a recording: kept beside its files, and told by the API.
//!
//! In: what was asked for, what is written, how it ended. Out: `manifest.json`. Never: a path.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::RecordingId;
use super::upload::UploadReport;
use crate::media::{ShortName, ViewName};

/// Where a recording stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is being written.
    Active,
    /// It was stopped, or everybody has gone.
    Complete,
    /// It ended before its time; `reason` says why. What came before is whole.
    Failed,
    /// The server ended without ending it: playable to within two seconds of that.
    Recovered,
    /// It has become as long or as large as it may.
    LimitReached,
}

/// What is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tracks {
    /// The mix, as viewers see and hear it.
    #[default]
    Mixed,
    /// Everybody's own pictures and sound as they arrive, and what happened.
    Isolated,
    /// Both.
    Both,
}

/// One file of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordedFile {
    /// Its name, such as `mixed.mp4`.
    pub name: String,
    /// Its size; while it is written, as far as it is on the disk.
    pub bytes: u64,
    /// Where its time 0 lies on the recording's line, in milliseconds.
    pub begins_ms: u64,
}

/// A recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Manifest {
    /// Its name.
    pub id: RecordingId,
    /// Of which room.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    pub room: String,
    /// Where it stands.
    pub state: State,
    /// Why it ended; null while it is active, where it was stopped, and where everybody has gone.
    pub reason: Option<String>,
    /// What is recorded.
    pub tracks: Tracks,
    /// The view of its mix.
    pub view: ViewName,
    /// The rendition of its mix; null for the best.
    pub rendition: Option<ShortName>,
    /// When it began, RFC 3339 in UTC.
    pub start: String,
    /// How much of it is on the disk, in milliseconds.
    pub duration_ms: u64,
    /// Of all its files.
    pub bytes: u64,
    /// Pictures and sounds that a disk too slow did not take.
    pub lost: u64,
    /// The longest it may become.
    pub max_seconds: u32,
    /// The largest it may become.
    pub max_bytes: u64,
    /// Its files.
    pub files: Vec<RecordedFile>,
    /// Where its files go, and how far that is; null where nothing is uploaded, and before it has ended.
    #[serde(default)]
    pub upload: Option<UploadReport>,
}

impl Manifest {
    /// One of its files; there is no other way from a name to a file.
    pub fn file(&self, name: &str) -> Option<&RecordedFile> {
        self.files.iter().find(|file| file.name == name)
    }
}

impl Tracks {
    /// Whether the mix is recorded.
    pub fn has_mix(self) -> bool {
        matches!(self, Self::Mixed | Self::Both)
    }

    /// Whether everybody's own are.
    pub fn has_isolated(self) -> bool {
        matches!(self, Self::Isolated | Self::Both)
    }
}
