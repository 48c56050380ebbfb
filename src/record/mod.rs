//! Recordings: what a room shows and sounds like, and what each participant sent, in files that survive a crash.
//!
//! In: a room's encoded mix, as any viewer gets it; what participants send; what who starts a recording asks for. Out: folders with a
//! manifest and files, each playable to its last whole second whatever happens. Never: an encode, a disk on an async thread, or a wait of
//! the room for a disk: what a slow one does not take is counted and said.
//!
//! | File | What it does |
//! | --- | --- |
//! | `recordings`, `entry`, `starting` | all recordings: list, stop, remove; one of them; how one begins |
//! | `settings`, `id`, `manifest`, `error` | what is allowed and asked for; names; what is told; refusals |
//! | `shelf`, `recover` | their folder; what a crash left in it |
//! | `running`, `term` | one recording that is active; when it ends by itself |
//! | `take`, `tally`, `file`, `disk` | what its tracks share: the place, the counts, files that grow in whole parts |
//! | `mixed` | the mix as one MP4 file |
//! | `upload` | where recordings go when they have ended |
//! | `isolated` | everybody's own, and what happened |

mod disk;
mod entry;
mod error;
mod file;
mod id;
pub mod isolated;
mod manifest;
mod mixed;
mod recordings;
mod recover;
mod running;
mod settings;
mod shelf;
mod starting;
mod take;
mod tally;
mod term;
#[cfg(test)]
mod tests;
pub mod upload;

pub use error::RecordError;
pub use file::PartFile;
pub use id::{RecordingId, RecordingIdError};
pub use manifest::{Manifest, RecordedFile, State, Tracks};
pub use recordings::{Page, Recordings, StoredFile};
pub use settings::{RecordingSettings, RecordingSpec};
pub use shelf::ShelfError;
pub use take::{Ended, Take};
pub use tally::{Counts, Full, Tally};
