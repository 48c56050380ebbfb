//! One player's task: a file's packets into a seat at their times, until somebody ends it or the file does.
//!
//! In: what is read ahead, real time, the word to stop. Out: packets and reports in the seat's intakes. What the room asks of its sender is
//! taken and left: nothing is lost on the way, and a file has its keyframes where it has them. Never: a codec call, or a wait for a disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

use super::files::Loan;
use super::reading::{Ahead, Reading};
use super::scheduler::{Due, Scheduler};
use super::score::ScoreError;
use crate::ingest::{Feedback, VideoIntake};
use crate::media::Clock;
use crate::rooms::Seat;

/// How often time passes for the seat.
const TICK: Duration = Duration::from_millis(40);

/// How a play ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The file was played to its end.
    Finished,
    /// Somebody stopped it, or the server ends.
    Stopped,
    /// An admin sent it out, or ended the room.
    Removed,
    /// The file could not be played on.
    Failed(String),
}

/// All that a play's task owns.
pub(super) struct Playing {
    pub(super) seat: Seat,
    pub(super) reading: Reading,
    /// Given back at the end.
    pub(super) _loan: Loan,
    pub(super) clock: Clock,
    pub(super) stop: watch::Receiver<bool>,
    /// Where in the file it is, in milliseconds.
    pub(super) position_ms: Arc<AtomicU64>,
}

/// One thing that happened.
enum Event {
    End(Ended),
    Read(Option<Result<Ahead, ScoreError>>),
    Asked(Option<Feedback>),
    Due,
}

impl Playing {
    /// Plays until the end, then leaves the room.
    pub(super) async fn run(mut self) -> Ended {
        let mut scheduler = Scheduler::default();
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if scheduler.is_over(self.clock.now()) {
                return Ended::Finished;
            }
            self.send(&mut scheduler);
            match self.next(&scheduler, &mut ticks).await {
                Event::End(ended) => return ended,
                Event::Read(Some(Ok(ahead))) => scheduler.queue(ahead.cue),
                Event::Read(Some(Err(error))) => return Ended::Failed(error.to_string()),
                Event::Read(None) => scheduler.complete(),
                Event::Asked(None) => self.seat.feedback = None,
                Event::Asked(Some(_)) | Event::Due => {}
            }
        }
    }

    /// The next thing that happens. Cancel-safe throughout.
    async fn next(&mut self, scheduler: &Scheduler, ticks: &mut tokio::time::Interval) -> Event {
        let due = scheduler.next_deadline().map(|at| self.clock.instant(at));
        tokio::select! {
            biased;
            () = becomes(&mut self.stop) => Event::End(Ended::Stopped),
            () = becomes(&mut self.seat.dismissed) => Event::End(Ended::Removed),
            read = self.reading.recv(), if scheduler.wants() => Event::Read(read),
            asked = next_asked(&mut self.seat.feedback) => Event::Asked(asked),
            _ = ticks.tick() => Event::Due,
            () = moment(due) => Event::Due,
        }
    }

    /// All that is due.
    fn send(&mut self, scheduler: &mut Scheduler) {
        let now = self.clock.now();
        let Seat { video_in, audio_in, .. } = &mut self.seat;
        while let Some(due) = scheduler.advance(now) {
            match (due, video_in.as_mut(), audio_in.as_mut()) {
                (Due::Picture(packets), Some(intake), _) => packets.into_iter().for_each(|packet| intake.push(packet)),
                (Due::PictureReport(report), Some(intake), _) => intake.note_report(0, report),
                (Due::Sound(packet), _, Some(intake)) => intake.push(packet),
                (Due::SoundReport(report), _, Some(intake)) => intake.note_report(report),
                // What a file did not have when it was looked into has no intake
                _ => {}
            }
        }
        video_in.iter_mut().for_each(|intake: &mut VideoIntake| intake.advance(now));
        self.position_ms.store(scheduler.position().as_millis() as u64, Ordering::Relaxed);
    }
}

/// Waits for the word; whoever could give it and is gone never will.
async fn becomes(word: &mut watch::Receiver<bool>) {
    if word.wait_for(|said| *said).await.is_err() {
        std::future::pending().await
    }
}

async fn next_asked(feedback: &mut Option<mpsc::Receiver<Feedback>>) -> Option<Feedback> {
    match feedback {
        Some(feedback) => feedback.recv().await,
        None => std::future::pending().await,
    }
}

async fn moment(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
