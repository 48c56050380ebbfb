//! The wgpu compositor: plans painted by compute shaders on planar I420, read back by a ring of buffers.
//!
//! In: plans, and adapters that may be taken. Out: canvases, in order, within a rounding of the CPU compositor's.
//! Never: RGBA, a sampler, or a wait for the GPU, unless the caller is more than two canvases ahead of what it takes.
//!
//! Why compute and not render passes: a thread writes four samples at once as a word, in the layout in which the canvas is
//! read back; a picture is one upload whatever its sides; and blending rounds as the CPU's does.

mod compositor;
mod device;
mod painter;
mod parts;
mod pipelines;
mod planes;
mod readback;
mod sources;
mod steps;
#[cfg(test)]
mod tests;

pub use compositor::GpuCompositor;
pub use device::Adapters;
