//! Cells on their way from where they were to where they shall be.

use std::time::Duration;

use crate::media::{Cell, MediaTime, Source};

/// The cells of one canvas in motion. Pure: the same calls at the same times give the same cells.
#[derive(Clone, Debug, Default)]
pub struct Transition {}

impl Transition {
    /// Sets out for `target`, from wherever the cells are at `now`; there after `lasting` (at once where it is zero).
    ///
    /// A cell whose source is new fades in in its place; one whose source `stays` (is still in the room) but is no longer placed fades out; one whose
    /// source is gone disappears at once. Aiming again for what is aimed for already changes nothing but texts, borders and labels.
    pub fn aim(&mut self, _now: MediaTime, _target: Vec<Cell>, _lasting: Duration, _stays: impl Fn(&Source) -> bool) {
        unimplemented!()
    }

    /// The cells at `now`, in paint order, on even pixels inside the canvas.
    pub fn cells(&self, _now: MediaTime) -> Vec<Cell> {
        unimplemented!()
    }

    /// Where the cells are going: what an admin is told.
    pub fn target(&self) -> &[Cell] {
        unimplemented!()
    }

    /// Whether anything is still on its way at `now`.
    pub fn moving(&self, _now: MediaTime) -> bool {
        unimplemented!()
    }
}
