//! A step of a plan as the records that the shaders read: one for luma, one for both chroma planes.
//!
//! In: a [`Step`] and where the canvas's planes lie. Out: words for a uniform buffer, and how many workgroups.
//! Never: the GPU.

use super::canvas::{Layout, Plane};
use super::pipelines::{GROUP_SAMPLES, Pass, RECORD_BYTES};
use crate::compositor::plan::{Crop, Mask, Paint, Step};
use crate::media::{Frame, Rect};

/// Unused bytes before a picture in its buffer: where four samples begin left of a row, these are read.
pub(super) const GUARD_BYTES: u32 = 4;

/// Luma, or both chroma planes: what one dispatch paints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Planes {
    Luma,
    Chroma,
}

/// One dispatch's words, as `Step` in `shaders/step.wgsl`.
pub(super) type Record = [u32; (RECORD_BYTES / 4) as usize];

/// How a plane's samples are read, as in `shaders/picture.wgsl`.
#[derive(Clone, Copy)]
enum Reading {
    Copy = 0,
    Linear = 1,
    Averaged = 2,
}

/// A source plane and the part of it that is shown.
#[derive(Default)]
struct Source {
    /// First byte, bytes a row, bytes to the next plane, how it is read.
    bytes: [u32; 4],
    /// Left, top, and the way from one sample to the next in x and y.
    sampling: [f32; 4],
    /// Its sides.
    size: [f32; 2],
}

/// The pass that paints with `paint`.
pub(super) fn pass(paint: &Paint) -> Pass {
    match paint {
        Paint::Picture { .. } => Pass::Picture,
        Paint::Fill(_) | Paint::Border { .. } => Pass::Fill,
        Paint::Mask { .. } => Pass::Mask,
    }
}

impl Planes {
    /// Both dispatches of a step.
    pub(super) const ALL: [Self; 2] = [Self::Luma, Self::Chroma];

    /// The record of a step.
    pub(super) fn record(self, step: &Step, canvas: Layout) -> Record {
        let Rect { x, y, width, height } = self.rect(step.rect);
        let Plane { first, row, words, .. } = self.of(canvas);
        let (source, color, line) = match &step.paint {
            Paint::Picture { frame, crop } => (self.picture(frame, *crop, step.rect), [0; 3], 0.0),
            Paint::Fill(color) => (Source::default(), *color, 0.0),
            Paint::Border { color, width } => (Source::default(), *color, *width),
            Paint::Mask { mask, color } => (mask_source(mask), *color, 0.0),
        };
        let paint = match self {
            Self::Luma => [f32::from(color[0]), 0.0, step.opacity, 0.0],
            Self::Chroma => [f32::from(color[1]), f32::from(color[2]), step.opacity, 0.0],
        };
        let shape = [source.size[0], source.size[1], step.corner_radius, line];
        let mut record = Record::default();
        let groups = [
            [x, y, x + width, y + height],
            [first, row, words, self.scale()],
            source.bytes,
            bits(source.sampling),
            bits(shape),
            bits(paint),
        ];
        for (words, group) in record.chunks_exact_mut(4).zip(groups) {
            words.copy_from_slice(&group);
        }
        record
    }

    /// Workgroups in x, y and z for a step.
    pub(super) fn workgroups(self, step: &Step) -> [u32; 3] {
        let Rect { x, y: _, width, height } = self.rect(step.rect);
        // words begin at multiples of four, so that the first may begin left of the step
        let across = (x % 4 + width).div_ceil(GROUP_SAMPLES.0);
        [across, height.div_ceil(GROUP_SAMPLES.1), self.scale()]
    }

    /// Luma pixels a sample and axis; by chance also the number of planes.
    fn scale(self) -> u32 {
        match self {
            Self::Luma => 1,
            Self::Chroma => 2,
        }
    }

    fn of(self, canvas: Layout) -> Plane {
        match self {
            Self::Luma => canvas.luma(),
            Self::Chroma => canvas.chroma(),
        }
    }

    fn rect(self, luma: Rect) -> Rect {
        let scale = self.scale();
        Rect { x: luma.x / scale, y: luma.y / scale, width: luma.width / scale, height: luma.height / scale }
    }

    fn picture(self, frame: &Frame, crop: Crop, rect: Rect) -> Source {
        let luma = frame.width() * frame.height();
        let (width, height) = frame.chroma_size();
        let (first, size) = match self {
            Self::Luma => (GUARD_BYTES, [frame.width(), frame.height()]),
            Self::Chroma => (GUARD_BYTES + luma, [width, height]),
        };
        let scale = self.scale() as f32;
        let sampling = [crop.x / scale, crop.y / scale, crop.width / rect.width as f32, crop.height / rect.height as f32];
        let bytes = [first, size[0], width * height, reading(sampling) as u32];
        Source { bytes, sampling, size: size.map(|side| side as f32) }
    }
}

fn reading([left, top, across, down]: [f32; 4]) -> Reading {
    if across > 2.0 || down > 2.0 {
        Reading::Averaged
    } else if across == 1.0 && down == 1.0 && left.fract() == 0.0 && top.fract() == 0.0 {
        Reading::Copy
    } else {
        Reading::Linear
    }
}

fn mask_source(mask: &Mask) -> Source {
    Source { bytes: [0, mask.width, 0, 0], sampling: [0.0; 4], size: [mask.width as f32, mask.height as f32] }
}

fn bits(numbers: [f32; 4]) -> [u32; 4] {
    numbers.map(f32::to_bits)
}
