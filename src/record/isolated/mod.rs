//! Everybody's own pictures and sound, as they arrive, and what happened in the room.

use super::{Ended, Take};

/// Records until it is stopped.
pub async fn record(mut take: Take) -> Ended {
    take.stopped().await;
    Ended::Complete
}
