//! What is wanted of somebody's pictures, shared by who shows them and who receives them.
//!
//! In: the largest tile that anybody is sent. Out: the same, at any time. Never: a lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// What is wanted of somebody's pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nobody has said yet: all that they send.
    Unknown,
    /// Nobody sees them: nothing need be decoded.
    Unseen,
    /// They are seen at this size at most, in pixels as sent to those who receive the most.
    Seen {
        /// Of the tile.
        width: u32,
        /// Of the tile.
        height: u32,
    },
}

/// The newest [`Need`] of one person's pictures.
#[derive(Debug)]
pub struct Demand(AtomicU64);

const UNKNOWN: u64 = u64::MAX;

impl Default for Demand {
    fn default() -> Self {
        Self(AtomicU64::new(UNKNOWN))
    }
}

impl Demand {
    /// Notes what is wanted from here on.
    pub fn set(&self, need: Need) {
        let value = match need {
            Need::Unknown => UNKNOWN,
            Need::Unseen => 0,
            Need::Seen { width, height } => u64::from(width.max(1)) << 32 | u64::from(height.max(1)),
        };
        self.0.store(value, Ordering::Relaxed);
    }

    /// What is wanted.
    pub fn get(&self) -> Need {
        match self.0.load(Ordering::Relaxed) {
            UNKNOWN => Need::Unknown,
            0 => Need::Unseen,
            size => Need::Seen { width: (size >> 32) as u32, height: size as u32 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_what_is_wanted() {
        let demand = Demand::default();
        assert_eq!(demand.get(), Need::Unknown);
        for need in [Need::Unseen, Need::Seen { width: 640, height: 360 }, Need::Unknown] {
            demand.set(need);
            assert_eq!(demand.get(), need);
        }
        demand.set(Need::Seen { width: 0, height: 0 });
        assert_eq!(demand.get(), Need::Seen { width: 1, height: 1 });
    }
}
