//! The painter: executes a plan's steps on a canvas.
//!
//! In: a [`Plan`] and a canvas of its size; out: every pixel of it. Never: a clock, or an allocation for each pixel or row.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::axis::Axes;
use super::background::uncovered;
use super::blend::{self, Opacity};
use super::canvas::part;
use super::columns::Columns;
use super::outline::{Outline, Rows};
use super::scale::{Plane, halve_row, scale};
use super::under::Under;
use crate::compositor::plan::{Crop, Cutout, Mask, Paint, Plan, Step, Yuv};
use crate::media::{Frame, Rect};

/// Shapes kept; a scene has a handful.
const OUTLINES: usize = 128;

/// Holds what painting needs from one canvas to the next.
#[derive(Debug, Default)]
pub struct Painter {
    axes: Axes,
    columns: Columns,
    outlines: BTreeMap<(u32, u32, u32, Option<u32>), Arc<Outline>>,
    coverage: Coverage,
    under: Under,
}

/// Coverage of two rows of luma and of the row of chroma between them.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    pub(super) luma: [Vec<u8>; 2],
    pub(super) chroma: Vec<u8>,
}

impl Coverage {
    /// Makes room for rows of `width`; what they hold is to be written first.
    pub(super) fn resize(&mut self, width: usize) {
        self.luma.iter_mut().for_each(|row| row.resize(width, 0));
        self.chroma.resize(width / 2, 0);
    }

    pub(super) fn rows(&mut self) -> [&mut [u8]; 2] {
        self.luma.each_mut().map(|row| &mut row[..])
    }

    /// The coverage of plane `index` in the two rows of luma from `y` on, and which row of that plane is the first.
    fn plane(&self, index: usize, y: usize) -> (&[Vec<u8>], usize) {
        if index == 0 { (&self.luma, y) } else { (std::slice::from_ref(&self.chroma), y / 2) }
    }

    /// Makes the chroma's coverage of the luma's: the mean of each 2×2 block.
    pub(super) fn halve(&mut self) {
        halve_row(&mut self.chroma, &self.luma[0], &self.luma[1]);
    }
}

impl Painter {
    /// Paints the whole canvas.
    ///
    /// # Panics
    /// Where the canvas is not of the plan's size or a step leaves it: the planner makes neither.
    pub fn paint(&mut self, plan: &Plan, canvas: &mut Frame) {
        assert_eq!((canvas.width(), canvas.height()), (plan.width, plan.height));
        for rect in uncovered(plan) {
            fill(canvas, rect, plan.background, Opacity::FULL);
        }
        for step in &plan.steps {
            self.step(step, canvas);
        }
    }

    fn step(&mut self, step: &Step, canvas: &mut Frame) {
        let (rect, opacity) = (step.rect, Opacity::new(step.opacity));
        match &step.paint {
            Paint::Picture { frame, crop } => self.picture(frame, *crop, step, canvas),
            Paint::Fill(color) if step.corner_radius <= 0.0 => fill(canvas, rect, *color, opacity),
            Paint::Fill(color) => {
                let outline = self.outline(step, None);
                self.shape(&outline, None, *color, step, canvas);
            }
            Paint::Border { color, width } => {
                let outline = self.outline(step, Some(*width));
                self.shape(&outline, None, *color, step, canvas);
            }
            Paint::Mask { mask, color } => {
                let outline = self.outline(step, None);
                self.shape(&outline, Some(mask), *color, step, canvas);
            }
            Paint::Cutout(cutout) => self.cutout(cutout, step, canvas),
        }
    }

    fn cutout(&mut self, Cutout { frame, mask }: &Cutout, step: &Step, canvas: &mut Frame) {
        let (outline, opacity) = (self.outline(step, None), Opacity::new(step.opacity));
        let widths = [frame.width(), frame.chroma_size().0, frame.chroma_size().0].map(|width| width as usize);
        self.coverage.resize(widths[0]);
        for y in (0..step.rect.height).step_by(2) {
            let pair = Rect { y: step.rect.y + y, height: 2, ..step.rect };
            masked(&outline, mask, y as usize, &mut self.coverage);
            self.coverage.halve();
            for (index, plane) in frame.planes().into_iter().enumerate() {
                let (coverage, first) = self.coverage.plane(index, y as usize);
                let rows = plane.chunks_exact(widths[index]).skip(first).zip(coverage);
                part(canvas, index, pair).rows().zip(rows).for_each(|(row, (above, coverage))| blend::row(row, above, coverage, opacity));
            }
        }
    }

