//! The only loop that gives a room real time: a thread that sleeps until the next absolute deadline.
//!
//! In: commands. Out: scenes and mixes to a [`Stage`], ticks to the metrics, events to the log.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tracing::{Span, debug, info, warn};

use super::inbox::Inbox;
use super::{Command, Due, Event, Room, RoomSettings, Stage};
use crate::media::{BLOCK_PERIOD, Clock, MediaTime};
use crate::metrics::{ByMedia, Media, Metrics};

/// A running room. Dropping it ends the thread, and waits until it has ended.
pub struct Driver {
    inbox: Arc<Inbox>,
    thread: Option<JoinHandle<()>>,
}

impl Driver {
    /// Starts the thread; it ends when this is dropped. It logs in the span that is current here.
    pub fn start(settings: RoomSettings, clock: Clock, metrics: Metrics, stage: Box<dyn Stage>) -> Self {
        let inbox = Arc::new(Inbox::default());
        let picture_period = Duration::from_secs(1) / settings.canvas.fps.max(1);
        let run = Loop { room: Room::new(settings, clock.now()), inbox: inbox.clone(), clock, metrics, stage, picture_period };
        let span = Span::current();
        let thread = std::thread::Builder::new().name("room".into()).spawn(move || span.in_scope(|| run.run()));
        Self { inbox, thread: Some(thread.expect("the system gives a room its one thread")) }
    }

    /// Tells the room something; it takes effect at its next tick. Never blocks.
    pub fn send(&self, command: Command) {
        self.inbox.send(command);
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
    picture_period: Duration,
}

impl Loop {
    /// One thing that is due a round: a room that cannot keep up still hears its commands, and its end.
    fn run(mut self) {
        while let Some(commands) = self.inbox.wait_until(self.room.next_deadline(), &self.clock) {
            commands.into_iter().for_each(|command| self.room.handle(command));
            let now = self.clock.now();
            if let Some(due) = self.room.advance(now) {
                self.deliver(now, due);
            }
            self.room.take_events().into_iter().for_each(|event| self.note(event));
        }
    }

    fn deliver(&mut self, now: MediaTime, due: Due) {
        match due {
            Due::Mixes(mixes) => {
                self.count_tick(Media::Audio, now.since(mixes.at) > BLOCK_PERIOD / 2);
                self.stage.mixes(mixes);
            }
            Due::Scene(scene) => {
                self.count_tick(Media::Video, now.since(scene.at) > self.picture_period / 2);
                self.stage.scene(scene);
            }
        }
    }

    fn count_tick(&self, media: Media, late: bool) {
        self.metrics.ticks.get_or_create(&ByMedia { media }).inc();
        if late {
            self.metrics.late_ticks.get_or_create(&ByMedia { media }).inc();
        }
    }

    fn note(&self, event: Event) {
        match event {
            Event::Joined(id, name) => info!(participant = %id, %name, "joined"),
            Event::Left(id) => info!(participant = %id, "left"),
            Event::Renamed(id, name) => info!(participant = %id, %name, "renamed"),
            Event::SpeakerChanged(Some(id)) => debug!(participant = %id, "active speaker"),
            Event::SpeakerChanged(None) => debug!("no active speaker"),
            Event::LayoutChanged(layout) => info!(?layout, "layout changed"),
            Event::PicturesSkipped(count) => self.metrics.count_dropped_by("late_picture", count),
            Event::BlocksSkipped(count) => {
                warn!(blocks = count, "the room stood still, sound was skipped");
                self.metrics.count_dropped_by("late_block", count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;
    use crate::media::{Block, Heard, MixSet, ParticipantId, Scene, SoundSource, Source};

    /// Passes on what it is given; what nobody takes in time is given up.
    struct Watched(SyncSender<Due>);

    impl Stage for Watched {
        fn scene(&mut self, scene: Scene) {
            let _ = self.0.try_send(Due::Scene(scene));
        }

        fn mixes(&mut self, mixes: MixSet) {
            let _ = self.0.try_send(Due::Mixes(mixes));
        }
    }

    struct Constant;

    impl SoundSource for Constant {
        fn pull(&mut self, _now: MediaTime, into: &mut Block) -> Heard {
            into.0.fill(0.25);
            Heard::Decoded
        }
    }

    fn start(metrics: &Metrics) -> (Driver, Receiver<Due>) {
        let (sender, watched) = sync_channel(1000);
        let driver = Driver::start(RoomSettings::default(), Clock::new(), metrics.clone(), Box::new(Watched(sender)));
        (driver, watched)
    }

    fn audio_ticks(metrics: &Metrics) -> u64 {
        metrics.ticks.get_or_create(&ByMedia { media: Media::Audio }).get()
    }

    #[test]
    fn a_command_takes_effect_while_the_room_runs() {
        let (driver, watched) = start(&Metrics::default());
        driver.send(Command::Join { id: ParticipantId(1), name: "Ada".into(), sound: Some(Box::new(Constant)) });
        let heard = |due: Due| matches!(due, Due::Mixes(mixes) if mixes.listeners.0[959] == 0.25);
        assert!(watched.iter().any(heard));
        let seen = |due: Due| matches!(due, Due::Scene(scene) if scene.cells[0].source != Source::Slate);
        assert!(watched.iter().any(seen));
    }

    #[test]
    fn ticks_are_counted_and_lie_a_period_apart() {
        let metrics = Metrics::default();
        let (driver, watched) = start(&metrics);
        let mixes = watched.iter().filter_map(|due| if let Due::Mixes(mixes) = due { Some(mixes.at) } else { None });
        let at: Vec<_> = mixes.take(5).collect();
        drop(driver);
        assert!(at.windows(2).all(|pair| pair[1] == pair[0] + BLOCK_PERIOD), "{at:?}");
        assert!(audio_ticks(&metrics) >= 5);
    }

    #[test]
    fn dropping_it_ends_its_thread() {
        let (driver, watched) = start(&Metrics::default());
        drop(driver);
        // The stage, and with it the sender, went with the thread.
        assert!(watched.iter().count() < 1000);
    }
}
