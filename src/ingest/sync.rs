//! What one person's picture and sound know of each other, so that they are shown in step.
//!
//! In: from the sound, how much later than the sender's own clock it is heard; from the picture, how much later it is shown.
//! Out: the same to the other side. Never: a lock, or a say in what either does with it.
//!
//! Both figures are the room's time less the sender's wall clock, as sender reports map it (RFC 3550 §6.4.1): each alone means
//! nothing, their difference is the skew.

use std::sync::atomic::{AtomicI64, Ordering};

/// One person's picture and sound.
#[derive(Debug)]
pub struct LipSync {
    sound: AtomicI64,
    picture: AtomicI64,
}

const UNKNOWN: i64 = i64::MIN;

impl Default for LipSync {
    fn default() -> Self {
        Self { sound: AtomicI64::new(UNKNOWN), picture: AtomicI64::new(UNKNOWN) }
    }
}

impl LipSync {
    /// Notes how much later than the sender's wall clock sound is heard, in nanoseconds; `None` where nothing is heard, or no
    /// report has come.
    pub(super) fn hear(&self, offset: Option<i64>) {
        self.sound.store(offset.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    /// Notes how much later than the sender's wall clock pictures are shown, in nanoseconds; `None` where nothing is shown, or no
    /// report has come.
    pub(super) fn show(&self, offset: Option<i64>) {
        self.picture.store(offset.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    /// How much later than the sender's wall clock sound is heard, in nanoseconds.
    pub(super) fn sound(&self) -> Option<i64> {
        known(&self.sound)
    }

    /// How much later than the sender's wall clock pictures are shown, in nanoseconds.
    pub(super) fn picture(&self) -> Option<i64> {
        known(&self.picture)
    }

    /// How much later the picture comes than the sound, in milliseconds.
    pub(super) fn skew_ms(&self) -> Option<f64> {
        Some(self.picture()?.saturating_sub(self.sound()?) as f64 / 1e6)
    }
}

fn known(offset: &AtomicI64) -> Option<i64> {
    Some(offset.load(Ordering::Relaxed)).filter(|offset| *offset != UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skew_is_known_once_both_are() {
        let sync = LipSync::default();
        sync.hear(Some(-5_000_000));
        assert_eq!(sync.skew_ms(), None);
        sync.show(Some(25_000_000));
        assert_eq!(sync.skew_ms(), Some(30.0));
        sync.hear(None);
        assert_eq!((sync.skew_ms(), sync.picture()), (None, Some(25_000_000)));
    }
}
