//! The process's one wgpu device: found, shared by all rooms, and made anew after it was lost.
//!
//! In: which adapters may be taken. Out: a [`Gpu`]: device, queue, pipelines, and whether they still work.
//! Never: a picture, or anything that belongs to one room.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use wgpu::{Backends, DeviceType, PollStatus, PollType};

use super::pipelines::Pipelines;
use crate::compositor::CompositorError;

/// Which adapters may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adapters {
    /// A graphics card, built in, discrete or virtual.
    RealOnly,
    /// One of those, or software such as Mesa's where there is none.
    AnySoftwareToo,
}

/// An open device and what every room uses of it.
#[derive(Debug)]
pub(super) struct Gpu {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) pipelines: Pipelines,
    kind: DeviceType,
    name: String,
    lost: Arc<OnceLock<String>>,
}

impl Gpu {
    /// The process's device, opened at the first call and after a loss.
    pub(super) fn shared(adapters: Adapters) -> Result<Arc<Self>, CompositorError> {
        static SHARED: Shared = Shared::new();
        SHARED.get(adapters)
    }

    /// A device of its own.
    pub(super) fn open(adapters: Adapters) -> Result<Self, CompositorError> {
        let adapter = best_adapter(adapters)?;
        let found = adapter.get_info();
        // what every adapter has: storage buffers of 128 MiB are enough for the largest Frame
        let required_limits = wgpu::Limits::downlevel_defaults().using_resolution(adapter.limits());
        let wish = wgpu::DeviceDescriptor { label: Some("compositor"), required_limits, ..Default::default() };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&wish)).map_err(|e| CompositorError::NoAdapter(format!("{}: {e}", found.name)))?;
        let lost = Arc::new(OnceLock::new());
        note_losses(&device, &lost);
        let pipelines = Pipelines::new(&device);
        let gpu = Self { device, queue, pipelines, kind: found.device_type, name: found.name, lost };
        gpu.check()?;
        Ok(gpu)
    }

    /// Whether the device still works.
    pub(super) fn check(&self) -> Result<(), CompositorError> {
        self.lost.get().map_or(Ok(()), |why| Err(CompositorError::DeviceLost(why.clone())))
    }

    /// Lets finished work call back, waiting for some where `poll` says so; whether what was waited for is finished. A time-out is
    /// no error.
    pub(super) fn poll(&self, poll: PollType) -> Result<bool, CompositorError> {
        // wgpu 30 panics where a driver loses the device while it is waited for (`handle_error_fatal` in `Device::poll`)
        let polled = catch_unwind(AssertUnwindSafe(|| self.device.poll(poll)));
        if polled.is_err() {
            let _ = self.lost.set("the driver lost it during a wait".to_owned());
        }
        self.check()?;
        Ok(matches!(polled, Ok(Ok(PollStatus::QueueEmpty | PollStatus::WaitSucceeded))))
    }

    /// Counts the device as lost.
    pub(super) fn lose(&self, why: &str) -> CompositorError {
        CompositorError::DeviceLost(self.lost.get_or_init(|| why.to_owned()).clone())
    }
}

/// A device that several rooms use.
struct Shared(Mutex<Found>);

struct Found {
    gpu: Option<Arc<Gpu>>,
    /// Why there is no real adapter: not looked for again, since that takes milliseconds each time a room opens.
    no_real: Option<CompositorError>,
}

impl Shared {
    const fn new() -> Self {
        Self(Mutex::new(Found { gpu: None, no_real: None }))
    }

