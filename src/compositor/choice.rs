//! Which compositor draws: asked for by name, or chosen by what the machine has.
//!
//! In: a [`Choice`]; out: an open compositor. Never: a device kept that was not chosen.

use std::sync::Arc;

use super::cpu::CpuCompositor;
use super::fallback::Fallback;
use super::fonts::Fonts;
use super::gpu::{Adapters, GpuCompositor};
use super::{Compositor, CompositorError};

/// Which compositor is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// wgpu on a real graphics adapter, else the CPU.
    #[default]
    Auto,
    /// wgpu on any adapter, software Vulkan too.
    Wgpu,
    /// Plain Rust on the processor.
    Cpu,
}

/// Opens the compositor asked for. One on wgpu goes on with the CPU when its device is lost.
///
/// # Errors
/// Where [`Choice::Wgpu`] finds no adapter; the other choices always succeed.
pub fn open(choice: Choice, fonts: Arc<Fonts>) -> Result<Box<dyn Compositor>, CompositorError> {
    let gpu = match choice {
        Choice::Cpu => return Ok(Box::new(CpuCompositor::new(fonts))),
        Choice::Wgpu => gpu(Adapters::AnySoftwareToo, &fonts)?,
        Choice::Auto => match gpu(Adapters::RealOnly, &fonts) {
            Ok(gpu) => gpu,
            Err(why) => {
                tracing::info!(%why, "compositing on the CPU");
                return Ok(Box::new(CpuCompositor::new(fonts)));
            }
        },
    };
    Ok(Box::new(Fallback::new(gpu, fonts)))
}

fn gpu(adapters: Adapters, fonts: &Arc<Fonts>) -> Result<Box<dyn Compositor>, CompositorError> {
    Ok(Box::new(GpuCompositor::open(adapters, fonts.clone())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compositor::Kind;
    use clap::ValueEnum;

    #[test]
    fn choices_are_named_as_on_the_command_line_and_in_the_configuration() {
        for (choice, name) in [(Choice::Auto, "auto"), (Choice::Wgpu, "wgpu"), (Choice::Cpu, "cpu")] {
            assert_eq!(Choice::from_str(name, false), Ok(choice));
            assert_eq!(serde_json::to_value(choice).unwrap(), name);
        }
    }

    #[test]
    fn the_cpu_is_what_is_asked_for() {
        assert_eq!(open(Choice::Cpu, Fonts::embedded()).unwrap().kind(), Kind::Cpu);
    }
}
