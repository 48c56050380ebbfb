//! The three passes: a picture, a colour, a colour through a mask, each a compute pipeline of one of `shaders/`.
//!
//! In: a device. Out: pipelines and the layouts of what is bound to them. Never: a step of a plan.

use std::num::NonZeroU64;

use wgpu::{BindGroupLayout, BindingType, BufferBindingType, ComputePipeline, Device, ShaderStages};

/// Bytes of the shaders' `Step`.
pub(super) const RECORD_BYTES: u64 = 96;

/// Bytes from one record to the next: what every adapter can begin a binding at.
pub(super) const RECORD_STRIDE: u64 = 256;

/// Samples that one workgroup paints, in x and y: 8×8 threads of four samples each.
pub(super) const GROUP_SAMPLES: (u32, u32) = (32, 8);

const STEP: &str = include_str!("../../../shaders/step.wgsl");

/// Which shader paints a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    Picture,
    Fill,
    Mask,
}

/// What is bound and run.
#[derive(Debug)]
pub(super) struct Pipelines {
    /// Group 0: the canvas, and a record at a dynamic offset.
    pub(super) canvas: BindGroupLayout,
    /// Group 1: what is painted with.
    pub(super) source: BindGroupLayout,
    picture: ComputePipeline,
    fill: ComputePipeline,
    mask: ComputePipeline,
}

impl Pipelines {
    /// Compiles the shaders.
    pub(super) fn new(device: &Device) -> Self {
        let canvas = layout(device, "canvas", &[storage(false), record()]);
        let source = layout(device, "source", &[storage(true)]);
        let pass = |name, code| pipeline(device, [&canvas, &source], name, code);
        Self {
            picture: pass("picture", include_str!("../../../shaders/picture.wgsl")),
            fill: pass("fill", include_str!("../../../shaders/fill.wgsl")),
            mask: pass("mask", include_str!("../../../shaders/mask.wgsl")),
            canvas,
            source,
        }
    }

    /// The pipeline of a pass.
    pub(super) fn of(&self, pass: Pass) -> &ComputePipeline {
        match pass {
            Pass::Picture => &self.picture,
            Pass::Fill => &self.fill,
            Pass::Mask => &self.mask,
        }
    }
}

fn storage(read_only: bool) -> BindingType {
    BindingType::Buffer { ty: BufferBindingType::Storage { read_only }, has_dynamic_offset: false, min_binding_size: None }
}

fn record() -> BindingType {
    BindingType::Buffer { ty: BufferBindingType::Uniform, has_dynamic_offset: true, min_binding_size: NonZeroU64::new(RECORD_BYTES) }
}

fn layout(device: &Device, label: &str, bindings: &[BindingType]) -> BindGroupLayout {
    let entry = |(binding, &ty)| wgpu::BindGroupLayoutEntry { binding, visibility: ShaderStages::COMPUTE, ty, count: None };
    let entries: Vec<_> = (0u32..).zip(bindings).map(entry).collect();
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &entries })
}

fn pipeline(device: &Device, groups: [&BindGroupLayout; 2], label: &str, code: &str) -> ComputePipeline {
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(label),
        bind_group_layouts: &groups.map(Some),
        immediate_size: 0,
    });
    let source = wgpu::ShaderSource::Wgsl([STEP, code].concat().into());
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some(label), source });
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(label),
        layout: Some(&layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    })
}