    fn get(&self, adapters: Adapters) -> Result<Arc<Gpu>, CompositorError> {
        let mut found = self.0.lock();
        if let Some(gpu) = found.gpu.as_ref().filter(|gpu| gpu.check().is_ok() && adapters.admit(gpu.kind)) {
            return Ok(gpu.clone());
        }
        if let Some(why) = found.no_real.as_ref().filter(|_| adapters == Adapters::RealOnly) {
            return Err(why.clone());
        }
        let opened = Gpu::open(adapters);
        if let (Adapters::RealOnly, Err(why @ CompositorError::NoAdapter(_))) = (adapters, &opened) {
            found.no_real = Some(why.clone());
        }
        let gpu = Arc::new(opened?);
        tracing::info!(adapter = gpu.name, "compositing on wgpu");
        found.gpu = Some(gpu.clone());
        Ok(gpu)
    }
}

impl Adapters {
    fn admit(self, kind: DeviceType) -> bool {
        self == Self::AnySoftwareToo || matches!(kind, DeviceType::DiscreteGpu | DeviceType::IntegratedGpu | DeviceType::VirtualGpu)
    }
}

fn best_adapter(adapters: Adapters) -> Result<wgpu::Adapter, CompositorError> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.flags = wgpu::InstanceFlags::empty();
    let instance = wgpu::Instance::new(descriptor);
    let found = pollster::block_on(instance.enumerate_adapters(Backends::PRIMARY));
    let names: Vec<String> = found.iter().map(|a| a.get_info().name).collect();
    let usable = found.into_iter().filter(|a| adapters.admit(a.get_info().device_type));
    usable.min_by_key(|a| preference(a.get_info().device_type)).ok_or_else(|| CompositorError::NoAdapter(refusal(adapters, &names)))
}

/// Lower is better.
fn preference(kind: DeviceType) -> u32 {
    match kind {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    }
}

fn refusal(adapters: Adapters, names: &[String]) -> String {
    match (adapters, names) {
        (Adapters::RealOnly, [_, ..]) => format!("only software is there ({})", names.join(", ")),
        _ => "none is there; on Debian and Ubuntu the package mesa-vulkan-drivers brings a software one".to_owned(),
    }
}

/// Remembers the first loss, and counts errors that nobody asked for as one: what was painted after them is not known.
fn note_losses(device: &wgpu::Device, lost: &Arc<OnceLock<String>>) {
    let noted = lost.clone();
    device.set_device_lost_callback(move |reason, message| {
        let _ = noted.set(format!("{reason:?} {message}").trim_end().to_owned());
    });
    let noted = lost.clone();
    device.on_uncaptured_error(Arc::new(move |error| {
        tracing::error!(%error, "wgpu refused a command");
        let _ = noted.set(error.to_string());
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_device_is_replaced_for_the_next_room() {
        let shared = Shared::new();
        let first = shared.get(Adapters::AnySoftwareToo).unwrap();
        assert!(Arc::ptr_eq(&first, &shared.get(Adapters::AnySoftwareToo).unwrap()));
        first.device.destroy();
        assert!(first.poll(PollType::Poll).is_err());
        let second = shared.get(Adapters::AnySoftwareToo).unwrap();
        assert!(!Arc::ptr_eq(&first, &second) && second.check().is_ok());
    }

    #[test]
    fn a_command_that_the_device_refuses_counts_as_its_loss() {
        let gpu = Gpu::open(Adapters::AnySoftwareToo).unwrap();
        let label = Some("larger than any device allows");
        let usage = wgpu::BufferUsages::STORAGE;
        let _ = gpu.device.create_buffer(&wgpu::BufferDescriptor { label, size: u64::MAX, usage, mapped_at_creation: false });
        assert!(matches!(gpu.check(), Err(CompositorError::DeviceLost(why)) if why.contains("larger than any")));
    }

    #[test]
    fn software_is_no_real_adapter() {
        assert!(Adapters::AnySoftwareToo.admit(DeviceType::Cpu) && !Adapters::RealOnly.admit(DeviceType::Cpu));
        let why = refusal(Adapters::RealOnly, &["llvmpipe".to_owned()]);
        assert!(why.contains("llvmpipe"), "{why}");
        assert!(refusal(Adapters::AnySoftwareToo, &[]).contains("mesa-vulkan-drivers"));
    }
}
