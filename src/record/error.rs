//! Why nothing was recorded, stopped or removed.

use super::{RecordingId, State};
use crate::media::ShortName;
use crate::rooms::{AdminError, JoinError};

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The room cannot be had.
    #[error(transparent)]
    Room(#[from] AdminError),
    /// There is no place in the room.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The room has no such rendition; these it has.
    #[error("rendition: the room has no rendition {0}; it has {1}")]
    NoSuchRendition(ShortName, String),
    /// More than the server allows.
    #[error("{field}: {asked} is out of range: send a whole number from 1 to {most}")]
    Beyond {
        /// Which bound.
        field: &'static str,
        /// What was asked for.
        asked: u64,
        /// What is allowed.
        most: u64,
    },
    /// As many are active as may be.
    #[error("there are {0} active recordings, as many as there may be; stop one, or try again later")]
    TooMany(usize),
    /// The disk is nearly full.
    #[error("{0}")]
    DiskFull(String),
    /// No such recording, or no such file of it.
    #[error("{0}")]
    NotFound(String),
    /// It is being written.
    #[error("recording {0} is active; stop it first: POST /v1/recordings/{0}/stop")]
    Active(RecordingId),
    /// There is nothing to stop.
    #[error("recording {0} is {1} already; there is nothing to stop")]
    Over(RecordingId, &'static str),
    /// The disk does not do it.
    #[error("the server's disk says {0}; try again when its operator has seen to it")]
    Storage(String),
}

impl RecordError {
    pub(super) fn over(id: &RecordingId, state: State) -> Self {
        let state = match state {
            State::Active => "being stopped",
            State::Complete => "complete",
            State::Failed => "failed",
            State::Recovered => "recovered",
            State::LimitReached => "limit_reached",
        };
        Self::Over(id.clone(), state)
    }

    pub(super) fn unknown(id: &RecordingId) -> Self {
        Self::NotFound(format!("there is no recording {id}; GET /v1/recordings lists them"))
    }
}
