//! A step of a plan as dispatches: which pipeline, the record that its shader reads, and how many workgroups.
//!
//! In: a [`Step`] and where the canvas's planes lie. Out: [`Dispatch`]es, luma then chroma for each part. Never: the GPU.

use super::parts::{Part, parts};
use super::pipelines::{GROUP_SAMPLES, Pass, Planes, RECORD_BYTES, Reading, Variant};
use super::planes::{Layout, Plane};
use crate::compositor::plan::{Crop, Cutout, Mask, Paint, Step};
use crate::media::{Frame, Rect};

/// Unused bytes before a picture in its buffer: where four samples begin left of a row, these are read.
pub(super) const GUARD_BYTES: u32 = 4;

/// Where a cutout's mask begins in its buffer: behind the picture.
pub(super) fn mask_offset(frame: &Frame) -> u32 {
    // sides of 8192 at most make less than 2^27 bytes
    GUARD_BYTES + Layout::of(frame).bytes() as u32
}

/// One run of a pipeline.
#[derive(Debug)]
pub(super) struct Dispatch {
    /// Of which pipeline.
    pub(super) variant: Variant,
    /// Words of `Step` in `shaders/step.wgsl`.
    pub(super) record: [u32; (RECORD_BYTES / 4) as usize],
    /// In x, y and z.
    pub(super) workgroups: [u32; 3],
}

/// The dispatches that paint a step.
pub(super) fn dispatches(step: &Step, canvas: Layout) -> Vec<Dispatch> {
    let both = |part| [Planes::Luma, Planes::Chroma].map(|planes| dispatch(step, part, planes, canvas));
    parts(step).into_iter().flat_map(both).collect()
}

fn dispatch(step: &Step, part: Part, planes: Planes, canvas: Layout) -> Dispatch {
    let source = Source::of(step, planes);
    let clip = planes.rect(part.clip);
    // words begin at multiples of four, so that the first may begin left of the part
    let across = (clip.x % 4 + clip.width).div_ceil(GROUP_SAMPLES.0);
    let count = if planes == Planes::Luma { 1 } else { 2 };
    Dispatch {
        variant: Variant { pass: source.pass, planes, cover: part.cover },
        record: record(step, &source, clip, planes, canvas),
        workgroups: [across, clip.height.div_ceil(GROUP_SAMPLES.1), count],
    }
}

fn record(step: &Step, source: &Source, clip: Rect, planes: Planes, canvas: Layout) -> [u32; (RECORD_BYTES / 4) as usize] {
    let Plane { first, row, words, .. } = planes.of(canvas);
    let [y, u, v] = source.color.map(f32::from);
    let color = if planes == Planes::Luma { [y, 0.0] } else { [u, v] };
    let mut record = [0; (RECORD_BYTES / 4) as usize];
    let groups = [
        edges(clip),
        edges(planes.rect(step.rect)),
        [first, row, words, 0],
        source.bytes,
        source.sampling.map(f32::to_bits),
        [source.size[0], source.size[1], step.corner_radius, source.line].map(f32::to_bits),
        [color[0], color[1], step.opacity, 0.0].map(f32::to_bits),
    ];
    for (words, group) in record.chunks_exact_mut(4).zip(groups) {
        words.copy_from_slice(&group);
    }
    record
}

fn edges(rect: Rect) -> [u32; 4] {
    [rect.x, rect.y, rect.x + rect.width, rect.y + rect.height]
}

impl Planes {
    /// Luma pixels a sample and axis.
    fn scale(self) -> u32 {
        match self {
            Self::Luma => 1,
            Self::Chroma => 2,
        }
    }

    fn of(self, picture: Layout) -> Plane {
        match self {
            Self::Luma => picture.luma(),
            Self::Chroma => picture.chroma(),
        }
    }

    fn rect(self, luma: Rect) -> Rect {
        let scale = self.scale();
        Rect { x: luma.x / scale, y: luma.y / scale, width: luma.width / scale, height: luma.height / scale }
    }
}

/// What a dispatch paints with.
struct Source {
    pass: Pass,
    /// First byte, bytes a row, bytes to the next plane, first byte of the mask.
    bytes: [u32; 4],
    /// Left, top, and the way from one sample to the next in x and y.
    sampling: [f32; 4],
    /// Sides of the plane; of the mask where there is one.
    size: [f32; 2],
    color: [u8; 3],
    /// Width of a border's line, 0 for a fill.
    line: f32,
}

impl Source {
    fn of(step: &Step, planes: Planes) -> Self {
        match &step.paint {
            Paint::Picture { frame, crop } => Self::picture(frame, *crop, step.rect, planes),
            Paint::Fill(color) => Self::color(Pass::Fill, *color),
            Paint::Border { color, width } => Self { line: *width, ..Self::color(Pass::Fill, *color) },
            Paint::Mask { mask, color } => Self::mask(mask, *color),
            Paint::Cutout(cutout) => Self::cutout(cutout, planes),
        }
    }

    fn color(pass: Pass, color: [u8; 3]) -> Self {
        Self { pass, bytes: [0; 4], sampling: [0.0; 4], size: [0.0; 2], color, line: 0.0 }
    }

    fn mask(mask: &Mask, color: [u8; 3]) -> Self {
        let size = [mask.width as f32, mask.height as f32];
        Self { bytes: [0, mask.width, 0, 0], size, ..Self::color(Pass::Mask, color) }
    }

    fn cutout(Cutout { frame, mask }: &Cutout, planes: Planes) -> Self {
        let Plane { first, row, words, .. } = planes.of(Layout::of(frame));
        let bytes = [GUARD_BYTES + 4 * first, 4 * row, 4 * words, mask_offset(frame)];
        Self { pass: Pass::Cutout, bytes, ..Self::mask(mask, [0; 3]) }
    }

    fn picture(frame: &Frame, crop: Crop, rect: Rect, planes: Planes) -> Self {
        let plane = planes.of(Layout::of(frame));
        let scale = planes.scale() as f32;
        let sampling = [crop.x / scale, crop.y / scale, crop.width / rect.width as f32, crop.height / rect.height as f32];
        let bytes = [GUARD_BYTES + 4 * plane.first, 4 * plane.row, 4 * plane.words, 0];
        let size = [plane.width as f32, plane.height as f32];
        Self { bytes, sampling, size, ..Self::color(Pass::Picture(reading(sampling)), [0; 3]) }
    }
}

fn reading([left, top, across, down]: [f32; 4]) -> Reading {
    if across > 2.0 || down > 2.0 {
        Reading::Averaged
    } else if across == 1.0 && down == 1.0 && left.fract() == 0.0 && top.fract() == 0.0 {
        Reading::Copied
    } else {
        Reading::Interpolated
    }
}
