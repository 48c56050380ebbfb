//! Everybody's own pictures and sound as they arrived, and what happened: enough to make the call again.
//!
//! In: a room that is overheard. Out: `p3.mp4` for each participant (fragmented MP4, H.264 as `avc3` and Opus, a part each second) and
//! `events.jsonl`. All of them are on one line, whose 0 is the recording's: a file of somebody who came after a minute begins at 60 s.
//! Never: an encode or a decode, or a wait of anybody for the disk.
//!
//! | File | What it does |
//! | --- | --- |
//! | `scribe` | the thread that listens, and writes once a second |
//! | `person` | one participant's file as it grows |
//! | `pictures`, `sounds`, `track` | order and times of its samples |
//! | `clock` | a sender's clocks against ours |
//! | `log` | the log of events |

mod clock;
mod log;
mod person;
mod pictures;
mod scribe;
mod sounds;
#[cfg(test)]
mod tests;
mod track;

use std::sync::mpsc;

use scribe::Scribe;
use tokio::task::JoinError;

use super::{Ended, Take};

/// Records until it is stopped, the room ends, or the recording is as large as it may be.
pub(super) async fn record(mut take: Take) -> Ended {
    let overhearing = match take.rooms.overhear(&take.room).await {
        Ok(overhearing) => overhearing,
        Err(error) => return Ended::Failed(error.to_string()),
    };
    let mut dismissed = overhearing.dismissed();
    let (goes_on, ends) = mpsc::channel();
    let scribe = Scribe::new(take.clone(), overhearing);
    let mut writing = tokio::task::spawn_blocking(move || scribe.run(&ends));
    tokio::select! {
        () = take.stopped() => {}
        // An error means that the room is gone
        _ = dismissed.wait_for(|dismissed| *dismissed) => {}
        written = &mut writing => return how(written),
    }
    drop(goes_on);
    how(writing.await)
}

fn how(written: Result<Ended, JoinError>) -> Ended {
    written.unwrap_or_else(|_| Ended::Failed("a fault of the server's own broke it off".into()))
}
