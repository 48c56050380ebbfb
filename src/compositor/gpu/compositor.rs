//! The wgpu compositor as rooms use it: scenes in, canvases out, up to two of them in flight.
//!
//! In: scenes and pictures. Out: canvases, in order; a scene that looks like the one before it shows that one's canvas again.
//! Never: the CPU: a lost device is told to the caller, who goes on without this one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::device::{Adapters, Gpu};
use super::painter::Painter;
use crate::compositor::fonts::Fonts;
use crate::compositor::plan::Plan;
use crate::compositor::planner::Planner;
use crate::compositor::{Compositor, CompositorError, Kind, Pictures};
use crate::media::{Composite, Frame, MediaTime, Scene};

/// Canvases in flight at most.
const IN_FLIGHT: usize = 2;

/// A canvas that takes longer is not coming.
const STALLED: Duration = Duration::from_secs(2);

/// Shaders on a device that all rooms share.
#[derive(Debug)]
pub struct GpuCompositor {
    planner: Planner,
    painter: Painter,
    in_flight: VecDeque<InFlight>,
    /// Finished to make way, and not taken yet.
    finished: Option<Composite>,
    last_plan: Option<Plan>,
    last_canvas: Option<Arc<Frame>>,
}

#[derive(Debug)]
enum InFlight {
    Painted,
    /// As the one before it, at another tick.
    Again(MediaTime),
}

impl GpuCompositor {
    /// A compositor on the process's device, that letters with `fonts`.
    ///
    /// # Errors
    /// Where there is no adapter of the kind, or none that opens.
    pub fn open(adapters: Adapters, fonts: Arc<Fonts>) -> Result<Self, CompositorError> {
        Ok(Self::on(Gpu::shared(adapters)?, fonts))
    }

    pub(super) fn on(gpu: Arc<Gpu>, fonts: Arc<Fonts>) -> Self {
        let (planner, painter) = (Planner::new(fonts), Painter::new(gpu));
        Self { planner, painter, in_flight: VecDeque::new(), finished: None, last_plan: None, last_canvas: None }
    }

    fn begin(&mut self, plan: Plan, at: MediaTime) -> Result<InFlight, CompositorError> {
        if self.last_plan.as_ref().is_some_and(|last| last.same_as(&plan)) {
            return Ok(InFlight::Again(at));
        }
        self.painter.begin(&plan, at)?;
        self.last_plan = Some(plan);
        Ok(InFlight::Painted)
    }

    /// The oldest in flight, waiting for it at most `patience`.
    fn finish(&mut self, patience: Duration) -> Result<Option<Composite>, CompositorError> {
        let composite = match (self.in_flight.front(), &self.last_canvas) {
            (Some(InFlight::Again(at)), Some(canvas)) => Some(Composite { frame: canvas.clone(), at: *at }),
            _ => self.painter.take(patience)?,
        };
        if let Some(composite) = &composite {
            self.in_flight.pop_front();
            self.last_canvas = Some(composite.frame.clone());
        }
        Ok(composite)
    }
}

impl Compositor for GpuCompositor {
    fn kind(&self) -> Kind {
        Kind::Wgpu
    }

    fn submit(&mut self, scene: &Scene, pictures: &dyn Pictures) -> Result<(), CompositorError> {
        if self.in_flight.len() == IN_FLIGHT {
            let oldest = self.finish(STALLED)?;
            self.finished = Some(oldest.ok_or_else(|| self.painter.lose("a canvas did not come"))?);
        }
        let plan = self.planner.plan(scene, pictures);
        let begun = self.begin(plan, scene.at)?;
        self.in_flight.push_back(begun);
        Ok(())
    }

    fn take(&mut self, patience: Duration) -> Result<Option<Composite>, CompositorError> {
        match self.finished.take() {
            None => self.finish(patience),
            finished => Ok(finished),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compositor::fallback::Fallback;
    use crate::compositor::gpu::tests::gpu;
    use crate::media::{Canvas, Cell, Fit, ParticipantId, Rect, Rgb, Source};

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn a_third_scene_in_flight_finishes_the_first() {
        let mut compositor = compositor();
        for tick in 0..3 {
            compositor.submit(&scene(tick), &Nobody).unwrap();
        }
        assert_eq!(ticks(&mut compositor), [0, 1, 2]);
    }

    #[test]
    fn of_canvases_that_nobody_takes_the_newest_three_are_kept() {
        let mut compositor = compositor();
        for tick in 0..6 {
            compositor.submit(&scene(tick), &Nobody).unwrap();
        }
        assert_eq!(ticks(&mut compositor), [3, 4, 5]);
    }

    #[test]
    fn a_scene_like_the_one_before_shows_its_canvas_again() {
        let mut compositor = compositor();
        let [first, again, other] = [scene(1), Scene { at: MediaTime::from_millis(2), ..scene(1) }, scene(3)].map(|scene| {
            compositor.submit(&scene, &Nobody).unwrap();
            compositor.take(PATIENCE).unwrap().unwrap()
        });
        assert_eq!(again.at, MediaTime::from_millis(2));
        assert!(Arc::ptr_eq(&first.frame, &again.frame));
        assert_ne!(first.frame, other.frame);
    }

    #[test]
    fn the_cpu_goes_on_where_a_device_was_lost() {
        let gpu = Arc::new(Gpu::open(Adapters::AnySoftwareToo).unwrap());
        let fonts = Fonts::embedded();
        let mut compositor = Fallback::new(Box::new(GpuCompositor::on(gpu.clone(), fonts.clone())), fonts);
        compositor.submit(&scene(0), &Nobody).unwrap();
        gpu.device.destroy();
        compositor.submit(&scene(1), &Nobody).unwrap();
        assert_eq!(ticks(&mut compositor), [0, 1]);
        assert_eq!(compositor.kind(), Kind::Cpu);
    }

    struct Nobody;

    impl Pictures for Nobody {
        fn picture(&self, _: ParticipantId) -> Option<Arc<Frame>> {
            None
        }
    }

    fn compositor() -> GpuCompositor {
        GpuCompositor::on(gpu(), Fonts::embedded())
    }

    /// A scene that looks like no other tick's.
    fn scene(tick: u64) -> Scene {
        let canvas = Canvas { width: 128, height: 128, background: Rgb(tick as u8 * 20, 0, 0), ..Canvas::default() };
        let cell = Cell {
            source: Source::Participant { id: ParticipantId(1), name: "Ada".into() },
            rect: Rect { x: 16, y: 16, width: 64, height: 64 },
            fit: Fit::Cover,
            z: 0,
            opacity: 1.0,
            corner_radius: 4,
            border: None,
            label: None,
            stalled: false,
        };
        Scene { canvas, at: MediaTime::from_millis(tick), cells: vec![cell], ..Scene::empty(canvas, MediaTime::ZERO) }
    }

    fn ticks(compositor: &mut dyn Compositor) -> Vec<u64> {
        std::iter::from_fn(|| compositor.take(PATIENCE).unwrap()).map(|composite| composite.at.as_millis()).collect()
    }
}
