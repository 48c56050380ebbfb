//! What steps paint with, in GPU memory: pictures and masks, each uploaded once and kept while it is used.
//!
//! In: the steps of plans. Out: bind groups. The buffer of a picture that is shown no more takes the next one of its size.
//! Never: a picture kept for longer than [`KEPT`] plans after it was last shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use wgpu::{BindGroup, Buffer, BufferSize, BufferUsages, QueueWriteBufferView};

use super::device::Gpu;
use super::planes::Layout;
use super::steps::{GUARD_BYTES, mask_offset};
use crate::compositor::plan::{Cutout, Mask, Paint};
use crate::media::Frame;

/// Plans that an unused source outlives: a second at 30 frames a second.
const KEPT: u64 = 30;

/// The sources of one room.
#[derive(Debug)]
pub(super) struct Sources {
    pictures: Vec<Picture>,
    /// Masks, and cutouts with theirs, by the mask's id.
    masks: BTreeMap<u64, Uploaded>,
    /// Bound where a step has no source.
    none: Uploaded,
    plans: u64,
}

#[derive(Debug)]
struct Picture {
    /// What the buffer holds; held, so that no other picture can come to lie at its address.
    frame: Arc<Frame>,
    uploaded: Uploaded,
}

#[derive(Debug)]
struct Uploaded {
    buffer: Buffer,
    group: BindGroup,
    used: u64,
}

impl Sources {
    /// No sources yet.
    pub(super) fn new(gpu: &Gpu) -> Self {
        Self { pictures: Vec::new(), masks: BTreeMap::new(), none: Uploaded::new(gpu, 16), plans: 0 }
    }

    /// Uploads what the paints need and is not there, and lets go of what was not used lately.
    pub(super) fn prepare<'a>(&mut self, gpu: &Gpu, paints: impl Iterator<Item = &'a Paint>) {
        self.plans += 1;
        let plans = self.plans;
        self.pictures.retain(|picture| picture.uploaded.used + KEPT >= plans);
        self.masks.retain(|_, mask| mask.used + KEPT >= plans);
        // first those that stay, so that the missing ones take over none of their buffers
        let missing: Vec<_> = paints.filter(|paint| !self.keep(paint)).collect();
        for paint in missing {
            match paint {
                Paint::Picture { frame, .. } => self.upload_picture(gpu, frame),
                Paint::Mask { mask, .. } => self.upload_mask(gpu, mask),
                Paint::Cutout(cutout) => self.upload_cutout(gpu, cutout),
                Paint::Fill(_) | Paint::Border { .. } => {}
            }
        }
    }

    /// What to bind for a paint of the plan last prepared.
    pub(super) fn group(&self, paint: &Paint) -> &BindGroup {
        let uploaded = match paint {
            Paint::Picture { frame, .. } => self.pictures.iter().find(|p| Arc::ptr_eq(&p.frame, frame)).map(|p| &p.uploaded),
            Paint::Mask { mask, .. } => self.masks.get(&mask.id),
            Paint::Cutout(cutout) => self.masks.get(&cutout.mask.id),
            Paint::Fill(_) | Paint::Border { .. } => None,
        };
        &uploaded.unwrap_or(&self.none).group
    }

    /// Whether the paint's source is there; then it stays.
    fn keep(&mut self, paint: &Paint) -> bool {
        let uploaded = match paint {
            Paint::Picture { frame, .. } => self.pictures.iter_mut().find(|p| Arc::ptr_eq(&p.frame, frame)).map(|p| &mut p.uploaded),
            Paint::Mask { mask, .. } => self.masks.get_mut(&mask.id),
            Paint::Cutout(cutout) => self.masks.get_mut(&cutout.mask.id),
            Paint::Fill(_) | Paint::Border { .. } => return true,
        };
        uploaded.map(|uploaded| uploaded.used = self.plans).is_some()
    }

    fn upload_picture(&mut self, gpu: &Gpu, frame: &Arc<Frame>) {
        if self.pictures.iter().any(|p| Arc::ptr_eq(&p.frame, frame)) {
            return; // two of the paints show it
        }
        let plans = self.plans;
        let same_size =
            |p: &&mut Picture| p.uploaded.used < plans && (p.frame.width(), p.frame.height()) == (frame.width(), frame.height());
        let picture = match self.pictures.iter_mut().find(same_size) {
            Some(free) => {
                free.frame = frame.clone();
                free
            }
            None => {
                let bytes = u64::from(GUARD_BYTES) + Layout::of(frame).bytes();
                self.pictures.push(Picture { frame: frame.clone(), uploaded: Uploaded::new(gpu, bytes) });
                self.pictures.last_mut().expect("one was pushed")
            }
        };
        picture.uploaded.used = plans;
        picture.uploaded.write_picture(gpu, frame);
    }

    fn upload_mask(&mut self, gpu: &Gpu, mask: &Mask) {
        let uploaded = self.masks.entry(mask.id).or_insert_with(|| Uploaded::new(gpu, mask.coverage.len() as u64));
        uploaded.used = self.plans;
        uploaded.write_mask(gpu, 0, mask);
    }

    fn upload_cutout(&mut self, gpu: &Gpu, Cutout { frame, mask }: &Cutout) {
        let mask_first = u64::from(mask_offset(frame));
        let uploaded = self.masks.entry(mask.id).or_insert_with(|| Uploaded::new(gpu, mask_first + mask.coverage.len() as u64));
        uploaded.used = self.plans;
        uploaded.write_picture(gpu, frame);
        uploaded.write_mask(gpu, mask_first, mask);
    }
}

