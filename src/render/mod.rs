//! A room without a server: the whole pipeline on a virtual clock, from files into a file.
//!
//! In: a [`Call`], how its room is set up, where the film goes. Out: a film; the same bytes for the same call. Never: a clock, a
//! random number, or threads whose order shows: each of them hands on what it was given, in the order in which it was given.
//!
//! | File | What it does |
//! | --- | --- |
//! | `script` | `events.jsonl`: what happens when |
//! | `call` | who is in it and what they send: a recording, or files |
//! | `camera`, `voice` | one person's pictures and sound, each at its time |
//! | `cast` | those who are there |
//! | `run` | the loop: the room is told what happens, and what it gives is filmed |
//! | `studio` | scenes and mixes become pictures and packets, on a thread of its own |
//! | `film` | MP4 in parts of a second, or a byte stream and Ogg beside it |
//! | `damage` | what could not be made good of the files |

mod call;
mod camera;
mod cast;
mod damage;
mod film;
mod run;
mod script;
mod studio;
#[cfg(test)]
mod tests;
mod voice;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use call::{Call, EVENTS};
pub use film::sound_beside;
pub use run::render;
pub use script::Templates;

use crate::codec::EncodeError;
use crate::compositor::{Choice, CompositorError, Fonts};
use crate::container::ContainerError;
use crate::layout::LayoutError;
use crate::room::RoomSettings;

/// How a call is made again.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The room; its main view is filmed.
    pub room: RoomSettings,
    /// Of the pictures, in bits a second.
    pub bitrate_bps: u32,
    /// Which compositor draws. The CPU draws the same on every machine.
    pub compositor: Choice,
    /// What names are written with.
    pub fonts: Arc<Fonts>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The room's time.
    pub at: Duration,
    /// Where it ends, as far as files tell.
    pub of: Duration,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// How long the film is.
    pub length: Duration,
    /// Its pictures.
    pub pictures: u64,
    /// Whether it was ended before the call did.
    pub stopped: bool,
    /// What could not be made good of the files, a sentence each.
    pub damage: Vec<String>,
}

/// Why there is no film, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Events that cannot be.
    #[error("{path}, line {line}: {reason}", path = path.display())]
    Events {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of pictures or sound that cannot be used.
    #[error("{path}: {source}", path = path.display())]
    Media {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: ContainerError,
    },
    /// An event names a file that may lie anywhere.
    #[error("the events name the file {0:?}; name one that lies beside them, without a folder")]
    FileName(String),
    /// A layout that cannot be had.
    #[error("the layout at {} s: {source}; only the stock templates and those that the recording has are known here, choose another for all of the call (--layout)", .at.as_secs_f64())]
    Layout {
        /// When it was to come.
        at: Duration,
        /// What is wrong with it.
        source: LayoutError,
    },
    /// More people than a room has places for.
    #[error("more than {0} people; render some of them at a time")]
    TooMany(usize),
    /// Nobody sends anything.
    #[error("there is nothing to render: nobody sends pictures or sound{}{}", if .0.is_empty() { "" } else { "; " }, .0)]
    Nothing(String),
    /// What the film is to be called says nothing of its kind.
    #[error("{path} is neither .mp4 nor .h264; name the film so that its ending says what it is to be", path = .0.display())]
    Kind(PathBuf),
    /// The film cannot be written.
    #[error("cannot write {path}: {source}", path = path.display())]
    Write {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A part of the film is none.
    #[error("a part of the film cannot be packed: {0}")]
    Pack(String),
    /// Nothing is drawn.
    #[error(transparent)]
    Compositor(#[from] CompositorError),
    /// Nothing is encoded.
    #[error("encoding: {0}")]
    Encode(#[from] EncodeError),
}
