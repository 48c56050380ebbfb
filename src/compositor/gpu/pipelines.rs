//! The four passes (a picture, a colour, and each of them through a mask) as compute pipelines of `shaders/`, one for each variant.
//!
//! In: a device. Out: pipelines and the layouts of what is bound to them. Never: a step of a plan.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use wgpu::{BindGroupLayout, BindingType, BufferBindingType, ComputePipeline, Device, PipelineLayout, ShaderModule, ShaderStages};

use super::parts::Cover;

/// Bytes of the shaders' `Step`.
pub(super) const RECORD_BYTES: u64 = 112;

/// Bytes from one record to the next: what every adapter can begin a binding at.
pub(super) const RECORD_STRIDE: u64 = 256;

/// Samples that one workgroup paints, in x and y: 8×8 threads of four samples each.
pub(super) const GROUP_SAMPLES: (u32, u32) = (32, 16);

const STEP: &str = include_str!("../../../shaders/step.wgsl");

/// Which shader paints, and how it is specialised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Variant {
    pub(super) pass: Pass,
    pub(super) planes: Planes,
    pub(super) cover: Cover,
}

/// A shader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pass {
    Picture(Reading),
    Fill,
    Mask,
    Cutout,
}

/// How a picture's samples are read, in the order of `READING` in `shaders/picture.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reading {
    Copied,
    Interpolated,
    Averaged,
}

/// What one dispatch paints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Planes {
    Luma,
    Chroma,
}

/// What is bound and run.
#[derive(Debug)]
pub(super) struct Pipelines {
    /// Group 0: the canvas, and a record at a dynamic offset.
    pub(super) canvas: BindGroupLayout,
    /// Group 1: what is painted with.
    pub(super) source: BindGroupLayout,
    variants: BTreeMap<Variant, ComputePipeline>,
}

impl Pipelines {
    /// Compiles the shaders.
    pub(super) fn new(device: &Device) -> Self {
        let canvas = bindings(device, "canvas", &[storage(false), record()]);
        let source = bindings(device, "source", &[storage(true)]);
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("compositor"),
            bind_group_layouts: &[Some(&canvas), Some(&source)],
            immediate_size: 0,
        });
        let variants = Pass::ALL.into_iter().flat_map(|pass| {
            let module = pass.module(device);
            let layout = &layout;
            pass.variants().map(move |variant| (variant, variant.pipeline(device, layout, &module)))
        });
        Self { variants: variants.collect(), canvas, source }
    }

    /// The pipeline of a variant.
    pub(super) fn of(&self, variant: Variant) -> &ComputePipeline {
        self.variants.get(&variant).expect("every variant was compiled")
    }
}

impl Pass {
    const ALL: [Self; 6] = [
        Self::Picture(Reading::Copied),
        Self::Picture(Reading::Interpolated),
        Self::Picture(Reading::Averaged),
        Self::Fill,
        Self::Mask,
        Self::Cutout,
    ];

    fn module(self, device: &Device) -> ShaderModule {
        let (label, code) = match self {
            Self::Picture(_) => ("picture", include_str!("../../../shaders/picture.wgsl")),
            Self::Fill => ("fill", include_str!("../../../shaders/fill.wgsl")),
            Self::Mask => ("mask", include_str!("../../../shaders/mask.wgsl")),
            Self::Cutout => ("cutout", include_str!("../../../shaders/cutout.wgsl")),
        };
        let source = wgpu::ShaderSource::Wgsl([STEP, code].concat().into());
        device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some(label), source })
    }

    fn variants(self) -> impl Iterator<Item = Variant> {
        let of = move |planes| [Cover::Opaque, Cover::Blended].map(|cover| Variant { pass: self, planes, cover });
        [Planes::Luma, Planes::Chroma].into_iter().flat_map(of)
    }
}

impl Variant {
    fn pipeline(self, device: &Device, layout: &PipelineLayout, module: &ShaderModule) -> ComputePipeline {
        let mut constants =
            vec![("CHROMA", f64::from(self.planes == Planes::Chroma)), ("BLENDED", f64::from(self.cover == Cover::Blended))];
        if let Pass::Picture(reading) = self.pass {
            constants.push(("READING", f64::from(reading as u32)));
        }
        device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("compositor"),
            layout: Some(layout),
            module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions { constants: &constants, ..Default::default() },
            cache: None,
        })
    }
}

fn storage(read_only: bool) -> BindingType {
    BindingType::Buffer { ty: BufferBindingType::Storage { read_only }, has_dynamic_offset: false, min_binding_size: None }
}

fn record() -> BindingType {
    BindingType::Buffer { ty: BufferBindingType::Uniform, has_dynamic_offset: true, min_binding_size: NonZeroU64::new(RECORD_BYTES) }
}

fn bindings(device: &Device, label: &str, types: &[BindingType]) -> BindGroupLayout {
    let entry = |(binding, &ty)| wgpu::BindGroupLayoutEntry { binding, visibility: ShaderStages::COMPUTE, ty, count: None };
    let entries: Vec<_> = (0u32..).zip(types).map(entry).collect();
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &entries })
}
