//! What steps paint with, in GPU memory: pictures and masks, each uploaded once and kept while it is used.
//!
//! In: the steps of plans. Out: bind groups. The buffer of a picture that is shown no more takes the next one of its size.
//! Never: a picture kept for longer than [`KEPT`] plans after it was last shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use wgpu::{BindGroup, Buffer, BufferSize, BufferUsages};

use super::device::Gpu;
use super::steps::GUARD_BYTES;
use crate::compositor::plan::{Mask, Paint, Step};
use crate::media::Frame;

/// Plans that an unused source outlives: a second at 30 frames a second.
const KEPT: u64 = 30;

/// The sources of one room.
#[derive(Debug)]
pub(super) struct Sources {
    pictures: Vec<Picture>,
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

    /// Uploads what the steps need and is not there, and lets go of what was not used lately.
    pub(super) fn prepare(&mut self, gpu: &Gpu, steps: &[Step]) {
        self.plans += 1;
        let plans = self.plans;
        self.pictures.retain(|picture| picture.uploaded.used + KEPT >= plans);
        self.masks.retain(|_, mask| mask.used + KEPT >= plans);
        // first those that stay, so that the missing ones take over none of their buffers
        let missing: Vec<_> = steps.iter().filter(|step| !self.keep(&step.paint)).collect();
        for step in missing {
            match &step.paint {
                Paint::Picture { frame, .. } => self.upload_picture(gpu, frame),
                Paint::Mask { mask, .. } => self.upload_mask(gpu, mask),
                Paint::Fill(_) | Paint::Border { .. } => {}
            }
        }
    }

    /// What to bind for a paint of the plan last prepared.
    pub(super) fn group(&self, paint: &Paint) -> &BindGroup {
        let uploaded = match paint {
            Paint::Picture { frame, .. } => self.pictures.iter().find(|p| Arc::ptr_eq(&p.frame, frame)).map(|p| &p.uploaded),
            Paint::Mask { mask, .. } => self.masks.get(&mask.id),
            Paint::Fill(_) | Paint::Border { .. } => None,
        };
        &uploaded.unwrap_or(&self.none).group
    }

    /// Whether the paint's source is there; then it stays.
    fn keep(&mut self, paint: &Paint) -> bool {
        let uploaded = match paint {
            Paint::Picture { frame, .. } => self.pictures.iter_mut().find(|p| Arc::ptr_eq(&p.frame, frame)).map(|p| &mut p.uploaded),
            Paint::Mask { mask, .. } => self.masks.get_mut(&mask.id),
            Paint::Fill(_) | Paint::Border { .. } => return true,
        };
        uploaded.map(|uploaded| uploaded.used = self.plans).is_some()
    }

    fn upload_picture(&mut self, gpu: &Gpu, frame: &Arc<Frame>) {
        if self.pictures.iter().any(|p| Arc::ptr_eq(&p.frame, frame)) {
            return; // two steps show it
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
                let bytes = frame.planes().iter().map(|plane| plane.len() as u64).sum::<u64>();
                self.pictures.push(Picture { frame: frame.clone(), uploaded: Uploaded::new(gpu, u64::from(GUARD_BYTES) + bytes) });
                self.pictures.last_mut().expect("one was pushed")
            }
        };
        picture.uploaded.used = plans;
        picture.uploaded.write(gpu, GUARD_BYTES, &frame.planes());
    }

    fn upload_mask(&mut self, gpu: &Gpu, mask: &Mask) {
        let uploaded = self.masks.entry(mask.id).or_insert_with(|| Uploaded::new(gpu, mask.coverage.len() as u64));
        uploaded.used = self.plans;
        uploaded.write(gpu, 0, &[&mask.coverage]);
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

    /// Writes the parts one after the other from byte `first` on.
    fn write(&self, gpu: &Gpu, first: u32, parts: &[&[u8]]) {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let Some(size) = BufferSize::new(length.next_multiple_of(4) as u64) else { return };
        // none where the device is lost, which the submission then tells
        let Some(mut staged) = gpu.queue.write_buffer_with(&self.buffer, u64::from(first), size) else { return };
        let mut at = 0;
        for part in parts {
            staged.slice(at..at + part.len()).copy_from_slice(part);
            at += part.len();
        }
        staged.slice(at..).fill(0);
    }
}
