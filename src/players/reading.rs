//! The thread that reads a file ahead of its play.
//!
//! In: a file. Out: its cues, through a queue that is bounded in number and in bytes: it reads on as they are taken. It ends when nobody
//! takes them any more. Never: work on the async runtime's threads.

use std::io;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::score::{Cue, Opener, Passes, Score, ScoreError};

/// Cues that wait at most: two seconds of sound and a second and a half of pictures.
const CUES: usize = 150;
/// Bytes that wait at most, but for one picture that is larger.
const BYTES: usize = 8 << 20;

/// A cue that was read, and its room in memory.
#[derive(Debug)]
pub(super) struct Ahead {
    pub(super) cue: Cue,
    _room: OwnedSemaphorePermit,
}

/// What was read; an error is the last. The end is the end of the play.
pub(super) type Reading = mpsc::Receiver<Result<Ahead, ScoreError>>;

/// Reads a file from its beginning on.
///
/// # Errors
/// Where no thread can be started.
pub(super) fn read(open: Opener, passes: Passes) -> io::Result<Reading> {
    let (cues, reading) = mpsc::channel(CUES);
    let room = Arc::new(Semaphore::new(BYTES));
    std::thread::Builder::new().name("player-read".into()).spawn(move || {
        if let Err(error) = perform(open, passes, &cues, &room) {
            // Nobody need be there to hear of it
            let _ = cues.blocking_send(Err(error));
        }
    })?;
    Ok(reading)
}

fn perform(open: Opener, passes: Passes, cues: &mpsc::Sender<Result<Ahead, ScoreError>>, room: &Arc<Semaphore>) -> Result<(), ScoreError> {
    let mut score = Score::open(open, passes)?;
    while let Some(cue) = score.next()? {
        let weight = cue.weight().min(BYTES) as u32;
        let room = pollster::block_on(room.clone().acquire_many_owned(weight)).expect("the semaphore is never closed");
        if cues.blocking_send(Ok(Ahead { cue, _room: room })).is_err() {
            break;
        }
    }
    Ok(())
}
