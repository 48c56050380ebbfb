//! Compositors: a [`Scene`] and the participants' newest pictures become one I420 canvas.
//!
//! [`planner`] turns a scene into the pixel-exact drawing steps of [`plan`], which the CPU compositor (the truth) and
//! wgpu execute alike. Never: a clock, or a wait inside a tick.

use std::sync::Arc;
use std::time::Duration;

use crate::media::{Composite, Frame, ParticipantId, Scene};

mod choice;
pub mod cpu;
mod fallback;
mod fit;
mod fitted;
mod fonts;
pub mod gpu;
mod label;
mod lower_third;
mod marks;
mod more;
mod overlay;
pub mod palette;
mod placeholder;
pub mod plan;
pub mod planner;
mod seen;
mod slate;
mod stall;
pub mod stills;
mod strangers;
mod typeset;

pub use choice::{Choice, open};
pub use cpu::still;
pub use fonts::Fonts;
pub use slate::i420;
pub use strangers::Strangers;

/// Where a compositor finds the participants' newest pictures.
pub trait Pictures {
    /// The newest picture, `None` where a placeholder is to be shown.
    fn picture(&self, id: ParticipantId) -> Option<Arc<Frame>>;
}

/// Which compositor draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Shaders on a GPU (or on software Vulkan).
    Wgpu,
    /// Plain Rust on the processor.
    Cpu,
}

/// Draws scenes, possibly several in flight.
pub trait Compositor: Send {
    /// What it runs on.
    fn kind(&self) -> Kind;

    /// Begins to draw a scene. At most two are in flight; a third finishes the oldest first.
    ///
    /// # Errors
    /// Where the device is lost; the caller goes on with the CPU compositor.
    fn submit(&mut self, scene: &Scene, pictures: &dyn Pictures) -> Result<(), CompositorError>;

    /// The oldest canvas in flight, waiting for it at most `patience`; `None` where none is finished.
    ///
    /// # Errors
    /// Where the device is lost.
    fn take(&mut self, patience: Duration) -> Result<Option<Composite>, CompositorError>;
}

/// Why nothing is drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompositorError {
    /// No adapter of the kind asked for.
    #[error("no usable wgpu adapter: {0}")]
    NoAdapter(String),
    /// The device was lost or refused a command.
    #[error("the wgpu device was lost: {0}")]
    DeviceLost(String),
}
