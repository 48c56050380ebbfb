//! How far the upload of a recording is: a part of its manifest, so that the next start goes on from there.
//!
//! In: what is done. Out: JSON. Never: a secret, or a path of the server's.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where an upload stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UploadState {
    /// Its turn has not come.
    #[default]
    Waiting,
    /// It is under way, or is tried again in a while: then `error` says why.
    Uploading,
    /// It is there, in its whole size.
    Done,
    /// It was given up; it is tried again in an hour, and when the server starts.
    Failed,
}

/// One file's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileUpload {
    /// Its name, such as `mixed.mp4`; the last is `manifest.json`.
    pub name: String,
    /// Where it stands.
    pub state: UploadState,
    /// How often it was begun, in this round of tries.
    pub tries: u32,
    /// Why the last try did not do it.
    pub error: Option<String>,
    /// The store's name for what was sent in parts and is not put together; a server that starts removes that and begins anew.
    pub multipart: Option<String>,
}

/// The upload of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UploadReport {
    /// Where it stands.
    pub state: UploadState,
    /// Where its files go, such as `s3://bucket/prefix/20261123T025240123-0a1b2c`.
    pub to: String,
    /// Whether the server has removed its own copy (`delete_local`).
    pub is_local_deleted: bool,
    /// Its files.
    pub files: Vec<FileUpload>,
}

impl UploadReport {
    /// Of a recording with these files; what an earlier report has of one of them stays.
    pub(super) fn of<'a>(to: String, names: impl Iterator<Item = &'a str>, before: Self) -> Self {
        let kept = |name: &str| before.files.iter().find(|file| file.name == name).cloned();
        let file = |name: &str| kept(name).unwrap_or_else(|| FileUpload { name: name.to_owned(), ..FileUpload::default() });
        Self { state: UploadState::Uploading, to, is_local_deleted: before.is_local_deleted, files: names.map(file).collect() }
    }
}
