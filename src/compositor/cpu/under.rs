//! What lay under a picture: kept where it will show through, since pictures are scaled straight onto the canvas.
//!
//! In: a step and the canvas before and after it; out: the canvas with the picture's corners and opacity blended in.
//! Never: more than is needed; an opaque, square picture keeps nothing.

use super::blend::{self, Opacity};
use super::canvas::part;
use super::outline::{Outline, Rows};
use super::painter::Coverage;
use crate::compositor::plan::Step;
use crate::media::{Frame, Rect};

/// The samples kept for one step.
#[derive(Debug, Default)]
pub(super) struct Under {
    samples: Vec<u8>,
    /// Coverage rows that are only asked for their kind.
    spare: Coverage,
}

impl Under {
    /// Keeps what will show through `step`.
    pub(super) fn save(&mut self, outline: &Outline, step: &Step, canvas: &mut Frame) {
        self.samples.clear();
        self.spare.resize(step.rect.width as usize);
        for pair in pairs(step.rect) {
            if shows_through(outline, step, pair, &mut self.spare) {
                for index in 0..3 {
                    part(canvas, index, pair).rows().for_each(|row| self.samples.extend_from_slice(row));
                }
            }
        }
    }

    /// Blends what was kept with what has been drawn.
    pub(super) fn let_through(&mut self, outline: &Outline, step: &Step, canvas: &mut Frame, coverage: &mut Coverage) {
        let opacity = Opacity::new(step.opacity);
        let mut kept = &self.samples[..];
        coverage.resize(step.rect.width as usize);
        for pair in pairs(step.rect) {
            if !shows_through(outline, step, pair, coverage) {
                continue;
            }
            coverage.halve();
            let rows = [&coverage.luma[..], std::slice::from_ref(&coverage.chroma), std::slice::from_ref(&coverage.chroma)];
            for (index, coverage) in rows.into_iter().enumerate() {
                for (row, coverage) in part(canvas, index, pair).rows().zip(coverage) {
                    let (below, rest) = kept.split_at(row.len());
                    blend::let_through(row, below, coverage, opacity);
                    kept = rest;
                }
            }
        }
    }
}

/// Two rows at a time, for they share a row of chroma.
fn pairs(rect: Rect) -> impl Iterator<Item = Rect> {
    (0..rect.height).step_by(2).map(move |y| Rect { y: rect.y + y, height: 2, ..rect })
}

/// Whether anything below shows through two rows; if so, their coverage is written.
fn shows_through(outline: &Outline, step: &Step, pair: Rect, coverage: &mut Coverage) -> bool {
    let shape = outline.rows((pair.y - step.rect.y) as usize, coverage.rows());
    if shape == Rows::Solid {
        coverage.luma.iter_mut().for_each(|row| row.fill(255));
    }
    shape != Rows::Solid || step.opacity < 1.0
}
