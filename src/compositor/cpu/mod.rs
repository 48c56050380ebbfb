//! The CPU compositor: executes plans in I420, in plain Rust. It is the truth that the shaders are compared with.
//!
//! In: scenes and pictures; out: canvases, drawn when submitted. Never: a wait, or a thread of its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::fonts::Fonts;
use super::plan::Plan;
use super::planner::Planner;
use super::{Compositor, CompositorError, Kind, Pictures};
use crate::media::{Composite, Frame, Scene};
use canvas::Canvases;
pub use painter::Painter;
pub use scaler::Scaler;

mod across;
mod axis;
mod background;
mod blend;
mod canvas;
mod columns;
mod down;
mod outline;
mod painter;
mod scale;
mod scaler;
#[cfg(test)]
mod tests;
mod turn;
mod under;

/// Canvases that nobody took yet; the oldest goes where there would be more.
const WAITING: usize = 2;

/// Plain Rust on the processor.
#[derive(Debug)]
pub struct CpuCompositor {
    planner: Planner,
    painter: Painter,
    canvases: Canvases,
    /// What was drawn last, shown again while nothing changes.
    last: Option<(Plan, Arc<Frame>)>,
    waiting: VecDeque<Composite>,
}

/// One scene, drawn at once; for previews and thumbnails.
///
/// # Errors
/// None that the CPU has; the signature is that of any compositor.
pub fn still(scene: &Scene, pictures: &dyn Pictures, fonts: Arc<Fonts>) -> Result<Frame, CompositorError> {
    let plan = Planner::new(fonts).plan(scene, pictures);
    let mut canvas = Frame::black(plan.width, plan.height);
    Painter::default().paint(&plan, &mut canvas);
    Ok(canvas)
}

impl CpuCompositor {
    /// A compositor that letters with `fonts`.
    pub fn new(fonts: Arc<Fonts>) -> Self {
        let (painter, canvases) = (Painter::default(), Canvases::default());
        Self { planner: Planner::new(fonts), painter, canvases, last: None, waiting: VecDeque::new() }
    }

    fn draw(&mut self, plan: Plan) -> Arc<Frame> {
        if let Some((_, canvas)) = self.last.as_ref().filter(|(last, _)| last.same_as(&plan)) {
            return canvas.clone();
        }
        let mut canvas = self.canvases.take(plan.width, plan.height);
        self.painter.paint(&plan, Arc::get_mut(&mut canvas).expect("a canvas that was taken is ours alone"));
        self.canvases.keep(canvas.clone());
        self.last = Some((plan, canvas.clone()));
        canvas
    }
}

impl Compositor for CpuCompositor {
    fn kind(&self) -> Kind {
        Kind::Cpu
    }

    fn submit(&mut self, scene: &Scene, pictures: &dyn Pictures) -> Result<(), CompositorError> {
        let plan = self.planner.plan(scene, pictures);
        let frame = self.draw(plan);
        if self.waiting.len() == WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Composite { frame, at: scene.at });
        Ok(())
    }

    fn take(&mut self, _patience: Duration) -> Result<Option<Composite>, CompositorError> {
        Ok(self.waiting.pop_front())
    }
}
