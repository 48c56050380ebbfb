//! Recordings that have ended go to an S3-compatible store or another folder, file by file.
//!
//! In: recordings that ended, on the disk; where they are to go. Out: the same files there, each checked by its size, the manifest last;
//! how far that is, in the manifest. Never: a whole file in memory, a local file removed before it is there, a secret in a log, or a turn
//! on the runtime that calls run on: all of it is done on one thread of its own, one file at a time.
//!
//! | File | What it does |
//! | --- | --- |
//! | `settings` | the section `[recording.upload]` |
//! | `report` | what is told of each file |
//! | `place`, `bucket`, `folder` | where files go: by parts of a bounded size |
//! | `fault` | why a store does not take a file, and whether it may later |
//! | `uploader`, `errand` | all recordings in turn; one of them |

mod bucket;
mod errand;
mod fault;
mod folder;
mod place;
mod report;
mod settings;
mod uploader;

#[cfg(test)]
mod tests;

pub use place::{Place, PlaceError};
pub use report::{FileUpload, UploadReport, UploadState};
pub use settings::{Secret, Target, TargetError, UploadSettings};
pub use uploader::Uploader;
