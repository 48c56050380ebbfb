//! Executes plans on a device: uploads, one dispatch for luma and one for chroma per step, and the way back.
//!
//! In: a [`Plan`] and the tick it is for. Out: [`Composite`]s, in order. Never: a scene, or the CPU's pixels.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use wgpu::{BindGroup, Buffer, BufferUsages, ComputePass};

use super::canvas::Layout;
use super::device::Gpu;
use super::pipelines::{RECORD_BYTES, RECORD_STRIDE};
use super::readback::Readback;
use super::sources::Sources;
use super::steps::{self, Planes};
use crate::compositor::CompositorError;
use crate::compositor::plan::{Paint, Plan, Step};
use crate::media::{Composite, MediaTime, Rect};

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
    canvas: Buffer,
    records: Buffer,
    group: BindGroup,
}

impl Painter {
    /// Nothing painted yet.
    pub(super) fn new(gpu: Arc<Gpu>) -> Self {
        Self { sources: Sources::new(&gpu), gpu, target: None, readback: Readback::default() }
    }

    /// Canvases begun and not taken.
    pub(super) fn in_flight(&self) -> usize {
        self.readback.len()
    }

    /// Begins to paint; waits for nothing.
    pub(super) fn begin(&mut self, plan: &Plan, at: MediaTime) -> Result<(), CompositorError> {
        self.gpu.check()?;
        let layout = Layout { width: plan.width, height: plan.height };
        let steps: Vec<Step> = std::iter::once(background(plan)).chain(plan.steps.iter().cloned()).collect();
        self.sources.prepare(&self.gpu, &steps);
        let gpu = &self.gpu;
        let target = Target::fitting(self.target.take(), gpu, layout, steps.len());
        gpu.queue.write_buffer(&target.records, 0, &records(&steps, layout));
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        target.paint(gpu, &mut pass, &self.sources, &steps);
        drop(pass);
        let buffer = self.readback.buffer(gpu, layout);
        encoder.copy_buffer_to_buffer(&target.canvas, 0, &buffer, 0, layout.bytes());
        let submission = gpu.queue.submit([encoder.finish()]);
        self.readback.expect(buffer, layout, at, submission);
        self.target = Some(target);
        gpu.poll(wgpu::PollType::Poll)
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
    /// `old` where it is of the size and has room for the steps, else a new one.
    fn fitting(old: Option<Self>, gpu: &Gpu, layout: Layout, steps: usize) -> Self {
        let needed = steps as u64 * Planes::ALL.len() as u64 * RECORD_STRIDE;
        match old {
            Some(old) if old.layout == layout && old.records.size() >= needed => old,
            _ => Self::new(gpu, layout, needed.next_power_of_two()),
        }
    }

    fn new(gpu: &Gpu, layout: Layout, record_bytes: u64) -> Self {
        let buffer = |label, size, usage| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false })
        };
        let canvas = buffer("canvas", layout.bytes(), BufferUsages::STORAGE | BufferUsages::COPY_SRC);
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
        Self { layout, canvas, records, group }
    }

    fn paint(&self, gpu: &Gpu, pass: &mut ComputePass<'_>, sources: &Sources, steps: &[Step]) {
        let mut offset = 0;
        for step in steps {
            pass.set_pipeline(gpu.pipelines.of(steps::pass(&step.paint)));
            pass.set_bind_group(1, sources.group(&step.paint), &[]);
            for planes in Planes::ALL {
                pass.set_bind_group(0, &self.group, &[offset]);
                let [x, y, z] = planes.workgroups(step);
                pass.dispatch_workgroups(x, y, z);
                offset += RECORD_STRIDE as u32;
            }
        }
    }
}

fn background(plan: &Plan) -> Step {
    let rect = Rect { x: 0, y: 0, width: plan.width, height: plan.height };
    Step { rect, corner_radius: 0.0, opacity: 1.0, paint: Paint::Fill(plan.background) }
}

fn records(steps: &[Step], layout: Layout) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(steps.len() * Planes::ALL.len() * RECORD_STRIDE as usize);
    for record in steps.iter().flat_map(|step| Planes::ALL.map(|planes| planes.record(step, layout))) {
        bytes.extend_from_slice(bytemuck::cast_slice(&record));
        bytes.resize(bytes.len().next_multiple_of(RECORD_STRIDE as usize), 0);
    }
    bytes
}