impl Uploaded {
    /// Room for `bytes`, and for the words that a shader reads beyond the last.
    fn new(gpu: &Gpu, bytes: u64) -> Self {
        let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("source"),
            size: bytes.next_multiple_of(4) + 12,
            usage: BufferUsages::STORAGE | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("source"),
            layout: &gpu.pipelines.source,
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() }],
        });
        Self { buffer, group, used: 0 }
    }

    fn write_picture(&self, gpu: &Gpu, frame: &Frame) {
        let layout = Layout::of(frame);
        let Some(mut staged) = self.stage(gpu, u64::from(GUARD_BYTES), layout.bytes()) else { return };
        for (plane, packed) in layout.planes().into_iter().zip(frame.planes()) {
            for (at, row) in plane.rows(packed) {
                let at = plane.bytes().start + at;
                staged.slice(at..at + row.len()).copy_from_slice(row);
            }
        }
    }

    fn write_mask(&self, gpu: &Gpu, first: u64, mask: &Mask) {
        let Some(mut staged) = self.stage(gpu, first, mask.coverage.len() as u64) else { return };
        staged.slice(..mask.coverage.len()).copy_from_slice(&mask.coverage);
    }

    /// Bytes to be written, that are copied before the next submission; none where the device is lost, which that tells.
    fn stage(&self, gpu: &Gpu, first: u64, bytes: u64) -> Option<QueueWriteBufferView> {
        gpu.queue.write_buffer_with(&self.buffer, first, BufferSize::new(bytes.next_multiple_of(4))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compositor::gpu::tests::gpu;
    use crate::compositor::plan::Crop;

    #[test]
    fn a_newer_picture_of_the_same_size_takes_the_buffer_of_the_older() {
        let (gpu, mut sources) = (gpu(), Sources::new(&gpu()));
        let buffers = [1, 2, 3].map(|luma| {
            sources.prepare(&gpu, [picture(32, luma)].iter());
            assert_eq!(sources.pictures.len(), 1);
            sources.pictures[0].uploaded.buffer.clone()
        });
        assert!(buffers.iter().all(|buffer| *buffer == buffers[0]));
    }

    #[test]
    fn a_picture_still_shown_is_neither_uploaded_again_nor_given_away() {
        let (gpu, mut sources) = (gpu(), Sources::new(&gpu()));
        let (held, fresh) = (picture(32, 1), picture(32, 2));
        sources.prepare(&gpu, [held.clone()].iter());
        let buffer = sources.pictures[0].uploaded.buffer.clone();
        sources.prepare(&gpu, [fresh, held.clone(), held].iter());
        assert_eq!(sources.pictures.len(), 2);
        assert_eq!((sources.pictures[0].uploaded.buffer == buffer, sources.pictures[0].frame.planes()[0][0]), (true, 1));
    }

    #[test]
    fn what_is_not_shown_for_a_second_is_let_go() {
        let (gpu, mut sources) = (gpu(), Sources::new(&gpu()));
        let mask = Paint::Mask { mask: Mask::new(8, 4, [9; 32].into()), color: [0; 3] };
        for width in 2..40 {
            sources.prepare(&gpu, [picture(width, 1), mask.clone()].iter());
        }
        assert_eq!((sources.pictures.len() as u64, sources.masks.len()), (KEPT + 1, 1));
        for _ in 0..=KEPT {
            sources.prepare(&gpu, [].iter());
        }
        assert_eq!((sources.pictures.len(), sources.masks.len()), (0, 0));
    }

    #[test]
    fn a_cutout_is_uploaded_once() {
        let (gpu, mut sources) = (gpu(), Sources::new(&gpu()));
        let logo = Paint::Cutout(Cutout::new(Frame::filled(8, 4, [9; 3]), Mask::new(8, 4, [9; 32].into())));
        let buffers = [1, 2].map(|luma| {
            sources.prepare(&gpu, [picture(32, luma), logo.clone()].iter());
            sources.masks.values().next().unwrap().buffer.clone()
        });
        assert_eq!((sources.masks.len(), buffers[0] == buffers[1]), (1, true));
    }

    fn picture(width: u32, luma: u8) -> Paint {
        let crop = Crop { x: 0.0, y: 0.0, width: width as f32, height: 4.0 };
        Paint::Picture { frame: Arc::new(Frame::filled(width, 4, [luma, 128, 128])), crop }
    }
}
