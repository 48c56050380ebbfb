//! Everybody's own pictures and sound as they arrived, and what happened: enough to make the call again.
//!
//! In: a room that is overheard. Out: `p3.mp4` for each participant (fragmented MP4, H.264 as `avc3` and Opus, a part each second) and
//! `events.jsonl`, with the admins' own templates that were used. All of them are on one line, whose 0 is the recording's: a file of
//! somebody who came after a minute begins at 60 s. Never: an encode or a decode, or a wait of anybody for the disk.
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

use super::take::on_its_own_thread;
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
    let writing = on_its_own_thread("record-isolated", move || scribe.run(&ends));
    tokio::pin!(writing);
    tokio::select! {
        () = take.stopped() => {}
        // An error means that the room is gone
        _ = dismissed.wait_for(|dismissed| *dismissed) => {}
        written = &mut writing => return written,
    }
    drop(goes_on);
    writing.await
}
