//! From scenes and mixes to a film, on a thread of its own beside the one that decodes: compositor, encoders, the file.
//!
//! In: a queue of shots in the order of their times. Out: the film. Never: a shot given up: whoever is faster waits.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::cast::Shown;
use super::film::Film;
use super::{Plan, RenderError};
use crate::codec::h264::Encoder;
use crate::codec::opus::{AudioEncoder, Prediction};
use crate::codec::{Keyframe, VideoEncoder, VideoSettings};
use crate::compositor::{self, Compositor, CompositorError};
use crate::media::{Composite, MediaTime, MixSet, Scene};

/// Shots that wait at most: some pictures, and the sound between them.
const WAITING: usize = 8;
/// What a canvas may take on the slowest device.
const PATIENCE: Duration = Duration::from_secs(30);
/// How far a seek has to decode at most.
const KEYFRAMES: Duration = Duration::from_secs(4);

/// Something to be filmed.
pub(super) enum Shot {
    /// A picture.
    Scene(Box<Scene>, Shown),
    /// 20 ms of sound.
    Mix(MixSet),
}

/// The thread's other end.
pub(super) struct Studio {
    shots: SyncSender<Shot>,
    thread: JoinHandle<Result<Takes, RenderError>>,
}

/// What was filmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Takes {
    pub(super) pictures: u64,
    pub(super) length: Duration,
}

impl Studio {
    /// Opens the compositor and the encoders.
    ///
    /// # Errors
    /// Where one of them cannot be had.
    pub(super) fn open(plan: &Plan, canvas: crate::media::Canvas, film: Film) -> Result<Self, RenderError> {
        let settings = VideoSettings { width: canvas.width, height: canvas.height, fps: canvas.fps, bitrate_bps: plan.bitrate_bps };
        let work = Work {
            compositor: compositor::open(plan.compositor, plan.fonts.clone())?,
            pictures: Encoder::new(settings)?,
            sound: AudioEncoder::new()?,
            film,
            keyframe_due: MediaTime::ZERO,
            taken: 0,
        };
        let (shots, waiting) = sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("studio".into()).spawn(move || work.run(&waiting));
        Ok(Self { shots, thread: thread.expect("the system gives a film its one thread") })
    }

    /// Takes the next shot; whether there is still somebody who films it.
    pub(super) fn take(&self, shot: Shot) -> bool {
        self.shots.send(shot).is_ok()
    }

    /// Ends the film once all that was taken is in it.
    ///
    /// # Errors
    /// Where something could not be drawn, encoded or written.
    pub(super) fn close(self) -> Result<Takes, RenderError> {
        drop(self.shots);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// What the thread works with.
struct Work {
    compositor: Box<dyn Compositor>,
    pictures: Encoder,
    sound: AudioEncoder,
    film: Film,
    keyframe_due: MediaTime,
    taken: u64,
}

impl Work {
    fn run(mut self, shots: &Receiver<Shot>) -> Result<Takes, RenderError> {
        for shot in shots {
            match shot {
                Shot::Scene(scene, shown) => self.draw(&scene, &shown)?,
                Shot::Mix(mixes) => {
                    let packet = self.sound.encode(&mixes.listeners, Prediction::Allowed)?;
                    self.film.sound(packet, mixes.at);
                }
            }
        }
        Ok(Takes { pictures: self.taken, length: self.film.finish()? })
    }

    fn draw(&mut self, scene: &Scene, shown: &Shown) -> Result<(), RenderError> {
        self.compositor.submit(scene, shown)?;
        loop {
            let canvas = self.compositor.take(PATIENCE)?;
            let canvas = canvas.ok_or_else(|| CompositorError::DeviceLost(format!("no canvas within {} s", PATIENCE.as_secs())))?;
            let is_this = canvas.at == scene.at;
            self.encode(&canvas)?;
            if is_this {
                return Ok(());
            }
        }
    }

    fn encode(&mut self, canvas: &Composite) -> Result<(), RenderError> {
        let is_due = canvas.at >= self.keyframe_due;
        let keyframe = if is_due { Keyframe::Force } else { Keyframe::Auto };
        let Some(unit) = self.pictures.encode(&canvas.frame, canvas.at, keyframe)? else { return Ok(()) };
        if unit.keyframe {
            self.keyframe_due = canvas.at + KEYFRAMES;
        }
        self.taken += 1;
        self.film.picture(unit, canvas.at)
    }
}
