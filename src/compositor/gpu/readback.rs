//! Canvases on their way back from the GPU, oldest first, in a ring of mappable buffers.
//!
//! In: buffers that a submission copies canvases into. Out: [`Composite`]s, in order. Never: a wait of its own accord.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use wgpu::{Buffer, BufferUsages, MapMode, PollType, SubmissionIndex};

use super::device::Gpu;
use super::planes::Layout;
use crate::compositor::CompositorError;
use crate::media::{Composite, MediaTime};

/// Buffers kept: two in flight, and one that is filled or read meanwhile.
const RING: usize = 3;

/// Canvases in flight, and buffers that are free.
#[derive(Debug, Default)]
pub(super) struct Readback {
    in_flight: VecDeque<InFlight>,
    free: Vec<(Layout, Buffer)>,
}

#[derive(Debug)]
struct InFlight {
    layout: Layout,
    buffer: Buffer,
    at: MediaTime,
    submission: SubmissionIndex,
    mapping: Arc<Mapping>,
}

/// Whether a buffer can be read; told by whichever thread polls the device when it comes to that.
#[derive(Debug, Default)]
struct Mapping {
    outcome: Mutex<Option<bool>>,
    told: Condvar,
}

impl Mapping {
    fn tell(&self, mapped: bool) {
        *self.outcome.lock() = Some(mapped);
        self.told.notify_all();
    }

    /// The outcome, waiting for it at most `patience`.
    fn outcome(&self, patience: Duration) -> Option<bool> {
        let mut outcome = self.outcome.lock();
        if outcome.is_none() {
            self.told.wait_for(&mut outcome, patience);
        }
        *outcome
    }
}

impl Readback {
    /// A buffer for a canvas.
    pub(super) fn buffer(&mut self, gpu: &Gpu, layout: Layout) -> Buffer {
        self.free.retain(|(of, _)| *of == layout);
        if let Some((_, buffer)) = self.free.pop() {
            return buffer;
        }
        gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("readback"),
            size: layout.bytes(),
            usage: BufferUsages::MAP_READ | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    /// Notes that `submission` fills `buffer` with the canvas for `at`.
    pub(super) fn expect(&mut self, buffer: Buffer, layout: Layout, at: MediaTime, submission: SubmissionIndex) {
        let mapping = Arc::<Mapping>::default();
        let told = mapping.clone();
        buffer.map_async(MapMode::Read, .., move |result| told.tell(result.is_ok()));
        self.in_flight.push_back(InFlight { layout, buffer, at, submission, mapping });
    }

    /// The oldest canvas, waiting for it at most `patience`.
    pub(super) fn take(&mut self, gpu: &Gpu, patience: Duration) -> Result<Option<Composite>, CompositorError> {
        gpu.check()?;
        let Some(oldest) = self.in_flight.front() else { return gpu.poll(PollType::Poll).map(|_| None) };
        let finished = oldest.is_mapped(gpu, Duration::ZERO)? || gpu.poll(oldest.wait(patience))?;
        // What is finished may be told by another room's thread, which polls the same device, a moment later.
        if !oldest.is_mapped(gpu, if finished { patience } else { Duration::ZERO })? {
            return Ok(None);
        }
        self.in_flight.pop_front().map(|oldest| self.read(oldest)).transpose()
    }

    fn read(&mut self, oldest: InFlight) -> Result<Composite, CompositorError> {
        let InFlight { layout, buffer, at, .. } = oldest;
        let mapped = buffer.get_mapped_range(..).map_err(|e| CompositorError::DeviceLost(e.to_string()))?;
        let frame = Arc::new(layout.frame(&mapped));
        drop(mapped);
        buffer.unmap();
        if self.free.len() + self.in_flight.len() < RING {
            self.free.push((layout, buffer));
        }
        Ok(Composite { frame, at })
    }
}

impl InFlight {
    fn is_mapped(&self, gpu: &Gpu, patience: Duration) -> Result<bool, CompositorError> {
        match self.mapping.outcome(patience) {
            Some(false) => Err(gpu.lose("a finished canvas cannot be mapped")),
            outcome => Ok(outcome.is_some()),
        }
    }

    fn wait(&self, patience: Duration) -> PollType {
        if patience.is_zero() {
            return PollType::Poll;
        }
        PollType::Wait { submission_index: Some(self.submission.clone()), timeout: Some(patience) }
    }
}
