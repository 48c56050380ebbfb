//! The only loop that gives a room real time: a thread that sleeps until the next absolute deadline.
//!
//! In: commands. Out: scenes and mixes to a [`Stage`], ticks to the metrics, events to the log.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{Span, debug, info, warn};

use super::inbox::Inbox;
use super::{Command, Due, Event, Room, RoomSettings, RoomStatus, Stage};
use crate::media::{BLOCK_PERIOD, Clock, MediaTime};
use crate::metrics::{ByMedia, Media, Metrics};

/// How often the room says how it is while nobody tells it anything.
const STATUS_PERIOD: Duration = Duration::from_millis(100);

/// A running room. Dropping it ends the thread, and waits until it has ended.
pub struct Driver {
    inbox: Arc<Inbox>,
    status: watch::Receiver<Arc<RoomStatus>>,
    thread: Option<JoinHandle<()>>,
}

impl Driver {
    /// Starts the thread; it ends when this is dropped. It logs in the span that is current here.
    pub fn start(settings: RoomSettings, clock: Clock, metrics: Metrics, stage: Box<dyn Stage>) -> Self {
        let inbox = Arc::new(Inbox::default());
        let now = clock.now();
        let room = Room::new(settings, now);
        let (teller, status) = watch::channel(Arc::new(room.status(now)));
        let run = Loop { room, inbox: inbox.clone(), clock, metrics, stage, teller };
        let span = Span::current();
        let thread = std::thread::Builder::new().name("room".into()).spawn(move || span.in_scope(|| run.run()));
        Self { inbox, status, thread: Some(thread.expect("the system gives a room its one thread")) }
    }

    /// Tells the room something; it takes effect at its next tick. Never blocks.
    pub fn send(&self, command: Command) {
        self.inbox.send(command);
    }

    /// Tells the room something, and waits until it has taken effect; the room as it is then. Cancel-safe; `None` where the room has ended.
    pub async fn ask(&self, command: Command) -> Option<Arc<RoomStatus>> {
        let mut status = self.status.clone();
        let number = self.inbox.send(command);
        let told = status.wait_for(|status| status.handled >= number).await.ok()?;
        Some(told.clone())
    }

    /// The room as it was last told, at most 100 ms ago while its thread keeps time.
    pub fn status(&self) -> Arc<RoomStatus> {
        self.status.borrow().clone()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.inbox.stop();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            warn!("a room's thread panicked");
        }
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

/// What the thread holds.
struct Loop {
    room: Room,
    inbox: Arc<Inbox>,
    clock: Clock,
    metrics: Metrics,
    stage: Box<dyn Stage>,
    teller: watch::Sender<Arc<RoomStatus>>,
}

impl Loop {
    /// One thing that is due a round: a room that cannot keep up still hears its commands, and its end.
    fn run(mut self) {
        while let Some(batch) = self.inbox.wait_until(self.room.next_deadline(), &self.clock) {
            let told = !batch.commands.is_empty();
            batch.commands.into_iter().for_each(|command| self.room.handle(command));
            let now = self.clock.now();
            let due = self.room.advance(now);
            self.room.take_events().iter().for_each(|event| self.note(now, event));
            if let Some(due) = due {
                self.deliver(now, due);
            }
            if told || now.since(self.teller.borrow().at) >= STATUS_PERIOD {
                self.tell(now, batch.left);
            }
        }
        self.end();
    }

    /// A room ends with its last session: that one's leave comes with the end, and is told all the same.
    fn end(&mut self) {
        self.inbox.rest().into_iter().for_each(|command| self.room.handle(command));
        let now = self.clock.now();
        self.room.take_events().iter().for_each(|event| self.note(now, event));
    }

    /// `handled` counts the commands that newer ones replaced, too: whoever sent those waits for them.
    fn tell(&mut self, now: MediaTime, handled: u64) {
        let status = Arc::new(RoomStatus { handled, ..self.room.status(now) });
        self.stage.status(&status);
        self.teller.send_replace(status);
    }

    fn deliver(&mut self, now: MediaTime, due: Due) {
        match due {
            Due::Mixes(mixes) => {
                self.count_tick(Media::Audio, now.since(mixes.at) > BLOCK_PERIOD / 2);
                self.stage.mixes(mixes);
            }
            Due::Scene(key, scene) => {
                let period = Duration::from_secs(1) / scene.canvas.fps.max(1);
                self.count_tick(Media::Video, now.since(scene.at) > period / 2);
                self.stage.scene(&key, scene);
            }
        }
    }

    fn count_tick(&self, media: Media, late: bool) {
        self.metrics.ticks.get_or_create(&ByMedia { media }).inc();
        if late {
            self.metrics.late_ticks.get_or_create(&ByMedia { media }).inc();
        }
    }

    fn note(&mut self, now: MediaTime, event: &Event) {
        match event {
            Event::Joined(id, name) => info!(participant = %id, %name, "joined"),
            Event::Left(id) => info!(participant = %id, "left"),
            Event::Changed(id, change) => info!(participant = %id, ?change, "changed"),
            Event::SpeakerChanged(Some(id)) => debug!(participant = %id, "active speaker"),
            Event::SpeakerChanged(None) => debug!("no active speaker"),
            Event::LayoutChanged(view, _) => info!(%view, "layout changed"),
            Event::Stalled(id, stalled) => info!(participant = %id, stalled, "pictures"),
            Event::Routed(routes) => self.stage.routes(routes.clone()),
            Event::PicturesSkipped(count) => self.metrics.count_dropped_by("late_picture", *count),
            Event::BlocksSkipped(count) => {
                warn!(blocks = count, "the room stood still, sound was skipped");
                self.metrics.count_dropped_by("late_block", *count);
            }
        }
        self.stage.event(now, event);
    }
}

#[cfg(test)]
mod tests;
