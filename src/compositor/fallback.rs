//! A compositor that survives its device: when it is lost, the CPU goes on, with the scenes that were in flight.
//!
//! In: scenes; out: canvases, none lost but those already dropped. Never: the way back; a device that was lost once is not trusted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::cpu::CpuCompositor;
use super::fonts::Fonts;
use super::{Compositor, CompositorError, Kind, Pictures};
use crate::media::{Composite, Frame, ParticipantId, Scene, Source};

/// Scenes in flight at most, as [`Compositor::submit`] has it.
const IN_FLIGHT: usize = 2;

/// Draws with what it is given, and with the CPU once that is lost.
pub(super) struct Fallback {
    drawing: Box<dyn Compositor>,
    fonts: Arc<Fonts>,
    in_flight: VecDeque<(Scene, Held)>,
}

/// The pictures of a scene in flight.
struct Held(BTreeMap<ParticipantId, Arc<Frame>>);

impl Held {
    fn of(scene: &Scene, pictures: &dyn Pictures) -> Self {
        let ids = scene.cells.iter().filter_map(|cell| match cell.source {
            Source::Participant { id, .. } => Some(id),
            Source::Placeholder { .. } | Source::Slate | Source::More(_) => None,
        });
        Self(ids.filter_map(|id| Some((id, pictures.picture(id)?))).collect())
    }
}

impl Pictures for Held {
    fn picture(&self, id: ParticipantId) -> Option<Arc<Frame>> {
        self.0.get(&id).cloned()
    }
}

impl Fallback {
    pub(super) fn new(drawing: Box<dyn Compositor>, fonts: Arc<Fonts>) -> Self {
        Self { drawing, fonts, in_flight: VecDeque::new() }
    }

    fn fall_back(&mut self, why: &CompositorError) -> Result<(), CompositorError> {
        tracing::warn!(%why, "the CPU composites from here on");
        self.drawing = Box::new(CpuCompositor::new(self.fonts.clone()));
        for (scene, held) in &self.in_flight {
            self.drawing.submit(scene, held)?;
        }
        Ok(())
    }

    fn note(&mut self, scene: &Scene, held: Held) {
        if self.in_flight.len() == IN_FLIGHT {
            self.in_flight.pop_front();
        }
        self.in_flight.push_back((scene.clone(), held));
    }
}

impl Compositor for Fallback {
    fn kind(&self) -> Kind {
        self.drawing.kind()
    }

    fn submit(&mut self, scene: &Scene, pictures: &dyn Pictures) -> Result<(), CompositorError> {
        if self.kind() == Kind::Cpu {
            return self.drawing.submit(scene, pictures);
        }
        let held = Held::of(scene, pictures);
        let submitted = self.drawing.submit(scene, &held);
        self.note(scene, held);
        submitted.or_else(|why| self.fall_back(&why))
    }

    fn take(&mut self, patience: Duration) -> Result<Option<Composite>, CompositorError> {
        let taken = match self.drawing.take(patience) {
            Err(why) if self.kind() == Kind::Wgpu => {
                self.fall_back(&why)?;
                self.drawing.take(patience)?
            }
            taken => taken?,
        };
        if let Some(taken) = &taken {
            self.in_flight.retain(|(scene, _)| scene.at > taken.at);
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Canvas, MediaTime};

    /// A device that takes `good` scenes, gives none back, and is lost at the next call.
    struct Doomed {
        good: usize,
    }

    impl Compositor for Doomed {
        fn kind(&self) -> Kind {
            Kind::Wgpu
        }

        fn submit(&mut self, _: &Scene, _: &dyn Pictures) -> Result<(), CompositorError> {
            self.good = self.good.checked_sub(1).ok_or(CompositorError::DeviceLost("gone".into()))?;
            Ok(())
        }

        fn take(&mut self, _: Duration) -> Result<Option<Composite>, CompositorError> {
            if self.good == 0 { Err(CompositorError::DeviceLost("gone".into())) } else { Ok(None) }
        }
    }

    struct Nobody;

    impl Pictures for Nobody {
        fn picture(&self, _: ParticipantId) -> Option<Arc<Frame>> {
            None
        }
    }

    fn scene(millis: u64) -> Scene {
        Scene {
            canvas: Canvas { width: 128, height: 128, ..Canvas::default() },
            at: MediaTime::from_millis(millis),
            ..Scene::empty(Canvas::default(), MediaTime::ZERO)
        }
    }

    fn ticks(compositor: &mut Fallback) -> Vec<u64> {
        std::iter::from_fn(|| compositor.take(Duration::ZERO).unwrap()).map(|composite| composite.at.as_millis()).collect()
    }

    #[test]
    fn scenes_in_flight_when_the_device_is_lost_are_drawn_by_the_cpu() {
        let mut compositor = Fallback::new(Box::new(Doomed { good: 1 }), Fonts::embedded());
        compositor.submit(&scene(1), &Nobody).unwrap();
        compositor.submit(&scene(2), &Nobody).unwrap();
        assert_eq!(compositor.kind(), Kind::Cpu);
        assert_eq!(ticks(&mut compositor), [1, 2]);
    }

    #[test]
    fn a_device_lost_while_waiting_for_it_costs_no_canvas() {
        let mut compositor = Fallback::new(Box::new(Doomed { good: 2 }), Fonts::embedded());
        compositor.submit(&scene(1), &Nobody).unwrap();
        compositor.submit(&scene(2), &Nobody).unwrap();
        assert_eq!(ticks(&mut compositor), [1, 2]);
        assert_eq!(compositor.kind(), Kind::Cpu);
    }
}