    fn picture(&mut self, frame: &Frame, crop: Crop, step: &Step, canvas: &mut Frame) {
        let outline = self.outline(step, None);
        self.under.save(&outline, step, canvas);
        self.scale(frame, crop, step.rect, canvas);
        self.under.let_through(&outline, step, canvas, &mut self.coverage);
    }

    fn scale(&mut self, frame: &Frame, crop: Crop, rect: Rect, canvas: &mut Frame) {
        let sizes = [(frame.width(), frame.height()), frame.chroma_size(), frame.chroma_size()];
        for (index, (samples, (width, height))) in frame.planes().into_iter().zip(sizes).enumerate() {
            let shrink = if index == 0 { 1.0 } else { 0.5 };
            let source = Plane { samples, width: width as usize, height: height as usize };
            let mut target = part(canvas, index, rect);
            let [x, y, w, h] = [crop.x, crop.y, crop.width, crop.height].map(|side| f64::from(side) * shrink);
            let across = self.axes.get(source.width, x, w, target.width);
            let down = self.axes.get(source.height, y, h, target.height);
            scale(source, &across, &down, &mut target, &mut self.columns);
        }
    }

    /// One colour through a shape, and through a mask where there is one.
    fn shape(&mut self, outline: &Outline, mask: Option<&Mask>, color: Yuv, step: &Step, canvas: &mut Frame) {
        let (width, opacity) = (step.rect.width as usize, Opacity::new(step.opacity));
        self.coverage.resize(width);
        for y in (0..step.rect.height).step_by(2) {
            let pair = Rect { y: step.rect.y + y, height: 2, ..step.rect };
            let rows = match mask {
                Some(mask) => masked(outline, mask, y as usize, &mut self.coverage),
                None => outline.rows(y as usize, self.coverage.rows()),
            };
            if rows != Rows::Solid {
                self.coverage.halve();
            }
            match rows {
                Rows::Solid => fill(canvas, pair, color, opacity),
                Rows::Mixed => self.coverage.color(canvas, pair, 0..width, color, opacity),
                Rows::Sides(side) => {
                    self.coverage.color(canvas, pair, 0..side, color, opacity);
                    self.coverage.color(canvas, pair, width - side..width, color, opacity);
                }
            }
        }
    }

    fn outline(&mut self, step: &Step, line: Option<f32>) -> Arc<Outline> {
        let Rect { width, height, .. } = step.rect;
        let key = (width, height, step.corner_radius.to_bits(), line.map(f32::to_bits));
        if self.outlines.len() >= OUTLINES && !self.outlines.contains_key(&key) {
            self.outlines.clear();
        }
        let make = || match line {
            Some(line) => Outline::border(width as usize, height as usize, step.corner_radius, line),
            None => Outline::filled(width as usize, height as usize, step.corner_radius),
        };
        self.outlines.entry(key).or_insert_with(|| Arc::new(make())).clone()
    }
}

impl Coverage {
    /// One colour over the columns `span` (even) of two rows, through the coverage that is there.
    fn color(&self, canvas: &mut Frame, pair: Rect, span: std::ops::Range<usize>, color: Yuv, opacity: Opacity) {
        let half = span.start / 2..span.end / 2;
        for (row, coverage) in part(canvas, 0, pair).rows().zip(&self.luma) {
            blend::value(&mut row[span.clone()], &coverage[span.clone()], color[0], opacity);
        }
        for index in [1, 2] {
            part(canvas, index, pair)
                .rows()
                .for_each(|row| blend::value(&mut row[half.clone()], &self.chroma[half.clone()], color[index], opacity));
        }
    }
}

fn fill(canvas: &mut Frame, rect: Rect, color: Yuv, opacity: Opacity) {
    for (index, value) in color.into_iter().enumerate() {
        part(canvas, index, rect).rows().for_each(|row| blend::solid(row, value, opacity));
    }
}

fn masked(outline: &Outline, mask: &Mask, y: usize, coverage: &mut Coverage) -> Rows {
    let shape = outline.rows(y, coverage.rows());
    let width = mask.width as usize;
    for (row, coverage) in coverage.rows().into_iter().zip(mask.coverage[y * width..].chunks_exact(width)) {
        match shape {
            Rows::Solid => row.copy_from_slice(coverage),
            Rows::Sides(_) | Rows::Mixed => blend::multiply(row, coverage),
        }
    }
    Rows::Mixed
}
