//! Where recordings go: a bucket or a folder, behind the same few steps.
//!
//! In: a file's name below the place, its pieces. Out: the file there, or why not. Never: a file that another try finds half there.

use std::path::PathBuf;

use bytes::Bytes;

use super::bucket::{self, Bucket};
use super::fault::Fault;
use super::folder::{self, Writing};
use super::{Target, UploadSettings};
use crate::record::RecordingId;

/// A piece of a file: what is in memory at once. S3 takes parts of 5 MiB or more.
const PIECE: u64 = 8 * 1024 * 1024;
/// S3 takes no more parts of one object.
const PARTS: u64 = 10_000;

/// Where recordings go.
#[derive(Debug)]
pub struct Place {
    pub(super) way: Way,
    told: String,
    pub(super) deletes_local: bool,
}

/// How files get there.
#[derive(Debug)]
pub(super) enum Way {
    Bucket(Bucket),
    Folder(PathBuf),
}

/// A file on its way.
#[derive(Debug)]
pub(super) enum Sending {
    Bucket(bucket::Sending),
    Folder(Writing),
}

/// Why nothing can be uploaded with these settings.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// One of the two is not there.
    #[error("recording.upload: {0} is there and {1} is not: give both, here or in the environment, or neither")]
    HalfAKey(&'static str, &'static str),
    /// No address of a store.
    #[error("recording.upload.endpoint: use https://host or https://host:port, without keys")]
    NoEndpoint,
    /// An address without encryption.
    #[error("recording.upload.endpoint: {0} is not encrypted: use https://, or say allow_http = true")]
    Http(String),
    /// The folder cannot be made.
    #[error("recording.upload.url: {path}: {error}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The settings, or the environment's `AWS_…`, are no store's.
    #[error("recording.upload: {0}")]
    Store(String),
}

impl Place {
    /// The place of these settings; a folder is made, a store is not asked. Blocks.
    ///
    /// # Errors
    /// Where it is no such place.
    pub fn open(settings: &UploadSettings) -> Result<Self, PlaceError> {
        let (way, told) = match &settings.url {
            Target::Folder(path) => {
                std::fs::create_dir_all(path).map_err(|error| PlaceError::Folder { path: path.clone(), error })?;
                (Way::Folder(path.clone()), "a folder".to_owned())
            }
            Target::Bucket { name, prefix } => {
                let told = if prefix.is_empty() { format!("s3://{name}") } else { format!("s3://{name}/{prefix}") };
                (Way::Bucket(Bucket::open(name, prefix, settings)?), told)
            }
        };
        Ok(Self { way, told, deletes_local: settings.delete_local })
    }

    #[cfg(test)]
    pub(super) fn of(bucket: Bucket) -> Self {
        Self { way: Way::Bucket(bucket), told: "s3://test".into(), deletes_local: false }
    }

    /// What is said of where a recording goes.
    pub(super) fn told(&self, id: &RecordingId) -> String {
        format!("{}/{id}", self.told)
    }

    /// The size of a file that is there.
    pub(super) async fn size(&self, key: &str) -> Result<Option<u64>, Fault> {
        match &self.way {
            Way::Bucket(bucket) => bucket.size(key).await,
            Way::Folder(folder) => folder::size(&folder.join(key)),
        }
    }

    /// Begins a file of so many bytes.
    pub(super) async fn begin(&self, key: &str, bytes: u64) -> Result<Sending, Fault> {
        match &self.way {
            Way::Bucket(bucket) => bucket.begin(key, bytes > piece_of(bytes)).await.map(Sending::Bucket),
            Way::Folder(folder) => Writing::begin(folder.join(key)).map(Sending::Folder),
        }
    }

    /// Removes what an earlier try sent in parts and did not put together.
    pub(super) async fn forget(&self, key: &str, multipart: &str) -> Result<(), Fault> {
        match &self.way {
            Way::Bucket(bucket) => bucket.forget(key, multipart).await,
            Way::Folder(_) => Ok(()),
        }
    }
}

impl Sending {
    /// The store's name for its parts.
    pub(super) fn multipart(&self) -> Option<String> {
        match self {
            Self::Bucket(sending) => sending.multipart.clone(),
            Self::Folder(_) => None,
        }
    }

    pub(super) async fn piece(&mut self, bytes: Bytes) -> Result<(), Fault> {
        match self {
            Self::Bucket(sending) => sending.piece(bytes).await,
            Self::Folder(writing) => writing.piece(&bytes),
        }
    }

    /// Puts it in its place.
    pub(super) async fn finish(self) -> Result<(), Fault> {
        match self {
            Self::Bucket(mut sending) => sending.finish().await,
            Self::Folder(writing) => writing.finish(),
        }
    }
}

/// How large the pieces of a file of so many bytes are.
pub(super) fn piece_of(bytes: u64) -> u64 {
    PIECE.max(bytes.div_ceil(PARTS))
}
