//! Executes plans on a device: uploads, one dispatch for luma and one for chroma per step, and the way back.
//!
//! In: a [`Plan`] and the tick it is for. Out: [`Composite`]s, in order. Never: a scene, or the CPU's pixels.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use wgpu::{BindGroup, Buffer, BufferUsages, ComputePass};

use super::device::Gpu;
use super::pipelines::{RECORD_BYTES, RECORD_STRIDE};
use super::planes::Layout;
use super::readback::Readback;
use super::sources::Sources;
use super::steps::{Dispatch, dispatches};
use crate::compositor::CompositorError;
use crate::compositor::plan::{Paint, Plan, Yuv};
use crate::media::{Composite, MediaTime};

/// One room's place on the device.
#[derive(Debug)]
pub(super) struct Painter {
    gpu: Arc<Gpu>,
    sources: Sources,
    target: Option<Target>,
    readback: Readback,
}

/// A canvas on the device, and the records of the steps that are painted on it.
#[derive(Debug)]
struct Target {
    layout: Layout,
    color: Yuv,
    /// An empty canvas of that colour: copied, since that costs less than painting it.
    background: Buffer,
    canvas: Buffer,
    records: Buffer,
    group: BindGroup,
}

impl Painter {
    /// Nothing painted yet.
    pub(super) fn new(gpu: Arc<Gpu>) -> Self {
        Self { sources: Sources::new(&gpu), gpu, target: None, readback: Readback::default() }
    }

    /// Begins to paint; waits for nothing.
    pub(super) fn begin(&mut self, plan: &Plan, at: MediaTime) -> Result<(), CompositorError> {
        self.gpu.check()?;
        let layout = Layout { width: plan.width, height: plan.height };
        let steps: Vec<_> = plan.steps.iter().map(|step| (&step.paint, dispatches(step, layout))).collect();
        let records = records(steps.iter().flat_map(|(_, dispatches)| dispatches));
        self.sources.prepare(&self.gpu, steps.iter().map(|(paint, _)| *paint));
        let gpu = &self.gpu;
        let target = Target::fitting(self.target.take(), gpu, layout, plan.background, records.len() as u64);
        gpu.queue.write_buffer(&target.records, 0, &records);
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&target.background, 0, &target.canvas, 0, layout.bytes());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        target.paint(gpu, &mut pass, &self.sources, &steps);
        drop(pass);
        let buffer = self.readback.buffer(gpu, layout);
        encoder.copy_buffer_to_buffer(&target.canvas, 0, &buffer, 0, layout.bytes());
        let submission = gpu.queue.submit([encoder.finish()]);
        self.readback.expect(buffer, layout, at, submission);
        self.target = Some(target);
        gpu.poll(wgpu::PollType::Poll).map(|_| ())
    }

    /// The oldest canvas begun, waiting for it at most `patience`.
    pub(super) fn take(&mut self, patience: Duration) -> Result<Option<Composite>, CompositorError> {
        self.readback.take(&self.gpu, patience)
    }

    /// The device's verdict that it does not answer.
    pub(super) fn lose(&self, why: &str) -> CompositorError {
        self.gpu.lose(why)
    }
}

impl Target {
    /// `old` where it is of the size and colour and has room for the records, else a new one.
    fn fitting(old: Option<Self>, gpu: &Gpu, layout: Layout, color: Yuv, record_bytes: u64) -> Self {
        match old {
            Some(old) if (old.layout, old.color) == (layout, color) && old.records.size() >= record_bytes => old,
            _ => Self::new(gpu, layout, color, record_bytes.next_power_of_two().max(RECORD_STRIDE)),
        }
    }

    fn new(gpu: &Gpu, layout: Layout, color: Yuv, record_bytes: u64) -> Self {
        let buffer = |label, size, usage| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false })
        };
        let canvas = buffer("canvas", layout.bytes(), BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST);
        let background = buffer("background", layout.bytes(), BufferUsages::COPY_SRC | BufferUsages::COPY_DST);
        gpu.queue.write_buffer(&background, 0, &layout.filled(color));
        let records = buffer("records", record_bytes, BufferUsages::UNIFORM | BufferUsages::COPY_DST);
        let record = wgpu::BufferBinding { buffer: &records, offset: 0, size: NonZeroU64::new(RECORD_BYTES) };
        let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("canvas"),
            layout: &gpu.pipelines.canvas,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: canvas.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::Buffer(record) },
            ],
        });
        Self { layout, color, background, canvas, records, group }
    }

    fn paint(&self, gpu: &Gpu, pass: &mut ComputePass<'_>, sources: &Sources, steps: &[(&Paint, Vec<Dispatch>)]) {
        let mut offset = 0;
        for (paint, dispatches) in steps {
            pass.set_bind_group(1, sources.group(paint), &[]);
            for Dispatch { variant, workgroups: [x, y, z], .. } in dispatches {
                pass.set_pipeline(gpu.pipelines.of(*variant));
                pass.set_bind_group(0, &self.group, &[offset]);
                pass.dispatch_workgroups(*x, *y, *z);
                offset += RECORD_STRIDE as u32;
            }
        }
    }
}

fn records<'a>(dispatches: impl Iterator<Item = &'a Dispatch>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for dispatch in dispatches {
        bytes.extend_from_slice(bytemuck::cast_slice(&dispatch.record));
        bytes.resize(bytes.len().next_multiple_of(RECORD_STRIDE as usize), 0);
    }
    bytes
}
